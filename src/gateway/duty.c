/* SPDX-License-Identifier: Apache-2.0
 *
 * POST /v1/keys/{id}/duty: a validator's duty by the id of its key. The body is that of the remote
 * signing API, read strictly: what is not known is refused outside of the signed object too. */
#include "base/text.h"
#include "gateway/answer.h"
#include "gateway/eth2.h"

static void on_signed(void *ctx, struct ady_bytes answer, const struct ady_fault *f)
{
	struct ady_op *op = ctx;
	struct ady_dyn *out = &op->shard->out;

	op->validating = NULL;
	ady_eth2_count(op->shard, op->req->body, f ? ady_err_status(f->err) : 200,
	               op->req->arrived_us, f);
	if (f) {
		ady_op_fail(op, f);
		return;
	}
	out->n = 0;
	ady_dyn_str(out, "{\"signature\":\"0x");
	ady_dyn_hex(out, answer);
	ady_dyn_str(out, "\"}\n");
	ady_op_answer(op);
}

/* The id as the store has it, in op->body. */
static enum ady_err read_id(struct ady_op *op, struct ady_bytes id, struct ady_fault *f)
{
	const char *prefix = op->shard->gateway->config->store.prefix;
	char name[ADY_KEY_ID_MAX + 1];

	if (id.n == 0 || ady_http_unescape(name, sizeof name, id) != ADY_OK ||
	    !ady_entry_is_name(name, ADY_KEY_ID_MAX))
		return ady_fail(f, ADY_E_FIELD_INVALID, "id", "is no name of a key");
	ady_dyn_str(&op->body, prefix);
	ady_dyn_str(&op->body, name);
	return ADY_OK;
}

void ady_duty_native(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id)
{
	struct ady_validating_ask ask = {.request = req->body, .strict = true, .done = on_signed};
	struct ady_fault f = {0};
	struct ady_op *op;

	op = ady_op_begin(shard, req, ADY_ROUTE_DUTY);
	if (!op)
		return;
	ask.caller = op->caller;
	ask.stamp = ady_http_field(&req->head, ADY_STAMP_FIELD);
	ask.due_ms = op->due_ms;
	ask.ctx = op;
	if (read_id(op, id, &f) != ADY_OK) {
		ady_op_fail(op, &f);
		return;
	}
	ask.key = ady_dyn_bytes(&op->body);
	if (ady_validating_start(&op->validating, shard, &ask, &f) != ADY_OK)
		ady_op_fail(op, &f);
}
