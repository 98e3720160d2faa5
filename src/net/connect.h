/* SPDX-License-Identifier: Apache-2.0
 *
 * Connections to servers elsewhere, made without blocking the loop: the name is looked up on a
 * pool's thread, its addresses are tried one after the other, then TLS shakes hands. One absolute
 * deadline for all of it. Thread rule: the loop's thread. */
#ifndef ADY_NET_CONNECT_H
#define ADY_NET_CONNECT_H

#include "base/pool.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/url.h"

/* A TLS context for clients (TLS 1.2 and 1.3, modern suites, ALPN http/1.1) that trusts the roots
 * in the PEM file at ca_file, or with NULL the system's. Returns ADY_E_CONFIG with the reason in f.
 */
enum ady_err ady_tls_client(SSL_CTX **tls, const char *ca_file, struct ady_fault *f);

struct ady_connect_config {
	struct ady_loop *loop;
	struct ady_pool *pool;     /* for look-ups */
	const struct ady_url *url; /* must stay while it connects */
	SSL_CTX *tls;              /* for url->tls */
	/* Once, never from inside ady_connect_start: the stream is the receiver's when f is NULL.
	 * ADY_E_IO, ADY_E_TLS, ADY_E_DEADLINE, ADY_E_BUSY (too many look-ups) with the reason. */
	void (*done)(void *ctx, struct ady_stream *stream, const struct ady_fault *f);
	void *ctx;
};

struct ady_connect;

/* Begin. Out of memory ends the program (parent programs only). */
struct ady_connect *ady_connect_start(const struct ady_connect_config *config, int64_t due_ms);

/* Let go: done is not called. NULL is allowed. */
void ady_connect_drop(struct ady_connect *c);

#endif
