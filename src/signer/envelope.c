/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/envelope.h"

#include "crypto/rng.h"

enum { NONCE = 12, TAG = 16 };

/* The bounds of the record's members keep it within ADY_RECORD_AAD_MAX. */
static struct ady_bytes aad_of(uint8_t space[static ADY_RECORD_AAD_MAX],
                               const struct ady_record *rec, const struct ady_envelope *e)
{
	struct ady_buf b = ady_buf(space, ADY_RECORD_AAD_MAX);

	ady_record_aad(&b, rec, e->deployment);
	if (b.full)
		ADY_BUG("a record outgrew its additional data");
	return ady_buf_bytes(&b);
}

enum ady_err ady_envelope_seal_bytes(struct ady_record *rec, const struct ady_envelope *e,
                                     const uint8_t data_key32[static 32], struct ady_bytes secret)
{
	uint8_t space[ADY_RECORD_AAD_MAX];

	if (secret.n + NONCE + TAG != ady_record_sealed_size(rec->curve))
		ADY_BUG("a record of that curve seals another size");
	ady_random(rec->ciphertext, NONCE);
	rec->ciphertext_n = NONCE + secret.n + TAG;
	return ady_gcm_seal(e->gcm, rec->ciphertext + NONCE, data_key32, rec->ciphertext,
	                    aad_of(space, rec, e), secret);
}

enum ady_err ady_envelope_open_bytes(uint8_t *out, size_t n, const struct ady_record *rec,
                                     const struct ady_envelope *e,
                                     const uint8_t data_key32[static 32], struct ady_fault *f)
{
	uint8_t space[ADY_RECORD_AAD_MAX];

	if (rec->ciphertext_n == NONCE + n + TAG &&
	    ady_gcm_open(e->gcm, out, data_key32, rec->ciphertext, aad_of(space, rec, e),
	                 ady_bytes(rec->ciphertext + NONCE, n + TAG)) == ADY_OK)
		return ADY_OK;
	ady_zero(out, n);
	return ady_fail(f, ADY_E_RECORD_MISMATCH, "record.ciphertext",
	                "is not what was sealed for this record under this data key");
}

enum ady_err ady_envelope_seal(struct ady_record *rec, const struct ady_envelope *e,
                               const uint8_t data_key32[static 32], const struct ady_seckey *key)
{
	return ady_envelope_seal_bytes(rec, e, data_key32, ady_bytes(key->b, sizeof key->b));
}

enum ady_err ady_envelope_open(struct ady_seckey *key, const struct ady_record *rec,
                               const struct ady_envelope *e, const uint8_t data_key32[static 32],
                               struct ady_fault *f)
{
	return ady_envelope_open_bytes(key->b, sizeof key->b, rec, e, data_key32, f);
}
