/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/utf8.h"

#include "test.h"

/* The definition of RFC 3629, without the tables: decode, then ask whether the number is a
 * character and whether this is its shortest form. */
static size_t by_definition(const uint8_t *p, size_t n)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t length = p[0] < 0x80           ? 1
	                : (p[0] >> 5) == 0x06 ? 2
	                : (p[0] >> 4) == 0x0e ? 3
	                : (p[0] >> 3) == 0x1e ? 4
	                                      : 0;
	uint32_t c;

	if (length <= 1 || length > n)
		return length <= n ? length : 0;
	c = p[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if (p[i] >> 6 != 2)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	return c < least[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? 0 : length;
}

/* All of the first three bytes, and the ends of the range of the fourth. */
CASE(every_sequence_as_the_definition_has_it)
{
	static const uint8_t fourth[] = {0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xff};
	unsigned wrong = 0;

	for (uint32_t v = 0; v < 1u << 24; v++) {
		uint8_t p[4] = {(uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v, fourth[v % 6]};

		wrong += ady_utf8_char(p, 4) != by_definition(p, 4);
	}
	CHECK_INT(wrong, 0);
}

CASE(a_character_cut_short_is_none)
{
	static const uint8_t p[] = {0xf0, 0x90, 0x80, 0x80};

	CHECK_INT(ady_utf8_char(p, 4), 4);
	for (size_t n = 1; n < 4; n++)
		CHECK_INT(ady_utf8_char(p, n), 0);
	CHECK_INT(ady_utf8_char((const uint8_t *)"\xe2\x82", 2), 0);
	CHECK_INT(ady_utf8_char((const uint8_t *)"\xc3", 1), 0);
}

/* One bad byte at every place of texts of every length around a word. */
CASE(a_bad_byte_is_found_anywhere)
{
	char text[40];

	CHECK(ady_utf8_valid((struct ady_bytes){0}));
	for (size_t n = 1; n <= sizeof text; n++) {
		memset(text, 'a', sizeof text);
		CHECK(ady_utf8_valid(ady_bytes(text, n)));
		for (size_t i = 0; i < n; i++) {
			text[i] = (char)0x80;
			CHECK(!ady_utf8_valid(ady_bytes(text, n)));
			text[i] = 'a';
		}
	}
	CHECK(ady_utf8_valid(ady_bytes_str("aaaaaaa\xc3\xa9zzzzzzzz\xf0\x9d\x84\x9e")));
}

int main(void)
{
	RUN(every_sequence_as_the_definition_has_it);
	RUN(a_character_cut_short_is_none);
	RUN(a_bad_byte_is_found_anywhere);
	return test_end();
}
