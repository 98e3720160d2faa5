/* SPDX-License-Identifier: Apache-2.0
 *
 * The key pair that keys are sealed to on their way in (crypto/hpke.h): made at the start, its
 * secret half in guarded memory, its public half in attestation documents of its own. Thread rule:
 * any thread; nothing changes after ady_import_key_open. */
#ifndef ADY_ENCLAVE_IMPORT_KEY_H
#define ADY_ENCLAVE_IMPORT_KEY_H

#include "crypto/hpke.h"

struct ady_import_key;

/* Make the pair. Returns ADY_E_MEMORY or ADY_E_CRYPTO. */
enum ady_err ady_import_key_open(struct ady_import_key **key);

/* Wipe and free. NULL is allowed. */
void ady_import_key_close(struct ady_import_key *key);

/* The public half, 32 bytes. */
struct ady_bytes ady_import_key_public(const struct ady_import_key *key);

/* Open what was sealed to it: enc, 32 bytes, and the ciphertext behind it. aad32: ady_import_bind.
 * Out: *plain, secret, in out, which is locked memory with room for sealed.n - 48 bytes.
 * Returns ADY_E_FIELD_INVALID when it was not sealed to this key for this; out is zero then. */
enum ady_err ady_import_key_unseal(const struct ady_import_key *key, uint8_t *out,
                                   struct ady_bytes sealed, const uint8_t aad32[static 32],
                                   struct ady_bytes *plain, struct ady_fault *f);

#endif
