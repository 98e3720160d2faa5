/* SPDX-License-Identifier: Apache-2.0
 *
 * The opening handshake of WebSocket (RFC 6455 4) on both sides. No extensions and no subprotocols
 * are spoken. */
#ifndef ADY_NET_WS_HANDSHAKE_H
#define ADY_NET_WS_HANDSHAKE_H

#include "codec/http1.h"
#include "net/connect.h"

enum { ADY_WS_ACCEPT_SIZE = 29, ADY_WS_KEY_SIZE = 25 };

/* Write the Sec-WebSocket-Accept for a key (24 base64 characters). */
void ady_ws_accept(char out[static ADY_WS_ACCEPT_SIZE], struct ady_bytes key);

/* Whether a request asks to become a WebSocket: a GET with "Upgrade: websocket". */
bool ady_ws_is_upgrade(const struct ady_http_head *head);

/* Check such a request and append the reply "101 Switching Protocols" to out.
 * Returns: ADY_E_HTTP with the reason in f (answer 400, or 426 when f->where says
 * "sec-websocket-version"), nothing is appended then. */
enum ady_err ady_ws_accept_upgrade(struct ady_dyn *out, const struct ady_http_head *head,
                                   struct ady_fault *f);

struct ady_ws_dial;

struct ady_ws_dial_config {
	struct ady_loop *loop;
	struct ady_pool *pool;     /* for look-ups */
	const struct ady_url *url; /* must stay while it dials */
	SSL_CTX *tls;              /* for url->tls */
	const char *fields;        /* NULL, or complete extra lines of the request */
	/* Once, never from inside ady_ws_dial_start: an open WebSocket for ady_duplex_open, with
	 * what came behind the handshake, when f is NULL. */
	void (*done)(void *ctx, struct ady_stream *stream, struct ady_bytes rest,
	             const struct ady_fault *f);
	void *ctx;
};

/* Connect and shake hands as a client, until due_ms (ady_mono_ms). Out of memory ends the program
 * (parent programs only). */
struct ady_ws_dial *ady_ws_dial_start(const struct ady_ws_dial_config *config, int64_t due_ms);

/* Let go: done is not called. NULL is allowed. */
void ady_ws_dial_drop(struct ady_ws_dial *dial);

#endif
