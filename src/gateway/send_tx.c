/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/send_tx.h"

#include "chain/eth_read.h"
#include "gateway/rpc_params.h"

static const char *const names[ADY_SEND_FIELDS] = {
    [ADY_SEND_CHAIN] = "chainId",
    [ADY_SEND_NONCE] = "nonce",
    [ADY_SEND_GAS] = "gas",
    [ADY_SEND_GAS_PRICE] = "gasPrice",
    [ADY_SEND_FEE] = "maxFeePerGas",
    [ADY_SEND_TIP] = "maxPriorityFeePerGas",
    [ADY_SEND_BLOB_FEE] = "maxFeePerBlobGas",
};

/* The value of a member that is there and not null, or 0. */
static uint32_t member(const struct ady_send_tx *tx, const char *name)
{
	uint32_t i = ady_json_get(tx->doc, tx->at, name);

	return i && ady_json_kind(tx->doc, i) != ADY_JSON_NULL ? i : 0;
}

static void see_payment(struct ady_send_tx *tx, uint32_t type_i, uint64_t type)
{
	tx->blobs =
	    member(tx, "blobVersionedHashes") || member(tx, "blobs") || (type_i && type == 3);
	if (type_i ? type >= 2
	           : tx->given[ADY_SEND_FEE] || tx->given[ADY_SEND_TIP] || tx->blobs ||
	                 member(tx, "authorizationList"))
		tx->pays = ADY_PAYS_FEE;
	else if (type_i || tx->given[ADY_SEND_GAS_PRICE])
		tx->pays = ADY_PAYS_PRICE;
}

enum ady_err ady_send_tx_read(struct ady_send_tx *tx, const struct ady_rpc_call *call,
                              uint64_t *chain, struct ady_fault *f)
{
	struct ady_eth_reader r = {.doc = call->doc, .at = "transaction", .f = f};
	uint64_t type = 0;
	uint32_t i;
	enum ady_err err = ADY_OK;

	*tx = (struct ady_send_tx){.doc = call->doc, .at = ady_rpc_param(call, 0)};
	*chain = 0;
	if (!tx->at || ady_json_kind(tx->doc, tx->at) != ADY_JSON_OBJECT)
		return ady_rpc_refuse(f, tx->at ? ADY_E_FIELD_INVALID : ADY_E_FIELD_MISSING, 0,
		                      "must be a transaction object");
	for (size_t n = 0; n < ADY_SEND_FIELDS; n++)
		tx->given[n] = member(tx, names[n]) != 0;
	tx->given[ADY_SEND_GAS] = tx->given[ADY_SEND_GAS] || member(tx, "gasLimit");
	if ((i = member(tx, "chainId")))
		err = ady_eth_read_u64(&r, chain, UINT64_MAX, i, "chainId");
	i = member(tx, "type");
	if (err == ADY_OK && i)
		err = ady_eth_read_u64(&r, &type, UINT8_MAX, i, "type");
	see_payment(tx, i, type);
	return err;
}

bool ady_send_tx_has(const struct ady_send_tx *tx, enum ady_send_field field)
{
	return tx->given[field] || tx->filled[field];
}

void ady_send_tx_fill(struct ady_send_tx *tx, enum ady_send_field field, uint64_t value)
{
	tx->filled[field] = true;
	tx->value[field] = value;
}

static bool is_one_of(const struct ady_json *doc, uint32_t key, const char *const *list)
{
	for (; *list; list++)
		if (ady_json_is(doc, key, *list))
			return true;
	return false;
}

/* The members that are not null, but for those that are in without. */
static void put_members(struct ady_dyn *out, const struct ady_send_tx *tx,
                        const char *const *without)
{
	const char *before = "";

	for (uint32_t k = ady_json_first(tx->doc, tx->at); k;
	     k = ady_json_after(tx->doc, tx->at, k)) {
		if (ady_json_kind(tx->doc, k + 1) == ADY_JSON_NULL ||
		    is_one_of(tx->doc, k, without))
			continue;
		ady_dyn_str(out, before);
		ady_rpc_put_token(out, tx->doc, k);
		ady_dyn_str(out, ":");
		ady_rpc_put_token(out, tx->doc, k + 1);
		before = ",";
	}
}

void ady_send_tx_put(struct ady_dyn *out, const struct ady_send_tx *tx)
{
	static const char *const none[] = {NULL};
	size_t begin;

	ady_dyn_str(out, "{");
	begin = out->n;
	put_members(out, tx, none);
	for (size_t n = 0; n < ADY_SEND_FIELDS; n++)
		if (tx->filled[n])
			ady_dyn_printf(out, "%s\"%s\":\"0x%llx\"", out->n > begin ? "," : "",
			               names[n], (unsigned long long)tx->value[n]);
	ady_dyn_str(out, "}");
}

void ady_send_tx_put_call(struct ady_dyn *out, const struct ady_send_tx *tx)
{
	static const char *const without[] = {"gas",    "gasLimit",    "nonce",
	                                      "type",   "blobs",       "commitments",
	                                      "proofs", "blobVersion", NULL};

	ady_dyn_str(out, "{");
	put_members(out, tx, without);
	ady_dyn_str(out, "}");
}
