/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames are copied into a queue under a lock; the loop takes the whole queue at the end of its
 * round and writes it with one call, so frames that were sent in one round, or by several threads
 * meanwhile, leave together. Both buffers stay allocated, so steady traffic allocates nothing.
 * What has been read or written is wiped: frames carry AWS credentials. The buffers of all
 * connections have one budget, of which each has its share (base/budget.h): a frame for which there
 * is no room waits, unread. One that is larger than all but one type may be is given its room for
 * LARGE_MS only, so that what was half sent keeps no other out for long. */
#include "net/channel.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/budget.h"
#include "base/clock.h"
#include "base/secret.h"

enum {
	BUFFER_AT_FIRST = 32 * 1024,
	FRAME_MAX = ADY_WIRE_HEAD + ADY_WIRE_BODY_MAX,
	WAITING_MAX = 8 * 1024 * 1024,
	/* A buffer that grew beyond this in a rush is given back. */
	KEEP_MAX = 1024 * 1024,
	/* A peer that takes nothing for so long while something waits for it has hung. */
	STALL_MS = 10000,
	/* A large frame has come within so long from when there was room for it. */
	LARGE_MS = 10000,
	/* Who finds no room looks again. */
	RETRY_MS = 5,
	MEMORY_AT_FIRST = 512 * 1024 * 1024,
};

static struct ady_budget memory = {.lock = PTHREAD_MUTEX_INITIALIZER, .total = MEMORY_AT_FIRST};

struct buffer {
	uint8_t *p;
	size_t cap, n;
};

struct ady_channel {
	struct ady_io io;
	struct ady_loop *loop;
	const struct ady_channel_events *events;
	void *ctx;
	atomic_uint refs;
	struct buffer in, flight; /* flight: what is being written, of which flown bytes are */
	size_t flown;
	struct ady_share share; /* of memory */
	bool large;             /* in has room for a large frame, and nothing else */
	struct ady_timer stall, retry, late;
	int64_t heard_ms; /* ady_mono_ms: the peer gave something, or took what had waited for it */
	struct ady_task flush, end;
	bool ended, watching_out, paused; /* paused: nothing is read until there is room */
	enum ady_err why;
	pthread_mutex_t lock; /* guards what follows */
	struct buffer queue;
	size_t waiting; /* bytes of queue and flight that are not written */
	bool flush_posted, shut;
};

/* --- storage --- */

void ady_channels_memory(size_t bytes)
{
	ady_budget_set(&memory, bytes);
}

/* ADY_E_AGAIN: there is no room among all connections. */
static enum ady_err buffer_room(struct ady_channel *ch, struct buffer *b, size_t cap)
{
	uint8_t *more;

	if (b->cap >= cap)
		return ADY_OK;
	if (!ady_budget_take(&memory, &ch->share, cap))
		return ADY_E_AGAIN;
	more = malloc(cap);
	if (!more) {
		ady_budget_give(&memory, &ch->share, cap);
		return ADY_E_MEMORY;
	}
	if (b->n > 0) {
		memcpy(more, b->p, b->n);
		ady_zero(b->p, b->n); /* realloc would leave the old bytes behind */
	}
	free(b->p);
	ady_budget_give(&memory, &ch->share, b->cap);
	b->p = more;
	b->cap = cap;
	return ADY_OK;
}

static void buffer_free(struct ady_channel *ch, struct buffer *b)
{
	if (b->n > 0)
		ady_zero(b->p, b->n);
	free(b->p);
	ady_budget_give(&memory, &ch->share, b->cap);
	*b = (struct buffer){0};
}

/* Make an empty buffer smaller, without asking for what it keeps. */
static bool buffer_shrink(struct ady_channel *ch, struct buffer *b, size_t cap)
{
	uint8_t *less = malloc(cap);

	if (!less)
		return false;
	free(b->p);
	ady_budget_give(&memory, &ch->share, b->cap - cap);
	b->p = less;
	b->cap = cap;
	return true;
}

void ady_channel_ref(struct ady_channel *ch)
{
	atomic_fetch_add(&ch->refs, 1);
}

void ady_channel_unref(struct ady_channel *ch)
{
	if (atomic_fetch_sub(&ch->refs, 1) > 1)
		return;
	buffer_free(ch, &ch->in);
	buffer_free(ch, &ch->flight);
	buffer_free(ch, &ch->queue);
	pthread_mutex_destroy(&ch->lock);
	free(ch);
}

void *ady_channel_ctx(struct ady_channel *ch)
{
	return ch->ctx;
}

int64_t ady_channel_heard_ms(const struct ady_channel *ch)
{
	return ch->heard_ms;
}

/* --- writing --- */

static void set_events(struct ady_channel *ch)
{
	ady_loop_set(ch->loop, &ch->io,
	             (ch->paused ? 0U : (uint32_t)EPOLLIN) |
	                 (ch->watching_out ? (uint32_t)EPOLLOUT : 0U));
}

static void watch(struct ady_channel *ch, bool out)
{
	if (out == ch->watching_out)
		return;
	ch->watching_out = out;
	set_events(ch);
	if (out)
		ady_timer_set(ch->loop, &ch->stall, STALL_MS);
	else
		ady_timer_cancel(ch->loop, &ch->stall);
}

/* The queue becomes the flight when that has been written. */
static bool take_queue(struct ady_channel *ch, size_t written)
{
	struct buffer empty = ch->flight;
	bool landed = ch->flown == ch->flight.n;

	empty.n = 0;
	if (landed &&
	    (empty.cap > KEEP_MAX || (empty.cap > BUFFER_AT_FIRST && ady_budget_is_tight(&memory))))
		buffer_free(ch, &empty);
	pthread_mutex_lock(&ch->lock);
	ch->waiting -= written;
	if (landed) {
		ch->flight = ch->queue;
		ch->queue = empty;
		ch->flown = 0;
	}
	pthread_mutex_unlock(&ch->lock);
	return ch->flown < ch->flight.n;
}

static bool would_block(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* Write until nothing waits or the socket is full. Returns whether it took anything. */
static bool write_out(struct ady_channel *ch)
{
	size_t put = 0;
	bool took = false;

	while (take_queue(ch, put)) {
		ssize_t n = send(ch->io.fd, ch->flight.p + ch->flown, ch->flight.n - ch->flown,
		                 MSG_NOSIGNAL);

		put = n > 0 ? (size_t)n : 0;
		if (n > 0) {
			ady_zero(ch->flight.p + ch->flown, put);
			ch->flown += put;
			took = true;
			continue;
		}
		if (!would_block())
			ady_channel_end(ch, ADY_E_IO);
		else
			watch(ch, true);
		return took;
	}
	watch(ch, false);
	return took;
}

/* Write what had to wait: that the socket takes it shows that the peer takes it. */
static bool write_on(struct ady_channel *ch)
{
	bool took = write_out(ch);

	if (took)
		ch->heard_ms = ady_mono_ms();
	if (took && !ch->ended && ch->watching_out)
		ady_timer_set(ch->loop, &ch->stall, STALL_MS);
	return took;
}

static void on_flush(struct ady_task *task)
{
	struct ady_channel *ch =
	    (struct ady_channel *)((char *)task - offsetof(struct ady_channel, flush));

	pthread_mutex_lock(&ch->lock);
	ch->flush_posted = false;
	pthread_mutex_unlock(&ch->lock);
	if (!ch->ended && !ch->watching_out)
		(void)write_out(ch);
	ady_channel_unref(ch);
}

/* The time is over; but the kernel tells of room only when much of its buffer is free. Only a write
 * tells whether the peer took something. */
static void on_stall(struct ady_timer *timer)
{
	struct ady_channel *ch =
	    (struct ady_channel *)((char *)timer - offsetof(struct ady_channel, stall));

	if (!write_on(ch))
		ady_channel_end(ch, ADY_E_DEADLINE);
}

/* Append a frame; the lock is held. */
static enum ady_err enqueue(struct ady_channel *ch, const struct ady_wire_head *head,
                            struct ady_bytes body, struct ady_bytes proof)
{
	struct ady_wire_head h = *head;
	size_t n = ADY_WIRE_HEAD + body.n + proof.n,
	       cap = ch->queue.cap ? ch->queue.cap : BUFFER_AT_FIRST;
	uint8_t *at;

	if (ch->shut)
		return ADY_E_IO;
	if (ch->waiting + n >
	    WAITING_MAX + (body.n > ADY_WIRE_BODY_MAX ? (size_t)ADY_WIRE_LARGE_MAX : 0))
		return ADY_E_BUSY;
	while (cap < ch->queue.n + n)
		cap = cap < WAITING_MAX ? 2 * cap : ch->queue.n + n;
	if (buffer_room(ch, &ch->queue, cap) != ADY_OK)
		return ADY_E_BUSY;
	h.length = (uint32_t)(body.n + proof.n);
	h.proof = (uint32_t)proof.n;
	at = ch->queue.p + ch->queue.n;
	ady_wire_put_head(at, &h);
	if (body.n > 0)
		memcpy(at + ADY_WIRE_HEAD, body.p, body.n);
	if (proof.n > 0)
		memcpy(at + ADY_WIRE_HEAD + body.n, proof.p, proof.n);
	ch->queue.n += n;
	ch->waiting += n;
	return ADY_OK;
}

enum ady_err ady_channel_send(struct ady_channel *ch, const struct ady_wire_head *head,
                              struct ady_bytes body)
{
	return ady_channel_send_proved(ch, head, body, ady_bytes(NULL, 0));
}

enum ady_err ady_channel_send_proved(struct ady_channel *ch, const struct ady_wire_head *head,
                                     struct ady_bytes body, struct ady_bytes proof)
{
	bool post = false;
	enum ady_err err;

	if (body.n > ady_wire_body_max(head->type) ||
	    proof.n > ady_wire_body_max(head->type) - body.n)
		return ADY_E_TOO_LARGE;
	pthread_mutex_lock(&ch->lock);
	err = enqueue(ch, head, body, proof);
	if (err == ADY_OK && !ch->flush_posted) {
		ch->flush_posted = post = true;
		ady_channel_ref(ch); /* the task's */
	}
	pthread_mutex_unlock(&ch->lock);
	if (post)
		ady_loop_post(ch->loop, &ch->flush);
	return err;
}

/* --- reading --- */

/* Room for a frame that has begun. ADY_E_AGAIN: not yet. */
static enum ady_err frame_room(struct ady_channel *ch, size_t whole)
{
	struct buffer *in = &ch->in;
	enum ady_err err;

	if (whole <= in->cap)
		return ADY_OK;
	err = buffer_room(ch, in, whole <= FRAME_MAX ? (size_t)FRAME_MAX : whole);
	if (err == ADY_OK && whole > FRAME_MAX) {
		ch->large = true;
		ady_timer_set(ch->loop, &ch->late, LARGE_MS);
	}
	return err;
}

/* A large frame has been served: it was all that its buffer had room for. Room for others is given
 * back while it is wanted elsewhere. */
static bool shrink(struct ady_channel *ch)
{
	if (ch->in.n > 0)
		return true;
	if (ch->large)
		ady_timer_cancel(ch->loop, &ch->late);
	if (!ch->large && (ch->in.cap == BUFFER_AT_FIRST || !ady_budget_is_tight(&memory)))
		return true;
	ch->large = false;
	return buffer_shrink(ch, &ch->in, BUFFER_AT_FIRST);
}

static void on_late(struct ady_timer *timer)
{
	ady_channel_end((struct ady_channel *)((char *)timer - offsetof(struct ady_channel, late)),
	                ADY_E_DEADLINE);
}

static void pause_reading(struct ady_channel *ch)
{
	ch->paused = true;
	set_events(ch);
	ady_timer_set(ch->loop, &ch->retry, RETRY_MS);
}

/* Serve the whole frames of in; the rest moves to the front. */
static void serve(struct ady_channel *ch)
{
	struct buffer *in = &ch->in;
	struct ady_wire_head head;
	size_t at = 0;
	enum ady_err err;

	while (!ch->ended && in->n - at >= ADY_WIRE_HEAD) {
		size_t whole;

		if (ady_wire_read_head(&head, in->p + at) != ADY_OK) {
			ady_channel_end(ch, ADY_E_PROTOCOL);
			return;
		}
		whole = ADY_WIRE_HEAD + head.length;
		if ((err = frame_room(ch, whole)) == ADY_E_MEMORY) {
			ady_channel_end(ch, ADY_E_MEMORY);
			return;
		}
		if (err == ADY_E_AGAIN)
			pause_reading(ch);
		if (in->n - at < whole)
			break;
		ch->events->frame(ch->ctx, ch, &head,
		                  ady_bytes(in->p + at + ADY_WIRE_HEAD, head.length));
		at += whole;
	}
	if (at == 0)
		return;
	memmove(in->p, in->p + at, in->n - at);
	ady_zero(in->p + in->n - at, at);
	in->n -= at;
	if (!ch->ended && !shrink(ch))
		ady_channel_end(ch, ADY_E_MEMORY);
}

static void on_retry(struct ady_timer *timer)
{
	struct ady_channel *ch =
	    (struct ady_channel *)((char *)timer - offsetof(struct ady_channel, retry));

	ady_channel_ref(ch);
	ch->paused = false;
	serve(ch);
	if (!ch->ended && !ch->paused)
		set_events(ch);
	ady_channel_unref(ch);
}

static void read_in(struct ady_channel *ch)
{
	struct buffer *in = &ch->in;
	ssize_t n = read(ch->io.fd, in->p + in->n, in->cap - in->n);

	if (n > 0) {
		in->n += (size_t)n;
		ch->heard_ms = ady_mono_ms();
		serve(ch);
	} else if (n == 0) {
		ady_channel_end(ch, in->n == 0 ? ADY_OK : ADY_E_PROTOCOL);
	} else if (!would_block()) {
		ady_channel_end(ch, ADY_E_IO);
	}
}

static void on_io(struct ady_io *io, uint32_t ready)
{
	struct ady_channel *ch =
	    (struct ady_channel *)((char *)io - offsetof(struct ady_channel, io));

	ady_channel_ref(ch);
	if (ch->paused && ready & ~(uint32_t)EPOLLOUT)
		ady_channel_end(ch, ADY_E_IO); /* nothing but its end is told of then */
	else if (ready & ~(uint32_t)EPOLLOUT)
		read_in(ch);
	if (!ch->ended && ready & EPOLLOUT)
		(void)write_on(ch);
	ady_channel_unref(ch);
}

/* --- opening and ending --- */

/* References of an ended connection may be held for long: they keep the channel, not its bytes. */
static void drop_buffers(struct ady_channel *ch)
{
	buffer_free(ch, &ch->in);
	buffer_free(ch, &ch->flight);
	ch->flown = 0;
	pthread_mutex_lock(&ch->lock);
	buffer_free(ch, &ch->queue);
	pthread_mutex_unlock(&ch->lock);
}

static void on_end(struct ady_task *task)
{
	struct ady_channel *ch =
	    (struct ady_channel *)((char *)task - offsetof(struct ady_channel, end));

	ch->events->closed(ch->ctx, ch, ch->why);
	drop_buffers(ch);
	ady_channel_unref(ch);
}

void ady_channel_end(struct ady_channel *ch, enum ady_err why)
{
	if (ch->ended)
		return;
	if (!ch->watching_out && why == ADY_OK)
		(void)write_out(ch); /* what was sent in this round */
	if (ch->ended)
		return;
	ch->ended = true;
	ch->why = why;
	pthread_mutex_lock(&ch->lock);
	ch->shut = true;
	pthread_mutex_unlock(&ch->lock);
	ady_timer_cancel(ch->loop, &ch->stall);
	ady_timer_cancel(ch->loop, &ch->retry);
	ady_timer_cancel(ch->loop, &ch->late);
	ady_loop_del(ch->loop, &ch->io);
	close(ch->io.fd);
	ady_loop_post(ch->loop, &ch->end);
}

enum ady_err ady_channel_open(struct ady_channel **ch, struct ady_loop *loop, int fd,
                              const struct ady_channel_events *events, void *ctx)
{
	struct ady_channel *c = calloc(1, sizeof *c);

	*ch = NULL;
	if (!c || buffer_room(c, &c->in, BUFFER_AT_FIRST) != ADY_OK) {
		free(c);
		close(fd);
		return ADY_E_MEMORY;
	}
	pthread_mutex_init(&c->lock, NULL);
	c->refs = 1; /* the loop's, until closed was called */
	c->io = (struct ady_io){.fd = fd, .fn = on_io};
	c->stall.fn = on_stall;
	c->retry.fn = on_retry;
	c->late.fn = on_late;
	c->flush.fn = on_flush;
	c->end.fn = on_end;
	c->loop = loop;
	c->heard_ms = ady_mono_ms();
	c->events = events;
	c->ctx = ctx;
	if (ady_loop_add(loop, &c->io, EPOLLIN) != ADY_OK) {
		close(fd);
		ady_channel_unref(c);
		return ADY_E_IO;
	}
	*ch = c;
	return ADY_OK;
}
