/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <ctype.h>

#include "test.h"

/* The value of a hex digit by the C library, -1 for none. */
static int digit_value(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return isxdigit(c) ? tolower(c) - 'a' + 10 : -1;
}

CASE(hex_of_all_byte_values)
{
	for (unsigned v = 0; v < 256; v++) {
		const uint8_t byte = (uint8_t)v;
		char text[3], want[3];
		uint8_t back;
		size_t n;

		snprintf(want, sizeof want, "%02x", v);
		ady_hex_encode(text, ady_bytes(&byte, 1));
		CHECK_STR(text, want);
		CHECK_ERR(ady_hex_decode(&back, 1, &n, ady_bytes_str(text)), ADY_OK);
		CHECK(n == 1 && back == byte);
		text[0] = (char)toupper(text[0]);
		text[1] = (char)toupper(text[1]);
		CHECK_ERR(ady_hex_decode(&back, 1, &n, ady_bytes_str(text)), ADY_OK);
		CHECK(n == 1 && back == byte);
	}
}

CASE(hex_behind_what_is_there)
{
	static const uint8_t bytes[40] = {0x0f, 0xa5};
	struct ady_dyn d = {0};
	char want[5 + 80] = "0x0fa5";

	memset(want + 6, '0', 76);
	ady_dyn_str(&d, "0x");
	ady_dyn_hex(&d, ady_bytes(bytes, 2));
	CHECK_STR(ady_dyn_cstr(&d), "0x0fa5");
	ady_dyn_hex(&d, ady_bytes(bytes + 2, 38));
	CHECK_STR(ady_dyn_cstr(&d), want);
	ady_dyn_hex(&d, ady_bytes(NULL, 0));
	CHECK_INT(d.n, 82);
	ady_dyn_free(&d);
}

/* All 256 characters as either digit, in both decoders. */
CASE(every_character_as_a_hex_digit)
{
	for (int c = 0; c < 256; c++) {
		for (size_t at = 0; at < 2; at++) {
			char text[2] = {'5', '5'};
			uint8_t out[1], out32[32];
			int v = digit_value(c);
			size_t n = 9;

			text[at] = (char)c;
			CHECK_ERR(ady_hex_decode(out, 1, &n, ady_bytes(text, 2)),
			          v < 0 ? ADY_E_FIELD_INVALID : ADY_OK);
			CHECK_INT(n, v < 0 ? 0 : 1);
			CHECK_ERR(ady_hex_decode32_ct(out32, ady_bytes(text, 2)),
			          v < 0 ? ADY_E_KEY_FORM : ADY_OK);
			CHECK_INT(out32[31], v < 0 ? 0 : at == 0 ? v << 4 | 5 : 0x50 | v);
			if (v >= 0)
				CHECK_INT(out[0], out32[31]);
		}
	}
}

CASE(hex_lengths)
{
	uint8_t out[4] = {0};
	size_t n;

	CHECK_ERR(ady_hex_decode(out, 4, &n, ady_bytes_str("")), ADY_OK);
	CHECK_INT(n, 0);
	CHECK_ERR(ady_hex_decode(out, 4, &n, ady_bytes_str("abc")), ADY_E_FIELD_INVALID);
	CHECK_ERR(ady_hex_decode(out, 4, &n, ady_bytes_str("0011223344")), ADY_E_TOO_LARGE);
	CHECK_INT(n, 0);
	CHECK_ERR(ady_hex_decode(out, 4, &n, ady_bytes_str("00112233")), ADY_OK);
	CHECK_INT(n, 4);
	CHECK_ERR(ady_hex_decode(out, 4, &n, ady_bytes_str("0x11")), ADY_E_FIELD_INVALID);
}

/* The AWS sample's key may have lost its leading zeros: digits are right-aligned. */
CASE(key_hex_of_every_length)
{
	static const char digits[] =
	    "123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef01";
	uint8_t out[32];
	char want[65];

	for (size_t n = 1; n <= 64; n++) {
		memset(want, '0', 64 - n);
		memcpy(want + 64 - n, digits, n);
		want[64] = '\0';
		CHECK_ERR(ady_hex_decode32_ct(out, ady_bytes(digits, n)), ADY_OK);
		CHECK_HEX(out, 32, want);
	}
	CHECK_ERR(ady_hex_decode32_ct(out, ady_bytes(digits, 65)), ADY_E_KEY_FORM);
	CHECK_ERR(ady_hex_decode32_ct(out, ady_bytes(digits, 0)), ADY_E_KEY_FORM);
}

/* A wrong digit at any place leaves nothing of the key behind. */
CASE(a_refused_key_leaves_nothing)
{
	static const uint8_t zero[32];
	char text[65];
	uint8_t out[32];

	for (size_t at = 0; at < 64; at++) {
		memset(text, 'f', 64);
		text[at] = 'g';
		memset(out, 0xaa, sizeof out);
		CHECK_ERR(ady_hex_decode32_ct(out, ady_bytes(text, 64)), ADY_E_KEY_FORM);
		CHECK(memcmp(out, zero, 32) == 0);
	}
}

/* RFC 4648 section 10. */
CASE(base64_of_the_rfc)
{
	static const char *const rows[][2] = {{"", ""},
	                                      {"f", "Zg=="},
	                                      {"fo", "Zm8="},
	                                      {"foo", "Zm9v"},
	                                      {"foob", "Zm9vYg=="},
	                                      {"fooba", "Zm9vYmE="},
	                                      {"foobar", "Zm9vYmFy"}};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[ADY_BASE64_SIZE(6)];
		uint8_t back[8];
		size_t n;

		CHECK_INT(ady_base64_encode(text, ady_bytes_str(rows[i][0])), strlen(rows[i][1]));
		CHECK_STR(text, rows[i][1]);
		CHECK_INT(ADY_BASE64_SIZE(strlen(rows[i][0])), strlen(text) + 1);
		CHECK_ERR(ady_base64_decode(back, sizeof back, &n, ady_bytes_str(text)), ADY_OK);
		CHECK(ady_bytes_eq(ady_bytes(back, n), ady_bytes_str(rows[i][0])));
	}
}

CASE(base64url_has_no_padding)
{
	static const char *const bad[] = {"A",    "AB",   "AAB",   "AA==", "A+AA",
	                                  "A/AA", "AA A", "AAAAA", "?"};
	static const uint8_t bytes[] = {0xfb, 0xff, 0xbf, 0x00, 0xfe};
	uint8_t space[8];
	char text[16];

	for (size_t n = 0; n <= sizeof bytes; n++) {
		static const char *const texts[] = {"", "-w", "-_8", "-_-_", "-_-_AA", "-_-_AP4"};
		struct ady_buf b = ady_buf(text, sizeof text), back = ady_buf(space, sizeof space);

		ady_base64url_put(&b, ady_bytes(bytes, n));
		CHECK(ady_bytes_is(ady_buf_bytes(&b), texts[n]));
		CHECK_ERR(ady_base64url_take(&back, ady_buf_bytes(&b)), ADY_OK);
		CHECK(ady_bytes_eq(ady_buf_bytes(&back), ady_bytes(bytes, n)));
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct ady_buf back = ady_buf(space, sizeof space);

		CHECK_ERR(ady_base64url_take(&back, ady_bytes_str(bad[i])), ADY_E_FIELD_INVALID);
		CHECK_INT(back.n, 0);
	}
	for (size_t cap = 0; cap <= 7; cap++) { /* whole, or nothing of it */
		struct ady_buf b = ady_buf(text, cap);

		ady_base64url_put(&b, ady_bytes(bytes, sizeof bytes));
		CHECK(b.n == (cap < 7 ? 0 : 7) && b.full == (cap < 7));
	}
	for (size_t cap = 0; cap < 5; cap++) {
		struct ady_buf back = ady_buf(space, cap);

		CHECK_ERR(ady_base64url_take(&back, ady_bytes_str("-_-_AP4")), ADY_E_TOO_LARGE);
		CHECK(back.n == 0 && !back.full);
	}
}

/* Each group of four characters decodes to what it is the encoding of, or is refused: all 256
 * characters at each place, full and padded. */
CASE(base64_is_canonical)
{
	static const char *const groups[] = {"AAAA", "AAA=", "AA==", "////",
	                                     "+/9Z", "Zm8=", "Zg=="};
	unsigned accepted = 0;

	for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
		for (int c = 0; c < 256; c++) {
			for (size_t at = 0; at < 4; at++) {
				char text[5], again[ADY_BASE64_SIZE(3)];
				uint8_t out[3];
				size_t n;

				memcpy(text, groups[g], 5);
				text[at] = (char)c;
				if (ady_base64_decode(out, 3, &n, ady_bytes(text, 4)) != ADY_OK) {
					CHECK_INT(n, 0);
					continue;
				}
				accepted++;
				ady_base64_encode(again, ady_bytes(out, n));
				CHECK(memcmp(again, text, 4) == 0);
			}
		}
	}
	CHECK_INT(accepted, 1360); /* as Python's base64 counts them, encoding again included */
}

CASE(base64_of_another_form_is_refused)
{
	static const char *const bad[] = {
	    "A",      "AA",    "AAA",      "AAAAA",    "A===",   "====",     "=AAA",
	    "A=AA",   "AA=A",  "AA==AAAA", "AAA=AAAA", "AB==",   "AAB=",     "AAAA\n",
	    "AA\nAA", " AAAA", "AAA ",     "AA-_",     "AA==\n", "AAAA====", "AAAA=AAA"};
	uint8_t out[16];
	size_t n;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		test_check_err(ady_base64_decode(out, sizeof out, &n, ady_bytes_str(bad[i])),
		               ADY_E_FIELD_INVALID, __FILE__, __LINE__, bad[i]);
	CHECK_ERR(ady_base64_decode(out, 2, &n, ady_bytes_str("Zm9v")), ADY_E_TOO_LARGE);
	CHECK_ERR(ady_base64_decode(out, 3, &n, ady_bytes_str("Zm9vYg==")), ADY_E_TOO_LARGE);
	CHECK_ERR(ady_base64_decode(out, 4, &n, ady_bytes_str("Zm9vYg==")), ADY_OK);
}

int main(void)
{
	RUN(hex_of_all_byte_values);
	RUN(hex_behind_what_is_there);
	RUN(every_character_as_a_hex_digit);
	RUN(hex_lengths);
	RUN(key_hex_of_every_length);
	RUN(a_refused_key_leaves_nothing);
	RUN(base64_of_the_rfc);
	RUN(base64url_has_no_padding);
	RUN(base64_is_canonical);
	RUN(base64_of_another_form_is_refused);
	return test_end();
}
