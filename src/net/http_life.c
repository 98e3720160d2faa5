/* SPDX-License-Identifier: Apache-2.0
 *
 * A connection's life: who holds its structure, its place in the server's list, its beginning, its
 * end, and its handing over to another protocol. */
#include "net/http_conn.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

void ady_http_conn_pin(struct ady_http_conn *c)
{
	if (c->pins++ == 0)
		ADY_BUG("a connection is used after its end");
}

void ady_http_conn_unpin(struct ady_http_conn *c)
{
	if (--c->pins > 0)
		return;
	free(c->in);
	ady_dyn_free(&c->out);
	free(c);
}

static void unlist(struct ady_http_conn *c)
{
	struct ady_http_server *server = c->server;

	*(c->next ? &c->next->prev : &server->last) = c->prev;
	*(c->prev ? &c->prev->next : &server->conns) = c->next;
}

/* The list's order is that of the last whole request, or else of the accept: newest first. */
static void list_first(struct ady_http_conn *c)
{
	struct ady_http_server *server = c->server;

	c->prev = NULL;
	c->next = server->conns;
	*(c->next ? &c->next->prev : &server->last) = c;
	server->conns = c;
}

void ady_http_conn_renew(struct ady_http_conn *c)
{
	unlist(c);
	list_first(c);
}

bool ady_http_conn_lengthen(struct ady_http_conn *c, size_t n)
{
	struct ady_http_server *s = c->server;

	if (s->long_n == ADY_HTTP_LONG_MAX || n > ADY_HTTP_LONG_BYTES - s->long_bytes)
		return false;
	s->long_n++;
	s->long_bytes += n;
	c->long_bytes = n;
	return true;
}

void ady_http_conn_shorten(struct ady_http_conn *c)
{
	if (c->long_bytes == 0)
		return;
	c->server->long_n--;
	c->server->long_bytes -= c->long_bytes;
	c->long_bytes = 0;
}

void ady_http_conn_end(struct ady_http_conn *c)
{
	struct ady_http_server *server = c->server;

	if (!server)
		return;
	if (c->stream.why)
		ADY_DEBUG("tls failed", "peer=%s why=\"%s\"", c->req.peer, c->stream.why);
	unlist(c);
	ady_http_conn_shorten(c);
	c->server = NULL;
	ady_timer_cancel(server->loop, &c->timer);
	ady_loop_del(server->loop, &c->io);
	ady_stream_close(&c->stream);
	server->conns_n--;
	if (c->owed && c->req.cancel)
		c->req.cancel(&c->req);
	ady_http_server_left(server);
	if (--c->pins == 0) /* the list's; the caller's is left */
		ADY_BUG("a connection is ended by one who does not hold it");
}

void ady_http_conn_close(struct ady_http_conn *c)
{
	ady_http_conn_pin(c);
	ady_http_conn_end(c);
	ady_http_conn_unpin(c);
}

struct ady_http_conn *ady_http_conn_next(const struct ady_http_conn *c)
{
	return c->next;
}

void ady_http_take(struct ady_http_request *req, struct ady_stream *stream, struct ady_dyn *rest)
{
	struct ady_http_conn *c = req->conn;

	*stream = (struct ady_stream){.fd = -1};
	if (!c->owed)
		ADY_BUG("a connection is taken after its answer");
	c->owed = false;
	if (c->server) {
		struct ady_stream taken = c->stream;

		ady_dyn_put(rest, c->in + c->taken, c->in_n - c->taken);
		c->stream.ssl = NULL;
		c->stream.fd = -1; /* io.fd still names it, until it is no longer watched */
		ady_http_conn_end(c);
		*stream = taken;
	}
	ady_http_conn_unpin(c);
}

static void name_peer(struct ady_http_conn *c)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} a = {0};
	socklen_t size = sizeof a;
	char host[INET6_ADDRSTRLEN] = "";

	if (getpeername(c->io.fd, &a.any, &size) == 0 && a.any.sa_family == AF_INET &&
	    inet_ntop(AF_INET, &a.in.sin_addr, host, sizeof host))
		snprintf(c->req.peer, sizeof c->req.peer, "%s:%u", host, ntohs(a.in.sin_port));
	else if (a.any.sa_family == AF_INET6 &&
	         inet_ntop(AF_INET6, &a.in6.sin6_addr, host, sizeof host))
		snprintf(c->req.peer, sizeof c->req.peer, "[%s]:%u", host, ntohs(a.in6.sin6_port));
	else
		snprintf(c->req.peer, sizeof c->req.peer, "unix");
}

void ady_http_conn_open(struct ady_http_server *server, int fd, bool surplus)
{
	struct ady_http_conn *c = calloc(1, sizeof *c);

	if (!c) {
		close(fd);
		return;
	}
	c->pins = 1; /* the list's */
	c->surplus = surplus;
	c->server = server;
	c->io = (struct ady_io){.fd = fd, .fn = ady_http_conn_io};
	c->timer.fn = ady_http_conn_timer;
	c->resume.fn = ady_http_conn_resume;
	c->req.conn = c;
	c->req.tls = server->config.tls != NULL;
	c->watched = EPOLLIN | EPOLLRDHUP;
	if (ady_stream_open(&c->stream, fd, server->config.tls) != ADY_OK) {
		free(c);
		return;
	}
	if (ady_loop_add(server->loop, &c->io, c->watched) != ADY_OK) {
		ady_stream_close(&c->stream);
		free(c);
		return;
	}
	name_peer(c);
	list_first(c);
	server->conns_n++;
	ady_http_enter(c, ADY_HTTP_HEAD, server->config.limits.head_ms, false);
	c->opened_ms = c->since_ms;
}
