/* SPDX-License-Identifier: Apache-2.0
 *
 * Randomness of the NSM into the kernel's pool, which everything secret here is drawn from. */
#ifndef ADY_ENCLAVE_ENTROPY_H
#define ADY_ENCLAVE_ENTROPY_H

#include "enclave/nsm.h"

/* Mix 256 bytes of GetRandom into the kernel's pool; as root of a machine they are counted as
 * entropy, else only mixed in on top of what is there. To be called while /dev/urandom can be
 * opened.
 * Returns: ADY_E_NSM, ADY_E_IO when the kernel does not take them. */
enum ady_err ady_entropy_mix(struct ady_nsm *nsm, struct ady_fault *f);

/* Whether the kernel's pool has been seeded: getrandom(2) must answer without waiting.
 * Returns ADY_E_CRYPTO. */
enum ady_err ady_entropy_check(struct ady_fault *f);

#endif
