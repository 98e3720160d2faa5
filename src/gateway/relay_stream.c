/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/relay_stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define OWNER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static void connect_next(struct ady_relay_stream *s);

bool ady_relay_watch(struct ady_relay_side *side, uint32_t events)
{
	struct ady_loop *loop = side->stream->relay->loop;

	if (!side->watched && events) {
		side->watched = true;
		return ady_loop_add(loop, &side->io, events) == ADY_OK;
	}
	if (side->watched && !events) {
		ady_loop_del(loop, &side->io);
		side->watched = false;
	} else if (side->watched) {
		ady_loop_set(loop, &side->io, events);
	}
	return true;
}

static void close_side(struct ady_relay_side *side)
{
	ady_relay_watch(side, 0);
	if (side->io.fd >= 0)
		close(side->io.fd);
	side->io.fd = -1;
	ady_dyn_free(&side->out);
}

static void set_stage(struct ady_relay_stream *s, enum ady_relay_stage stage, int timeout_ms)
{
	bool was = s->stage != ADY_RELAY_FIRST && s->stage != ADY_RELAY_REFUSED;
	bool is = stage != ADY_RELAY_FIRST && stage != ADY_RELAY_REFUSED;

	s->relay->connected += is;
	s->relay->connected -= was;
	atomic_store(&s->relay->open_n, s->relay->connected);
	s->stage = stage;
	ady_timer_set(s->relay->loop, &s->timer, timeout_ms);
}

void ady_relay_stream_end(struct ady_relay_stream *s)
{
	struct ady_relay *r = s->relay;

	if (!s->gone) {
		set_stage(s, ADY_RELAY_REFUSED, 0);
		ady_timer_cancel(r->loop, &s->timer);
		close_side(&s->enclave);
		close_side(&s->host);
		r->accepted--;
		s->gone = true;
	}
	if (s->resolving)
		return; /* the lookup still holds it */
	*(s->prev ? &s->prev->next : &r->streams) = s->next;
	if (s->next)
		s->next->prev = s->prev;
	free(s);
}

static void put_frame(struct ady_relay_stream *s, uint8_t type, struct ady_bytes body)
{
	const struct ady_wire_head head = {
	    .length = (uint32_t)body.n, .type = type, .id = s->head.id};
	uint8_t space[ADY_WIRE_HEAD];

	ady_wire_put_head(space, &head);
	ady_dyn_put(&s->enclave.out, space, sizeof space);
	ady_dyn_put(&s->enclave.out, body.p, body.n);
}

/* Answer with the reason, stop sending, and wait for the enclave to close. */
static void refuse(struct ady_relay_stream *s, enum ady_err err, const char *detail)
{
	struct ady_fault f = {0};
	uint8_t space[512];
	struct ady_buf b = ady_buf(space, sizeof space);

	err = ady_fail(&f, err, NULL, "%s", detail);
	ADY_WARN("relay refused", "error=%s detail=\"%s\"", ady_err_code(err), detail);
	atomic_fetch_add(&s->relay->refused_n, 1);
	close_side(&s->host);
	ady_wire_put_fault(&b, &f);
	put_frame(s, ADY_WIRE_ERROR, ady_buf_bytes(&b));
	set_stage(s, ADY_RELAY_REFUSED, s->relay->limits.frame_ms);
	if (!ady_relay_flush(&s->enclave) ||
	    !ady_relay_watch(&s->enclave, s->enclave.out.n ? EPOLLOUT : EPOLLIN)) {
		ady_relay_stream_end(s);
		return;
	}
	if (s->enclave.out.n == 0)
		shutdown(s->enclave.io.fd, SHUT_WR);
}

static bool find_target(struct ady_relay_stream *s, struct ady_bytes host, uint16_t port)
{
	const struct ady_config_relay *c = s->relay->config;

	for (s->target = 0; s->target < c->allow_n; s->target++)
		if (c->allow[s->target].port == port &&
		    ady_bytes_is(host, c->allow[s->target].host))
			return true;
	return false;
}

/* The host's characters were checked with the frame: it may stand in a log. */
static void deny(struct ady_relay_stream *s, struct ady_bytes host, uint16_t port)
{
	char detail[128];

	snprintf(detail, sizeof detail, "%.*s:%u is not on the relay's list",
	         (int)(host.n < 80 ? host.n : 80), (const char *)host.p, port);
	refuse(s, ADY_E_DENIED, detail);
}

static void begin(struct ady_relay_stream *s)
{
	struct ady_relay *r = s->relay;
	struct ady_bytes host;
	uint16_t port;

	ady_relay_watch(&s->enclave, 0);
	if (ady_wire_read_relay(&host, &port,
	                        ady_bytes(s->frame + ADY_WIRE_HEAD, s->head.length)) != ADY_OK) {
		refuse(s, ADY_E_PROTOCOL, "the first frame is malformed");
		return;
	}
	if (!find_target(s, host, port)) {
		deny(s, host, port);
		return;
	}
	if (r->connected >= r->limits.streams) {
		refuse(s, ADY_E_BUSY, "the relay has no stream left");
		return;
	}
	s->names = r->names[s->target];
	if (s->names.n > 0 && ady_mono_ms() < s->names.until_ms) {
		connect_next(s);
		return;
	}
	set_stage(s, ADY_RELAY_RESOLVE, r->limits.resolve_ms);
	if (ady_relay_resolve(s) != ADY_OK)
		refuse(s, ADY_E_BUSY, "too many names are being looked up");
}

void ady_relay_stream_resolved(struct ady_relay_stream *s)
{
	if (s->gone)
		ady_relay_stream_end(s);
	else if (s->stage != ADY_RELAY_RESOLVE)
		return; /* it took too long and was refused */
	else if (s->names.n == 0)
		refuse(s, ADY_E_IO, "the host's name cannot be resolved");
	else
		connect_next(s);
}

static void connected(struct ady_relay_stream *s)
{
	uint8_t space[8];
	struct ady_buf b = ady_buf(space, sizeof space);

	atomic_fetch_add(&s->relay->streams_n, 1);
	ady_wire_put_empty(&b);
	put_frame(s, ADY_WIRE_RELAY | ADY_WIRE_ANSWER, ady_buf_bytes(&b));
	set_stage(s, ADY_RELAY_PIPE, s->relay->limits.idle_ms);
	s->active_ms = ady_mono_ms();
	ady_relay_pipe_begin(s);
}

static void on_connect(struct ady_io *io, uint32_t ready)
{
	struct ady_relay_stream *s = OWNER(io, struct ady_relay_side, io)->stream;
	socklen_t n = sizeof(int);
	int err = 0;

	(void)ready;
	if (getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &err, &n) != 0 || err != 0)
		connect_next(s);
	else
		connected(s);
}

/* Try the next address; refuse when none is left. */
static void connect_next(struct ady_relay_stream *s)
{
	struct ady_relay_side *host = &s->host;
	int one = 1;

	close_side(host);
	set_stage(s, ADY_RELAY_CONNECT, s->relay->limits.connect_ms);
	while (s->address < s->names.n) {
		const struct ady_relay_address *a = &s->names.all[s->address++];
		int fd = socket(a->at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		if (fd < 0)
			continue;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		host->io = (struct ady_io){.fd = fd, .fn = on_connect};
		if ((connect(fd, (const struct sockaddr *)&a->at, a->n) == 0 ||
		     errno == EINPROGRESS) &&
		    ady_relay_watch(host, EPOLLOUT))
			return; /* on_connect learns how it went */
		close_side(host);
	}
	s->relay->names[s->target].until_ms = 0; /* perhaps they moved */
	refuse(s, ADY_E_IO, "the host cannot be connected to");
}

/* How many bytes of the frame are missing, its body included once the head is known. */
static size_t missing(const struct ady_relay_stream *s)
{
	size_t want = ADY_WIRE_HEAD;

	if (s->frame_n >= ADY_WIRE_HEAD)
		want += s->head.length;
	return want - s->frame_n;
}

/* Read the first frame and not one byte more: what follows belongs to the host. */
static void read_frame(struct ady_relay_stream *s)
{
	while (missing(s) > 0) {
		ssize_t n = recv(s->enclave.io.fd, s->frame + s->frame_n, missing(s), 0);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			ady_relay_stream_end(s);
			return;
		}
		s->frame_n += (size_t)n;
		if (s->frame_n != ADY_WIRE_HEAD)
			continue;
		if (ady_wire_read_head(&s->head, s->frame) != ADY_OK ||
		    s->head.type != ADY_WIRE_RELAY ||
		    s->head.length > ADY_RELAY_FRAME - ADY_WIRE_HEAD) {
			refuse(s, ADY_E_PROTOCOL, "the first frame is not one of the relay's");
			return;
		}
	}
	begin(s);
}

/* The refusal is out: wait for the other side to close, throwing away what it still sends, so that
 * our close does not reset the connection before it has read the answer. */
static void linger(struct ady_relay_stream *s)
{
	ssize_t n;

	if (s->enclave.out.n > 0) {
		if (!ady_relay_flush(&s->enclave))
			ady_relay_stream_end(s);
		else if (s->enclave.out.n == 0) {
			shutdown(s->enclave.io.fd, SHUT_WR);
			ady_relay_watch(&s->enclave, EPOLLIN);
		}
		return;
	}
	n = recv(s->enclave.io.fd, s->relay->scratch, sizeof s->relay->scratch, 0);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		ady_relay_stream_end(s);
}

static void on_enclave(struct ady_io *io, uint32_t ready)
{
	struct ady_relay_stream *s = OWNER(io, struct ady_relay_side, io)->stream;

	(void)ready;
	if (s->stage == ADY_RELAY_FIRST)
		read_frame(s);
	else
		linger(s);
}

static void on_timer(struct ady_timer *timer)
{
	struct ady_relay_stream *s = OWNER(timer, struct ady_relay_stream, timer);
	int64_t quiet = ady_mono_ms() - s->active_ms;

	switch (s->stage) {
	case ADY_RELAY_CONNECT:
		connect_next(s);
		return;
	case ADY_RELAY_RESOLVE:
		refuse(s, ADY_E_DEADLINE, "the name's lookup took too long");
		return;
	case ADY_RELAY_PIPE:
		if (quiet < s->relay->limits.idle_ms) {
			ady_timer_set(s->relay->loop, timer, s->relay->limits.idle_ms - quiet);
			return;
		}
		break;
	case ADY_RELAY_FIRST:
	case ADY_RELAY_REFUSED:
		break;
	}
	ady_relay_stream_end(s);
}

void ady_relay_stream_open(struct ady_relay *r, int fd)
{
	struct ady_relay_stream *s = calloc(1, sizeof *s);

	if (!s) {
		close(fd);
		return;
	}
	s->relay = r;
	s->enclave = (struct ady_relay_side){.io = {.fd = fd, .fn = on_enclave}, .stream = s};
	s->host = (struct ady_relay_side){.io.fd = -1, .stream = s};
	s->timer.fn = on_timer;
	s->next = r->streams;
	if (s->next)
		s->next->prev = s;
	r->streams = s;
	r->accepted++;
	set_stage(s, ADY_RELAY_FIRST, r->limits.frame_ms);
	if (!ady_relay_watch(&s->enclave, EPOLLIN))
		ady_relay_stream_end(s);
}
