/* SPDX-License-Identifier: Apache-2.0
 *
 * What a key on its way into the enclave is sealed with and bound to, beside the enclave's import
 * key: for whoever seals and for the enclave alike (doc/protocol.md, "Imports"). */
#ifndef ADY_SIGNER_IMPORT_H
#define ADY_SIGNER_IMPORT_H

#include "base/bytes.h"

/* The "info" of HPKE. */
#define ADY_IMPORT_INFO "adyton import 1"

/* What is said of a sealed message that does not open. */
#define ADY_IMPORT_NOT_OURS                                                       \
	"was not sealed to this enclave's import key for this tenant, curve and " \
	"options"

/* The additional data of HPKE: SHA-256(curve || 0x00 || tenant || 0x00 || options), options as they
 * are sent: the parent can take a sealed key for nothing else than it was sealed for. */
void ady_import_bind(uint8_t aad32[static 32], const char *curve, struct ady_bytes tenant,
                     struct ady_bytes options);

#endif
