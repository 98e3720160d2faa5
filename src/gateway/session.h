/* SPDX-License-Identifier: Apache-2.0
 *
 * One client of JSON-RPC on a connection of its own, by WebSocket or geth's IPC: its calls in work,
 * and its subscriptions at a node. Thread rule: the shard's thread. */
#ifndef ADY_GATEWAY_SESSION_H
#define ADY_GATEWAY_SESSION_H

#include "gateway/caller.h"
#include "gateway/rpc.h"
#include "gateway/shard.h"
#include "net/duplex.h"

enum {
	ADY_SESSIONS_MAX = 1024, /* of a shard */
	ADY_SESSION_CALLS = 64,  /* texts of one client in work; then nothing more is read */
};

struct ady_upstream;

struct ady_session {
	struct ady_shard *shard;
	struct ady_caller caller;
	uint64_t chain; /* 0: none was chosen */
	bool proofs;    /* the client asked for them (gateway/proofs.h) */
	struct ady_duplex *duplex;
	struct ady_upstream *upstream; /* NULL: no subscription was asked for */
	struct ady_session_call *calls;
	size_t calls_n;
	struct ady_session *next, *prev;
	char peer[64];
	bool ending; /* it ends when its calls are answered */
};

/* GET with "Upgrade: websocket": make the connection a session, or refuse. */
void ady_session_upgrade(struct ady_shard *shard, struct ady_http_request *req, uint64_t chain);

/* Open the IPC sockets, on the first shard. Returns the reason in f. */
enum ady_err ady_session_listen(struct ady_shard *shard, struct ady_fault *f);

/* Accept no more by IPC. */
void ady_session_unlisten(struct ady_shard *shard);

/* End sessions when their calls are answered, the rest after ms; done(shard) is called when none is
 * left, maybe at once. */
void ady_session_drain(struct ady_shard *shard, int ms, void (*done)(void *shard));

/* End all sessions at once. */
void ady_session_drop_all(struct ady_shard *shard);

#endif
