/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/rpc_sign.h"

#include <stdlib.h>

/* What a call waits with: call->state. */
struct wait {
	struct ady_signing *signing;
	struct ady_dyn body;
	ady_rpc_put_fn *put;
};

static void end_wait(struct ady_rpc_call *call)
{
	struct wait *w = call->state;

	call->state = NULL;
	call->cancel = NULL;
	ady_dyn_free(&w->body);
	free(w);
}

static void cancel(struct ady_rpc_call *call)
{
	struct wait *w = call->state;

	ady_signing_drop(w->signing);
	end_wait(call);
}

static void on_signed(void *ctx, const struct ady_wire_signed *m, const struct ady_fault *f)
{
	struct ady_rpc_call *call = ctx;
	struct wait *w = call->state;
	ady_rpc_put_fn *put = w->put;

	ady_rpc_keep_proof(call, ady_dyn_bytes(&w->body));
	end_wait(call);
	if (f) {
		ady_rpc_fail(call, f);
	} else {
		put(call, ady_rpc_result(call), m);
		ady_rpc_end(call);
	}
}

void ady_rpc_sign(struct ady_rpc_call *call, const uint8_t address20[static 20],
                  struct ady_dyn *body, ady_rpc_put_fn *put)
{
	struct wait *w = malloc(sizeof *w);
	struct ady_signing_ask ask = {.form = ADY_FORM_NATIVE,
	                              .by = ADY_KEY_BY_ADDRESS,
	                              .key = ady_bytes(address20, 20),
	                              .caller = *call->caller,
	                              .request = ady_dyn_bytes(body),
	                              .due_ms = call->due_ms,
	                              .done = on_signed,
	                              .ctx = call};
	struct ady_fault f;

	if (!w)
		ADY_BUG("out of memory");
	*w = (struct wait){.body = *body, .put = put};
	*body = (struct ady_dyn){0};
	call->state = w;
	call->cancel = cancel;
	if (ady_signing_start(&w->signing, call->shard, &ask, &f) == ADY_OK)
		return;
	end_wait(call);
	ady_rpc_fail(call, &f);
}
