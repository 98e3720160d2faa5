/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json.h"

#include <dirent.h>
#include <stdlib.h>

#include "base/clock.h"
#include "test.h"

enum { ROOM = 4096 };

static struct ady_json_tok toks[ROOM];
static struct ady_json doc;
static struct ady_fault fault;

static enum ady_err parse(const char *text)
{
	fault = (struct ady_fault){0};
	return ady_json_parse(&doc, toks, ROOM, ady_bytes_str(text), &fault);
}

/* Unescape string token i; the C string is enough for these cases. */
static const char *text_of(uint32_t i)
{
	static char out[4][256];
	static unsigned at;
	char *to = out[at++ % 4];
	size_t n;

	CHECK_ERR(ady_json_string(&doc, i, to, sizeof out[0], &n), ADY_OK);
	CHECK_INT(n, strlen(to));
	return to;
}

/* JSONTestSuite: y_ must be accepted, n_ refused, i_ may be either. The grammar is held against it;
 * the parser that decides differs by exactly the two files with a duplicate key. */
static void suite_file(const char *name, const char *path, unsigned counts[static 3])
{
	struct ady_bytes text = test_read_file(path);
	enum ady_err syntax, strict;
	bool twice = strstr(name, "duplicated_key") != NULL;

	syntax = ady_json_parse_syntax(&doc, toks, ROOM, text, &fault);
	strict = ady_json_parse(&doc, toks, ROOM, text, &fault);
	if (name[0] == 'y') {
		counts[0]++;
		counts[2] += twice;
		test_check_err(syntax, ADY_OK, __FILE__, __LINE__, name);
		test_check_err(strict, twice ? ADY_E_JSON_DUPLICATE : ADY_OK, __FILE__, __LINE__,
		               name);
	} else if (name[0] == 'n') {
		counts[1]++;
		test_check(syntax == ADY_E_JSON || syntax == ADY_E_TOO_LARGE, __FILE__, __LINE__,
		           name);
		test_check_err(strict, syntax, __FILE__, __LINE__, name);
	}
	free((void *)(uintptr_t)text.p);
}

CASE(json_test_suite)
{
	const char *folder = test_vector("json");
	unsigned counts[3] = {0};
	char path[1024];
	struct dirent *e;
	DIR *dir;

	if (!folder || !(dir = opendir(folder))) {
		test_skip("../shared/vectors/json is not there");
		return;
	}
	while ((e = readdir(dir))) {
		snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
		if (strchr("yni", e->d_name[0]))
			suite_file(e->d_name, path, counts);
	}
	closedir(dir);
	CHECK_INT(counts[0], 95);
	CHECK_INT(counts[1], 187);
	CHECK_INT(counts[2], 2);
}

/* Left out of the suite's folder: the empty file. */
CASE(nothing_is_no_document)
{
	CHECK_ERR(parse(""), ADY_E_JSON);
	CHECK_STR(fault.detail, "the text ends too early at byte 0");
	CHECK_ERR(ady_json_parse(&doc, toks, ROOM, (struct ady_bytes){0}, &fault), ADY_E_JSON);
	CHECK_INT(doc.n, 0);
}

CASE(each_refusal_says_why_and_where)
{
	static const struct {
		const char *text, *detail;
	} rows[] = {
	    {"[1 2]", "a comma or the end is expected at byte 3"},
	    {"{} x", "more than one value at byte 3"},
	    {"{1:2}", "a key is expected at byte 1"},
	    {"{\"a\" 1}", "a colon is expected at byte 5"},
	    {"{\"a\":1,}", "a key is expected at byte 7"},
	    {"[1,]", "not a value at byte 3"},
	    {"nul", "not a value at byte 0"},
	    {"\"a", "a string has no end at byte 2"},
	    {"\"a\nb\"", "a control character in a string at byte 2"},
	    {"\"\\x\"", "an unknown escape at byte 3"},
	    {"\"\\u12g4\"", "\\u needs four hex digits at byte 3"},
	    {"\"\\u12\x13\x14\"", "\\u needs four hex digits at byte 3"},
	    {"\"\\ud800\"", "half of a surrogate pair at byte 7"},
	    {"\"\\udc00\\ud800\"", "half of a surrogate pair at byte 7"},
	    {"\"\\ud800\\u0041\"", "half of a surrogate pair at byte 7"},
	    {"\"\\ud800xudc00\"", "half of a surrogate pair at byte 7"},
	    {"\"\\ud800\\xdc00\"", "half of a surrogate pair at byte 7"},
	    {"\"\xc0\x80\"", "not UTF-8 at byte 1"},
	    {"\xef\xbb\xbf{}", "not a value at byte 0"},
	    {"01", "more than one value at byte 1"},
	    {"-", "not a value at byte 1"},
	    {"1.", "a fraction without digits at byte 2"},
	    {"1e", "an exponent without digits at byte 2"},
	    {"[", "the text ends too early at byte 1"},
	    {"[1}", "a comma or the end is expected at byte 2"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		test_check_err(parse(rows[i].text), ADY_E_JSON, __FILE__, __LINE__, rows[i].text);
		CHECK_STR(fault.detail, rows[i].detail);
		CHECK_INT(doc.n, 0);
	}
}

#define LONG "a_key_of_more_than_64_bytes_is_cut_in_the_fault_that_tells_of_it_________"

CASE(a_key_twice_is_refused_after_unescaping)
{
	static const char *const bad[] = {
	    "{\"a\":1,\"a\":1}",
	    "{\"a\":1,\"\\u0061\":2}",
	    "{\"\\u0061\":1,\"b\":0,\"a\":2}",
	    "{\"/\":1,\"\\/\":2}",
	    "{\"\\ud834\\udd1e\":1,\"\xf0\x9d\x84\x9e\":2}",
	    "{\"\":1,\"\":2}",
	    "[0,{\"x\":{\"y\":[{\"k\":1,\"l\":2,\"k\":3}]}}]",
	    "{\"a\\u0000\":1,\"a\\u0000\":2}",
	};
	static const char *const good[] = {
	    "{\"a\":1,\"A\":2,\"aa\":3,\"\":4}",
	    "{\"a\":{\"a\":{\"a\":1}}}",
	    "[{\"a\":1},{\"a\":1}]",
	    "{\"a\":\"a\",\"b\":\"a\"}",
	    "{\"a\":1,\"a\\u0000\":2}",
	    "{\"a\":1,\"a\\u0000\":2,\"a\\u0000\\u0000\":3}",
	    "{\"\\\\u0061\":1,\"a\":2,\"u0061\":3}",
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		test_check_err(parse(bad[i]), ADY_E_JSON_DUPLICATE, __FILE__, __LINE__, bad[i]);
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		test_check_err(parse(good[i]), ADY_OK, __FILE__, __LINE__, good[i]);
	CHECK_ERR(parse("{\"to\":1,\"to\":2}"), ADY_E_JSON_DUPLICATE);
	CHECK_STR(fault.where, "to");
	CHECK_ERR(parse("{\"" LONG "\":1,\"" LONG "\":2}"), ADY_E_JSON_DUPLICATE);
	CHECK_INT(strlen(fault.where), sizeof fault.where - 1);
	CHECK_ERR(parse("{\"to\":1,\"to\":2}"), ADY_E_JSON_DUPLICATE);
	CHECK_STR(fault.detail, "the key is there twice, again at byte 9");
	CHECK_INT(ady_err_status(fault.err), 400);
}

/* One duplicate among many keys, at any two places. */
CASE(one_duplicate_among_many)
{
	static char text[8192];
	const uint64_t seed = 8259;
	uint64_t x = seed;

	for (unsigned round = 0; round < 300; round++) {
		unsigned n = 2 + round % 200, i, j;
		size_t at = 1;

		x = x * 6364136223846793005u + 1442695040888963407u;
		i = (unsigned)(x >> 33) % n;
		j = (unsigned)(x >> 49) % n;
		text[0] = '{';
		for (unsigned k = 0; k < n; k++) {
			unsigned name = (k == j ? i : k) * 7919 % 10007;

			at += (size_t)snprintf(text + at, sizeof text - at, "%s\"k%x\":%u",
			                       k ? "," : "", name, k);
		}
		snprintf(text + at, sizeof text - at, "}");
		CHECK_ERR(parse(text), i == j ? ADY_OK : ADY_E_JSON_DUPLICATE);
		for (uint32_t t = 1; t < doc.n; t++)
			CHECK_INT(toks[t].count, 0);
	}
}

CASE(depth_ends_at_sixteen)
{
	char text[64];

	for (size_t deep = 1; deep <= ADY_JSON_DEPTH + 1; deep++) {
		memset(text, '[', deep);
		memset(text + deep, ']', deep);
		text[2 * deep] = '\0';
		CHECK_ERR(parse(text), deep <= ADY_JSON_DEPTH ? ADY_OK : ADY_E_TOO_LARGE);
	}
	CHECK_STR(fault.detail, "nested too deep at byte 16");
	/* brackets that close make room again */
	CHECK_ERR(parse("[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]"), ADY_OK);
}

CASE(values_end_at_the_room_there_is)
{
	static const char *const each[] = {"null", "0", "\"\"", "[]", "{}"};
	struct ady_bytes text = ady_bytes_str("{\"a\":[1,2,3]}");

	for (size_t cap = 0; cap <= 6; cap++)
		CHECK_ERR(ady_json_parse(&doc, toks, cap, text, &fault),
		          cap < 6 ? ADY_E_TOO_LARGE : ADY_OK);
	CHECK_ERR(ady_json_parse(&doc, toks, 3, text, &fault), ADY_E_TOO_LARGE);
	CHECK_STR(fault.detail, "too many values at byte 6");
	for (size_t i = 0; i < sizeof each / sizeof *each; i++)
		CHECK_ERR(ady_json_parse(&doc, toks, 0, ady_bytes_str(each[i]), &fault),
		          ADY_E_TOO_LARGE);
	/* refused by its length alone: there is no such text here */
	CHECK_ERR(ady_json_parse(&doc, toks, ROOM, ady_bytes(text.p, 1ull << 32), &fault),
	          ADY_E_TOO_LARGE);
}

CASE(tokens_describe_the_document)
{
	static const struct ady_json_tok want[] = {
	    {.at = 1, .len = 32, .count = 3, .next = 10, .kind = ADY_JSON_OBJECT},
	    {.at = 3, .len = 1, .next = 2, .kind = ADY_JSON_STRING},
	    {.at = 6, .len = 12, .count = 2, .next = 6, .kind = ADY_JSON_ARRAY},
	    {.at = 7, .len = 3, .next = 4, .kind = ADY_JSON_NUMBER},
	    {.at = 11, .len = 6, .count = 1, .next = 6, .kind = ADY_JSON_ARRAY},
	    {.at = 12, .len = 4, .next = 6, .kind = ADY_JSON_TRUE},
	};

	CHECK_ERR(parse(" {\"a\":[1e5,[true]],\"b\":{},\"c\":[]}\n"), ADY_OK);
	CHECK_INT(doc.n, 10);
	for (uint32_t i = 0; i < sizeof want / sizeof *want; i++) {
		CHECK_INT(toks[i].at, want[i].at);
		CHECK_INT(toks[i].len, want[i].len);
		CHECK_INT(toks[i].count, want[i].count);
		CHECK_INT(toks[i].next, want[i].next);
		CHECK_INT(toks[i].kind, want[i].kind);
	}
	CHECK_INT(ady_json_kind(&doc, 5), ADY_JSON_TRUE);
	CHECK(ady_bytes_is(ady_json_raw(&doc, 3), "1e5"));
	CHECK(ady_bytes_is(ady_json_raw(&doc, 4), "[true]"));
}

CASE(members_by_name)
{
	uint32_t t, a;

	CHECK_ERR(
	    parse("{\"transaction\":{\"to\":\"0x1\",\"\\u0061\":[1,[2],{\"b\":3}],\"z\":null}}"),
	    ADY_OK);
	t = ady_json_get(&doc, 0, "transaction");
	CHECK(t > 0);
	CHECK_STR(text_of(ady_json_get(&doc, t, "to")), "0x1");
	a = ady_json_get(&doc, t, "a");
	CHECK_INT(ady_json_kind(&doc, a), ADY_JSON_ARRAY);
	CHECK_INT(ady_json_kind(&doc, ady_json_get(&doc, t, "z")), ADY_JSON_NULL);
	CHECK_INT(ady_json_get(&doc, t, "b"), 0); /* not of this object */
	CHECK_INT(ady_json_get(&doc, t, "0x1"), 0);
	CHECK_INT(ady_json_get(&doc, t, ""), 0);
	CHECK_INT(ady_json_get(&doc, a, "b"), 0); /* no object */
}

CASE(iteration_visits_each_child_once)
{
	char seen[64] = "";
	size_t n = 0;

	CHECK_ERR(parse("{\"a\":[1,[2,3],{\"x\":4},5],\"b\":{},\"c\":\"d\"}"), ADY_OK);
	for (uint32_t k = ady_json_first(&doc, 0); k; k = ady_json_after(&doc, 0, k))
		n += (size_t)snprintf(seen + n, sizeof seen - n, "%s;", text_of(k));
	CHECK_STR(seen, "a;b;c;");
	n = 0;
	for (uint32_t i = ady_json_first(&doc, 2); i; i = ady_json_after(&doc, 2, i))
		n += (size_t)snprintf(seen + n, sizeof seen - n, "%.*s;", (int)toks[i].len,
		                      (const char *)ady_json_raw(&doc, i).p);
	CHECK_STR(seen, "1;[2,3];{\"x\":4};5;");
	CHECK_INT(ady_json_first(&doc, ady_json_get(&doc, 0, "b")), 0);
	CHECK_INT(ady_json_first(&doc, ady_json_get(&doc, 0, "c")), 0);
}

CASE(strings_unescape)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
	    {"\"\"", ""},
	    {"\"plain\"", "plain"},
	    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
	    {"\"\\u0041\\u00e9\\u20AC\\uFFFF\"", "A\xc3\xa9\xe2\x82\xac\xef\xbf\xbf"},
	    {"\"\\ud834\\udd1e|\\uD800\\uDC00|\\udbff\\udfff\"",
	     "\xf0\x9d\x84\x9e|\xf0\x90\x80\x80|\xf4\x8f\xbf\xbf"},
	    {"\"\\u007f\\u0080\\u07ff\\u0800\"", "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80"},
	    {"\"\xc3\xa9\\n\xe2\x82\xac\"", "\xc3\xa9\n\xe2\x82\xac"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		CHECK_ERR(parse(rows[i].text), ADY_OK);
		CHECK_STR(text_of(0), rows[i].want);
		CHECK(ady_json_is(&doc, 0, rows[i].want));
		CHECK(!ady_json_is(&doc, 0, "other"));
	}
}

CASE(whole_numbers)
{
	static const struct {
		const char *text;
		enum ady_err err;
		uint64_t v;
	} rows[] = {
	    {"0", ADY_OK, 0},
	    {"18446744073709551615", ADY_OK, UINT64_MAX},
	    {"18446744073709551616", ADY_E_FIELD_RANGE, 0},
	    {"99999999999999999999999", ADY_E_FIELD_RANGE, 0},
	    {"-1", ADY_E_FIELD_INVALID, 0},
	    {"1.0", ADY_E_FIELD_INVALID, 0},
	    {"1e3", ADY_E_FIELD_INVALID, 0},
	    {"\"1\"", ADY_E_FIELD_INVALID, 0},
	    {"null", ADY_E_FIELD_INVALID, 0},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ady_json_tok number[4];
		struct ady_json one;
		uint64_t v = 7;

		CHECK_ERR(ady_json_parse(&one, number, 4, ady_bytes_str(rows[i].text), NULL),
		          ADY_OK);
		CHECK_ERR(ady_json_u64(&one, 0, &v), rows[i].err);
		CHECK_INT(v, rows[i].v);
	}
}

CASE(strings_respect_their_room)
{
	char out[4] = "xxx";
	size_t n = 9;

	CHECK_ERR(parse("\"abc\""), ADY_OK);
	CHECK_ERR(ady_json_string(&doc, 0, out, 4, &n), ADY_OK);
	CHECK_INT(n, 3);
	CHECK_ERR(ady_json_string(&doc, 0, out, 3, &n), ADY_E_TOO_LARGE);
	CHECK_STR(out, "");
	CHECK_INT(n, 0);
	CHECK_ERR(ady_json_string(&doc, 0, out, 0, &n), ADY_E_TOO_LARGE);
	CHECK_ERR(parse("\"a\\u0000b\""), ADY_OK);
	CHECK_ERR(ady_json_string(&doc, 0, out, 4, &n), ADY_OK);
	CHECK_INT(n, 3);
	CHECK(memcmp(out, "a\0b", 4) == 0);
	CHECK(!ady_json_is(&doc, 0, "a"));
	CHECK_ERR(parse("12"), ADY_OK);
	CHECK_ERR(ady_json_string(&doc, 0, out, 4, &n), ADY_E_FIELD_INVALID);
	CHECK(!ady_json_is(&doc, 0, "12"));
}

/* Every byte that ASCII has, written and read again, at every place of an eight-byte word. */
CASE(written_strings_read_the_same)
{
	for (int c = 0; c < 128; c++) {
		for (size_t lead = 0; lead < 9; lead++) {
			char in[16] = "aaaaaaaaa", out[32];
			uint8_t space[64];
			struct ady_buf b = ady_buf(space, sizeof space);
			size_t n;

			in[lead] = (char)c;
			ady_json_put_string(&b, ady_bytes(in, 10));
			CHECK(!b.full);
			CHECK_ERR(ady_json_parse(&doc, toks, ROOM, ady_buf_bytes(&b), &fault),
			          ADY_OK);
			CHECK_ERR(ady_json_string(&doc, 0, out, sizeof out, &n), ADY_OK);
			CHECK(ady_bytes_eq(ady_bytes(out, n), ady_bytes(in, 10)));
		}
	}
}

/* A control character is found at every place of a word, behind every other. */
CASE(control_characters_do_not_hide)
{
	char text[40];

	for (size_t at = 1; at < 20; at++) {
		for (int c = 0; c < 0x20; c++) {
			memset(text, 'a', sizeof text);
			text[0] = text[30] = '"';
			text[at] = (char)c;
			CHECK_ERR(ady_json_parse(&doc, toks, ROOM, ady_bytes(text, 31), &fault),
			          ADY_E_JSON);
		}
	}
}

/* The design asks for 2 us for a document of about 600 bytes; on a busy machine or under a
 * sanitizer that is no failure, so the bound here is loose and the figure is printed. */
CASE(a_request_takes_microseconds)
{
	static const char text[] =
	    "{\"transaction\":{\"type\":\"0x2\",\"chainId\":\"0x1\",\"nonce\":\"0x1234\",\"to\":"
	    "\"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\",\"value\":\"1000000000000000000\","
	    "\"gasLimit\":21000,\"maxFeePerGas\":\"0x59682f00\",\"maxPriorityFeePerGas\":"
	    "\"0x3b9aca00\",\"data\":\"0xa9059cbb0000000000000000000000005aaeb6053f3e94c9b9a09f33"
	    "669435e7ef1beaed0000000000000000000000000000000000000000000000000de0b6b3a7640000\","
	    "\"accessList\":[{\"address\":\"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed\","
	    "\"storageKeys\":"
	    "[\"0x0000000000000000000000000000000000000000000000000000000000000001\"]}],"
	    "\"from\":\"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed\"}}";
	enum { ROUNDS = 20000 };
	int64_t start = ady_mono_us(), took;

	for (int i = 0; i < ROUNDS; i++)
		CHECK_ERR(parse(text), ADY_OK);
	took = ady_mono_us() - start;
	printf("# %zu bytes in %.2f us\n", sizeof text - 1, (double)took / ROUNDS);
	CHECK(took < 200ll * ROUNDS);
}

int main(void)
{
	RUN(json_test_suite);
	RUN(nothing_is_no_document);
	RUN(each_refusal_says_why_and_where);
	RUN(a_key_twice_is_refused_after_unescaping);
	RUN(one_duplicate_among_many);
	RUN(depth_ends_at_sixteen);
	RUN(values_end_at_the_room_there_is);
	RUN(tokens_describe_the_document);
	RUN(members_by_name);
	RUN(iteration_visits_each_child_once);
	RUN(strings_unescape);
	RUN(whole_numbers);
	RUN(strings_respect_their_room);
	RUN(written_strings_read_the_same);
	RUN(control_characters_do_not_hide);
	RUN(a_request_takes_microseconds);
	return test_end();
}
