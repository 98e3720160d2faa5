/* SPDX-License-Identifier: Apache-2.0
 *
 * What a channel sends: what waits, peers that take little or nothing, several threads at once. */
#include "channel_fixture.h"

/* Read everything that waits at the peer; the frames must be ids 1, 2, 3 ... of n bytes. */
static uint64_t drain_peer(uint64_t id, uint32_t n)
{
	static uint8_t in[FRAME_MAX], want[FRAME_MAX];
	static size_t have;
	size_t whole = put_frame(want, id, n);
	ssize_t got;

	while ((got = read(peer, in + have, whole - have)) > 0) {
		have += (size_t)got;
		if (have < whole)
			continue;
		if (!CHECK(memcmp(in, want, whole) == 0))
			return id;
		have = 0;
		put_frame(want, ++id, n);
	}
	return id;
}

CASE(what_waits_is_bounded_and_arrives_in_order)
{
	enum { BODY = 10000 };
	uint64_t sent = 0, got = 1;
	enum ady_err err;
	int tiny = 1;

	open_all();
	setsockopt(channel->io.fd, SOL_SOCKET, SO_SNDBUF, &tiny, sizeof tiny);
	for (;;) {
		struct ady_wire_head head = {
		    .type = ADY_WIRE_SIGN, .id = sent + 1, .deadline_ms = 1000};

		put_frame(stream, sent + 1, BODY);
		err = ady_channel_send(channel, &head, ady_bytes(stream + ADY_WIRE_HEAD, BODY));
		if (err != ADY_OK)
			break;
		sent++;
	}
	CHECK_ERR(err, ADY_E_BUSY);
	CHECK_INT(sent, WAITING_MAX / (ADY_WIRE_HEAD + BODY));
	while (got <= sent) {
		uint64_t before = got;

		run_ms(0);
		got = drain_peer(got, BODY);
		if (got == before && !CHECK(!seen.closed))
			break;
	}
	run_ms(0);
	CHECK_INT(channel->waiting, 0);
	CHECK(channel->flight.cap <= KEEP_MAX || channel->queue.cap <= KEEP_MAX);
	close_all();
	CHECK_ERR(seen.why, ADY_OK);
}

/* Frames until no more may wait; the socket is full. */
static void fill(void)
{
	struct ady_wire_head head = {.type = ADY_WIRE_SIGN, .id = 1};

	while (ady_channel_send(channel, &head, ady_bytes(stream, 100000)) == ADY_OK)
		;
	run_ms(0);
	CHECK(channel->stall.slot != 0);
}

CASE(a_peer_that_takes_nothing_has_hung)
{
	open_all();
	fill();
	CHECK(channel->stall.due_ms - ady_mono_ms() > STALL_MS / 2);
	ady_timer_set(loop, &channel->stall, 1);
	run_ms(1000);
	CHECK_ERR(seen.why, ADY_E_DEADLINE);
	close_all();
}

static size_t take_some(size_t max)
{
	static uint8_t some[FRAME_MAX];
	ssize_t n = read(peer, some, max);

	return n > 0 ? (size_t)n : 0;
}

/* So little that the kernel does not tell the loop that there is room: it does when most of the
 * buffer is free. */
CASE(a_peer_that_takes_little_has_not_hung)
{
	open_all();
	fill();
	for (int i = 0; i < 3; i++) {
		size_t before = channel->waiting, took = 0;
		int64_t heard = ady_channel_heard_ms(channel);

		for (size_t n; took < 48 * 1024 && (n = take_some(48 * 1024 - took)) > 0;)
			took += n;
		CHECK(took > 0);
		run_ms(5);
		CHECK_INT(channel->waiting, before); /* nobody told it */
		ady_timer_set(loop, &channel->stall, 1);
		run_ms(20);
		if (!CHECK(!seen.closed))
			break;
		CHECK(channel->waiting < before);
		CHECK(channel->stall.due_ms - ady_mono_ms() > STALL_MS / 2);
		CHECK(ady_channel_heard_ms(channel) > heard);
	}
	if (!seen.closed)
		ady_timer_set(loop, &channel->stall, 1); /* now it takes nothing */
	run_ms(1000);
	CHECK_ERR(seen.why, ADY_E_DEADLINE);
	close_all();
}

/* Another's work in the same round of the loop: the peer takes all that is in the socket, and the
 * stall's time passes. */
static void hold_up(struct ady_io *io, uint32_t ready)
{
	(void)ready;
	ady_loop_del(loop, io);
	while (take_some(FRAME_MAX) > 0)
		;
	usleep(20000);
}

CASE(a_loop_that_was_held_up_does_not_blame_the_peer)
{
	struct ady_io other = {.fn = hold_up};
	size_t before;
	int pipe_fds[2];

	open_all();
	fill();
	before = channel->waiting;
	CHECK(pipe(pipe_fds) == 0 && write(pipe_fds[1], "x", 1) == 1);
	other.fd = pipe_fds[0];
	CHECK_ERR(ady_loop_add(loop, &other, EPOLLIN), ADY_OK);
	ady_timer_set(loop, &channel->stall, 10);
	run_ms(30);
	CHECK(!seen.closed && channel->waiting < before);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	close_all();
}

CASE(a_peer_that_is_gone_ends_what_waits)
{
	open_all();
	fill();
	close_peer();
	close_all();
	CHECK(seen.why == ADY_E_IO || seen.why == ADY_OK);
}

CASE(an_ordered_end_writes_what_was_sent)
{
	struct ady_wire_head head = {.type = ADY_WIRE_SIGN, .id = 1, .deadline_ms = 1000};

	open_all();
	put_frame(stream, 1, 10);
	CHECK_ERR(ady_channel_send(channel, &head, ady_bytes(stream + ADY_WIRE_HEAD, 10)), ADY_OK);
	ady_channel_end(channel, ADY_OK);
	CHECK_INT(seen.closed, 0);
	run_ms(1000);
	CHECK_INT(drain_peer(1, 10), 2);
	close_all();
}

/* --- four threads send at once; the other end is a channel too and answers every frame --- */

enum { SENDERS = 4, EACH = 20000 };

static uint64_t next_of[SENDERS], answered;
static int disorder;

static void echo_frame(void *ctx, struct ady_channel *ch, const struct ady_wire_head *head,
                       struct ady_bytes body)
{
	struct ady_wire_head back = {.type = head->type | ADY_WIRE_ANSWER, .id = head->id};
	size_t sender = (size_t)(head->id >> 32);

	(void)ctx;
	if (next_of[sender]++ != (head->id & 0xffffffff))
		disorder++;
	CHECK_ERR(ady_channel_send(ch, &back, body), ADY_OK);
}

static void count_answer(void *ctx, struct ady_channel *ch, const struct ady_wire_head *head,
                         struct ady_bytes body)
{
	(void)ctx;
	(void)ch;
	if (head->type != (ADY_WIRE_SIGN | ADY_WIRE_ANSWER) || body.n != 300)
		disorder++;
	if (++answered == SENDERS * EACH)
		ady_loop_stop(loop);
}

static void ignore_close(void *ctx, struct ady_channel *ch, enum ady_err why)
{
	(void)ctx;
	(void)ch;
	(void)why;
}

static void *sender_main(void *arg)
{
	static const uint8_t body[300];
	uint64_t me = (uint64_t)(uintptr_t)arg;

	for (uint64_t i = 0; i < EACH; i++) {
		struct ady_wire_head head = {
		    .type = ADY_WIRE_SIGN, .id = me << 32 | i, .deadline_ms = 1000};

		while (ady_channel_send(channel, &head, ady_bytes(body, sizeof body)) == ADY_E_BUSY)
			usleep(100);
	}
	return NULL;
}

CASE(frames_of_four_threads_all_arrive_in_their_order)
{
	static const struct ady_channel_events asks = {.frame = count_answer,
	                                               .closed = ignore_close},
	                                       echoes = {.frame = echo_frame,
	                                                 .closed = ignore_close};
	struct ady_channel *echo;
	pthread_t threads[SENDERS];
	int fds[2];

	CHECK_ERR(ady_loop_open(&loop), ADY_OK);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	CHECK_ERR(ady_channel_open(&channel, loop, fds[0], &asks, NULL), ADY_OK);
	CHECK_ERR(ady_channel_open(&echo, loop, fds[1], &echoes, NULL), ADY_OK);
	ady_channel_ref(channel);
	for (uintptr_t i = 0; i < SENDERS; i++)
		CHECK(pthread_create(&threads[i], NULL, sender_main, (void *)i) == 0);
	ady_loop_run(loop);
	for (int i = 0; i < SENDERS; i++)
		pthread_join(threads[i], NULL);
	CHECK_INT(answered, SENDERS * EACH);
	CHECK_INT(disorder, 0);
	ady_channel_end(channel, ADY_OK);
	run_ms(20);
	ady_channel_unref(channel);
	ady_loop_close(loop);
}

int main(void)
{
	RUN(what_waits_is_bounded_and_arrives_in_order);
	RUN(a_peer_that_takes_nothing_has_hung);
	RUN(a_peer_that_takes_little_has_not_hung);
	RUN(a_loop_that_was_held_up_does_not_blame_the_peer);
	RUN(a_peer_that_is_gone_ends_what_waits);
	RUN(an_ordered_end_writes_what_was_sent);
	RUN(frames_of_four_threads_all_arrive_in_their_order);
	return test_end();
}
