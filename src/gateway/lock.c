/* SPDX-License-Identifier: Apache-2.0
 *
 * POST /v1/lock: the enclave forgets opened data keys, of {"tenant": ".."} or with {"all": true}.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/answer.h"
#include "gateway/op.h"

/* One lock, of all enclaves: data keys may be open in each. */
struct locking {
	struct ady_op *op; /* NULL once answered */
	struct part {
		struct ady_call call; /* first */
		struct locking *all;
	} parts[ADY_GATEWAY_ENCLAVES_MAX];
	struct ady_shard *shard;
	size_t waiting;
	uint64_t locked;
	struct ady_fault fault; /* of one that has not */
};

static void abandon(struct ady_op *op)
{
	struct locking *l = op->waiting;

	for (size_t i = 0; i < ADY_GATEWAY_ENCLAVES_MAX; i++)
		ady_enclaves_forget(l->shard->enclaves, &l->parts[i].call);
	free(l);
}

static void end_one(struct locking *l)
{
	struct ady_op *op = l->op;
	const struct ady_fault f = l->fault;
	uint64_t n = l->locked;

	if (--l->waiting > 0)
		return;
	op->abandon = NULL;
	free(l);
	if (f.err != ADY_OK) {
		ady_op_fail(op, &f);
		return;
	}
	op->shard->out.n = 0;
	ady_dyn_printf(&op->shard->out, "{\"locked\":%llu}\n", (unsigned long long)n);
	ady_op_answer(op);
}

static void on_locked(struct ady_call *call, struct ady_bytes body, const struct ady_fault *f)
{
	struct locking *l = ((struct part *)call)->all;
	uint64_t n = 0;

	ady_op_keep_proof(l->op);
	if (f)
		l->fault = *f;
	else if (ady_wire_read_locked(&n, body) != ADY_OK)
		(void)ady_fail(&l->fault, ADY_E_PROTOCOL, NULL,
		               "the answer of the enclave is malformed");
	l->locked += n;
	end_one(l);
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
	struct ady_enclaves *enclaves = op->shard->enclaves;
	struct locking *l = calloc(1, sizeof *l);

	if (!l)
		ADY_BUG("out of memory");
	op->unproved = ady_enclaves_n(enclaves) > 1;
	l->op = op;
	l->shard = op->shard;
	l->waiting = 1;
	op->waiting = l;
	op->abandon = abandon;
	ady_wire_put_lock(&b, ady_bytes_str(tenant));
	for (size_t i = 0; i < ady_enclaves_n(enclaves); i++) {
		struct part *p = &l->parts[i];
		enum ady_err err;

		p->all = l;
		p->call.done = on_locked;
		err = ady_enclaves_ask_at(enclaves, i, &p->call, ADY_WIRE_LOCK, ady_buf_bytes(&b),
		                          ady_op_left_ms(op));
		if (err == ADY_OK)
			l->waiting++;
		else
			(void)ady_fail(&l->fault, err, NULL, "an enclave cannot be asked; %s",
			               "those that can have forgotten");
	}
	end_one(l);
}

void ady_lock_keys(struct ady_shard *shard, struct ady_http_request *req)
{
	char tenant[ADY_WIRE_TENANT_MAX + 1];
	struct ady_fault f = {0};
	struct ady_json doc;
	struct ady_op *op;

	op = ady_op_begin(shard, req, ADY_ROUTE_KEYS);
	if (!op)
		return;
	if (ady_json_parse(&doc, shard->toks, ADY_SHARD_TOKENS, req->body, &f) != ADY_OK)
		ady_op_fail(op, &f);
	else if (!read_body(&doc, tenant))
		ady_op_refuse(op, ADY_E_FIELD_INVALID, NULL,
		              "must be {\"tenant\": \"..\"} or {\"all\": true}");
	else if (!may_lock(&op->caller, tenant))
		ady_op_refuse(op, ADY_E_DENIED, "tenant", "is not one that this caller manages");
	else
		ask(op, tenant);
}
