/* SPDX-License-Identifier: Apache-2.0
 *
 * Envelopes: a private key under AES-256-GCM with its tenant's data key, bound to all that its
 * record says (signer/record.h). Neither function uses heap. */
#ifndef ADY_SIGNER_ENVELOPE_H
#define ADY_SIGNER_ENVELOPE_H

#include "base/secret.h"
#include "crypto/aes.h"
#include "signer/record.h"

/* What sealing and opening need beside the record: the enclave's deployment, and a context. */
struct ady_envelope {
	const char *deployment;
	struct ady_gcm *gcm;
};

/* Seal a secret into rec, whose other members are complete and bound: rec->ciphertext is new.
 * secret has as many bytes as a record of that curve seals. Returns ADY_E_CRYPTO. */
enum ady_err ady_envelope_seal_bytes(struct ady_record *rec, const struct ady_envelope *e,
                                     const uint8_t data_key32[static 32], struct ady_bytes secret);

/* Open rec to out, n bytes, as ady_envelope_open. Out: all zero on error. */
enum ady_err ady_envelope_open_bytes(uint8_t *out, size_t n, const struct ady_record *rec,
                                     const struct ady_envelope *e,
                                     const uint8_t data_key32[static 32], struct ady_fault *f);

/* Seal key into rec, whose other members are complete and bound: rec->ciphertext is new.
 * Returns ADY_E_CRYPTO. */
enum ady_err ady_envelope_seal(struct ady_record *rec, const struct ady_envelope *e,
                               const uint8_t data_key32[static 32], const struct ady_seckey *key);

/* Open rec. Out: *key, all zero on error.
 * Returns: ADY_E_RECORD_MISMATCH when record, data key and deployment do not belong together, or
 * anything of the record was changed: the reason is in f. Time: constant in the secrets. */
enum ady_err ady_envelope_open(struct ady_seckey *key, const struct ady_record *rec,
                               const struct ady_envelope *e, const uint8_t data_key32[static 32],
                               struct ady_fault *f);

#endif
