/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/sign.h"

#include "base/text.h"
#include <pthread.h>

#include "test.h"

#define TO "\"to\":\"0x3535353535353535353535353535353535353535\""
#define EIP155                                                                 \
	"\"chainId\":1,\"nonce\":9,\"gas\":21000,\"gasPrice\":20000000000," TO \
	",\"value\":\"1000000000000000000\""
#define NATIVE "{\"transaction\":{" EIP155 "}}"
#define RAW                                                                                        \
	"f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025" \
	"a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb7" \
	"03304b3800ccf555c9f3dc64214b297fb1966a3b6d83"
#define HEX46 "4646464646464646464646464646464646464646464646464646464646464646"
#define FROM "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f"
#define PUB46 "0x024bc2a31265153f07e70e0bab08724e6b85e217f8cd628ceb62974247bb493382"

static struct ady_json_tok toks[ADY_DUTY_TOKENS];
static struct ady_sign_job job = {.toks = toks};
static struct ady_secp *secp;
static struct ady_fault fault;
static struct ady_wire_signed answer;

static enum ady_err prepare(enum ady_wire_form form, const char *record, const char *request)
{
	struct ady_wire_sign m = {.form = form,
	                          .key_id = ady_bytes_str("k1"),
	                          .record = ady_bytes_str(record),
	                          .request = ady_bytes_str(request)};

	fault = (struct ady_fault){0};
	return ady_sign_prepare(&job, &m, &fault);
}

static enum ady_err finish(const char *plaintext)
{
	fault = (struct ady_fault){0};
	return ady_sign_finish(&job, secp, ady_bytes_str(plaintext), &answer, &fault);
}

static void check_answer(void)
{
	CHECK_HEX(answer.raw.p, answer.raw.n, RAW);
	CHECK_HEX(answer.hash.p, answer.hash.n,
	          "33469b22e9f636356c4160a87eb19df52b7412e8eac32a4a55ffe88ea8350788");
	CHECK_HEX(answer.from.p, answer.from.n, FROM);
	CHECK_HEX(answer.r.p, answer.r.n,
	          "28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276");
	CHECK_HEX(answer.s.p, answer.s.n,
	          "67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83");
	CHECK_INT(answer.y_parity, 0);
}

CASE(the_native_request)
{
	CHECK_ERR(prepare(ADY_FORM_NATIVE, "AQID", NATIVE), ADY_OK);
	CHECK_HEX(job.record.ciphertext, job.record.ciphertext_n, "010203");
	CHECK_HEX(job.digest, 32,
	          "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53");
	CHECK_ERR(finish(HEX46), ADY_OK);
	check_answer();
}

CASE(without_the_check_of_the_signature)
{
	job.skip_verify = true;
	CHECK_ERR(prepare(ADY_FORM_NATIVE, "AQID", NATIVE), ADY_OK);
	CHECK(job.skip_verify);
	CHECK_ERR(finish(HEX46), ADY_OK);
	check_answer();
	job.skip_verify = false;
}

/* The AWS sample's request: value in ether, the rest integers. */
CASE(the_request_of_the_sample)
{
	static const char request[] =
	    "{\"transaction_payload\":{\"value\":0.01,"
	    "\"to\":\"0xa5D3241A1591061F2a4bB69CA0215F66520E67cf\",\"nonce\":0,\"type\":2,"
	    "\"chainId\":4,\"gas\":100000,\"maxFeePerGas\":100000000000,"
	    "\"maxPriorityFeePerGas\":3000000000},\"secret_id\":\"arn:aws:secretsmanager:x\"}";
	struct ady_bytes value;

	CHECK_ERR(prepare(ADY_FORM_SAMPLE, "AQID", request), ADY_OK);
	CHECK_INT(job.tx.type, ADY_ETH_DYNAMIC_FEE);
	value = ady_u256_minimal(&job.tx.value);
	CHECK_HEX(value.p, value.n, "2386f26fc10000");
	CHECK_ERR(finish(HEX46), ADY_OK);
	CHECK_INT(answer.raw.p[0], 2);
	CHECK_HEX(answer.from.p, answer.from.n, FROM);
}

CASE(request_shapes_are_refused)
{
	static const struct {
		enum ady_wire_form form;
		const char *request;
		enum ady_err err;
		const char *where;
	} rows[] = {
	    {ADY_FORM_NATIVE, "", ADY_E_JSON, NULL},
	    {ADY_FORM_NATIVE, "{\"transaction\":{}} ,", ADY_E_JSON, NULL},
	    {ADY_FORM_NATIVE, "[]", ADY_E_FIELD_INVALID, ""},
	    {ADY_FORM_NATIVE, "\"x\"", ADY_E_FIELD_INVALID, ""},
	    {ADY_FORM_NATIVE, "{}", ADY_E_FIELD_MISSING, "transaction"},
	    {ADY_FORM_NATIVE, "{\"transaction\":null}", ADY_E_FIELD_INVALID, "transaction"},
	    {ADY_FORM_NATIVE, "{\"transaction\":{}}", ADY_E_FIELD_MISSING, "transaction.chainId"},
	    {ADY_FORM_NATIVE, "{\"transaction\":{" EIP155 "},\"secret_id\":\"k\"}",
	     ADY_E_FIELD_UNKNOWN, "secret_id"},
	    {ADY_FORM_NATIVE, "{\"transaction_payload\":{" EIP155 "},\"secret_id\":\"k\"}",
	     ADY_E_FIELD_UNKNOWN, "transaction_payload"},
	    {ADY_FORM_NATIVE, "{\"transaction\":{" EIP155 "},\"\\u0000\":1}", ADY_E_FIELD_UNKNOWN,
	     "\\u0000"},
	    {ADY_FORM_NATIVE, "{\"transaction\":{" EIP155 "},\"message\":{\"text\":\"a\"}}",
	     ADY_E_FIELD_INVALID, "message"},
	    {ADY_FORM_NATIVE, "{\"message\":{\"text\":\"a\"},\"version\":\"V4\"}",
	     ADY_E_FIELD_UNKNOWN, "version"},
	    {ADY_FORM_NATIVE, "{\"typed_data\":{},\"version\":\"V1\"}", ADY_E_FIELD_INVALID,
	     "version"},
	    {ADY_FORM_NATIVE, "{\"typed_data\":{},\"version\":4}", ADY_E_FIELD_INVALID, "version"},
	    {ADY_FORM_NATIVE, "{\"typed_data\":{}}", ADY_E_FIELD_MISSING, "typed_data.types"},
	    {ADY_FORM_SAMPLE, "{\"message\":{\"text\":\"a\"},\"secret_id\":\"k\"}",
	     ADY_E_FIELD_UNKNOWN, "message"},
	    {ADY_FORM_SAMPLE, NATIVE, ADY_E_FIELD_UNKNOWN, "transaction"},
	    {ADY_FORM_SAMPLE, "{\"transaction_payload\":{" EIP155 "}}", ADY_E_FIELD_MISSING,
	     "secret_id"},
	    {ADY_FORM_SAMPLE, "{\"transaction_payload\":{" EIP155 "},\"secret_id\":7}",
	     ADY_E_FIELD_INVALID, "secret_id"},
	    {ADY_FORM_SAMPLE, "{\"secret_id\":\"k\"}", ADY_E_FIELD_MISSING, "transaction_payload"},
	    {ADY_FORM_SAMPLE,
	     "{\"transaction_payload\":{" EIP155 "},\"secret_id\":\"k\",\"credential\":{}}",
	     ADY_E_FIELD_UNKNOWN, "credential"},
	    {ADY_FORM_SAMPLE, "{\"transaction_payload\":{\"v\":1},\"secret_id\":\"k\"}",
	     ADY_E_FIELD_UNKNOWN, "transaction_payload.v"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (!CHECK_ERR(prepare(rows[i].form, "AQID", rows[i].request), rows[i].err) ||
		    (rows[i].where && !CHECK_STR(fault.where, rows[i].where)))
			printf("# %s\n", rows[i].request);
		CHECK(fault.detail[0] != '\0');
	}
	CHECK_ERR(prepare(ADY_FORM_NATIVE, "?", NATIVE), ADY_E_RECORD);
}

#define RECORD_WITH(more)                                                       \
	"{\"adyton\":1,\"wrapping\":\"direct\",\"id\":\"k1\",\"tenant\":\"t\"," \
	"\"curve\":\"secp256k1\",\"public_key\":\"" PUB46 "\",\"ciphertext\":\"AQID\"" more "}"

/* What is no transaction has no raw bytes, and the hash is the digest that was signed. */
static void check_digest(const char *record, const char *request, const char *digest)
{
	uint8_t pub65[65], address[20];

	if (!CHECK_ERR(prepare(ADY_FORM_NATIVE, record, request), ADY_OK) ||
	    !CHECK_ERR(finish(HEX46), ADY_OK)) {
		printf("# %s: %s %s\n", request, fault.where, fault.detail);
		return;
	}
	CHECK_INT(answer.raw.n, 0);
	CHECK_HEX(answer.hash.p, answer.hash.n, digest);
	CHECK_HEX(answer.from.p, answer.from.n, FROM);
	CHECK_ERR(ady_secp_recover(secp, pub65, &job.sig, answer.hash.p), ADY_OK);
	ady_eth_address(address, pub65);
	CHECK_HEX(address, 20, FROM);
}

CASE(what_is_no_transaction)
{
	/* as ethers 6 has them */
	check_digest("AQID", "{\"message\":{\"text\":\"hello\"}}",
	             "50b2c43fd39106bafbba0da34fc430e1f91e3c96ea2acee2bc34119f92b37750");
	check_digest(RECORD_WITH(""), "{\"message\":{\"hex\":\"0x68656c6c6f\"}}",
	             "50b2c43fd39106bafbba0da34fc430e1f91e3c96ea2acee2bc34119f92b37750");
	check_digest("AQID",
	             "{\"typed_data\":{\"types\":{},\"primaryType\":\"EIP712Domain\","
	             "\"domain\":{\"name\":\"n\"}},\"version\":\"V3\"}",
	             "b3359bd91653ff2b3baa962f3e5fe12d910af1240a274f5fa63e104a0972971d");
	check_digest("AQID",
	             "{\"authorization\":{\"chainId\":1,"
	             "\"address\":\"0x3535353535353535353535353535353535353535\",\"nonce\":9}}",
	             "bffa647fd03199983f0ef49df243626691735c177799506b29e82c9b8a6ff914");
	check_digest("AQID",
	             "{\"validator_data\":{\"address\":"
	             "\"0x3535353535353535353535353535353535353535\",\"data\":\"0x\"}}",
	             "e83a21bbbe03aacd72814f0030188bd2996d96abda6508a562fb8d469287ecba");
	/* a transaction after it is one again */
	CHECK_ERR(prepare(ADY_FORM_NATIVE, "AQID", NATIVE), ADY_OK);
	CHECK_ERR(finish(HEX46), ADY_OK);
	check_answer();
}

#define DIGEST "5555555555555555555555555555555555555555555555555555555555555555"

CASE(digests_only_where_the_record_allows_them)
{
	static const char request[] = "{\"digest\":\"0x" DIGEST "\"}";

	CHECK_ERR(prepare(ADY_FORM_NATIVE, RECORD_WITH(""), request), ADY_E_DENIED);
	CHECK_STR(fault.where, "digest");
	CHECK(strstr(fault.detail, "does not allow raw digests") != NULL);
	CHECK_ERR(prepare(ADY_FORM_NATIVE, "AQID", request), ADY_E_DENIED);
	check_digest(RECORD_WITH(",\"allow\":[\"digest\"]"), request, DIGEST);
	CHECK_ERR(prepare(ADY_FORM_NATIVE, RECORD_WITH(",\"allow\":[\"digest\"]"),
	                  "{\"digest\":\"0x55\"}"),
	          ADY_E_FIELD_INVALID);
	CHECK_STR(fault.where, "digest");
	CHECK_ERR(prepare(ADY_FORM_SAMPLE, RECORD_WITH(",\"allow\":[\"digest\"]"), request),
	          ADY_E_FIELD_UNKNOWN);
}

#define TX2(chain)                                                             \
	"{\"chainId\":" chain ",\"nonce\":0,\"gas\":21000,\"maxFeePerGas\":1," \
	"\"maxPriorityFeePerGas\":1," TO ",\"value\":1}"
#define TYPED(domain) \
	"{\"types\":{},\"primaryType\":\"EIP712Domain\",\"domain\":{\"name\":\"n\"" domain "}}"
#define TUPLE(chain)          \
	"{\"chainId\":" chain \
	",\"address\":\"0x3535353535353535353535353535353535353535\",\"nonce\":9}"

#define UNPROTECTED "{\"transaction\":{\"nonce\":9,\"gas\":21000,\"gasPrice\":1," TO "}}"
#define CHAINS(more) RECORD_WITH(",\"allow\":[\"unprotected\"]" more)

/* "chains" of a record holds for all that names a chain; 0 in an authorization means all of them.
 */
CASE(only_the_chains_of_the_record)
{
	static const struct {
		enum ady_wire_form form;
		const char *good, *bad, *where;
	} rows[] = {
	    {ADY_FORM_NATIVE, "{\"transaction\":" TX2("10") "}", "{\"transaction\":" TX2("5") "}",
	     "transaction.chainId"},
	    {ADY_FORM_NATIVE, NATIVE,
	     "{\"transaction\":{\"chainId\":2,\"nonce\":9,\"gas\":21000,\"gasPrice\":1," TO "}}",
	     "transaction.chainId"},
	    {ADY_FORM_SAMPLE, "{\"transaction_payload\":" TX2("1") ",\"secret_id\":\"k\"}",
	     "{\"transaction_payload\":" TX2("11") ",\"secret_id\":\"k\"}",
	     "transaction_payload.chainId"},
	    {ADY_FORM_NATIVE, "{\"typed_data\":" TYPED(",\"chainId\":\"0x1\"") "}",
	     "{\"typed_data\":" TYPED(",\"chainId\":137") "}", "typed_data.domain.chainId"},
	    {ADY_FORM_NATIVE, "{\"typed_data\":" TYPED("") "}",
	     "{\"typed_data\":" TYPED(",\"chainId\":\"0x10000000000000001\"") "}",
	     "typed_data.domain.chainId"},
	    {ADY_FORM_NATIVE, "{\"authorization\":" TUPLE("10") "}",
	     "{\"authorization\":" TUPLE("0") "}", "authorization.chainId"},
	    {ADY_FORM_NATIVE, "{\"message\":{\"text\":\"no chain\"}}",
	     "{\"authorization\":" TUPLE("\"0x10000000000000001\"") "}", "authorization.chainId"},
	};
	const char *record = CHAINS(",\"chains\":[1,10]");

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		CHECK_ERR(prepare(rows[i].form, record, rows[i].good), ADY_OK);
		CHECK_ERR(finish(HEX46), ADY_OK);
		CHECK_ERR(prepare(rows[i].form, CHAINS(""), rows[i].bad), ADY_OK);
		if (!CHECK_ERR(prepare(rows[i].form, record, rows[i].bad), ADY_E_DENIED) ||
		    !CHECK_STR(fault.where, rows[i].where))
			printf("# %s\n", rows[i].bad);
		CHECK(strstr(fault.detail, "none of the chains") != NULL);
	}
}

/* A document may declare its own type of chainId: what is no number is no chain of the record. */
CASE(a_chain_that_is_no_number)
{
	static const char text[] =
	    "{\"typed_data\":{\"types\":{\"EIP712Domain\":[{\"name\":\"chainId\",\"type\":"
	    "\"string\"}]},\"primaryType\":\"EIP712Domain\",\"domain\":{\"chainId\":\"mainnet\"}}}";

	CHECK_ERR(prepare(ADY_FORM_NATIVE, RECORD_WITH(""), text), ADY_OK);
	CHECK_ERR(prepare(ADY_FORM_NATIVE, RECORD_WITH(",\"chains\":[1]"), text), ADY_E_DENIED);
	CHECK_STR(fault.where, "typed_data.domain.chainId");
}

CASE(keys_of_other_curves_sign_no_transaction)
{
	CHECK_ERR(prepare(ADY_FORM_NATIVE,
	                  "{\"adyton\":1,\"wrapping\":\"direct\",\"id\":\"k1\",\"tenant\":\"t\","
	                  "\"curve\":\"bls12-381\",\"public_key\":\"0x8100000000000000"
	                  "0000000000000000" DIGEST "\",\"ciphertext\":\"AQID\"}",
	                  NATIVE),
	          ADY_E_RECORD);
	CHECK_STR(fault.where, "record.curve");
}

CASE(a_job_works_again_after_a_refusal)
{
	CHECK_ERR(prepare(ADY_FORM_NATIVE, "AQID", "{\"transaction\":{\"data\":\"0x1\"}}"),
	          ADY_E_FIELD_MISSING);
	CHECK_ERR(prepare(ADY_FORM_NATIVE, "AQID", NATIVE), ADY_OK);
	CHECK_ERR(finish("0"), ADY_E_KEY_RANGE);
	CHECK(answer.raw.n == 0);
	CHECK_ERR(prepare(ADY_FORM_NATIVE, "AQID", NATIVE), ADY_OK);
	CHECK_ERR(finish(HEX46), ADY_OK);
	check_answer();
}

/* The largest request: data as long as the body allows, in and out. */
CASE(the_largest_request)
{
	static const char head[] = "{\"transaction\":{" EIP155 ",\"data\":\"0x", tail[] = "\"}}";
	size_t room = (ADY_WIRE_REQUEST_MAX - strlen(head) - strlen(tail)) / 2 * 2;
	struct ady_dyn request = {0};

	ady_dyn_str(&request, head);
	memset(ady_dyn_room(&request, room), 'a', room);
	request.n += room;
	ady_dyn_str(&request, tail);
	CHECK_ERR(prepare(ADY_FORM_NATIVE, "AQID", ady_dyn_cstr(&request)), ADY_OK);
	CHECK_INT(job.tx.data.n, room / 2);
	CHECK_ERR(finish(HEX46), ADY_OK);
	CHECK(answer.raw.n > room / 2);
	ady_dyn_str(&request, "  ");
	CHECK_ERR(prepare(ADY_FORM_NATIVE, "AQID", ady_dyn_cstr(&request)), ADY_E_TOO_LARGE);
	ady_dyn_free(&request);
}

CASE(from_must_be_the_key)
{
#define WITH_FROM(digit) \
	"{" EIP155 ",\"from\":\"0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4" digit "\"}"
	static const struct {
		enum ady_wire_form form;
		const char *right, *wrong, *where;
	} rows[] = {
	    {ADY_FORM_NATIVE, "{\"transaction\":" WITH_FROM("f") "}",
	     "{\"transaction\":" WITH_FROM("e") "}", "transaction.from"},
	    {ADY_FORM_SAMPLE, "{\"transaction_payload\":" WITH_FROM("f") ",\"secret_id\":\"k\"}",
	     "{\"transaction_payload\":" WITH_FROM("e") ",\"secret_id\":\"k\"}",
	     "transaction_payload.from"},
	};

	for (size_t i = 0; i < 2; i++) {
		CHECK_ERR(prepare(rows[i].form, "AQID", rows[i].right), ADY_OK);
		CHECK_ERR(finish(HEX46), ADY_OK);
		check_answer();
		CHECK_ERR(prepare(rows[i].form, "AQID", rows[i].wrong), ADY_OK);
		CHECK_ERR(finish(HEX46), ADY_E_FROM);
		CHECK_STR(fault.where, rows[i].where);
		CHECK(answer.raw.n == 0 && answer.r.n == 0);
	}
}

#define RECORD(pub)                                                                       \
	"{\"adyton\":1,\"wrapping\":\"direct\",\"id\":\"k1\",\"tenant\":\"t\",\"curve\":" \
	"\"secp256k1\",\"public_key\":\"" pub "\",\"ciphertext\":\"AQID\"}"

CASE(the_key_must_be_the_records)
{
	CHECK_ERR(prepare(ADY_FORM_NATIVE, RECORD(PUB46), NATIVE), ADY_OK);
	CHECK_ERR(finish(HEX46), ADY_OK);
	check_answer();
	CHECK_ERR(prepare(ADY_FORM_NATIVE, RECORD(PUB46), NATIVE), ADY_OK);
	CHECK_ERR(finish("1"), ADY_E_RECORD_MISMATCH);
	CHECK_STR(fault.where, "record.public_key");
	CHECK(answer.raw.n == 0);
	CHECK_ERR(prepare(ADY_FORM_NATIVE,
	                  RECORD("0x034bc2a31265153f07e70e0bab08724e6b85e217f8cd628ceb62974247bb49"
	                         "3382"),
	                  NATIVE),
	          ADY_OK);
	CHECK_ERR(finish(HEX46), ADY_E_RECORD_MISMATCH);
}

CASE(accepted_key_forms)
{
	static const struct {
		const char *plaintext, *key;
	} rows[] = {
	    {HEX46, HEX46},
	    {"0x" HEX46, HEX46},
	    {HEX46 "\n", HEX46},
	    {"0x" HEX46 "\n", HEX46},
	    {"ABCDEFabcdef000000000000000000000000000000000000000000000000abcd",
	     "abcdefabcdef000000000000000000000000000000000000000000000000abcd"},
	    {"646464646464646464646464646464646464646464646464646464646464646",
	     "0646464646464646464646464646464646464646464646464646464646464646"},
	    {"1", "0000000000000000000000000000000000000000000000000000000000000001"},
	    {"0x1\n", "0000000000000000000000000000000000000000000000000000000000000001"},
	    /* 32 bytes are always the raw key, here the characters themselves */
	    {"00000000000000000000000000000001",
	     "3030303030303030303030303030303030303030303030303030303030303031"},
	    /* and 33 with a newline are hex text */
	    {"00000000000000000000000000000001\n",
	     "0000000000000000000000000000000000000000000000000000000000000001"},
	    /* n - 1 */
	    {"fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140",
	     "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ady_seckey key;

		if (!CHECK_ERR(ady_sign_read_key(&key, secp, ady_bytes_str(rows[i].plaintext)),
		               ADY_OK))
			printf("# %s\n", rows[i].plaintext);
		CHECK_HEX(key.b, 32, rows[i].key);
	}
}

CASE(refused_key_forms)
{
	static const struct {
		const char *plaintext;
		enum ady_err err;
	} rows[] = {
	    {"", ADY_E_KEY_FORM},
	    {"\n", ADY_E_KEY_FORM},
	    {"0x", ADY_E_KEY_FORM},
	    {"0x\n", ADY_E_KEY_FORM},
	    {HEX46 "\n\n", ADY_E_KEY_FORM},
	    {HEX46 "\r\n", ADY_E_KEY_FORM},
	    {" " HEX46, ADY_E_KEY_FORM},
	    {HEX46 " ", ADY_E_KEY_FORM},
	    {"0X" HEX46, ADY_E_KEY_FORM},
	    {"0x0x1", ADY_E_KEY_FORM},
	    {HEX46 "4", ADY_E_KEY_FORM},
	    {"00" HEX46, ADY_E_KEY_FORM},
	    {"464646464646464646464646464646464646464646464646464646464646464g", ADY_E_KEY_FORM},
	    {"{\"key\":\"" HEX46 "\"}", ADY_E_KEY_FORM},
	    {"0", ADY_E_KEY_RANGE},
	    {"0x0000000000000000000000000000000000000000000000000000000000000000", ADY_E_KEY_RANGE},
	    /* n, n + 1 */
	    {"fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", ADY_E_KEY_RANGE},
	    {"fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364142", ADY_E_KEY_RANGE},
	    {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
	     "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
	     ADY_E_KEY_RANGE},
	};
	static const uint8_t zero[33];
	struct ady_seckey key;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (!CHECK_ERR(ady_sign_read_key(&key, secp, ady_bytes_str(rows[i].plaintext)),
		               rows[i].err))
			printf("# %s\n", rows[i].plaintext);
		CHECK(ady_secret_eq_ct(key.b, zero, 32));
		CHECK_ERR(prepare(ADY_FORM_NATIVE, "AQID", NATIVE), ADY_OK);
		CHECK_ERR(finish(rows[i].plaintext), rows[i].err);
		CHECK(answer.raw.n == 0);
		CHECK(!strstr(fault.detail, "46464646"));
	}
	CHECK_ERR(ady_sign_read_key(&key, secp, ady_bytes(zero, 32)), ADY_E_KEY_RANGE);
	CHECK_ERR(ady_sign_read_key(&key, secp, ady_bytes(zero, 31)), ADY_E_KEY_FORM);
	CHECK_ERR(ady_sign_read_key(&key, secp, ady_bytes(zero, 33)), ADY_E_KEY_FORM);
}

/* A stack of our own for one signature, to be searched afterwards for anything that reads like the
 * key: its bytes in either order, 12 in a row, raw or as hex. */
enum { STACK = 256 * 1024, WINDOW = 12 };

static const char searched_key[] =
    "0x9c3b5e7f1a2d4c6b8e0f1133557799bbddff02468ace13579bdf0f1e2d3c4b5a";
static uint8_t stack[STACK] __attribute__((aligned(4096)));

static size_t find(const uint8_t *needle, size_t n)
{
	size_t found = 0;

	for (size_t i = 0; i + n <= STACK; i++)
		found += memcmp(stack + i, needle, n) == 0;
	return found;
}

static size_t traces_of_the_key(void)
{
	const uint8_t *text = (const uint8_t *)searched_key + 2;
	struct ady_bytes key = test_hex(searched_key + 2);
	uint8_t reversed[32];
	size_t found = 0;

	for (size_t i = 0; i < 32; i++)
		reversed[i] = key.p[31 - i];
	for (size_t i = 0; i + WINDOW <= 32; i++)
		found += find(key.p + i, WINDOW) + find(reversed + i, WINDOW);
	for (size_t i = 0; i + WINDOW <= 64; i++)
		found += find(text + i, WINDOW);
	return found;
}

static void *sign_raw(void *key)
{
	CHECK_ERR(ady_sign_finish(&job, secp, ady_bytes(key, 32), &answer, &fault), ADY_OK);
	return NULL;
}

static void *sign_hex(void *unused)
{
	(void)unused;
	CHECK_ERR(finish(searched_key), ADY_OK);
	return NULL;
}

static void *leave_traces(void *unused)
{
	struct ady_bytes key = test_hex(searched_key + 2);
	volatile uint8_t frame[8192]; /* the thread's end uses what lies above */

	(void)unused;
	for (size_t i = 0; i < 32; i++)
		frame[i] = key.p[i];
	CHECK(frame[0] == 0x9c);
	return NULL;
}

static void on_our_stack(void *(*fn)(void *), void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;

	memset(stack, 0, sizeof stack);
	pthread_attr_init(&attr);
	CHECK_INT(pthread_attr_setstack(&attr, stack, sizeof stack), 0);
	CHECK_INT(pthread_create(&thread, &attr, fn, arg), 0);
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attr);
}

CASE(no_trace_of_the_key_stays_on_the_stack)
{
	static uint8_t key[32];

	memcpy(key, test_hex(searched_key + 2).p, 32);
	on_our_stack(leave_traces, NULL);
	CHECK(traces_of_the_key() > 0);
	CHECK_ERR(prepare(ADY_FORM_NATIVE, "AQID", NATIVE), ADY_OK);
	on_our_stack(sign_raw, key);
	CHECK_INT(traces_of_the_key(), 0);
	CHECK_ERR(prepare(ADY_FORM_NATIVE, "AQID", NATIVE), ADY_OK);
	on_our_stack(sign_hex, NULL);
	CHECK_INT(traces_of_the_key(), 0);
	CHECK_ERR(prepare(ADY_FORM_NATIVE, RECORD(PUB46), NATIVE), ADY_OK);
	CHECK_ERR(finish(searched_key), ADY_E_RECORD_MISMATCH);
}

int main(void)
{
	if (ady_secp_open(&secp) != ADY_OK)
		return 1;
	RUN(the_native_request);
	RUN(without_the_check_of_the_signature);
	RUN(the_request_of_the_sample);
	RUN(request_shapes_are_refused);
	RUN(what_is_no_transaction);
	RUN(digests_only_where_the_record_allows_them);
	RUN(only_the_chains_of_the_record);
	RUN(a_chain_that_is_no_number);
	RUN(keys_of_other_curves_sign_no_transaction);
	RUN(a_job_works_again_after_a_refusal);
	RUN(the_largest_request);
	RUN(from_must_be_the_key);
	RUN(the_key_must_be_the_records);
	RUN(accepted_key_forms);
	RUN(refused_key_forms);
	RUN(no_trace_of_the_key_stays_on_the_stack);
	ady_secp_close(secp);
	return test_end();
}
