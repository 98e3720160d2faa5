/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/rpc_safe.h"

#include <stdio.h>
#include <string.h>

#include "chain/eth_message.h"
#include "chain/eth_tx.h"
#include "gateway/rpc_params.h"
#include "gateway/shard.h"

/* The members of SafeTx in the order of its type; of all, data alone may be absent. */
static const struct {
	const char *name, *type;
} fields[] = {
    {"to", "address"},       {"value", "uint256"},     {"data", "bytes"},
    {"operation", "uint8"},  {"safeTxGas", "uint256"}, {"baseGas", "uint256"},
    {"gasPrice", "uint256"}, {"gasToken", "address"},  {"refundReceiver", "address"},
    {"nonce", "uint256"},
};

enum { FIELDS = sizeof fields / sizeof *fields };

static uint32_t member(const struct ady_json *doc, uint32_t i, const char *name)
{
	uint32_t value = ady_json_get(doc, i, name);

	return value && ady_json_kind(doc, value) != ADY_JSON_NULL ? value : 0;
}

static enum ady_err missing(struct ady_fault *f, const char *name)
{
	char where[48];

	snprintf(where, sizeof where, "safeTx.%s", name);
	return ady_fail(f, ADY_E_FIELD_MISSING, where, "is required");
}

static void put_domain(struct ady_dyn *out, const struct ady_json *doc, uint32_t safe,
                       uint32_t chain)
{
	ady_dyn_str(out, "],\"EIP712Domain\":[");
	if (chain)
		ady_dyn_str(out, "{\"name\":\"chainId\",\"type\":\"uint256\"},");
	ady_dyn_str(out, "{\"name\":\"verifyingContract\",\"type\":\"address\"}]},"
	                 "\"primaryType\":\"SafeTx\",\"domain\":{\"verifyingContract\":");
	ady_rpc_put_token(out, doc, safe);
	if (chain) {
		ady_dyn_str(out, ",\"chainId\":");
		ady_rpc_put_token(out, doc, chain);
	}
}

static enum ady_err put_document(const struct ady_json *doc, uint32_t i, struct ady_dyn *out,
                                 struct ady_fault *f)
{
	uint32_t safe = member(doc, i, "safe");

	if (!safe)
		return missing(f, "safe");
	ady_dyn_str(out, "{\"types\":{\"SafeTx\":[");
	for (size_t k = 0; k < FIELDS; k++) {
		ady_dyn_str(out, k ? ",{\"name\":\"" : "{\"name\":\"");
		ady_dyn_str(out, fields[k].name);
		ady_dyn_str(out, "\",\"type\":\"");
		ady_dyn_str(out, fields[k].type);
		ady_dyn_str(out, "\"}");
	}
	put_domain(out, doc, safe, member(doc, i, "chainId"));
	ady_dyn_str(out, "},\"message\":{");
	for (size_t k = 0; k < FIELDS; k++) {
		uint32_t value = member(doc, i, fields[k].name);

		if (!value && strcmp(fields[k].name, "data") != 0)
			return missing(f, fields[k].name);
		ady_dyn_str(out, k ? ",\"" : "\"");
		ady_dyn_str(out, fields[k].name);
		ady_dyn_str(out, "\":");
		if (value)
			ady_rpc_put_token(out, doc, value);
		else
			ady_dyn_str(out, "\"0x\"");
	}
	ady_dyn_str(out, "}}");
	return ADY_OK;
}

/* The document's own hash, made as the enclave makes it. */
static enum ady_err hash_of(uint8_t digest[static 32], struct ady_shard *shard,
                            struct ady_bytes document, struct ady_fault *f)
{
	struct ady_dyn space = {0};
	struct ady_buf scratch;
	struct ady_json doc;
	struct ady_eth_reader r = {.doc = &doc, .at = "safeTx", .scratch = &scratch, .f = f};
	enum ady_err err = ady_json_parse(&doc, shard->toks, ADY_SHARD_TOKENS, document, f);

	if (err != ADY_OK)
		return err;
	scratch = ady_buf(ady_dyn_room(&space, document.n), document.n);
	err = ady_eip712_digest(digest, &r, 0, ADY_EIP712_V4, ADY_EIP712_REFUSE);
	ady_dyn_free(&space);
	return err;
}

/* Whoever made the transaction says which hash it has: a Safe that hashes otherwise is found now.
 */
static enum ady_err check_hash(const struct ady_rpc_call *call, uint32_t i,
                               struct ady_bytes document, struct ady_fault *f)
{
	static const char where[] = "safeTx.safeTxHash";
	struct ady_eth_reader r = {.doc = call->doc, .at = "safeTx", .f = f};
	uint32_t expected = member(call->doc, i, "safeTxHash");
	uint8_t want[32], got[32];
	enum ady_err err;

	if (!expected)
		return missing(f, "safeTxHash");
	if ((err = ady_eth_read_fixed(&r, want, sizeof want, expected, "safeTxHash",
	                              "must be \"0x\" and 64 hex digits")) != ADY_OK ||
	    (err = hash_of(got, call->shard, document, f)) != ADY_OK)
		return err;
	if (memcmp(want, got, sizeof want) == 0)
		return ADY_OK;
	return ady_fail(f, ADY_E_FIELD_INVALID, where, "is not the hash of the other members%s",
	                member(call->doc, i, "chainId") ? "" : " (chainId is not there)");
}

enum ady_err ady_safe_body(const struct ady_rpc_call *call, size_t n, struct ady_dyn *body,
                           struct ady_fault *f)
{
	uint32_t i = ady_rpc_param(call, n);
	struct ady_dyn document = {0};
	enum ady_err err;

	if (!i || ady_json_kind(call->doc, i) != ADY_JSON_OBJECT)
		return ady_rpc_refuse(f, i ? ADY_E_FIELD_INVALID : ADY_E_FIELD_MISSING, n,
		                      "must be a Safe's transaction");
	err = put_document(call->doc, i, &document, f);
	if (err == ADY_OK)
		err = check_hash(call, i, ady_dyn_bytes(&document), f);
	if (err == ADY_OK) {
		ady_dyn_str(body, "{\"typed_data\":");
		ady_dyn_put(body, document.p, document.n);
		ady_dyn_str(body, "}");
	}
	ady_dyn_free(&document);
	return err;
}

static bool is_output(const struct ady_json *doc, uint32_t key)
{
	return ady_json_is(doc, key, "signature") || ady_json_is(doc, key, "sender") ||
	       ady_json_is(doc, key, "contractTransactionHash");
}

void ady_safe_put(struct ady_rpc_call *call, struct ady_dyn *out, const struct ady_wire_signed *m)
{
	const struct ady_json *doc = call->doc;
	uint32_t i = ady_rpc_param(call, 1);
	char sender[43];

	ady_eth_address_format(sender, m->from.p);
	ady_dyn_str(out, "{\"signature\":");
	ady_rpc_put_serialized(out, m);
	ady_dyn_str(out, ",\"contractTransactionHash\":");
	ady_rpc_put_hex(out, m->hash);
	ady_dyn_printf(out, ",\"sender\":\"%s\"", sender);
	for (uint32_t k = ady_json_first(doc, i); k; k = ady_json_after(doc, i, k)) {
		if (is_output(doc, k))
			continue;
		ady_dyn_str(out, ",");
		ady_rpc_put_token(out, doc, k);
		ady_dyn_str(out, ":");
		ady_rpc_put_token(out, doc, k + 1);
	}
	ady_dyn_str(out, "}");
}
