/* SPDX-License-Identifier: Apache-2.0
 *
 * One question, asked of a chain's nodes until one answers (contract in gateway/node.h). */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "codec/json_members.h"
#include "gateway/node.h"
#include "gateway/shard.h"

#define OWNER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

struct ady_node_call {
	struct ady_node_ask ask;
	struct ady_dyn text;
	struct ady_http_exchange exchange;
	struct ady_timer later; /* tells a failure that was known at once */
	uint64_t tried;         /* their bits */
	size_t node;            /* the place of the present one */
	bool sent, again;       /* again: all were tried once, and one more time is enough */
	struct ady_fault fault; /* of the last attempt */
};

static void attempt(struct ady_node_call *call);

void ady_node_drop(struct ady_node_call *call)
{
	if (!call)
		return;
	ady_http_forget(&call->exchange);
	ady_timer_cancel(call->ask.shard->loop, &call->later);
	ady_dyn_free(&call->text);
	free(call);
}

static void finish(struct ady_node_call *call, struct ady_bytes result, struct ady_bytes error,
                   const struct ady_fault *f)
{
	const struct ady_node_ask ask = call->ask;
	struct ady_fault fault = f ? *f : (struct ady_fault){0};
	bool sent = call->sent;

	ady_node_drop(call);
	ask.done(ask.ctx, result, error, sent, f ? &fault : NULL);
}

static void on_later(struct ady_timer *timer)
{
	struct ady_node_call *call = OWNER(timer, struct ady_node_call, later);

	finish(call, (struct ady_bytes){0}, (struct ady_bytes){0}, &call->fault);
}

/* Try the next node, if that may be, or give up. */
static void failed(struct ady_node_call *call)
{
	if ((call->sent && !call->ask.repeatable) || ady_mono_ms() >= call->ask.due_ms)
		ady_timer_set(call->ask.shard->loop, &call->later, 0);
	else
		attempt(call);
}

static struct ady_node *node_of(struct ady_node_call *call)
{
	return &call->ask.shard->gateway->nodes.all[call->node];
}

static void unwell(struct ady_node_call *call, enum ady_err err, const char *detail)
{
	(void)ady_fail(&call->fault, err, NULL, "the node failed: %s", detail);
	ady_node_mark(node_of(call), ADY_NODE_UNWELL, detail);
	failed(call);
}

/* A node that is asked too much, or is in trouble, says so by the status; errors of calls come with
 * any other. */
static bool is_trouble(int status)
{
	return status == 429 || status >= 500;
}

static void on_reply(struct ady_node_call *call, int status, struct ady_bytes body)
{
	struct ady_bytes result = {0}, error = {0};
	enum ady_err err = ady_json_members_get(body, "result", &result);
	char detail[64];

	if (err == ADY_E_NOT_FOUND || (err == ADY_OK && ady_bytes_is(result, "null")))
		if (ady_json_members_get(body, "error", &error) == ADY_OK && error.p[0] == '{') {
			err = ADY_OK;
			result = (struct ady_bytes){0};
		}
	if (is_trouble(status) && !result.n) {
		snprintf(detail, sizeof detail, "it answered with status %d", status);
		unwell(call, ADY_E_IO, detail);
	} else if (err == ADY_OK) {
		finish(call, result, error.p && !result.n ? error : (struct ady_bytes){0}, NULL);
	} else {
		unwell(call, ADY_E_PROTOCOL, "its answer is no JSON-RPC");
	}
}

static void on_done(struct ady_http_exchange *x, const struct ady_http_head *head,
                    struct ady_bytes body, const struct ady_fault *f)
{
	struct ady_node_call *call = OWNER(x, struct ady_node_call, exchange);

	call->sent = call->sent || x->sent;
	if (head)
		on_reply(call, head->status, body);
	else if (f->err == ADY_E_DEADLINE && ady_mono_ms() >= call->ask.due_ms) {
		call->fault = *f; /* who asked had no more time: that says little of the node */
		failed(call);
	} else
		unwell(call, f->err, f->detail);
}

/* When all have failed, one connection that broke must not be the end: the first is asked again. */
static size_t next_node(struct ady_node_call *call)
{
	const struct ady_nodes *nodes = &call->ask.shard->gateway->nodes;
	size_t i = ady_nodes_pick(nodes, call->ask.chain, call->tried, false);

	if (i == SIZE_MAX && call->tried == 0)
		(void)ady_fail(&call->fault, ADY_E_NOT_FOUND, NULL,
		               "no node is configured for this chain");
	if (i != SIZE_MAX || call->again || call->fault.err != ADY_E_IO)
		return i;
	call->again = true;
	call->tried = 0;
	return ady_nodes_pick(nodes, call->ask.chain, 0, false);
}

static void attempt(struct ady_node_call *call)
{
	struct ady_shard *shard = call->ask.shard;
	int64_t due_ms;

	call->node = next_node(call);
	if (call->node == SIZE_MAX) {
		ady_timer_set(shard->loop, &call->later, 0);
		return;
	}
	call->tried |= UINT64_C(1) << call->node;
	due_ms = ady_mono_ms() + node_of(call)->config->timeout_ms;
	if (due_ms > call->ask.due_ms)
		due_ms = call->ask.due_ms;
	atomic_fetch_add(&node_of(call)->asked, 1);
	call->exchange.done = on_done;
	if (ady_http_post(shard->node_clients[call->node], &call->exchange,
	                  ady_dyn_bytes(&call->text), due_ms) != ADY_OK) {
		(void)ady_fail(&call->fault, ADY_E_BUSY, NULL,
		               "more calls wait for the node than may wait");
		failed(call);
	}
}

struct ady_node_call *ady_node_ask(const struct ady_node_ask *ask)
{
	struct ady_node_call *call = calloc(1, sizeof *call);

	if (!call)
		ADY_BUG("out of memory");
	call->ask = *ask;
	call->later.fn = on_later;
	if (ask->method) {
		ady_dyn_printf(&call->text, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\"",
		               ask->method);
		if (ask->params.n > 0) {
			ady_dyn_str(&call->text, ",\"params\":");
			ady_dyn_put(&call->text, ask->params.p, ask->params.n);
		}
		ady_dyn_str(&call->text, "}");
	} else {
		ady_dyn_put(&call->text, ask->text.p, ask->text.n);
	}
	attempt(call);
	return call;
}

bool ady_node_quantity(struct ady_bytes text, uint64_t *out)
{
	static const char digits[] = "0123456789abcdef";

	*out = 0;
	if (text.n < 5 || text.n > 20 || memcmp(text.p, "\"0x", 3) != 0 ||
	    text.p[text.n - 1] != '"')
		return false;
	for (size_t i = 3; i + 1 < text.n; i++) {
		const char *at = memchr(digits, text.p[i] | 0x20, sizeof digits - 1);

		if (!at)
			return false;
		*out = *out * 16 + (uint64_t)(at - digits);
	}
	return true;
}
