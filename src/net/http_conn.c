/* SPDX-License-Identifier: Apache-2.0
 *
 * The reading half of a connection: bytes become requests, events move it from phase to phase. */
#include "net/http_conn.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"

enum {
	IN_AT_FIRST = 2048,
	RATE_CHECK_MS = 1000,
};

/* --- requests --- */

static void refuse_late(struct ady_http_conn *c, const char *where)
{
	struct ady_fault f;

	(void)ady_fail(&f, ADY_E_DEADLINE, where, "did not arrive in time");
	ady_http_refuse(c, 408, &f);
}

static void hand_over(struct ady_http_conn *c)
{
	struct ady_http_server *server = c->server;

	c->phase = ADY_HTTP_BUSY;
	c->due_ms = INT64_MAX;
	c->requests++;
	c->owed = true;
	ady_http_conn_renew(c);
	ady_http_conn_pin(c); /* until ady_http_answer */
	c->req.cancel = NULL;
	c->req.user = NULL;
	c->in_handler = true;
	server->config.request(server->config.ctx, &c->req);
	c->in_handler = false;
}

/* The limits that a whole head can be checked against. */
static bool acceptable(struct ady_http_conn *c)
{
	const struct ady_http_config *config = &c->server->config;
	const struct ady_http_head *head = &c->req.head;
	size_t body_max =
	    config->body_max ? config->body_max(config->ctx, head) : config->limits.body_max;
	struct ady_fault f;

	if (c->surplus) {
		(void)ady_fail(&f, ADY_E_BUSY, NULL, "too many connections are open");
		ady_http_refuse(c, 503, &f);
		return false;
	}
	if (head->chunked) {
		(void)ady_fail(&f, ADY_E_HTTP, "transfer-encoding",
		               "is not accepted in requests; send Content-Length");
		ady_http_refuse(c, 411, &f);
		return false;
	}
	if (head->length > body_max) {
		(void)ady_fail(&f, ADY_E_TOO_LARGE, "body", "is longer than %zu bytes", body_max);
		ady_http_refuse(c, 413, &f);
		return false;
	}
	if (head->length > config->limits.body_max && !ady_http_conn_lengthen(c, head->length)) {
		(void)ady_fail(&f, ADY_E_BUSY, NULL, "too many long bodies are being worked on");
		ady_http_refuse(c, 503, &f);
		return false;
	}
	return true;
}

static void tell_continue(struct ady_http_conn *c)
{
	const struct ady_http_head *head = &c->req.head;

	if (!head->expect_continue || head->minor == 0 || c->in_n > head->size)
		return;
	ady_http_send_interim(c, "HTTP/1.1 100 Continue\r\n\r\n");
}

/* Take one request from in. False: more bytes are needed. While a body arrives only its end is
 * waited for, and the head is read again then: in may have moved. */
static bool take_request(struct ady_http_conn *c)
{
	struct ady_fault f;
	size_t whole;
	enum ady_err err;

	if (c->in_n < c->need || c->in_n == 0)
		return false;
	err = ady_http_parse_request(&c->req.head, ady_bytes(c->in, c->in_n), &f);
	if (err == ADY_E_AGAIN)
		return false;
	if (err != ADY_OK) {
		ady_http_refuse(c, ady_http_refusal_status(&f), &f);
		return true;
	}
	if (c->phase != ADY_HTTP_BODY) {
		c->req.arrived_us = ady_mono_us();
		if (!acceptable(c))
			return true;
	}
	whole = c->req.head.size + (size_t)c->req.head.length;
	if (c->in_n < whole) {
		c->need = whole;
		ady_http_enter(c, ADY_HTTP_BODY, c->server->config.limits.body_ms, true);
		tell_continue(c);
		return false;
	}
	c->need = 0;
	c->taken = whole;
	c->req.body = ady_bytes(c->in + c->req.head.size, (size_t)c->req.head.length);
	hand_over(c);
	return true;
}

static void drop_taken(struct ady_http_conn *c)
{
	ady_http_conn_shorten(c);
	c->in_n -= c->taken;
	if (c->in_n > 0)
		memmove(c->in, c->in + c->taken, c->in_n);
	c->taken = 0;
	if (c->in_n > 0 || c->in_cap <= ADY_HTTP_KEEP_WHEN_IDLE)
		return;
	free(c->in);
	c->in = NULL;
	c->in_cap = 0;
}

static bool must_close(const struct ady_http_conn *c)
{
	const struct ady_http_limits *limits = &c->server->config.limits;

	return !c->req.head.keep_alive || c->server->draining ||
	       c->requests >= limits->requests_max ||
	       ady_mono_ms() - c->opened_ms >= limits->connection_ms;
}

/* --- what moves it --- */

static bool reading(const struct ady_http_conn *c)
{
	return c->server && (c->phase == ADY_HTTP_HEAD || c->phase == ADY_HTTP_BODY ||
	                     c->phase == ADY_HTTP_IDLE);
}

/* The storage grows with what has come, never with what was announced. */
static bool make_room(struct ady_http_conn *c)
{
	size_t most = c->need > ADY_HTTP_HEAD_MAX ? c->need : ADY_HTTP_HEAD_MAX;
	size_t cap = c->in_cap ? 2 * c->in_cap : IN_AT_FIRST;
	uint8_t *more;

	if (c->in_n < c->in_cap)
		return true;
	more = realloc(c->in, cap < most ? cap : most);
	if (!more)
		return false;
	c->in = more;
	c->in_cap = cap < most ? cap : most;
	return true;
}

static bool fill(struct ady_http_conn *c)
{
	ssize_t n;

	if (!make_room(c)) {
		ady_http_conn_end(c);
		return false;
	}
	n = ady_stream_read(&c->stream, c->in + c->in_n, c->in_cap - c->in_n, &c->readable);
	if (n == ADY_STREAM_AGAIN)
		return false;
	if (n <= 0) {
		ady_http_conn_end(c);
		return false;
	}
	c->in_n += (size_t)n;
	c->moved += (size_t)n;
	return true;
}

/* What to wait for. While a request is answered input stays watched until some comes: most clients
 * wait for the answer, and need no call to change this twice. */
static void watch(struct ady_http_conn *c)
{
	uint32_t want = EPOLLIN | EPOLLRDHUP;

	if (c->phase == ADY_HTTP_BUSY)
		want = c->readable ? EPOLLRDHUP : EPOLLIN | EPOLLRDHUP;
	if (c->phase == ADY_HTTP_WRITE)
		want = 0;
	if (ady_http_out_waits(c) || (reading(c) && c->stream.wants_out))
		want |= EPOLLOUT;
	if (want != c->watched)
		ady_loop_set(c->server->loop, &c->io, want);
	c->watched = want;
}

static void drive(struct ady_http_conn *c)
{
	while (reading(c)) {
		if (take_request(c))
			continue;
		if (!c->server || !c->readable || !fill(c))
			break;
	}
	if (!c->server)
		return;
	if (c->phase == ADY_HTTP_IDLE && c->in_n > 0)
		ady_http_enter(c, ADY_HTTP_HEAD, c->server->config.limits.head_ms, false);
	watch(c);
}

static void on_ready(struct ady_http_conn *c, uint32_t ready)
{
	bool broken = ready & (EPOLLERR | EPOLLHUP);

	if (c->phase == ADY_HTTP_LINGER) {
		if (!ady_stream_discard(&c->stream))
			ady_http_conn_end(c);
		return;
	}
	/* Like most servers: a client that ends its side while it waits has gone. */
	if (c->phase == ADY_HTTP_BUSY && (broken || ready & EPOLLRDHUP)) {
		ady_http_conn_end(c);
		return;
	}
	if (ady_http_out_waits(c) && (broken || ready & EPOLLOUT))
		ady_http_flush(c);
	if (!c->server)
		return;
	if (ready & ~(uint32_t)EPOLLOUT || c->stream.wants_out)
		c->readable = true;
	drive(c);
}

void ady_http_conn_io(struct ady_io *io, uint32_t ready)
{
	struct ady_http_conn *c =
	    (struct ady_http_conn *)((char *)io - offsetof(struct ady_http_conn, io));

	ady_http_conn_pin(c);
	on_ready(c, ready);
	ady_http_conn_unpin(c);
}

static void on_due(struct ady_http_conn *c, int64_t now)
{
	bool rated = c->phase == ADY_HTTP_BODY || c->phase == ADY_HTTP_WRITE;

	if (rated && !ady_http_too_slow(c, now)) {
		int64_t next = now + RATE_CHECK_MS;

		ady_http_set_due(c, now, next < c->end_ms ? next : c->end_ms);
	} else if (c->phase == ADY_HTTP_BODY) {
		refuse_late(c, "body");
	} else if (c->phase == ADY_HTTP_HEAD && c->in_n > 0) {
		refuse_late(c, "head");
	} else {
		ady_http_conn_end(c);
	}
}

void ady_http_conn_timer(struct ady_timer *timer)
{
	struct ady_http_conn *c =
	    (struct ady_http_conn *)((char *)timer - offsetof(struct ady_http_conn, timer));
	int64_t now = ady_mono_ms();

	if (c->phase == ADY_HTTP_BUSY)
		return;
	if (now < c->due_ms) {
		ady_http_set_due(c, now, c->due_ms);
		return;
	}
	ady_http_conn_pin(c);
	on_due(c, now);
	if (c->server)
		watch(c);
	ady_http_conn_unpin(c);
}

void ady_http_conn_resume(struct ady_task *task)
{
	struct ady_http_conn *c =
	    (struct ady_http_conn *)((char *)task - offsetof(struct ady_http_conn, resume));

	drive(c);
	ady_http_conn_unpin(c);
}

/* An answer given inside the request callback is followed up by drive, which made the call; one
 * that comes later by a task, so that no callback is called from inside ady_http_answer. */
static void answer(struct ady_http_request *req, struct ady_http_answer_parts *a)
{
	struct ady_http_conn *c = req->conn;

	if (!c->owed)
		ADY_BUG("a request was answered twice");
	c->owed = false;
	if (c->server) {
		c->closing = must_close(c) || a->missing > 0;
		ady_http_send(c, a);
	}
	if (c->server)
		drop_taken(c);
	if (c->server && !c->in_handler) {
		ady_http_conn_pin(c);
		ady_loop_post(c->server->loop, &c->resume);
	}
	ady_http_conn_unpin(c);
}

void ady_http_answer(struct ady_http_request *req, int status, const char *type, const char *fields,
                     struct ady_bytes body)
{
	struct ady_http_answer_parts a = {
	    .status = status, .type = type, .fields = fields, .body = body};

	answer(req, &a);
}

void ady_http_answer_cut(struct ady_http_request *req, int status, const char *type,
                         struct ady_bytes body, size_t missing)
{
	struct ady_http_answer_parts a = {
	    .status = status, .type = type, .body = body, .missing = missing};

	answer(req, &a);
}

bool ady_http_conn_make_room(struct ady_http_server *server)
{
	struct ady_http_conn *c = server->last;

	while (c && (c->surplus || !reading(c)))
		c = c->prev;
	if (c)
		ady_http_conn_close(c);
	return c != NULL;
}

void ady_http_conn_drain(struct ady_http_conn *c)
{
	ady_http_conn_pin(c);
	c->readable = true; /* what has arrived already is a request to be answered */
	drive(c);
	if (reading(c) && c->in_n == 0)
		ady_http_conn_end(c);
	ady_http_conn_unpin(c);
}
