/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/send.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "codec/json_members.h"
#include "gateway/rpc_params.h"
#include "gateway/rpc_pass.h"
#include "gateway/rpc_tx.h"
#include "gateway/send_error.h"
#include "gateway/shard.h"

enum {
	CONFLICTS_MAX = 10, /* in a row, with a count that stays; as Web3Signer has it */
	PAUSE_MS = 50,      /* before the node is asked again, doubled each time */
	PAUSE_MAX_MS = 1000,
	PATIENCE = 6, /* pauses in a row, while nothing has been sent: 2.5 s in all */
};

#define OWNER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static void choose_nonce(struct ady_send *s);
static void broadcast(struct ady_send *s);
static void look_for_it(struct ady_send *s);

/* --- the end --- */

static void free_send(struct ady_send *s)
{
	s->call->cancel = NULL;
	ady_node_drop(s->asking);
	ady_signing_drop(s->signing);
	ady_timer_cancel(s->call->shard->loop, &s->pause);
	ady_turn_end(s->turn);
	ady_dyn_free(&s->text);
	ady_dyn_free(&s->body);
	ady_dyn_free(&s->raw);
	ady_dyn_free(&s->params);
	free(s->toks);
	free(s);
}

static void cancel(struct ady_rpc_call *call)
{
	free_send(call->state);
}

void ady_send_fail(struct ady_send *s, const struct ady_fault *f)
{
	struct ady_rpc_call *call = s->call;

	free_send(s);
	ady_rpc_fail(call, f);
}

void ady_send_refused(struct ady_send *s, struct ady_bytes error)
{
	struct ady_rpc_call *call = s->call;

	free_send(s);
	ady_rpc_pass_on(call, (struct ady_bytes){0}, error);
}

static void accepted(struct ady_send *s)
{
	struct ady_rpc_call *call = s->call;

	if (s->turn)
		ady_turn_used(s->turn, s->tx.value[ADY_SEND_NONCE]);
	ady_rpc_put_hex(ady_rpc_result(call), ady_bytes(s->hash, sizeof s->hash));
	free_send(s);
	ady_rpc_end(call);
}

/* --- asking --- */

static void on_answer(void *ctx, struct ady_bytes result, struct ady_bytes error, bool sent,
                      const struct ady_fault *f)
{
	struct ady_send *s = ctx;

	s->asking = NULL;
	if (!f) {
		s->pauses = 0;
		s->answered(s, result, error);
	} else {
		s->unanswered(s, sent, f);
	}
}

static void on_pause(struct ady_timer *timer)
{
	struct ady_send *s = OWNER(timer, struct ady_send, pause);

	s->after_pause(s);
}

/* The call's own deadline ends this. */
static void pause_then(struct ady_send *s, void (*then)(struct ady_send *s))
{
	int64_t ms = (int64_t)PAUSE_MS << (s->pauses < 8 ? s->pauses : 8);

	s->pauses++;
	s->after_pause = then;
	ady_timer_set(s->call->shard->loop, &s->pause, ms < PAUSE_MAX_MS ? ms : PAUSE_MAX_MS);
}

static void ask(struct ady_send *s, const char *method, struct ady_bytes params, bool repeatable,
                ady_send_answered *answered,
                void (*unanswered)(struct ady_send *, bool, const struct ady_fault *))
{
	const struct ady_node_ask question = {.shard = s->call->shard,
	                                      .chain = s->chain,
	                                      .method = method,
	                                      .params = params,
	                                      .due_ms = s->call->due_ms,
	                                      .repeatable = repeatable,
	                                      .done = on_answer,
	                                      .ctx = s};

	s->answered = answered;
	s->unanswered = unanswered;
	s->asking = ady_node_ask(&question);
}

static void unanswered(struct ady_send *s, bool sent, const struct ady_fault *f);

static void ask_again(struct ady_send *s)
{
	ask(s, s->method, ady_dyn_bytes(&s->params), true, s->answered, unanswered);
}

/* Nothing has been sent yet: a node that stays away is told of, after some patience. */
static void unanswered(struct ady_send *s, bool sent, const struct ady_fault *f)
{
	struct ady_rpc_call *call = s->call;
	const struct ady_fault fault = *f;

	(void)sent;
	if (s->pauses < PATIENCE) {
		pause_then(s, ask_again);
		return;
	}
	free_send(s);
	ady_rpc_pass_failed(call, &fault);
}

void ady_send_ask(struct ady_send *s, const char *method, struct ady_bytes params,
                  ady_send_answered *answered)
{
	s->method = method;
	s->params.n = 0;
	ady_dyn_put(&s->params, params.p, params.n);
	s->answered = answered;
	ask_again(s);
}

/* --- the nonce --- */

/* It has been used, or is held by another transaction: another one, unless its sender chose it. */
static void conflict(struct ady_send *s, struct ady_bytes error)
{
	if (s->tx.given[ADY_SEND_NONCE] || ++s->conflicts > CONFLICTS_MAX) {
		ady_send_refused(s, error);
		return;
	}
	s->maybe_sent = false;
	choose_nonce(s);
}

static bool make_body(struct ady_send *s, struct ady_fault *f)
{
	size_t cap;

	s->text.n = s->body.n = 0;
	ady_dyn_str(&s->text, "["); /* so that the object is no root, which is token 0: "none" */
	ady_send_tx_put(&s->text, &s->tx);
	ady_dyn_str(&s->text, "]");
	cap = s->text.n / 2 + 2 < ADY_RPC_TOKENS_MAX ? s->text.n / 2 + 2 : ADY_RPC_TOKENS_MAX;
	if (!s->toks)
		s->toks = malloc((cap + 64) * sizeof *s->toks);
	if (!s->toks)
		ADY_BUG("out of memory");
	return ady_json_parse(&s->doc, s->toks, cap, ady_dyn_bytes(&s->text), f) == ADY_OK &&
	       ady_rpc_tx_read(&s->doc, 1, s->from, &s->body, f) == ADY_OK;
}

/* --- signing --- */

static void on_signed(void *ctx, const struct ady_wire_signed *m, const struct ady_fault *f)
{
	struct ady_send *s = ctx;
	struct ady_sidecar sidecar;
	struct ady_fault fault;

	s->signing = NULL;
	ady_rpc_keep_proof(s->call, ady_dyn_bytes(&s->body));
	if (f) {
		ady_send_fail(s, f);
		return;
	}
	if (m->hash.n != sizeof s->hash ||
	    ady_sidecar_find(&sidecar, s->tx.doc, s->tx.at, &fault) != ADY_OK) {
		(void)ady_fail(&fault, ADY_E_PROTOCOL, NULL,
		               "the answer of the enclave is malformed");
		ady_send_fail(s, &fault);
		return;
	}
	memcpy(s->hash, m->hash.p, sizeof s->hash);
	s->raw.n = 0;
	ady_dyn_str(&s->raw, "[");
	ady_sidecar_put_raw(&s->raw, &sidecar, s->tx.doc, m->raw);
	ady_dyn_str(&s->raw, "]");
	broadcast(s);
}

static void sign(struct ady_send *s)
{
	struct ady_signing_ask question = {.form = ADY_FORM_NATIVE,
	                                   .by = ADY_KEY_BY_ADDRESS,
	                                   .caller = *s->call->caller,
	                                   .due_ms = s->call->due_ms,
	                                   .done = on_signed,
	                                   .ctx = s};
	struct ady_fault f = {0};

	if (!make_body(s, &f)) {
		ady_send_fail(s, &f);
		return;
	}
	question.key = ady_bytes(s->from, sizeof s->from);
	question.request = ady_dyn_bytes(&s->body);
	if (ady_signing_start(&s->signing, s->call->shard, &question, &f) != ADY_OK)
		ady_send_fail(s, &f);
}

static void on_count(struct ady_send *s, struct ady_bytes result, struct ady_bytes error)
{
	uint64_t nonce, least;
	struct ady_fault f;

	if (error.n > 0) {
		ady_send_refused(s, error);
		return;
	}
	if (!ady_node_quantity(result, &nonce)) {
		(void)ady_fail(&f, ADY_E_PROTOCOL, NULL,
		               "the node's answer to eth_getTransactionCount is no quantity");
		ady_send_fail(s, &f);
		return;
	}
	/* A node that was asked a moment after another one sent may not have heard of that yet. */
	least = ady_turn_hint(s->turn);
	/* A count that has moved on: another sender was faster, which may happen any number of
	 * times in a row and ends with the call's deadline. One that stays is of a node that is
	 * behind. */
	if (s->conflicts > 0 && nonce > s->tx.value[ADY_SEND_NONCE])
		s->conflicts = 0;
	if (s->conflicts > 0 && s->tx.value[ADY_SEND_NONCE] + 1 > least)
		least = s->tx.value[ADY_SEND_NONCE] + 1;
	ady_send_tx_fill(&s->tx, ADY_SEND_NONCE, nonce > least ? nonce : least);
	sign(s);
}

static void choose_nonce(struct ady_send *s)
{
	struct ady_dyn params = {0};

	ady_dyn_str(&params, "[");
	ady_rpc_put_hex(&params, ady_bytes(s->from, sizeof s->from));
	ady_dyn_str(&params, ",\"pending\"]");
	ady_send_ask(s, "eth_getTransactionCount", ady_dyn_bytes(&params), on_count);
	ady_dyn_free(&params);
}

/* --- the node gets it --- */

/* Not there: the same bytes once more. */
static void on_looked(struct ady_send *s, struct ady_bytes result, struct ady_bytes error)
{
	if (result.n > 0 && result.p[0] == '{')
		accepted(s);
	else if (error.n > 0)
		pause_then(s, look_for_it);
	else
		pause_then(s, broadcast);
}

static void look_again(struct ady_send *s, bool sent, const struct ady_fault *f)
{
	(void)sent;
	(void)f;
	pause_then(s, look_for_it);
}

static void ask_by_hash(struct ady_send *s, ady_send_answered *answered)
{
	struct ady_dyn params = {0};

	ady_dyn_str(&params, "[");
	ady_rpc_put_hex(&params, ady_bytes(s->hash, sizeof s->hash));
	ady_dyn_str(&params, "]");
	ask(s, "eth_getTransactionByHash", ady_dyn_bytes(&params), true, answered, look_again);
	ady_dyn_free(&params);
}

static void look_for_it(struct ady_send *s)
{
	ask_by_hash(s, on_looked);
}

/* The nonce is taken: by these very bytes, that were sent before, or by others? */
static void on_whose_nonce(struct ady_send *s, struct ady_bytes result, struct ady_bytes error)
{
	static const char taken[] = "{\"code\":-32000,\"message\":\"nonce too low\"}";

	if (result.n > 0 && result.p[0] == '{')
		accepted(s);
	else if (error.n > 0)
		pause_then(s, look_for_it);
	else
		conflict(s, ady_bytes_str(taken));
}

static void on_broadcast(struct ady_send *s, struct ady_bytes result, struct ady_bytes error)
{
	enum ady_send_error why;

	if (result.n > 0) {
		accepted(s);
		return;
	}
	why = ady_send_error_read(error);
	if (why == ADY_SEND_OTHER)
		ady_send_refused(s, error);
	else if (why == ADY_SEND_KNOWN && s->maybe_sent)
		accepted(s);
	else if (s->maybe_sent)
		ask_by_hash(s, on_whose_nonce);
	else
		conflict(s, error);
}

static void on_broken(struct ady_send *s, bool sent, const struct ady_fault *f)
{
	(void)f;
	s->maybe_sent = s->maybe_sent || sent;
	pause_then(s, s->maybe_sent ? look_for_it : broadcast);
}

static void broadcast(struct ady_send *s)
{
	ask(s, "eth_sendRawTransaction", ady_dyn_bytes(&s->raw), false, on_broadcast, on_broken);
}

/* --- the beginning --- */

static void on_turn(void *ctx)
{
	choose_nonce(ctx);
}

void ady_send_filled(struct ady_send *s)
{
	if (s->tx.given[ADY_SEND_NONCE])
		sign(s);
	else
		s->turn = ady_turn_take(s->call->shard->gateway->accounts, s->chain, s->from,
		                        s->call->shard->loop, on_turn, s);
}

/* The chain of the connection; where none was chosen and none is the default, that of chainId. */
static bool choose_chain(struct ady_send *s, uint64_t named)
{
	const struct ady_gateway *g = s->call->shard->gateway;
	struct ady_fault f;

	s->chain = s->call->chain ? s->call->chain : g->config->default_chain;
	if (!s->chain && named && ady_nodes_have(&g->nodes, named))
		s->chain = named;
	if (!s->chain)
		return ady_rpc_chain(s->call, &s->chain);
	if (named && named != s->chain) {
		(void)ady_fail(&f, ADY_E_FIELD_INVALID, "transaction.chainId",
		               "is %llu, the node's is %llu", (unsigned long long)named,
		               (unsigned long long)s->chain);
		ady_rpc_fail(s->call, &f);
		return false;
	}
	if (!s->tx.given[ADY_SEND_CHAIN])
		ady_send_tx_fill(&s->tx, ADY_SEND_CHAIN, s->chain);
	return true;
}

static void eth_send_transaction(struct ady_rpc_call *call)
{
	struct ady_send *s = calloc(1, sizeof *s);
	struct ady_fault f = {0};
	enum ady_err err;
	uint64_t named;

	if (!s)
		ADY_BUG("out of memory");
	s->call = call;
	s->pause.fn = on_pause;
	err = ady_send_tx_read(&s->tx, call, &named, &f);
	if (err == ADY_OK)
		err = ady_rpc_tx_read(call->doc, s->tx.at, s->from, &s->body, &f);
	if (err != ADY_OK) {
		ady_rpc_fail(call, &f);
	} else if (choose_chain(s, named)) {
		call->state = s;
		call->cancel = cancel;
		ady_send_fill(s);
		return;
	}
	ady_dyn_free(&s->body);
	free(s);
}

const struct ady_rpc_method ady_rpc_send[] = {
    {"eth_sendTransaction", eth_send_transaction},
    {NULL, NULL},
};
