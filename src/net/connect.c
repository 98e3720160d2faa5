/* SPDX-License-Identifier: Apache-2.0 */
#include "net/connect.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum { ADDRESSES_MAX = 8 };

#define OWNER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* A look-up. The pool's thread may outlast who asked, so it has storage of its own, which
 * the last of the two to let go frees. */
struct lookup {
	struct ady_work work;
	struct ady_task task;
	struct ady_loop *loop;
	struct ady_connect *owner; /* NULL: nobody waits any more. The loop's thread */
	bool refused;              /* by the pool */
	bool back;                 /* no thread and no task holds it any more. The loop's thread */
	char host[ADY_URL_HOST_MAX + 1], port[8];
	struct sockaddr_storage at[ADDRESSES_MAX];
	socklen_t size[ADDRESSES_MAX];
	size_t n;
};

struct ady_connect {
	struct ady_connect_config config;
	struct lookup *lookup;
	struct ady_timer deadline;
	struct ady_io io; /* fd -1: no socket yet */
	struct ady_stream stream;
	size_t next; /* address to be tried */
	bool connected, watched;
	struct ady_fault fault;
};

static void connect_next(struct ady_connect *c);

/* --- ending --- */

static void let_socket_go(struct ady_connect *c)
{
	if (c->watched)
		ady_loop_del(c->config.loop, &c->io);
	c->watched = false;
	if (c->connected)
		ady_stream_close(&c->stream);
	else if (c->io.fd >= 0)
		close(c->io.fd);
	c->io.fd = -1;
	c->connected = false;
}

void ady_connect_drop(struct ady_connect *c)
{
	if (!c)
		return;
	ady_timer_cancel(c->config.loop, &c->deadline);
	let_socket_go(c);
	c->lookup->owner = NULL;
	if (c->lookup->back)
		free(c->lookup);
	free(c);
}

static void fail(struct ady_connect *c, enum ady_err err, const char *detail)
{
	const struct ady_connect_config config = c->config;
	struct ady_fault f;

	(void)ady_fail(&f, err, NULL, "%s", detail);
	ady_connect_drop(c);
	config.done(config.ctx, NULL, &f);
}

static void on_deadline(struct ady_timer *timer)
{
	fail(OWNER(timer, struct ady_connect, deadline), ADY_E_DEADLINE, "no connection in time");
}

static void succeed(struct ady_connect *c)
{
	const struct ady_connect_config config = c->config;
	struct ady_stream stream = c->stream;

	ady_loop_del(config.loop, &c->io);
	c->watched = c->connected = false;
	c->io.fd = -1;
	ady_connect_drop(c);
	config.done(config.ctx, &stream, NULL);
}

/* --- sockets --- */

static void go_on_with_tls(struct ady_connect *c)
{
	int done = ady_stream_handshake(&c->stream);

	if (done == 1)
		succeed(c);
	else if (done == ADY_STREAM_AGAIN)
		ady_loop_set(c->config.loop, &c->io, c->stream.wants_out ? EPOLLOUT : EPOLLIN);
	else
		fail(c, ADY_E_TLS, c->stream.why ? c->stream.why : "the TLS handshake failed");
}

static void on_ready(struct ady_io *io, uint32_t ready)
{
	struct ady_connect *c = OWNER(io, struct ady_connect, io);
	socklen_t n = sizeof(int);
	int err = 0;

	(void)ready;
	if (c->connected) {
		go_on_with_tls(c);
		return;
	}
	if (getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &err, &n) != 0 || err != 0) {
		(void)ady_fail(&c->fault, ADY_E_IO, NULL, "%s", strerror(err ? err : errno));
		connect_next(c);
		return;
	}
	c->connected = true;
	if (ady_stream_connect(&c->stream, io->fd, c->config.url->tls ? c->config.tls : NULL,
	                       c->config.url->host) != ADY_OK) {
		ady_loop_del(c->config.loop, io); /* the descriptor is closed already */
		c->watched = c->connected = false;
		io->fd = -1;
		fail(c, ADY_E_MEMORY, "TLS cannot be begun");
		return;
	}
	go_on_with_tls(c);
}

static bool try_address(struct ady_connect *c, const struct sockaddr *at, socklen_t size)
{
	const int on = 1;
	int fd = socket(at->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return false;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(fd, at, size) < 0 && errno != EINPROGRESS) {
		(void)ady_fail(&c->fault, ADY_E_IO, NULL, "%s", strerror(errno));
		close(fd);
		return false;
	}
	c->io.fd = fd;
	c->watched = ady_loop_add(c->config.loop, &c->io, EPOLLOUT) == ADY_OK;
	if (!c->watched)
		let_socket_go(c);
	return c->watched;
}

static void connect_next(struct ady_connect *c)
{
	const struct lookup *l = c->lookup;

	let_socket_go(c);
	while (c->next < l->n) {
		size_t i = c->next++;

		if (try_address(c, (const struct sockaddr *)&l->at[i], l->size[i]))
			return;
	}
	fail(c, ADY_E_IO, c->fault.detail[0] ? c->fault.detail : "the host has no address");
}

/* --- names --- */

/* Any thread. */
static void look_up(struct lookup *l, int flags)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
	                               .ai_flags = flags | AI_NUMERICSERV};
	struct addrinfo *list = NULL;

	if (getaddrinfo(l->host, l->port, &hints, &list) != 0)
		return;
	for (const struct addrinfo *a = list; a && l->n < ADDRESSES_MAX; a = a->ai_next) {
		if (a->ai_addrlen > sizeof *l->at)
			continue;
		memcpy(&l->at[l->n], a->ai_addr, a->ai_addrlen);
		l->size[l->n++] = a->ai_addrlen;
	}
	freeaddrinfo(list);
}

static void on_looked_up(struct ady_task *task)
{
	struct lookup *l = OWNER(task, struct lookup, task);
	struct ady_connect *c = l->owner;

	if (!c) {
		free(l);
		return;
	}
	l->back = true;
	if (l->refused)
		fail(c, ADY_E_BUSY, "too many names are being looked up");
	else if (l->n == 0)
		fail(c, ADY_E_IO, "the host's name cannot be resolved");
	else
		connect_next(c);
}

static void look_up_work(struct ady_work *work, size_t worker)
{
	struct lookup *l = OWNER(work, struct lookup, work);

	(void)worker;
	look_up(l, AI_ADDRCONFIG);
	ady_loop_post(l->loop, &l->task);
}

struct ady_connect *ady_connect_start(const struct ady_connect_config *config, int64_t due_ms)
{
	struct ady_connect *c = calloc(1, sizeof *c);
	struct lookup *l = calloc(1, sizeof *l);

	if (!c || !l)
		ADY_BUG("out of memory");
	c->config = *config;
	c->lookup = l;
	c->io = (struct ady_io){.fd = -1, .fn = on_ready};
	c->deadline.fn = on_deadline;
	l->work.fn = look_up_work;
	l->task.fn = on_looked_up;
	l->loop = config->loop;
	l->owner = c;
	snprintf(l->host, sizeof l->host, "%s", config->url->host);
	snprintf(l->port, sizeof l->port, "%u", config->url->port);
	ady_timer_set(config->loop, &c->deadline, due_ms - ady_mono_ms());
	look_up(l, AI_NUMERICHOST);
	/* What the pool takes is its worker's until the task comes back. */
	if (l->n == 0 && ady_pool_submit(config->pool, &l->work) == ADY_OK)
		return c;
	l->refused = l->n == 0;
	ady_loop_post(config->loop, &l->task);
	return c;
}
