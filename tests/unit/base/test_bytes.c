/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

#include "test.h"

CASE(parts_lie_within_or_are_empty)
{
	struct ady_bytes b = ady_bytes_str("abcdef");

	CHECK(ady_bytes_is(ady_bytes_sub(b, 0, 6), "abcdef"));
	CHECK(ady_bytes_is(ady_bytes_sub(b, 2, 3), "cde"));
	CHECK_INT(ady_bytes_sub(b, 6, 0).n, 0);
	CHECK_INT(ady_bytes_sub(b, 6, 1).n, 0);
	CHECK_INT(ady_bytes_sub(b, 7, 0).n, 0);
	CHECK_INT(ady_bytes_sub(b, 1, SIZE_MAX).n, 0);
	CHECK_INT(ady_bytes_sub(b, SIZE_MAX, 2).n, 0);
	CHECK_INT(ady_bytes_sub((struct ady_bytes){0}, 0, 0).n, 0);
}

CASE(equality)
{
	struct ady_bytes none = {0};

	CHECK(ady_bytes_eq(none, ady_bytes_str("")));
	CHECK(ady_bytes_eq(none, none));
	CHECK(!ady_bytes_eq(ady_bytes_str("a"), ady_bytes_str("b")));
	CHECK(!ady_bytes_eq(ady_bytes_str("a"), ady_bytes_str("aa")));
	CHECK(ady_bytes_is(ady_bytes("a\0b", 1), "a"));
	CHECK(!ady_bytes_is(ady_bytes("a\0b", 3), "a"));
}

CASE(texts_fit_or_are_empty)
{
	char out[4] = "xxx";

	CHECK(ady_bytes_to_str(out, sizeof out, ady_bytes_str("abc")));
	CHECK_STR(out, "abc");
	CHECK(!ady_bytes_to_str(out, sizeof out, ady_bytes_str("abcd")));
	CHECK_STR(out, "");
	CHECK(!ady_bytes_to_str(out, sizeof out, ady_bytes("a\0b", 3)));
	CHECK_STR(out, "");
	CHECK(ady_bytes_to_str(out, sizeof out, (struct ady_bytes){0}));
	CHECK(!ady_bytes_to_str(NULL, 0, ady_bytes_str("")));
}

CASE(big_endian_both_ways)
{
	uint8_t space[14];
	struct ady_buf b = ady_buf(space, sizeof space);

	ady_buf_be16(&b, 0xfedc);
	ady_buf_be32(&b, 0x89abcdef);
	ady_buf_be64(&b, 0xf123456789abcdef);
	CHECK(!b.full);
	CHECK_HEX(space, b.n, "fedc89abcdeff123456789abcdef");
	CHECK_INT(ady_be16(space), 0xfedc);
	CHECK_INT(ady_be32(space + 2), 0x89abcdef);
	CHECK(ady_be64(space + 6) == 0xf123456789abcdef);
}

/* Nothing is written past the end, nor behind what did not fit. */
CASE(a_full_writer_stays_full)
{
	uint8_t space[8];
	struct ady_buf b = ady_buf(space, 4);

	memset(space, 0xee, sizeof space);
	ady_buf_str(&b, "abc");
	ady_buf_be16(&b, 0x1234);
	CHECK(b.full);
	CHECK_INT(b.n, 3);
	ady_buf_u8(&b, 'd'); /* it would fit, but the order would be wrong */
	ady_buf_printf(&b, "%d", 1);
	ady_buf_put(&b, NULL, 0);
	CHECK(b.full);
	CHECK_HEX(space, sizeof space, "616263eeeeeeeeee");
	b = ady_buf(space, 4);
	ady_buf_put(&b, space, SIZE_MAX);
	CHECK(b.full && b.n == 0);
	b = ady_buf(NULL, 0);
	ady_buf_put(&b, NULL, 0);
	CHECK(!b.full);
	ady_buf_u8(&b, 0);
	CHECK(b.full);
}

CASE(formatted_text_needs_a_byte_of_room)
{
	uint8_t space[5];
	struct ady_buf b = ady_buf(space, sizeof space);

	ady_buf_printf(&b, "%s-%d", "ab", 7);
	CHECK(!b.full);
	CHECK(ady_bytes_is(ady_buf_bytes(&b), "ab-7"));
	b = ady_buf(space, 4);
	ady_buf_printf(&b, "%s-%d", "ab", 7);
	CHECK(b.full && b.n == 0);
}

CASE(a_growing_writer_grows)
{
	struct ady_dyn d = {0};

	CHECK_STR(ady_dyn_cstr(&d), "");
	for (int i = 0; i < 1000; i++)
		ady_dyn_printf(&d, "%03d", i);
	CHECK_INT(d.n, 3000);
	CHECK_INT(strlen(ady_dyn_cstr(&d)), 3000);
	ady_dyn_drop(&d, 2997);
	CHECK_STR(ady_dyn_cstr(&d), "999");
	ady_dyn_put(&d, "x\0y", 3);
	CHECK_INT(d.n, 6);
	ady_dyn_str(&d, "z");
	CHECK_HEX(d.p, d.n, "3939397800797a");
	ady_dyn_drop(&d, 7);
	CHECK_INT(d.n, 0);
	memcpy(ady_dyn_room(&d, 4), "abcd", 4);
	CHECK_INT(d.n, 0);
	d.n += 4;
	CHECK(ady_bytes_is(ady_dyn_bytes(&d), "abcd"));
	ady_dyn_free(&d);
	CHECK(!d.p && d.n == 0 && d.cap == 0);
	ady_dyn_str(&d, "again");
	CHECK_STR(ady_dyn_cstr(&d), "again");
	ady_dyn_free(&d);
}

int main(void)
{
	RUN(parts_lie_within_or_are_empty);
	RUN(equality);
	RUN(texts_fit_or_are_empty);
	RUN(big_endian_both_ways);
	RUN(a_full_writer_stays_full);
	RUN(formatted_text_needs_a_byte_of_room);
	RUN(a_growing_writer_grows);
	return test_end();
}
