/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/rlp.h"

#include <stdlib.h>

#include "base/text.h"
#include "base/u256.h"
#include "codec/json.h"
#include "test.h"

static struct ady_json_tok toks[8192];
static struct ady_json doc;

/* "#" and digits: a number too long for JSON readers, at most 2^256 here. */
static struct ady_bytes big_number(const char *digits, uint8_t space[static 33])
{
	static struct ady_u256 v;

	if (ady_u256_parse_dec(&v, ady_bytes_str(digits)) == ADY_OK)
		return ady_u256_minimal(&v);
	CHECK_STR(digits,
	          "115792089237316195423570985008687907853269984665640564039457584007913129639936");
	memset(space, 0, 33);
	space[0] = 1;
	return ady_bytes(space, 33);
}

/* The bytes that token i of the vectors stands for: text, "#digits" or a number. */
static struct ady_bytes string_of(uint32_t i)
{
	static char text[4096];
	static uint8_t space[33];
	size_t n = 0;

	if (ady_json_kind(&doc, i) == ADY_JSON_NUMBER) {
		CHECK(ady_bytes_to_str(text, sizeof text, ady_json_raw(&doc, i)));
		return big_number(text, space);
	}
	CHECK_ERR(ady_json_string(&doc, i, text, sizeof text, &n), ADY_OK);
	return text[0] == '#' ? big_number(text + 1, space) : ady_bytes(text, n);
}

static size_t size_of(uint32_t i)
{
	size_t n = 0;

	if (ady_json_kind(&doc, i) != ADY_JSON_ARRAY)
		return ady_rlp_size_string(string_of(i));
	for (uint32_t k = ady_json_first(&doc, i); k; k = ady_json_after(&doc, i, k))
		n += size_of(k);
	return ady_rlp_size_list(n);
}

static void put(struct ady_buf *b, uint32_t i)
{
	size_t n = 0;

	if (ady_json_kind(&doc, i) != ADY_JSON_ARRAY) {
		ady_rlp_put_string(b, string_of(i));
		return;
	}
	for (uint32_t k = ady_json_first(&doc, i); k; k = ady_json_after(&doc, i, k))
		n += size_of(k);
	ady_rlp_put_list(b, n);
	for (uint32_t k = ady_json_first(&doc, i); k; k = ady_json_after(&doc, i, k))
		put(b, k);
}

/* Whether the item at the front of *in is what token i stands for. */
static bool same(struct ady_bytes *in, uint32_t i)
{
	struct ady_rlp_item item;

	if (ady_rlp_next(&item, in) != ADY_OK)
		return false;
	if (ady_json_kind(&doc, i) != ADY_JSON_ARRAY)
		return !item.list && ady_bytes_eq(item.payload, string_of(i));
	for (uint32_t k = ady_json_first(&doc, i); k; k = ady_json_after(&doc, i, k))
		if (!same(&item.payload, k))
			return false;
	return item.list && item.payload.n == 0;
}

/* The hex of member "out", with or without "0x". */
static struct ady_bytes out_of(uint32_t row)
{
	static char hex[16384];
	static uint8_t out[8192];
	size_t n;

	CHECK_ERR(ady_json_string(&doc, ady_json_get(&doc, row, "out"), hex, sizeof hex, &n),
	          ADY_OK);
	CHECK_ERR(ady_hex_decode(out, sizeof out, &n,
	                         ady_bytes_str(hex + (strncmp(hex, "0x", 2) == 0 ? 2 : 0))),
	          ADY_OK);
	return ady_bytes(out, n);
}

/* Read a file of vectors into doc; false when there is none. */
static bool open_vectors(const char *name)
{
	const char *path = test_vector(name);
	struct ady_fault f = {0};

	if (!path) {
		test_skip("../shared/vectors/rlp is not there");
		return false;
	}
	return CHECK_ERR(ady_json_parse(&doc, toks, 8192, test_read_file(path), &f), ADY_OK);
}

CASE(published_vectors_encode_and_decode)
{
	static uint8_t space[8192];
	unsigned rows = 0;

	if (!open_vectors("rlp/rlptest.json"))
		return;
	for (uint32_t k = ady_json_first(&doc, 0); k; k = ady_json_after(&doc, 0, k), rows++) {
		struct ady_bytes want = out_of(k + 1);
		uint32_t in = ady_json_get(&doc, k + 1, "in");
		struct ady_buf b = ady_buf(space, sizeof space);

		put(&b, in);
		CHECK(ady_bytes_eq(ady_buf_bytes(&b), want));
		CHECK_INT(size_of(in), want.n);
		CHECK_ERR(ady_rlp_check(want), ADY_OK);
		CHECK(same(&want, in) && want.n == 0);
	}
	CHECK_INT(rows, 28);
	free((void *)(uintptr_t)doc.text.p);
}

CASE(published_invalid_vectors_are_refused)
{
	unsigned rows = 0;

	if (!open_vectors("rlp/invalidRLPTest.json"))
		return;
	for (uint32_t k = ady_json_first(&doc, 0); k; k = ady_json_after(&doc, 0, k), rows++) {
		char name[64];

		CHECK(ady_bytes_to_str(name, sizeof name, ady_json_raw(&doc, k)));
		test_check_err(ady_rlp_check(out_of(k + 1)), ADY_E_RLP, __FILE__, __LINE__, name);
	}
	CHECK_INT(rows, 26);
	free((void *)(uintptr_t)doc.text.p);
}

CASE(published_example_is_canonical)
{
	if (!open_vectors("rlp/example.json"))
		return;
	CHECK_ERR(ady_rlp_check(out_of(ady_json_get(&doc, 0, "listsoflists2"))), ADY_OK);
	free((void *)(uintptr_t)doc.text.p);
}

CASE(each_rule_of_canonical_form)
{
	static const char *const bad[] = {
	    "",                   /* nothing */
	    "0000",               /* two items */
	    "8000",               /* bytes behind the item */
	    "8100",               /* a byte below 0x80 with a head */
	    "817f",               /* the last of these */
	    "82ff",               /* cut short */
	    "b7",                 /* the longest short string without its bytes */
	    "b800",               /* a long head for nothing */
	    "b83700",             /* a long head for 55, and cut short */
	    "b90038",             /* a length with a leading zero */
	    "b8",                 /* no length */
	    "bf8000000000000000", /* more than there ever is */
	    "bfffffffffffffffff", /* the same, and it would wrap */
	    "c1",                 /* a list cut short */
	    "c18100",             /* non-canonical within a list */
	    "c28100",             /* the same */
	    "c3c28100",           /* and deeper */
	    "c2c201",             /* an inner list that ends behind the outer one */
	    "c101ff",             /* bytes behind the list */
	    "f800",               /* a long head for an empty list */
	    "f90000",             /* a length of zeros */
	    "ffffffffffffffffff", /* more than there ever is */
	};
	static const char *const good[] = {"00", "7f",   "80",   "8180",   "81ff",   "820000",
	                                   "c0", "c100", "c180", "c28180", "c2c0c0", "c3c2c0c0"};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		test_check_err(ady_rlp_check(test_hex(bad[i])), ADY_E_RLP, __FILE__, __LINE__,
		               bad[i]);
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		test_check_err(ady_rlp_check(test_hex(good[i])), ADY_OK, __FILE__, __LINE__,
		               good[i]);
	CHECK_ERR(ady_rlp_check((struct ady_bytes){0}), ADY_E_RLP);
}

/* At every length around those where the head changes: sizes agree, and no truncation passes. */
CASE(lengths_where_the_head_grows)
{
	static const size_t lengths[] = {0, 1, 2, 54, 55, 56, 57, 255, 256, 257, 65535, 65536};
	static uint8_t in[65536], out[65552];

	memset(in, 0xee, sizeof in);
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		size_t n = lengths[i];
		struct ady_buf b = ady_buf(out, sizeof out);
		struct ady_rlp_item item;
		struct ady_bytes rest;

		ady_rlp_put_string(&b, ady_bytes(in, n));
		CHECK_INT(b.n, ady_rlp_size_string(ady_bytes(in, n)));
		CHECK_ERR(ady_rlp_check(ady_buf_bytes(&b)), ADY_OK);
		rest = ady_buf_bytes(&b);
		CHECK_ERR(ady_rlp_next(&item, &rest), ADY_OK);
		CHECK(!item.list && rest.n == 0 && ady_bytes_eq(item.payload, ady_bytes(in, n)));
		CHECK_ERR(ady_rlp_check(ady_bytes(out, b.n - 1)), ADY_E_RLP);
		b = ady_buf(out, sizeof out);
		ady_rlp_put_list(&b, n);
		CHECK_INT(b.n + n, ady_rlp_size_list(n));
	}
}

CASE(depth_ends_at_sixty_four)
{
	uint8_t space[512];

	/* from the inside: an empty list, then lists around it */
	for (unsigned deep = 1; deep <= ADY_RLP_DEPTH + 1; deep++) {
		size_t start = sizeof space;

		for (unsigned i = 0; i < deep; i++) {
			uint8_t head[16];
			struct ady_buf b = ady_buf(head, sizeof head);

			ady_rlp_put_list(&b, sizeof space - start);
			start -= b.n;
			memcpy(space + start, head, b.n);
		}
		CHECK_ERR(ady_rlp_check(ady_bytes(space + start, sizeof space - start)),
		          deep <= ADY_RLP_DEPTH ? ADY_OK : ADY_E_RLP);
	}
}

CASE(a_refused_item_is_not_taken)
{
	struct ady_bytes in = test_hex("c18100"), before;
	struct ady_rlp_item item;

	CHECK_ERR(ady_rlp_next(&item, &in), ADY_OK);
	CHECK(item.list && item.payload.n == 1 && in.n == 1);
	before = in = test_hex("8100");
	CHECK_ERR(ady_rlp_next(&item, &in), ADY_E_RLP);
	CHECK(in.p == before.p && in.n == before.n);
	CHECK(!item.list && item.payload.n == 0);
}

int main(void)
{
	RUN(published_vectors_encode_and_decode);
	RUN(published_invalid_vectors_are_refused);
	RUN(published_example_is_canonical);
	RUN(each_rule_of_canonical_form);
	RUN(lengths_where_the_head_grows);
	RUN(depth_ends_at_sixty_four);
	RUN(a_refused_item_is_not_taken);
	return test_end();
}
