/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "codec/ws.h"
#include "test.h"

/* Read hex as a client's frame (masked ones) or a server's, on a reader of its own. */
static enum ady_err read_hex(bool from_client, size_t max, const char *hex,
                             struct ady_ws_frame *frame, struct ady_fault *f)
{
	struct ady_ws_reader r = {.from_client = from_client, .max = max};
	static uint8_t space[256];
	struct ady_bytes in = test_hex(hex);
	size_t need;

	memcpy(space, in.p, in.n);
	f->detail[0] = '\0';
	return ady_ws_read(&r, frame, space, in.n, &need, f);
}

/* RFC 6455 5.7: the examples. */
CASE(examples_of_the_rfc_are_read)
{
	struct ady_ws_frame frame;
	struct ady_fault f;

	CHECK_ERR(read_hex(false, 100, "810548656c6c6f", &frame, &f), ADY_OK);
	CHECK(ady_bytes_is(frame.payload, "Hello") && frame.fin && frame.op == ADY_WS_TEXT);
	CHECK_ERR(read_hex(true, 100, "818537fa213d7f9f4d5158", &frame, &f), ADY_OK);
	CHECK(ady_bytes_is(frame.payload, "Hello"));
	CHECK_ERR(read_hex(false, 100, "010348656c", &frame, &f), ADY_OK);
	CHECK(ady_bytes_is(frame.payload, "Hel") && !frame.fin);
	CHECK_ERR(read_hex(false, 100, "890548656c6c6f", &frame, &f), ADY_OK);
	CHECK(frame.op == ADY_WS_PING);
	CHECK_ERR(read_hex(true, 100, "8a8537fa213d7f9f4d5158", &frame, &f), ADY_OK);
	CHECK(frame.op == ADY_WS_PONG && ady_bytes_is(frame.payload, "Hello"));
}

struct refusal {
	bool from_client;
	const char *hex, *detail;
	enum ady_err err;
};

CASE(frames_are_refused_by_name)
{
	static const struct refusal rows[] = {
	    {true, "c18000000000", "has a reserved bit set", ADY_E_PROTOCOL},
	    {true, "a1", "has a reserved bit set", ADY_E_PROTOCOL},
	    {true, "83", "has opcode 3, which means nothing", ADY_E_PROTOCOL},
	    {true, "8b", "has opcode 11, which means nothing", ADY_E_PROTOCOL},
	    {true, "09", "is a control frame in parts", ADY_E_PROTOCOL},
	    {true, "89fe", "is a control frame of over 125 bytes", ADY_E_PROTOCOL},
	    {true, "81fe007d00000000", "has a length in a longer form", ADY_E_PROTOCOL},
	    {true, "81ff000000000000ffff00000000", "has a length in a longer form", ADY_E_PROTOCOL},
	    {true, "81ff800000000000000000000000", "has a length with bit 63 set", ADY_E_PROTOCOL},
	    {true, "810548656c6c6f", "is not masked", ADY_E_PROTOCOL},
	    {false, "818537fa213d7f9f4d5158", "is masked by a server", ADY_E_PROTOCOL},
	    {true, "808000000000", "continues a message that has not begun", ADY_E_PROTOCOL},
	    {true, "81fe00c900000000", "is longer than 200 bytes", ADY_E_TOO_LARGE},
	    {true, "81ff7fffffffffffffff00000000", "is longer than 200 bytes", ADY_E_TOO_LARGE},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ady_ws_frame frame;
		struct ady_fault f;

		CHECK_ERR(read_hex(rows[i].from_client, 200, rows[i].hex, &frame, &f), rows[i].err);
		CHECK_STR(f.detail, rows[i].detail);
	}
}

CASE(fragments_add_up_and_control_frames_stand_between)
{
	struct ady_ws_reader r = {.max = 8};
	uint8_t all[] = {0x01, 3, 'H', 'e', 'l', 0x89, 0, 0x80, 2, 'l', 'o', 0x81, 1, '!'};
	struct ady_ws_frame frame;
	struct ady_fault f;
	size_t at = 0, need;

	CHECK_ERR(ady_ws_read(&r, &frame, all, sizeof all, &need, &f), ADY_OK);
	CHECK(!frame.fin && r.within && r.sum == 3);
	at += frame.used;
	CHECK_ERR(ady_ws_read(&r, &frame, all + at, sizeof all - at, &need, &f), ADY_OK);
	CHECK(frame.op == ADY_WS_PING);
	at += frame.used;
	CHECK_ERR(ady_ws_read(&r, &frame, all + at, sizeof all - at, &need, &f), ADY_OK);
	CHECK(frame.fin && frame.op == ADY_WS_TEXT && !r.within && r.sum == 0);
	at += frame.used;
	CHECK_ERR(ady_ws_read(&r, &frame, all + at, sizeof all - at, &need, &f), ADY_OK);
	CHECK(at + frame.used == sizeof all);
}

CASE(a_new_message_within_another_and_a_sum_over_the_limit_are_refused)
{
	struct ady_ws_reader r = {.max = 4};
	uint8_t one[] = {0x01, 3, 'H', 'e', 'l'}, two[] = {0x81, 1, 'x'},
	        rest[] = {0x80, 2, 'l', 'o'};
	struct ady_ws_frame frame;
	struct ady_fault f;
	size_t need;

	CHECK_ERR(ady_ws_read(&r, &frame, one, sizeof one, &need, &f), ADY_OK);
	CHECK_ERR(ady_ws_read(&r, &frame, two, sizeof two, &need, &f), ADY_E_PROTOCOL);
	CHECK_STR(f.detail, "begins a message within another");
	CHECK_ERR(ady_ws_read(&r, &frame, rest, sizeof rest, &need, &f), ADY_E_TOO_LARGE);
	CHECK_STR(f.detail, "is longer than 4 bytes");
}

CASE(a_prefix_of_a_frame_is_waited_for)
{
	uint8_t head[ADY_WS_HEAD_MAX], space[70000 + ADY_WS_HEAD_MAX] = {0};
	static const uint8_t mask[4] = {1, 2, 3, 4};
	static const size_t sizes[] = {0, 1, 125, 126, 65535, 65536, 70000};

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct ady_ws_reader r = {.from_client = true, .max = 100000};
		size_t n = ady_ws_put_head(head, ADY_WS_TEXT, sizes[i], mask), need;
		struct ady_ws_frame frame;
		struct ady_fault f;

		memcpy(space, head, n);
		for (size_t cut = 0; cut < n + (sizes[i] > 0); cut++) {
			CHECK_ERR(ady_ws_read(&r, &frame, space, cut, &need, &f), ADY_E_AGAIN);
			CHECK(need > cut);
		}
		CHECK_ERR(ady_ws_read(&r, &frame, space, n + sizes[i], &need, &f), ADY_OK);
		CHECK_INT(frame.payload.n, sizes[i]);
		CHECK_INT(frame.used, n + sizes[i]);
	}
}

CASE(close_frames)
{
	static const struct {
		const char *hex;
		enum ady_err err;
		unsigned code;
	} rows[] = {
	    {"", ADY_OK, ADY_WS_NO_CODE},  {"03e8", ADY_OK, 1000},
	    {"03e86279", ADY_OK, 1000},    {"0bb8", ADY_OK, 3000},
	    {"03", ADY_E_PROTOCOL, 0},     {"03ed", ADY_E_PROTOCOL, 0}, /* 1005 */
	    {"03ee", ADY_E_PROTOCOL, 0},                                /* 1006 */
	    {"03ec", ADY_E_PROTOCOL, 0},                                /* 1004 */
	    {"03f7", ADY_E_PROTOCOL, 0},                                /* 1015 */
	    {"0000", ADY_E_PROTOCOL, 0},   {"1388", ADY_E_PROTOCOL, 0}, /* 5000 */
	    {"03e8ff", ADY_E_PROTOCOL, 0},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ady_bytes reason;
		unsigned code;

		CHECK_ERR(ady_ws_read_close(&code, &reason, test_hex(rows[i].hex)), rows[i].err);
		if (rows[i].err == ADY_OK)
			CHECK_INT(code, rows[i].code);
	}
}

int main(void)
{
	RUN(examples_of_the_rfc_are_read);
	RUN(frames_are_refused_by_name);
	RUN(fragments_add_up_and_control_frames_stand_between);
	RUN(a_new_message_within_another_and_a_sum_over_the_limit_are_refused);
	RUN(a_prefix_of_a_frame_is_waited_for);
	RUN(close_frames);
	return test_end();
}
