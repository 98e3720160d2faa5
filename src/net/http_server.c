/* SPDX-License-Identifier: Apache-2.0
 *
 * The listener and the list of connections; what happens on a connection is in http_conn.c. */
#include "net/http_server.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/log.h"
#include "net/http_conn.h"

enum {
	ACCEPTS_A_ROUND = 32,
	/* Connections beyond the limit, while all others are being answered, that are told so; what
	   comes then is closed unheard. */
	SURPLUS_MAX = 64,
	/* Without free descriptors the listener stays readable: leave it alone for a while. */
	PAUSE_MS = 100,
};

struct ady_http_limits ady_http_default_limits(void)
{
	return (struct ady_http_limits){
	    .body_max = 64 * 1024,
	    .connections_max = 1024,
	    .requests_max = 1000,
	    .head_ms = 5000,
	    .body_ms = 10000,
	    .write_ms = 10000,
	    .idle_ms = 60000,
	    .connection_ms = 60000,
	};
}

/* --- accepting --- */

static void take_connection(struct ady_http_server *server, int fd)
{
	size_t most = server->config.limits.connections_max;

	if (server->conns_n >= most)
		(void)ady_http_conn_make_room(server);
	if (server->conns_n >= most + SURPLUS_MAX) {
		close(fd);
		return;
	}
	ady_http_conn_open(server, fd, server->conns_n >= most);
}

static void on_accept(struct ady_io *io, uint32_t ready)
{
	struct ady_http_server *server =
	    (struct ady_http_server *)((char *)io - offsetof(struct ady_http_server, io));

	(void)ready;
	for (int i = 0; i < ACCEPTS_A_ROUND; i++) {
		int fd = ady_accept(io->fd);

		if (fd >= 0) {
			take_connection(server, fd);
			continue;
		}
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return;
		ADY_WARN("connections cannot be accepted", "reason=\"%s\"", strerror(errno));
		ady_loop_set(server->loop, io, 0);
		ady_timer_set(server->loop, &server->pause, PAUSE_MS);
		return;
	}
}

static void on_pause(struct ady_timer *timer)
{
	struct ady_http_server *server =
	    (struct ady_http_server *)((char *)timer - offsetof(struct ady_http_server, pause));

	ady_loop_set(server->loop, &server->io, EPOLLIN);
}

static void stop_accepting(struct ady_http_server *server)
{
	if (server->io.fd < 0)
		return;
	ady_timer_cancel(server->loop, &server->pause);
	ady_loop_del(server->loop, &server->io);
	close(server->io.fd);
	server->io.fd = -1;
}

/* --- opening and ending --- */

static void end_all(struct ady_http_server *server)
{
	while (server->conns)
		ady_http_conn_close(server->conns);
}

static void on_drain(struct ady_timer *timer)
{
	struct ady_http_server *server =
	    (struct ady_http_server *)((char *)timer - offsetof(struct ady_http_server, drain));
	void (*done)(void *) = server->drained;

	server->drained = NULL; /* ending the rest sets no timer again */
	end_all(server);
	if (done)
		done(server->config.ctx);
}

static enum ady_err check_limits(const struct ady_http_limits *l, struct ady_fault *f)
{
	if (l->connections_max == 0 || l->requests_max == 0 || l->head_ms <= 0 || l->body_ms <= 0 ||
	    l->write_ms <= 0 || l->idle_ms <= 0 || l->connection_ms <= 0)
		return ady_fail(f, ADY_E_CONFIG, "limits", "a limit of the HTTP server is zero");
	return ADY_OK;
}

/* OpenSSL writes to sockets without MSG_NOSIGNAL. */
static void ignore_sigpipe(void)
{
	struct sigaction now;

	if (sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
		(void)signal(SIGPIPE, SIG_IGN);
}

enum ady_err ady_http_server_open(struct ady_http_server **server, struct ady_loop *loop,
                                  struct ady_http_config *config, struct ady_fault *f)
{
	enum ady_err err = check_limits(&config->limits, f);
	struct ady_http_server *s;
	int fd;

	*server = NULL;
	if (err == ADY_OK)
		err = ady_listen(&fd, &config->listen, f);
	if (err != ADY_OK)
		return err;
	s = calloc(1, sizeof *s);
	if (!s) {
		close(fd);
		return ady_fail(f, ADY_E_IO, "listen", "out of memory");
	}
	s->loop = loop;
	s->config = *config;
	s->io = (struct ady_io){.fd = fd, .fn = on_accept};
	s->pause.fn = on_pause;
	s->drain.fn = on_drain;
	if (ady_loop_add(loop, &s->io, EPOLLIN) != ADY_OK) {
		close(fd);
		free(s);
		return ady_fail(f, ADY_E_IO, "listen", "epoll_ctl: %s", strerror(errno));
	}
	if (s->config.tls)
		SSL_CTX_up_ref(s->config.tls);
	ignore_sigpipe();
	*server = s;
	return ADY_OK;
}

void ady_http_server_set_tls(struct ady_http_server *server, SSL_CTX *tls)
{
	SSL_CTX_up_ref(tls);
	SSL_CTX_free(server->config.tls);
	server->config.tls = tls;
}

void ady_http_server_left(struct ady_http_server *server)
{
	if (server->drained && server->conns_n == 0)
		ady_timer_set(server->loop, &server->drain, 0);
}

void ady_http_server_drain(struct ady_http_server *server, int drain_ms, void (*done)(void *ctx))
{
	struct ady_http_conn *c, *next;

	if (server->io.fd >= 0)
		on_accept(&server->io, EPOLLIN); /* what the kernel has accepted for us */
	stop_accepting(server);
	server->draining = true;
	server->drained = done;
	ady_timer_set(server->loop, &server->drain, server->conns ? drain_ms : 0);
	for (c = server->conns; c; c = next) {
		next = ady_http_conn_next(c);
		ady_http_conn_drain(c);
	}
}

size_t ady_http_server_connections(const struct ady_http_server *server)
{
	return server->conns_n;
}

void ady_http_server_close(struct ady_http_server *server)
{
	if (!server)
		return;
	stop_accepting(server);
	server->drained = NULL;
	end_all(server);
	ady_timer_cancel(server->loop, &server->drain);
	SSL_CTX_free(server->config.tls);
	ady_dyn_free(&server->scratch);
	free(server);
}
