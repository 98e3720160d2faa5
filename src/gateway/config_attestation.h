/* SPDX-License-Identifier: Apache-2.0
 *
 * "attestation": {"pcr0": ["HEX", ..], "pcr8": ["HEX", ..], "root": "FILE"}: the enclave that the
 * gateway seals keystores to, which came to it in clear. */
#ifndef ADY_GATEWAY_CONFIG_ATTESTATION_H
#define ADY_GATEWAY_CONFIG_ATTESTATION_H

#include "gateway/config.h"
#include "gateway/config_object.h"

/* Read the member of the root; a->on stays false without it. Returns ADY_E_CONFIG. */
enum ady_err ady_config_attestation_read(struct ady_config_attestation *a,
                                         const struct ady_conf *root);

#endif
