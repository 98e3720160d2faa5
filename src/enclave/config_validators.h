/* SPDX-License-Identifier: Apache-2.0
 *
 * "validators" in the measured configuration: {"network": NAME or {..}, "keys": 65536,
 * "clock_error_s": 30, "quarantine_epochs": 0, "lagging_source": false}. Without it the enclave
 * signs for no validator. */
#ifndef ADY_ENCLAVE_CONFIG_VALIDATORS_H
#define ADY_ENCLAVE_CONFIG_VALIDATORS_H

#include "chain/beacon_network.h"

struct ady_config_validators {
	bool enabled;
	struct ady_beacon_network network;
	uint32_t keys;              /* that are used between two starts */
	uint32_t clock_error_s;     /* by how much an enclave's clock may be wrong */
	uint32_t quarantine_epochs; /* before a key that is new here signs */
	bool lagging_source;        /* allow sources before the floor (doc/validators.md) */
};

/* Read the member of the document's root. Errors as ady_enclave_config_read. */
enum ady_err ady_config_validators_read(struct ady_config_validators *v, const struct ady_json *doc,
                                        struct ady_fault *f);

#endif
