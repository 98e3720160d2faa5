/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests for keys of a wallet, and what their records say. */
#include "signer/derive.h"

#include "test.h"

#define KEY "ed25519:00000000000000000000000000000000000000000000000000000000000000aa"
#define OTHER "ed25519:00000000000000000000000000000000000000000000000000000000000000bb"

static struct ady_json_tok toks[512];
static struct ady_json doc;
static struct ady_derive d;
static struct ady_fault fault;
static struct ady_record wallet, rec;

static enum ady_err read(const char *body)
{
	fault = (struct ady_fault){0};
	return ady_derive_read(&d, &doc, toks, 512, ady_bytes_str(body), &fault);
}

CASE(what_is_left_out)
{
	CHECK_ERR(read("{\"path\":\"m/0\"}"), ADY_OK);
	CHECK(d.curve == ADY_CURVE_SECP256K1 && d.first == 0 && d.count == 1);
	CHECK_INT(d.options.n, 0);
	CHECK_ERR(
	    read("{\"options\":{\"id\":\"a\"},\"count\":1000,\"first\":7,\"curve\":\"bls12-381\","
	         "\"path\":\"m/12381/3600/*/0/0\"}"),
	    ADY_OK);
	CHECK(d.curve == ADY_CURVE_BLS12_381 && d.first == 7 && d.count == 1000);
	CHECK(ady_bytes_is(d.options, "{\"id\":\"a\"}"));
	CHECK_INT(d.path.star, 2);
}

CASE(what_is_refused)
{
	static const struct {
		const char *body;
		enum ady_err err;
		const char *where;
	} rows[] = {
	    {"", ADY_E_JSON, NULL},
	    {"[]", ADY_E_FIELD_INVALID, ""},
	    {"{}", ADY_E_FIELD_MISSING, "path"},
	    {"{\"path\":\"m/0\",\"path\":\"m/0\"}", ADY_E_JSON_DUPLICATE, NULL},
	    {"{\"path\":\"m/0\",\"x\":1}", ADY_E_FIELD_UNKNOWN, "x"},
	    {"{\"path\":7}", ADY_E_FIELD_INVALID, "path"},
	    {"{\"path\":\"m\"}", ADY_E_FIELD_INVALID, "path"},
	    {"{\"path\":\"m/0/0/0/0/0/0/0/0/0/0000000000000000000000000000000000000000000000000000"
	     "00000000000000000000000000000000000000000000000000000000\"}",
	     ADY_E_FIELD_INVALID, "path"},
	    {"{\"path\":\"m/0\",\"curve\":\"ed25519\"}", ADY_E_FIELD_INVALID, "path"},
	    {"{\"path\":\"m/0\",\"curve\":\"bls12-381\"}", ADY_E_FIELD_INVALID, "path"},
	    {"{\"path\":\"m/0\",\"curve\":\"wallet\"}", ADY_E_FIELD_INVALID, "curve"},
	    {"{\"path\":\"m/0\",\"curve\":0}", ADY_E_FIELD_INVALID, "curve"},
	    {"{\"path\":\"m/*\",\"count\":0}", ADY_E_FIELD_INVALID, "count"},
	    {"{\"path\":\"m/*\",\"count\":1001}", ADY_E_FIELD_INVALID, "count"},
	    {"{\"path\":\"m/*\",\"count\":\"1\"}", ADY_E_FIELD_INVALID, "count"},
	    {"{\"path\":\"m/*\",\"first\":-1}", ADY_E_FIELD_INVALID, "first"},
	    {"{\"path\":\"m/*\",\"first\":2147483647,\"count\":2}", ADY_E_FIELD_RANGE, "first"},
	    {"{\"path\":\"m/*\",\"first\":2147483648}", ADY_E_FIELD_RANGE, "first"},
	    {"{\"path\":\"m/0\",\"count\":2}", ADY_E_FIELD_RANGE, "path"},
	    {"{\"path\":\"m/0\",\"first\":1}", ADY_E_FIELD_RANGE, "path"},
	    {"{\"path\":\"m/0\",\"options\":\"{}\"}", ADY_E_FIELD_INVALID, "options"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (!CHECK_ERR(read(rows[i].body), rows[i].err) ||
		    (rows[i].where && !CHECK_STR(fault.where, rows[i].where)))
			printf("# %s\n", rows[i].body);
}

static enum ady_err derive(const char *wallet_options, const char *options)
{
	static char body[1024];

	CHECK_ERR(ady_record_begin(&wallet, ADY_CURVE_WALLET, ady_bytes_str("team"),
	                           ady_bytes_str(wallet_options), &fault),
	          ADY_OK);
	memcpy(wallet.data_key, "blob", 4);
	wallet.data_key_n = 4;
	snprintf(body, sizeof body, "{\"path\":\"m/44'/*\",\"options\":%s}", options);
	CHECK_ERR(read(body), ADY_OK);
	return ady_derive_record(&rec, &d, &wallet, toks, 512, &fault);
}

/* Without a stamp nobody gives a key other rights than its wallet has. */
CASE(a_key_has_the_rights_of_its_wallet)
{
	static const char full[] =
	    "{\"id\":\"w\",\"allow\":[\"digest\"],\"chains\":[1,10],\"callers\":["
	    "\"gateway\",\"" KEY "\"],\"policy\":{\"policy\":1}}";
	static const char *const more[][2] = {
	    {"\"allow\":[\"unprotected\"]", "allow"},
	    {"\"chains\":[1]", "chains"},
	    {"\"callers\":[\"gateway\"]", "callers"},
	    {"\"policy\":{}", "policy"},
	    {"\"backup\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
	     "backup"},
	};
	char options[120];

	CHECK_ERR(derive(full, "{\"id\":\"k\"}"), ADY_OK);
	CHECK(rec.envelope && rec.curve == ADY_CURVE_SECP256K1 && rec.allow == ADY_ALLOW_DIGEST);
	CHECK(rec.chains_n == 2 && rec.chains[1] == 10);
	CHECK_STR(rec.callers_text, "gateway," KEY);
	CHECK(ady_bytes_is(rec.policy, "{\"policy\":1}"));
	CHECK(memcmp(rec.policy_hash, wallet.policy_hash, 32) == 0);
	CHECK_STR(rec.tenant, "team");
	CHECK(ady_bytes_is(ady_bytes(rec.data_key, rec.data_key_n), "blob"));
	for (int i = 0; i < 5; i++) {
		snprintf(options, sizeof options, "{\"id\":\"k\",%s}", more[i][0]);
		CHECK_ERR(derive("{\"id\":\"w\"}", options), ADY_E_DENIED);
		CHECK_STR(fault.where, more[i][1]);
		CHECK_ERR(derive(full, options), ADY_E_DENIED);
		CHECK_STR(fault.where, more[i][1]);
	}
}

/* Where a caller's stamp is needed, it is over the options. */
CASE(who_stamps_may_say_more)
{
	static const char stamped[] =
	    "{\"id\":\"w\",\"allow\":[\"digest\"],\"chains\":[1],\"callers\":[\"" KEY "\"]}";

	CHECK_ERR(derive(stamped, "{\"id\":\"k\",\"chains\":[10]}"), ADY_OK);
	CHECK(rec.chains_n == 1 && rec.chains[0] == 10 && rec.allow == ADY_ALLOW_DIGEST);
	CHECK_STR(rec.callers_text, KEY);
	CHECK_ERR(derive(stamped, "{\"id\":\"k\",\"callers\":[\"" OTHER "\"],\"policy\":{}}"),
	          ADY_OK);
	CHECK_STR(rec.callers_text, OTHER);
	CHECK(ady_bytes_is(rec.policy, "{}"));
	CHECK_ERR(derive(stamped,
	                 "{\"id\":\"k\",\"backup\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	                 "aaaaaaaaaaaaaaaaaaaaaaaaaa\"}"),
	          ADY_OK);
	CHECK(rec.has_backup);
}

CASE(other_options)
{
	char options[300];

	CHECK_ERR(derive("{\"id\":\"w\"}", "{}"), ADY_E_FIELD_MISSING);
	CHECK_STR(fault.where, "id");
	CHECK_ERR(derive("{\"id\":\"w\"}", "{\"id\":\"k\",\"tenant\":\"other\"}"),
	          ADY_E_FIELD_INVALID);
	CHECK_ERR(derive("{\"id\":\"w\"}", "{\"id\":\"k\",\"curve\":\"ed25519\"}"),
	          ADY_E_FIELD_INVALID);
	CHECK_ERR(derive("{\"id\":\"w\"}", "{\"id\":\"k\",\"words\":12}"), ADY_E_FIELD_INVALID);
	CHECK_ERR(derive("{\"id\":\"w\"}", "{\"id\":\"k\",\"origin\":\"w m/0\"}"),
	          ADY_E_FIELD_UNKNOWN);
	snprintf(options, sizeof options, "{\"id\":\"%0246d\"}", 0);
	CHECK_ERR(derive("{\"id\":\"w\"}", options), ADY_E_FIELD_INVALID);
	CHECK_STR(fault.where, "id");
	snprintf(options, sizeof options, "{\"id\":\"%0245d\"}", 0);
	CHECK_ERR(derive("{\"id\":\"w\"}", options), ADY_OK);
	ady_derive_number(&rec, &d, &wallet, 2147483647);
	CHECK_INT(strlen(rec.id), 255);
	CHECK_STR(rec.origin, "w m/44'/2147483647");
}

CASE(ids)
{
	CHECK_ERR(derive("{\"id\":\"w\"}", "{\"id\":\"k\"}"), ADY_OK);
	ady_derive_number(&rec, &d, &wallet, 10);
	CHECK_STR(rec.id, "k10");
	ady_derive_number(&rec, &d, &wallet, 9);
	CHECK_STR(rec.id, "k9");
	CHECK_STR(rec.origin, "w m/44'/9");
	CHECK_ERR(read("{\"path\":\"m/44'/3\",\"options\":{\"id\":\"k\"}}"), ADY_OK);
	CHECK_ERR(ady_derive_record(&rec, &d, &wallet, toks, 512, &fault), ADY_OK);
	ady_derive_number(&rec, &d, &wallet, 0);
	CHECK_STR(rec.id, "k");
	CHECK_STR(rec.origin, "w m/44'/3");
}

int main(void)
{
	RUN(what_is_left_out);
	RUN(what_is_refused);
	RUN(a_key_has_the_rights_of_its_wallet);
	RUN(who_stamps_may_say_more);
	RUN(other_options);
	RUN(ids);
	return test_end();
}
