/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/rpc.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "gateway/proofs.h"
#include "gateway/rpc_text.h"
#include "gateway/shard.h"

#define OWNER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

struct ady_rpc {
	struct ady_shard *shard;
	struct ady_rpc_ask ask;
	struct ady_timer deadline;
	struct ady_json doc;
	struct ady_json_tok *toks;
	uint8_t *text;
	struct ady_rpc_call *calls;
	size_t calls_n, next, running, answered; /* next: the first that has not begun */
	size_t bytes;                            /* of all answers so far */
	bool batch;
	bool busy; /* calls are being begun or cancelled: the end waits until that is over */
	struct ady_rpc *newer, *older;
};

/* --- life --- */

static void *must(void *p)
{
	if (!p)
		ADY_BUG("out of memory");
	return p;
}

static struct ady_rpc *open_text(const struct ady_rpc_ask *ask)
{
	struct ady_rpc *r = must(calloc(1, sizeof *r));

	r->shard = ask->shard;
	r->ask = *ask;
	r->text = must(malloc(ask->text.n + 1));
	if (ask->text.n > 0)
		memcpy(r->text, ask->text.p, ask->text.n);
	r->older = r->shard->rpcs;
	if (r->older)
		r->older->newer = r;
	r->shard->rpcs = r;
	return r;
}

static void close_text(struct ady_rpc *r)
{
	*(r->newer ? &r->newer->older : &r->shard->rpcs) = r->older;
	if (r->older)
		r->older->newer = r->newer;
	ady_timer_cancel(r->shard->loop, &r->deadline);
	for (size_t i = 0; i < r->calls_n; i++) {
		ady_dyn_free(&r->calls[i].out);
		ady_dyn_free(&r->calls[i].proof);
		ady_dyn_free(&r->calls[i].request);
	}
	free(r->calls);
	free(r->toks);
	free(r->text);
	free(r);
}

/* --- the end --- */

static void join(struct ady_dyn *out, const struct ady_rpc *r)
{
	const char *before = "[";

	for (size_t i = 0; i < r->calls_n; i++) {
		struct ady_bytes answer = ady_dyn_bytes(&r->calls[i].out);

		if (answer.n == 0)
			continue;
		ady_dyn_str(out, before);
		ady_dyn_put(out, answer.p, answer.n);
		before = ",";
	}
	if (out->n > 0)
		ady_dyn_str(out, "]");
}

/* Every call has its answer. */
static void finish(struct ady_rpc *r)
{
	struct ady_dyn out = {0};

	r->shard->proof = ady_bytes(NULL, 0);
	if (r->batch) {
		join(&out, r);
	} else {
		out = r->calls[0].out;
		r->calls[0].out = (struct ady_dyn){0};
		r->shard->proof = ady_dyn_bytes(&r->calls[0].proof);
	}
	r->ask.done(r->ask.ctx, ady_dyn_bytes(&out));
	r->shard->proof = ady_bytes(NULL, 0);
	ady_dyn_free(&out);
	close_text(r);
}

static void begin(struct ady_rpc_call *call)
{
	call->begun = true;
	call->rpc->running++;
	ady_rpc_dispatch(call);
	if (!call->answered && !call->cancel)
		ADY_BUG("a handler neither answered nor said how to cancel it");
}

/* Begin what may begin, and end when all is answered. */
static void go_on(struct ady_rpc *r)
{
	if (r->busy)
		return;
	r->busy = true;
	while (r->next < r->calls_n && r->running < ADY_RPC_AT_ONCE)
		begin(&r->calls[r->next++]);
	r->busy = false;
	if (r->answered == r->calls_n)
		finish(r);
}

void ady_rpc_keep_proof(struct ady_rpc_call *call, struct ady_bytes request)
{
	const struct ady_rpc *r = call->rpc;
	struct ady_bytes proof = r->shard->proof;

	if (r->ask.proofs == ADY_RPC_UNPROVED ||
	    (r->ask.proofs == ADY_RPC_PROOF_BESIDE && r->batch))
		return;
	call->proof.n = call->request.n = 0;
	ady_dyn_put(&call->proof, proof.p, proof.n);
	if (r->ask.proofs == ADY_RPC_PROOFS_WITHIN)
		ady_dyn_put(&call->request, request.p, request.n);
}

/* Its proof, as the last member. */
static void put_proof(struct ady_rpc_call *call)
{
	struct ady_dyn list = {0};

	ady_proofs_add(&list, ady_dyn_bytes(&call->proof), ady_dyn_bytes(&call->request));
	ady_proofs_put(&call->out, ady_dyn_bytes(&list));
	ady_dyn_free(&list);
}

/* A call's answer is whole. What it may have come to be beyond the bound is not kept. */
static void answered(struct ady_rpc_call *call)
{
	struct ady_rpc *r = call->rpc;

	call->answered = true;
	if (r->ask.proofs == ADY_RPC_PROOFS_WITHIN)
		put_proof(call);
	if (call->id == 0 && !call->invalid)
		ady_dyn_free(&call->out);
	if (r->bytes + call->out.n > ADY_RPC_ANSWERS_MAX) {
		ady_dyn_free(&call->out);
		ady_rpc_put_error(call, ADY_RPC_REJECTED, "the answers are too large together");
	}
	r->bytes += call->out.n;
	r->answered++;
	r->running -= call->begun;
	go_on(r);
}

struct ady_dyn *ady_rpc_result(struct ady_rpc_call *call)
{
	ady_rpc_put_head(call);
	ady_dyn_str(&call->out, ",\"result\":");
	return &call->out;
}

void ady_rpc_end(struct ady_rpc_call *call)
{
	ady_dyn_str(&call->out, "}");
	answered(call);
}

void ady_rpc_fail(struct ady_rpc_call *call, const struct ady_fault *f)
{
	if (call->denied && f->err == ADY_E_DENIED)
		ady_rpc_put_denied(call, f);
	else
		ady_rpc_put_fault(call, ady_rpc_code_of(f->err), f);
	answered(call);
}

void ady_rpc_error(struct ady_rpc_call *call, enum ady_rpc_code code, const char *message)
{
	ady_rpc_put_error(call, code, message);
	answered(call);
}

void ady_rpc_error_object(struct ady_rpc_call *call, struct ady_bytes object)
{
	ady_rpc_put_head(call);
	ady_dyn_str(&call->out, ",\"error\":");
	ady_dyn_put(&call->out, object.p, object.n);
	ady_rpc_end(call);
}

uint32_t ady_rpc_left_ms(const struct ady_rpc_call *call)
{
	int64_t left = call->due_ms - ady_mono_ms();

	if (left < 1)
		return 1;
	return left < ADY_WIRE_DEADLINE_MAX_MS ? (uint32_t)left : ADY_WIRE_DEADLINE_MAX_MS;
}

/* --- before its time --- */

static void cancel(struct ady_rpc_call *call)
{
	if (call->begun && call->cancel)
		call->cancel(call);
}

/* Answer with f all that is not answered. */
static void cut_short(struct ady_rpc *r, const struct ady_fault *f)
{
	r->busy = true;
	r->next = r->calls_n;
	for (size_t i = 0; i < r->calls_n; i++) {
		if (r->calls[i].answered)
			continue;
		cancel(&r->calls[i]);
		ady_rpc_fail(&r->calls[i], f);
	}
	finish(r);
}

static void on_deadline(struct ady_timer *timer)
{
	struct ady_fault f;

	(void)ady_fail(&f, ADY_E_DEADLINE, NULL, "the call was not answered in time");
	cut_short(OWNER(timer, struct ady_rpc, deadline), &f);
}

void ady_rpc_fail_all(struct ady_shard *shard)
{
	struct ady_fault f;

	(void)ady_fail(&f, ADY_E_ENCLAVE, NULL, "the gateway is ending");
	while (shard->rpcs)
		cut_short(shard->rpcs, &f);
}

void ady_rpc_drop(struct ady_rpc *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->calls_n; i++)
		if (!r->calls[i].answered)
			cancel(&r->calls[i]);
	close_text(r);
}

/* --- the beginning --- */

static void make_calls(struct ady_rpc *r, size_t n)
{
	r->calls = must(calloc(n, sizeof *r->calls));
	r->calls_n = n;
	for (size_t i = 0; i < n; i++) {
		r->calls[i].rpc = r;
		r->calls[i].shard = r->shard;
		r->calls[i].caller = r->ask.caller;
		r->calls[i].connection = r->ask.connection;
		r->calls[i].chain = r->ask.chain;
		r->calls[i].due_ms = ady_mono_ms() + r->ask.timeout_ms;
		r->calls[i].doc = &r->doc;
	}
}

/* The whole text is refused: one answer, with id null. */
static void refuse_text(struct ady_rpc *r, enum ady_rpc_code code, const struct ady_fault *f)
{
	make_calls(r, 1);
	r->calls[0].invalid = true;
	ady_rpc_put_fault(&r->calls[0], code, f);
	r->calls[0].answered = true;
	r->next = r->answered = 1;
}

static void take_batch(struct ady_rpc *r)
{
	size_t n = r->doc.toks[0].count;
	uint32_t at = ady_json_first(&r->doc, 0);
	struct ady_fault f;

	if (n == 0 || n > ADY_RPC_BATCH_MAX) {
		(void)ady_fail(&f, n ? ADY_E_TOO_LARGE : ADY_E_FIELD_INVALID, NULL,
		               "a batch has 1 to %d calls", ADY_RPC_BATCH_MAX);
		refuse_text(r, ADY_RPC_REQUEST, &f);
		return;
	}
	r->batch = true;
	make_calls(r, n);
	for (size_t i = 0; i < n; i++, at = ady_json_after(&r->doc, 0, at))
		r->calls[i].object = at;
}

static void take_text(struct ady_rpc *r)
{
	size_t cap = r->ask.text.n / 2 + 2; /* a token takes two bytes, "1," */
	struct ady_fault f = {0};
	enum ady_err err;

	if (cap > ADY_RPC_TOKENS_MAX)
		cap = ADY_RPC_TOKENS_MAX;
	r->toks = must(malloc(cap * sizeof *r->toks));
	err = ady_json_parse(&r->doc, r->toks, cap, ady_bytes(r->text, r->ask.text.n), &f);
	if (err != ADY_OK) {
		refuse_text(r, err == ADY_E_JSON ? ADY_RPC_PARSE : ADY_RPC_REQUEST, &f);
	} else if (ady_json_kind(&r->doc, 0) == ADY_JSON_ARRAY) {
		take_batch(r);
	} else {
		make_calls(r, 1);
	}
}

struct ady_rpc *ady_rpc_start(const struct ady_rpc_ask *ask)
{
	struct ady_rpc *r = open_text(ask);

	take_text(r);
	r->deadline.fn = on_deadline;
	ady_timer_set(r->shard->loop, &r->deadline, ask->timeout_ms);
	r->busy = true;
	while (r->next < r->calls_n && r->running < ADY_RPC_AT_ONCE)
		begin(&r->calls[r->next++]);
	r->busy = false;
	if (r->answered < r->calls_n)
		return r;
	finish(r);
	return NULL;
}
