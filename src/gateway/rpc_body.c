/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/rpc_body.h"

#include <string.h>

#include "chain/eth_read.h"
#include "gateway/rpc_params.h"
#include "gateway/shard.h"

enum ady_err ady_body_message(const struct ady_rpc_call *call, size_t n, bool text_too,
                              struct ady_dyn *body, struct ady_fault *f)
{
	uint32_t i = ady_rpc_param(call, n);
	struct ady_bytes text = {0};
	enum ady_err err;

	if (i && ady_json_kind(call->doc, i) == ADY_JSON_STRING)
		text = ady_json_raw(call->doc, i);
	if (text_too && i && text.p && !(text.n >= 2 && memcmp(text.p, "0x", 2) == 0)) {
		ady_dyn_str(body, "{\"message\":{\"text\":");
	} else {
		if ((err = ady_rpc_hex(call, n, &text, f)) != ADY_OK)
			return err;
		ady_dyn_str(body, "{\"message\":{\"hex\":");
	}
	ady_rpc_put_token(body, call->doc, i);
	ady_dyn_str(body, "}}");
	return ADY_OK;
}

/* --- typed data --- */

static void put_typed(struct ady_dyn *body, struct ady_bytes document, const char *rest)
{
	ady_dyn_str(body, "{\"typed_data\":");
	ady_dyn_put(body, document.p, document.n);
	ady_dyn_printf(body, ",%s}", rest);
}

/* The text must be one object by itself, so that nothing in it stands beside it in the request. */
enum ady_err ady_body_typed_text(const struct ady_rpc_call *call, size_t n, struct ady_bytes text,
                                 const char *rest, struct ady_dyn *body, struct ady_fault *f)
{
	struct ady_json doc;
	struct ady_fault why = {0};

	if (ady_json_parse(&doc, call->shard->toks, ADY_SHARD_TOKENS, text, &why) != ADY_OK)
		return ady_rpc_refuse(f, why.err, n, why.detail);
	if (ady_json_kind(&doc, 0) != ADY_JSON_OBJECT)
		return ady_rpc_refuse(f, ADY_E_FIELD_INVALID, n,
		                      "must be typed data of EIP-712 (V1's lists are not signed)");
	put_typed(body, text, rest);
	return ADY_OK;
}

enum ady_err ady_body_typed_data(const struct ady_rpc_call *call, size_t n, const char *rest,
                                 struct ady_dyn *body, struct ady_fault *f)
{
	uint32_t i = ady_rpc_param(call, n);
	struct ady_dyn text = {0};
	enum ady_err err;
	char *to;

	if (!i)
		return ady_rpc_refuse(f, ADY_E_FIELD_MISSING, n, "is required");
	if (ady_json_kind(call->doc, i) == ADY_JSON_OBJECT) {
		put_typed(body, ady_json_raw(call->doc, i), rest);
		return ADY_OK;
	}
	if (ady_json_kind(call->doc, i) != ADY_JSON_STRING)
		return ady_rpc_refuse(f, ADY_E_FIELD_INVALID, n,
		                      "must be typed data of EIP-712, an object or its JSON as a "
		                      "string (V1's lists are not signed)");
	to = (char *)ady_dyn_room(&text, ady_json_raw(call->doc, i).n + 1);
	err = ady_json_string(call->doc, i, to, ady_json_raw(call->doc, i).n + 1, &text.n);
	if (err == ADY_OK)
		err = ady_body_typed_text(call, n, ady_dyn_bytes(&text), rest, body, f);
	ady_dyn_free(&text);
	return err;
}

/* --- authorizations --- */

static enum ady_err read_tuple(const struct ady_eth_reader *r, uint32_t i,
                               struct ady_authorization *a, bool *has_from)
{
	uint32_t chain = 0, address = 0, nonce = 0, from = 0;
	enum ady_err err;

	for (uint32_t k = ady_json_first(r->doc, i); k; k = ady_json_after(r->doc, i, k)) {
		if (ady_json_is(r->doc, k, "chainId"))
			chain = k + 1;
		else if (ady_json_is(r->doc, k, "nonce"))
			nonce = k + 1;
		else if (ady_json_is(r->doc, k, "from"))
			from = k + 1;
		else if (!address && (ady_json_is(r->doc, k, "address") ||
		                      ady_json_is(r->doc, k, "contractAddress")))
			address = k + 1;
		else
			return ady_eth_refuse_unknown(r, k);
	}
	*has_from = from != 0;
	if (!chain || !address || !nonce)
		return ady_eth_refuse(r, ADY_E_FIELD_MISSING,
		                      !chain     ? "chainId"
		                      : !address ? "address"
		                                 : "nonce",
		                      "is required");
	if ((err = ady_eth_read_u256(r, &a->chain_id, chain, "chainId")) != ADY_OK ||
	    (err = ady_eth_read_address(r, a->address, address, "address")) != ADY_OK ||
	    (err = ady_eth_read_u256(r, &a->nonce, nonce, "nonce")) != ADY_OK)
		return err;
	return from ? ady_eth_read_address(r, a->from, from, "from") : ADY_OK;
}

enum ady_err ady_body_authorization_find(const struct ady_rpc_call *call,
                                         struct ady_authorization *a, struct ady_fault *f)
{
	size_t at = ady_rpc_params_n(call) > 1 ? 1 : 0;
	uint32_t i = ady_rpc_param(call, at);
	struct ady_eth_reader r = {.doc = call->doc, .at = "authorization", .f = f};
	bool has_from = false;
	enum ady_err err;

	memset(a, 0, sizeof *a);
	if (!i || ady_json_kind(call->doc, i) != ADY_JSON_OBJECT)
		return ady_rpc_refuse(f, i ? ADY_E_FIELD_INVALID : ADY_E_FIELD_MISSING, at,
		                      "must be an authorization object");
	if ((err = read_tuple(&r, i, a, &has_from)) != ADY_OK)
		return err;
	if (at == 1)
		return has_from ? ady_eth_refuse(&r, ADY_E_FIELD_INVALID, "from", "is given twice")
		                : ady_rpc_address(call, 0, a->from, f);
	return has_from ? ADY_OK
	                : ady_eth_refuse(&r, ADY_E_FIELD_MISSING, "from",
	                                 "is required: it says which key");
}

void ady_body_authorization(const struct ady_authorization *a, struct ady_dyn *body)
{
	ady_dyn_str(body, "{\"authorization\":{\"chainId\":");
	ady_rpc_put_quantity(body, ady_bytes(a->chain_id.be, sizeof a->chain_id.be));
	ady_dyn_str(body, ",\"address\":");
	ady_rpc_put_hex(body, ady_bytes(a->address, sizeof a->address));
	ady_dyn_str(body, ",\"nonce\":");
	ady_rpc_put_quantity(body, ady_bytes(a->nonce.be, sizeof a->nonce.be));
	ady_dyn_str(body, "}}");
}
