/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/shared.h"

#include <string.h>

#include "codec/cbor.h"
#include "crypto/rng.h"
#include "policy/tally.h"

enum { NONCE = 12, TAG = 16, AAD_MAX = 512 };

static const char label[] = "adyton key of a wallet's counters 1";

void ady_shared_name(uint8_t name[static ADY_RECORD_COUNTERS], const struct ady_record *rec,
                     const char *deployment, bool each_key)
{
	const struct ady_tally_owner owner = {
	    .deployment = deployment,
	    .tenant = rec->tenant,
	    .id = rec->id,
	    .curve = ady_curve_name(rec->curve),
	    .pub = ady_bytes(rec->pub, ady_curve_public_size(rec->curve))};

	if (!rec->counted)
		ady_tally_name(name, &owner);
	else if (each_key)
		ady_tally_key_name(name, rec->counters, owner.curve, owner.pub);
	else
		memcpy(name, rec->counters, sizeof rec->counters);
}

static struct ady_bytes aad_of(uint8_t space[static AAD_MAX], const struct ady_record *rec,
                               const struct ady_envelope *e)
{
	struct ady_buf b = ady_buf(space, AAD_MAX);

	ady_cbor_put_text(&b, ady_bytes(label, sizeof label - 1));
	ady_cbor_put_text(&b, ady_bytes_str(e->deployment));
	ady_cbor_put_text(&b, ady_bytes_str(rec->tenant));
	ady_cbor_put_bytes(&b, ady_bytes(rec->counters, sizeof rec->counters));
	if (b.full)
		ADY_BUG("deployment and tenant outgrew their bounds");
	return ady_buf_bytes(&b);
}

enum ady_err ady_shared_seal(struct ady_record *rec, const struct ady_envelope *e,
                             const uint8_t data_key32[static 32], const struct ady_seckey *row_key)
{
	uint8_t space[AAD_MAX];

	ady_random(rec->row_key, NONCE);
	rec->row_key_n = NONCE + sizeof row_key->b + TAG;
	return ady_gcm_seal(e->gcm, rec->row_key + NONCE, data_key32, rec->row_key,
	                    aad_of(space, rec, e), ady_bytes(row_key->b, sizeof row_key->b));
}

enum ady_err ady_shared_open(struct ady_seckey *row_key, const struct ady_record *rec,
                             const struct ady_envelope *e, const uint8_t data_key32[static 32],
                             struct ady_fault *f)
{
	uint8_t space[AAD_MAX];

	if (rec->row_key_n == sizeof rec->row_key &&
	    ady_gcm_open(e->gcm, row_key->b, data_key32, rec->row_key, aad_of(space, rec, e),
	                 ady_bytes(rec->row_key + NONCE, sizeof row_key->b + TAG)) == ADY_OK)
		return ADY_OK;
	ady_zero(row_key, sizeof *row_key);
	return ady_fail(f, ADY_E_RECORD_MISMATCH, "record.counters",
	                "do not open the row of the key's wallet under this data key");
}

enum ady_err ady_shared_reseal(struct ady_record *rec, const struct ady_envelope *e,
                               const uint8_t data_key32[static 32],
                               const uint8_t next_data_key32[static 32])
{
	ADY_SECRET struct ady_seckey row_key = {0};
	enum ady_err err;

	if (rec->row_key_n == 0)
		return ADY_OK;
	err = ady_shared_open(&row_key, rec, e, data_key32, NULL);
	return err == ADY_OK ? ady_shared_seal(rec, e, next_data_key32, &row_key) : err;
}
