/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection of the HTTP server, from its first byte to its last. Internal to net: the server
 * (http_server.c) accepts and drains, the connection begins and ends (http_life.c), reads and asks
 * (http_conn.c) and answers (http_write.c, http_answer.c). Thread rule: all on the loop's thread.
 */
#ifndef ADY_NET_HTTP_CONN_H
#define ADY_NET_HTTP_CONN_H

#include "net/http_server.h"
#include "net/stream.h"

/* Bodies beyond limits.body_max (where config.body_max allows them) take memory: so many at once.
 */
enum { ADY_HTTP_DATE_SIZE = 72, ADY_HTTP_LONG_MAX = 16, ADY_HTTP_LONG_BYTES = 128 * 1024 * 1024 };

struct ady_http_server {
	struct ady_loop *loop;
	struct ady_http_config config;
	struct ady_io io; /* the listener; fd -1 when closed */
	struct ady_timer pause, drain;
	struct ady_http_conn *conns, *last;
	size_t conns_n;
	size_t long_n, long_bytes; /* of bodies longer than limits.body_max */
	bool draining;
	void (*drained)(void *ctx);
	struct ady_dyn scratch; /* the answer that is being written */
	char date[ADY_HTTP_DATE_SIZE];
	int64_t date_s;
};

/* An answer to be composed. */
struct ady_http_answer_parts {
	int status;
	const char *type, *fields;
	struct ady_bytes body;
	size_t missing; /* announced, but not in body */
	bool close, http10;
};

/* A connection is in one phase at a time, and each phase has one absolute end:
 *
 *   HEAD    from the accept, or the first byte of the next request, until the head is whole
 *   BODY    until Content-Length bytes are there
 *   BUSY    the handler owes the answer; nothing more is read
 *   WRITE   the answer has not left yet; nothing is read
 *   IDLE    between an answer and the next request
 *   LINGER  the last answer has left; what still comes is thrown away, so that the kernel does not
 *           reset the connection before the peer has read the answer (RFC 9112 9.6)
 *
 * The timer is lazy: when a phase ends early it is left to fire, and then set for what is due. */
enum ady_http_phase {
	ADY_HTTP_HEAD,
	ADY_HTTP_BODY,
	ADY_HTTP_BUSY,
	ADY_HTTP_WRITE,
	ADY_HTTP_IDLE,
	ADY_HTTP_LINGER,
};

/* Storage beyond this is given back when a connection becomes idle. */
enum { ADY_HTTP_KEEP_WHEN_IDLE = 4096 };

struct ady_http_conn {
	struct ady_http_request req;
	struct ady_http_server *server; /* NULL once the connection has ended */
	struct ady_http_conn *prev, *next;
	struct ady_io io;
	struct ady_timer timer;
	struct ady_task resume;
	struct ady_stream stream;
	enum ady_http_phase phase;
	uint32_t watched;
	uint8_t *in;
	size_t in_n, in_cap;
	size_t need;        /* bytes of in without which parsing is of no use */
	size_t taken;       /* bytes of in that are the current request */
	struct ady_dyn out; /* what the socket did not take yet */
	size_t out_at;
	int64_t opened_ms, since_ms, end_ms, due_ms;
	size_t moved; /* bytes since since_ms */
	size_t requests;
	size_t long_bytes; /* of a body longer than limits.body_max */
	unsigned pins;     /* who still uses this structure; it is freed by the last */
	bool surplus, owed, in_handler, closing;
	bool readable; /* another read may give something */
};

/* Serve fd. surplus: beyond the limit of connections, its first request is answered with 503. */
void ady_http_conn_open(struct ady_http_server *server, int fd, bool surplus);

/* Hold the structure; ady_http_conn_unpin lets go, and frees it when no one holds it. */
void ady_http_conn_pin(struct ady_http_conn *c);

/* See ady_http_conn_pin. */
void ady_http_conn_unpin(struct ady_http_conn *c);

/* Move a connection to the front of the server's list: a whole request has come. */
void ady_http_conn_renew(struct ady_http_conn *c);

/* What the loop calls: in http_conn.c. */
void ady_http_conn_io(struct ady_io *io, uint32_t ready);

/* See ady_http_conn_io. */
void ady_http_conn_timer(struct ady_timer *timer);

/* See ady_http_conn_io. */
void ady_http_conn_resume(struct ady_task *task);

/* End a connection at once. An answer still owed is dropped, its cancel called. For callbacks of
 * the connection, which hold it: the structure stays until they let go. */
void ady_http_conn_end(struct ady_http_conn *c);

/* End a connection at once, as above, for those who do not hold it: *c may be gone then. */
void ady_http_conn_close(struct ady_http_conn *c);

/* End the connection that has waited longest for its client to complete a request: whoever only
 * holds connections must not keep others out. False: there is none, all are being answered. */
bool ady_http_conn_make_room(struct ady_http_server *server);

/* End a connection that waits for its next request; others end after their answer. */
void ady_http_conn_drain(struct ady_http_conn *c);

/* A body of n bytes, more than limits.body_max, is about to come. False: there are
 * ADY_HTTP_LONG_MAX of them already, or more than ADY_HTTP_LONG_BYTES with it. */
bool ady_http_conn_lengthen(struct ady_http_conn *c, size_t n);

/* Such a body is gone, or there was none. */
void ady_http_conn_shorten(struct ady_http_conn *c);

/* The next connection of the server's list. */
struct ady_http_conn *ady_http_conn_next(const struct ady_http_conn *c);

/* A connection has left the list. */
void ady_http_server_left(struct ady_http_server *server);

/* Enter a phase that lasts at most ms. rated: the minimum rate is checked as well. */
void ady_http_enter(struct ady_http_conn *c, enum ady_http_phase phase, int ms, bool rated);

/* Move the timer to due_ms (ady_mono_ms; now is the time now). */
void ady_http_set_due(struct ady_http_conn *c, int64_t now, int64_t due_ms);

/* Whether the peer took longer than its phase allows, or moved too little. */
bool ady_http_too_slow(const struct ady_http_conn *c, int64_t now);

/* Whether bytes wait for the socket. */
bool ady_http_out_waits(const struct ady_http_conn *c);

/* Write what waits; the connection may move to its next phase, or end. */
void ady_http_flush(struct ady_http_conn *c);

/* Answer the current request; may end the connection. */
void ady_http_send(struct ady_http_conn *c, struct ady_http_answer_parts *a);

/* Send an interim answer (RFC 9110 15.2); may end the connection. */
void ady_http_send_interim(struct ady_http_conn *c, const char *head);

/* Refuse what came, in the words of the program if it has some; the connection ends then, because
 * where the next request begins is not known. */
void ady_http_refuse(struct ady_http_conn *c, int status, const struct ady_fault *f);

/* Compose the head of an answer into server->scratch. */
void ady_http_compose(struct ady_http_server *server, const struct ady_http_answer_parts *a);

/* The status for a refusal of the parser (RFC 9110 15, RFC 6585 5). */
int ady_http_refusal_status(const struct ady_fault *f);

#endif
