/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parser of transactions refuses: each with its code and the path of the field. */
#include "chain/eth_tx.h"

#include "test.h"

#define TO "\"to\":\"0x3535353535353535353535353535353535353535\""
#define CHAIN "\"chainId\":1"
#define NONCE "\"nonce\":9"
#define GAS "\"gas\":21000"
#define PRICE "\"gasPrice\":20000000000"
#define FEES "\"maxFeePerGas\":2,\"maxPriorityFeePerGas\":1"
#define LEGACY CHAIN "," NONCE "," GAS "," PRICE "," TO
#define DYNAMIC CHAIN "," NONCE "," GAS "," FEES "," TO
#define MAX256 "\"0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\""
#define ADDRESS "\"address\":\"0x3535353535353535353535353535353535353535\""
#define KEY "\"0x1111111111111111111111111111111111111111111111111111111111111111\""

static struct ady_json_tok toks[1024];
static uint8_t scratch_space[65536];

struct row {
	const char *json;
	enum ady_err err;
	const char *where;
};

static enum ady_err parse(const char *json, enum ady_eth_units units, struct ady_buf *scratch,
                          struct ady_fault *f)
{
	struct ady_eth_tx tx;
	struct ady_json doc;

	if (!CHECK_ERR(ady_json_parse(&doc, toks, 1024, ady_bytes_str(json), f), ADY_OK))
		return ADY_E_JSON;
	*f = (struct ady_fault){0};
	return ady_eth_tx_parse(&tx, &doc, 0, units, "tx", scratch, f);
}

static void check_row(const struct row *row, enum ady_eth_units units)
{
	struct ady_buf scratch = ady_buf(scratch_space, sizeof scratch_space);
	struct ady_fault f;

	if (!CHECK_ERR(parse(row->json, units, &scratch, &f), row->err) ||
	    !CHECK_STR(f.where, row->where))
		printf("# %s: %s %s\n", row->json, f.where, f.detail);
	CHECK_ERR(f.err, row->err);
	CHECK(f.detail[0] != '\0');
}

#define CHECK_ROWS(rows, units)                                    \
	for (size_t i = 0; i < sizeof(rows) / sizeof *(rows); i++) \
	check_row(&(rows)[i], units)

CASE(missing_fields)
{
	static const struct row rows[] = {
	    {"{" NONCE "," GAS "," FEES "," TO "}", ADY_E_FIELD_MISSING, "tx.chainId"},
	    {"{" NONCE "," GAS "," PRICE "," TO ",\"type\":1}", ADY_E_FIELD_MISSING, "tx.chainId"},
	    {"{" NONCE "," GAS "," PRICE "," TO ",\"chainId\":null}", ADY_E_FIELD_INVALID,
	     "tx.chainId"},
	    {"{" CHAIN "," GAS "," PRICE "," TO "}", ADY_E_FIELD_MISSING, "tx.nonce"},
	    {"{" CHAIN "," NONCE "," PRICE "," TO "}", ADY_E_FIELD_MISSING, "tx.gas"},
	    {"{" CHAIN "," NONCE "," GAS "," TO "}", ADY_E_FIELD_MISSING, "tx.maxFeePerGas"},
	    {"{" CHAIN "," NONCE "," GAS "," TO ",\"maxFeePerGas\":1}", ADY_E_FIELD_MISSING,
	     "tx.maxPriorityFeePerGas"},
	    {"{" CHAIN "," NONCE "," GAS "," TO ",\"maxPriorityFeePerGas\":1}", ADY_E_FIELD_MISSING,
	     "tx.maxFeePerGas"},
	    {"{" CHAIN "," NONCE "," GAS "," TO ",\"type\":0}", ADY_E_FIELD_MISSING, "tx.gasPrice"},
	    {"{" CHAIN "," NONCE "," GAS "," TO ",\"type\":1}", ADY_E_FIELD_MISSING, "tx.gasPrice"},
	    {"{" CHAIN "," NONCE "," GAS "," PRICE "}", ADY_E_FIELD_MISSING, "tx.to"},
	    {"{" CHAIN "," NONCE "," GAS "," PRICE ",\"data\":\"0x\"}", ADY_E_FIELD_MISSING,
	     "tx.to"},
	    {"{" CHAIN "," NONCE "," GAS "," PRICE ",\"to\":null,\"data\":\"0x\",\"value\":1}",
	     ADY_E_FIELD_MISSING, "tx.to"},
	    {"{" CHAIN "," NONCE "," GAS "," FEES ",\"to\":null,\"type\":3,\"maxFeePerBlobGas\":1,"
	     "\"blobVersionedHashes\":[\"0x01000000000000000000000000000000000000000000000000000000"
	     "00000000\"]}",
	     ADY_E_FIELD_MISSING, "tx.to"},
	    {"{}", ADY_E_FIELD_MISSING, "tx.chainId"},
	};

	CHECK_ROWS(rows, ADY_ETH_WEI);
}

CASE(unknown_fields)
{
	static const char *const names[] = {
	    "v",          "r",         "s",       "hash",   "yParity", "sig",  "signature",
	    "blobHashes", "gas_price", "chainID", "value ", "",        "Type", "secret",
	};
	char json[300], where[64];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(json, sizeof json, "{" LEGACY ",\"%s\":\"0x1\"}", names[i]);
		snprintf(where, sizeof where, "tx.%s", names[i]);
		check_row(&(struct row){json, ADY_E_FIELD_UNKNOWN, where}, ADY_ETH_WEI);
	}
	check_row(&(struct row){"{\"a\\u0000\\u00ff\\\"\xc3\xa9\":1}", ADY_E_FIELD_UNKNOWN,
	                        "tx.a\\u0000\\u00ff\\\"??"},
	          ADY_ETH_WEI);
}

CASE(contradictions)
{
	static const struct row rows[] = {
	    {"{" LEGACY ",\"gasLimit\":21000}", ADY_E_FIELD_INVALID, "tx.gas"},
	    {"{" LEGACY ",\"maxFeePerGas\":1}", ADY_E_FIELD_INVALID, "tx.maxFeePerGas"},
	    {"{" LEGACY ",\"maxPriorityFeePerGas\":1}", ADY_E_FIELD_INVALID,
	     "tx.maxPriorityFeePerGas"},
	    {"{" LEGACY ",\"type\":2,\"maxFeePerGas\":1,\"maxPriorityFeePerGas\":1}",
	     ADY_E_FIELD_INVALID, "tx.gasPrice"},
	    {"{" DYNAMIC ",\"type\":1}", ADY_E_FIELD_INVALID, "tx.maxFeePerGas"},
	    {"{" LEGACY ",\"type\":0,\"accessList\":[]}", ADY_E_FIELD_INVALID, "tx.accessList"},
	    {"{" LEGACY ",\"data\":\"0x01\",\"input\":\"0x02\"}", ADY_E_FIELD_INVALID, "tx.input"},
	    {"{" LEGACY ",\"data\":\"0x01\",\"input\":\"0x\"}", ADY_E_FIELD_INVALID, "tx.input"},
	    {"{" CHAIN "," NONCE "," GAS "," TO ",\"maxFeePerGas\":1,"
	     "\"maxPriorityFeePerGas\":\"0x2\"}",
	     ADY_E_FEES, "tx.maxPriorityFeePerGas"},
	};

	CHECK_ROWS(rows, ADY_ETH_WEI);
}

CASE(ranges)
{
	static const struct row rows[] = {
	    {"{" NONCE "," GAS "," PRICE "," TO ",\"chainId\":0}", ADY_E_CHAIN_ID, "tx.chainId"},
	    {"{" NONCE "," GAS "," PRICE "," TO ",\"chainId\":\"0x00\"}", ADY_E_CHAIN_ID,
	     "tx.chainId"},
	    {"{" NONCE "," GAS "," PRICE "," TO ",\"chainId\":9223372036854775772}",
	     ADY_E_FIELD_RANGE, "tx.chainId"},
	    {"{" CHAIN "," GAS "," PRICE "," TO ",\"nonce\":18446744073709551615}",
	     ADY_E_FIELD_RANGE, "tx.nonce"},
	    {"{" CHAIN "," GAS "," PRICE "," TO ",\"nonce\":\"0x10000000000000000\"}",
	     ADY_E_FIELD_RANGE, "tx.nonce"},
	    {"{" CHAIN "," NONCE "," PRICE "," TO ",\"gas\":18446744073709551616}",
	     ADY_E_FIELD_RANGE, "tx.gas"},
	    {"{" CHAIN "," NONCE "," PRICE "," TO ",\"gasLimit\":" MAX256 "}", ADY_E_FIELD_RANGE,
	     "tx.gasLimit"},
	    {"{" LEGACY ",\"value\":\"0x1ffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	     "ffffffff\"}",
	     ADY_E_FIELD_RANGE, "tx.value"},
	    {"{" LEGACY ",\"value\":11579208923731619542357098500868790785326998466564056403945758"
	     "4007913129639936}",
	     ADY_E_FIELD_RANGE, "tx.value"},
	    {"{" CHAIN "," NONCE "," TO ",\"gas\":2,\"maxFeePerGas\":" MAX256
	     ",\"maxPriorityFeePerGas\":0}",
	     ADY_E_FIELD_RANGE, "tx.maxFeePerGas"},
	};

	CHECK_ROWS(rows, ADY_ETH_WEI);
}

/* The largest costs that fit, and the next. (2^256 - 1) / (2^64 - 1) is a whole number. The value
 * comes on top and does not count: ethereum/tests has ttValue_TransactionWithHighValue valid. */
CASE(cost_up_to_the_last_bit)
{
#define COST(gas, price, value) \
	"{" CHAIN "," NONCE "," TO ",\"gas\":" gas ",\"gasPrice\":" price ",\"value\":" value "}"
#define MAX64 "18446744073709551615"
#define QUOTIENT "\"0x1000000000000000100000000000000010000000000000001\""
#define QUOTIENT_PLUS_1 "\"0x1000000000000000100000000000000010000000000000002\""
	static const char *const fits[] = {COST("1", "1", MAX256), COST("1", MAX256, "1"),
	                                   COST(MAX64, QUOTIENT, MAX256),
	                                   COST("0", MAX256, MAX256)};
	static const struct row over[] = {
	    {COST(MAX64, QUOTIENT_PLUS_1, "0"), ADY_E_FIELD_RANGE, "tx.gasPrice"},
	    {COST("2", MAX256, "0"), ADY_E_FIELD_RANGE, "tx.gasPrice"},
	    {COST(MAX64, MAX256, MAX256), ADY_E_FIELD_RANGE, "tx.gasPrice"},
	};
	struct ady_buf scratch = ady_buf(scratch_space, sizeof scratch_space);
	struct ady_fault f;

	for (size_t i = 0; i < sizeof fits / sizeof *fits; i++)
		CHECK_ERR(parse(fits[i], ADY_ETH_WEI, &scratch, &f), ADY_OK);
	CHECK_ROWS(over, ADY_ETH_WEI);
}

CASE(forms_of_quantities)
{
	static const char *const bad[] = {
	    "1.0",         "1e3",      "-1",      "1E0",       "0.5",
	    "true",        "null",     "{}",      "[]",        "[1]",
	    "\"\"",        "\"0x\"",   "\" 1\"",  "\"1 \"",    "\"01\"",
	    "\"+1\"",      "\"-1\"",   "\"1.0\"", "\"1e3\"",   "\"0X1\"",
	    "\"0xg\"",     "\"0x 1\"", "\"ff\"",  "\"1_000\"", "\"0x1\\u0030\"",
	    "\"\\u0031\"",
	};
	static const char *const fields[] = {"chainId",  "nonce", "gas",
	                                     "gasPrice", "value", "type"};
	char json[400], where[64];

	for (size_t f = 0; f < 6; f++) {
		for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
			bool fee =
			    strcmp(fields[f], "gasPrice") == 0 && strcmp(bad[i], "null") == 0;

			snprintf(json, sizeof json, "{" TO ",\"type\":0");
			for (size_t k = 0; k < 5; k++)
				if (k != f)
					snprintf(json + strlen(json), sizeof json - strlen(json),
					         ",\"%s\":1", fields[k]);
			if (f == 5)
				snprintf(json, sizeof json, "{" LEGACY);
			snprintf(json + strlen(json), sizeof json - strlen(json), ",\"%s\":%s}",
			         fields[f], bad[i]);
			snprintf(where, sizeof where, "tx.%s", fields[f]);
			check_row(&(struct row){json,
			                        fee ? ADY_E_FIELD_MISSING : ADY_E_FIELD_INVALID,
			                        where},
			          ADY_ETH_WEI);
		}
	}
}

CASE(types)
{
	static const char *const bad[] = {
	    "5",   "6",    "\"0x5\"",    "\"0x7f\"",    "\"0xff\"",
	    "256", MAX256, "\"legacy\"", "\"eip1559\"", "18446744073709551616"};
	char json[400];

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(json, sizeof json, "{" LEGACY ",\"type\":%s}", bad[i]);
		check_row(&(struct row){json, ADY_E_FIELD_INVALID, "tx.type"}, ADY_ETH_WEI);
	}
}

#define HASH1 "\"0x0100000000000000000000000000000000000000000000000000000000000000\""
#define HASH2 "\"0x0200000000000000000000000000000000000000000000000000000000000000\""
#define BLOB "{\"type\":3," DYNAMIC ",\"maxFeePerBlobGas\":1"
#define TUPLE "\"chainId\":0," ADDRESS ",\"nonce\":1,\"r\":1,\"s\":1"
#define SET_CODE "{\"type\":4," DYNAMIC ",\"authorizationList\":"

CASE(blob_transactions)
{
	static const struct row rows[] = {
	    {BLOB "}", ADY_E_FIELD_MISSING, "tx.blobVersionedHashes"},
	    {BLOB ",\"blobVersionedHashes\":[]}", ADY_E_FIELD_INVALID, "tx.blobVersionedHashes"},
	    {BLOB ",\"blobVersionedHashes\":[" HASH1 "," HASH2 "]}", ADY_E_FIELD_INVALID,
	     "tx.blobVersionedHashes[1]"},
	    {BLOB ",\"blobVersionedHashes\":[" HASH1 "],\"blobs\":[]}", ADY_E_FIELD_INVALID,
	     "tx.blobs"},
	    {BLOB ",\"blobVersionedHashes\":[" HASH1 "],\"proofs\":[]}", ADY_E_FIELD_INVALID,
	     "tx.proofs"},
	    {BLOB ",\"blobVersionedHashes\":[" HASH1 "],\"commitments\":[]}", ADY_E_FIELD_INVALID,
	     "tx.commitments"},
	    {BLOB ",\"blobVersionedHashes\":[" HASH1 "],\"commitments\":[\"0x11\"]}",
	     ADY_E_FIELD_INVALID, "tx.commitments[0]"},
	    {"{" LEGACY ",\"maxFeePerBlobGas\":1}", ADY_E_FIELD_INVALID, "tx.maxFeePerBlobGas"},
	    {"{" DYNAMIC ",\"commitments\":[]}", ADY_E_FIELD_INVALID, "tx.commitments"},
	    {"{\"type\":3," CHAIN "," NONCE "," GAS "," FEES ",\"maxFeePerBlobGas\":1,"
	     "\"blobVersionedHashes\":[" HASH1 "]}",
	     ADY_E_FIELD_MISSING, "tx.to"},
	    {"{" DYNAMIC ",\"maxFeePerBlobGas\":" MAX256 ",\"blobVersionedHashes\":[" HASH1 "]}",
	     ADY_E_FIELD_RANGE, "tx.maxFeePerBlobGas"},
	};

	CHECK_ROWS(rows, ADY_ETH_WEI);
}

CASE(set_code_transactions)
{
	static const struct row rows[] = {
	    {SET_CODE "[]}", ADY_E_FIELD_INVALID, "tx.authorizationList"},
	    {SET_CODE "null}", ADY_E_FIELD_MISSING, "tx.authorizationList"},
	    {SET_CODE "[7]}", ADY_E_FIELD_INVALID, "tx.authorizationList[0]"},
	    {SET_CODE "[{" TUPLE "}]}", ADY_E_FIELD_MISSING, "tx.authorizationList[0].yParity"},
	    {SET_CODE "[{" TUPLE ",\"yParity\":2}]}", ADY_E_FIELD_RANGE,
	     "tx.authorizationList[0].yParity"},
	    {SET_CODE "[{" TUPLE ",\"yParity\":0,\"v\":27}]}", ADY_E_FIELD_UNKNOWN,
	     "tx.authorizationList[0].v"},
	    {SET_CODE "[{" TUPLE ",\"yParity\":0},{" TUPLE "}]}", ADY_E_FIELD_MISSING,
	     "tx.authorizationList[1].yParity"},
	    {"{" LEGACY ",\"type\":0,\"authorizationList\":[]}", ADY_E_FIELD_INVALID,
	     "tx.authorizationList"},
	};

	CHECK_ROWS(rows, ADY_ETH_WEI);
}

CASE(addresses)
{
	static const struct row rows[] = {
	    {"{" LEGACY ",\"from\":\"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD\"}", ADY_E_CHECKSUM,
	     "tx.from"},
	    {"{" CHAIN "," NONCE "," GAS "," PRICE
	     ",\"to\":\"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD\"}",
	     ADY_E_CHECKSUM, "tx.to"},
	    {"{" CHAIN "," NONCE "," GAS "," PRICE ",\"to\":\"0x\",\"data\":\"0x60\"}",
	     ADY_E_FIELD_INVALID, "tx.to"},
	    {"{" CHAIN "," NONCE "," GAS "," PRICE ",\"to\":\"\",\"data\":\"0x60\"}",
	     ADY_E_FIELD_INVALID, "tx.to"},
	    {"{" CHAIN "," NONCE "," GAS "," PRICE ",\"to\":5}", ADY_E_FIELD_INVALID, "tx.to"},
	    {"{" CHAIN "," NONCE "," GAS "," PRICE
	     ",\"to\":\"353535353535353535353535353535353535353535\"}",
	     ADY_E_FIELD_INVALID, "tx.to"},
	    {"{" CHAIN "," NONCE "," GAS "," PRICE ",\"to\":\"vitalik.eth\"}", ADY_E_FIELD_INVALID,
	     "tx.to"},
	    {"{" LEGACY ",\"from\":null}", ADY_E_FIELD_INVALID, "tx.from"},
	};

	CHECK_ROWS(rows, ADY_ETH_WEI);
}

CASE(data)
{
	static const char *const bad[] = {"\"\"",     "\"0\"",  "\"0x0\"",
	                                  "\"0x0g\"", "\"00\"", "null",
	                                  "1",        "[]",     "\"0x\\u0030\\u0030\"",
	                                  "\"0X00\""};
	static const char *const names[] = {"data", "input"};
	char json[400], where[16];

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		for (size_t k = 0; k < 2; k++) {
			snprintf(json, sizeof json, "{" LEGACY ",\"%s\":%s}", names[k], bad[i]);
			snprintf(where, sizeof where, "tx.%s", names[k]);
			check_row(&(struct row){json, ADY_E_FIELD_INVALID, where}, ADY_ETH_WEI);
		}
	}
}

CASE(access_lists)
{
#define LIST(x) "{" DYNAMIC ",\"accessList\":" x "}"
	static const struct row rows[] = {
	    {LIST("{}"), ADY_E_FIELD_INVALID, "tx.accessList"},
	    {LIST("\"0xc0\""), ADY_E_FIELD_INVALID, "tx.accessList"},
	    {LIST("[[]]"), ADY_E_FIELD_INVALID, "tx.accessList[0]"},
	    {LIST("[{}]"), ADY_E_FIELD_MISSING, "tx.accessList[0].address"},
	    {LIST("[{" ADDRESS "}]"), ADY_E_FIELD_MISSING, "tx.accessList[0].storageKeys"},
	    {LIST("[{\"storageKeys\":[]}]"), ADY_E_FIELD_MISSING, "tx.accessList[0].address"},
	    {LIST("[{" ADDRESS ",\"storageKeys\":[]},{" ADDRESS ",\"storageKeys\":{}}]"),
	     ADY_E_FIELD_INVALID, "tx.accessList[1].storageKeys"},
	    {LIST("[{" ADDRESS ",\"storageKeys\":null}]"), ADY_E_FIELD_INVALID,
	     "tx.accessList[0].storageKeys"},
	    {LIST("[{" ADDRESS ",\"storageKeys\":[" KEY ",\"0x11\"]}]"), ADY_E_FIELD_INVALID,
	     "tx.accessList[0].storageKeys[1]"},
	    {LIST("[{" ADDRESS ",\"storageKeys\":[1]}]"), ADY_E_FIELD_INVALID,
	     "tx.accessList[0].storageKeys[0]"},
	    {LIST("[{" ADDRESS ",\"storageKeys\":[],\"x\":1}]"), ADY_E_FIELD_UNKNOWN,
	     "tx.accessList[0].x"},
	    {LIST("[{\"address\":\"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD\","
	          "\"storageKeys\":[]}]"),
	     ADY_E_CHECKSUM, "tx.accessList[0].address"},
	    {LIST("[{\"address\":null,\"storageKeys\":[]}]"), ADY_E_FIELD_INVALID,
	     "tx.accessList[0].address"},
	};

	CHECK_ROWS(rows, ADY_ETH_WEI);
}

CASE(what_is_no_object)
{
	static const struct row rows[] = {{"[]", ADY_E_FIELD_INVALID, "tx"},
	                                  {"null", ADY_E_FIELD_INVALID, "tx"},
	                                  {"\"0x02f8\"", ADY_E_FIELD_INVALID, "tx"}};

	CHECK_ROWS(rows, ADY_ETH_WEI);
}

CASE(ether_of_the_sample)
{
	static const char *const bad[] = {
	    "0.0000000000000000001", "-1", "1e-19", "-0.1", "true", "\"0.01\"", "\"1e18\"", "null"};
	static const char *const large[] = {
	    "1e60", "1e999999999",
	    ("115792089237316195423570985008687907853269984665640564"
	     "039458") /* 2^256 / 10^18, rounded up */};
	char json[400];

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(json, sizeof json, "{" LEGACY ",\"value\":%s}", bad[i]);
		check_row(&(struct row){json, ADY_E_FIELD_INVALID, "tx.value"},
		          ADY_ETH_SAMPLE_ETHER);
	}
	for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
		snprintf(json, sizeof json, "{" LEGACY ",\"value\":%s}", large[i]);
		check_row(&(struct row){json, ADY_E_FIELD_RANGE, "tx.value"}, ADY_ETH_SAMPLE_ETHER);
	}
	check_row(&(struct row){"{" NONCE "," GAS "," PRICE "," TO ",\"chainId\":1.0}",
	                        ADY_E_FIELD_INVALID, "tx.chainId"},
	          ADY_ETH_SAMPLE_ETHER);
}

/* n bytes of data in a creation; the caller frees. */
static struct ady_dyn creation_of(size_t n)
{
	struct ady_dyn json = {0};

	ady_dyn_str(&json, "{" CHAIN "," NONCE "," GAS "," PRICE ",\"data\":\"0x");
	memset(ady_dyn_room(&json, 2 * n), '1', 2 * n);
	json.n += 2 * n;
	ady_dyn_str(&json, "\"}");
	return json;
}

CASE(a_small_scratch_space)
{
	uint8_t space[40];
	struct ady_buf scratch = ady_buf(space, sizeof space);
	struct ady_dyn json = creation_of(41);
	struct ady_fault f;

	CHECK_ERR(parse(ady_dyn_cstr(&json), ADY_ETH_WEI, &scratch, &f), ADY_E_TOO_LARGE);
	CHECK_STR(f.where, "tx.data");
	scratch.n = 0;
	CHECK_ERR(
	    parse(LIST("[{" ADDRESS ",\"storageKeys\":[" KEY "]}]"), ADY_ETH_WEI, &scratch, &f),
	    ADY_E_TOO_LARGE);
	CHECK_STR(f.where, "tx.accessList");
	ady_dyn_free(&json);
}

int main(void)
{
	RUN(missing_fields);
	RUN(unknown_fields);
	RUN(contradictions);
	RUN(ranges);
	RUN(cost_up_to_the_last_bit);
	RUN(forms_of_quantities);
	RUN(types);
	RUN(blob_transactions);
	RUN(set_code_transactions);
	RUN(addresses);
	RUN(data);
	RUN(access_lists);
	RUN(what_is_no_object);
	RUN(ether_of_the_sample);
	RUN(a_small_scratch_space);
	return test_end();
}
