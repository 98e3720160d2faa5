/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/record.h"

#include "base/text.h"

#include "test.h"

#define PUB "0x0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define ID "team/hot-1"
#define M_VERSION "\"adyton\":1"
#define M_WRAPPING "\"wrapping\":\"direct\""
#define M_ID "\"id\":\"" ID "\""
#define M_TENANT "\"tenant\":\"team\""
#define M_CURVE "\"curve\":\"secp256k1\""
#define M_PUBLIC "\"public_key\":\"" PUB "\""
#define M_TEXT "\"ciphertext\":\"AQIDBA==\""
#define GOOD \
	"{" M_VERSION "," M_WRAPPING "," M_ID "," M_TENANT "," M_CURVE "," M_PUBLIC "," M_TEXT "}"

static struct ady_record rec;
static struct ady_fault fault;

static enum ady_err parse(const char *text)
{
	fault = (struct ady_fault){0};
	return ady_record_parse(&rec, ady_bytes_str(text), ady_bytes_str(ID), &fault);
}

static void check_refused(const char *text, const char *where)
{
	if (!CHECK_ERR(parse(text), ADY_E_RECORD) || !CHECK_STR(fault.where, where))
		printf("# %s\n", text);
	CHECK_ERR(fault.err, ADY_E_RECORD);
	CHECK(fault.detail[0] != '\0');
}

static void check_good(void)
{
	static const char *const context[][2] = {{"adyton:curve", "secp256k1"},
	                                         {"adyton:id", ID},
	                                         {"adyton:public-key", PUB},
	                                         {"adyton:tenant", "team"}};

	CHECK(!rec.sample);
	CHECK_STR(rec.id, ID);
	CHECK_STR(rec.tenant, "team");
	CHECK_HEX(rec.pub, 33, &PUB[2]);
	CHECK_HEX(rec.ciphertext, rec.ciphertext_n, "01020304");
	CHECK_INT(rec.context_n, 4);
	for (size_t i = 0; i < rec.context_n; i++) {
		CHECK_STR(rec.context[i].key, context[i][0]);
		CHECK_STR(rec.context[i].value, context[i][1]);
	}
}

CASE(the_json_form)
{
	CHECK_ERR(parse(GOOD), ADY_OK);
	check_good();
	CHECK_ERR(parse(" \n" GOOD "\r\n"), ADY_OK);
	check_good();
}

/* Whoever stores a record may spell it differently; what KMS sees must stay the same. */
CASE(other_spellings_make_the_same_context)
{
	CHECK_ERR(parse("{" M_TEXT "," M_PUBLIC "," M_CURVE "," M_TENANT
	                ",\"id\":\"team\\/hot\\u002d1\"," M_WRAPPING "," M_VERSION "}"),
	          ADY_OK);
	check_good();
	CHECK_ERR(
	    parse("{" M_VERSION "," M_WRAPPING "," M_ID "," M_TENANT "," M_CURVE ","
	          "\"public_key\":\"0x0279BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F281"
	          "5B16F81798\"," M_TEXT "}"),
	    ADY_OK);
	check_good();
}

CASE(what_is_put_is_read)
{
	static char text[16384];
	struct ady_buf b = ady_buf(text, sizeof text - 1);

	CHECK_ERR(parse(GOOD), ADY_OK);
	ady_record_put(&b, &rec);
	CHECK(!b.full);
	CHECK_STR(text, GOOD);
	CHECK_ERR(parse(text), ADY_OK);
	check_good();
}

/* The permission is bound: KMS opens the ciphertext under no other context. */
CASE(what_a_record_allows)
{
	static const struct {
		const char *json, *bound;
		unsigned allow;
	} good[] = {{"[\"digest\"]", "digest", ADY_ALLOW_DIGEST},
	            {"[\"unprotected\"]", "unprotected", ADY_ALLOW_UNPROTECTED},
	            {"[\"digest\",\"unprotected\"]", "digest,unprotected",
	             ADY_ALLOW_DIGEST | ADY_ALLOW_UNPROTECTED}};
	static const char *const bad[] = {"[]",
	                                  "true",
	                                  "\"digest\"",
	                                  "[\"digest\",\"digest\"]",
	                                  "[\"unprotected\",\"digest\"]",
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

/* GOOD with more members before its end. */
static const char *with(const char *more)
{
	static char json[2048];

	snprintf(json, sizeof json, "%.*s,%s}", (int)strlen(GOOD) - 1, GOOD, more);
	return json;
}

static void check_round(const char *text)
{
	static char out[16384];
	struct ady_buf b = ady_buf(out, sizeof out - 1);

	ady_record_put(&b, &rec);
	out[b.n] = '\0';
	CHECK_STR(out, text);
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

#define M_ENVELOPE "\"wrapping\":\"envelope\""
#define M_DATA_KEY "\"data_key\":\"BQYH\""
#define SEALED                                                                     \
	"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1" \
	"Njc4OTo7"
#define M_SEALED "\"ciphertext\":\"" SEALED "\""
#define ENVELOPE                                                                                   \
	"{" M_VERSION "," M_ENVELOPE "," M_ID "," M_TENANT "," M_CURVE "," M_PUBLIC "," M_DATA_KEY \
	"," M_SEALED "}"

static void check_aad(const char *hex)
{
	uint8_t aad[ADY_RECORD_AAD_MAX];
	struct ady_buf b = ady_buf(aad, sizeof aad);

	ady_record_aad(&b, &rec, "prod");
	CHECK_HEX(b.p, b.n, hex);
}

CASE(the_envelope_form)
{
	CHECK_ERR(parse(ENVELOPE), ADY_OK);
	CHECK(rec.envelope);
	CHECK_INT(rec.context_n, 0);
	CHECK_HEX(rec.data_key, rec.data_key_n, "050607");
	CHECK_INT(rec.ciphertext_n, 60);
	check_round(ENVELOPE);
	/* {0: 1, 1: "prod", 2: id, 3: tenant, 4: curve, 5: public key, 6: "", 7: "", 8: "",
	 * 9: h'', 10: 0} */
	check_aad("ab00010164"
	          "70726f64"
	          "026a"
	          "7465616d2f686f742d31"
	          "0364"
	          "7465616d"
	          "0469"
	          "736563703235366b31"
	          "055821"
	          "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
	          "0660"
	          "0760"
	          "0860"
	          "0940"
	          "0a00");
}

/* Whatever decides is in the additional data: each change of it is another text. */
CASE(each_member_changes_the_additional_data)
{
	uint8_t aad[9][ADY_RECORD_AAD_MAX];
	struct ady_buf b[9];

	CHECK_ERR(parse(ENVELOPE), ADY_OK);
	for (int i = 0; i < 9; i++) {
		struct ady_record changed = rec;

		b[i] = ady_buf(aad[i], sizeof aad[i]);
		changed.allow = i == 1 ? ADY_ALLOW_DIGEST : 0;
		changed.created = i == 2;
		changed.pub[32] ^= i == 3;
		if (i == 4)
			(void)ady_record_add_chain(&changed, 1);
		if (i == 6)
			(void)ady_record_add_caller(&changed, ady_bytes_str("gateway"));
		if (i > 6)
			ady_record_set_policy(&changed, ady_bytes_str(i == 7 ? "{}" : "{ }"));
		ady_record_bind(&changed);
		ady_record_aad(&b[i], &changed, i == 5 ? "prog" : "prod");
		CHECK(!b[i].full);
		for (int k = 0; k < i; k++)
			CHECK(!ady_bytes_eq(ady_buf_bytes(&b[i]), ady_buf_bytes(&b[k])));
	}
}

#define KEY_A "ed25519:00000000000000000000000000000000000000000000000000000000000000aa"
#define KEY_B "p256:0200000000000000000000000000000000000000000000000000000000000000bb"
#define WITH(members)                                                                          \
	"{" M_VERSION "," M_WRAPPING "," M_ID "," M_TENANT "," M_CURVE "," M_PUBLIC "," M_TEXT \
	"," members "}"

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

CASE(wrong_envelopes)
{
	static const struct {
		const char *text, *where;
	} rows[] = {
	    {"{" M_VERSION "," M_ENVELOPE "," M_ID "," M_TENANT "," M_CURVE "," M_PUBLIC
	     "," M_SEALED "}",
	     "record.data_key"},
	    {"{" M_VERSION "," M_ENVELOPE "," M_ID "," M_TENANT "," M_CURVE "," M_PUBLIC
	     "," M_DATA_KEY "," M_TEXT "}",
	     "record.ciphertext"},
	    {"{" M_VERSION "," M_WRAPPING "," M_ID "," M_TENANT "," M_CURVE "," M_PUBLIC
	     "," M_DATA_KEY "," M_SEALED "}",
	     "record.data_key"},
	    {"{" M_VERSION "," M_ENVELOPE "," M_ID "," M_TENANT "," M_CURVE "," M_PUBLIC
	     ",\"data_key\":\"\"," M_SEALED "}",
	     "record.data_key"},
	    {"{" M_VERSION "," M_ENVELOPE "," M_ID "," M_TENANT "," M_CURVE "," M_PUBLIC
	     ",\"data_key\":[]," M_SEALED "}",
	     "record.data_key"},
	    {"{" M_VERSION "," M_ENVELOPE "," M_ID "," M_TENANT "," M_CURVE "," M_PUBLIC
	     ",\"data_key\":\"A\"," M_SEALED "}",
	     "record.data_key"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		check_refused(rows[i].text, rows[i].where);
}

CASE(other_curves)
{
	static const char ed[] =
	    "{" M_VERSION "," M_WRAPPING "," M_ID "," M_TENANT ",\"curve\":\"ed25519\","
	    "\"public_key\":\"0xd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a\""
	    "," M_TEXT "}";
	static const char bls[] =
	    "{" M_VERSION "," M_WRAPPING "," M_ID "," M_TENANT ",\"curve\":\"bls12-381\","
	    "\"public_key\":\"0x97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac58"
	    "6c55e83ff97a1aeffb3af00adb22c6bb\"," M_TEXT "}";

	CHECK_ERR(parse(ed), ADY_OK);
	CHECK_INT(rec.curve, ADY_CURVE_ED25519);
	check_round(ed);
	CHECK_ERR(parse(bls), ADY_OK);
	CHECK_INT(rec.curve, ADY_CURVE_BLS12_381);
	check_round(bls);
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
	CHECK_ERR(ady_record_begin(&rec, ADY_CURVE_SECP256K1, ady_bytes_str("te am"),
	                           ady_bytes_str("{\"id\":\"k\"}"), &fault),
	          ADY_E_FIELD_INVALID);
	CHECK_STR(fault.where, "tenant");
}

CASE(the_context_of_data_keys)
{
	struct ady_context_pair c[ADY_DATA_KEY_CONTEXT];

	ady_record_data_key_context(c, "prod", "team");
	CHECK_STR(c[0].key, "adyton:deployment");
	CHECK_STR(c[0].value, "prod");
	CHECK_STR(c[1].key, "adyton:purpose");
	CHECK_STR(c[1].value, "data-key");
	CHECK_STR(c[2].key, "adyton:tenant");
	CHECK_STR(c[2].value, "team");
}

CASE(the_sample_form)
{
	static const char *const same[] = {"AQIDBA==", "AQIDBA==\n", " \t\r\nAQIDBA== "};

	for (size_t i = 0; i < 3; i++) {
		CHECK_ERR(parse(same[i]), ADY_OK);
		CHECK(rec.sample);
		CHECK_INT(rec.context_n, 0);
		CHECK_STR(rec.id, "");
		CHECK_HEX(rec.ciphertext, rec.ciphertext_n, "01020304");
	}
}

CASE(refused_as_a_whole)
{
	static const char *const bad[] = {
	    "",
	    " ",
	    "\n",
	    "AQIDBA",
	    "AQIDBA=",
	    "AQIDBB==",
	    "AQ IDBA==",
	    "A-_DBA==",
	    "[]",
	    "nulls",
	    "\"AQIDBA==\"",
	    "{",
	    "{}x",
	    GOOD GOOD,
	    "{\"adyton\":1,\"adyton\":1}",
	    "\xef\xbb\xbf{}",
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		check_refused(bad[i], "record");
}

static const char *const members[] = {M_VERSION, M_WRAPPING, M_ID,  M_TENANT,
                                      M_CURVE,   M_PUBLIC,   M_TEXT};
static const char *const names[] = {"adyton", "wrapping",   "id",        "tenant",
                                    "curve",  "public_key", "ciphertext"};

/* A good record with "name": value first (value NULL: without it), which must be refused. */
static void check_member(const char *name, const char *value)
{
	struct ady_dyn text = {0};
	char where[64];

	ady_dyn_str(&text, "{");
	if (value)
		ady_dyn_printf(&text, "\"%s\":%s,", name, value);
	for (size_t i = 0; i < 7; i++)
		if (strcmp(names[i], name) != 0)
			ady_dyn_printf(&text, "%s,", members[i]);
	text.n--;
	ady_dyn_str(&text, "}");
	snprintf(where, sizeof where, "record.%s", name);
	check_refused(ady_dyn_cstr(&text), where);
	ady_dyn_free(&text);
}

CASE(missing_members)
{
	for (size_t i = 0; i < 7; i++)
		check_member(names[i], NULL);
}

CASE(wrong_members)
{
	static const struct {
		const char *name, *value;
	} rows[] = {
	    {"adyton", "2"},
	    {"adyton", "\"1\""},
	    {"adyton", "1.0"},
	    {"adyton", "true"},
	    {"wrapping", "\"enveloped\""},
	    {"wrapping", "\"Direct\""},
	    {"wrapping", "null"},
	    {"curve", "\"p256\""},
	    {"curve", "\"secp256k1\\u0000\""},
	    {"curve", "\"secp256k1secp256k1\""},
	    {"curve", "[]"},
	    {"tenant", "\"\""},
	    {"tenant", "\"te am\""},
	    {"tenant", "\"te\\u0000am\""},
	    {"tenant", "\"t\xc3\xa9"
	               "am\""},
	    {"tenant", "\"a123456789b123456789c123456789d123456789e123456789f123456789g123\""},
	    {"tenant", "7"},
	    {"id", "\"\""},
	    {"id", "\"a b\""},
	    {"id", "\"a\\\"b\""},
	    {"id", "\"a\\\\b\""},
	    {"id", "\"a*b\""},
	    {"id", "null"},
	    {"public_key", "\"\""},
	    {"public_key",
	     "\"0x04be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f8179800\""},
	    {"public_key",
	     "\"0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\""},
	    {"public_key",
	     "\"0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\""},
	    {"public_key",
	     "\"0x0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f8179g\""},
	    {"public_key",
	     "\"0x0079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\""},
	    {"public_key", "[]"},
	    {"ciphertext", "\"\""},
	    {"ciphertext", "\"AQIDBA==\\n\""},
	    {"ciphertext", "\"AQIDBA\""},
	    {"ciphertext", "\"AQIDBA==\\u0000\""},
	    {"ciphertext", "{}"},
	    {"policy", "1"},
	    {"Adyton", "1"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		check_member(rows[i].name, rows[i].value);
}

/* "id": a record of another key must not pass. */
CASE(record_of_another_key)
{
	static const char *const others[] = {"", "team/hot-", "team/hot-2", "team/hot-12",
	                                     "TEAM/hot-1"};

	for (size_t i = 0; i < 5; i++) {
		CHECK_ERR(
		    ady_record_parse(&rec, ady_bytes_str(GOOD), ady_bytes_str(others[i]), &fault),
		    ADY_E_RECORD_MISMATCH);
		CHECK_STR(fault.where, "record.id");
	}
}

/* A record with a ciphertext of so many bytes; before and behind it. */
static enum ady_err parse_sized(size_t bytes, const char *before, const char *behind)
{
	static const uint8_t zeros[8192];
	char base64[ADY_BASE64_SIZE(sizeof zeros)];
	struct ady_dyn text = {0};
	enum ady_err err;

	ady_base64_encode(base64, ady_bytes(zeros, bytes));
	ady_dyn_printf(&text, "%s%s%s", before, base64, behind);
	err = parse(ady_dyn_cstr(&text));
	ady_dyn_free(&text);
	return err;
}

CASE(sizes)
{
	char id[300];

	CHECK_ERR(parse_sized(6144, "", ""), ADY_OK);
	CHECK_INT(rec.ciphertext_n, 6144);
	CHECK_ERR(parse_sized(6145, "", ""), ADY_E_RECORD);
	CHECK_ERR(parse_sized(6144,
	                      "{" M_VERSION "," M_WRAPPING "," M_ID "," M_TENANT "," M_CURVE
	                      "," M_PUBLIC ",\"ciphertext\":\"",
	                      "\"}"),
	          ADY_OK);
	CHECK_INT(rec.ciphertext_n, 6144);
	CHECK_ERR(parse_sized(6145,
	                      "{" M_VERSION "," M_WRAPPING "," M_ID "," M_TENANT "," M_CURVE
	                      "," M_PUBLIC ",\"ciphertext\":\"",
	                      "\"}"),
	          ADY_E_RECORD);
	CHECK_STR(fault.where, "record.ciphertext");
	memset(id, 'a', sizeof id);
	id[0] = id[257] = '"';
	id[258] = '\0';
	check_member("id", id);
}

int main(void)
{
	RUN(the_json_form);
	RUN(other_spellings_make_the_same_context);
	RUN(what_is_put_is_read);
	RUN(what_a_record_allows);
	RUN(chains_and_time_are_bound);
	RUN(wrong_chains_and_times);
	RUN(the_envelope_form);
	RUN(each_member_changes_the_additional_data);
	RUN(wrong_envelopes);
	RUN(other_curves);
	RUN(options_of_a_new_key);
	RUN(callers);
	RUN(callers_have_a_room_of_their_own);
	RUN(policies);
	RUN(the_context_of_data_keys);
	RUN(the_sample_form);
	RUN(refused_as_a_whole);
	RUN(missing_members);
	RUN(wrong_members);
	RUN(record_of_another_key);
	RUN(sizes);
	return test_end();
}
