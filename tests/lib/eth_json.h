/* SPDX-License-Identifier: Apache-2.0
 *
 * An encoded transaction back to the JSON that makes it, for tests that go round. Strict enough
 * for that, and no more: whether the values are allowed is the parser's to say. */
#ifndef ADY_TEST_ETH_JSON_H
#define ADY_TEST_ETH_JSON_H

#include <string.h>

#include "chain/eth_tx.h"
#include "codec/rlp.h"

#define ETH_FEES \
	"chainId", "nonce", "maxPriorityFeePerGas", "maxFeePerGas", "gas", "to", "value", "data"

/* The names of the items of each type; the signature's three follow. */
static const char *const eth_names[5][12] = {
    {"nonce", "gasPrice", "gas", "to", "value", "data"},
    {"chainId", "nonce", "gasPrice", "gas", "to", "value", "data", "accessList"},
    {ETH_FEES, "accessList"},
    {ETH_FEES, "accessList", "maxFeePerBlobGas", "blobVersionedHashes"},
    {ETH_FEES, "accessList", "authorizationList"},
};

/* Write "0x.." with quotes; a quantity must have no leading zero byte. */
static inline bool eth_put_hex(struct ady_buf *b, struct ady_rlp_item it, bool quantity)
{
	if (it.list || (quantity && it.payload.n > 0 && it.payload.p[0] == 0))
		return false;
	ady_buf_str(b, quantity && it.payload.n == 0 ? "\"0x0" : "\"0x");
	for (size_t i = 0; i < it.payload.n; i++)
		ady_buf_printf(b, "%02x", it.payload.p[i]);
	ady_buf_str(b, "\"");
	return true;
}

/* Write the hashes in list as a JSON array. */
static inline bool eth_put_hashes(struct ady_buf *b, struct ady_rlp_item list)
{
	struct ady_rlp_item key;

	if (!list.list)
		return false;
	ady_buf_str(b, "[");
	for (bool first = true; list.payload.n > 0; first = false) {
		ady_buf_str(b, first ? "" : ",");
		if (ady_rlp_next(&key, &list.payload) != ADY_OK || !eth_put_hex(b, key, false))
			return false;
	}
	ady_buf_str(b, "]");
	return true;
}

/* Write an access list as a JSON array. */
static inline bool eth_put_access_list(struct ady_buf *b, struct ady_rlp_item list)
{
	struct ady_rlp_item entry, address, keys;

	if (!list.list)
		return false;
	ady_buf_str(b, "[");
	for (bool first = true; list.payload.n > 0; first = false) {
		if (ady_rlp_next(&entry, &list.payload) != ADY_OK || !entry.list ||
		    ady_rlp_next(&address, &entry.payload) != ADY_OK ||
		    ady_rlp_next(&keys, &entry.payload) != ADY_OK || entry.payload.n > 0)
			return false;
		ady_buf_str(b, first ? "{\"address\":" : ",{\"address\":");
		if (!eth_put_hex(b, address, false))
			return false;
		ady_buf_str(b, ",\"storageKeys\":");
		if (!eth_put_hashes(b, keys))
			return false;
		ady_buf_str(b, "}");
	}
	ady_buf_str(b, "]");
	return true;
}

/* Write the signed tuples of EIP-7702 as a JSON array. */
static inline bool eth_put_authorizations(struct ady_buf *b, struct ady_rlp_item list)
{
	static const char *const names[] = {"chainId", "address", "nonce", "yParity", "r", "s"};
	struct ady_rlp_item tuple, it;

	if (!list.list)
		return false;
	ady_buf_str(b, "[");
	for (bool first = true; list.payload.n > 0; first = false) {
		if (ady_rlp_next(&tuple, &list.payload) != ADY_OK || !tuple.list)
			return false;
		for (size_t i = 0; i < 6; i++) {
			ady_buf_printf(b, "%s\"%s\":", i ? "," : first ? "{" : ",{", names[i]);
			if (ady_rlp_next(&it, &tuple.payload) != ADY_OK ||
			    !eth_put_hex(b, it, i != 1))
				return false;
		}
		if (tuple.payload.n > 0)
			return false;
		ady_buf_str(b, "}");
	}
	ady_buf_str(b, "]");
	return true;
}

/* Write one member and a comma; the recipient of a creation is null. */
static inline bool eth_put_member(struct ady_buf *b, const char *name, struct ady_rlp_item it)
{
	bool ok = true, bytes = strcmp(name, "to") == 0 || strcmp(name, "data") == 0;

	ady_buf_printf(b, "\"%s\":", name);
	if (strcmp(name, "accessList") == 0)
		ok = eth_put_access_list(b, it);
	else if (strcmp(name, "blobVersionedHashes") == 0)
		ok = eth_put_hashes(b, it);
	else if (strcmp(name, "authorizationList") == 0)
		ok = eth_put_authorizations(b, it);
	else if (strcmp(name, "to") == 0 && !it.list && it.payload.n == 0)
		ady_buf_str(b, "null");
	else
		ok = eth_put_hex(b, it, !bytes);
	ady_buf_str(b, ",");
	return ok;
}

/* The number in a string item of at most 8 bytes. */
static inline bool eth_u64(uint64_t *v, struct ady_rlp_item it)
{
	*v = 0;
	if (it.list || it.payload.n > 8 || (it.payload.n > 0 && it.payload.p[0] == 0))
		return false;
	for (size_t i = 0; i < it.payload.n; i++)
		*v = *v << 8 | it.payload.p[i];
	return true;
}

/* The 32 bytes of an r or s. */
static inline bool eth_be32(uint8_t out32[static 32], struct ady_rlp_item it)
{
	memset(out32, 0, 32);
	if (it.list || it.payload.n > 32 || (it.payload.n > 0 && it.payload.p[0] == 0))
		return false;
	if (it.payload.n > 0)
		memcpy(out32 + 32 - it.payload.n, it.payload.p, it.payload.n);
	return true;
}

/* Read v, r and s: the parity, and of a legacy transaction the chain id, 0 without EIP-155. */
static inline bool eth_read_signature(struct ady_secp_sig *sig, uint64_t *chain_id, bool typed,
                                      struct ady_rlp_item it[static 3])
{
	uint64_t v;

	*chain_id = 0;
	if (!eth_u64(&v, it[0]) || !eth_be32(sig->r, it[1]) || !eth_be32(sig->s, it[2]))
		return false;
	if (typed) {
		sig->y_parity = (uint8_t)v;
		return v <= 1;
	}
	if (v >= 37)
		*chain_id = (v - 35) / 2;
	sig->y_parity = (uint8_t)((v + 1) % 2);
	return v == 27 || v == 28 || v >= 37;
}

/* Read a signed transaction: its JSON and its signature. False when it is not in canonical form, of
 * another type, or its v is none. */
static inline bool eth_json_of_signed(struct ady_buf *b, struct ady_secp_sig *sig,
                                      struct ady_bytes raw)
{
	bool typed = raw.n > 0 && raw.p[0] >= 1 && raw.p[0] <= 4;
	unsigned type = typed ? raw.p[0] : 0;
	struct ady_rlp_item list, it[3];
	uint64_t chain_id;

	if (typed)
		raw = ady_bytes(raw.p + 1, raw.n - 1);
	if (ady_rlp_check(raw) != ADY_OK || ady_rlp_next(&list, &raw) != ADY_OK || !list.list)
		return false;
	ady_buf_printf(b, "{\"type\":%u,", type);
	for (size_t i = 0; eth_names[type][i]; i++)
		if (ady_rlp_next(&it[0], &list.payload) != ADY_OK ||
		    !eth_put_member(b, eth_names[type][i], it[0]))
			return false;
	for (size_t i = 0; i < 3; i++)
		if (ady_rlp_next(&it[i], &list.payload) != ADY_OK)
			return false;
	if (list.payload.n > 0 || !eth_read_signature(sig, &chain_id, typed, it))
		return false;
	if (chain_id)
		ady_buf_printf(b, "\"chainId\":%llu,", (unsigned long long)chain_id);
	b->n--; /* the last comma */
	ady_buf_str(b, "}");
	return !b->full;
}

#endif
