/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_client_conn.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"

enum { READ_AT_ONCE = 16 * 1024, KEEP_WHEN_IDLE = 64 * 1024 };

#define OWNER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* --- lists --- */

static void leave_idle(struct ady_http_client_conn *conn)
{
	if (!conn->is_idle)
		return;
	if (conn->idle_next)
		conn->idle_next->idle_prev = conn->idle_prev;
	*(conn->idle_prev ? &conn->idle_prev->idle_next : &conn->client->idle) = conn->idle_next;
	conn->is_idle = false;
	ady_timer_cancel(conn->client->config.loop, &conn->idle);
}

void ady_http_client_conn_end(struct ady_http_client_conn *conn)
{
	struct ady_http_client *client = conn->client;

	leave_idle(conn);
	if (conn->next)
		conn->next->prev = conn->prev;
	*(conn->prev ? &conn->prev->next : &client->conns) = conn->next;
	client->conns_n--;
	ady_connect_drop(conn->connecting);
	if (conn->watched)
		ady_loop_del(client->config.loop, &conn->io);
	ady_stream_close(&conn->stream);
	ady_dyn_free(&conn->in);
	ady_dyn_free(&conn->body);
	ady_dyn_free(&conn->head_text);
	free(conn);
	ady_http_client_turn(client);
}

static void fail(struct ady_http_client_conn *conn, enum ady_err err, const char *detail)
{
	struct ady_http_exchange *x = conn->exchange;

	conn->exchange = NULL;
	ady_http_client_conn_end(conn);
	if (x)
		ady_http_exchange_fail(x, err, detail);
}

static void become_idle(struct ady_http_client_conn *conn)
{
	struct ady_http_client *client = conn->client;

	if (conn->body.cap > KEEP_WHEN_IDLE)
		ady_dyn_free(&conn->body);
	conn->is_idle = true;
	conn->idle_prev = NULL;
	conn->idle_next = client->idle;
	if (client->idle)
		client->idle->idle_prev = conn;
	client->idle = conn;
	ady_timer_set(client->config.loop, &conn->idle, client->config.idle_ms);
	ady_http_client_turn(client);
}

static void on_idle(struct ady_timer *timer)
{
	ady_http_client_conn_end(OWNER(timer, struct ady_http_client_conn, idle));
}

/* --- reading --- */

static bool may_be_kept(const struct ady_http_client_conn *conn)
{
	return conn->head.keep_alive && conn->framing.stage != ADY_BODY_TO_END && conn->in.n == 0 &&
	       conn->out_at == conn->exchange->request.n;
}

/* The reply is whole. The connection is settled first, the receiver told last: it may do anything.
 */
static void reply(struct ady_http_client_conn *conn)
{
	struct ady_http_exchange *x = conn->exchange;
	struct ady_http_head head = conn->head;
	struct ady_dyn text = conn->head_text, body = conn->body;
	bool keep = may_be_kept(conn);

	conn->exchange = NULL;
	conn->has_head = false;
	conn->head_text = conn->body = (struct ady_dyn){0};
	if (keep)
		become_idle(conn);
	else
		ady_http_client_conn_end(conn);
	ady_http_exchange_reply(x, &head, ady_dyn_bytes(&body));
	ady_dyn_free(&text);
	ady_dyn_free(&body);
}

/* Interim replies (RFC 9110 15.2) are passed over, but for one that changes the protocol. */
static enum ady_err take_head(struct ady_http_client_conn *conn, struct ady_fault *f)
{
	enum ady_err err = ady_http_parse_reply(&conn->head, ady_bytes(conn->in.p, conn->in.n), f);
	size_t size = conn->head.size;

	if (err != ADY_OK)
		return err;
	if (conn->head.status == 101)
		return ady_fail(f, ADY_E_HTTP, "status", "is 101, which nobody asked for");
	if (conn->head.status < 200) {
		ady_dyn_drop(&conn->in, size);
		return ADY_OK;
	}
	conn->head_text.n = 0;
	ady_dyn_put(&conn->head_text, conn->in.p, size);
	(void)ady_http_parse_reply(&conn->head, ady_dyn_bytes(&conn->head_text), NULL);
	ady_dyn_drop(&conn->in, size);
	conn->has_head = true;
	conn->body.n = 0;
	ady_http_body_begin(&conn->framing, &conn->head);
	return ADY_OK;
}

static enum ady_err take_body(struct ady_http_client_conn *conn, struct ady_fault *f)
{
	size_t used, max = conn->client->config.reply_max;
	struct ady_bytes piece;
	enum ady_err err =
	    ady_http_body_next(&conn->framing, &piece, &used, ady_dyn_bytes(&conn->in));

	if (err == ADY_E_HTTP || err == ADY_E_TOO_LARGE)
		return ady_fail(f, err, "body", "has a bad chunk");
	if (err != ADY_OK)
		return err;
	if (piece.n > max - conn->body.n || (conn->framing.stage == ADY_BODY_LENGTH &&
	                                     conn->framing.left > max - conn->body.n - piece.n))
		return ady_fail(f, ADY_E_TOO_LARGE, "body", "is longer than %zu bytes", max);
	ady_dyn_put(&conn->body, piece.p, piece.n);
	ady_dyn_drop(&conn->in, used);
	return ADY_OK;
}

/* Take what has come. False: the connection has ended, or its exchange. */
static bool take(struct ady_http_client_conn *conn)
{
	struct ady_fault f = {0};
	enum ady_err err = ADY_OK;

	while (err == ADY_OK) {
		if (conn->has_head && conn->framing.stage == ADY_BODY_DONE) {
			reply(conn);
			return false;
		}
		err = conn->has_head ? take_body(conn, &f) : take_head(conn, &f);
	}
	if (err == ADY_E_AGAIN)
		return true;
	fail(conn, err, f.detail);
	return false;
}

static void at_end(struct ady_http_client_conn *conn)
{
	if (!conn->exchange) {
		ady_http_client_conn_end(conn);
		return;
	}
	if (conn->has_head && conn->framing.stage == ADY_BODY_TO_END) {
		conn->head.keep_alive = false;
		reply(conn);
		return;
	}
	fail(conn, ADY_E_IO, "the server ended the connection");
}

/* False: the connection is gone, or idle. */
static bool fill(struct ady_http_client_conn *conn)
{
	bool more = true;

	while (more) {
		uint8_t *to = ady_dyn_room(&conn->in, READ_AT_ONCE);
		ssize_t n = ady_stream_read(&conn->stream, to, READ_AT_ONCE, &more);

		if (n == ADY_STREAM_AGAIN)
			return true;
		if (n <= 0 || !conn->exchange) { /* nothing may come while nothing is asked */
			at_end(conn);
			return false;
		}
		conn->in.n += (size_t)n;
		if (!take(conn))
			return false;
	}
	return true;
}

/* --- writing --- */

static bool has_out(const struct ady_http_client_conn *conn)
{
	return conn->exchange && conn->out_at < conn->exchange->request.n;
}

static void watch(struct ady_http_client_conn *conn)
{
	uint32_t want = EPOLLIN | (has_out(conn) || conn->stream.wants_out ? EPOLLOUT : 0U);

	if (want != conn->watched)
		ady_loop_set(conn->client->config.loop, &conn->io, want);
	conn->watched = want;
}

/* False: broken. */
static bool flush(struct ady_http_client_conn *conn)
{
	struct ady_http_exchange *x = conn->exchange;
	struct iovec iov;
	ssize_t n;

	if (!has_out(conn))
		return true;
	iov.iov_base = x->request.p + conn->out_at;
	iov.iov_len = x->request.n - conn->out_at;
	x->sent = true;
	n = ady_stream_write(&conn->stream, &iov, 1);
	if (n == ADY_STREAM_BROKEN)
		return false;
	conn->out_at += (size_t)n;
	return true;
}

static void on_ready(struct ady_io *io, uint32_t ready)
{
	struct ady_http_client_conn *conn = OWNER(io, struct ady_http_client_conn, io);

	/* A server that refuses a request while it is still being sent has its say first. */
	if (ready & (EPOLLIN | EPOLLHUP | EPOLLERR) || conn->stream.wants_out)
		if (!fill(conn))
			return;
	if (!flush(conn)) {
		fail(conn, ADY_E_IO, "the server ended the connection");
		return;
	}
	watch(conn);
}

static void on_connected(void *ctx, struct ady_stream *stream, const struct ady_fault *f)
{
	struct ady_http_client_conn *conn = ctx;

	conn->connecting = NULL;
	if (f) {
		fail(conn, f->err, f->detail);
		return;
	}
	conn->stream = *stream;
	conn->io.fd = stream->fd;
	conn->watched = EPOLLIN;
	if (ady_loop_add(conn->client->config.loop, &conn->io, EPOLLIN) != ADY_OK) {
		conn->watched = 0;
		fail(conn, ADY_E_IO, "epoll_ctl failed");
		return;
	}
	if (!flush(conn))
		fail(conn, ADY_E_IO, "the server ended the connection");
	else
		watch(conn);
}

/* --- beginning --- */

struct ady_http_client_conn *ady_http_client_conn_open(struct ady_http_client *client)
{
	struct ady_http_client_conn *conn = calloc(1, sizeof *conn);

	if (!conn)
		ADY_BUG("out of memory");
	conn->client = client;
	conn->stream.fd = -1;
	conn->io = (struct ady_io){.fd = -1, .fn = on_ready};
	conn->idle.fn = on_idle;
	conn->next = client->conns;
	if (client->conns)
		client->conns->prev = conn;
	client->conns = conn;
	client->conns_n++;
	return conn;
}

bool ady_http_client_conn_fresh(struct ady_http_client_conn *conn)
{
	uint8_t byte;
	bool more;

	return ady_stream_read(&conn->stream, &byte, 1, &more) == ADY_STREAM_AGAIN;
}

void ady_http_client_conn_take(struct ady_http_client_conn *conn, struct ady_http_exchange *x)
{
	const struct ady_http_client_config *c = &conn->client->config;
	int64_t due_ms = x->deadline.due_ms, connect_ms;
	const struct ady_connect_config how = {.loop = c->loop,
	                                       .pool = c->pool,
	                                       .url = c->url,
	                                       .tls = c->tls,
	                                       .done = on_connected,
	                                       .ctx = conn};

	leave_idle(conn);
	conn->exchange = x;
	conn->out_at = 0;
	if (conn->io.fd < 0) {
		connect_ms = ady_mono_ms() + c->connect_ms;
		conn->connecting =
		    ady_connect_start(&how, connect_ms < due_ms ? connect_ms : due_ms);
		return;
	}
	/* A connection that broke just now says so when the loop comes to it. */
	(void)flush(conn);
	watch(conn);
}
