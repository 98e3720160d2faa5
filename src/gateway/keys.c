/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "gateway/answer.h"
#include "gateway/keys_call.h"

enum { DAY_S = 86400 };

static void refuse(struct ady_keys_call *call, enum ady_err err, const char *where,
                   const char *detail)
{
	struct ady_op *op = call->op;

	ady_keys_call_free(call);
	ady_op_refuse(op, err, where, detail);
}

/* A caller of a tenant sees its own keys, whatever tenant it names. */
static void list(struct ady_op *op)
{
	struct ady_keys_call *call = ady_keys_call_new(op, ADY_KEYS_LIST);
	const char *wrong = ady_keys_query_list(call, op->req->head.query);

	if (wrong) {
		refuse(call, ADY_E_FIELD_INVALID, wrong,
		       "see doc/gateway.md for what may be asked");
		return;
	}
	if (!op->caller.admin) {
		const char *own = ady_caller_scope(&op->caller);

		if (call->query.tenant && strcmp(call->query.tenant, own) != 0)
			own = ""; /* no key is of this tenant */
		call->query.tenant = own;
	}
	ady_keys_call_submit(call);
}

/* --- bodies --- */

/* The body's label, token i if there is one, to call->label. False: it was refused. */
static bool read_label(struct ady_keys_call *call, const struct ady_json *doc, uint32_t i)
{
	size_t n = 0;

	if (!i)
		return true;
	if (ady_json_string(doc, i, call->label, sizeof call->label, &n) == ADY_OK &&
	    strlen(call->label) == n && ady_entry_is_label(ady_bytes_str(call->label)))
		return true;
	refuse(call, ADY_E_FIELD_INVALID, "label",
	       "is no text of at most 127 bytes without control characters");
	return false;
}

/* An object with no members but names[n]; value as ady_json_members. False: it was refused. */
static bool parse_body(struct ady_op *op, struct ady_json *doc, uint32_t *value,
                       const char *const *names, size_t n)
{
	struct ady_fault f = {0};

	if (ady_json_parse(doc, op->shard->toks, ADY_SHARD_TOKENS, op->req->body, &f) == ADY_OK &&
	    ady_json_members(value, names, n, doc, &f) == ADY_OK)
		return true;
	ady_op_fail(op, &f);
	return false;
}

static void put_record(struct ady_op *op, const struct ady_json *doc)
{
	enum { RECORD, LABEL, MEMBERS };
	static const char *const names[MEMBERS] = {"record", "label"};
	uint32_t value[MEMBERS];
	struct ady_keys_call *call;
	struct ady_fault f = {0};
	struct ady_bytes record;

	if (ady_json_members(value, names, MEMBERS, doc, &f) != ADY_OK) {
		ady_op_fail(op, &f);
		return;
	}
	call = ady_keys_call_new(op, ADY_KEYS_PUT);
	call->what = "stored";
	if (ady_json_kind(doc, value[RECORD]) != ADY_JSON_OBJECT) {
		refuse(call, ADY_E_FIELD_INVALID, "record", "must be a key record");
	} else if (read_label(call, doc, value[LABEL])) {
		record = ady_json_raw(doc, value[RECORD]);
		ady_dyn_put(&call->record, record.p, record.n);
		ady_keys_call_submit(call);
	}
}

/* With a record: one that was made elsewhere. Else the enclave makes a key. */
static void create(struct ady_op *op)
{
	struct ady_fault f = {0};
	struct ady_json doc;

	if (ady_json_parse(&doc, op->shard->toks, ADY_SHARD_TOKENS, op->req->body, &f) != ADY_OK) {
		ady_op_fail(op, &f);
		return;
	}
	if (ady_json_get(&doc, 0, "record"))
		put_record(op, &doc);
	else
		ady_create_key(op, &doc);
}

static void patch(struct ady_keys_call *call)
{
	enum { LABEL, ENABLED, MEMBERS };
	static const char *const names[MEMBERS] = {"label", "enabled"};
	uint32_t value[MEMBERS], enabled;
	struct ady_json doc;
	enum ady_json_kind kind;

	if (!parse_body(call->op, &doc, value, names, MEMBERS)) {
		ady_keys_call_free(call);
		return;
	}
	if (!read_label(call, &doc, value[LABEL]))
		return;
	enabled = value[ENABLED];
	kind = ady_json_kind(&doc, enabled);
	call->change.set_label = value[LABEL] != 0;
	call->change.label = call->label;
	call->change.set_disabled = enabled != 0;
	call->change.disabled = kind == ADY_JSON_FALSE;
	call->what = "changed";
	if (enabled && kind != ADY_JSON_TRUE && kind != ADY_JSON_FALSE)
		refuse(call, ADY_E_FIELD_INVALID, "enabled", "is neither true nor false");
	else if (!enabled && !call->change.set_label)
		refuse(call, ADY_E_FIELD_MISSING, "label", "or enabled is required");
	else
		ady_keys_call_submit(call);
}

static void plan_deletion(struct ady_keys_call *call)
{
	static const char *const names[] = {"days", NULL};
	struct ady_bytes query = call->op->req->head.query;
	char text[8] = "";
	int64_t days = ADY_DELETION_DAYS_MAX;
	bool ok = ady_keys_query_known(query, names);

	if (ok && ady_keys_query_text(query, "days", text, sizeof text, &ok))
		ok = ady_keys_query_number(text, ADY_DELETION_DAYS_MIN, ADY_DELETION_DAYS_MAX,
		                           &days);
	if (!ok) {
		refuse(call, ADY_E_FIELD_INVALID, "days", "is not between 7 and 30");
		return;
	}
	call->change.set_deletion = true;
	call->change.deletion_s = ady_wall_ms() / 1000 + days * DAY_S;
	call->what = "to be deleted";
	ady_keys_call_submit(call);
}

/* --- routes --- */

/* If-Match: "revision" (RFC 9110 13.1.1); "*" asks for any. */
static bool read_revision(struct ady_keys_call *call, const struct ady_http_request *req)
{
	struct ady_bytes v = ady_http_field(&req->head, "if-match");

	if (!v.p || ady_bytes_is(v, "*"))
		return true;
	return v.n > 2 && v.p[0] == '"' && v.p[v.n - 1] == '"' &&
	       ady_bytes_to_str(call->revision, sizeof call->revision,
	                        ady_bytes_sub(v, 1, v.n - 2));
}

/* An op for a request of a known caller; NULL: it was refused. */
static struct ady_op *begin(struct ady_shard *shard, struct ady_http_request *req, bool manages)
{
	struct ady_op *op;

	op = ady_op_begin(shard, req, ADY_ROUTE_KEYS);
	if (!op)
		return NULL;
	if (!manages || op->caller.manage)
		return op;
	ady_op_refuse(op, ADY_E_DENIED, NULL, "the caller may not manage keys");
	return NULL;
}

struct ady_keys_call *ady_keys_begin_one(struct ady_shard *shard, struct ady_http_request *req,
                                         struct ady_bytes id, enum ady_keys_verb verb)
{
	struct ady_op *op = begin(shard, req, verb != ADY_KEYS_SHOW);
	struct ady_keys_call *call = op ? ady_keys_call_new(op, verb) : NULL;
	size_t n;

	if (!call)
		return NULL;
	n = strlen(call->prefix);
	memcpy(call->id, call->prefix, n);
	if (ady_http_unescape(call->id + n, sizeof call->id - n, id) != ADY_OK ||
	    !ady_entry_is_name(call->id + n, ADY_KEY_ID_MAX))
		refuse(call, ADY_E_FIELD_INVALID, "id", "is no name of a key");
	else if (!read_revision(call, req))
		refuse(call, ADY_E_FIELD_INVALID, "if-match", "is no revision in quotes");
	else
		return call;
	return NULL;
}

/* A change that needs no body. */
static void change(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id,
                   struct ady_records_change what, const char *word)
{
	struct ady_keys_call *call = ady_keys_begin_one(shard, req, id, ADY_KEYS_CHANGE);

	if (!call)
		return;
	call->change = what;
	call->what = word;
	if (req->body.n > 0)
		refuse(call, ADY_E_FIELD_INVALID, "body", "must be empty");
	else
		ady_keys_call_submit(call);
}

void ady_keys_backup(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id)
{
	struct ady_keys_call *call = ady_keys_begin_one(shard, req, id, ADY_KEYS_RECORD);
	static const char *const none[] = {NULL};
	struct ady_json doc;
	uint32_t value[1];

	if (!call)
		return;
	call->then = ady_keys_on_backup;
	if (req->body.n > ADY_WIRE_BACKUP_BODY_MAX)
		refuse(call, ADY_E_TOO_LARGE, "body", "has no members");
	else if (req->body.n == 0 || parse_body(call->op, &doc, value, none, 0))
		ady_keys_call_submit(call);
	else
		ady_keys_call_free(call);
}

void ady_keys_list(struct ady_shard *shard, struct ady_http_request *req)
{
	struct ady_op *op = begin(shard, req, false);

	if (op)
		list(op);
}

void ady_keys_create(struct ady_shard *shard, struct ady_http_request *req)
{
	struct ady_op *op = begin(shard, req, true);

	if (op)
		create(op);
}

void ady_keys_show(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id)
{
	struct ady_keys_call *call = ady_keys_begin_one(shard, req, id, ADY_KEYS_SHOW);

	if (call)
		ady_keys_call_submit(call);
}

void ady_keys_patch(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id)
{
	struct ady_keys_call *call = ady_keys_begin_one(shard, req, id, ADY_KEYS_CHANGE);

	if (call)
		patch(call);
}

void ady_keys_delete(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id)
{
	struct ady_keys_call *call = ady_keys_begin_one(shard, req, id, ADY_KEYS_CHANGE);

	if (call)
		plan_deletion(call);
}

void ady_keys_disable(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id)
{
	change(shard, req, id, (struct ady_records_change){.set_disabled = true, .disabled = true},
	       "disabled");
}

void ady_keys_enable(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id)
{
	change(shard, req, id, (struct ady_records_change){.set_disabled = true}, "enabled");
}

void ady_keys_restore(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id)
{
	change(shard, req, id, (struct ady_records_change){.set_deletion = true}, "restored");
}
