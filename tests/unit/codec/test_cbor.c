/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/cbor.h"

#include <stdlib.h>

#include "codec/json.h"
#include "test.h"

/* Whether hex is exactly one item of the subset. */
static enum ady_err check_hex(const char *hex)
{
	struct ady_cbor c = ady_cbor(test_hex(hex));

	ady_cbor_skip(&c);
	return ady_cbor_end(&c);
}

/* Write a head with another major type: what the writer has no function for, as nothing needs it.
 */
static void put_as(struct ady_buf *b, unsigned major, uint64_t arg)
{
	size_t at = b->n;

	ady_cbor_put_uint(b, arg);
	if (!b->full)
		b->p[at] |= (uint8_t)(major << 5);
}

/* Read the next item by the function for its kind and write it again. */
static void copy_item(struct ady_cbor *c, struct ady_buf *b)
{
	size_t n = 0;

	switch (ady_cbor_peek(c)) {
	case ADY_CBOR_UINT:
		ady_cbor_put_uint(b, ady_cbor_uint(c));
		break;
	case ADY_CBOR_NINT:
		ady_cbor_put_int(b, ady_cbor_int(c));
		break;
	case ADY_CBOR_BYTES:
		ady_cbor_put_bytes(b, ady_cbor_bytes(c));
		break;
	case ADY_CBOR_TEXT:
		ady_cbor_put_text(b, ady_cbor_text(c));
		break;
	case ADY_CBOR_ARRAY:
		n = ady_cbor_array(c);
		ady_cbor_put_array(b, n);
		break;
	case ADY_CBOR_MAP:
		n = ady_cbor_map(c);
		ady_cbor_put_map(b, n);
		n *= 2;
		break;
	case ADY_CBOR_TAG:
		put_as(b, 6, ady_cbor_tag(c));
		n = 1;
		break;
	case ADY_CBOR_FALSE:
	case ADY_CBOR_TRUE:
		ady_cbor_put_bool(b, ady_cbor_bool(c));
		break;
	case ADY_CBOR_NULL:
		CHECK(ady_cbor_null(c));
		ady_cbor_put_null(b);
		break;
	case ADY_CBOR_NONE:
		ady_cbor_fail(c);
		break;
	}
	for (size_t i = 0; i < n; i++)
		copy_item(c, b);
}

static void check_round_trip(const char *hex)
{
	uint8_t space[256];
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_cbor c = ady_cbor(test_hex(hex));

	copy_item(&c, &b);
	CHECK_ERR(ady_cbor_end(&c), ADY_OK);
	CHECK_HEX(b.p, b.n, hex);
}

/* RFC 8949 appendix A: floats, simple values but three, and indefinite lengths are outside the
 * subset, and so is what holds one of these. */
static bool outside(struct ady_bytes hex)
{
	static const char *const begins[] = {"f9", "fa",       "fb",           "f7",    "f0",
	                                     "f8", "c1fb",     "5f",           "7f",    "9f",
	                                     "bf", "826161bf", "83018202039f", "83019f"};

	for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
		if (ady_bytes_is(ady_bytes_sub(hex, 0, strlen(begins[i])), begins[i]))
			return true;
	return false;
}

CASE(appendix_a_of_rfc_8949)
{
	const char *path = test_vector("cbor/appendix_a.json");
	static struct ady_json_tok toks[2048];
	unsigned accepted = 0, refused = 0;
	struct ady_fault f = {0};
	struct ady_json doc;
	struct ady_bytes text;

	if (!path) {
		test_skip("../shared/vectors/cbor is not there");
		return;
	}
	text = test_read_file(path);
	if (!CHECK_ERR(ady_json_parse(&doc, toks, 2048, text, &f), ADY_OK))
		return;
	for (uint32_t i = ady_json_first(&doc, 0); i; i = ady_json_after(&doc, 0, i)) {
		struct ady_bytes raw = ady_json_raw(&doc, ady_json_get(&doc, i, "hex"));
		char hex[128];

		CHECK(ady_bytes_to_str(hex, sizeof hex, raw));
		test_check_err(check_hex(hex), outside(raw) ? ADY_E_CBOR : ADY_OK, __FILE__,
		               __LINE__, hex);
		if (!outside(raw) && strcmp(hex, "3bffffffffffffffff") != 0) /* no int64_t */
			check_round_trip(hex);
		if (outside(raw))
			refused++;
		else
			accepted++;
	}
	free((void *)(uintptr_t)text.p);
	CHECK_INT(accepted, 44);
	CHECK_INT(refused, 38);
}

/* RFC 8949 appendix F: what is not well formed. */
CASE(appendix_f_of_rfc_8949)
{
	static const char *const bad[] = {
	    /* end of input in a head */
	    "18", "19", "1a", "1b", "1901", "1a0102", "1b01020304050607", "38", "58", "78", "98",
	    "9a01ff00", "b8", "d8", "f8", "f900", "fa0000", "fb000000",
	    /* definite-length strings with short data */
	    "41", "61", "5affffffff00", "5bffffffffffffffff010203", "7affffffff00",
	    "7b7fffffffffffffff010203",
	    /* definite-length maps and arrays not closed with enough items */
	    "81", "818181818181818181", "8200", "a1", "a20102", "a100", "a2000000",
	    /* tag number not followed by tag content */
	    "c0",
	    /* indefinite-length strings not closed by a break */
	    "5f4100", "7f6100",
	    /* indefinite-length maps and arrays not closed by a break */
	    "9f", "9f0102", "bf", "bf01020102", "819f", "9f8000", "9f9f9f9f9fffffffff",
	    "9f819f819f9fffffff",
	    /* reserved additional information values */
	    "1c", "1d", "1e", "3c", "3d", "3e", "5c", "5d", "5e", "7c", "7d", "7e", "9c", "9d",
	    "9e", "bc", "bd", "be", "dc", "dd", "de", "fc", "fd", "fe",
	    /* reserved two-byte encodings of simple values */
	    "f800", "f801", "f818", "f81f",
	    /* indefinite-length string chunks not of the right type */
	    "5f00ff", "5f21ff", "5f6100ff", "5f80ff", "5fa0ff", "5fc000ff", "5fe0ff", "7f4100ff",
	    /* indefinite-length string chunks that are not of definite length */
	    "5f5f4100ffff", "7f7f6100ffff",
	    /* break outside of an indefinite-length item */
	    "ff", "81ff", "8200ff", "a1ff", "a1ff00", "a100ff", "a20000ff", "9f81ff",
	    "9f829f819f9fffffffff",
	    /* an odd number of items in an indefinite-length map, then indefinite integers and tags
	     */
	    "bf00ff", "bf000000ff", "1f", "3f", "df"};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		test_check_err(check_hex(bad[i]), ADY_E_CBOR, __FILE__, __LINE__, bad[i]);
}

CASE(only_the_shortest_form)
{
	static const char *const bad[] = {
	    "1800", "1817", "190000", "1900ff", "1a00000000", "1a0000ffff", "1b0000000000000000",
	    "1b00000000ffffffff", "3817", "390017", "5800", "580100", "5900ff", "7800", "780161",
	    "9800", "b800", "d81700", "d9001700", "5b000000000000000100", "9b000000000000000100",
	    /* and within something else */
	    "811800", "a1180000", "a1001800", "c01800"};
	static const char *const good[] = {"17",         "1818",     "18ff",
	                                   "190100",     "19ffff",   "1a00010000",
	                                   "1affffffff", "3818",     "1b0000000100000000",
	                                   "d81800",     "d9010000", "3b7fffffffffffffff"};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		test_check_err(check_hex(bad[i]), ADY_E_CBOR, __FILE__, __LINE__, bad[i]);
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		test_check_err(check_hex(good[i]), ADY_OK, __FILE__, __LINE__, good[i]);
		check_round_trip(good[i]);
	}
}

CASE(nothing_may_follow_and_something_must_be_there)
{
	CHECK_ERR(check_hex("0000"), ADY_E_CBOR);
	CHECK_ERR(check_hex("8000"), ADY_E_CBOR);
	CHECK_ERR(check_hex("a0f6"), ADY_E_CBOR);
	CHECK_ERR(check_hex(""), ADY_E_CBOR);
}

/* A count is refused before anyone can loop by it. */
CASE(counts_and_lengths_beyond_the_input)
{
	struct ady_cbor c = ady_cbor(test_hex("9b0000000100000000"));

	CHECK_INT(ady_cbor_array(&c), 0);
	CHECK_ERR(c.err, ADY_E_CBOR);
	c = ady_cbor(test_hex("bb8000000000000000"));
	CHECK_INT(ady_cbor_map(&c), 0);
	CHECK_ERR(c.err, ADY_E_CBOR);
	c = ady_cbor(test_hex("a2010203"));
	CHECK_INT(ady_cbor_map(&c), 0);
	CHECK_ERR(c.err, ADY_E_CBOR);
	c = ady_cbor(test_hex("5bffffffffffffffff00"));
	CHECK_INT(ady_cbor_bytes(&c).n, 0);
	CHECK_ERR(c.err, ADY_E_CBOR);
}

CASE(depth_ends_at_sixteen)
{
	static const char *const unit[] = {"81", "c1", "a100"};

	for (size_t k = 0; k < 3; k++) {
		char hex[128] = "";
		size_t n = strlen(unit[k]);

		for (size_t i = 0; i < ADY_CBOR_DEPTH; i++)
			memcpy(hex + i * n, unit[k], n);
		memcpy(hex + ADY_CBOR_DEPTH * n, "00", 3);
		CHECK_ERR(check_hex(hex), ADY_OK);
		memmove(hex + n, hex, strlen(hex) + 1);
		CHECK_ERR(check_hex(hex), ADY_E_CBOR);
	}
	/* breadth is no depth */
	CHECK_ERR(check_hex("85818080818080818080"), ADY_E_CBOR);
	CHECK_ERR(check_hex("838180818081818080"), ADY_E_CBOR);
	CHECK_ERR(check_hex("8381808180818180"), ADY_OK);
}

CASE(text_is_utf8)
{
	static const char *const bad[] = {"6180",     "61ff",     "62c080",     "62c328",
	                                  "63e08080", "63eda080", "64f0808080", "64f4908080",
	                                  "61c3",     "62e282",   "a161ff00"};
	struct ady_cbor c;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		test_check_err(check_hex(bad[i]), ADY_E_CBOR, __FILE__, __LINE__, bad[i]);
	c = ady_cbor(test_hex("62c080"));
	CHECK_INT(ady_cbor_text(&c).n, 0);
	CHECK_ERR(c.err, ADY_E_CBOR);
	CHECK_ERR(check_hex("42c080"), ADY_OK);
}

CASE(a_reader_of_the_wrong_kind_fails)
{
	static const char *const items[] = {"00", "20", "40", "60", "80", "a0", "c000", "f4", "f6"};

	for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
		struct ady_cbor start = ady_cbor(test_hex(items[i])), c = start;
		enum ady_cbor_kind kind = ady_cbor_peek(&c);

		CHECK((ady_cbor_uint(&c), c.err == ADY_OK) == (kind == ADY_CBOR_UINT));
		c = start;
		CHECK((ady_cbor_int(&c), c.err == ADY_OK) ==
		      (kind == ADY_CBOR_UINT || kind == ADY_CBOR_NINT));
		c = start;
		CHECK((ady_cbor_bytes(&c), c.err == ADY_OK) == (kind == ADY_CBOR_BYTES));
		c = start;
		CHECK((ady_cbor_text(&c), c.err == ADY_OK) == (kind == ADY_CBOR_TEXT));
		c = start;
		CHECK((ady_cbor_array(&c), c.err == ADY_OK) == (kind == ADY_CBOR_ARRAY));
		c = start;
		CHECK((ady_cbor_map(&c), c.err == ADY_OK) == (kind == ADY_CBOR_MAP));
		c = start;
		CHECK((ady_cbor_tag(&c), c.err == ADY_OK) == (kind == ADY_CBOR_TAG));
		c = start;
		CHECK((ady_cbor_bool(&c), c.err == ADY_OK) == (kind == ADY_CBOR_FALSE));
		c = start;
		CHECK(ady_cbor_null(&c) == (kind == ADY_CBOR_NULL));
		CHECK_ERR(c.err, ADY_OK);
	}
}

CASE(integers_at_their_ends)
{
	struct ady_cbor c = ady_cbor(test_hex("1bffffffffffffffff"));

	CHECK(ady_cbor_uint(&c) == UINT64_MAX);
	CHECK_ERR(ady_cbor_end(&c), ADY_OK);
	c = ady_cbor(test_hex("1b8000000000000000"));
	CHECK_INT(ady_cbor_int(&c), 0);
	CHECK_ERR(c.err, ADY_E_CBOR);
	c = ady_cbor(test_hex("3b7fffffffffffffff"));
	CHECK(ady_cbor_int(&c) == INT64_MIN);
	CHECK_ERR(ady_cbor_end(&c), ADY_OK);
	c = ady_cbor(test_hex("3b8000000000000000"));
	CHECK_INT(ady_cbor_int(&c), 0);
	CHECK_ERR(c.err, ADY_E_CBOR);
}

/* Every call behind an error gives zero and leaves the reader where it was. */
CASE(the_error_sticks)
{
	struct ady_cbor c = ady_cbor(test_hex("00f5"));
	const uint8_t *at;

	(void)ady_cbor_bytes(&c);
	CHECK_ERR(c.err, ADY_E_CBOR);
	at = c.p;
	CHECK_INT(ady_cbor_peek(&c), ADY_CBOR_NONE);
	CHECK_INT(ady_cbor_uint(&c), 0);
	CHECK_INT(ady_cbor_int(&c), 0);
	CHECK_INT(ady_cbor_array(&c) + ady_cbor_map(&c), 0);
	CHECK(!ady_cbor_bool(&c) && !ady_cbor_null(&c));
	ady_cbor_skip(&c);
	CHECK(c.p == at);
	CHECK_ERR(ady_cbor_end(&c), ADY_E_CBOR);
}

CASE(keys_of_our_maps_ascend)
{
	static const struct {
		const char *hex;
		bool ok;
	} rows[] = {{"a3000001000200", true},
	            {"a3000002000400", true},
	            {"a3000000000200", false},
	            {"a3000002000100", false},
	            {"a3200001000200", false}};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ady_cbor c = ady_cbor(test_hex(rows[i].hex));
		size_t n = ady_cbor_map(&c);
		int64_t last = -1;

		for (; n > 0; n--) {
			(void)ady_cbor_key_uint(&c, &last);
			(void)ady_cbor_uint(&c);
		}
		CHECK((ady_cbor_end(&c) == ADY_OK) == rows[i].ok);
	}
}

CASE(texts_and_heads_are_written)
{
	uint8_t space[16];
	struct ady_buf b = ady_buf(space, sizeof space);

	ady_cbor_put_str(&b, "IETF");
	ady_cbor_put_str(&b, "");
	ady_cbor_put_bytes_head(&b, 300);
	CHECK_HEX(b.p, b.n, "64494554466059012c");
}

CASE(a_full_writer_stays_full)
{
	uint8_t space[4];
	struct ady_buf b = ady_buf(space, sizeof space);

	ady_cbor_put_uint(&b, 1u << 20);
	CHECK(b.full && b.n == 0);
	ady_cbor_put_null(&b);
	CHECK(b.full && b.n == 0);
}

/* Random bytes: whatever is accepted is written again as the same bytes, so that the subset has one
 * encoding for each item. */
CASE(what_is_accepted_has_one_encoding)
{
	const uint64_t seed = 8949;
	uint64_t x = seed;
	unsigned accepted = 0;

	for (int round = 0; round < 200000; round++) {
		uint8_t in[12], out[64];
		struct ady_buf b = ady_buf(out, sizeof out);
		struct ady_cbor c;
		size_t n;

		for (size_t i = 0; i < sizeof in; i++) {
			x = x * 6364136223846793005u + 1442695040888963407u;
			in[i] = (uint8_t)(x >> 56) & (x >> 48 & 1 ? 0xff : 0xe3);
		}
		c = ady_cbor(ady_bytes(in, sizeof in));
		ady_cbor_skip(&c);
		if (c.err != ADY_OK)
			continue;
		n = (size_t)(c.p - in);
		c = ady_cbor(ady_bytes(in, n));
		copy_item(&c, &b);
		if (c.err != ADY_OK) /* below INT64_MIN */
			continue;
		accepted++;
		if (!CHECK(ady_bytes_eq(ady_buf_bytes(&b), ady_bytes(in, n))))
			printf("# seed %llu round %d\n", (unsigned long long)seed, round);
	}
	CHECK(accepted > 10000);
}

int main(void)
{
	RUN(appendix_a_of_rfc_8949);
	RUN(appendix_f_of_rfc_8949);
	RUN(only_the_shortest_form);
	RUN(nothing_may_follow_and_something_must_be_there);
	RUN(counts_and_lengths_beyond_the_input);
	RUN(depth_ends_at_sixteen);
	RUN(text_is_utf8);
	RUN(a_reader_of_the_wrong_kind_fails);
	RUN(integers_at_their_ends);
	RUN(the_error_sticks);
	RUN(keys_of_our_maps_ascend);
	RUN(texts_and_heads_are_written);
	RUN(a_full_writer_stays_full);
	RUN(what_is_accepted_has_one_encoding);
	return test_end();
}
