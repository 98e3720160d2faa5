/* SPDX-License-Identifier: Apache-2.0
 *
 * POST /v1/lock: the enclave forgets opened data keys, of {"tenant": ".."} or with {"all": true}.
 */
#include <string.h>

#include "gateway/answer.h"
#include "gateway/op.h"

static void on_locked(struct ady_call *call, struct ady_bytes body, const struct ady_fault *f)
{
	struct ady_op *op = (struct ady_op *)((char *)call - offsetof(struct ady_op, call));
	uint64_t n;

	if (f) {
		ady_op_fail(op, f);
		return;
	}
	if (ady_wire_read_locked(&n, body) != ADY_OK) {
		ady_op_refuse(op, ADY_E_PROTOCOL, NULL, "the answer of the enclave is malformed");
		return;
	}
	op->shard->out.n = 0;
	ady_dyn_printf(&op->shard->out, "{\"locked\":%llu}\n", (unsigned long long)n);
	ady_op_answer(op);
}

static bool may_lock(const struct ady_caller *caller, const char *tenant)
{
	return caller->everyone || caller->admin ||
	       (caller->manage && caller->tenant && tenant[0] &&
	        strcmp(caller->tenant, tenant) == 0);
}

/* The tenant of the body, "" for all. False: it is neither of the two. */
static bool read_body(const struct ady_json *doc, char tenant[static ADY_WIRE_TENANT_MAX + 1])
{
	uint32_t name = ady_json_get(doc, 0, "tenant"), all = ady_json_get(doc, 0, "all");
	size_t n;

	tenant[0] = '\0';
	if (ady_json_kind(doc, 0) != ADY_JSON_OBJECT || doc->toks[0].count != 1)
		return false;
	if (all)
		return ady_json_kind(doc, all) == ADY_JSON_TRUE;
	return name && ady_json_string(doc, name, tenant, ADY_WIRE_TENANT_MAX + 1, &n) == ADY_OK &&
	       strlen(tenant) == n && n > 0;
}

static void ask(struct ady_op *op, const char *tenant)
{
	uint8_t space[ADY_WIRE_TENANT_MAX + 16];
	struct ady_buf b = ady_buf(space, sizeof space);
	enum ady_err err;

	ady_wire_put_lock(&b, ady_bytes_str(tenant));
	op->call.done = on_locked;
	err = ady_link_ask(op->shard->link, &op->call, ADY_WIRE_LOCK, ady_buf_bytes(&b),
	                   ady_op_left_ms(op));
	if (err != ADY_OK)
		ady_op_refuse(op, err, NULL, NULL);
}

void ady_lock_keys(struct ady_shard *shard, struct ady_http_request *req)
{
	char tenant[ADY_WIRE_TENANT_MAX + 1];
	struct ady_caller caller;
	struct ady_fault f = {0};
	struct ady_json doc;
	struct ady_op *op;

	if (!ady_op_from_client(shard, req, ADY_ROUTE_KEYS, &caller))
		return;
	op = ady_op_open(shard, req, ADY_ROUTE_KEYS);
	op->caller = caller;
	if (ady_json_parse(&doc, shard->toks, ADY_SHARD_TOKENS, req->body, &f) != ADY_OK)
		ady_op_fail(op, &f);
	else if (!read_body(&doc, tenant))
		ady_op_refuse(op, ADY_E_FIELD_INVALID, NULL,
		              "must be {\"tenant\": \"..\"} or {\"all\": true}");
	else if (!may_lock(&caller, tenant))
		ady_op_refuse(op, ADY_E_DENIED, "tenant", "is not one that this caller manages");
	else
		ask(op, tenant);
}
