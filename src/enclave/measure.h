/* SPDX-License-Identifier: Apache-2.0
 *
 * What the NSM must say before the enclave serves: that there is a measurement, and that PCR16
 * holds the hash of the configuration and can no longer be changed. */
#ifndef ADY_ENCLAVE_MEASURE_H
#define ADY_ENCLAVE_MEASURE_H

#include "enclave/config.h"
#include "enclave/nsm.h"

/* Check that PCR0 is not all zero, as it is in debug mode; with development that is only said.
 * Returns ADY_E_NSM, or ADY_E_ATTESTATION when it is zero. */
enum ady_err ady_measure_image(struct ady_nsm *nsm, bool development, struct ady_fault *f);

/* Extend PCR16 by the configuration's hash, lock all PCRs, and read back that it is so.
 * A PCR16 that is locked with the right value already, by an earlier run on the same module, will
 * do.
 * Out:     *info, what the module says of itself.
 * Returns: ADY_E_NSM when the module fails; ADY_E_ATTESTATION when what it holds is not
 *          acceptable: another PCR16, or one that stays open. */
enum ady_err ady_measure_self(struct ady_nsm *nsm, const struct ady_enclave_config *config,
                              struct ady_nsm_info *info, struct ady_fault *f);

#endif
