/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/eth_message.h"
#include "chain/eth_read.h"

#include <stdio.h>
#include <string.h>

#include "codec/rlp.h"
#include "crypto/hash.h"

enum { MAGIC = 0x05 }; /* EIP-7702: before the tuple that is hashed for its signature */

enum member {
	M_CHAIN_ID,
	M_ADDRESS,
	M_NONCE,
	M_Y_PARITY,
	M_R,
	M_S,
	MEMBERS,
	UNSIGNED = M_Y_PARITY
};

static const char *const names[MEMBERS] = {"chainId", "address", "nonce", "yParity", "r", "s"};

/* A tuple: the numbers in the places of their members. */
struct tuple {
	struct ady_u256 number[MEMBERS];
	uint8_t address[20];
	size_t members; /* UNSIGNED or MEMBERS */
};

static struct ady_bytes item(const struct tuple *t, enum member m)
{
	return m == M_ADDRESS ? ady_bytes(t->address, sizeof t->address)
	                      : ady_u256_minimal(&t->number[m]);
}

static size_t payload_of(const struct tuple *t)
{
	size_t n = 0;

	for (enum member m = 0; m < t->members; m++)
		n += ady_rlp_size_string(item(t, m));
	return n;
}

static void put_tuple(struct ady_buf *b, const struct tuple *t)
{
	ady_rlp_put_list(b, payload_of(t));
	for (enum member m = 0; m < t->members; m++)
		ady_rlp_put_string(b, item(t, m));
}

static enum ady_err find_members(const struct ady_eth_reader *r, uint32_t value[static MEMBERS],
                                 size_t members, uint32_t i)
{
	if (ady_json_kind(r->doc, i) != ADY_JSON_OBJECT)
		return ady_eth_refuse(r, ADY_E_FIELD_INVALID, NULL, "must be an object");
	for (uint32_t k = ady_json_first(r->doc, i); k; k = ady_json_after(r->doc, i, k)) {
		enum member m = 0;

		while (m < members && !ady_json_is(r->doc, k, names[m]))
			m++;
		if (m == members)
			return ady_eth_refuse_unknown(r, k);
		value[m] = k + 1;
	}
	for (enum member m = 0; m < members; m++)
		if (!value[m])
			return ady_eth_refuse(r, ADY_E_FIELD_MISSING, names[m], "is required");
	return ADY_OK;
}

/* The bounds of EIP-7702: chain id, r and s below 2^256. A nonce of 2^64 - 1 never becomes valid,
 * nor does a parity above 1. chainId 0 is for any chain: the EIP has it so. */
static enum ady_err read_tuple(const struct ady_eth_reader *r, struct tuple *t, uint32_t i)
{
	uint32_t value[MEMBERS] = {0};
	uint64_t nonce, parity = 0;
	enum ady_err err;

	if ((err = find_members(r, value, t->members, i)) != ADY_OK ||
	    (err = ady_eth_read_u256(r, &t->number[M_CHAIN_ID], value[M_CHAIN_ID], "chainId")) !=
	        ADY_OK ||
	    (err = ady_eth_read_address(r, t->address, value[M_ADDRESS], "address")) != ADY_OK ||
	    (err = ady_eth_read_u64(r, &nonce, UINT64_MAX - 1, value[M_NONCE], "nonce")) != ADY_OK)
		return err;
	t->number[M_NONCE] = ady_u256_from_u64(nonce);
	if (t->members == UNSIGNED)
		return ADY_OK;
	if ((err = ady_eth_read_u64(r, &parity, 1, value[M_Y_PARITY], "yParity")) != ADY_OK ||
	    (err = ady_eth_read_u256(r, &t->number[M_R], value[M_R], "r")) != ADY_OK ||
	    (err = ady_eth_read_u256(r, &t->number[M_S], value[M_S], "s")) != ADY_OK)
		return err;
	t->number[M_Y_PARITY] = ady_u256_from_u64(parity);
	return ADY_OK;
}

/* Read every tuple; b NULL: only add up what they take. */
static enum ady_err each(struct ady_eth_reader *r, struct ady_buf *b, size_t *payload, uint32_t i)
{
	enum ady_err err;

	*payload = 0;
	r->index = 0;
	for (uint32_t k = ady_json_first(r->doc, i); k; k = ady_json_after(r->doc, i, k)) {
		struct tuple t = {.members = MEMBERS};

		if ((err = read_tuple(r, &t, k)) != ADY_OK)
			return err;
		*payload += ady_rlp_size_list(payload_of(&t));
		if (b)
			put_tuple(b, &t);
		r->index++;
	}
	return ADY_OK;
}

enum ady_err ady_eth_read_authorizations(const struct ady_eth_reader *r, struct ady_bytes *rlp,
                                         uint32_t i)
{
	static const char field[] = "authorizationList";
	struct ady_eth_reader items = *r;
	size_t payload, start = r->scratch->n;
	enum ady_err err;
	char at[48];

	*rlp = (struct ady_bytes){0};
	if (ady_json_kind(r->doc, i) != ADY_JSON_ARRAY || r->doc->toks[i].count == 0)
		return ady_eth_refuse(r, ADY_E_FIELD_INVALID, field,
		                      "must be an array of at least one signed tuple");
	snprintf(at, sizeof at, "%s.%s", r->at, field);
	items.at = at;
	items.in_array = true;
	if ((err = each(&items, NULL, &payload, i)) != ADY_OK)
		return err;
	ady_rlp_put_list(r->scratch, payload);
	if ((err = each(&items, r->scratch, &payload, i)) != ADY_OK)
		return err;
	if (r->scratch->full)
		return ady_eth_refuse(r, ADY_E_TOO_LARGE, field, "is too large");
	*rlp = ady_bytes(r->scratch->p + start, r->scratch->n - start);
	return ADY_OK;
}

/* keccak256(0x05 || rlp([chain_id, address, nonce])) */
enum ady_err ady_eth_read_authorization(struct ady_eth_authorization *a,
                                        uint8_t digest32[static 32], const struct ady_eth_reader *r,
                                        uint32_t i)
{
	uint8_t space[1 + 9 + 33 + 21 + 9];
	struct ady_buf b = ady_buf(space, sizeof space);
	struct tuple t = {.members = UNSIGNED};
	enum ady_err err = read_tuple(r, &t, i);

	*a = (struct ady_eth_authorization){.chain = t.number[M_CHAIN_ID]};
	if (err != ADY_OK)
		return err;
	memcpy(a->address, t.address, sizeof a->address);
	(void)ady_u256_to_u64(&a->nonce, &t.number[M_NONCE]);
	ady_buf_u8(&b, MAGIC);
	put_tuple(&b, &t);
	ady_keccak256(digest32, ady_buf_bytes(&b));
	return ADY_OK;
}

enum ady_err ady_eth_authorization_digest(uint8_t digest32[static 32],
                                          const struct ady_eth_reader *r, uint32_t i)
{
	struct ady_eth_authorization a;

	return ady_eth_read_authorization(&a, digest32, r, i);
}
