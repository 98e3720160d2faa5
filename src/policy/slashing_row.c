/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/slashing_row.h"

#include <string.h>

#include "crypto/hash.h"

static const char magic[] = "ADYSLASH\1", label[] = "adyton slashing row 1";

enum { MAGIC = 9, MAC = 32, BODY = ADY_SLASH_ROW - MAC };
_Static_assert(MAGIC + 1 + 6 + 5 * 8 + 3 * 32 == BODY, "a row is as long as its members");

enum { RETIRED = 1, BLOCK = 2, BLOCK_ROOT = 4, ATTESTATION = 8, ATTESTATION_ROOT = 16 };

void ady_slash_row_key(struct ady_seckey *row_key, const struct ady_seckey *key)
{
	ady_hmac_sha256(row_key->b, ady_bytes(key->b, sizeof key->b),
	                ady_bytes(label, sizeof label - 1));
}

static uint8_t flags_of(const struct ady_slash_state *s)
{
	return (uint8_t)(s->retired * RETIRED | s->has_block * BLOCK |
	                 s->has_block_root * BLOCK_ROOT | s->has_attestation * ATTESTATION |
	                 s->has_attestation_root * ATTESTATION_ROOT);
}

void ady_slash_row_seal(uint8_t row[static ADY_SLASH_ROW], const struct ady_slash_state *state,
                        const uint8_t genesis_validators_root32[static 32],
                        const struct ady_seckey *row_key)
{
	static const uint8_t zero[6];
	struct ady_buf b = ady_buf(row, BODY);

	ady_buf_put(&b, magic, MAGIC);
	ady_buf_u8(&b, flags_of(state));
	ady_buf_put(&b, zero, sizeof zero);
	ady_buf_be64(&b, state->version);
	ady_buf_be64(&b, state->slot);
	ady_buf_be64(&b, state->source);
	ady_buf_be64(&b, state->target);
	ady_buf_be64(&b, state->from_epoch);
	ady_buf_put(&b, state->block_root, 32);
	ady_buf_put(&b, state->attestation_root, 32);
	ady_buf_put(&b, genesis_validators_root32, 32);
	ady_hmac_sha256(row + BODY, ady_bytes(row_key->b, sizeof row_key->b), ady_bytes(row, BODY));
	ADY_DECLASSIFY(row + BODY, MAC);
}

/* The form has one spelling: what a flag says is absent is zero. */
static bool is_canonical(const struct ady_slash_state *s)
{
	static const uint8_t zero[32];

	return s->version > 0 && (s->has_block || (s->slot == 0 && !s->has_block_root)) &&
	       (s->has_attestation ||
	        (s->source == 0 && s->target == 0 && !s->has_attestation_root)) &&
	       (s->has_block_root || memcmp(s->block_root, zero, 32) == 0) &&
	       (s->has_attestation_root || memcmp(s->attestation_root, zero, 32) == 0);
}

enum ady_err ady_slash_row_peek(struct ady_slash_state *state,
                                uint8_t genesis_validators_root32[static 32], struct ady_bytes row,
                                struct ady_fault *f)
{
	static const uint8_t zero[6];
	const uint8_t *p = row.p;

	*state = (struct ady_slash_state){0};
	memset(genesis_validators_root32, 0, 32);
	if (row.n != ADY_SLASH_ROW || memcmp(p, magic, MAGIC) != 0 || p[9] > 31 ||
	    memcmp(p + 10, zero, sizeof zero) != 0)
		return ady_fail(f, ADY_E_SLASHING, "state", "is not a slashing protection row");
	state->retired = p[9] & RETIRED;
	state->has_block = p[9] & BLOCK;
	state->has_block_root = p[9] & BLOCK_ROOT;
	state->has_attestation = p[9] & ATTESTATION;
	state->has_attestation_root = p[9] & ATTESTATION_ROOT;
	state->version = ady_be64(p + 16);
	state->slot = ady_be64(p + 24);
	state->source = ady_be64(p + 32);
	state->target = ady_be64(p + 40);
	state->from_epoch = ady_be64(p + 48);
	memcpy(state->block_root, p + 56, 32);
	memcpy(state->attestation_root, p + 88, 32);
	memcpy(genesis_validators_root32, p + 120, 32);
	if (is_canonical(state))
		return ADY_OK;
	*state = (struct ady_slash_state){0};
	return ady_fail(f, ADY_E_SLASHING, "state", "is not a slashing protection row");
}

enum ady_err ady_slash_row_open(struct ady_slash_state *state, struct ady_bytes row,
                                const uint8_t genesis_validators_root32[static 32],
                                const struct ady_seckey *row_key, struct ady_fault *f)
{
	uint8_t mac[MAC], gvr[32];
	enum ady_err err;
	bool same;

	*state = (struct ady_slash_state){0};
	if (row.n == 0)
		return ADY_OK;
	if (row.n != ADY_SLASH_ROW)
		return ady_fail(f, ADY_E_SLASHING, "state", "is not a slashing protection row");
	ady_hmac_sha256(mac, ady_bytes(row_key->b, sizeof row_key->b), ady_bytes(row.p, BODY));
	same = ady_secret_eq_ct(mac, row.p + BODY, MAC);
	ADY_DECLASSIFY(&same, sizeof same); /* told to the caller */
	if (!same)
		return ady_fail(f, ADY_E_SLASHING, "state",
		                "was not written by an enclave for this key");
	if ((err = ady_slash_row_peek(state, gvr, row, f)) != ADY_OK)
		return err;
	if (memcmp(gvr, genesis_validators_root32, 32) == 0)
		return ADY_OK;
	*state = (struct ady_slash_state){0};
	return ady_fail(f, ADY_E_SLASHING, "state", "is of another network");
}
