/* SPDX-License-Identifier: Apache-2.0 */
#include "record_text.h"

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

CASE(the_key_to_back_up_to_is_bound)
{
	static const char key[] =
	    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
	static const char *const wrong[] = {
	    "\"\"",
	    "7",
	    "null",
	    "\"00\"",
	    "\"000102030405060708090A0B0C0D0E0F101112131415161718191A"
	    "1B1C1D1E1F\"",
	    "\"g00102030405060708090a0b0c0d0e0f101112131415161718191a"
	    "1b1c1d1e1f\""};
	char text[2048];

	snprintf(text, sizeof text, "%.*s,\"backup\":\"%s\"}", (int)strlen(ENVELOPE) - 1, ENVELOPE,
	         key);
	CHECK_ERR(parse(text), ADY_OK);
	CHECK(rec.has_backup);
	CHECK_HEX(rec.backup, 32, key);
	check_round(text);
	/* as above, and 13: SHA-256 of the key's bytes */
	check_aad("ac00010164"
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
	          "0a00"
	          "0d5820"
	          "630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd");
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		snprintf(text, sizeof text, "%.*s,\"backup\":%s}", (int)strlen(ENVELOPE) - 1,
		         ENVELOPE, wrong[i]);
		check_refused(text, "record.backup");
	}
}

/* Whatever decides is in the additional data: each change of it is another text. */
CASE(each_member_changes_the_additional_data)
{
	uint8_t aad[11][ADY_RECORD_AAD_MAX];
	struct ady_buf b[11];

	CHECK_ERR(parse(ENVELOPE), ADY_OK);
	for (int i = 0; i < 11; i++) {
		struct ady_record changed = rec;

		b[i] = ady_buf(aad[i], sizeof aad[i]);
		changed.allow = i == 1 ? ADY_ALLOW_DIGEST : 0;
		changed.created = i == 2;
		changed.pub[32] ^= i == 3;
		if (i == 4)
			(void)ady_record_add_chain(&changed, 1);
		if (i == 6)
			(void)ady_record_add_caller(&changed, ady_bytes_str("gateway"));
		changed.has_backup = i > 8;
		changed.backup[0] = i == 10;
		if (i == 7 || i == 8)
			ady_record_set_policy(&changed, ady_bytes_str(i == 7 ? "{}" : "{ }"));
		ady_record_bind(&changed);
		ady_record_aad(&b[i], &changed, i == 5 ? "prog" : "prod");
		CHECK(!b[i].full);
		for (int k = 0; k < i; k++)
			CHECK(!ady_bytes_eq(ady_buf_bytes(&b[i]), ady_buf_bytes(&b[k])));
	}
}

/* {.., 10: 0, 12: origin} */
CASE(the_origin_is_bound)
{
	static const char *const bad[] = {"\"\"",           "\"w\"",
	                                  "\"w m\"",        "\"w m/0/*\"",
	                                  "\"w  m/0\"",     "\" m/0\"",
	                                  "\"w m/00\"",     "\"w m/0 \"",
	                                  "\"w\\u0000 m\"", "7",
	                                  "\"w x m/0\"",    "\"w m/12381/3600/2147483648/0\"",
	                                  "\"m/0\"",        "\"w m/2147483648\""};
	uint8_t aad[2][ADY_RECORD_AAD_MAX];
	struct ady_buf with_origin = ady_buf(aad[0], sizeof aad[0]);
	struct ady_buf without = ady_buf(aad[1], sizeof aad[1]);
	char text[1024];

	CHECK_ERR(parse(ENVELOPE), ADY_OK);
	ady_record_aad(&without, &rec, "prod");
	snprintf(text, sizeof text, "%.*s,\"origin\":\"w m/44'/0\"}", (int)strlen(ENVELOPE) - 1,
	         ENVELOPE);
	CHECK_ERR(parse(text), ADY_OK);
	CHECK_STR(rec.origin, "w m/44'/0");
	check_round(text);
	ady_record_aad(&with_origin, &rec, "prod");
	CHECK_INT(with_origin.n, without.n + 11);
	CHECK_INT(aad[0][0], 0xac);
	CHECK(memcmp(aad[0] + 1, aad[1] + 1, without.n - 1) == 0);
	CHECK_HEX(aad[0] + without.n, 11, "0c6977206d2f3434272f30");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(text, sizeof text, "%.*s,\"origin\":%s}", (int)strlen(ENVELOPE) - 1,
		         ENVELOPE, bad[i]);
		check_refused(text, "record.origin");
	}
	check_refused(with("\"origin\":\"w m/0\""), "record.origin");
	check_refused(with("\"words\":12"), "record.words");
}

/* {.., 12: origin, 14: name}; what opens the row is bound by itself. */
CASE(the_row_of_counters_is_bound)
{
	static const char *const bad[] = {"\"\"", "7", "\"00\"", "null"};
	const char *head = ",\"origin\":\"w m/44'/0\"";
	uint8_t aad[2][ADY_RECORD_AAD_MAX];
	struct ady_buf b[2] = {ady_buf(aad[0], sizeof aad[0]), ady_buf(aad[1], sizeof aad[1])};
	char text[1536], digits[190];

	memset(digits, '7', sizeof digits);
	for (int n = 0; n < 190; n++) {
		snprintf(text, sizeof text, "%.*s%s,\"counters\":\"%.*s\"}",
		         (int)strlen(ENVELOPE) - 1, ENVELOPE, head, n, digits);
		if (n != 64 && n != 184) {
			check_refused(text, "record.counters");
			continue;
		}
		CHECK_ERR(parse(text), ADY_OK);
		CHECK(rec.counted);
		CHECK_INT(rec.row_key_n, n == 64 ? 0 : 60);
		check_round(text);
		ady_record_aad(&b[n == 184], &rec, "prod");
	}
	CHECK(ady_bytes_eq(ady_buf_bytes(&b[0]), ady_buf_bytes(&b[1])));
	CHECK_INT(aad[0][0], 0xad);
	CHECK_HEX(aad[0] + b[0].n - 35, 5, "0e58207777");
	digits[5] = 'A';
	snprintf(text, sizeof text, "%.*s%s,\"counters\":\"%.64s\"}", (int)strlen(ENVELOPE) - 1,
	         ENVELOPE, head, digits);
	check_refused(text, "record.counters");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(text, sizeof text, "%.*s%s,\"counters\":%s}", (int)strlen(ENVELOPE) - 1,
		         ENVELOPE, head, bad[i]);
		check_refused(text, "record.counters");
	}
	digits[5] = '7';
	snprintf(text, sizeof text, "%.*s,\"counters\":\"%.64s\"}", (int)strlen(ENVELOPE) - 1,
	         ENVELOPE, digits);
	check_refused(text, "record.counters");
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

int main(void)
{
	RUN(the_envelope_form);
	RUN(the_key_to_back_up_to_is_bound);
	RUN(each_member_changes_the_additional_data);
	RUN(the_origin_is_bound);
	RUN(the_row_of_counters_is_bound);
	RUN(wrong_envelopes);
	RUN(the_context_of_data_keys);
	return test_end();
}
