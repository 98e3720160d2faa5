/* SPDX-License-Identifier: Apache-2.0
 *
 * Transactions that must come out as the EIPs and ethers have them (eth_tx.json, made by
 * gen-eth-tx.mjs), and every spelling that is accepted. */
#include "chain/eth_tx.h"

#include <stdlib.h>

#include "base/text.h"
#include "crypto/hash.h"

#include "test.h"

#define TO "\"to\":\"0x3535353535353535353535353535353535353535\""
#define LEGACY "\"chainId\":1,\"nonce\":9,\"gas\":21000,\"gasPrice\":20000000000," TO

static uint8_t scratch_space[65536], raw_space[66000];
static struct ady_json_tok toks[4096];
static struct ady_fault fault;

static enum ady_err parse(struct ady_eth_tx *tx, const char *json, enum ady_eth_units units)
{
	static struct ady_json doc;
	struct ady_buf scratch = ady_buf(scratch_space, sizeof scratch_space);

	CHECK_ERR(ady_json_parse(&doc, toks, 4096, ady_bytes_str(json), &fault), ADY_OK);
	fault = (struct ady_fault){0};
	return ady_eth_tx_parse(tx, &doc, 0, units, "transaction", &scratch, &fault);
}

static struct ady_bytes encode(const struct ady_eth_tx *tx, const struct ady_secp_sig *sig)
{
	struct ady_buf raw = ady_buf(raw_space, sizeof raw_space);

	ady_eth_tx_encode(&raw, tx, sig);
	CHECK(!raw.full);
	return ady_buf_bytes(&raw);
}

/* Parse json and compare its unsigned encoding with hex. */
static void check_unsigned(const char *json, enum ady_eth_units units, const char *hex)
{
	struct ady_eth_tx tx;
	struct ady_bytes raw;

	if (!CHECK_ERR(parse(&tx, json, units), ADY_OK))
		return;
	raw = encode(&tx, NULL);
	CHECK_HEX(raw.p, raw.n, hex);
}

/* Parse, sign with key and compare all stages; the expected values are hex without prefix. */
struct known {
	const char *unsigned_hex, *digest, *raw, *hash, *from;
};

static void check_known(const struct ady_eth_tx *tx, const struct ady_seckey *key,
                        const struct known *want)
{
	struct ady_secp *secp;
	struct ady_secp_sig sig;
	struct ady_bytes raw;
	uint8_t hash[32], pub[65], address[20];

	CHECK_ERR(ady_secp_open(&secp), ADY_OK);
	raw = encode(tx, NULL);
	CHECK_HEX(raw.p, raw.n, want->unsigned_hex);
	ady_keccak256(hash, raw);
	CHECK_HEX(hash, 32, want->digest);
	CHECK_ERR(ady_secp_public(secp, pub, key), ADY_OK);
	CHECK_ERR(ady_secp_sign(secp, &sig, hash, pub, key), ADY_OK);
	raw = encode(tx, &sig);
	CHECK_HEX(raw.p, raw.n, want->raw);
	ady_keccak256(hash, raw);
	CHECK_HEX(hash, 32, want->hash);
	ady_eth_address(address, pub);
	if (want->from)
		CHECK_HEX(address, 20, want->from);
	ady_secp_close(secp);
}

/* EIP-155, Example. */
CASE(eip_155_example)
{
	static const struct known want = {
	    .unsigned_hex = "ec098504a817c800825208943535353535353535353535353535353535353535880de0"
	                    "b6b3a764000080018080",
	    .digest = "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53",
	    .raw = "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a7"
	           "6400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a0"
	           "67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83",
	    .hash = "33469b22e9f636356c4160a87eb19df52b7412e8eac32a4a55ffe88ea8350788",
	    .from = "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f"};
	struct ady_seckey key;
	struct ady_eth_tx tx;

	memset(key.b, 0x46, sizeof key.b);
	CHECK_ERR(parse(&tx, "{" LEGACY ",\"value\":\"1000000000000000000\"}", ADY_ETH_WEI),
	          ADY_OK);
	check_known(&tx, &key, &want);
}

/* The text of member name without "0x", in lower case, NUL-terminated on the heap. */
static char *member(const struct ady_json *doc, uint32_t i, const char *name)
{
	struct ady_bytes raw = ady_json_raw(doc, ady_json_get(doc, i, name));
	char *text = calloc(1, raw.n);

	for (size_t k = 2; text && k < raw.n; k++)
		text[k - 2] =
		    (char)(raw.p[k] >= 'A' && raw.p[k] <= 'F' ? raw.p[k] | 0x20 : raw.p[k]);
	return text;
}

static void check_entry(const struct ady_json *doc, uint32_t i)
{
	static const char *const names[] = {"unsigned", "digest", "raw", "hash", "from", "key"};
	struct ady_buf scratch = ady_buf(scratch_space, sizeof scratch_space);
	struct ady_seckey key;
	struct ady_eth_tx tx;
	char *v[6];

	for (size_t k = 0; k < 6; k++)
		v[k] = member(doc, i, names[k]);
	CHECK_ERR(ady_hex_decode32_ct(key.b, ady_bytes_str(v[5])), ADY_OK);
	CHECK_ERR(ady_eth_tx_parse(&tx, doc, ady_json_get(doc, i, "transaction"), ADY_ETH_WEI,
	                           "transaction", &scratch, &fault),
	          ADY_OK);
	check_known(&tx, &key, &(struct known){v[0], v[1], v[2], v[3], v[4]});
	for (size_t k = 0; k < 6; k++)
		free(v[k]);
}

CASE(as_ethers_signs_them)
{
	struct ady_bytes text = test_read_file("tests/unit/chain/eth_tx.json");
	struct ady_json_tok *many = calloc(65536, sizeof *many);
	struct ady_json doc;

	if (CHECK(text.p) && CHECK_ERR(ady_json_parse(&doc, many, 65536, text, &fault), ADY_OK)) {
		CHECK_INT(doc.toks[0].count, 60);
		for (uint32_t i = ady_json_first(&doc, 0); i; i = ady_json_after(&doc, 0, i))
			check_entry(&doc, i);
	}
	free(many);
	free((void *)(uintptr_t)text.p);
}

CASE(spellings_of_quantities)
{
	static const char *const chain_id[] = {"1", "\"1\"", "\"0x1\"", "\"0x01\"",
	                                       "\"0x0000001\""};
	static const char *const value[] = {"0", "\"0\"", "\"0x0\"", "\"0x00\""};
	char json[400];

	for (size_t i = 0; i < sizeof chain_id / sizeof *chain_id; i++) {
		for (size_t k = 0; k < sizeof value / sizeof *value; k++) {
			snprintf(json, sizeof json,
			         "{\"chainId\":%s,\"nonce\":%s,\"gas\":\"0x5208\",\"gasPrice\":"
			         "\"20000000000\"," TO ",\"value\":%s}",
			         chain_id[i], value[k], value[k]);
			check_unsigned(
			    json, ADY_ETH_WEI,
			    "e4808504a817c800825208943535353535353535353535353535353535353535"
			    "8080018080");
		}
	}
}

CASE(type_follows_from_the_fees)
{
	static const struct {
		const char *json;
		enum ady_eth_type type;
	} rows[] = {
	    {"{" LEGACY "}", ADY_ETH_LEGACY},
	    {"{" LEGACY ",\"accessList\":null}", ADY_ETH_LEGACY},
	    {"{" LEGACY ",\"maxFeePerGas\":null,\"maxPriorityFeePerGas\":null}", ADY_ETH_LEGACY},
	    {"{" LEGACY ",\"accessList\":[]}", ADY_ETH_ACCESS_LIST},
	    {"{" LEGACY ",\"type\":\"0x1\"}", ADY_ETH_ACCESS_LIST},
	    {"{" LEGACY ",\"type\":\"0x0\"}", ADY_ETH_LEGACY},
	    {"{\"chainId\":1,\"nonce\":0,\"gas\":1,\"gasPrice\":null,\"maxFeePerGas\":1,"
	     "\"maxPriorityFeePerGas\":1," TO "}",
	     ADY_ETH_DYNAMIC_FEE},
	    {"{\"chainId\":1,\"nonce\":0,\"gas\":1,\"maxFeePerGas\":0,\"maxPriorityFeePerGas\":0,"
	     "\"accessList\":[]," TO "}",
	     ADY_ETH_DYNAMIC_FEE},
	};
	struct ady_eth_tx tx;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		CHECK_ERR(parse(&tx, rows[i].json, ADY_ETH_WEI), ADY_OK);
		CHECK_INT(tx.type, rows[i].type);
	}
}

CASE(data_and_input)
{
	static const char *const same[] = {"\"data\":\"0xabcdef\"", "\"input\":\"0xabcdef\"",
	                                   "\"input\":\"0xABCDEF\",\"data\":\"0xabcdef\""};
	char json[400];

	for (size_t i = 0; i < 3; i++) {
		snprintf(json, sizeof json, "{" LEGACY ",%s}", same[i]);
		check_unsigned(json, ADY_ETH_WEI,
		               "e7098504a817c80082520894353535353535353535353535353535353535353580"
		               "83abcdef018080");
	}
}

CASE(creation_has_no_recipient)
{
	static const char *const same[] = {"", ",\"to\":null"};
	char json[400];

	for (size_t i = 0; i < 2; i++) {
		snprintf(
		    json, sizeof json,
		    "{\"chainId\":1,\"nonce\":9,\"gas\":21000,\"gasPrice\":1,\"data\":\"0x60\"%s}",
		    same[i]);
		check_unsigned(json, ADY_ETH_WEI, "cb0901825208808060018080");
	}
}

/* Null says that no recipient is meant, and nothing is lost; ttSignature_libsecp256k1test has it.
 */
CASE(creation_without_code_or_value)
{
	check_unsigned("{\"chainId\":1,\"nonce\":9,\"gas\":21000,\"gasPrice\":1,\"to\":null}",
	               ADY_ETH_WEI, "cb0901825208808080018080");
}

/* The example of EIP-155 without its chain id. */
CASE(before_eip_155)
{
	static const struct known want = {
	    .unsigned_hex = "e9098504a817c800825208943535353535353535353535353535353535353535880de0"
	                    "b6b3a764000080",
	    .digest = "f9e36c28c8cb35adba138005c02ab7aa7fbcd891f3139cb2eeed052a51cd2713",
	    .raw = "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a7"
	           "640000801ba08383adc8b8ae116f918fb44ca7ff9dfd8012596a5c130c6246a2cc717ba41cdaa0"
	           "53ddfacf5bd4aa7e46d1575acf52636ea659b91f29e2fb91c75567a279738f38",
	    .hash = "9eb247ec381302e0ac0c3c8d8d14969bb49d31ae3d266274d3112e1a86585d94",
	    .from = "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f"};
	static const char *const same[] = {"", ",\"type\":0"};
	struct ady_seckey key;
	struct ady_eth_tx tx;
	char json[300];

	memset(key.b, 0x46, sizeof key.b);
	for (size_t i = 0; i < 2; i++) {
		snprintf(json, sizeof json,
		         "{\"nonce\":9,\"gas\":21000,\"gasPrice\":20000000000," TO
		         ",\"value\":\"1000000000000000000\"%s}",
		         same[i]);
		CHECK_ERR(parse(&tx, json, ADY_ETH_WEI), ADY_OK);
		CHECK(tx.chain_id == 0);
		check_known(&tx, &key, &want);
	}
}

CASE(limits_are_inclusive)
{
	static const char json[] =
	    "{\"type\":2,\"chainId\":9223372036854775771,\"nonce\":18446744073709551614,"
	    "\"gas\":18446744073709551615,\"maxFeePerGas\":1,\"maxPriorityFeePerGas\":1," TO ","
	    "\"value\":\"0xffffffffffffffffffffffffffffffffffffffffffffffff0000000000000000\"}";
	struct ady_eth_tx tx;

	CHECK_ERR(parse(&tx, json, ADY_ETH_WEI), ADY_OK);
	CHECK(tx.chain_id == 9223372036854775771u);
	CHECK(tx.nonce == UINT64_MAX - 1);
	CHECK(tx.gas == UINT64_MAX);
}

/* In the sample's form a JSON number in value is ether, a string is wei. */
CASE(value_of_the_sample)
{
	static const struct {
		const char *value, *wei;
	} rows[] = {
	    {"0.01", "2386f26fc10000"},
	    {"1e-2", "2386f26fc10000"},
	    {"1", "0de0b6b3a7640000"},
	    {"1.0", "0de0b6b3a7640000"},
	    {"0.000000000000000001", "01"},
	    {"123456789.123456789123456789", "661efdf2e3b19f7c045f15"},
	    {"0", ""},
	    {"\"10000000000000000\"", "2386f26fc10000"},
	    {"\"0x2386f26fc10000\"", "2386f26fc10000"},
	};
	struct ady_eth_tx tx;
	struct ady_bytes wei;
	char json[300];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		snprintf(json, sizeof json, "{" LEGACY ",\"value\":%s}", rows[i].value);
		CHECK_ERR(parse(&tx, json, ADY_ETH_SAMPLE_ETHER), ADY_OK);
		wei = ady_u256_minimal(&tx.value);
		CHECK_HEX(wei.p, wei.n, rows[i].wei);
	}
}

CASE(a_full_writer_is_reported)
{
	struct ady_eth_tx tx;
	uint8_t small[20];
	struct ady_buf raw = ady_buf(small, sizeof small);

	CHECK_ERR(parse(&tx, "{" LEGACY "}", ADY_ETH_WEI), ADY_OK);
	ady_eth_tx_encode(&raw, &tx, NULL);
	CHECK(raw.full);
}

int main(void)
{
	RUN(eip_155_example);
	RUN(as_ethers_signs_them);
	RUN(spellings_of_quantities);
	RUN(type_follows_from_the_fees);
	RUN(data_and_input);
	RUN(creation_has_no_recipient);
	RUN(creation_without_code_or_value);
	RUN(before_eip_155);
	RUN(limits_are_inclusive);
	RUN(value_of_the_sample);
	RUN(a_full_writer_is_reported);
	return test_end();
}
