/* SPDX-License-Identifier: Apache-2.0
 *
 * What an account signs beside transactions: EIP-712's own example, the digests of ethers and
 * eth-sig-util (eth_messages.json, made by gen-eth-messages.mjs), and what is refused, with code
 * and path. */
#include "chain/eth_message.h"

#include <stdlib.h>

#include "base/text.h"

#include "test.h"

static struct ady_json_tok toks[65536];
static uint8_t space[65536], digest[32];
static struct ady_fault fault;

static enum ady_err read_as(const char *kind, const struct ady_json *doc, uint32_t i)
{
	struct ady_buf scratch = ady_buf(space, sizeof space);
	struct ady_eth_reader r = {.doc = doc, .at = "it", .scratch = &scratch, .f = &fault};

	fault = (struct ady_fault){0};
	if (strcmp(kind, "message") == 0)
		return ady_eth_read_message(digest, &r, i);
	if (strcmp(kind, "validator_data") == 0)
		return ady_eth_read_validator_data(digest, &r, i);
	if (strcmp(kind, "authorization") == 0)
		return ady_eth_authorization_digest(digest, &r, i);
	return ady_eip712_digest(digest, &r, i,
	                         strncmp(kind, "V3", 2) == 0 ? ADY_EIP712_V3 : ADY_EIP712_V4,
	                         strstr(kind, "lenient") ? ADY_EIP712_IGNORE : ADY_EIP712_REFUSE);
}

static enum ady_err read_text(const char *kind, const char *json)
{
	struct ady_json doc;

	if (!CHECK_ERR(ady_json_parse(&doc, toks, 65536, ady_bytes_str(json), &fault), ADY_OK))
		return ADY_E_JSON;
	return read_as(kind, &doc, 0);
}

#define PERSON                                                                               \
	"\"Person\":[{\"name\":\"name\",\"type\":\"string\"},{\"name\":\"wallet\",\"type\":" \
	"\"address\"}]"
#define DOMAIN_TYPE                                                                        \
	"\"EIP712Domain\":[{\"name\":\"name\",\"type\":\"string\"},{\"name\":\"version\"," \
	"\"type\":\"string\"},{\"name\":\"chainId\",\"type\":\"uint256\"},"                \
	"{\"name\":\"verifyingContract\",\"type\":\"address\"}]"
#define MAIL_TYPE                                                                                  \
	"\"Mail\":[{\"name\":\"from\",\"type\":\"Person\"},{\"name\":\"to\",\"type\":\"Person\"}," \
	"{\"name\":\"contents\",\"type\":\"string\"}]"
#define REST                                                                                   \
	"\"primaryType\":\"Mail\",\"domain\":{\"name\":\"Ether Mail\",\"version\":\"1\","      \
	"\"chainId\":1,\"verifyingContract\":\"0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC\"}," \
	"\"message\":{\"from\":{\"name\":\"Cow\","                                             \
	"\"wallet\":\"0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826\"},\"to\":{\"name\":\"Bob\"," \
	"\"wallet\":\"0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB\"},"                          \
	"\"contents\":\"Hello, Bob!\"}}"

/* EIP-712, assets/eip-712/Example.js, with the type of its domain and without. */
CASE(the_example_of_eip_712)
{
	static const char *const docs[] = {"{\"types\":{" DOMAIN_TYPE "," PERSON "," MAIL_TYPE
	                                   "}," REST,
	                                   "{\"types\":{" MAIL_TYPE "," PERSON "}," REST};
	static const char *const kinds[] = {"V3", "V4"};

	for (size_t i = 0; i < 4; i++) {
		CHECK_ERR(read_text(kinds[i / 2], docs[i % 2]), ADY_OK);
		CHECK_HEX(digest, 32,
		          "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2");
	}
}

CASE(as_ethers_and_eth_sig_util_have_them)
{
	struct ady_bytes text = test_read_file("tests/unit/chain/eth_messages.json");
	struct ady_json doc;
	unsigned n = 0;

	if (!CHECK(text.p) || !CHECK_ERR(ady_json_parse(&doc, toks, 65536, text, &fault), ADY_OK))
		return;
	for (uint32_t i = ady_json_first(&doc, 0); i; i = ady_json_after(&doc, 0, i), n++) {
		struct ady_bytes want = ady_json_raw(&doc, ady_json_get(&doc, i, "digest"));
		char kind[32], hex[65];
		size_t len;

		CHECK_ERR(
		    ady_json_string(&doc, ady_json_get(&doc, i, "kind"), kind, sizeof kind, &len),
		    ADY_OK);
		CHECK(ady_bytes_to_str(hex, sizeof hex, ady_bytes_sub(want, 2, 64)));
		if (!CHECK_ERR(read_as(kind, &doc, ady_json_get(&doc, i, "value")), ADY_OK) ||
		    !CHECK_HEX(digest, 32, hex))
			printf("# %u, %s: %s %s\n", n, kind, fault.where, fault.detail);
	}
	CHECK(n > 60);
	free((void *)(uintptr_t)text.p);
}

struct row {
	const char *kind, *json;
	enum ady_err err;
	const char *where;
};

static void check_row(const struct row *row)
{
	if (!CHECK_ERR(read_text(row->kind, row->json), row->err) ||
	    !CHECK_STR(fault.where, row->where))
		printf("# %s: %s %s\n", row->json, fault.where, fault.detail);
	CHECK_ERR(fault.err, row->err);
	CHECK(fault.detail[0] != '\0');
}

CASE(messages_that_are_refused)
{
	static const struct row rows[] = {
	    {"message", "[]", ADY_E_FIELD_INVALID, "it"},
	    {"message", "{}", ADY_E_FIELD_MISSING, "it"},
	    {"message", "{\"text\":\"\",\"hex\":\"0x\"}", ADY_E_FIELD_INVALID, "it"},
	    {"message", "{\"text\":1}", ADY_E_FIELD_INVALID, "it.text"},
	    {"message", "{\"hex\":\"00\"}", ADY_E_FIELD_INVALID, "it.hex"},
	    {"message", "{\"data\":\"0x\"}", ADY_E_FIELD_UNKNOWN, "it.data"},
	    {"validator_data", "{\"data\":\"0x\"}", ADY_E_FIELD_MISSING, "it.address"},
	    {"validator_data", "{\"address\":\"0x\",\"data\":\"0x\"}", ADY_E_FIELD_INVALID,
	     "it.address"},
	    {"authorization", "{}", ADY_E_FIELD_MISSING, "it.chainId"},
	    {"authorization", "{\"chainId\":1,\"r\":1}", ADY_E_FIELD_UNKNOWN, "it.r"},
	    {"authorization",
	     "{\"chainId\":1,\"address\":\"0x3535353535353535353535353535353535353535\","
	     "\"nonce\":18446744073709551615}",
	     ADY_E_FIELD_RANGE, "it.nonce"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		check_row(&rows[i]);
}

/* A type of one member of that type, and a value for it. */
struct value_row {
	const char *type, *value;
	enum ady_err err;
	const char *where;
};

static enum ady_err read_value(const struct value_row *row)
{
	char json[1024];

	snprintf(json, sizeof json,
	         "{\"types\":{\"T\":[{\"name\":\"v\",\"type\":\"%s\"}]},\"primaryType\":\"T\","
	         "\"domain\":{},\"message\":{\"v\":%s}}",
	         row->type, row->value);
	return read_text("V4", json);
}

/* The same digest with members that no type names, at every level; without the leave to ignore them
 * each is refused. */
CASE(members_that_no_type_names)
{
#define TYPES "{\"types\":{\"EIP712Domain\":[]," PERSON "},\"primaryType\":\"Person\",\"domain\":"
	static const char plain[] = TYPES "{},\"message\":{\"name\":\"Cow\",\"wallet\":"
	                                  "\"0xcd2a3d9f938e13cd947ec05abc7fe734df8dd826\"}}";
	static const struct row rows[] = {
	    {"V4",
	     TYPES "{\"x\":1},\"message\":{\"name\":\"Cow\",\"wallet\":"
	           "\"0xcd2a3d9f938e13cd947ec05abc7fe734df8dd826\"}}",
	     ADY_E_FIELD_UNKNOWN, "it.domain.x"},
	    {"V3",
	     TYPES "{},\"message\":{\"name\":\"Cow\",\"x\":{\"y\":[null]},\"wallet\":"
	           "\"0xcd2a3d9f938e13cd947ec05abc7fe734df8dd826\"}}",
	     ADY_E_FIELD_UNKNOWN, "it.message.x"},
	};
	static const char missing[] = TYPES "{},\"message\":{\"name\":\"Cow\",\"Wallet\":"
	                                    "\"0xcd2a3d9f938e13cd947ec05abc7fe734df8dd826\"}}";
	uint8_t want[32];

	CHECK_ERR(read_text("V4", plain), ADY_OK);
	memcpy(want, digest, sizeof want);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		check_row(&rows[i]);
		CHECK_ERR(read_text("V4 lenient", rows[i].json), ADY_OK);
		CHECK(memcmp(want, digest, sizeof want) == 0);
		CHECK_ERR(read_text("V3 lenient", rows[i].json), ADY_OK);
		CHECK(memcmp(want, digest, sizeof want) == 0);
	}
	check_row(&(struct row){"V4 lenient", missing, ADY_E_FIELD_MISSING, "it.message.wallet"});
}

#define VALUE "it.message.v"
#define TYPE "it.types.T[0].type"

CASE(values_and_types_that_are_refused)
{
	static const struct value_row rows[] = {
	    {"address", "\"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD\"", ADY_E_CHECKSUM, VALUE},
	    {"address", "\"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeA\"", ADY_E_FIELD_INVALID, VALUE},
	    {"address", "0", ADY_E_FIELD_INVALID, VALUE},
	    {"bool", "1", ADY_E_FIELD_INVALID, VALUE},
	    {"bool", "\"true\"", ADY_E_FIELD_INVALID, VALUE},
	    {"uint8", "256", ADY_E_FIELD_RANGE, VALUE},
	    {"uint8", "-1", ADY_E_FIELD_RANGE, VALUE},
	    {"uint8", "1e1", ADY_E_FIELD_INVALID, VALUE},
	    {"uint8", "\"\"", ADY_E_FIELD_INVALID, VALUE},
	    {"uint8", "\"-\"", ADY_E_FIELD_INVALID, VALUE},
	    {"uint8", "\"--1\"", ADY_E_FIELD_INVALID, VALUE},
	    {"uint8", "null", ADY_E_FIELD_INVALID, VALUE},
	    {"uint256", "\"0x10000000000000000000000000000000000000000000000000000000000000000\"",
	     ADY_E_FIELD_RANGE, VALUE},
	    {"uint256",
	     "115792089237316195423570985008687907853269984665640564039457584007913129639936",
	     ADY_E_FIELD_RANGE, VALUE},
	    {"int8", "128", ADY_E_FIELD_RANGE, VALUE},
	    {"int8", "-129", ADY_E_FIELD_RANGE, VALUE},
	    {"int256", "\"-0x8000000000000000000000000000000000000000000000000000000000000001\"",
	     ADY_E_FIELD_RANGE, VALUE},
	    {"bytes4", "\"0x000102\"", ADY_E_FIELD_INVALID, VALUE},
	    {"bytes4", "\"0x0001020304\"", ADY_E_FIELD_INVALID, VALUE},
	    {"bytes", "\"0x0\"", ADY_E_FIELD_INVALID, VALUE},
	    {"bytes", "\"text\"", ADY_E_FIELD_INVALID, VALUE},
	    {"string", "7", ADY_E_FIELD_INVALID, VALUE},
	    {"bool[]", "true", ADY_E_FIELD_INVALID, VALUE},
	    {"bool[2]", "[true]", ADY_E_FIELD_INVALID, VALUE},
	    {"bool[][2]", "[[true],[true,0]]", ADY_E_FIELD_INVALID, VALUE "[1][1]"},
	    {"T", "{\"v\":{\"v\":1}}", ADY_E_FIELD_INVALID, VALUE ".v.v"},
	    {"T", "{\"v\":null,\"w\":1}", ADY_E_FIELD_UNKNOWN, VALUE ".w"},
	    {"T[]", "[{\"v\":[{}]}]", ADY_E_FIELD_MISSING, VALUE "[0].v[0].v"},
	    {"uint", "1", ADY_E_FIELD_INVALID, TYPE},
	    {"int", "1", ADY_E_FIELD_INVALID, TYPE},
	    {"uint0", "1", ADY_E_FIELD_INVALID, TYPE},
	    {"uint08", "1", ADY_E_FIELD_INVALID, TYPE},
	    {"uint7", "1", ADY_E_FIELD_INVALID, TYPE},
	    {"uint264", "1", ADY_E_FIELD_INVALID, TYPE},
	    {"bytes0", "1", ADY_E_FIELD_INVALID, TYPE},
	    {"bytes33", "1", ADY_E_FIELD_INVALID, TYPE},
	    {"U", "1", ADY_E_FIELD_INVALID, TYPE},
	    {"", "1", ADY_E_FIELD_INVALID, TYPE},
	    {"[]", "1", ADY_E_FIELD_INVALID, TYPE},
	    {"bool[0]", "1", ADY_E_FIELD_INVALID, TYPE},
	    {"bool[01]", "1", ADY_E_FIELD_INVALID, TYPE},
	    {"bool[", "1", ADY_E_FIELD_INVALID, TYPE},
	    {"bool[]x", "1", ADY_E_FIELD_INVALID, TYPE},
	    {"bool[1000000000]", "1", ADY_E_FIELD_INVALID, TYPE},
	    {"\\u0062ool", "1", ADY_E_FIELD_INVALID, TYPE},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (!CHECK_ERR(read_value(&rows[i]), rows[i].err) ||
		    !CHECK_STR(fault.where, rows[i].where))
			printf("# %s %s: %s\n", rows[i].type, rows[i].value, fault.detail);
		CHECK(fault.detail[0] != '\0');
	}
}

CASE(limits_of_values_are_inclusive)
{
	static const struct value_row rows[] = {
	    {"uint8", "255", ADY_OK, NULL},
	    {"uint8", "\"-0\"", ADY_OK, NULL},
	    {"int8", "-128", ADY_OK, NULL},
	    {"int8", "\"-0x80\"", ADY_OK, NULL},
	    {"int8", "127", ADY_OK, NULL},
	    {"int256", "\"-0x8000000000000000000000000000000000000000000000000000000000000000\"",
	     ADY_OK, NULL},
	    {"bool[999999999][]", "[]", ADY_OK, NULL},
	    {"bytes1", "\"0xff\"", ADY_OK, NULL},
	    {"T", "null", ADY_OK, NULL},
	    {"T", "{}", ADY_OK, NULL},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		CHECK_ERR(read_value(&rows[i]), rows[i].err);
}

/* Many absent members take little text: their number is what is limited. */
CASE(work_is_limited)
{
	static uint8_t text[65536];
	struct ady_buf b = ady_buf(text, sizeof text - 1);

	ady_buf_str(&b, "{\"types\":{\"T\":[");
	for (unsigned i = 0; i < 400; i++)
		ady_buf_printf(&b, "%s{\"name\":\"a%u\",\"type\":\"T\"}", i ? "," : "", i);
	ady_buf_str(&b, "],\"L\":[{\"name\":\"l\",\"type\":\"T[]\"}]},\"primaryType\":\"L\","
	                "\"domain\":{},\"message\":{\"l\":[{}");
	for (unsigned i = 0; i < 1000; i++)
		ady_buf_str(&b, ",{}");
	ady_buf_str(&b, "]}}");
	CHECK(!b.full);
	CHECK_ERR(read_text("V4", (const char *)text), ADY_E_TOO_LARGE);
	CHECK_STR(fault.where, "it.message.l[10]");
}

/* 63 structs of that much text that need each other in a circle, and a value of each. */
static void put_circle(struct ady_buf *b, unsigned name)
{
	static uint8_t letters[8192];

	memset(letters, 'n', sizeof letters);
	ady_buf_str(b, "{\"types\":{\"P\":[");
	for (unsigned i = 0; i < 63; i++)
		ady_buf_printf(b, "%s{\"name\":\"a%u\",\"type\":\"T%u\"}", i ? "," : "", i, i);
	ady_buf_str(b, "]");
	for (unsigned i = 0; i < 63; i++) {
		ady_buf_printf(b, ",\"T%u\":[{\"name\":\"", i);
		ady_buf_put(b, letters, name);
		ady_buf_printf(b, "\",\"type\":\"T%u\"}]", (i + 1) % 63);
	}
	ady_buf_str(b, "},\"primaryType\":\"P\",\"domain\":{},\"message\":{");
	for (unsigned i = 0; i < 63; i++)
		ady_buf_printf(b, "%s\"a%u\":{}", i ? "," : "", i);
	ady_buf_str(b, "}}");
}

/* Each type's hash is of all types' text: 64 times 3.7 kB is signed, 64 times 63 kB is refused. */
CASE(text_of_types_is_limited)
{
	static uint8_t text[131072];
	struct ady_buf b = ady_buf(text, sizeof text - 1);

	put_circle(&b, 50);
	text[b.n] = '\0';
	CHECK_ERR(read_text("V4", (const char *)text), ADY_OK);
	b.n = 0;
	put_circle(&b, 1000);
	text[b.n] = '\0';
	CHECK_ERR(read_text("V4", (const char *)text), ADY_E_TOO_LARGE);
	CHECK_STR(fault.where, "it.types");
	CHECK(strstr(fault.detail, "262144"));
}

CASE(documents_that_are_refused)
{
	static const struct row rows[] = {
	    {"V4", "[]", ADY_E_FIELD_INVALID, "it"},
	    {"V4", "{}", ADY_E_FIELD_MISSING, "it.types"},
	    {"V4", "{\"types\":{}}", ADY_E_FIELD_MISSING, "it.primaryType"},
	    {"V4", "{\"types\":[],\"primaryType\":\"T\",\"domain\":{}}", ADY_E_FIELD_INVALID,
	     "it.types"},
	    {"V4", "{\"types\":{\"T\":[]},\"primaryType\":\"U\",\"domain\":{}}",
	     ADY_E_FIELD_INVALID, "it.primaryType"},
	    {"V4", "{\"types\":{\"T\":[]},\"primaryType\":7,\"domain\":{}}", ADY_E_FIELD_INVALID,
	     "it.primaryType"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		check_row(&rows[i]);
}

CASE(declarations_that_are_refused)
{
	static const struct row rows[] = {
	    {"V4", "{\"types\":{\"T\":{}},\"primaryType\":\"T\",\"domain\":{}}",
	     ADY_E_FIELD_INVALID, "it.types.T"},
	    {"V4", "{\"types\":{\"T\":[7]},\"primaryType\":\"T\",\"domain\":{}}",
	     ADY_E_FIELD_INVALID, "it.types.T[0]"},
	    {"V4",
	     "{\"types\":{\"T\":[{\"name\":\"a\",\"type\":\"bool\",\"x\":1}]},"
	     "\"primaryType\":\"T\",\"domain\":{}}",
	     ADY_E_FIELD_INVALID, "it.types.T[0]"},
	    {"V4",
	     "{\"types\":{\"T\":[{\"\\u006eame\":\"a\",\"type\":\"bool\"}]},"
	     "\"primaryType\":\"T\",\"domain\":{}}",
	     ADY_E_FIELD_INVALID, "it.types.T[0]"},
	    {"V4",
	     "{\"types\":{\"T\":[{\"name\":\"a,bool b\",\"type\":\"bool\"}]},"
	     "\"primaryType\":\"T\",\"domain\":{}}",
	     ADY_E_FIELD_INVALID, "it.types.T[0].name"},
	    {"V4",
	     "{\"types\":{\"T\":[{\"name\":\"a\",\"type\":\"bool\"},{\"name\":\"a\","
	     "\"type\":\"bool\"}]},\"primaryType\":\"T\",\"domain\":{}}",
	     ADY_E_FIELD_INVALID, "it.types.T[1]"},
	    {"V4", "{\"types\":{\"bytes32\":[]},\"primaryType\":\"T\",\"domain\":{}}",
	     ADY_E_FIELD_INVALID, "it.types.bytes32"},
	    {"V4", "{\"types\":{\"T[]\":[]},\"primaryType\":\"T\",\"domain\":{}}",
	     ADY_E_FIELD_INVALID, "it.types.T[]"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		check_row(&rows[i]);
}

CASE(contents_that_are_refused)
{
	static const struct row rows[] = {
	    {"V4", "{\"types\":{},\"primaryType\":\"T\"}", ADY_E_FIELD_MISSING, "it.domain"},
	    {"V4", "{\"types\":{\"T\":[]},\"primaryType\":\"T\",\"domain\":{}}",
	     ADY_E_FIELD_MISSING, "it.message"},
	    {"V4", "{\"types\":{\"T\":[]},\"primaryType\":\"T\",\"domain\":[],\"message\":{}}",
	     ADY_E_FIELD_INVALID, "it.domain"},
	    {"V4",
	     "{\"types\":{\"T\":[]},\"primaryType\":\"T\",\"domain\":{\"chain\":1},"
	     "\"message\":{}}",
	     ADY_E_FIELD_UNKNOWN, "it.domain"},
	    {"V4",
	     "{\"types\":{},\"primaryType\":\"EIP712Domain\",\"domain\":{\"name\":\"n\"},"
	     "\"message\":{\"a\":1}}",
	     ADY_E_FIELD_INVALID, "it.message"},
	    {"V4",
	     "{\"types\":{\"EIP712Domain\":[]},\"primaryType\":\"EIP712Domain\","
	     "\"domain\":{\"name\":\"n\"}}",
	     ADY_E_FIELD_UNKNOWN, "it.domain.name"},
	    {"V3",
	     "{\"types\":{\"T\":[{\"name\":\"a\",\"type\":\"bool[]\"}]},\"primaryType\":\"T\","
	     "\"domain\":{},\"message\":{\"a\":[]}}",
	     ADY_E_FIELD_INVALID, "it.message.a"},
	    {"V3",
	     "{\"types\":{\"T\":[{\"name\":\"a\",\"type\":\"T\"}]},\"primaryType\":\"T\","
	     "\"domain\":{},\"message\":{}}",
	     ADY_E_FIELD_MISSING, "it.message.a"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		check_row(&rows[i]);
}

int main(void)
{
	RUN(the_example_of_eip_712);
	RUN(as_ethers_and_eth_sig_util_have_them);
	RUN(messages_that_are_refused);
	RUN(members_that_no_type_names);
	RUN(values_and_types_that_are_refused);
	RUN(limits_of_values_are_inclusive);
	RUN(work_is_limited);
	RUN(text_of_types_is_limited);
	RUN(documents_that_are_refused);
	RUN(declarations_that_are_refused);
	RUN(contents_that_are_refused);
	return test_end();
}
