/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames that are larger than all but one type may be, and the room they share. */
#include "channel_fixture.h"

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

static struct ady_share others;

/* Other connections have all of the memory but n bytes. */
static void others_leave(size_t n)
{
	CHECK(ady_budget_take(&memory, &others, memory.total - memory.used - n));
}

static void others_leave_all(void)
{
	ady_budget_give(&memory, &others, others.held);
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
		CHECK(!channel->large);
		close_all();
		CHECK_ERR(seen.why, ADY_OK);
		CHECK_INT(memory.used, 0);
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
	others_leave(n - 1); /* not quite enough is left */
	at = push(p, n);
	CHECK(at < n && channel->paused);
	CHECK_INT(seen.frames, 0);
	run_ms(4 * RETRY_MS);
	CHECK(channel->paused && !seen.closed);
	others_leave_all();
	run_ms(4 * RETRY_MS);
	CHECK_INT(push(p + at, n - at), n - at);
	run_ms(0);
	CHECK_INT(seen.frames, 1);
	close_all();
	CHECK_INT(memory.used, 0);
	free(p);
}

CASE(a_peer_that_goes_while_its_frame_waits_is_noticed)
{
	uint8_t *p = large_frame(1, 3000000);

	open_all();
	others_leave(0);
	push(p, ADY_WIRE_HEAD + 3000000);
	CHECK(channel->paused);
	close_peer();
	close_all();
	CHECK_ERR(seen.why, ADY_E_IO);
	CHECK_INT(memory.used, others.held);
	others_leave_all();
	free(p);
}

CASE(an_end_within_a_large_frame_gives_its_memory_back)
{
	uint8_t *p = large_frame(1, 3000000);

	open_all();
	push(p, 1000000);
	CHECK_INT(channel->share.held, ADY_WIRE_HEAD + 3000000);
	close_peer();
	close_all();
	CHECK_ERR(seen.why, ADY_E_PROTOCOL);
	CHECK_INT(memory.used, 0);
	free(p);
}

/* Bring a timer of the channel's to its time, which is ten seconds away. */
static void expire(struct ady_timer *timer)
{
	CHECK(timer->due_ms > ady_mono_ms() + LARGE_MS - 5000);
	ady_timer_set(loop, timer, 0);
	run_ms(100);
}

CASE(what_was_half_sent_keeps_its_room_for_a_time_only)
{
	uint8_t *p = large_frame(1, ADY_WIRE_LARGE_MAX);

	open_all();
	push(p, ADY_WIRE_LARGE_MAX / 2);
	CHECK(channel->large && !seen.closed);
	expire(&channel->late);
	CHECK_INT(seen.closed, 1);
	CHECK_ERR(seen.why, ADY_E_DEADLINE);
	CHECK_INT(memory.used, 0);
	close_all();
	free(p);
}

/* While it waits for room it is not its peer's fault. */
CASE(the_time_begins_when_there_is_room)
{
	uint8_t *p = large_frame(1, 3000000);

	open_all();
	others_leave(0);
	push(p, 1000);
	CHECK(channel->paused && channel->late.slot == 0);
	others_leave_all();
	run_ms(4 * RETRY_MS);
	CHECK(!channel->paused && channel->late.slot != 0);
	CHECK_INT(push(p + 1000, ADY_WIRE_HEAD + 3000000 - 1000), ADY_WIRE_HEAD + 3000000 - 1000);
	run_ms(0);
	CHECK_INT(seen.frames, 1);
	CHECK(channel->late.slot == 0);
	close_all();
	free(p);
}

/* Of 40 MiB four connections have 8 each, a fifth does not, and small frames go on. */
CASE(large_frames_leave_room_for_small_ones)
{
	enum { N = 5 };
	struct ady_channel *all[N];
	uint8_t *p = large_frame(1, ADY_WIRE_LARGE_MAX);
	int peers[N], small;

	ady_channels_memory((size_t)40 * 1024 * 1024);
	open_all();
	small = peer;
	for (int i = 0; i < N; i++) {
		int fds[2];

		CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
		CHECK_ERR(ady_channel_open(&all[i], loop, fds[0], &events, &seen), ADY_OK);
		ady_channel_ref(all[i]);
		peer = peers[i] = fds[1];
		push(p, 100000);
		CHECK(all[i]->large == (i < 4) && all[i]->paused == (i == 4));
	}
	peer = small;
	push(stream, put_frame(stream, 7, ADY_WIRE_BODY_MAX / 2));
	run_ms(0);
	CHECK_INT(seen.frames, 1);
	expire(&all[0]->late); /* its room is the fifth's */
	CHECK_INT(seen.closed, 1);
	run_ms(4 * RETRY_MS);
	CHECK(all[4]->large && !all[4]->paused);
	for (int i = 0; i < N; i++) {
		close(peers[i]);
		while (!all[i]->ended)
			run_ms(1);
		run_ms(1);
		ady_channel_unref(all[i]);
	}
	seen.closed = 0;
	close_all();
	CHECK_INT(memory.used, 0);
	ady_channels_memory(MEMORY_AT_FIRST);
	free(p);
}

int main(void)
{
	RUN(a_duty_may_be_large_and_its_memory_is_given_back);
	RUN(a_duty_beyond_the_limit_ends_the_connection);
	RUN(large_frames_wait_for_room_among_all_connections);
	RUN(a_peer_that_goes_while_its_frame_waits_is_noticed);
	RUN(an_end_within_a_large_frame_gives_its_memory_back);
	RUN(what_was_half_sent_keeps_its_room_for_a_time_only);
	RUN(the_time_begins_when_there_is_room);
	RUN(large_frames_leave_room_for_small_ones);
	return test_end();
}
