/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/ssz.h"

#include <stdlib.h>

#include "codec/ssz_json.h"
#include "crypto/hash.h"
#include "test.h"

enum { CHUNKS = 700, TOKENS = 256 };

static uint8_t chunk[CHUNKS][32];

/* Another way to the same: build every level of the padded tree. */
static void slow_root(uint8_t out[32], size_t from, size_t n, size_t width)
{
	uint8_t(*level)[32] = calloc(width, sizeof *level);

	for (size_t i = 0; i < n; i++)
		memcpy(level[i], chunk[from + i], 32);
	for (; width > 1; width /= 2)
		for (size_t i = 0; i < width / 2; i++) {
			struct ady_bytes both[] = {ady_bytes(level[2 * i], 32),
			                           ady_bytes(level[2 * i + 1], 32)};

			ady_sha256(level[i], both, 2);
		}
	memcpy(out, level[0], 32);
	free(level);
}

static void slow_progressive(uint8_t out[32], size_t from, size_t n, size_t width)
{
	uint8_t part[32], rest[32];
	size_t here = n < width ? n : width;

	memset(out, 0, 32);
	if (n == 0)
		return;
	slow_root(part, from, here, width);
	slow_progressive(rest, from + here, n - here, width * 4);
	ady_sha256(out, (struct ady_bytes[]){ady_bytes(part, 32), ady_bytes(rest, 32)}, 2);
}

static void fill(void)
{
	for (unsigned i = 0; i < CHUNKS; i++)
		for (unsigned k = 0; k < 32; k++)
			chunk[i][k] = (uint8_t)(i * 7 + k * 13 + 1);
}

CASE(roots_are_those_of_the_whole_tree)
{
	static const size_t limits[] = {1, 2, 3, 4, 7, 8, 33, 64, 512, 1024};
	uint8_t want[32], got[32];
	struct ady_ssz t;

	for (size_t l = 0; l < sizeof limits / sizeof *limits; l++) {
		size_t width = 1;

		while (width < limits[l])
			width *= 2;
		for (size_t n = 0; n <= limits[l] && n <= CHUNKS; n += n < 20 ? 1 : 41) {
			ady_ssz_begin(&t, limits[l]);
			for (size_t i = 0; i < n; i++)
				ady_ssz_chunk(&t, chunk[i]);
			ady_ssz_end(&t, got);
			slow_root(want, 0, n, width);
			CHECK(memcmp(got, want, 32) == 0);
		}
	}
}

CASE(progressive_roots_are_those_of_the_whole_tree)
{
	uint8_t want[32], got[32];
	struct ady_ssz t;

	for (size_t n = 0; n <= CHUNKS; n += n < 100 ? 1 : 37) {
		ady_ssz_begin_progressive(&t);
		for (size_t i = 0; i < n; i++)
			ady_ssz_chunk(&t, chunk[i]);
		ady_ssz_end(&t, got);
		slow_progressive(want, 0, n, 1);
		CHECK(memcmp(got, want, 32) == 0);
	}
}

/* zero_hashes[1] and [2] of the specification, and a length mixed in. */
CASE(known_roots)
{
	uint8_t root[32];
	struct ady_ssz t;

	ady_ssz_begin(&t, 2);
	ady_ssz_end(&t, root);
	CHECK_HEX(root, 32, "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b");
	ady_ssz_begin(&t, 4);
	ady_ssz_end(&t, root);
	CHECK_HEX(root, 32, "db56114e00fdd4c1f85c892bf35ac9a89289aaecb1ebd0a96cde606a748b5d71");
	memset(root, 0, sizeof root);
	ady_ssz_mix_length(root, 0);
	CHECK_HEX(root, 32, "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b");
}

static const struct ady_ssz_type u64 = {.kind = ADY_SSZ_UINT, .n = 8},
                                 u256 = {.kind = ADY_SSZ_UINT, .n = 32},
                                 boolean = {.kind = ADY_SSZ_BOOL},
                                 bytes4 = {.kind = ADY_SSZ_BYTES, .n = 4},
                                 list3 = {.kind = ADY_SSZ_BYTE_LIST, .n = 3},
                                 bits12 = {.kind = ADY_SSZ_BITS, .n = 12},
                                 bit_list12 = {.kind = ADY_SSZ_BIT_LIST, .n = 12},
                                 numbers = {.kind = ADY_SSZ_LIST, .n = 2, .item = &u64},
                                 pair = {.kind = ADY_SSZ_VECTOR, .n = 2, .item = &bytes4},
                                 sized = {.kind = ADY_SSZ_BITS, .preset = 1};
static const struct ady_ssz_field fields[] = {{"a", &u64}, {"b", &numbers}};
static const struct ady_ssz_type inner = {.kind = ADY_SSZ_CONTAINER, .n = 2, .fields = fields};
static const struct ady_ssz_field outer_fields[] = {{"in", &inner}};
static const struct ady_ssz_type outer = {
    .kind = ADY_SSZ_CONTAINER, .n = 1, .fields = outer_fields};

static enum ady_err root_of(const struct ady_ssz_type *type, const char *text, struct ady_fault *f)
{
	static const uint64_t presets[] = {4};
	struct ady_json_tok toks[TOKENS];
	struct ady_json doc;
	struct ady_ssz_reader r = {.doc = &doc, .presets = presets, .f = f};
	uint8_t root[32];

	*f = (struct ady_fault){0};
	CHECK_ERR(ady_json_parse(&doc, toks, TOKENS, ady_bytes_str(text), f), ADY_OK);
	return ady_ssz_root(&r, root, type, 0, "x");
}

/* What is taken, and what is refused with which reason and path. */
struct value {
	const struct ady_ssz_type *type;
	const char *text;
	enum ady_err err;
	const char *where;
};

static void check_value(const struct value *v)
{
	struct ady_fault f;

	if (!CHECK_ERR(root_of(v->type, v->text, &f), v->err))
		printf("  %s\n", v->text);
	CHECK_STR(f.where, v->where);
}

CASE(numbers_and_booleans)
{
	static const struct value v[] = {
	    {&u64, "\"18446744073709551615\"", ADY_OK, ""},
	    {&u64, "7", ADY_OK, ""},
	    {&u64, "\"18446744073709551616\"", ADY_E_FIELD_RANGE, "x"},
	    {&u64, "\"0x1\"", ADY_E_FIELD_INVALID, "x"},
	    {&u64, "\"-1\"", ADY_E_FIELD_INVALID, "x"},
	    {&u64, "1.0", ADY_E_FIELD_INVALID, "x"},
	    {&u64, "\"01\"", ADY_E_FIELD_INVALID, "x"},
	    {&u64, "null", ADY_E_FIELD_INVALID, "x"},
	    {&u256,
	     "\"115792089237316195423570985008687907853269984665640564039457584007913129639935\"",
	     ADY_OK, ""},
	    {&u256,
	     "\"115792089237316195423570985008687907853269984665640564039457584007913129639936\"",
	     ADY_E_FIELD_RANGE, "x"},
	    {&boolean, "true", ADY_OK, ""},
	    {&boolean, "\"true\"", ADY_E_FIELD_INVALID, "x"},
	    {&boolean, "1", ADY_E_FIELD_INVALID, "x"},
	};

	for (size_t i = 0; i < sizeof v / sizeof *v; i++)
		check_value(&v[i]);
}

CASE(bytes_and_bits)
{
	static const struct value v[] = {
	    {&bytes4, "\"0xDEADbeef\"", ADY_OK, ""},
	    {&bytes4, "\"deadbeef\"", ADY_E_FIELD_INVALID, "x"},
	    {&bytes4, "\"0xdeadbe\"", ADY_E_FIELD_INVALID, "x"},
	    {&bytes4, "\"0xdeadbeefff\"", ADY_E_FIELD_INVALID, "x"},
	    {&bytes4, "\"0xdeadbeeg\"", ADY_E_FIELD_INVALID, "x"},
	    {&bytes4, "\"0xdeadbee\"", ADY_E_FIELD_INVALID, "x"},
	    {&bytes4, "\"\\u0030xdeadbeef\"", ADY_E_FIELD_INVALID, "x"},
	    {&list3, "\"0x\"", ADY_OK, ""},
	    {&list3, "\"0x010203\"", ADY_OK, ""},
	    {&list3, "\"0x01020304\"", ADY_E_FIELD_INVALID, "x"},
	    {&bits12, "\"0xff0f\"", ADY_OK, ""},
	    {&bits12, "\"0xff1f\"", ADY_E_FIELD_INVALID, "x"},
	    {&bits12, "\"0xff\"", ADY_E_FIELD_INVALID, "x"},
	    {&bit_list12, "\"0x01\"", ADY_OK, ""},
	    {&bit_list12, "\"0xff1f\"", ADY_OK, ""},
	    {&bit_list12, "\"0xff3f\"", ADY_E_FIELD_INVALID, "x"},
	    {&bit_list12, "\"0xff00\"", ADY_E_FIELD_INVALID, "x"},
	    {&bit_list12, "\"0x\"", ADY_E_FIELD_INVALID, "x"},
	    {&sized, "\"0x0f\"", ADY_OK, ""},
	    {&sized, "\"0x1f\"", ADY_E_FIELD_INVALID, "x"},
	};

	for (size_t i = 0; i < sizeof v / sizeof *v; i++)
		check_value(&v[i]);
}

CASE(lists_and_vectors)
{
	static const struct value v[] = {
	    {&numbers, "[]", ADY_OK, ""},
	    {&numbers, "[\"1\",\"2\",\"3\"]", ADY_E_FIELD_INVALID, "x"},
	    {&numbers, "[\"1\",\"z\"]", ADY_E_FIELD_INVALID, "x[1]"},
	    {&numbers, "{}", ADY_E_FIELD_INVALID, "x"},
	    {&pair, "[\"0x00000000\",\"0x0000000g\"]", ADY_E_FIELD_INVALID, "x[1]"},
	    {&pair, "[\"0x00000000\"]", ADY_E_FIELD_INVALID, "x"},
	};

	for (size_t i = 0; i < sizeof v / sizeof *v; i++)
		check_value(&v[i]);
}

CASE(containers)
{
	static const struct value v[] = {
	    {&outer, "{\"in\":{\"a\":\"1\",\"b\":[\"1\"]}}", ADY_OK, ""},
	    {&outer, "{\"in\":{\"a\":\"1\"}}", ADY_E_FIELD_MISSING, "x.in.b"},
	    {&outer, "{\"in\":{\"a\":\"1\",\"b\":[],\"c\":0}}", ADY_E_FIELD_UNKNOWN, "x.in.c"},
	    {&outer, "{\"in\":{\"a\":\"1\",\"b\":[1,true]}}", ADY_E_FIELD_INVALID, "x.in.b[1]"},
	    {&outer, "{\"in\":[]}", ADY_E_FIELD_INVALID, "x.in"},
	};

	for (size_t i = 0; i < sizeof v / sizeof *v; i++)
		check_value(&v[i]);
}

int main(void)
{
	fill();
	RUN(roots_are_those_of_the_whole_tree);
	RUN(progressive_roots_are_those_of_the_whole_tree);
	RUN(known_roots);
	RUN(numbers_and_booleans);
	RUN(bytes_and_bits);
	RUN(lists_and_vectors);
	RUN(containers);
	return test_end();
}
