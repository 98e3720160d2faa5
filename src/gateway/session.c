/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "gateway/op.h"
#include "gateway/proofs.h"
#include "gateway/upstream.h"
#include "net/listener.h"
#include "net/ws_handshake.h"

#define OWNER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* One text in work. */
struct ady_session_call {
	struct ady_session *session;
	struct ady_rpc *rpc;
	struct ady_session_call *next, *prev;
	bool done; /* answered, while it was still being begun */
};

/* --- the end --- */

static void leave_call(struct ady_session_call *call)
{
	struct ady_session *s = call->session;

	*(call->prev ? &call->prev->next : &s->calls) = call->next;
	if (call->next)
		call->next->prev = call->prev;
	s->calls_n--;
	free(call);
}

static void free_session(struct ady_session *s)
{
	struct ady_session_call *next;

	for (struct ady_session_call *call = s->calls; call; call = next) {
		next = call->next;
		ady_rpc_drop(call->rpc);
		free(call);
	}
	ady_upstream_close(s->upstream);
	*(s->prev ? &s->prev->next : &s->shard->sessions) = s->next;
	if (s->next)
		s->next->prev = s->prev;
	s->shard->sessions_n--;
	if (s->shard->sessions_n == 0 && s->shard->sessions_done)
		ady_timer_set(s->shard->loop, &s->shard->sessions_timer, 0);
	free(s);
}

static void on_closed(void *ctx, unsigned code, const char *why)
{
	struct ady_session *s = ctx;

	ADY_DEBUG("session closed", "peer=%s code=%u reason=\"%s\"", s->peer, code, why);
	free_session(s);
}

static void on_drained(struct ady_timer *timer)
{
	struct ady_shard *shard = OWNER(timer, struct ady_shard, sessions_timer);
	void (*done)(void *) = shard->sessions_done;

	shard->sessions_done = NULL; /* ending the rest sets no timer again */
	ady_session_drop_all(shard);
	done(shard);
}

void ady_session_drain(struct ady_shard *shard, int ms, void (*done)(void *shard))
{
	shard->sessions_done = done;
	shard->sessions_timer = (struct ady_timer){.fn = on_drained};
	ady_timer_set(shard->loop, &shard->sessions_timer, shard->sessions ? ms : 0);
	for (struct ady_session *s = shard->sessions; s; s = s->next) {
		s->ending = true;
		ady_duplex_hold(s->duplex, true);
		if (s->calls_n == 0)
			ady_duplex_close(s->duplex, ADY_WS_GOING_AWAY, "the gateway is ending");
	}
}

void ady_session_drop_all(struct ady_shard *shard)
{
	struct ady_session *next;

	for (struct ady_session *s = shard->sessions; s; s = next) {
		next = s->next;
		ady_duplex_drop(s->duplex);
		free_session(s);
	}
}

/* --- calls --- */

static void on_answer(void *ctx, struct ady_bytes answer)
{
	struct ady_session_call *call = ctx;
	struct ady_session *s = call->session;

	if (answer.n > 0)
		ady_duplex_send(s->duplex, answer);
	if (!call->rpc) {
		call->done = true; /* ady_rpc_start has not returned yet */
		return;
	}
	leave_call(call);
	if (s->ending && s->calls_n == 0)
		ady_duplex_close(s->duplex, ADY_WS_GOING_AWAY, "the gateway is ending");
	else if (s->calls_n == ADY_SESSION_CALLS - 1 && !s->ending)
		ady_duplex_hold(s->duplex, false);
}

static void on_text(void *ctx, struct ady_bytes text)
{
	struct ady_session *s = ctx;
	struct ady_session_call *call = calloc(1, sizeof *call);
	struct ady_rpc_ask ask = {
	    .shard = s->shard,
	    .caller = &s->caller,
	    .connection = s,
	    .chain = s->chain,
	    .text = text,
	    .timeout_ms = s->shard->gateway->config->request_timeout_ms,
	    .proofs = s->proofs ? ADY_RPC_PROOFS_WITHIN : ADY_RPC_UNPROVED,
	    .done = on_answer,
	    .ctx = call,
	};

	if (!call)
		ADY_BUG("out of memory");
	call->session = s;
	call->next = s->calls;
	if (call->next)
		call->next->prev = call;
	s->calls = call;
	s->calls_n++;
	call->rpc = ady_rpc_start(&ask);
	if (call->done)
		leave_call(call);
	if (s->calls_n >= ADY_SESSION_CALLS)
		ady_duplex_hold(s->duplex, true);
}

/* --- the beginning --- */

static void begin(struct ady_shard *shard, const struct ady_session *how, enum ady_framing framing,
                  const struct ady_stream *stream, struct ady_bytes first, struct ady_bytes rest)
{
	struct ady_session *s = malloc(sizeof *s);
	struct ady_duplex_config config = {.loop = shard->loop,
	                                   .framing = framing,
	                                   .limits = ady_duplex_default_limits(),
	                                   .text = on_text,
	                                   .closed = on_closed,
	                                   .ctx = s};

	if (!s)
		ADY_BUG("out of memory");
	*s = *how;
	s->shard = shard;
	s->next = shard->sessions;
	if (s->next)
		s->next->prev = s;
	shard->sessions = s;
	shard->sessions_n++;
	config.limits.text_max = ADY_RPC_TEXT_MAX;
	s->duplex = ady_duplex_open(&config, stream, first, rest);
}

static void refuse(struct ady_shard *shard, struct ady_http_request *req, enum ady_err err,
                   const char *detail)
{
	struct ady_fault f;

	(void)ady_fail(&f, err, NULL, "%s", detail);
	ady_problem_now(shard, req, ADY_ROUTE_WS, &f, NULL);
}

void ady_session_upgrade(struct ady_shard *shard, struct ady_http_request *req, uint64_t chain)
{
	struct ady_session how = {.chain = chain};
	struct ady_dyn reply = {0}, rest = {0};
	struct ady_stream stream;
	struct ady_fault f;

	if (!ady_op_from_client(shard, req, ADY_ROUTE_WS, &how.caller))
		return;
	if (shard->sessions_n >= ADY_SESSIONS_MAX || shard->draining) {
		refuse(shard, req, ADY_E_BUSY, "too many sessions are open");
		return;
	}
	if (ady_ws_accept_upgrade(&reply, &req->head, &f) != ADY_OK) {
		ady_problem_now(shard, req, ADY_ROUTE_WS, &f, "Sec-WebSocket-Version: 13\r\n");
		return;
	}
	snprintf(how.peer, sizeof how.peer, "%s", req->peer);
	(void)ady_proofs_asked(&how.proofs, req, &f); /* the router has refused bad ones */
	ady_metrics_request(&shard->metrics, ADY_ROUTE_WS, 101);
	ady_http_take(req, &stream, &rest);
	if (stream.fd >= 0)
		begin(shard, &how, ADY_FRAMING_WS_SERVER, &stream, ady_dyn_bytes(&reply),
		      ady_dyn_bytes(&rest));
	ady_dyn_free(&reply);
	ady_dyn_free(&rest);
}

/* --- ipc --- */

/* Whoever may open the socket's file is the tenant: its mode is 0600. */
static void on_accept(void *ctx, int fd)
{
	const struct ady_door *door = ctx;
	const struct ady_config_ipc *ipc = door->config;
	struct ady_shard *shard = door->shard;
	struct ady_session how = {.chain = ipc->chain, .peer = "ipc"};
	struct ady_stream stream;

	how.caller = (struct ady_caller){.tenant = ipc->tenant,
	                                 .tenant_index = ipc->tenant_index,
	                                 .everyone = !ipc->tenant,
	                                 .admin = !ipc->tenant,
	                                 .manage = true};
	if (ady_stream_open(&stream, fd, NULL) != ADY_OK)
		return;
	if (shard->sessions_n >= ADY_SESSIONS_MAX) {
		ady_stream_close(&stream);
		return;
	}
	begin(shard, &how, ADY_FRAMING_JSON, &stream, (struct ady_bytes){0}, (struct ady_bytes){0});
}

enum ady_err ady_session_listen(struct ady_shard *shard, struct ady_fault *f)
{
	const struct ady_gateway_config *config = shard->gateway->config;
	enum ady_err err = ADY_OK;

	for (size_t i = 0; err == ADY_OK && i < config->ipc_n; i++) {
		struct ady_endpoint at = config->ipc[i].at;
		struct ady_door *door = &shard->doors[i];

		*door = (struct ady_door){.shard = shard, .config = &config->ipc[i]};
		err = ady_listener_open(&door->listener, shard->loop, &at, on_accept, door, f);
	}
	return err;
}

void ady_session_unlisten(struct ady_shard *shard)
{
	for (size_t i = 0; i < ADY_GATEWAY_LISTEN_MAX; i++) {
		ady_listener_close(shard->doors[i].listener);
		shard->doors[i].listener = NULL;
	}
}
