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

int main(void)
{
	RUN(a_duty_may_be_large_and_its_memory_is_given_back);
	RUN(a_duty_beyond_the_limit_ends_the_connection);
	RUN(large_frames_wait_for_room_among_all_connections);
	RUN(a_peer_that_goes_while_its_frame_waits_is_noticed);
	RUN(an_end_within_a_large_frame_gives_its_memory_back);
	return test_end();
}
