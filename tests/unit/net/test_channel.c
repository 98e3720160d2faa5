/* SPDX-License-Identifier: Apache-2.0
 *
 * What a channel makes of the bytes that come in, and how it ends. */
#include "channel_fixture.h"

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
		CHECK_INT(seen.sum, (1 * 31 + 2) * 31 + 3);
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

int main(void)
{
	RUN(frames_arrive_whole_however_the_stream_is_cut);
	RUN(an_end_within_a_frame_is_a_violation);
	RUN(broken_headers_end_the_connection);
	RUN(unknown_types_are_the_receivers_to_judge);
	RUN(the_largest_body_fits_and_one_byte_more_does_not);
	RUN(an_end_from_inside_a_frame_stops_the_frames_behind_it);
	RUN(closed_is_not_called_from_inside_open);
	RUN(what_was_read_and_written_is_wiped);
	RUN(a_reference_keeps_no_bytes_of_an_ended_connection);
	return test_end();
}
