/* SPDX-License-Identifier: Apache-2.0
 *
 * A channel on a loop of its own, with the other end in the test's hands. The channel's source is
 * included, so that a test need not wait for the stall timer's ten seconds. */
#ifndef ADY_TEST_CHANNEL_FIXTURE_H
#define ADY_TEST_CHANNEL_FIXTURE_H

#include "net/channel.c"

#include "base/clock.h"
#include "test.h"

#define FIXTURE static __attribute__((unused))

static struct ady_loop *loop;
static struct ady_channel *channel;
static int peer; /* the other end, in the test's hands */

static struct {
	int frames, closed;
	size_t bytes;
	enum ady_err why;
	struct ady_wire_head last;
	uint64_t sum; /* over ids, in order */
	bool end_at_first;
	size_t wrong; /* bytes that are not what was sent */
} seen;

static void on_frame(void *ctx, struct ady_channel *ch, const struct ady_wire_head *head,
                     struct ady_bytes body)
{
	CHECK(ctx == &seen && ady_channel_ctx(ch) == &seen);
	CHECK(head->length == body.n);
	seen.frames++;
	seen.bytes += body.n;
	seen.last = *head;
	seen.sum = seen.sum * 31 + head->id;
	for (size_t i = 0; i < body.n; i++)
		if (body.p[i] != (uint8_t)(head->id + i))
			seen.wrong++;
	if (seen.end_at_first)
		ady_channel_end(ch, ADY_E_DENIED);
}

static void on_closed(void *ctx, struct ady_channel *ch, enum ady_err why)
{
	struct ady_wire_head head = {.type = ADY_WIRE_STATUS};

	CHECK(ctx == &seen);
	seen.closed++;
	seen.why = why;
	CHECK_ERR(ady_channel_send(ch, &head, (struct ady_bytes){0}), ADY_E_IO);
	ady_channel_end(ch, ADY_E_INTERNAL); /* harmless */
	ady_loop_stop(loop);
}

static const struct ady_channel_events events = {.frame = on_frame, .closed = on_closed};

static void stop_timer(struct ady_timer *timer)
{
	(void)timer;
	ady_loop_stop(loop);
}

FIXTURE void run_ms(int ms)
{
	struct ady_timer end = {.fn = stop_timer};

	ady_timer_set(loop, &end, ms);
	ady_loop_run(loop);
	ady_timer_cancel(loop, &end);
}

FIXTURE void open_all(void)
{
	int fds[2];

	memset(&seen, 0, sizeof seen);
	CHECK_ERR(ady_loop_open(&loop), ADY_OK);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	peer = fds[1];
	CHECK_ERR(ady_channel_open(&channel, loop, fds[0], &events, &seen), ADY_OK);
	ady_channel_ref(channel);
}

FIXTURE void close_all(void)
{
	if (peer >= 0)
		close(peer);
	if (!seen.closed)
		run_ms(2000);
	CHECK_INT(seen.closed, 1);
	CHECK_INT(seen.wrong, 0);
	ady_channel_unref(channel);
	ady_loop_close(loop);
}

FIXTURE void close_peer(void)
{
	close(peer);
	peer = -1;
}

/* Append a frame whose body follows from its id. */
FIXTURE size_t put_frame(uint8_t *to, uint64_t id, uint32_t n)
{
	struct ady_wire_head head = {
	    .length = n, .type = ADY_WIRE_SIGN, .id = id, .deadline_ms = 1000};

	ady_wire_put_head(to, &head);
	for (uint32_t i = 0; i < n; i++)
		to[ADY_WIRE_HEAD + i] = (uint8_t)(id + i);
	return ADY_WIRE_HEAD + n;
}

static uint8_t stream[2 * FRAME_MAX];

FIXTURE void feed(const uint8_t *p, size_t n)
{
	CHECK_INT(write(peer, p, n), (ssize_t)n);
}

#endif
