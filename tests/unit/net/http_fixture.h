/* SPDX-License-Identifier: Apache-2.0
 *
 * A server on a thread of its own and a blocking client, for the tests of the HTTP server.
 *
 * Paths: /echo answers the body; /later the same after 20 ms; /never when its client has gone;
 * /big N bytes of 'b' for the query n=N; anything else 404. */
#ifndef ADY_TEST_HTTP_FIXTURE_H
#define ADY_TEST_HTTP_FIXTURE_H

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/http_server.h"
#include "test.h"

enum { WAIT_MS = 5000, LATER_MS = 20, BIG_MAX = 16 * 1024 * 1024 };

struct fixture {
	struct ady_loop *loop;
	struct ady_http_server *server;
	struct ady_http_config config;
	pthread_t thread;
	atomic_int handled, cancelled, refused, drained;
	struct ady_http_request *held; /* of /never */
};

/* --- what the server does --- */

struct later {
	struct ady_timer timer;
	struct ady_http_request *req;
};

static void answer_later(struct ady_timer *timer)
{
	struct later *l = (struct later *)timer;

	ady_http_answer(l->req, 200, "text/plain", NULL, l->req->body);
	free(l);
}

static void on_cancel(struct ady_http_request *req)
{
	struct fixture *f = req->user;

	f->cancelled++;
}

static void answer_big(struct ady_http_request *req)
{
	static char *big;
	char n[16];

	if (!big) {
		big = malloc(BIG_MAX);
		memset(big, 'b', BIG_MAX);
	}
	if (ady_http_query(n, sizeof n, req->head.query, "n") != ADY_OK)
		n[0] = '\0';
	ady_http_answer(req, 200, "text/plain", NULL, ady_bytes(big, strtoul(n, NULL, 10)));
}

static void on_request(void *ctx, struct ady_http_request *req)
{
	struct fixture *f = ctx;

	f->handled++;
	if (ady_bytes_is(req->head.path, "/echo")) {
		ady_http_answer(req, 200, "text/plain", "X-Extra: 1\r\n", req->body);
	} else if (ady_bytes_is(req->head.path, "/later")) {
		struct later *l = calloc(1, sizeof *l);

		l->timer.fn = answer_later;
		l->req = req;
		ady_timer_set(f->loop, &l->timer, LATER_MS);
	} else if (ady_bytes_is(req->head.path, "/never")) {
		f->held = req;
		req->user = f;
		req->cancel = on_cancel;
	} else if (ady_bytes_is(req->head.path, "/big")) {
		answer_big(req);
	} else {
		ady_http_answer(req, 404, "text/plain", NULL, ady_bytes_str("nothing here\n"));
	}
}

static void on_refused(void *ctx, int status, const struct ady_fault *f, const char **type,
                       struct ady_dyn *body)
{
	struct fixture *fx = ctx;

	fx->refused++;
	*type = "application/problem+json";
	ady_dyn_printf(body, "{\"status\":%d,\"code\":\"%s\",\"where\":\"%s\",\"detail\":\"%s\"}",
	               status, ady_err_code(f->err), f->where, f->detail);
}

/* --- running it --- */

static void *loop_main(void *arg)
{
	struct fixture *f = arg;

	ady_loop_run(f->loop);
	return NULL;
}

static void fixture_config(struct fixture *f)
{
	struct ady_fault fault;

	*f = (struct fixture){.config = {.limits = ady_http_default_limits(),
	                                 .request = on_request,
	                                 .refused = on_refused}};
	f->config.ctx = f;
	CHECK_ERR(ady_endpoint_parse(&f->config.listen, "tcp:127.0.0.1:0", &fault), ADY_OK);
}

static void fixture_start(struct fixture *f)
{
	struct ady_fault fault = {0};

	CHECK_ERR(ady_loop_open(&f->loop), ADY_OK);
	if (!CHECK_ERR(ady_http_server_open(&f->server, f->loop, &f->config, &fault), ADY_OK))
		fprintf(stderr, "# %s: %s\n", fault.where, fault.detail);
	CHECK(pthread_create(&f->thread, NULL, loop_main, f) == 0);
}

/* Run fn on the server's thread, and wait for it. */
struct errand {
	struct ady_task task;
	struct fixture *f;
	void (*fn)(struct fixture *f);
	atomic_bool done;
};

static void run_errand(struct ady_task *task)
{
	struct errand *e = (struct errand *)task;

	e->fn(e->f);
	e->done = true;
}

static void on_server(struct fixture *f, void (*fn)(struct fixture *f))
{
	struct errand e = {.task.fn = run_errand, .f = f, .fn = fn};

	ady_loop_post(f->loop, &e.task);
	while (!e.done)
		usleep(100);
}

static void close_server(struct fixture *f)
{
	ady_http_server_close(f->server);
	f->server = NULL;
}

static void fixture_stop(struct fixture *f)
{
	on_server(f, close_server);
	ady_loop_stop(f->loop);
	pthread_join(f->thread, NULL);
	if (f->held)
		ady_http_answer(f->held, 200, NULL, NULL, (struct ady_bytes){0});
	ady_loop_close(f->loop);
}

static size_t open_now;

static void count_open(struct fixture *f)
{
	open_now = ady_http_server_connections(f->server);
}

/* Wait until n connections are open. */
__attribute__((unused)) static bool wait_open(struct fixture *f, size_t n)
{
	for (int64_t until = ady_mono_ms() + WAIT_MS; ady_mono_ms() < until; usleep(1000)) {
		on_server(f, count_open);
		if (open_now == n)
			return true;
	}
	return false;
}

/* --- a client --- */

struct client {
	int fd;
	SSL *ssl;
	uint8_t in[64 * 1024];
	size_t have;
	/* the last reply */
	struct ady_http_head head;
	char status_line[32], type[64], connection[32], retry_after[16];
	struct ady_dyn body;
	size_t interim; /* 1xx answers before it */
};

static bool client_dial(struct client *c, const struct fixture *f)
{
	c->ssl = NULL;
	c->have = 0;
	c->body = (struct ady_dyn){0};
	return CHECK_ERR(ady_dial(&c->fd, &f->config.listen, WAIT_MS), ADY_OK);
}

static void client_close(struct client *c)
{
	SSL_free(c->ssl);
	if (c->fd >= 0)
		close(c->fd);
	ady_dyn_free(&c->body);
	c->fd = -1;
	c->ssl = NULL;
}

/* False when the server has closed the connection. */
static bool client_send(struct client *c, const void *p, size_t n)
{
	if (!c->ssl)
		return ady_write_all(c->fd, p, n, ady_mono_ms() + WAIT_MS) == ADY_OK;
	while (SSL_write(c->ssl, p, (int)n) <= 0) {
		struct pollfd pfd = {.fd = c->fd, .events = POLLIN | POLLOUT};

		if (SSL_get_error(c->ssl, -1) != SSL_ERROR_WANT_READ &&
		    SSL_get_error(c->ssl, -1) != SSL_ERROR_WANT_WRITE)
			return false;
		(void)poll(&pfd, 1, 10);
	}
	return true;
}

static bool client_say(struct client *c, const char *text)
{
	return client_send(c, text, strlen(text));
}

/* Read some more: its length, 0 at the end, -1 when nothing came in time. */
static ssize_t client_more(struct client *c, int wait_ms)
{
	struct pollfd pfd = {.fd = c->fd, .events = POLLIN};
	int64_t until = ady_mono_ms() + wait_ms;
	ssize_t n;

	do {
		if (c->ssl)
			n = SSL_read(c->ssl, c->in + c->have, (int)(sizeof c->in - c->have));
		else
			n = read(c->fd, c->in + c->have, sizeof c->in - c->have);
		if (n > 0) {
			c->have += (size_t)n;
			return n;
		}
		if (c->ssl ? SSL_get_error(c->ssl, (int)n) != SSL_ERROR_WANT_READ
		           : n == 0 || errno != EAGAIN)
			return 0;
		(void)poll(&pfd, 1, 10);
	} while (ady_mono_ms() < until);
	return -1;
}

static void keep_field(char *out, size_t cap, struct client *c, const char *name)
{
	(void)ady_bytes_to_str(out, cap, ady_http_field(&c->head, name));
}

/* Read one reply. False at an end, a timeout or a malformed reply. */
static bool client_reply(struct client *c, bool to_head)
{
	struct ady_fault f;
	enum ady_err err;
	size_t size, n;

	c->interim = 0;
	c->body.n = 0;
again:
	while ((err = ady_http_parse_reply(&c->head, ady_bytes(c->in, c->have), &f)) == ADY_E_AGAIN)
		if (client_more(c, WAIT_MS) <= 0)
			return false;
	if (!CHECK_ERR(err, ADY_OK))
		return false;
	size = c->head.size;
	if (c->head.status < 200) {
		c->interim++;
		memmove(c->in, c->in + size, c->have -= size);
		goto again;
	}
	keep_field(c->type, sizeof c->type, c, "content-type");
	keep_field(c->connection, sizeof c->connection, c, "connection");
	keep_field(c->retry_after, sizeof c->retry_after, c, "retry-after");
	CHECK(ady_bytes_is(ady_http_field(&c->head, "cache-control"), "no-store"));
	CHECK(ady_bytes_is(ady_http_field(&c->head, "x-content-type-options"), "nosniff"));
	CHECK_INT(ady_http_field(&c->head, "date").n, 29);
	memmove(c->in, c->in + size, c->have -= size);
	for (size_t left = to_head ? 0 : (size_t)c->head.length; left > 0; left -= n) {
		if (c->have == 0 && client_more(c, WAIT_MS) <= 0)
			return false;
		n = c->have < left ? c->have : left;
		ady_dyn_put(&c->body, c->in, n);
		memmove(c->in, c->in + n, c->have -= n);
	}
	return true;
}

/* Whether the server ends the connection without a further byte. */
__attribute__((unused)) static bool client_ended(struct client *c, int wait_ms)
{
	return c->have == 0 && client_more(c, wait_ms) == 0;
}

/* Send text, read one reply: its status, or 0. */
__attribute__((unused)) static int client_ask(struct client *c, const char *text)
{
	if (!client_say(c, text) || !client_reply(c, false))
		return 0;
	return c->head.status;
}

/* One request on its own connection: the status, or 0. */
__attribute__((unused)) static int ask_once(struct fixture *f, const char *text)
{
	static struct client c;
	int status;

	if (!client_dial(&c, f))
		return 0;
	status = client_ask(&c, text);
	client_close(&c);
	return status;
}

#endif
