/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/eth_message.h"

#include <stdio.h>

#include "codec/rlp.h"
#include "crypto/hash.h"

/* Of the block header (yellow paper 4.3, EIP-225, EIP-1559): what each item of the list is. */
enum { BLOOM = 256, VANITY = 32, SIGNER = 20, EXTRA = 0, AMOUNT = -32, U64 = -8 };

static const struct {
	const char *name;
	int size; /* bytes; AMOUNT and U64: a number of so many at most; EXTRA: see there */
} items[] = {{"parentHash", 32},       {"sha3Uncles", 32},       {"miner", 20},
             {"stateRoot", 32},        {"transactionsRoot", 32}, {"receiptsRoot", 32},
             {"logsBloom", BLOOM},     {"difficulty", AMOUNT},   {"number", AMOUNT},
             {"gasLimit", U64},        {"gasUsed", U64},         {"timestamp", U64},
             {"extraData", EXTRA},     {"mixHash", 32},          {"nonce", 8},
             {"baseFeePerGas", AMOUNT}};

enum { ITEMS = sizeof items / sizeof *items, BEFORE_LONDON = ITEMS - 1 };

static enum ady_err refuse(const struct ady_eth_reader *r, const char *why)
{
	return ady_eth_refuse(r, ADY_E_RLP, NULL, why);
}

/* Between the vanity and the seal, which is not there yet, a checkpoint lists the signers. */
static bool is_extra(size_t n)
{
	return n >= VANITY && (n - VANITY) % SIGNER == 0;
}

static enum ady_err check_item(const struct ady_eth_reader *r, size_t k,
                               const struct ady_rlp_item *item)
{
	int size = items[k].size;
	struct ady_bytes v = item->payload;
	char why[80];
	bool good;

	if (size == EXTRA)
		good = is_extra(v.n);
	else if (size > 0)
		good = v.n == (size_t)size;
	else
		good = v.n <= (size_t)-size && (v.n == 0 || v.p[0] != 0);
	if (good && !item->list)
		return ADY_OK;
	snprintf(why, sizeof why, "has a wrong %s (item %zu of the header)", items[k].name, k);
	return refuse(r, why);
}

/* Every item in its place: a list of 15, or 16 since London. No transaction has as many: those
 * hashed for signing have 6 or 9 as a list, and a byte before the list otherwise. */
static enum ady_err check_header(const struct ady_eth_reader *r, struct ady_bytes rlp)
{
	struct ady_rlp_item header, item;
	size_t k = 0;
	enum ady_err err;

	if (ady_rlp_check(rlp) != ADY_OK || ady_rlp_next(&header, &rlp) != ADY_OK || !header.list)
		return refuse(r, "is no list in canonical RLP");
	for (; header.payload.n > 0 && k < ITEMS; k++)
		if ((err = ady_rlp_next(&item, &header.payload)) != ADY_OK ||
		    (err = check_item(r, k, &item)) != ADY_OK)
			return err;
	if (k < BEFORE_LONDON || header.payload.n > 0)
		return refuse(r, "is no block header of 15 or 16 items");
	return ADY_OK;
}

enum ady_err ady_eth_clique_digest(uint8_t digest32[static 32], const struct ady_eth_reader *r,
                                   uint32_t i)
{
	struct ady_bytes rlp;
	enum ady_err err;

	if ((err = ady_eth_read_bytes(r, &rlp, i, NULL)) != ADY_OK ||
	    (err = check_header(r, rlp)) != ADY_OK)
		return err;
	ady_keccak256(digest32, rlp);
	return ADY_OK;
}

/* What is hashed for a transaction's or an authorization's signature is one list, alone or behind
 * one byte below 0x80 (EIP-2718, EIP-7702). */
static bool looks_like_transaction(struct ady_bytes data)
{
	struct ady_rlp_item item;

	if (data.n > 0 && data.p[0] < 0x80)
		data = ady_bytes(data.p + 1, data.n - 1);
	return ady_rlp_next(&item, &data) == ADY_OK && item.list && data.n == 0;
}

enum ady_err ady_eth_data_digest(uint8_t digest32[static 32], const struct ady_eth_reader *r,
                                 uint32_t i)
{
	struct ady_bytes data;
	enum ady_err err = ady_eth_read_bytes(r, &data, i, NULL);

	if (err != ADY_OK)
		return err;
	if (looks_like_transaction(data))
		return ady_eth_refuse(r, ADY_E_DENIED, NULL,
		                      "has the form of a transaction: that must be signed as one");
	ady_keccak256(digest32, data);
	return ADY_OK;
}
