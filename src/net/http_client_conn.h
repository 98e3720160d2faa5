/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection of the HTTP client: connecting, then one exchange after the other. Internal to net
 * (http_client.c, http_client_conn.c). Thread rule: the loop's thread. */
#ifndef ADY_NET_HTTP_CLIENT_CONN_H
#define ADY_NET_HTTP_CLIENT_CONN_H

#include "codec/http_body.h"
#include "net/http_client.h"

struct ady_http_client {
	struct ady_http_client_config config;
	struct ady_dyn head; /* of every request, up to its length */
	struct ady_http_client_conn *conns, *idle;
	size_t conns_n, waiting;
	struct ady_http_exchange *first, *last; /* those that wait */
	struct ady_timer turn;                  /* a connection may be free for one of them */
};

struct ady_http_client_conn {
	struct ady_http_client *client;
	struct ady_http_client_conn *next, *prev;           /* of all */
	struct ady_http_client_conn *idle_next, *idle_prev; /* of the idle ones */
	struct ady_connect *connecting;                     /* NULL: connected */
	struct ady_stream stream;
	struct ady_io io;
	struct ady_timer idle;
	struct ady_http_exchange *exchange; /* NULL: idle */
	bool is_idle, has_head;
	uint32_t watched;
	size_t out_at;
	struct ady_dyn in, body;
	struct ady_http_head head;
	struct ady_dyn head_text; /* what head points into */
	struct ady_http_body framing;
};

/* Begin a connection; it is not idle. */
struct ady_http_client_conn *ady_http_client_conn_open(struct ady_http_client *client);

/* Whether an idle connection looks usable: open, and nothing has come unasked. */
bool ady_http_client_conn_fresh(struct ady_http_client_conn *conn);

/* Begin an exchange on a connection that has none. x->done is not called from inside. */
void ady_http_client_conn_take(struct ady_http_client_conn *conn, struct ady_http_exchange *x);

/* End a connection that has no exchange, or whose exchange was taken from it, and free it. */
void ady_http_client_conn_end(struct ady_http_client_conn *conn);

/* See who may have a free connection, soon. */
void ady_http_client_turn(struct ady_http_client *client);

/* End an exchange with a reply. x may be gone afterwards, and more. */
void ady_http_exchange_reply(struct ady_http_exchange *x, const struct ady_http_head *head,
                             struct ady_bytes body);

/* End an exchange without one. See ady_http_exchange_reply. */
void ady_http_exchange_fail(struct ady_http_exchange *x, enum ady_err err, const char *detail);

#endif
