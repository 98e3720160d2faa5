/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP/1.1 requests to one server, on a loop: connections are kept and used again, a bounded number
 * of them; what finds none free waits its turn. Replies are read strictly, up to a limit, and each
 * request has one absolute deadline for everything. Nothing is sent twice here: whether a request
 * whose connection broke may be repeated, its sender knows. Thread rule: the loop's thread. */
#ifndef ADY_NET_HTTP_CLIENT_H
#define ADY_NET_HTTP_CLIENT_H

#include "codec/http1.h"
#include "net/connect.h"

struct ady_http_client;
struct ady_http_client_conn;

struct ady_http_client_config {
	struct ady_loop *loop;
	struct ady_pool *pool;     /* for look-ups */
	const struct ady_url *url; /* must stay */
	SSL_CTX *tls;              /* for url->tls; a reference is taken */
	const char *fields;        /* NULL, or complete extra lines for every request; copied */
	size_t connections_max, waiting_max, reply_max;
	int connect_ms, idle_ms;
};

/* A request and who waits for its reply, inside a structure of the caller. */
struct ady_http_exchange {
	/* Once, never from inside ady_http_post. Without a fault: a reply, valid during the call.
	 * sent: the server may have had the request, whole or in part. Faults: ADY_E_IO, ADY_E_TLS,
	 * ADY_E_DEADLINE, ADY_E_HTTP (a malformed reply), ADY_E_TOO_LARGE. */
	void (*done)(struct ady_http_exchange *x, const struct ady_http_head *head,
	             struct ady_bytes body, const struct ady_fault *f);
	bool sent;
	/* The client's own. */
	struct ady_http_client *client; /* NULL: not under way */
	struct ady_http_client_conn *conn;
	struct ady_timer deadline;
	struct ady_dyn request;
	struct ady_http_exchange *next, *prev; /* of those that wait */
};

/* Make a client; nothing is connected yet. Out of memory ends the program (parent programs only).
 */
struct ady_http_client *ady_http_client_open(const struct ady_http_client_config *config);

/* Free. Every exchange must be done or forgotten. NULL is allowed. */
void ady_http_client_close(struct ady_http_client *client);

/* POST body (copied) as JSON, to be answered until due_ms (ady_mono_ms). x->done must be set.
 * Returns: ADY_E_BUSY when waiting_max requests wait already. */
enum ady_err ady_http_post(struct ady_http_client *client, struct ady_http_exchange *x,
                           struct ady_bytes body, int64_t due_ms);

/* GET target (a path of its own, not the configured one's). As ady_http_post. */
enum ady_err ady_http_get(struct ady_http_client *client, struct ady_http_exchange *x,
                          const char *target, int64_t due_ms);

/* Let go of an exchange that is under way (harmless otherwise): done is not called. */
void ady_http_forget(struct ady_http_exchange *x);

#endif
