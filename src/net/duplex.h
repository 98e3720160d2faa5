/* SPDX-License-Identifier: Apache-2.0
 *
 * A connection that carries whole texts both ways, on a loop: WebSocket (RFC 6455, either side), or
 * JSON values back to back on a stream (geth's IPC). Bounded everywhere: a text that is too long, a
 * peer that does not read, one that is silent for too long end it. Thread rule: the loop's thread.
 */
#ifndef ADY_NET_DUPLEX_H
#define ADY_NET_DUPLEX_H

#include "codec/ws.h"
#include "net/loop.h"
#include "net/stream.h"

struct ady_duplex;

enum ady_framing {
	ADY_FRAMING_WS_SERVER, /* this side is the server */
	ADY_FRAMING_WS_CLIENT,
	ADY_FRAMING_JSON,
};

struct ady_duplex_limits {
	size_t text_max;  /* of one text that comes */
	size_t queue_max; /* of what waits to be sent: beyond it the connection ends */
	int ping_ms;      /* WebSocket: a peer that said nothing for so long is asked to answer */
	int silent_ms;    /* and one that says nothing for so much longer has gone */
	int write_ms; /* a peer that takes nothing for so long, though something waits, has gone */
};

struct ady_duplex_config {
	struct ady_loop *loop;
	enum ady_framing framing;
	struct ady_duplex_limits limits;
	/* A text, valid during the call. In it the receiver may send, hold and close, but not drop.
	 */
	void (*text)(void *ctx, struct ady_bytes text);
	/* The connection has ended: once, never from inside a call of the receiver's. code: what
	 * the peer said (of a JSON stream ADY_WS_NORMAL at a clean end), what it was told when this
	 * side ended it for a fault, or ADY_WS_CUT. The duplex is gone afterwards. */
	void (*closed)(void *ctx, unsigned code, const char *why);
	void *ctx;
};

/* The limits of doc/limits.md. */
struct ady_duplex_limits ady_duplex_default_limits(void);

/* Take over a stream and serve it. first: what this side says before all else, as it stands (the
 * reply to an upgrade); rest: what was read of the stream already. Out of memory ends the program
 * (parent programs only). */
struct ady_duplex *ady_duplex_open(const struct ady_duplex_config *config,
                                   const struct ady_stream *stream, struct ady_bytes first,
                                   struct ady_bytes rest);

/* Queue a text. It is dropped when the connection is ending. */
void ady_duplex_send(struct ady_duplex *d, struct ady_bytes text);

/* Read nothing more (true), or go on. What has been read already may still come as a text. */
void ady_duplex_hold(struct ady_duplex *d, bool hold);

/* Begin to end: what waits is sent, then code and why (WebSocket), then a second is left for the
 * peer to do the same. Texts are not read any more. config.closed is called at the end. */
void ady_duplex_close(struct ady_duplex *d, enum ady_ws_code code, const char *why);

/* End at once and free; config.closed is not called. NULL is allowed. */
void ady_duplex_drop(struct ady_duplex *d);

#endif
