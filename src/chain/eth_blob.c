/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/eth_read.h"

#include <stdio.h>
#include <string.h>

#include "codec/rlp.h"
#include "crypto/hash.h"

enum { HASH = 32, HASH_RLP = 1 + HASH, COMMITMENT = 48, VERSION_KZG = 0x01 };

static enum ady_err read_hash(const struct ady_eth_reader *r, uint8_t hash[static HASH], uint32_t i,
                              uint32_t number)
{
	char field[40];
	enum ady_err err;

	snprintf(field, sizeof field, "blobVersionedHashes[%u]", number);
	err = ady_eth_read_fixed(r, hash, HASH, i, field, "must be \"0x\" and 64 hex digits");
	if (err == ADY_OK && hash[0] != VERSION_KZG)
		return ady_eth_refuse(r, ADY_E_FIELD_INVALID, field,
		                      "must begin with version 0x01 (EIP-4844)");
	return err;
}

enum ady_err ady_eth_read_blob_hashes(const struct ady_eth_reader *r, struct ady_bytes *rlp,
                                      uint64_t *n, uint32_t i)
{
	static const char field[] = "blobVersionedHashes";
	size_t start = r->scratch->n;
	uint8_t hash[HASH];
	enum ady_err err;

	*rlp = (struct ady_bytes){0};
	*n = 0;
	if (ady_json_kind(r->doc, i) != ADY_JSON_ARRAY || r->doc->toks[i].count == 0)
		return ady_eth_refuse(r, ADY_E_FIELD_INVALID, field,
		                      "must be an array of at least one hash");
	ady_rlp_put_list(r->scratch, (size_t)r->doc->toks[i].count * HASH_RLP);
	for (uint32_t k = ady_json_first(r->doc, i); k; k = ady_json_after(r->doc, i, k)) {
		if ((err = read_hash(r, hash, k, (uint32_t)(*n)++)) != ADY_OK)
			return err;
		ady_rlp_put_string(r->scratch, ady_bytes(hash, sizeof hash));
	}
	if (r->scratch->full)
		return ady_eth_refuse(r, ADY_E_TOO_LARGE, field, "is too large");
	*rlp = ady_bytes(r->scratch->p + start, r->scratch->n - start);
	return ADY_OK;
}

/* EIP-4844, kzg_to_versioned_hash. */
static enum ady_err check_commitment(const struct ady_eth_reader *r, uint32_t i, uint32_t hash_at,
                                     uint32_t number)
{
	uint8_t commitment[COMMITMENT], hash[HASH], made[HASH];
	struct ady_bytes whole;
	enum ady_err err;
	char field[40];

	snprintf(field, sizeof field, "commitments[%u]", number);
	if ((err = ady_eth_read_fixed(r, commitment, sizeof commitment, i, field,
	                              "must be \"0x\" and 96 hex digits")) != ADY_OK ||
	    (err = read_hash(r, hash, hash_at, number)) != ADY_OK)
		return err;
	whole = ady_bytes(commitment, sizeof commitment);
	ady_sha256(made, &whole, 1);
	made[0] = VERSION_KZG;
	if (memcmp(made, hash, sizeof made) == 0)
		return ADY_OK;
	return ady_eth_refuse(r, ADY_E_FIELD_INVALID, field, "is not that of its versioned hash");
}

enum ady_err ady_eth_check_commitments(const struct ady_eth_reader *r, uint32_t i, uint32_t hashes)
{
	uint32_t number = 0, hash = ady_json_first(r->doc, hashes);
	enum ady_err err;

	if (ady_json_kind(r->doc, i) != ADY_JSON_ARRAY ||
	    r->doc->toks[i].count != r->doc->toks[hashes].count)
		return ady_eth_refuse(r, ADY_E_FIELD_INVALID, "commitments",
		                      "must be an array with one item for each versioned hash");
	for (uint32_t k = ady_json_first(r->doc, i); k; k = ady_json_after(r->doc, i, k)) {
		if ((err = check_commitment(r, k, hash, number++)) != ADY_OK)
			return err;
		hash = ady_json_after(r->doc, hashes, hash);
	}
	return ADY_OK;
}
