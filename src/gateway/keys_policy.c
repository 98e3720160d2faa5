/* SPDX-License-Identifier: Apache-2.0
 *
 * PUT /v1/keys/{id}/policy: the record from the store, then record, body and stamps to the enclave
 * as they are, and the record that it gives back into the place of the old one, if that is still
 * the one that was read. When this ends half-way the enclave has gone on to the next revision and
 * the store has not: the same request again brings both together. */
#include <stdlib.h>
#include <string.h>

#include "gateway/keys.h"
#include "gateway/keys_call.h"
#include "gateway/signing.h"

/* What is known of the record while the enclave is asked. */
struct change {
	struct ady_call call; /* first */
	struct ady_op *op;
	char id[ADY_KEY_ID_MAX + 1], revision[40];
};

static void abandon(struct ady_op *op)
{
	struct change *c = op->waiting;

	ady_enclaves_forget(op->shard->enclaves, &c->call);
	free(c);
}

static void store(struct ady_op *op, const struct change *c, struct ady_bytes record)
{
	struct ady_keys_call *call = ady_keys_call_new(op, ADY_KEYS_REPLACE);

	call->what = "given another policy";
	memcpy(call->id, c->id, sizeof call->id);
	memcpy(call->revision, c->revision, sizeof call->revision);
	ady_dyn_put(&call->record, record.p, record.n);
	ady_keys_call_submit(call);
}

static void on_changed(struct ady_call *call, struct ady_bytes body, const struct ady_fault *f)
{
	struct change *c = (struct change *)call;
	struct ady_op *op = c->op;
	struct ady_wire_created m;

	op->abandon = NULL;
	if (f) {
		ady_op_fail(op, f);
	} else if (ady_wire_read_created(&m, body) != ADY_OK) {
		ady_op_refuse(op, ADY_E_PROTOCOL, NULL, "the answer of the enclave is malformed");
	} else {
		ady_op_keep_proof(op);
		store(op, c, m.record);
	}
	free(c);
}

static void ask(struct ady_op *op, struct ady_keys_call *found)
{
	struct ady_buf b = ady_buf(op->shard->frame, sizeof op->shard->frame);
	struct change *c = calloc(1, sizeof *c);
	struct ady_wire_policy_change m = {
	    .key_id = ady_bytes_str(found->id),
	    .record = ady_dyn_bytes(&found->out),
	    .change = op->req->body,
	    .stamp = ady_http_field(&op->req->head, ADY_STAMP_FIELD),
	};
	enum ady_err err = ADY_E_TOO_LARGE;

	if (!c)
		ADY_BUG("out of memory");
	c->op = op;
	c->call.done = on_changed;
	memcpy(c->id, found->id, sizeof c->id);
	memcpy(c->revision, found->revision, sizeof c->revision);
	op->waiting = c;
	op->abandon = abandon;
	ady_wire_put_policy_change(&b, &m);
	if (!b.full && m.stamp.n <= ADY_WIRE_STAMP_MAX)
		err = ady_enclaves_ask(op->shard->enclaves, &c->call, ADY_WIRE_POLICY_CHANGE,
		                       ady_buf_bytes(&b), ady_op_left_ms(op));
	if (err == ADY_OK)
		return;
	op->abandon = NULL;
	free(c);
	ady_op_refuse(op, err, NULL, NULL);
}

static void on_record(struct ady_op *op, struct ady_keys_call *call)
{
	if (call->job.fault.err != ADY_OK)
		ady_op_fail(op, &call->job.fault);
	else
		ask(op, call);
}

void ady_keys_policy(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id)
{
	struct ady_keys_call *call = ady_keys_begin_one(shard, req, id, ADY_KEYS_RECORD);

	if (!call)
		return;
	if (req->body.n == 0) {
		struct ady_op *op = call->op;

		ady_keys_call_free(call);
		ady_op_refuse(op, ADY_E_FIELD_MISSING, "policy", "is required");
		return;
	}
	call->then = on_record;
	ady_keys_call_submit(call);
}
