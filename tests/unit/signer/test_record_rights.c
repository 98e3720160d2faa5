/* SPDX-License-Identifier: Apache-2.0 */
#include "record_text.h"

/* The permission is bound: KMS opens the ciphertext under no other context. */
CASE(what_a_record_allows)
{
	static const struct {
		const char *json, *bound;
		unsigned allow;
	} good[] = {{"[\"digest\"]", "digest", ADY_ALLOW_DIGEST},
	            {"[\"unprotected\"]", "unprotected", ADY_ALLOW_UNPROTECTED},
	            {"[\"digest\",\"unprotected\"]", "digest,unprotected",
	             ADY_ALLOW_DIGEST | ADY_ALLOW_UNPROTECTED},
	            {"[\"digest\",\"commitment\"]", "digest,commitment",
	             ADY_ALLOW_DIGEST | ADY_ALLOW_COMMITMENT},
	            {"[\"digest\",\"unprotected\",\"commitment\"]", "digest,unprotected,commitment",
	             ADY_ALLOW_DIGEST | ADY_ALLOW_UNPROTECTED | ADY_ALLOW_COMMITMENT}};
	static const char *const bad[] = {"[]",
	                                  "true",
	                                  "\"digest\"",
	                                  "[\"digest\",\"digest\"]",
	                                  "[\"unprotected\",\"digest\"]",
	                                  "[\"commitment\",\"digest\"]",
	                                  "[\"digest\",\"unprotected\",\"unprotected\"]",
	                                  "[\"digest\",\"all\"]",
	                                  "[\"digest,unprotected\"]",
	                                  "[\"Digest\"]",
	                                  "[\"\"]",
	                                  "[1]",
	                                  "{\"digest\":true}",
	                                  "null"};
	static char text[16384];
	struct ady_buf b = ady_buf(text, sizeof text - 1);
	char json[1024];

	CHECK_ERR(parse(GOOD), ADY_OK);
	CHECK_INT(rec.allow, 0);
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		snprintf(json, sizeof json, "%.*s,\"allow\":%s}", (int)strlen(GOOD) - 1, GOOD,
		         good[i].json);
		CHECK_ERR(parse(json), ADY_OK);
		CHECK_INT(rec.allow, good[i].allow);
		CHECK_INT(rec.context_n, 5);
		CHECK_STR(rec.context[0].key, "adyton:allow");
		CHECK_STR(rec.context[0].value, good[i].bound);
		CHECK_STR(rec.context[4].key, "adyton:tenant");
		b.n = 0;
		ady_record_put(&b, &rec);
		text[b.n] = '\0';
		CHECK_STR(text, json);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(json, sizeof json, "%.*s,\"allow\":%s}", (int)strlen(GOOD) - 1, GOOD,
		         bad[i]);
		check_refused(json, "record.allow");
	}
}

CASE(chains_and_time_are_bound)
{
	CHECK_ERR(parse(with("\"chains\":[1,10,9223372036854775771],\"created\":1764100000")),
	          ADY_OK);
	CHECK_INT(rec.chains_n, 3);
	CHECK_INT(rec.context_n, 6);
	CHECK_STR(rec.context[0].key, "adyton:chains");
	CHECK_STR(rec.context[0].value, "1,10,9223372036854775771");
	CHECK_STR(rec.context[1].key, "adyton:created");
	CHECK_STR(rec.context[1].value, "1764100000");
	CHECK_STR(rec.context[2].key, "adyton:curve");
	CHECK(ady_record_allows_chain(&rec, 10));
	CHECK(!ady_record_allows_chain(&rec, 0));
	CHECK(!ady_record_allows_chain(&rec, 2));
	check_round(with("\"chains\":[1,10,9223372036854775771],\"created\":1764100000"));
	CHECK_ERR(parse(GOOD), ADY_OK);
	CHECK(ady_record_allows_chain(&rec, 2));
}

CASE(wrong_chains_and_times)
{
	static const char *const chains[] = {
	    "[]",    "1",      "{\"1\":1}", "null",  "[0]",   "[\"1\"]",
	    "[1,1]", "[10,1]", "[-1]",      "[1.0]", "[1e2]", "[9223372036854775772]",
	    "[true]"};
	static const char *const times[] = {"0",     "-1",           "1.5",
	                                    "\"1\"", "253402300800", "18446744073709551616"};
	char json[512];
	struct ady_buf b = ady_buf(json, sizeof json - 1);

	for (size_t i = 0; i < sizeof chains / sizeof *chains; i++) {
		snprintf(json, sizeof json, "\"chains\":%s", chains[i]);
		check_refused(with(json), "record.chains");
	}
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		snprintf(json, sizeof json, "\"created\":%s", times[i]);
		check_refused(with(json), "record.created");
	}
	ady_buf_str(&b, "\"chains\":[1");
	for (int i = 2; i <= 32; i++)
		ady_buf_printf(&b, ",%d", i);
	ady_buf_str(&b, "]");
	json[b.n] = '\0';
	CHECK_ERR(parse(with(json)), ADY_OK);
	CHECK_INT(rec.chains_n, 32);
	b.n--;
	ady_buf_str(&b, ",33]");
	json[b.n] = '\0';
	check_refused(with(json), "record.chains");
}

#define KEY_A "ed25519:00000000000000000000000000000000000000000000000000000000000000aa"
#define KEY_B "p256:0200000000000000000000000000000000000000000000000000000000000000bb"
CASE(callers)
{
	struct ady_record more = {0};
	char key[80];

	CHECK_ERR(parse(WITH("\"callers\":[\"" KEY_A "\",\"" KEY_B "\"]")), ADY_OK);
	CHECK_STR(rec.callers_text, KEY_A "," KEY_B);
	CHECK_STR(rec.context[0].key, "adyton:callers");
	CHECK_STR(rec.context[0].value, KEY_A "," KEY_B);
	CHECK(ady_record_has_caller(&rec, ady_bytes_str(KEY_B)));
	CHECK(!ady_record_has_caller(&rec, ady_bytes_str("p256:")));
	CHECK(ady_record_needs_stamp(&rec));
	check_round(WITH("\"callers\":[\"" KEY_A "\",\"" KEY_B "\"]"));
	CHECK_ERR(parse(WITH("\"callers\":[\"gateway\",\"" KEY_B "\"]")), ADY_OK);
	CHECK(!ady_record_needs_stamp(&rec));
	check_refused(WITH("\"callers\":[]"), "record.callers");
	check_refused(WITH("\"callers\":\"gateway\""), "record.callers");
	check_refused(WITH("\"callers\":[1]"), "record.callers");
	check_refused(WITH("\"callers\":[\"me\"]"), "record.callers");
	check_refused(WITH("\"callers\":[\"" KEY_A "\",\"" KEY_A "\"]"), "record.callers");
	for (int i = 0; i < 17; i++) {
		snprintf(key, sizeof key, "ed25519:%064d", i);
		CHECK_ERR(ady_record_add_caller(&more, ady_bytes_str(key)),
		          i < 16 ? ADY_OK : ADY_E_RECORD);
	}
}

CASE(callers_have_a_room_of_their_own)
{
	char key[400];
	int n = 0;

	rec = (struct ady_record){0};
	for (; n < 16; n++) {
		snprintf(key, sizeof key, "webauthn:%0240d:02%064d", n, 7);
		if (ady_record_add_caller(&rec, ady_bytes_str(key)) != ADY_OK)
			break;
	}
	CHECK_INT(n, 12);
	CHECK(strlen(rec.callers_text) < sizeof rec.callers_text);
}

CASE(policies)
{
	static const char text[] = WITH("\"policy\":{\"policy\": 1,\"rules\":[]}");

	CHECK_ERR(parse(text), ADY_OK);
	CHECK(ady_bytes_is(rec.policy, "{\"policy\": 1,\"rules\":[]}"));
	CHECK_STR(rec.context[2].key, "adyton:policy");
	CHECK_STR(rec.context[2].value,
	          "5a861b9d8615061ce18a2a3001154c26115f7a25fb812eedbd7a1fc664fe81af");
	check_round(text);
	check_refused(WITH("\"policy\":[]"), "record.policy");
}

static enum ady_err begin_key(const char *options)
{
	fault = (struct ady_fault){0};
	return ady_record_begin(&rec, ADY_CURVE_SECP256K1, ady_bytes_str("team"),
	                        ady_bytes_str(options), &fault);
}

CASE(options_of_a_new_key)
{
	static const struct {
		const char *options;
		enum ady_err err;
		const char *where;
	} rows[] = {
	    {"{\"id\":\"k\",\"tenant\":\"team\",\"curve\":\"secp256k1\"}", ADY_OK, ""},
	    {"{\"id\":\"k\",\"tenant\":\"teams\"}", ADY_E_FIELD_INVALID, "tenant"},
	    {"{\"id\":\"k\",\"curve\":\"ed25519\"}", ADY_E_FIELD_INVALID, "curve"},
	    {"{\"id\":\"k\",\"wrapping\":\"envelope\"}", ADY_E_FIELD_UNKNOWN, "wrapping"},
	    {"{\"id\":\"k\",\"data_key\":\"\"}", ADY_E_FIELD_UNKNOWN, "data_key"},
	    {"{\"id\":\"k\",\"x\":1}", ADY_E_FIELD_UNKNOWN, "x"},
	    {"{\"id\":\"k\",\"words\":12}", ADY_E_FIELD_INVALID, "words"},
	    {"{\"id\":\"k\",\"counters\":\"00\"}", ADY_E_FIELD_UNKNOWN, "counters"},
	    {"{\"id\":\"k\",\"origin\":\"w m/0\"}", ADY_E_FIELD_UNKNOWN, "origin"},
	    {"{}", ADY_E_FIELD_MISSING, "id"},
	    {"{\"id\":\"\"}", ADY_E_FIELD_INVALID, "id"},
	    {"{\"id\":\"k\",\"allow\":[\"x\"]}", ADY_E_FIELD_INVALID, "allow"},
	    {"{\"id\":\"k\",\"chains\":[0]}", ADY_E_FIELD_INVALID, "chains"},
	    {"{\"id\":\"k\",\"id\":\"k\"}", ADY_E_JSON_DUPLICATE, NULL},
	    {"{\"id\":\"k\"", ADY_E_JSON, NULL},
	    {"[]", ADY_E_FIELD_INVALID, ""},
	};

	CHECK_ERR(begin_key("{\"id\":\"k\",\"allow\":[\"digest\"],\"chains\":[1,10]}"), ADY_OK);
	CHECK(rec.envelope && rec.curve == ADY_CURVE_SECP256K1 && rec.allow == ADY_ALLOW_DIGEST);
	CHECK_STR(rec.id, "k");
	CHECK_STR(rec.tenant, "team");
	CHECK_INT(rec.chains_n, 2);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (!CHECK_ERR(begin_key(rows[i].options), rows[i].err) ||
		    (rows[i].where && !CHECK_STR(fault.where, rows[i].where)))
			printf("# %s\n", rows[i].options);
	}
	for (int words = 0; words < 30; words++) {
		char options[40];
		bool good = words >= 12 && words <= 24 && words % 3 == 0;

		snprintf(options, sizeof options, "{\"id\":\"w\",\"words\":%d}", words);
		CHECK_ERR(ady_record_begin(&rec, ADY_CURVE_WALLET, ady_bytes_str("team"),
		                           ady_bytes_str(options), &fault),
		          good ? ADY_OK : ADY_E_FIELD_INVALID);
		CHECK(!good || rec.words == (uint64_t)words);
	}
	CHECK_ERR(ady_record_begin(&rec, ADY_CURVE_SECP256K1, ady_bytes_str("te am"),
	                           ady_bytes_str("{\"id\":\"k\"}"), &fault),
	          ADY_E_FIELD_INVALID);
	CHECK_STR(fault.where, "tenant");
}

int main(void)
{
	RUN(what_a_record_allows);
	RUN(chains_and_time_are_bound);
	RUN(wrong_chains_and_times);
	RUN(callers);
	RUN(callers_have_a_room_of_their_own);
	RUN(policies);
	RUN(options_of_a_new_key);
	return test_end();
}
