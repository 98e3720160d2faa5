/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"
#include "record_text.h"

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
	RUN(other_curves);
	RUN(the_sample_form);
	RUN(refused_as_a_whole);
	RUN(missing_members);
	RUN(wrong_members);
	RUN(record_of_another_key);
	RUN(sizes);
	return test_end();
}
