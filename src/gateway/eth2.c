/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/eth2.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "codec/json_members.h"
#include "gateway/answer.h"
#include "gateway/proofs.h"
#include "gateway/w3s.h"

/* What several keys sign at once is small: the body goes to the enclave once for each. */
enum { BATCH_WIDTH = 256, BATCH_MAX = 4096, BATCH_REQUEST_MAX = 16384 };

#define TEXT_TYPE "text/plain"

/* --- answers --- */

/* Web3Signer's status codes, and 401 and 403. */
static int status_of(const struct ady_fault *f)
{
	switch (ady_err_status(f->err)) {
	case 400:
	case 413:
	case 415:
		return 400;
	case 401:
		return 401;
	case 404:
		return 404;
	case 412:
		return 412;
	case 403:
		return 403;
	default:
		return 500;
	}
}

static void put_fault(struct ady_dyn *out, const struct ady_fault *f)
{
	ady_answer_code(out, status_of(f), f);
	ady_dyn_printf(out, ",\"error\":\"%s\"}", ady_err_code(f->err));
}

static void refuse(struct ady_op *op, const struct ady_fault *f)
{
	struct ady_dyn *out = &op->shard->out;

	out->n = 0;
	put_fault(out, f);
	ady_op_answer_with(op, status_of(f), ADY_JSON_TYPE, ady_dyn_bytes(out));
}

/* Web3Signer's rule here: JSON for who asks for it or for anything (Lodestar sends the second and
 * needs the first), text for all others. */
static bool wants_json(const struct ady_http_request *req)
{
	struct ady_bytes accept = ady_http_field(&req->head, "accept");

	return accept.p && (memmem(accept.p, accept.n, ADY_JSON_TYPE, sizeof ADY_JSON_TYPE - 1) ||
	                    memmem(accept.p, accept.n, "*/*", 3));
}

static void put_hex(struct ady_dyn *out, const uint8_t *p, size_t n)
{
	ady_dyn_str(out, "0x");
	ady_dyn_hex(out, ady_bytes(p, n));
}

/* "0x" before it or not, in either case. */
static bool read_identifier(uint8_t public_key[static ADY_STATE_KEY], struct ady_bytes text)
{
	size_t n;

	if (text.n >= 2 && text.p[0] == '0' && (text.p[1] == 'x' || text.p[1] == 'X'))
		text = ady_bytes_sub(text, 2, text.n - 2);
	return text.n == 2 * ADY_STATE_KEY &&
	       ady_hex_decode(public_key, ADY_STATE_KEY, &n, text) == ADY_OK;
}

/* --- counting --- */

static bool can_be_slashed_for(struct ady_bytes request)
{
	static const char *const types[] = {"\"ATTESTATION\"", "\"BLOCK_V2\"", "\"BLOCK\""};
	struct ady_bytes type;

	if (ady_json_members_get(request, "type", &type) != ADY_OK)
		return false;
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (type.n == strlen(types[i]) &&
		    strncasecmp((const char *)type.p, types[i], type.n) == 0)
			return true;
	return false;
}

void ady_eth2_count(struct ady_shard *shard, struct ady_bytes request, int status,
                    int64_t arrived_us, const struct ady_fault *f)
{
	ady_w3s_count(&shard->metrics, ADY_W3S_BLS, status, arrived_us);
	if (f && f->err == ADY_E_SLASHING)
		ady_w3s_count_slashing(&shard->metrics, false);
	else if (!f && can_be_slashed_for(request))
		ady_w3s_count_slashing(&shard->metrics, true);
}

/* --- one duty --- */

static void on_signed(void *ctx, struct ady_bytes answer, const struct ady_fault *f)
{
	struct ady_op *op = ctx;
	struct ady_dyn *out = &op->shard->out;
	bool json = op->wants_json;

	op->validating = NULL;
	ady_eth2_count(op->shard, op->req->body, f ? status_of(f) : 200, op->req->arrived_us, f);
	if (f) {
		refuse(op, f);
		return;
	}
	out->n = 0;
	if (json)
		ady_dyn_str(out, "{\"signature\":\"");
	put_hex(out, answer.p, answer.n);
	if (json)
		ady_dyn_str(out, "\"}");
	ady_op_answer_with(op, 200, json ? ADY_JSON_TYPE : TEXT_TYPE, ady_dyn_bytes(out));
}

static struct ady_op *open_op(struct ady_shard *shard, struct ady_http_request *req,
                              enum ady_route route)
{
	struct ady_op *op;

	op = ady_op_begin(shard, req, route);
	if (!op)
		return NULL;
	op->wants_json = wants_json(req);
	return op;
}

void ady_eth2_sign(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id)
{
	struct ady_op *op = open_op(shard, req, ADY_ROUTE_ETH2_SIGN);
	struct ady_validating_ask ask = {.request = req->body, .done = on_signed, .ctx = op};
	struct ady_fault f = {0};

	if (!op)
		return;
	ask.caller = op->caller;
	ask.due_ms = op->due_ms;
	ask.stamp = ady_http_field(&req->head, ADY_STAMP_FIELD);
	if (!read_identifier(ask.public_key, id))
		(void)ady_fail(&f, ADY_E_NOT_FOUND, "identifier", "is no public key");
	else if (ady_validating_start(&op->validating, shard, &ask, &f) == ADY_OK)
		return;
	ady_eth2_count(shard, req->body, status_of(&f), req->arrived_us, &f);
	refuse(op, &f);
}

/* --- a batch: remote-signing-api, pull request 29 --- */

/* What many keys may be asked for at once there. */
static bool may_be_many(const struct ady_json *doc, uint32_t request)
{
	static const char *const types[] = {"AGGREGATION_SLOT", "ATTESTATION", "RANDAO_REVEAL",
	                                    "SYNC_COMMITTEE_MESSAGE",
	                                    "SYNC_COMMITTEE_SELECTION_PROOF"};
	uint32_t i = ady_json_get(doc, request, "type");
	char name[48];
	size_t n;

	if (!i || ady_json_string(doc, i, name, sizeof name, &n) != ADY_OK)
		return false;
	for (size_t k = 0; k < sizeof types / sizeof *types; k++)
		if (strcasecmp(types[k], name) == 0)
			return true;
	return false;
}

/* Into the object that was written last; the request is what the client has sent. */
static void put_proof(struct ady_dyn *out, const struct ady_dyn *proof)
{
	struct ady_dyn list = {0};

	if (proof->n == 0)
		return;
	ady_proofs_add(&list, ady_dyn_bytes(proof), ady_bytes(NULL, 0));
	ady_proofs_put(out, ady_dyn_bytes(&list));
	ady_dyn_free(&list);
}

static void on_batch(struct ady_duties *d)
{
	struct ady_op *op = d->ctx;
	struct ady_dyn *out = &op->shard->out;

	out->n = 0;
	ady_dyn_str(out, "[");
	for (size_t i = 0; i < d->n; i++) {
		const struct ady_duties_item *item = &d->items[i];
		bool ok = item->fault.err == ADY_OK;

		ady_eth2_count(op->shard, item->ask.request, ok ? 200 : status_of(&item->fault),
		               op->req->arrived_us, ok ? NULL : &item->fault);
		ady_dyn_str(out, i ? ",{\"identifier\":\"" : "{\"identifier\":\"");
		put_hex(out, item->ask.public_key, ADY_STATE_KEY);
		if (ok) {
			ady_dyn_str(out, "\",\"signature\":\"");
			put_hex(out, item->answer, item->answer_n);
			ady_dyn_str(out, "\"}");
		} else {
			ady_dyn_str(out, "\",\"error\":");
			put_fault(out, &item->fault);
			ady_dyn_str(out, "}");
		}
		put_proof(out, &item->proof);
	}
	ady_dyn_str(out, "]");
	ady_op_answer_with(op, 200, ADY_JSON_TYPE, ady_dyn_bytes(out));
}

static enum ady_err read_batch(struct ady_op *op, struct ady_duties **duties, struct ady_fault *f)
{
	struct ady_shard *shard = op->shard;
	struct ady_json doc;
	uint32_t ids, request, count, n = 0;
	enum ady_err err;

	err = ady_json_parse(&doc, shard->toks, ADY_SHARD_TOKENS, op->req->body, f);
	if (err != ADY_OK)
		return err;
	ids = ady_json_get(&doc, 0, "identifiers");
	request = ady_json_get(&doc, 0, "signing_request");
	if (!ids || ady_json_kind(&doc, ids) != ADY_JSON_ARRAY)
		return ady_fail(f, ADY_E_FIELD_MISSING, "identifiers", "must be an array");
	if (!request || !may_be_many(&doc, request))
		return ady_fail(f, ADY_E_FIELD_INVALID, "signing_request.type",
		                "is not one that several keys sign at once");
	if (ady_json_raw(&doc, request).n > BATCH_REQUEST_MAX)
		return ady_fail(f, ADY_E_TOO_LARGE, "signing_request", "exceeds 16384 bytes");
	count = doc.toks[ids].count;
	if (count < 1 || count > BATCH_MAX)
		return ady_fail(f, ADY_E_FIELD_RANGE, "identifiers", "must be 1 to 4096");
	*duties = ady_duties_new(shard, count);
	for (uint32_t i = ady_json_first(&doc, ids); i; i = ady_json_after(&doc, ids, i)) {
		struct ady_validating_ask *ask = &(*duties)->items[n++].ask;

		ask->caller = op->caller;
		ask->due_ms = op->due_ms;
		ask->request = ady_json_raw(&doc, request);
		if (!read_identifier(ask->public_key, ady_json_raw(&doc, i)))
			return ady_fail(f, ADY_E_FIELD_INVALID, "identifiers",
			                "has an item that is no public key");
	}
	return ADY_OK;
}

void ady_eth2_sign_many(struct ady_shard *shard, struct ady_http_request *req)
{
	struct ady_op *op = open_op(shard, req, ADY_ROUTE_ETH2_SIGN);
	struct ady_fault f = {0};

	if (!op)
		return;
	if (read_batch(op, &op->duties, &f) != ADY_OK) {
		refuse(op, &f);
		return;
	}
	op->duties->ctx = op;
	op->duties->proofs = op->wants_proofs;
	op->duties->done = on_batch;
	ady_duties_start(op->duties, BATCH_WIDTH);
}

/* --- public keys --- */

static void on_listed(void *ctx, struct ady_bytes items, const struct ady_fault *f)
{
	struct ady_op *op = ctx;
	struct ady_dyn *out = &op->shard->out;

	op->listing = NULL;
	if (f) {
		refuse(op, f);
		return;
	}
	out->n = 0;
	ady_dyn_str(out, "[");
	for (size_t at = 0; at < items.n; at += ADY_STATE_KEY) {
		ady_dyn_str(out, at ? ",\"" : "\"");
		put_hex(out, items.p + at, ADY_STATE_KEY);
		ady_dyn_str(out, "\"");
	}
	ady_dyn_str(out, "]");
	ady_op_answer_with(op, 200, ADY_JSON_TYPE, ady_dyn_bytes(out));
}

void ady_eth2_public_keys(struct ady_shard *shard, struct ady_http_request *req)
{
	struct ady_op *op = open_op(shard, req, ADY_ROUTE_ETH2_KEYS);
	struct ady_fault f;

	if (op && ady_listing_validators(op, on_listed, &f) != ADY_OK)
		refuse(op, &f);
}

void ady_eth2_high_watermark(struct ady_shard *shard, struct ady_http_request *req)
{
	struct ady_op *op = open_op(shard, req, ADY_ROUTE_ETH2_KEYS);

	const struct ady_config_validators *v = &shard->gateway->config->validators;
	char text[96] = "{}";

	if (!op)
		return;
	if (v->has_high)
		snprintf(text, sizeof text, "{\"epoch\":\"%llu\",\"slot\":\"%llu\"}",
		         (unsigned long long)v->until_epoch, (unsigned long long)v->until_slot);
	ady_op_answer_with(op, 200, ADY_JSON_TYPE, ady_bytes_str(text));
}

void ady_eth2_drop(struct ady_op *op)
{
	ady_validating_drop(op->validating);
	ady_duties_free(op->duties);
	if (op->exporting)
		*op->exporting = NULL;
}
