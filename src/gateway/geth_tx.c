/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/geth_tx.h"

#include <string.h>

#include "codec/rlp.h"
#include "gateway/rpc_params.h"

/* What an item of the transaction's list is in JSON. */
enum form { QUANTITY, BYTES, RECIPIENT, ACCESS_LIST, HASHES, TUPLES };

struct item {
	const char *name;
	enum form form;
};

/* The lists of EIP-155, 2930, 1559, 4844 and 7702, in their order. */
static const struct item legacy[] = {{"nonce", QUANTITY}, {"gasPrice", QUANTITY}, {"gas", QUANTITY},
                                     {"to", RECIPIENT},   {"value", QUANTITY},    {"input", BYTES},
                                     {"v", QUANTITY},     {"r", QUANTITY},        {"s", QUANTITY},
                                     {NULL, QUANTITY}};
static const struct item access_list[] = {
    {"chainId", QUANTITY}, {"nonce", QUANTITY}, {"gasPrice", QUANTITY}, {"gas", QUANTITY},
    {"to", RECIPIENT},     {"value", QUANTITY}, {"input", BYTES},       {"accessList", ACCESS_LIST},
    {"v", QUANTITY},       {"r", QUANTITY},     {"s", QUANTITY},        {NULL, QUANTITY}};
static const struct item dynamic_fee[] = {{"chainId", QUANTITY},
                                          {"nonce", QUANTITY},
                                          {"maxPriorityFeePerGas", QUANTITY},
                                          {"maxFeePerGas", QUANTITY},
                                          {"gas", QUANTITY},
                                          {"to", RECIPIENT},
                                          {"value", QUANTITY},
                                          {"input", BYTES},
                                          {"accessList", ACCESS_LIST},
                                          {"v", QUANTITY},
                                          {"r", QUANTITY},
                                          {"s", QUANTITY},
                                          {NULL, QUANTITY}};
static const struct item blob[] = {{"chainId", QUANTITY},
                                   {"nonce", QUANTITY},
                                   {"maxPriorityFeePerGas", QUANTITY},
                                   {"maxFeePerGas", QUANTITY},
                                   {"gas", QUANTITY},
                                   {"to", RECIPIENT},
                                   {"value", QUANTITY},
                                   {"input", BYTES},
                                   {"accessList", ACCESS_LIST},
                                   {"maxFeePerBlobGas", QUANTITY},
                                   {"blobVersionedHashes", HASHES},
                                   {"v", QUANTITY},
                                   {"r", QUANTITY},
                                   {"s", QUANTITY},
                                   {NULL, QUANTITY}};
static const struct item set_code[] = {{"chainId", QUANTITY},
                                       {"nonce", QUANTITY},
                                       {"maxPriorityFeePerGas", QUANTITY},
                                       {"maxFeePerGas", QUANTITY},
                                       {"gas", QUANTITY},
                                       {"to", RECIPIENT},
                                       {"value", QUANTITY},
                                       {"input", BYTES},
                                       {"accessList", ACCESS_LIST},
                                       {"authorizationList", TUPLES},
                                       {"v", QUANTITY},
                                       {"r", QUANTITY},
                                       {"s", QUANTITY},
                                       {NULL, QUANTITY}};

enum { TYPES = 5 };

static const struct item *const lists[TYPES] = {legacy, access_list, dynamic_fee, blob, set_code};

static void put_name(struct ady_dyn *out, const char *name)
{
	ady_dyn_str(out, ",\"");
	ady_dyn_str(out, name);
	ady_dyn_str(out, "\":");
}

/* --- lists in lists --- */

/* Write an array of what each item of a list is; one writes one. */
static enum ady_err put_array(struct ady_dyn *out, struct ady_bytes items,
                              enum ady_err (*one)(struct ady_dyn *out,
                                                  const struct ady_rlp_item *item))
{
	const char *before = "[";
	struct ady_rlp_item item;
	enum ady_err err = ADY_OK;

	if (items.n == 0)
		ady_dyn_str(out, before);
	while (err == ADY_OK && items.n > 0) {
		ady_dyn_str(out, before);
		before = ",";
		err = ady_rlp_next(&item, &items);
		if (err == ADY_OK)
			err = one(out, &item);
	}
	ady_dyn_str(out, "]");
	return err;
}

static enum ady_err put_hash(struct ady_dyn *out, const struct ady_rlp_item *item)
{
	if (item->list || item->payload.n != 32)
		return ADY_E_RLP;
	ady_rpc_put_hex(out, item->payload);
	return ADY_OK;
}

static enum ady_err put_access(struct ady_dyn *out, const struct ady_rlp_item *item)
{
	struct ady_bytes rest = item->payload;
	struct ady_rlp_item address, keys;
	enum ady_err err;

	if (!item->list || ady_rlp_next(&address, &rest) != ADY_OK ||
	    ady_rlp_next(&keys, &rest) != ADY_OK || address.list || !keys.list)
		return ADY_E_RLP;
	ady_dyn_str(out, "{\"address\":");
	ady_rpc_put_hex(out, address.payload);
	ady_dyn_str(out, ",\"storageKeys\":");
	err = put_array(out, keys.payload, put_hash);
	ady_dyn_str(out, "}");
	return err;
}

static enum ady_err put_tuple(struct ady_dyn *out, const struct ady_rlp_item *item)
{
	static const char *const names[] = {"chainId", "address", "nonce", "yParity", "r", "s"};
	struct ady_bytes rest = item->payload;
	struct ady_rlp_item one;

	if (!item->list)
		return ADY_E_RLP;
	for (size_t i = 0; i < 6; i++) {
		if (ady_rlp_next(&one, &rest) != ADY_OK || one.list)
			return ADY_E_RLP;
		ady_dyn_str(out, i ? ",\"" : "{\"");
		ady_dyn_str(out, names[i]);
		ady_dyn_str(out, "\":");
		if (i == 1)
			ady_rpc_put_hex(out, one.payload);
		else
			ady_rpc_put_quantity(out, one.payload);
	}
	ady_dyn_str(out, "}");
	return ADY_OK;
}

/* --- the object --- */

static enum ady_err put_value(struct ady_dyn *out, enum form form, const struct ady_rlp_item *item)
{
	bool list = form == ACCESS_LIST || form == HASHES || form == TUPLES;

	if (item->list != list)
		return ADY_E_RLP;
	switch (form) {
	case QUANTITY:
		ady_rpc_put_quantity(out, item->payload);
		return ADY_OK;
	case RECIPIENT:
		if (item->payload.n == 0) {
			ady_dyn_str(out, "null");
			return ADY_OK;
		}
		ady_rpc_put_hex(out, item->payload);
		return ADY_OK;
	case ACCESS_LIST:
		return put_array(out, item->payload, put_access);
	case HASHES:
		return put_array(out, item->payload, put_hash);
	case TUPLES:
		return put_array(out, item->payload, put_tuple);
	case BYTES:
	default:
		ady_rpc_put_hex(out, item->payload);
		return ADY_OK;
	}
}

/* Legacy v says the chain id (EIP-155: v = 2 id + 35 or 36, at most 9 bytes here); of the others v
 * is the parity, which stands there by its own name too. */
static void put_of_v(struct ady_dyn *out, unsigned type, struct ady_bytes v)
{
	unsigned __int128 n = 0;
	uint64_t chain;
	uint8_t be[8];

	if (type > 0) {
		put_name(out, "yParity");
		ady_rpc_put_quantity(out, v);
		return;
	}
	for (size_t i = 0; i < v.n && i < 16; i++)
		n = n << 8 | v.p[i];
	if (n < 35)
		return;
	chain = (uint64_t)((n - 35) / 2);
	for (size_t i = 0; i < sizeof be; i++)
		be[i] = (uint8_t)(chain >> (56 - 8 * i));
	put_name(out, "chainId");
	ady_rpc_put_quantity(out, ady_bytes(be, sizeof be));
}

/* geth writes these with null where the type has none. */
static void put_nulls(struct ady_dyn *out, unsigned type)
{
	ady_dyn_str(out, type < 2 ? ",\"maxPriorityFeePerGas\":null,\"maxFeePerGas\":null"
	                          : ",\"gasPrice\":null");
}

static void put_sidecar(struct ady_dyn *out, const struct ady_sidecar *s,
                        const struct ady_json *doc)
{
	if (s->n == 0)
		return;
	put_name(out, "blobs");
	ady_rpc_put_token(out, doc, s->blobs);
	put_name(out, "commitments");
	ady_rpc_put_token(out, doc, s->commitments);
	put_name(out, "proofs");
	ady_rpc_put_token(out, doc, s->proofs);
}

static enum ady_err put_items(struct ady_dyn *out, unsigned type, struct ady_bytes list)
{
	const struct item *row = lists[type];
	struct ady_rlp_item whole, item;
	enum ady_err err = ady_rlp_next(&whole, &list);

	if (err != ADY_OK || !whole.list || list.n > 0)
		return ADY_E_RLP;
	for (; row->name; row++) {
		if ((err = ady_rlp_next(&item, &whole.payload)) != ADY_OK)
			return err;
		put_name(out, row->name);
		if ((err = put_value(out, row->form, &item)) != ADY_OK)
			return err;
		if (strcmp(row->name, "v") == 0)
			put_of_v(out, type, item.payload);
	}
	return whole.payload.n == 0 ? ADY_OK : ADY_E_RLP;
}

enum ady_err ady_geth_tx_put(struct ady_dyn *out, struct ady_bytes raw,
                             const uint8_t hash32[static 32], const struct ady_sidecar *s,
                             const struct ady_json *doc)
{
	size_t before = out->n;
	unsigned type = 0;

	if (raw.n > 0 && raw.p[0] > 0 && raw.p[0] < TYPES) {
		type = raw.p[0];
		raw = ady_bytes(raw.p + 1, raw.n - 1);
	}
	ady_dyn_printf(out, "{\"type\":\"0x%x\"", type);
	if (put_items(out, type, raw) != ADY_OK) {
		out->n = before;
		return ADY_E_PROTOCOL;
	}
	put_nulls(out, type);
	put_sidecar(out, s, doc);
	put_name(out, "hash");
	ady_rpc_put_hex(out, ady_bytes(hash32, 32));
	ady_dyn_str(out, "}");
	return ADY_OK;
}
