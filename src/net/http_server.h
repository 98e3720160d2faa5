/* SPDX-License-Identifier: Apache-2.0
 *
 * An HTTP/1.1 server on a loop, plain or TLS, with the limits of doc/limits.md: absolute deadlines
 * for head, body and answer, bounded heads, bodies and connections, no pipelining ahead of an
 * answer. Thread rule: all on the loop's thread; answer from elsewhere by ady_loop_post. */
#ifndef ADY_NET_HTTP_SERVER_H
#define ADY_NET_HTTP_SERVER_H

#include <openssl/ssl.h>

#include "codec/http1.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/transport.h"

struct ady_http_server;
struct ady_http_conn;

/* A request, valid until ady_http_answer; when the client goes away before, cancel is called (if
 * set) and the answer, which is still owed, is dropped. */
struct ady_http_request {
	struct ady_http_head head;
	struct ady_bytes body;
	int64_t arrived_us; /* ady_mono_us when the head was complete */
	char peer[64];      /* address text, for logs */
	bool tls;
	void (*cancel)(struct ady_http_request *req);
	void *user; /* the handler's */
	struct ady_http_conn *conn;
};

struct ady_http_limits {
	size_t body_max, connections_max, requests_max;
	int head_ms, body_ms, write_ms, idle_ms, connection_ms;
};

struct ady_http_config {
	struct ady_endpoint listen; /* tcp or unix; port 0 is filled in */
	SSL_CTX *tls;               /* NULL: plain; a reference is taken */
	struct ady_http_limits limits;
	/* The longest body of a request with this head, in place of limits.body_max. NULL: that. */
	size_t (*body_max)(void *ctx, const struct ady_http_head *head);
	void (*request)(void *ctx,
	                struct ady_http_request *req); /* must be answered, now or later */
	/* A refusal by the server itself (bad head, too large, too slow): fill type and body or
	 * leave them empty. NULL: a plain text answer. */
	void (*refused)(void *ctx, int status, const struct ady_fault *f, const char **type,
	                struct ady_dyn *body);
	void *ctx;
};

/* The limits of doc/limits.md. */
struct ady_http_limits ady_http_default_limits(void);

/* Listen and serve on loop. Returns ADY_E_IO or ADY_E_CONFIG with the reason in f. */
enum ady_err ady_http_server_open(struct ady_http_server **server, struct ady_loop *loop,
                                  struct ady_http_config *config, struct ady_fault *f);

/* The certificate that the client of a request's TLS connection has proved to own: SHA-256 of its
 * DER, and its subject as RFC 2253 writes it ("" when that does not fit). False: there is none. */
bool ady_http_certificate(const struct ady_http_request *req, uint8_t sha256[static 32],
                          char *subject, size_t cap);

/* Answer a request: fields is NULL or complete extra lines ("Retry-After: 1\r\n"). Length, date,
 * connection and the security fields are added. req is gone afterwards. */
void ady_http_answer(struct ady_http_request *req, int status, const char *type, const char *fields,
                     struct ady_bytes body);

/* As ady_http_answer, but announce missing more bytes than body has and end the connection behind
 * it: an answer that is cut short, for those who test clients. */
void ady_http_answer_cut(struct ady_http_request *req, int status, const char *type,
                         struct ady_bytes body, size_t missing);

/* Take the connection itself in place of an answer: another protocol goes on with it (RFC 9110
 * 7.8). *stream is the caller's then, rest gets what came behind the request; the server forgets
 * both. stream->fd is -1 when the client has gone. req is gone afterwards. */
void ady_http_take(struct ady_http_request *req, struct ady_stream *stream, struct ady_dyn *rest);

/* Replace the TLS context for new connections. */
void ady_http_server_set_tls(struct ady_http_server *server, SSL_CTX *tls);

/* Stop accepting; idle connections end now, busy ones after their answer (at most drain_ms). done
 * is called once none is left. */
void ady_http_server_drain(struct ady_http_server *server, int drain_ms, void (*done)(void *ctx));

/* How many connections are open. */
size_t ady_http_server_connections(const struct ady_http_server *server);

/* End everything at once and free. NULL is allowed. */
void ady_http_server_close(struct ady_http_server *server);

/* A server's TLS context (TLS 1.2 and 1.3, modern suites) from PEM files. client_ca: NULL or a PEM
 * file; then clients must present a certificate it signed.
 * Returns ADY_E_CONFIG with the reason in f. */
enum ady_err ady_tls_server(SSL_CTX **tls, const char *cert_file, const char *key_file,
                            const char *client_ca, struct ady_fault *f);

#endif
