/* SPDX-License-Identifier: Apache-2.0
 *
 * Our reader against jansson (JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL) on random
 * documents and on random mutations of documents. Both must accept the same texts and see the same
 * values. The differences that there are by design:
 *
 *   depth      ours refuses more than 16 levels (jansson: 2048): ADY_E_TOO_LARGE
 *   numbers    ours keeps their text; jansson refuses an integer beyond 64 bits and a real beyond a
 *              double ("too big .. integer", "real number overflow")
 *   NUL keys   jansson refuses \u0000 in a key ("NUL byte in object key")
 *
 * A mutation that makes the two differ in any other way fails the test with its seed. */
#include <jansson.h>
#include <stdlib.h>

#include "codec/json.h"
#include "test.h"

enum { ROOM = 4096, TEXT_MAX = 4096 };

static const uint64_t seed = 20261123;
static uint64_t state;

static unsigned below(unsigned n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % n;
}

static void put_one_of(struct ady_buf *b, const char *const *of, unsigned n)
{
	ady_buf_str(b, of[below(n)]);
}

static void put_random_string(struct ady_buf *b)
{
	static const char *const pieces[] = {"a",
	                                     "b",
	                                     "to",
	                                     "value",
	                                     "\\u0061",
	                                     "\\n",
	                                     "\\\"",
	                                     "\\\\",
	                                     "\\u0000",
	                                     "\\u20ac",
	                                     "\xc3\xa9",
	                                     "\xe2\x82\xac",
	                                     "\\ud834\\udd1e",
	                                     "\xf0\x9d\x84\x9e",
	                                     "/",
	                                     "\\/"};

	ady_buf_u8(b, '"');
	for (unsigned n = below(4); n > 0; n--)
		put_one_of(b, pieces, sizeof pieces / sizeof *pieces);
	ady_buf_u8(b, '"');
}

static void put_random(struct ady_buf *b, unsigned depth);

static void put_container(struct ady_buf *b, unsigned depth, bool object)
{
	static const char *const spaces[] = {"", "", "", " ", "\n\t"};
	unsigned n = below(5);

	ady_buf_u8(b, object ? '{' : '[');
	for (unsigned i = 0; i < n; i++) {
		if (i > 0)
			ady_buf_u8(b, ',');
		put_one_of(b, spaces, 5);
		if (object) {
			put_random_string(b);
			put_one_of(b, spaces, 5);
			ady_buf_u8(b, ':');
		}
		put_random(b, depth + 1);
		put_one_of(b, spaces, 5);
	}
	ady_buf_u8(b, object ? '}' : ']');
}

static void put_random(struct ady_buf *b, unsigned depth)
{
	static const char *const scalars[] = {"null",
	                                      "true",
	                                      "false",
	                                      "0",
	                                      "-0",
	                                      "1",
	                                      "-17",
	                                      "1.5",
	                                      "2e10",
	                                      "-3.25E-2",
	                                      "9223372036854775807",
	                                      "18446744073709551616",
	                                      "1e400",
	                                      "0.000001"};

	if (depth > 6 || below(3) == 0)
		put_one_of(b, scalars, sizeof scalars / sizeof *scalars);
	else if (below(3) == 0)
		put_random_string(b);
	else
		put_container(b, depth, below(2));
}

/* Change a few bytes: overwrite, delete, insert or copy a piece elsewhere. */
static void mutate(struct ady_buf *b)
{
	static const char bytes[] = "{}[]\",:\\u0123eE+-.ntf \n\x01\x7f\x80\xc3\xed\xf4\xff";

	for (unsigned n = 1 + below(3); n > 0 && b->n > 0; n--) {
		size_t at = below((unsigned)b->n), len = 1 + below(4);
		uint8_t byte = (uint8_t)bytes[below(sizeof bytes - 1)];

		if (len > b->n - at)
			len = b->n - at;
		switch (below(4)) {
		case 0:
			b->p[at] = byte;
			break;
		case 1:
			memmove(b->p + at, b->p + at + len, b->n - at - len);
			b->n -= len;
			break;
		case 2:
			if (b->n == b->cap)
				break;
			memmove(b->p + at + 1, b->p + at, b->n - at);
			b->p[at] = byte;
			b->n++;
			break;
		case 3:
			memmove(b->p + below((unsigned)(b->n - len + 1)), b->p + at, len);
			break;
		default:
			break;
		}
	}
}

/* Whether token i is the value j. */
static bool same(const struct ady_json *doc, uint32_t i, const json_t *j);

static bool same_object(const struct ady_json *doc, uint32_t i, const json_t *j)
{
	if (!json_is_object(j) || doc->toks[i].count != json_object_size(j))
		return false;
	for (uint32_t k = ady_json_first(doc, i); k; k = ady_json_after(doc, i, k)) {
		char key[256];
		size_t n;

		if (ady_json_string(doc, k, key, sizeof key, &n) != ADY_OK || n != strlen(key))
			return false;
		if (ady_json_get(doc, i, key) != k + 1 ||
		    !same(doc, k + 1, json_object_get(j, key)))
			return false;
	}
	return true;
}

static bool same_array(const struct ady_json *doc, uint32_t i, const json_t *j)
{
	size_t at = 0;

	for (uint32_t k = ady_json_first(doc, i); k; k = ady_json_after(doc, i, k))
		if (!same(doc, k, json_array_get(j, at++)))
			return false;
	return json_is_array(j) && at == json_array_size(j) && at == doc->toks[i].count;
}

static bool same_number(const struct ady_json *doc, uint32_t i, const json_t *j)
{
	char text[TEXT_MAX];
	double v;

	if (!json_is_number(j) || !ady_bytes_to_str(text, sizeof text, ady_json_raw(doc, i)))
		return false;
	v = strtod(text, NULL) - json_number_value(j);
	return v <= 0 && v >= 0;
}

static bool same_string(const struct ady_json *doc, uint32_t i, const json_t *j)
{
	char text[TEXT_MAX];
	size_t n;

	return json_is_string(j) && ady_json_string(doc, i, text, sizeof text, &n) == ADY_OK &&
	       ady_bytes_eq(ady_bytes(text, n),
	                    ady_bytes(json_string_value(j), json_string_length(j)));
}

static bool same(const struct ady_json *doc, uint32_t i, const json_t *j)
{
	switch (ady_json_kind(doc, i)) {
	case ADY_JSON_NULL:
		return json_is_null(j);
	case ADY_JSON_FALSE:
		return json_is_false(j);
	case ADY_JSON_TRUE:
		return json_is_true(j);
	case ADY_JSON_NUMBER:
		return same_number(doc, i, j);
	case ADY_JSON_STRING:
		return same_string(doc, i, j);
	case ADY_JSON_ARRAY:
		return same_array(doc, i, j);
	case ADY_JSON_OBJECT:
		return same_object(doc, i, j);
	}
	return false;
}

/* Whether jansson's refusal is one of the differences at the top of this file. */
static bool known(const json_error_t *error)
{
	static const char *const texts[] = {"too big integer", "too big negative integer",
	                                    "real number overflow", "NUL byte in object key"};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (strstr(error->text, texts[i]))
			return true;
	return false;
}

struct tally {
	unsigned both, neither, known;
};

/* Give both the same text; false when they differ in an unknown way. */
static bool agree(struct ady_bytes text, struct tally *tally)
{
	static struct ady_json_tok toks[ROOM];
	struct ady_fault f = {0};
	struct ady_json doc;
	json_error_t error = {0};
	enum ady_err err = ady_json_parse(&doc, toks, ROOM, text, &f);
	json_t *j = json_loadb((const char *)text.p, text.n,
	                       JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
	bool ok = true;

	if (err == ADY_OK && j) {
		tally->both++;
		ok = same(&doc, 0, j);
	} else if (err != ADY_OK && !j) {
		tally->neither++;
	} else {
		tally->known++;
		ok = j ? err == ADY_E_TOO_LARGE : known(&error);
	}
	if (!ok)
		printf("# ours %s (%s), jansson %s, text %.*s\n", ady_err_code(err), f.detail,
		       j ? "accepts" : error.text, (int)text.n, (const char *)text.p);
	json_decref(j);
	return ok;
}

static void run(unsigned rounds, bool with_mutations, struct tally *tally)
{
	static uint8_t space[TEXT_MAX];

	state = seed;
	printf("# seed %llu\n", (unsigned long long)seed);
	for (unsigned i = 0; i < rounds; i++) {
		struct ady_buf b = ady_buf(space, sizeof space);

		put_random(&b, 0);
		if (b.full)
			continue;
		if (with_mutations)
			mutate(&b);
		if (!CHECK(agree(ady_buf_bytes(&b), tally)))
			return;
	}
	printf("# both accept %u, both refuse %u, known differences %u\n", tally->both,
	       tally->neither, tally->known);
}

CASE(random_documents_are_read_alike)
{
	struct tally tally = {0};

	run(50000, false, &tally);
	CHECK(tally.both > 20000);
}

CASE(mutated_documents_are_read_alike)
{
	struct tally tally = {0};

	run(100000, true, &tally);
	CHECK(tally.both > 10000 && tally.neither > 30000);
}

/* Each known difference, so that the list above stays true. */
CASE(known_differences)
{
	static const struct {
		const char *text;
		bool ours, theirs;
	} rows[] = {
	    {"[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]", false, true},
	    {"115792089237316195423570985008687907853269984665640564039457584007913129639935", true,
	     false},
	    {"-9223372036854775809", true, false},
	    {"1e400", true, false},
	    {"{\"a\\u0000\":1}", true, false},
	    {"\"\\u0000\"", true, true},
	    {"\"\\ud800\"", false, false},
	    {"{\"a\":1,\"\\u0061\":1}", false, false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct tally t = {0};

		CHECK(agree(ady_bytes_str(rows[i].text), &t));
		CHECK_INT(t.both, rows[i].ours && rows[i].theirs);
		CHECK_INT(t.neither, !rows[i].ours && !rows[i].theirs);
		CHECK_INT(t.known, rows[i].ours != rows[i].theirs);
	}
}

int main(void)
{
	RUN(random_documents_are_read_alike);
	RUN(mutated_documents_are_read_alike);
	RUN(known_differences);
	return test_end();
}
