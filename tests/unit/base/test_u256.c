/* SPDX-License-Identifier: Apache-2.0 */
#include "base/u256.h"

#include "test.h"

#define MAX_DEC "115792089237316195423570985008687907853269984665640564039457584007913129639935"
#define MAX_HEX "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static const char zero[] = "0000000000000000000000000000000000000000000000000000000000000000";

/* What text times 10^scale is, in decimal; "invalid" or "range" when it is refused, in which case v
 * must be left 0. */
static const char *scaled(const char *text, unsigned scale)
{
	static char out[79];
	struct ady_u256 v;
	enum ady_err err = ady_u256_parse_scaled(&v, ady_bytes_str(text), scale);

	ady_u256_format_dec(out, &v);
	if (err != ADY_OK)
		CHECK_STR(out, "0");
	return err == ADY_OK ? out : err == ADY_E_FIELD_RANGE ? "range" : "invalid";
}

CASE(decimal_is_exact_to_the_last_value)
{
	static const char *const good[] = {"0",
	                                   "1",
	                                   "9",
	                                   "10",
	                                   "255",
	                                   "256",
	                                   "18446744073709551615",
	                                   "18446744073709551616",
	                                   "9999999999999999999",
	                                   "10000000000000000000",
	                                   "99999999999999999999",
	                                   "1000000000000000000",
	                                   MAX_DEC};
	struct ady_u256 v;
	char out[79];

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		CHECK_ERR(ady_u256_parse_dec(&v, ady_bytes_str(good[i])), ADY_OK);
		ady_u256_format_dec(out, &v);
		CHECK_STR(out, good[i]);
	}
	CHECK_HEX(v.be, 32, MAX_HEX);
}

CASE(decimal_of_another_form_is_refused)
{
	static const char *const bad[] = {"",    "00",  "01", "-1", "+1",     " 1",   "1 ",
	                                  "1.0", "1e2", "a",  "0x", "12\n34", "1,000"};
	struct ady_u256 v;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		CHECK_ERR(ady_u256_parse_dec(&v, ady_bytes_str(bad[i])), ADY_E_FIELD_INVALID);
		CHECK_HEX(v.be, 32, zero);
	}
	CHECK_ERR(ady_u256_parse_dec(&v, (struct ady_bytes){0}), ADY_E_FIELD_INVALID);
}

CASE(decimal_beyond_256_bits_is_refused)
{
	static const char *const big[] = {
	    "115792089237316195423570985008687907853269984665640564039457584007913129639936",
	    "200000000000000000000000000000000000000000000000000000000000000000000000000000",
	    "1000000000000000000000000000000000000000000000000000000000000000000000000000000"};
	struct ady_u256 v;

	for (size_t i = 0; i < sizeof big / sizeof *big; i++) {
		CHECK_ERR(ady_u256_parse_dec(&v, ady_bytes_str(big[i])), ADY_E_FIELD_RANGE);
		CHECK_HEX(v.be, 32, zero);
	}
}

CASE(hex_of_every_length)
{
	char text[67] = "0x";
	char want[65];
	struct ady_u256 v;

	for (size_t n = 1; n <= 64; n++) {
		memset(text + 2, n % 2 ? 'f' : 'F', n);
		memset(want, '0', 64 - n);
		memset(want + 64 - n, 'f', n);
		want[64] = '\0';
		CHECK_ERR(ady_u256_parse_hex(&v, ady_bytes(text, 2 + n)), ADY_OK);
		CHECK_HEX(v.be, 32, want);
	}
	CHECK_ERR(ady_u256_parse_hex(&v, ady_bytes_str("0x00a1")), ADY_OK);
	CHECK_INT(ady_u256_minimal(&v).n, 1);
}

CASE(hex_of_another_form_is_refused)
{
	static const char *const bad[] = {"",    "0",    "0x",   "0X1",  "1x1",
	                                  "0xg", "0x 1", "0x1 ", "-0x1", "ff"};
	struct ady_u256 v;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK_ERR(ady_u256_parse_hex(&v, ady_bytes_str(bad[i])), ADY_E_FIELD_INVALID);
	CHECK_ERR(ady_u256_parse_hex(&v, ady_bytes_str("0x0" MAX_HEX)), ADY_E_FIELD_RANGE);
	CHECK_HEX(v.be, 32, zero);
}

CASE(ether_to_wei_is_exact)
{
	CHECK_STR(scaled("0.01", 18), "10000000000000000");
	CHECK_STR(scaled("1", 18), "1000000000000000000");
	CHECK_STR(scaled("0.1", 18), "100000000000000000");
	CHECK_STR(scaled("0.000000000000000001", 18), "1");
	CHECK_STR(scaled("123456789.123456789123456789", 18), "123456789123456789123456789");
	CHECK_STR(scaled("0.3", 18), "300000000000000000"); /* 0.1 + 0.2 in doubles is not */
	CHECK_STR(scaled("1e-2", 18), "10000000000000000");
	CHECK_STR(scaled("1e-18", 18), "1");
	CHECK_STR(scaled("1.5E3", 18), "1500000000000000000000");
	CHECK_STR(scaled("1.5E+3", 0), "1500");
	CHECK_STR(scaled("1.500", 1), "15");
	CHECK_STR(scaled("120e-1", 0), "12");
	CHECK_STR(scaled("0", 18), "0");
	CHECK_STR(scaled("0.000", 0), "0");
	CHECK_STR(scaled("0e5", 18), "0");
}

CASE(parts_of_a_wei_are_refused)
{
	CHECK_STR(scaled("0.0000000000000000001", 18), "invalid");
	CHECK_STR(scaled("1.0000000000000000001", 18), "invalid");
	CHECK_STR(scaled("1e-19", 18), "invalid");
	CHECK_STR(scaled("1.5", 0), "invalid");
	CHECK_STR(scaled("1.0000000000000000000", 18), "1000000000000000000");
}

CASE(scaled_range_ends_at_256_bits)
{
	CHECK_STR(scaled(MAX_DEC, 0), MAX_DEC);
	CHECK_STR(
	    scaled(
	        "1157920892373161954235709850086879078532699846656405640394575840079131296399.35",
	        2),
	    MAX_DEC);
	CHECK_STR(
	    scaled(
	        "1157920892373161954235709850086879078532699846656405640394575840079131296399.36",
	        2),
	    "range");
	CHECK_STR(scaled("1e77", 0),
	          "100000000000000000000000000000000000000000000000000000000000000000000000000000");
	CHECK_STR(scaled("1", 77),
	          "100000000000000000000000000000000000000000000000000000000000000000000000000000");
	CHECK_STR(scaled("1e78", 0), "range");
	CHECK_STR(scaled("2e77", 0), "range");
	CHECK_STR(scaled("10", 77), "range");
	CHECK_STR(scaled(MAX_DEC, 18), "range");
}

CASE(huge_exponents_take_no_time)
{
	static char long_text[40000];

	CHECK_STR(scaled("1e999999999999999999999999999999999999", 18), "range");
	CHECK_STR(scaled("1e-999999999999999999999999999999999999", 18), "invalid");
	CHECK_STR(scaled("0e999999999999999999999999999999999999", 18), "0");
	CHECK_STR(scaled("1e9223372036854775807", 77), "range");
	CHECK_STR(scaled("1e-9223372036854775808", 0), "invalid");
	/* a long fraction and an exponent that makes up for it */
	memset(long_text, '0', sizeof long_text);
	long_text[1] = '.';
	snprintf(long_text + 30000, 16, "7e29999");
	CHECK_STR(scaled(long_text, 0), "7");
}

CASE(scaled_of_another_form_is_refused)
{
	static const char *const bad[] = {"",
	                                  "-1",
	                                  "+1",
	                                  "01",
	                                  ".5",
	                                  "1.",
	                                  "1.e1",
	                                  "1e",
	                                  "1e+",
	                                  "1e-",
	                                  "1e+-1",
	                                  "1e1.5",
	                                  "1 ",
	                                  " 1",
	                                  "0x1",
	                                  "1e1e1",
	                                  "NaN",
	                                  "-0",
	                                  "1\x0e"
	                                  "5",
	                                  "1..2",
	                                  "1.2.3",
	                                  "1e\x0d"
	                                  "1"};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK_STR(scaled(bad[i], 18), "invalid");
}

CASE(words_of_64_bits)
{
	struct ady_u256 v = ady_u256_from_u64(UINT64_MAX), w = ady_u256_from_u64(1);
	uint64_t out = 7;

	CHECK(ady_u256_to_u64(&out, &v) && out == UINT64_MAX);
	CHECK_ERR(ady_u256_parse_dec(&v, ady_bytes_str("18446744073709551616")), ADY_OK);
	CHECK(!ady_u256_to_u64(&out, &v) && out == 0);
	CHECK_INT(ady_u256_cmp(&v, &w), 1);
	CHECK_INT(ady_u256_cmp(&w, &v), -1);
	CHECK_INT(ady_u256_cmp(&w, &w), 0);
	v = ady_u256_from_u64(0);
	CHECK(ady_u256_is_zero(&v) && !ady_u256_is_zero(&w));
	CHECK_INT(ady_u256_minimal(&v).n, 0);
}

/* Random values survive the way through decimal, hex and a decimal point at every place. */
CASE(random_values_round_trip)
{
	const uint64_t seed = 20261123;
	uint64_t x = seed;
	struct ady_u256 v, back;
	char dec[79], text[96];

	for (int round = 0; round < 2000; round++) {
		size_t bytes, n;

		for (int i = 0; i < 32; i++) {
			x = x * 6364136223846793005u + 1442695040888963407u;
			v.be[i] = (uint8_t)(x >> 56);
		}
		bytes = v.be[0] % 33;
		memset(v.be, 0, bytes);
		ady_u256_format_dec(dec, &v);
		CHECK_ERR(ady_u256_parse_dec(&back, ady_bytes_str(dec)), ADY_OK);
		CHECK_INT(ady_u256_cmp(&v, &back), 0);
		n = strlen(dec);
		bytes = 1 + (size_t)round % n;
		snprintf(text, sizeof text, "%.*s%s%s", (int)bytes, dec, bytes < n ? "." : "",
		         dec + bytes);
		CHECK_ERR(ady_u256_parse_scaled(&back, ady_bytes_str(text), (unsigned)(n - bytes)),
		          ADY_OK);
		if (!CHECK_INT(ady_u256_cmp(&v, &back), 0))
			printf("# seed %llu round %d\n", (unsigned long long)seed, round);
	}
}

CASE(products_add_up_to_the_last_value)
{
	struct ady_u256 sum = ady_u256_from_u64(1), price, top;

	CHECK_ERR(ady_u256_parse_dec(&top, ady_bytes_str(MAX_DEC)), ADY_OK);
	CHECK(ady_u256_add_product(&sum, 0, &top));
	CHECK_INT(ady_u256_cmp(&sum, &(struct ady_u256){.be[31] = 1}), 0);
	price = ady_u256_from_u64(UINT64_MAX);
	CHECK(ady_u256_add_product(&sum, UINT64_MAX, &price));
	CHECK_HEX(sum.be + 16, 16, "fffffffffffffffe0000000000000002");
	sum = (struct ady_u256){0};
	CHECK(ady_u256_add_product(&sum, 1, &top));
	CHECK_HEX(sum.be, 32, MAX_HEX);
	price = ady_u256_from_u64(1);
	CHECK(!ady_u256_add_product(&sum, 1, &price));
	CHECK(ady_u256_is_zero(&sum));
	CHECK(!ady_u256_add_product(&sum, 2, &top));
}

int main(void)
{
	RUN(products_add_up_to_the_last_value);
	RUN(decimal_is_exact_to_the_last_value);
	RUN(decimal_of_another_form_is_refused);
	RUN(decimal_beyond_256_bits_is_refused);
	RUN(hex_of_every_length);
	RUN(hex_of_another_form_is_refused);
	RUN(ether_to_wei_is_exact);
	RUN(parts_of_a_wei_are_refused);
	RUN(scaled_range_ends_at_256_bits);
	RUN(huge_exponents_take_no_time);
	RUN(scaled_of_another_form_is_refused);
	RUN(words_of_64_bits);
	RUN(random_values_round_trip);
	return test_end();
}
