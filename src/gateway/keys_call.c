/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/keys_call.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/answer.h"

void ady_keys_call_free(struct ady_keys_call *call)
{
	ady_dyn_free(&call->record);
	ady_dyn_free(&call->out);
	ady_dyn_free(&call->note);
	free(call);
}

static void abandon(struct ady_op *op)
{
	struct ady_keys_call *call = op->waiting;

	call->op = NULL;
}

static void on_done(struct ady_store_job *job)
{
	struct ady_keys_call *call = (struct ady_keys_call *)job;
	struct ady_shard *shard = call->shard;
	struct ady_op *op = call->op;

	if (op) {
		op->abandon = NULL;
		if (call->then)
			call->then(op, call);
		else if (job->fault.err == ADY_OK)
			ady_op_answer_with(
			    op,
			    call->verb == ADY_KEYS_PUT || call->verb == ADY_KEYS_PUT_MANY ? 201
			                                                                  : 200,
			    ADY_JSON_TYPE, ady_dyn_bytes(&call->out));
		else
			ady_op_fail(op, &job->fault);
	}
	ady_keys_call_free(call);
	ady_shard_let(shard);
}

struct ady_keys_call *ady_keys_call_new(struct ady_op *op, enum ady_keys_verb verb)
{
	struct ady_keys_call *call = calloc(1, sizeof *call);

	if (!call)
		ADY_BUG("out of memory");
	call->shard = op->shard;
	call->op = op;
	call->verb = verb;
	call->caller = op->caller;
	call->prefix = op->shard->gateway->config->store.prefix;
	call->job.loop = op->shard->loop;
	call->job.run = ady_keys_work;
	call->job.done = on_done;
	return call;
}

void ady_keys_call_submit(struct ady_keys_call *call)
{
	struct ady_op *op = call->op;

	op->waiting = call;
	op->abandon = abandon;
	ady_shard_hold(op->shard);
	if (ady_store_run(op->shard->gateway->store, &call->job) == ADY_OK)
		return;
	op->abandon = NULL;
	ady_shard_let(op->shard);
	ady_keys_call_free(call);
	ady_op_refuse(op, ADY_E_BUSY, NULL, "too much is asked of the store");
}
