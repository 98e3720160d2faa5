/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/keymanager.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/text.h"
#include "gateway/answer.h"

enum { LONG_MS = 600000 };

/* --- answers --- */

/* The statuses that the API knows. */
static int status_of(const struct ady_fault *f)
{
	int status = ady_err_status(f->err);

	switch (status) {
	case 400:
	case 401:
	case 403:
	case 404:
		return status;
	case 413:
	case 415:
		return 400;
	case 412: /* slashing protection, or a policy */
		return 403;
	default:
		return 500;
	}
}

void ady_keymanager_fail(struct ady_op *op, const struct ady_fault *f)
{
	struct ady_dyn *out = &op->shard->out;

	out->n = 0;
	ady_answer_code(out, status_of(f), f);
	ady_dyn_str(out, "}\n");
	ady_op_answer_with(op, status_of(f), ADY_JSON_TYPE, ady_dyn_bytes(out));
}

void ady_keymanager_put_key(struct ady_dyn *out, const uint8_t public_key[static ADY_STATE_KEY])
{
	ady_dyn_str(out, "\"0x");
	ady_dyn_hex(out, ady_bytes(public_key, ADY_STATE_KEY));
	ady_dyn_str(out, "\"");
}

void ady_keymanager_put_status(struct ady_dyn *out, const char *status, const struct ady_fault *f)
{
	ady_dyn_printf(out, "{\"status\":\"%s\"", status);
	if (f) {
		ady_dyn_str(out, ",\"message\":");
		ady_answer_message(out, f);
	}
	ady_dyn_str(out, "}");
}

/* --- requests --- */

/* Bodies are JSON, or of no stated type; no web page has business here. */
static enum ady_err check_fields(const struct ady_http_request *req, struct ady_fault *f)
{
	struct ady_bytes type = ady_http_field(&req->head, "content-type");

	if (ady_http_field(&req->head, "origin").p)
		return ady_fail(f, ADY_E_DENIED, NULL, "requests of web pages are not served");
	if (type.p && (type.n < 16 || strncasecmp((const char *)type.p, ADY_JSON_TYPE, 16) != 0))
		return ady_fail(f, ADY_E_MEDIA_TYPE, "content-type", "must be application/json");
	return ADY_OK;
}

struct ady_op *ady_keymanager_begin(struct ady_shard *shard, struct ady_http_request *req,
                                    bool is_long)
{
	const struct ady_keymanager *km = shard->gateway->keymanager;
	struct ady_fault f = {0};
	struct ady_op *op;

	if (!km) {
		(void)ady_fail(&f, ADY_E_NOT_FOUND, "path", "there is no such page");
		ady_problem_now(shard, req, ADY_ROUTE_KEYMANAGER, &f, NULL);
		return NULL;
	}
	op = is_long ? ady_op_open_untimed(shard, req, ADY_ROUTE_KEYMANAGER)
	             : ady_op_open(shard, req, ADY_ROUTE_KEYMANAGER);
	if (is_long)
		op->due_ms = ady_mono_ms() + LONG_MS;
	if (ady_keymanager_caller(km, req, &op->caller, &f) == ADY_OK &&
	    check_fields(req, &f) == ADY_OK)
		return op;
	ady_keymanager_fail(op, &f);
	return NULL;
}

bool ady_keymanager_public_key(uint8_t public_key[static ADY_STATE_KEY], struct ady_bytes text)
{
	size_t n;

	return text.n == 2 + 2 * ADY_STATE_KEY && text.p[0] == '0' && text.p[1] == 'x' &&
	       ady_hex_decode(public_key, ADY_STATE_KEY, &n, ady_bytes_sub(text, 2, text.n - 2)) ==
	           ADY_OK;
}

/* Item i of a list: a text, or an object with a member "pubkey". */
static bool read_key(const struct ady_json *doc, uint32_t i, uint8_t *public_key)
{
	if (ady_json_kind(doc, i) == ADY_JSON_OBJECT)
		i = ady_json_get(doc, i, "pubkey");
	return i && ady_json_kind(doc, i) == ADY_JSON_STRING &&
	       ady_keymanager_public_key(public_key, ady_json_raw(doc, i));
}

enum ady_err ady_keymanager_read_keys(struct ady_op *op, const char *name, uint8_t **keys,
                                      size_t *n, struct ady_fault *f)
{
	struct ady_json doc;
	enum ady_err err =
	    ady_json_parse(&doc, op->shard->toks, ADY_SHARD_TOKENS, op->req->body, f);
	uint32_t list;

	*keys = NULL;
	*n = 0;
	if (err != ADY_OK)
		return err;
	list = ady_json_get(&doc, 0, name);
	if (!list || ady_json_kind(&doc, list) != ADY_JSON_ARRAY)
		return ady_fail(f, ADY_E_FIELD_MISSING, name, "must be an array");
	if (doc.toks[list].count > ADY_KEYMANAGER_MAX)
		return ady_fail(f, ADY_E_TOO_LARGE, name, "has more than %d items",
		                ADY_KEYMANAGER_MAX);
	*keys = calloc(doc.toks[list].count + 1, ADY_STATE_KEY);
	if (!*keys)
		ADY_BUG("out of memory");
	for (uint32_t i = ady_json_first(&doc, list); i; i = ady_json_after(&doc, list, i)) {
		if (read_key(&doc, i, *keys + ADY_STATE_KEY * (*n)++))
			continue;
		free(*keys);
		*keys = NULL;
		return ady_fail(f, ADY_E_FIELD_INVALID, name, "has an item that is no public key");
	}
	return ADY_OK;
}

/* --- the keys of this signer --- */

static void on_listed(void *ctx, struct ady_bytes items, const struct ady_fault *f)
{
	struct ady_op *op = ctx;
	struct ady_dyn *out = &op->shard->out;

	op->listing = NULL;
	if (f) {
		ady_keymanager_fail(op, f);
		return;
	}
	out->n = 0;
	ady_dyn_str(out, "{\"data\":[");
	for (size_t at = 0; at < items.n; at += ADY_STATE_KEY) {
		ady_dyn_str(out, at ? ",{\"validating_pubkey\":" : "{\"validating_pubkey\":");
		ady_keymanager_put_key(out, items.p + at);
		ady_dyn_str(out, ",\"readonly\":false}");
	}
	ady_dyn_str(out, "]}\n");
	ady_op_answer(op);
}

void ady_keymanager_list(struct ady_shard *shard, struct ady_http_request *req)
{
	struct ady_op *op = ady_keymanager_begin(shard, req, false);
	struct ady_fault f;

	if (op && ady_listing_validators(op, on_listed, &f) != ADY_OK)
		ady_keymanager_fail(op, &f);
}

/* --- keys of other signers --- */

/* A signer asks no other signer: it has no remote keys, and takes none. */
void ady_keymanager_remote(struct ady_shard *shard, struct ady_http_request *req)
{
	struct ady_op *op = ady_keymanager_begin(shard, req, false);
	bool get, post;
	struct ady_fault f = {0}, why;
	struct ady_dyn *out = &shard->out;
	uint8_t *keys = NULL;
	size_t n = 0;

	if (!op)
		return;
	post = ady_bytes_is(req->head.method, "POST");
	get = !post && !ady_bytes_is(req->head.method, "DELETE");
	if (!get && ady_keymanager_read_keys(op, post ? "remote_keys" : "pubkeys", &keys, &n, &f) !=
	                ADY_OK) {
		ady_keymanager_fail(op, &f);
		return;
	}
	(void)ady_fail(&why, ADY_E_DENIED, NULL,
	               "this is a signer: it holds keys and asks no other signer");
	out->n = 0;
	ady_dyn_str(out, "{\"data\":[");
	for (size_t i = 0; i < n; i++) {
		ady_dyn_str(out, i ? "," : "");
		ady_keymanager_put_status(out, post ? "error" : "not_found", post ? &why : NULL);
	}
	ady_dyn_str(out, "]}\n");
	free(keys);
	ady_op_answer(op);
}
