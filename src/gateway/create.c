/* SPDX-License-Identifier: Apache-2.0
 *
 * POST /v1/keys: a key made by the enclave. The answer has its record, which the caller stores. */
#include <string.h>

#include "base/text.h"
#include "chain/eth_tx.h"
#include "gateway/answer.h"
#include "gateway/op.h"

static void answer(struct ady_op *op, const struct ady_wire_created *m)
{
	struct ady_dyn *out = &op->shard->out;
	char hex[2 * 48 + 1], address[43];

	out->n = 0;
	ady_hex_encode(hex, m->public_key);
	ady_dyn_printf(out, "{\"public_key\":\"0x%s\"", hex);
	if (m->address.n == 20) {
		ady_eth_address_format(address, m->address.p);
		ady_dyn_printf(out, ",\"address\":\"%s\"", address);
	}
	ady_dyn_str(out, ",\"record\":");
	ady_dyn_put(out, m->record.p, m->record.n);
	ady_dyn_str(out, "}\n");
	ady_op_answer(op);
}

static void on_created(struct ady_creating *c, const struct ady_wire_created *m,
                       const struct ady_fault *f)
{
	struct ady_op *op = (struct ady_op *)((char *)c - offsetof(struct ady_op, creating));

	if (f)
		ady_op_fail(op, f);
	else
		answer(op, m);
}

/* A text member of the body, or fallback. False: it is no text, or too long. */
static bool text_member(const struct ady_json *doc, const char *name, const char *fallback,
                        char *out, size_t cap)
{
	uint32_t i = ady_json_get(doc, 0, name);
	size_t n;

	if (!i)
		return ady_bytes_to_str(out, cap, ady_bytes_str(fallback));
	return ady_json_string(doc, i, out, cap, &n) == ADY_OK && strlen(out) == n && n > 0;
}

static bool curve_of(const char *name, enum ady_curve *curve)
{
	for (enum ady_curve c = ADY_CURVE_SECP256K1; c <= ADY_CURVE_BLS12_381; c++)
		if (strcmp(name, ady_curve_name(c)) == 0) {
			*curve = c;
			return true;
		}
	return false;
}

/* Keys are made by those who manage them, for their own tenant; by administrators for any. */
static bool may_create(const struct ady_caller *caller, const char *tenant)
{
	return caller->everyone || caller->admin ||
	       (caller->manage && caller->tenant && strcmp(caller->tenant, tenant) == 0);
}

static void start(struct ady_op *op, const struct ady_json *doc)
{
	char tenant[ADY_WIRE_TENANT_MAX + 1], name[16];
	enum ady_curve curve;
	enum ady_err err;

	if (!text_member(doc, "tenant", op->caller.tenant ? op->caller.tenant : ADY_TENANT_DEFAULT,
	                 tenant, sizeof tenant)) {
		ady_op_refuse(op, ADY_E_FIELD_INVALID, "tenant", "must be a text of 1 to 63 bytes");
		return;
	}
	if (!text_member(doc, "curve", "secp256k1", name, sizeof name) || !curve_of(name, &curve)) {
		ady_op_refuse(op, ADY_E_FIELD_INVALID, "curve", "is not known");
		return;
	}
	if (!may_create(&op->caller, tenant)) {
		ady_op_refuse(op, ADY_E_DENIED, "tenant",
		              "is not one that this caller makes keys for");
		return;
	}
	op->creating.done = on_created;
	err = ady_creating_ask(&op->creating, op->shard, curve, ady_bytes_str(tenant),
	                       op->req->body, ady_op_left_ms(op));
	if (err != ADY_OK)
		ady_op_refuse(op, err, NULL, NULL);
}

void ady_create_key(struct ady_shard *shard, struct ady_http_request *req)
{
	struct ady_json doc;
	struct ady_fault f = {0};
	struct ady_caller caller;
	struct ady_op *op;

	if (!ady_op_from_client(shard, req, ADY_ROUTE_KEYS, &caller))
		return;
	op = ady_op_open(shard, req, ADY_ROUTE_KEYS);
	op->caller = caller;
	if (ady_json_parse(&doc, shard->toks, ADY_SHARD_TOKENS, req->body, &f) != ADY_OK)
		ady_op_fail(op, &f);
	else
		start(op, &doc);
}
