/* SPDX-License-Identifier: Apache-2.0
 *
 * POST /, where two kinds of clients come: those of the AWS sample, and Ethereum's; and POST
 * /chain/ID, where only the latter do. */
#include "gateway/answer.h"
#include "gateway/op.h"
#include "gateway/rpc.h"

/* Errors of calls are answers too: HTTP has done its part (as in geth). */
static void on_answer(void *ctx, struct ady_bytes answer)
{
	ady_op_answer_with(ctx, answer.n > 0 ? 200 : 204, ADY_JSON_TYPE, answer);
}

static void start(struct ady_shard *shard, struct ady_http_request *req,
                  const struct ady_caller *caller, uint64_t chain)
{
	struct ady_op *op = ady_op_open_untimed(shard, req, ADY_ROUTE_RPC);
	const enum ady_rpc_proofs proofs =
	    op->wants_proofs ? ADY_RPC_PROOFS_WITHIN : ADY_RPC_PROOF_BESIDE;
	const struct ady_rpc_ask ask = {
	    .shard = shard,
	    .caller = &op->caller,
	    .chain = chain,
	    .text = req->body,
	    .timeout_ms = shard->gateway->config->request_timeout_ms,
	    .proofs = proofs,
	    .done = on_answer,
	    .ctx = op,
	};

	op->caller = *caller;
	op->wants_proofs = false;  /* the calls' answers have theirs */
	(void)ady_rpc_start(&ask); /* never dropped: an answer that nobody reads is harmless */
}

void ady_page_rpc(struct ady_shard *shard, struct ady_http_request *req, uint64_t chain)
{
	struct ady_caller caller;
	struct ady_fault f;

	if (!ady_op_from_client(shard, req, ADY_ROUTE_SAMPLE, &caller))
		return;
	if (chain || ady_rpc_is_text(req->body)) {
		start(shard, req, &caller, chain);
	} else if (req->body.n <= ADY_WIRE_REQUEST_MAX) {
		ady_sign_sample(shard, req, &caller);
	} else {
		(void)ady_fail(&f, ADY_E_TOO_LARGE, "body", "is longer than %d bytes",
		               ADY_WIRE_REQUEST_MAX);
		ady_problem_now(shard, req, ADY_ROUTE_SAMPLE, &f, NULL);
	}
}
