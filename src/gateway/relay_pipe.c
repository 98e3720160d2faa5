/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes of a relayed stream in both directions. What one side sends is written to the other at
 * once; what does not fit waits in a bounded buffer, and the sender is not read from until it is
 * gone. */
#include <errno.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "gateway/relay_stream.h"

#define OWNER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static struct ady_relay_side *other(struct ady_relay_side *side)
{
	struct ady_relay_stream *s = side->stream;

	return side == &s->enclave ? &s->host : &s->enclave;
}

/* Write bytes to a side. Returns how many went, or -1 when it is broken. */
static ssize_t write_some(struct ady_relay_side *to, const uint8_t *p, size_t n)
{
	ssize_t sent = send(to->io.fd, p, n, MSG_NOSIGNAL);

	if (sent < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	return sent;
}

bool ady_relay_flush(struct ady_relay_side *side)
{
	ssize_t n;

	if (side->out.n == 0)
		return true;
	n = write_some(side, side->out.p, side->out.n);
	if (n < 0)
		return false;
	ady_dyn_drop(&side->out, (size_t)n);
	if (side->out.n == 0)
		ady_dyn_free(&side->out); /* idle streams hold no buffer */
	return true;
}

/* Count in the statistics what was read from a side. */
static void count(struct ady_relay_side *from, size_t n)
{
	struct ady_relay *r = from->stream->relay;
	bool to_host = from == &from->stream->enclave;

	atomic_fetch_add_explicit(to_host ? &r->to_host : &r->to_enclave, n, memory_order_relaxed);
	from->stream->active_ms = ady_mono_ms();
}

/* Pass on what one side has sent. False: one of them is broken. */
static bool pass(struct ady_relay_side *from)
{
	struct ady_relay_side *to = other(from);
	uint8_t *scratch = from->stream->relay->scratch;

	while (!from->eof && to->out.n < ADY_RELAY_BUFFER) {
		size_t room = ADY_RELAY_BUFFER - to->out.n;
		ssize_t n = recv(from->io.fd, scratch, room, 0), sent = 0;

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		if (n == 0) {
			from->eof = true;
			break;
		}
		count(from, (size_t)n);
		if (to->out.n == 0)
			sent = write_some(to, scratch, (size_t)n);
		if (sent < 0)
			return false;
		if (sent < n)
			ady_dyn_put(&to->out, scratch + sent, (size_t)(n - sent));
		if ((size_t)n < room)
			break; /* most likely all there was; the loop asks again if not */
	}
	return true;
}

/* Half-close: when one side has ended and all it sent is out, the other is told, and may go on. */
static void pass_end(struct ady_relay_side *to)
{
	if (to->shut || to->out.n > 0 || !other(to)->eof)
		return;
	shutdown(to->io.fd, SHUT_WR);
	to->shut = true;
}

static bool update(struct ady_relay_side *side)
{
	uint32_t events = 0;

	if (!side->eof && other(side)->out.n < ADY_RELAY_BUFFER)
		events |= EPOLLIN;
	if (side->out.n > 0)
		events |= EPOLLOUT;
	return ady_relay_watch(side, events);
}

static void on_side(struct ady_io *io, uint32_t ready)
{
	struct ady_relay_side *side = OWNER(io, struct ady_relay_side, io);
	struct ady_relay_stream *s = side->stream;
	bool ok = true;

	if (ready & (EPOLLIN | EPOLLHUP | EPOLLERR))
		ok = pass(side);
	ok = ok && ady_relay_flush(&s->enclave) && ady_relay_flush(&s->host);
	if (ok) {
		pass_end(&s->enclave);
		pass_end(&s->host);
	}
	if (!ok || (s->enclave.shut && s->host.shut)) {
		ady_relay_stream_end(s);
		return;
	}
	/* A side that is watched for nothing is not watched at all, or its hang-up would be
	 * reported for ever. */
	if (!update(&s->enclave) || !update(&s->host))
		ady_relay_stream_end(s);
}

void ady_relay_pipe_begin(struct ady_relay_stream *s)
{
	ady_relay_watch(&s->host, 0);
	s->enclave.io.fn = on_side;
	s->host.io.fn = on_side;
	if (!ady_relay_flush(&s->enclave) || !update(&s->enclave) || !update(&s->host))
		ady_relay_stream_end(s);
}
