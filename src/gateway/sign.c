/* SPDX-License-Identifier: Apache-2.0
 *
 * The two requests of our own that sign: the native one, and the AWS sample's. What the gateway
 * reads of them is where the key's record is, and no more. */
#include <string.h>

#include "gateway/answer.h"
#include "gateway/op.h"

static enum ady_wire_form form_of(const struct ady_op *op)
{
	return op->route == ADY_ROUTE_SAMPLE ? ADY_FORM_SAMPLE : ADY_FORM_NATIVE;
}

static void on_signed(void *ctx, const struct ady_wire_signed *m, const struct ady_fault *f)
{
	struct ady_op *op = ctx;

	op->signing = NULL;
	if (f) {
		ady_op_fail(op, f);
		return;
	}
	if (form_of(op) == ADY_FORM_SAMPLE && m->raw.n == 0) {
		ady_op_refuse(op, ADY_E_PROTOCOL, NULL, "the answer of the enclave is malformed");
		return;
	}
	op->shard->out.n = 0;
	ady_answer_signed(&op->shard->out, form_of(op), m);
	ady_op_answer(op);
}

/* What names and ARNs of secrets are made of (Secrets Manager API reference, CreateSecret). */
static bool is_secret_id(struct ady_bytes id)
{
	if (id.n == 0)
		return false;
	for (size_t i = 0; i < id.n; i++) {
		char c = (char)id.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    (c == '\0' || !strchr("/_+=.@:-", c)))
			return false;
	}
	return true;
}

static void start(struct ady_op *op, struct ady_bytes key, const char *where)
{
	const struct ady_signing_ask ask = {.form = form_of(op),
	                                    .caller = op->caller,
	                                    .key = key,
	                                    .request = op->req->body,
	                                    .stamp =
	                                        ady_http_field(&op->req->head, ADY_STAMP_FIELD),
	                                    .due_ms = op->due_ms,
	                                    .done = on_signed,
	                                    .ctx = op};
	struct ady_fault f;

	if (!is_secret_id(key))
		ady_op_refuse(op, ADY_E_FIELD_INVALID, where, "is no name or ARN of a secret");
	else if (ady_signing_start(&op->signing, op->shard, &ask, &f) != ADY_OK)
		ady_op_fail(op, &f);
}

/* A web page may send JSON to a gateway on loopback only after a preflight request, which is not
 * answered; but old browsers and odd types slip through, and no page has business here. */
bool ady_op_from_client(struct ady_shard *shard, struct ady_http_request *req, enum ady_route route,
                        struct ady_caller *caller)
{
	struct ady_bytes type = ady_http_field(&req->head, "content-type");
	struct ady_bytes bare = type;
	struct ady_fault f;

	if (ady_http_field(&req->head, "origin").p) {
		(void)ady_fail(&f, ADY_E_DENIED, NULL, "requests of web pages are not served");
		ady_problem_now(shard, req, route, &f, NULL);
		return false;
	}
	if (ady_caller_of(shard, req, caller, &f) != ADY_OK) {
		ady_problem_now(shard, req, route, &f, NULL);
		return false;
	}
	for (size_t i = 0; i < type.n && bare.n == type.n; i++)
		if (type.p[i] == ';' || type.p[i] == ' ')
			bare.n = i;
	if (!type.p || (bare.n == 16 && strncasecmp((const char *)bare.p, ADY_JSON_TYPE, 16) == 0))
		return true;
	(void)ady_fail(&f, ADY_E_MEDIA_TYPE, "content-type",
	               "must be application/json (curl: --json)");
	ady_problem_now(shard, req, route, &f, NULL);
	return false;
}

struct ady_op *ady_op_begin(struct ady_shard *shard, struct ady_http_request *req,
                            enum ady_route route)
{
	struct ady_caller caller;
	struct ady_op *op;

	if (!ady_op_from_client(shard, req, route, &caller))
		return NULL;
	op = ady_op_open(shard, req, route);
	op->caller = caller;
	return op;
}

void ady_sign_native(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes key)
{
	const char *prefix = shard->gateway->config->store.prefix;
	size_t n = strlen(prefix);
	char id[ADY_WIRE_KEY_ID_MAX + 1];
	struct ady_op *op;

	op = ady_op_begin(shard, req, ADY_ROUTE_SIGN);
	if (!op)
		return;
	(void)ady_bytes_to_str(id, sizeof id, ady_bytes_str(prefix));
	if (key.n == 0 || ady_http_unescape(id + n, sizeof id - n, key) != ADY_OK)
		ady_op_refuse(op, ADY_E_FIELD_INVALID, "id", "is no name of a key");
	else
		start(op, ady_bytes_str(id), "id");
}

void ady_sign_sample(struct ady_shard *shard, struct ady_http_request *req,
                     const struct ady_caller *caller)
{
	char id[ADY_WIRE_KEY_ID_MAX + 1];
	struct ady_json doc;
	struct ady_fault f = {0};
	struct ady_op *op;
	uint32_t i;
	size_t n;

	op = ady_op_open(shard, req, ADY_ROUTE_SAMPLE);
	op->caller = *caller;
	if (ady_json_parse(&doc, shard->toks, ADY_SHARD_TOKENS, req->body, &f) != ADY_OK) {
		ady_op_fail(op, &f);
		return;
	}
	i = ady_json_get(&doc, 0, "secret_id");
	if (i == 0)
		ady_op_refuse(op, ADY_E_FIELD_MISSING, "secret_id", "is required");
	else if (ady_json_string(&doc, i, id, sizeof id, &n) != ADY_OK)
		ady_op_refuse(op, ADY_E_FIELD_INVALID, "secret_id", "is no string, or too long");
	else
		start(op, ady_bytes(id, n), "secret_id");
}
