/* SPDX-License-Identifier: Apache-2.0
 *
 * The writing half of a connection, and the clock both halves are held to. */
#include <string.h>

#include "base/clock.h"
#include "net/http_conn.h"

enum {
	/* Beyond a phase's first two seconds a peer must move 1 byte a millisecond on average. */
	RATE_GRACE_MS = 2000,
	LINGER_MS = 1000,
};

/* --- time --- */

void ady_http_set_due(struct ady_http_conn *c, int64_t now, int64_t due_ms)
{
	c->due_ms = due_ms;
	if (c->timer.slot == 0 || c->timer.due_ms > due_ms)
		ady_timer_set(c->server->loop, &c->timer, due_ms - now);
}

void ady_http_enter(struct ady_http_conn *c, enum ady_http_phase phase, int ms, bool rated)
{
	c->phase = phase;
	c->since_ms = ady_mono_ms();
	c->end_ms = c->since_ms + ms;
	c->moved = 0;
	ady_http_set_due(c, c->since_ms,
	                 rated && ms > RATE_GRACE_MS ? c->since_ms + RATE_GRACE_MS : c->end_ms);
}

bool ady_http_too_slow(const struct ady_http_conn *c, int64_t now)
{
	int64_t late = now - c->since_ms - RATE_GRACE_MS;

	return now >= c->end_ms || (late >= 0 && c->moved < (size_t)late);
}

/* --- writing --- */

bool ady_http_out_waits(const struct ady_http_conn *c)
{
	return c->out.n > c->out_at;
}

/* The answer has left, or what of it the connection could take. */
static void written(struct ady_http_conn *c)
{
	bool heard_all = c->in_n == c->taken && !c->readable && !c->req.head.keep_alive;

	c->out.n = c->out_at = 0;
	if (c->out.cap > ADY_HTTP_KEEP_WHEN_IDLE)
		ady_dyn_free(&c->out);
	if (c->phase != ADY_HTTP_WRITE)
		return;
	if (!c->closing) {
		ady_http_enter(c, ADY_HTTP_IDLE, c->server->config.limits.idle_ms, false);
		return;
	}
	ady_stream_end(&c->stream);
	if (heard_all)
		ady_http_conn_end(c);
	else
		ady_http_enter(c, ADY_HTTP_LINGER, LINGER_MS, false);
}

void ady_http_flush(struct ady_http_conn *c)
{
	struct iovec iov = {.iov_base = c->out.p + c->out_at, .iov_len = c->out.n - c->out_at};
	ssize_t put = ady_stream_write(&c->stream, &iov, 1);

	if (put == ADY_STREAM_BROKEN) {
		ady_http_conn_end(c);
		return;
	}
	c->out_at += (size_t)put;
	c->moved += (size_t)put;
	if (!ady_http_out_waits(c))
		written(c);
}

/* Write head and body, and keep what the socket does not take. */
static void write_both(struct ady_http_conn *c, struct ady_bytes head, struct ady_bytes body)
{
	struct iovec iov[2] = {{.iov_len = head.n}, {.iov_len = body.n}};
	size_t put = 0;

	/* iovec has no const; neither writev nor OpenSSL writes through it. */
	memcpy(&iov[0].iov_base, &head.p, sizeof(head.p));
	memcpy(&iov[1].iov_base, &body.p, sizeof(body.p));
	if (!ady_http_out_waits(c)) {
		ssize_t n = ady_stream_write(&c->stream, iov, body.n > 0 ? 2 : 1);

		if (n == ADY_STREAM_BROKEN) {
			ady_http_conn_end(c);
			return;
		}
		put = (size_t)n;
	}
	if (put < head.n) {
		ady_dyn_put(&c->out, head.p + put, head.n - put);
		put = head.n;
	}
	if (put < head.n + body.n)
		ady_dyn_put(&c->out, body.p + (put - head.n), head.n + body.n - put);
}

void ady_http_send(struct ady_http_conn *c, struct ady_http_answer_parts *a)
{
	struct ady_http_server *server = c->server;
	struct ady_bytes body = a->body;

	a->close = c->closing;
	a->http10 = c->req.head.minor == 0;
	ady_http_compose(server, a);
	if (ady_bytes_is(c->req.head.method, "HEAD") || a->status == 204 || a->status == 304)
		body = (struct ady_bytes){0};
	if (c->stream.ssl && body.n > 0) { /* one buffer is one record, and one write */
		ady_dyn_put(&server->scratch, body.p, body.n);
		body = (struct ady_bytes){0};
	}
	c->phase = ADY_HTTP_WRITE;
	write_both(c, ady_dyn_bytes(&server->scratch), body);
	if (server->scratch.cap > 16 * ADY_HTTP_KEEP_WHEN_IDLE)
		ady_dyn_free(&server->scratch);
	if (!c->server)
		return;
	if (ady_http_out_waits(c))
		ady_http_enter(c, ADY_HTTP_WRITE, server->config.limits.write_ms, true);
	else
		written(c);
}

void ady_http_refuse(struct ady_http_conn *c, int status, const struct ady_fault *f)
{
	const struct ady_http_config *config = &c->server->config;
	struct ady_dyn body = {0};
	struct ady_http_answer_parts a = {.status = status, .type = "text/plain"};

	if (config->refused)
		config->refused(config->ctx, status, f, &a.type, &body);
	else
		ady_dyn_printf(&body, "%s%s%s\n", f->where, f->where[0] ? " " : "", f->detail);
	if (status == 503)
		a.fields = "Retry-After: 1\r\n";
	a.body = ady_dyn_bytes(&body);
	c->closing = true;
	c->req.head.keep_alive = true;              /* more may come: linger */
	c->req.head.method = (struct ady_bytes){0}; /* in may have moved */
	ady_http_send(c, &a);
	ady_dyn_free(&body);
}

void ady_http_send_interim(struct ady_http_conn *c, const char *head)
{
	write_both(c, ady_bytes_str(head), (struct ady_bytes){0});
}
