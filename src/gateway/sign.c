/* SPDX-License-Identifier: Apache-2.0
 *
 * A signing request: the record from the store, then record and request to the enclave, as they
 * came. What the gateway reads of the request is where its record is, and no more.
 *
 * Two refusals are tried again, once each: what an old copy of the record could explain, with a new
 * copy if that differs; what old credentials could explain, with fresh ones if they can be had. */
#include <string.h>

#include "base/clock.h"
#include "gateway/answer.h"
#include "gateway/op.h"

enum { REFETCH_GAP_MS = 1000 };

#define OWNER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static void end_stage(struct ady_op *op, enum ady_stage stage)
{
	ady_metrics_stage(&op->shard->metrics, stage, ady_mono_us() - op->stage_us);
}

/* --- the enclave --- */

static enum ady_wire_form form_of(const struct ady_op *op)
{
	return op->route == ADY_ROUTE_SAMPLE ? ADY_FORM_SAMPLE : ADY_FORM_NATIVE;
}

static void ask(struct ady_op *op)
{
	struct ady_shard *shard = op->shard;
	struct ady_buf b = ady_buf(shard->frame, sizeof shard->frame);
	const struct ady_wire_sign m = {.form = form_of(op),
	                                .key_id = op->record->name,
	                                .record = op->record->text,
	                                .request = op->req->body};
	enum ady_err err;

	ady_wire_put_sign(&b, &m);
	op->stage_us = ady_mono_us();
	op->credentials = ady_link_credentials(shard->link);
	err = b.full ? ADY_E_TOO_LARGE
	             : ady_link_ask(shard->link, &op->call, ADY_WIRE_SIGN, ady_buf_bytes(&b),
	                            ady_op_left_ms(op));
	if (err == ADY_OK)
		return;
	ady_op_refuse(op, err, NULL,
	              err == ADY_E_ENCLAVE ? "there is no connection to the enclave"
	              : err == ADY_E_BUSY  ? "more requests are waiting than may wait"
	                                   : NULL);
}

/* --- the store --- */

static bool same_text(const struct ady_stored *a, const struct ady_stored *b)
{
	return ady_bytes_eq(a->text, b->text) && ady_bytes_eq(a->name, b->name);
}

/* A record has come: of the first attempt, or of the second, where it must differ. */
static void take_record(struct ady_op *op, struct ady_stored *record)
{
	struct ady_stored *old = op->record;

	op->record = record;
	if (old && same_text(old, record))
		ady_op_fail(op, &op->fault);
	else
		ask(op);
	ady_stored_unref(old);
}

static void on_fetched(struct ady_store_wait *w)
{
	struct ady_op *op = OWNER(w, struct ady_op, fetch);

	op->fetching = false;
	if (!op->req) { /* answered meanwhile: the time had passed */
		ady_stored_unref(w->record);
		ady_op_release(op);
		return;
	}
	end_stage(op, ADY_STAGE_STORE);
	if (w->record)
		take_record(op, w->record);
	else
		ady_op_fail(op, op->record ? &op->fault : &w->fault);
}

static void look_up(struct ady_op *op, int64_t newer_than_ms)
{
	struct ady_stored *record;
	enum ady_err err;

	op->stage_us = ady_mono_us();
	op->fetch.loop = op->shard->loop;
	op->fetch.done = on_fetched;
	err = ady_store_get(op->shard->gateway->store, ady_bytes(op->key, op->key_n), newer_than_ms,
	                    &record, &op->fetch);
	op->fetching = err == ADY_E_AGAIN;
	if (op->fetching)
		return;
	end_stage(op, ADY_STAGE_STORE);
	if (err == ADY_OK)
		take_record(op, record);
	else
		ady_op_fail(op, op->record ? &op->fault : &op->fetch.fault);
}

/* --- the answer --- */

static bool record_may_be_old(const struct ady_op *op, const struct ady_fault *f)
{
	bool explains =
	    f->err == ADY_E_RECORD || f->err == ADY_E_RECORD_MISMATCH ||
	    (f->err == ADY_E_KMS && strcmp(f->cause, "InvalidCiphertextException") == 0);

	return explains && !op->record_retried &&
	       ady_mono_ms() - op->record->fetched_ms >= REFETCH_GAP_MS;
}

static bool credentials_may_be_old(const struct ady_op *op, const struct ady_fault *f)
{
	return !op->credentials_retried &&
	       (f->err == ADY_E_CREDENTIALS || strcmp(f->cause, "ExpiredTokenException") == 0);
}

static void refused(struct ady_op *op, const struct ady_fault *f)
{
	if (record_may_be_old(op, f)) {
		op->record_retried = true;
		op->fault = *f;
		look_up(op, op->record->fetched_ms);
	} else if (credentials_may_be_old(op, f)) {
		op->credentials_retried = true;
		op->fault = *f;
		if (ady_link_credentials(op->shard->link) > op->credentials) {
			ask(op);
			return;
		}
		op->attempts = ady_credentials_refresh(op->shard->gateway->credentials);
		ady_op_park(op);
	} else {
		ady_op_fail(op, f);
	}
}

void ady_sign_refreshed(void *ctx)
{
	struct ady_shard *shard = ctx;
	struct ady_op *op = shard->parked, *next;
	uint64_t attempts = ady_credentials_attempts(shard->gateway->credentials);

	shard->parked = NULL;
	for (; op; op = next) {
		next = op->next;
		op->parked = false;
		if (ady_link_credentials(shard->link) > op->credentials)
			ask(op);
		else if (attempts < op->attempts)
			ady_op_park(op);
		else
			ady_op_fail(op, &op->fault);
	}
}

static void on_answer(struct ady_call *call, struct ady_bytes body, const struct ady_fault *f)
{
	struct ady_op *op = OWNER(call, struct ady_op, call);
	struct ady_wire_signed m;

	end_stage(op, ADY_STAGE_ENCLAVE);
	if (f) {
		refused(op, f);
		return;
	}
	if (ady_wire_read_signed(&m, body) != ADY_OK ||
	    (form_of(op) == ADY_FORM_SAMPLE && m.raw.n == 0)) {
		ady_op_refuse(op, ADY_E_PROTOCOL, NULL, "the answer of the enclave is malformed");
		return;
	}
	op->shard->out.n = 0;
	ady_answer_signed(&op->shard->out, form_of(op), &m);
	ady_op_answer(op);
}

/* --- the request --- */

/* What names and ARNs of secrets are made of (Secrets Manager API reference, CreateSecret). */
static bool is_secret_id(const char *s, size_t n)
{
	if (n == 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = s[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    (c == '\0' || !strchr("/_+=.@:-", c)))
			return false;
	}
	return true;
}

static void start(struct ady_op *op, const char *where)
{
	op->call.done = on_answer;
	if (is_secret_id(op->key, op->key_n))
		look_up(op, 0);
	else
		ady_op_refuse(op, ADY_E_FIELD_INVALID, where, "is no name or ARN of a secret");
}

/* A web page may send JSON to a gateway on loopback only after a preflight request, which is not
 * answered; but old browsers and odd types slip through, and no page has business here. */
static bool from_client(struct ady_shard *shard, struct ady_http_request *req, enum ady_route route)
{
	struct ady_bytes type = ady_http_field(&req->head, "content-type");
	struct ady_bytes bare = type;
	struct ady_fault f;

	if (ady_http_field(&req->head, "origin").p) {
		(void)ady_fail(&f, ADY_E_DENIED, NULL, "requests of web pages are not served");
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

void ady_sign_native(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes key)
{
	const char *prefix = shard->gateway->config->store.prefix;
	size_t n = strlen(prefix);
	struct ady_op *op;

	if (!from_client(shard, req, ADY_ROUTE_SIGN))
		return;
	op = ady_op_open(shard, req, ADY_ROUTE_SIGN);
	memcpy(op->key, prefix, n);
	if (key.n == 0 || ady_http_unescape(op->key + n, sizeof op->key - n, key) != ADY_OK) {
		ady_op_refuse(op, ADY_E_FIELD_INVALID, "id", "is no name of a key");
		return;
	}
	op->key_n = strlen(op->key);
	start(op, "id");
}

void ady_sign_sample(struct ady_shard *shard, struct ady_http_request *req)
{
	struct ady_json doc;
	struct ady_fault f = {0};
	struct ady_op *op;
	uint32_t i;

	if (!from_client(shard, req, ADY_ROUTE_SAMPLE))
		return;
	op = ady_op_open(shard, req, ADY_ROUTE_SAMPLE);
	if (ady_json_parse(&doc, shard->toks, ADY_SHARD_TOKENS, req->body, &f) != ADY_OK) {
		ady_op_fail(op, &f);
		return;
	}
	i = ady_json_get(&doc, 0, "secret_id");
	if (i == 0)
		ady_op_refuse(op, ADY_E_FIELD_MISSING, "secret_id", "is required");
	else if (ady_json_string(&doc, i, op->key, sizeof op->key, &op->key_n) != ADY_OK)
		ady_op_refuse(op, ADY_E_FIELD_INVALID, "secret_id", "is no string, or too long");
	else
		start(op, "secret_id");
}
