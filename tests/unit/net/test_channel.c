/* SPDX-License-Identifier: Apache-2.0
 *
 * The source is included, so that a test need not wait for the stall timer's ten seconds. */
#include "net/channel.c"

#include <fcntl.h>

#include "base/clock.h"
#include "test.h"

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

static void run_ms(int ms)
{
	struct ady_timer end = {.fn = stop_timer};

	ady_timer_set(loop, &end, ms);
	ady_loop_run(loop);
	ady_timer_cancel(loop, &end);
}

static void open_all(void)
{
	int fds[2];

	memset(&seen, 0, sizeof seen);
	CHECK_ERR(ady_loop_open(&loop), ADY_OK);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	peer = fds[1];
	CHECK_ERR(ady_channel_open(&channel, loop, fds[0], &events, &seen), ADY_OK);
	ady_channel_ref(channel);
}

static void close_all(void)
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

static void close_peer(void)
{
	close(peer);
	peer = -1;
}

/* Append a frame whose body follows from its id. */
static size_t put_frame(uint8_t *to, uint64_t id, uint32_t n)
{
	struct ady_wire_head head = {
	    .length = n, .type = ADY_WIRE_SIGN, .id = id, .deadline_ms = 1000};

	ady_wire_put_head(to, &head);
	for (uint32_t i = 0; i < n; i++)
		to[ADY_WIRE_HEAD + i] = (uint8_t)(id + i);
	return ADY_WIRE_HEAD + n;
}

static uint8_t stream[2 * FRAME_MAX];

static size_t three_frames(size_t ends[3])
{
	size_t n = 0;

	n += put_frame(stream, 1, 0);
	ends[0] = n;
	n += put_frame(stream + n, 2, 5);
	ends[1] = n;
	n += put_frame(stream + n, 3, 60);
	ends[2] = n;
	return n;
}

static void feed(const uint8_t *p, size_t n)
{
	CHECK_INT(write(peer, p, n), (ssize_t)n);
}

CASE(frames_arrive_whole_however_the_stream_is_cut)
{
	size_t ends[3], n = three_frames(ends);

	for (size_t cut = 0; cut <= n; cut++) {
		int before = (cut >= ends[0]) + (cut >= ends[1]) + (cut >= ends[2]);

		open_all();
		if (cut > 0)
			feed(stream, cut);
		run_ms(0);
		CHECK_INT(seen.frames, before);
		if (cut < n)
			feed(stream + cut, n - cut);
		run_ms(0);
		CHECK_INT(seen.frames, 3);
		CHECK_INT(seen.last.id, 3);
		close_all();
		CHECK_ERR(seen.why, ADY_OK);
	}
}

CASE(an_end_within_a_frame_is_a_violation)
{
	size_t ends[3], n = three_frames(ends);

	for (size_t cut = 0; cut <= n; cut++) {
		bool clean = cut == 0 || cut == ends[0] || cut == ends[1] || cut == ends[2];

		open_all();
		if (cut > 0)
			feed(stream, cut);
		close_peer();
		close_all();
		CHECK_INT(seen.frames, (cut >= ends[0]) + (cut >= ends[1]) + (cut >= ends[2]));
		CHECK_ERR(seen.why, clean ? ADY_OK : ADY_E_PROTOCOL);
	}
}

/* Each byte that must have one value, set to another. */
CASE(broken_headers_end_the_connection)
{
	static const struct {
		size_t at;
		uint8_t value;
	} rows[] = {{0, 1}, {1, 5}, {4, 0}, {4, 2}, {6, 1}, {7, 1}, {16, 1}, {20, 1}, {23, 1}};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		open_all();
		feed(stream, put_frame(stream, 7, 0));
		put_frame(stream, 8, 0);
		stream[rows[i].at] = rows[i].value;
		feed(stream, ADY_WIRE_HEAD); /* the header alone is enough */
		run_ms(1000);
		CHECK_INT(seen.frames, 1);
		CHECK_ERR(seen.why, ADY_E_PROTOCOL);
		close_all();
	}
}

CASE(unknown_types_are_the_receivers_to_judge)
{
	open_all();
	put_frame(stream, 9, 3);
	stream[5] = 0x7f;
	feed(stream, ADY_WIRE_HEAD + 3);
	run_ms(0);
	CHECK_INT(seen.frames, 1);
	CHECK_INT(seen.last.type, 0x7f);
	close_all();
}

CASE(the_largest_body_fits_and_one_byte_more_does_not)
{
	size_t n = put_frame(stream, 1, ADY_WIRE_BODY_MAX), at = 0;
	struct ady_wire_head head = {.type = ADY_WIRE_SIGN, .id = 2};

	open_all();
	while (at < n) {
		ssize_t put = write(peer, stream + at, n - at);

		at += put > 0 ? (size_t)put : 0;
		run_ms(0);
	}
	run_ms(0);
	CHECK_INT(seen.frames, 1);
	CHECK_INT(seen.bytes, ADY_WIRE_BODY_MAX);
	CHECK_ERR(ady_channel_send(channel, &head, ady_bytes(stream, ADY_WIRE_BODY_MAX + 1)),
	          ADY_E_TOO_LARGE);
	close_all();
	CHECK_ERR(seen.why, ADY_OK);
}

/* A DUTY frame of n bytes of body, to be freed. */
static uint8_t *large_frame(uint64_t id, uint32_t n)
{
	uint8_t *p = malloc(ADY_WIRE_HEAD + (size_t)n);

	put_frame(p, id, n);
	p[5] = ADY_WIRE_DUTY;
	return p;
}

/* Write until all is written or nothing has been taken for some rounds; returns what was. */
static size_t push(const uint8_t *p, size_t n)
{
	size_t at = 0;
	int idle = 0;

	while (at < n && idle < 40 && !seen.closed) {
		ssize_t put = write(peer, p + at, n - at);

		at += put > 0 ? (size_t)put : 0;
		idle = put > 0 ? 0 : idle + 1;
		run_ms(0);
	}
	return at;
}

CASE(a_duty_may_be_large_and_its_memory_is_given_back)
{
	uint32_t sizes[] = {ADY_WIRE_LARGE_MAX, ADY_WIRE_BODY_MAX + 1, 3000000};

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		uint8_t *p = large_frame(i + 1, sizes[i]);

		open_all();
		feed(stream, put_frame(stream, 7, 10)); /* one in front, one behind */
		CHECK_INT(push(p, ADY_WIRE_HEAD + (size_t)sizes[i]),
		          ADY_WIRE_HEAD + (size_t)sizes[i]);
		feed(stream, put_frame(stream, 8, 10));
		run_ms(0);
		CHECK_INT(seen.frames, 3);
		CHECK_INT(seen.bytes, sizes[i] + 20);
		CHECK_INT(channel->in.cap, BUFFER_AT_FIRST);
		CHECK_INT(atomic_load(&large_taken), 0);
		close_all();
		CHECK_ERR(seen.why, ADY_OK);
		free(p);
	}
}

CASE(a_duty_beyond_the_limit_ends_the_connection)
{
	uint8_t *p = large_frame(1, 100);

	open_all();
	p[0] = 0;
	p[1] = 0x80;
	p[2] = 0;
	p[3] = 1;
	_Static_assert(ADY_WIRE_LARGE_MAX + 1 == 0x800001, "the length above");
	feed(p, ADY_WIRE_HEAD);
	run_ms(1000);
	CHECK_ERR(seen.why, ADY_E_PROTOCOL);
	close_all();
	free(p);
}

CASE(large_frames_wait_for_room_among_all_connections)
{
	uint8_t *p = large_frame(1, 3000000);
	size_t n = ADY_WIRE_HEAD + 3000000, at;

	open_all();
	atomic_store(&large_taken, LARGE_MAX - 3000000); /* not quite enough is left */
	at = push(p, n);
	CHECK(at < n && channel->paused);
	CHECK_INT(seen.frames, 0);
	run_ms(4 * RETRY_MS);
	CHECK(channel->paused && !seen.closed);
	atomic_store(&large_taken, 0);
	run_ms(4 * RETRY_MS);
	CHECK_INT(push(p + at, n - at), n - at);
	run_ms(0);
	CHECK_INT(seen.frames, 1);
	CHECK_INT(atomic_load(&large_taken), 0);
	close_all();
	free(p);
}

CASE(a_peer_that_goes_while_its_frame_waits_is_noticed)
{
	uint8_t *p = large_frame(1, 3000000);

	open_all();
	atomic_store(&large_taken, LARGE_MAX);
	push(p, ADY_WIRE_HEAD + 3000000);
	CHECK(channel->paused);
	close_peer();
	close_all();
	CHECK_ERR(seen.why, ADY_E_IO);
	CHECK_INT(atomic_load(&large_taken), LARGE_MAX);
	atomic_store(&large_taken, 0);
	free(p);
}

CASE(an_end_within_a_large_frame_gives_its_memory_back)
{
	uint8_t *p = large_frame(1, 3000000);

	open_all();
	push(p, 1000000);
	CHECK(atomic_load(&large_taken) > 0);
	close_peer();
	close_all();
	CHECK_ERR(seen.why, ADY_E_PROTOCOL);
	CHECK_INT(atomic_load(&large_taken), 0);
	free(p);
}

CASE(an_end_from_inside_a_frame_stops_the_frames_behind_it)
{
	size_t ends[3], n = three_frames(ends);

	open_all();
	seen.end_at_first = true;
	feed(stream, n);
	run_ms(1000);
	CHECK_INT(seen.frames, 1);
	CHECK_ERR(seen.why, ADY_E_DENIED);
	close_all();
}

CASE(closed_is_not_called_from_inside_open)
{
	int fds[2];

	memset(&seen, 0, sizeof seen);
	CHECK_ERR(ady_loop_open(&loop), ADY_OK);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	close(fds[1]);
	peer = -1;
	CHECK_ERR(ady_channel_open(&channel, loop, fds[0], &events, &seen), ADY_OK);
	ady_channel_ref(channel);
	CHECK_INT(seen.closed, 0);
	close_all();
	CHECK_ERR(seen.why, ADY_OK);
}

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

CASE(a_peer_that_takes_nothing_has_hung)
{
	struct ady_wire_head head = {.type = ADY_WIRE_SIGN, .id = 1};

	open_all();
	while (ady_channel_send(channel, &head, ady_bytes(stream, 100000)) == ADY_OK)
		;
	run_ms(0);
	CHECK(channel->stall.slot != 0);
	CHECK(channel->stall.due_ms - ady_mono_ms() > STALL_MS - 1000);
	ady_timer_set(loop, &channel->stall, 1);
	run_ms(1000);
	CHECK_ERR(seen.why, ADY_E_DEADLINE);
	close_all();
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
		CHECK(channel->stall.due_ms - ady_mono_ms() > STALL_MS - 1000);
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
	run_ms(0);
	CHECK(!seen.closed && channel->waiting < before);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	close_all();
}

CASE(a_peer_that_is_gone_ends_what_waits)
{
	struct ady_wire_head head = {.type = ADY_WIRE_SIGN, .id = 1};

	open_all();
	while (ady_channel_send(channel, &head, ady_bytes(stream, 100000)) == ADY_OK)
		;
	run_ms(0);
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

CASE(what_was_read_and_written_is_wiped)
{
	struct ady_wire_head head = {.type = ADY_WIRE_CREDENTIALS, .id = 65, .deadline_ms = 1000};
	size_t n = put_frame(stream, 65, 500);
	size_t left = 0;

	open_all();
	feed(stream, n);
	CHECK_ERR(ady_channel_send(channel, &head, ady_bytes(stream + ADY_WIRE_HEAD, 500)), ADY_OK);
	run_ms(0);
	CHECK_INT(seen.frames, 1);
	for (size_t i = 0; i < n; i++)
		left += channel->in.p[i] != 0;
	for (size_t i = 0; channel->flight.p && i < n; i++)
		left += channel->flight.p[i] != 0;
	for (size_t i = 0; channel->queue.p && i < n; i++)
		left += channel->queue.p[i] != 0;
	CHECK_INT(left, 0);
	close_all();
}

/* Half a frame came in and nobody takes what goes out; then the peer leaves, and a job that waits
 * for KMS keeps the channel. */
CASE(a_reference_keeps_no_bytes_of_an_ended_connection)
{
	struct ady_wire_head head = {.type = ADY_WIRE_STATUS | ADY_WIRE_ANSWER};

	open_all();
	put_frame(stream, 66, ADY_WIRE_BODY_MAX);
	feed(stream, 1000);
	for (int i = 0; i < 20; i++)
		CHECK_ERR(ady_channel_send(channel, &head, ady_bytes(stream, 100000)), ADY_OK);
	run_ms(0);
	CHECK_ERR(ady_channel_send(channel, &head, ady_bytes(stream, 100000)), ADY_OK);
	close_peer();
	run_ms(100);
	CHECK_INT(seen.closed, 1);
	CHECK(!channel->in.p && !channel->flight.p && !channel->queue.p);
	CHECK_ERR(ady_channel_send(channel, &head, ady_bytes(stream, 1)), ADY_E_IO);
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
	RUN(frames_arrive_whole_however_the_stream_is_cut);
	RUN(an_end_within_a_frame_is_a_violation);
	RUN(broken_headers_end_the_connection);
	RUN(unknown_types_are_the_receivers_to_judge);
	RUN(the_largest_body_fits_and_one_byte_more_does_not);
	RUN(a_duty_may_be_large_and_its_memory_is_given_back);
	RUN(a_duty_beyond_the_limit_ends_the_connection);
	RUN(large_frames_wait_for_room_among_all_connections);
	RUN(a_peer_that_goes_while_its_frame_waits_is_noticed);
	RUN(an_end_within_a_large_frame_gives_its_memory_back);
	RUN(an_end_from_inside_a_frame_stops_the_frames_behind_it);
	RUN(closed_is_not_called_from_inside_open);
	RUN(what_waits_is_bounded_and_arrives_in_order);
	RUN(a_peer_that_takes_nothing_has_hung);
	RUN(a_peer_that_takes_little_has_not_hung);
	RUN(a_loop_that_was_held_up_does_not_blame_the_peer);
	RUN(a_peer_that_is_gone_ends_what_waits);
	RUN(an_ordered_end_writes_what_was_sent);
	RUN(what_was_read_and_written_is_wiped);
	RUN(a_reference_keeps_no_bytes_of_an_ended_connection);
	RUN(frames_of_four_threads_all_arrive_in_their_order);
	return test_end();
}
