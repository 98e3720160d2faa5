/* SPDX-License-Identifier: Apache-2.0
 *
 * A key made by the enclave: the tenant's present data key is looked up in the store, unless it is
 * remembered; the enclave makes the key and seals it under that; its record is stored; and only
 * then is the answer given. A key whose record could not be stored was never there. */
#include <string.h>

#include "base/text.h"
#include "gateway/create_options.h"
#include "gateway/keys_call.h"

void ady_create_store(struct ady_creating *c, const struct ady_wire_created *m,
                      const struct ady_fault *f)
{
	struct ady_op *op = (struct ady_op *)((char *)c - offsetof(struct ady_op, creating));
	struct ady_keys_call *call;

	if (f) {
		ady_op_fail(op, f);
		return;
	}
	ady_op_keep_proof(op);
	call = ady_keys_call_new(op, ADY_KEYS_PUT);
	call->what = "created";
	if (op->labelled)
		memcpy(call->label, op->label, sizeof call->label);
	ady_dyn_put(&call->record, m->record.p, m->record.n);
	ady_keys_call_submit(call);
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
	for (enum ady_curve c = ADY_CURVE_SECP256K1; c <= ADY_CURVE_WALLET; c++)
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

static void ask_enclave(struct ady_op *op, enum ady_curve curve, const char *tenant)
{
	enum ady_err err;

	if (op->from_options) {
		ady_create_options(op, curve, tenant);
		return;
	}
	op->creating.done = ady_create_store;
	err = ady_creating_ask(&op->creating, op->shard, curve, ady_bytes_str(tenant),
	                       op->body.n ? ady_dyn_bytes(&op->body) : op->req->body,
	                       ady_op_left_ms(op));
	if (err != ADY_OK)
		ady_op_refuse(op, err, NULL, NULL);
}

/* Without the store's word the enclave has a new data key made: that works as well. */
static void on_data_key(struct ady_op *op, struct ady_keys_call *call)
{
	uint8_t blob[ADY_WIRE_DATA_KEY_MAX];
	enum ady_curve curve = ADY_CURVE_SECP256K1;
	size_t n = 0;

	if (call->job.fault.err == ADY_OK && call->out.n > 0 &&
	    ady_base64_decode(blob, sizeof blob, &n, ady_dyn_bytes(&call->out)) == ADY_OK)
		ady_tenant_keys_set(op->shard->gateway->tenant_keys, call->tenant,
		                    ady_bytes(blob, n));
	(void)curve_of(call->curve, &curve);
	ask_enclave(op, curve, call->tenant);
}

static bool is_remembered(struct ady_op *op, const char *tenant)
{
	uint8_t space[ADY_WIRE_DATA_KEY_MAX];
	struct ady_buf blob = ady_buf(space, sizeof space);

	ady_tenant_keys_get(op->shard->gateway->tenant_keys, tenant, &blob);
	return blob.n > 0;
}

static void look_up(struct ady_op *op, const char *tenant, const char *curve)
{
	struct ady_keys_call *call = ady_keys_call_new(op, ADY_KEYS_DATA_KEY);

	snprintf(call->tenant, sizeof call->tenant, "%s", tenant);
	snprintf(call->curve, sizeof call->curve, "%s", curve);
	call->then = on_data_key;
	ady_keys_call_submit(call);
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The body without a member whose value, token i, is a string: what the enclave reads is all of it
 * its affair. */
static void cut_out(struct ady_op *op, const struct ady_json *doc, uint32_t i)
{
	const uint8_t *p = doc->text.p;
	size_t from = doc->toks[i - 1].at - 1, to = doc->toks[i].at + doc->toks[i].len + 1;

	while (is_space(p[to]))
		to++;
	if (p[to] == ',') {
		to++;
	} else {
		while (is_space(p[from - 1]))
			from--;
		from -= p[from - 1] == ',';
	}
	ady_dyn_put(&op->body, p, from);
	ady_dyn_put(&op->body, p + to, doc->text.n - to);
}

/* The label is the gateway's: it stands beside the record. False: it is none. */
static bool take_label(struct ady_op *op, const struct ady_json *doc)
{
	uint32_t i = ady_json_get(doc, 0, "label");
	size_t n;

	if (!i)
		return true;
	op->labelled = ady_json_string(doc, i, op->label, sizeof op->label, &n) == ADY_OK &&
	               strlen(op->label) == n && ady_entry_is_label(ady_bytes_str(op->label));
	if (op->labelled && !op->from_options)
		cut_out(op, doc, i);
	return op->labelled;
}

void ady_create_key(struct ady_op *op, const struct ady_json *doc)
{
	const char *own = op->caller.tenant ? op->caller.tenant : ADY_TENANT_DEFAULT;
	char tenant[ADY_WIRE_TENANT_MAX + 1], name[16];
	enum ady_curve curve;

	op->from_options = ady_json_get(doc, 0, "options") != 0;
	if (!take_label(op, doc))
		ady_op_refuse(op, ADY_E_FIELD_INVALID, "label",
		              "is no text of at most 127 bytes without control characters");
	else if (!text_member(doc, "tenant", own, tenant, sizeof tenant))
		ady_op_refuse(op, ADY_E_FIELD_INVALID, "tenant", "must be a text of 1 to 63 bytes");
	else if (!text_member(doc, "curve", "secp256k1", name, sizeof name) ||
	         !curve_of(name, &curve))
		ady_op_refuse(op, ADY_E_FIELD_INVALID, "curve", "is not known");
	else if (!may_create(&op->caller, tenant))
		ady_op_refuse(op, ADY_E_DENIED, "tenant",
		              "is not one that this caller makes keys for");
	else if (is_remembered(op, tenant))
		ask_enclave(op, curve, tenant);
	else
		look_up(op, tenant, name);
}
