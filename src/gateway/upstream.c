/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "codec/json_members.h"
#include "gateway/rpc_pass.h"
#include "gateway/session.h"
#include "net/duplex.h"
#include "net/ws_handshake.h"

enum { DIAL_MS = 5000 };

/* A call that waits for the node's answer. */
struct asked {
	struct ady_upstream *upstream;
	struct ady_rpc_call *call;
	uint64_t id;
	struct ady_dyn text; /* waits for the connection; empty once it is sent */
	bool subscribes;
	struct asked *next;
};

struct ady_upstream {
	struct ady_session *session;
	uint64_t chain, tried; /* tried: bits of nodes */
	size_t node;
	struct ady_ws_dial *dial;
	struct ady_duplex *duplex; /* NULL: not connected */
	struct asked *asked;
	uint64_t last_id;
	size_t subscriptions;
};

static void dial_next(struct ady_upstream *u, const char *why);

/* --- those that wait --- */

static void leave(struct asked *a)
{
	struct asked **at = &a->upstream->asked;

	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
	ady_dyn_free(&a->text);
	free(a);
}

static void cancel(struct ady_rpc_call *call)
{
	leave(call->state);
}

static void fail_all(struct ady_upstream *u, const char *why)
{
	struct asked *a;

	while ((a = u->asked)) { /* answering a call may end others */
		struct ady_rpc_call *call = a->call;

		u->asked = a->next;
		ady_dyn_free(&a->text);
		free(a);
		call->cancel = NULL;
		ady_rpc_error(call, ADY_RPC_UNAVAILABLE, why);
	}
}

/* --- the connection --- */

void ady_upstream_close(struct ady_upstream *u)
{
	if (!u)
		return;
	ady_ws_dial_drop(u->dial);
	ady_duplex_drop(u->duplex);
	free(u);
}

static struct asked *find(struct ady_upstream *u, struct ady_bytes id)
{
	char text[24];

	for (struct asked *a = u->asked; a; a = a->next) {
		snprintf(text, sizeof text, "%llu", (unsigned long long)a->id);
		if (ady_bytes_is(id, text))
			return a;
	}
	return NULL;
}

static void on_answer(struct ady_upstream *u, struct asked *a, struct ady_bytes text)
{
	struct ady_rpc_call *call = a->call;
	struct ady_bytes result = {0}, error = {0};

	(void)ady_json_members_get(text, "result", &result);
	(void)ady_json_members_get(text, "error", &error);
	if (error.n > 0 && error.p[0] != '{')
		error = (struct ady_bytes){0}; /* some say "error": null beside a result */
	if (result.n && !error.n && a->subscribes)
		u->subscriptions++;
	leave(a);
	call->cancel = NULL;
	ady_rpc_pass_on(call, result, error);
}

static void on_text(void *ctx, struct ady_bytes text)
{
	struct ady_upstream *u = ctx;
	struct ady_bytes id, method;
	struct asked *a;

	if (ady_json_members_get(text, "method", &method) == ADY_OK) {
		ady_duplex_send(u->session->duplex, text);
		return;
	}
	if (ady_json_members_get(text, "id", &id) != ADY_OK)
		return;
	a = find(u, id);
	if (a)
		on_answer(u, a, text);
}

/* Whoever has subscribed has to know that it hears no more. */
static void on_closed(void *ctx, unsigned code, const char *why)
{
	struct ady_upstream *u = ctx;

	(void)code;
	(void)why;
	u->duplex = NULL;
	fail_all(u, "the node ended the connection");
	if (u->subscriptions > 0)
		ady_duplex_close(u->session->duplex, ADY_WS_RESTART,
		                 "the node has gone: subscribe again");
	u->subscriptions = 0;
	u->tried = 0;
}

static void send_waiting(struct ady_upstream *u)
{
	for (struct asked *a = u->asked; a; a = a->next) {
		if (a->text.n == 0)
			continue;
		ady_duplex_send(u->duplex, ady_dyn_bytes(&a->text));
		ady_dyn_free(&a->text);
	}
}

static void on_dialled(void *ctx, struct ady_stream *stream, struct ady_bytes rest,
                       const struct ady_fault *f)
{
	struct ady_upstream *u = ctx;
	struct ady_duplex_config config = {.loop = u->session->shard->loop,
	                                   .framing = ADY_FRAMING_WS_CLIENT,
	                                   .limits = ady_duplex_default_limits(),
	                                   .text = on_text,
	                                   .closed = on_closed,
	                                   .ctx = u};

	u->dial = NULL;
	if (f) {
		ady_node_mark(&u->session->shard->gateway->nodes.all[u->node], ADY_NODE_UNWELL,
		              f->detail);
		dial_next(u, f->detail);
		return;
	}
	config.limits.text_max = config.limits.queue_max / 4;
	u->duplex = ady_duplex_open(&config, stream, (struct ady_bytes){0}, rest);
	send_waiting(u);
}

static void dial_next(struct ady_upstream *u, const char *why)
{
	struct ady_shard *shard = u->session->shard;
	struct ady_ws_dial_config config = {
	    .loop = shard->loop, .pool = shard->gateway->lookups, .done = on_dialled, .ctx = u};
	const struct ady_node *node;
	char message[200];

	u->node = ady_nodes_pick(&shard->gateway->nodes, u->chain, u->tried, true);
	if (u->node == SIZE_MAX) {
		snprintf(message, sizeof message, "no node can be subscribed at: %s", why);
		u->tried = 0;
		fail_all(u, message);
		return;
	}
	u->tried |= UINT64_C(1) << u->node;
	node = &shard->gateway->nodes.all[u->node];
	config.url = &node->config->ws;
	config.tls = node->tls;
	config.fields = node->fields;
	u->dial = ady_ws_dial_start(&config, ady_mono_ms() + DIAL_MS);
}

/* --- calls --- */

static void enter(struct ady_upstream *u, struct ady_rpc_call *call)
{
	struct asked *a = calloc(1, sizeof *a);

	if (!a)
		ADY_BUG("out of memory");
	a->upstream = u;
	a->call = call;
	a->id = ++u->last_id;
	a->subscribes = strcmp(call->name, "eth_subscribe") == 0;
	a->next = u->asked;
	u->asked = a;
	ady_rpc_pass_text(call, a->id, &a->text);
	call->state = a;
	call->cancel = cancel;
}

void ady_upstream_call(struct ady_rpc_call *call)
{
	struct ady_session *s = call->connection;
	struct ady_upstream *u;
	uint64_t chain;

	if (!s) {
		ady_rpc_error(call, ADY_RPC_METHOD, "notifications not supported: use WebSocket");
		return;
	}
	if (!ady_rpc_chain(call, &chain))
		return;
	u = s->upstream;
	if (!u) {
		u = s->upstream = calloc(1, sizeof *u);
		if (!u)
			ADY_BUG("out of memory");
		u->session = s;
		u->chain = chain;
	}
	enter(u, call);
	if (u->duplex)
		send_waiting(u);
	else if (!u->dial)
		dial_next(u, "none has a ws URL");
}
