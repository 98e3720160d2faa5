/* SPDX-License-Identifier: Apache-2.0
 *
 * Web3Signer's eth1 interface. Its sign endpoint hashes any bytes without a prefix, so that a raw
 * transaction could be signed through it unseen; here the enclave gets the bytes, signs for keys
 * whose record allows digests only, and refuses what has a transaction's form even then. */
#include <string.h>

#include "base/text.h"
#include "gateway/answer.h"
#include "gateway/op.h"
#include "gateway/rpc_params.h"

enum { PUBLIC_KEY = 33 };

/* --- sign --- */

static void on_signed(void *ctx, const struct ady_wire_signed *m, const struct ady_fault *f)
{
	struct ady_op *op = ctx;
	struct ady_dyn *out = &op->shard->out;
	struct ady_bytes quoted;

	op->signing = NULL;
	if (f) {
		ady_op_fail(op, f);
		return;
	}
	out->n = 0;
	if (op->wants_json) {
		ady_dyn_str(out, "{\"signature\":");
		ady_rpc_put_serialized(out, m);
		ady_dyn_str(out, "}\n");
		ady_op_answer(op);
		return;
	}
	ady_rpc_put_serialized(out, m);
	quoted = ady_dyn_bytes(out);
	ady_op_answer_with(op, 200, "text/plain", ady_bytes(quoted.p + 1, quoted.n - 2));
}

/* The public key without its 0x04, "0x" optional, as records have it. */
static bool read_id(uint8_t pub33[static PUBLIC_KEY], struct ady_bytes id)
{
	uint8_t pub65[65] = {4};
	size_t n;

	if (id.n == 130 && id.p[0] == '0' && id.p[1] == 'x')
		id = ady_bytes(id.p + 2, id.n - 2);
	if (id.n != 128 || ady_hex_decode(pub65 + 1, 64, &n, id) != ADY_OK)
		return false;
	ady_secp_compress(pub33, pub65);
	return true;
}

static enum ady_err find_members(const struct ady_json *doc, uint32_t *data, bool *hash,
                                 struct ady_fault *f)
{
	*data = 0;
	*hash = true;
	if (ady_json_kind(doc, 0) != ADY_JSON_OBJECT)
		return ady_fail(f, ADY_E_FIELD_INVALID, NULL, "the body must be a JSON object");
	for (uint32_t k = ady_json_first(doc, 0); k; k = ady_json_after(doc, 0, k)) {
		enum ady_json_kind kind = ady_json_kind(doc, k + 1);

		if (ady_json_is(doc, k, "data")) {
			*data = k + 1;
		} else if (!ady_json_is(doc, k, "applyHash")) {
			return ady_fail(f, ADY_E_FIELD_UNKNOWN, NULL,
			                "only data and applyHash are known");
		} else if (kind == ADY_JSON_TRUE || kind == ADY_JSON_FALSE) {
			*hash = kind == ADY_JSON_TRUE;
		} else {
			return ady_fail(f, ADY_E_FIELD_INVALID, "applyHash",
			                "must be true or false");
		}
	}
	return *data ? ADY_OK : ady_fail(f, ADY_E_FIELD_MISSING, "data", "is required");
}

/* {"data", "applyHash"} to {"data"} or {"digest"} of the native request. */
static enum ady_err make_body(struct ady_op *op, struct ady_fault *f)
{
	struct ady_json doc;
	uint32_t data;
	bool hash;
	enum ady_err err;

	if ((err = ady_json_parse(&doc, op->shard->toks, ADY_SHARD_TOKENS, op->req->body, f)) !=
	        ADY_OK ||
	    (err = find_members(&doc, &data, &hash, f)) != ADY_OK)
		return err;
	ady_dyn_str(&op->body, hash ? "{\"data\":" : "{\"digest\":");
	ady_rpc_put_token(&op->body, &doc, data);
	ady_dyn_str(&op->body, "}");
	return ADY_OK;
}

void ady_eth1_sign(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id)
{
	uint8_t pub33[PUBLIC_KEY];
	struct ady_signing_ask ask = {.form = ADY_FORM_NATIVE,
	                              .by = ADY_KEY_BY_PUBLIC_KEY,
	                              .key = ady_bytes(pub33, sizeof pub33),
	                              .done = on_signed};
	struct ady_op *op;
	struct ady_fault f;

	op = ady_op_begin(shard, req, ADY_ROUTE_ETH1_SIGN);
	if (!op)
		return;
	ask.caller = op->caller;
	op->wants_json = ady_wants_json(req);
	if (!read_id(pub33, id)) {
		ady_op_refuse(op, ADY_E_FIELD_INVALID, "id", "is no public key of 64 bytes in hex");
		return;
	}
	if (make_body(op, &f) != ADY_OK) {
		ady_op_fail(op, &f);
		return;
	}
	op->made = true;
	ask.request = ady_dyn_bytes(&op->body);
	ask.due_ms = op->due_ms;
	ask.ctx = op;
	if (ady_signing_start(&op->signing, shard, &ask, &f) != ADY_OK)
		ady_op_fail(op, &f);
}

/* --- public keys --- */

static void on_listed(void *ctx, struct ady_bytes items, const struct ady_fault *f)
{
	struct ady_op *op = ctx;
	struct ady_dyn *out = &op->shard->out;
	const char *before = "[";
	uint8_t pub65[65];

	op->listing = NULL;
	if (f) {
		ady_op_fail(op, f);
		return;
	}
	out->n = 0;
	for (size_t at = 0; at < items.n; at += PUBLIC_KEY) {
		if (ady_secp_expand(pub65, items.p + at) != ADY_OK)
			continue; /* a record that no enclave has made */
		ady_dyn_str(out, before);
		ady_rpc_put_hex(out, ady_bytes(pub65 + 1, 64));
		before = ",";
	}
	ady_dyn_str(out, out->n ? "]\n" : "[]\n");
	ady_op_answer(op);
}

void ady_eth1_public_keys(struct ady_shard *shard, struct ady_http_request *req)
{
	struct ady_listing_ask ask = {.what = ADY_LIST_PUBLIC_KEYS,
	                              .curve = "secp256k1",
	                              .width = PUBLIC_KEY,
	                              .done = on_listed};
	struct ady_op *op;
	struct ady_fault f;

	op = ady_op_begin(shard, req, ADY_ROUTE_ETH1_KEYS);
	if (!op)
		return;
	ask.caller = op->caller;
	ask.ctx = op;
	if (ady_listing_start(&op->listing, shard, &ask, &f) != ADY_OK)
		ady_op_fail(op, &f);
}
