/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/keystore.h"

#include "base/text.h"
#include "crypto/aes.h"
#include "crypto/bls.h"
#include "crypto/hash.h"
#include "vectors.h"

/* EIP-2335, "Test Cases": the same key under scrypt and under PBKDF2. */
#define EIP_SALT "d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"
#define EIP_PUB                                                                            \
	"9612d7a727c9d0a22e185a1c768478dfe919cada9266988cb32359c11f2b7b27f4ae4040902382ae" \
	"2910c15e2b420d07"
#define EIP_HEAD "{\"crypto\":{\"kdf\":{\"function\":"
#define EIP_TAIL                                                                            \
	"},\"description\":\"This is a test keystore\",\"pubkey\":\"" EIP_PUB               \
	"\",\"path\":\"m/12381/60/0/0\",\"uuid\":\"64625def-3331-4eea-ab6f-782f3ed16a83\"," \
	"\"version\":4}"
#define EIP_CIPHER(message)                                            \
	"\"cipher\":{\"function\":\"aes-128-ctr\",\"params\":{\"iv\":" \
	"\"264daa3f303d7259501c93d997d84fe6\"},\"message\":\"" message "\"}"
#define EIP_SCRYPT                                                                                 \
	EIP_HEAD                                                                                   \
	"\"scrypt\",\"params\":{\"dklen\":32,\"n\":262144,\"p\":1,\"r\":8,\"salt\":"               \
	"\"" EIP_SALT "\"},\"message\":\"\"},\"checksum\":{\"function\":\"sha256\",\"params\":{}," \
	"\"message\":\"d2217fe5f3e9a1e34581ef8a78f7c9928e436d36dacc5e846690a5581e8ea484\"}"        \
	"," EIP_CIPHER("06ae90d55fe0a6e9c5c3bc5b170827b2e5cce3929ed3f116c2811e6366dfe20f")         \
	    EIP_TAIL
#define EIP_PBKDF2                                                                            \
	EIP_HEAD                                                                              \
	"\"pbkdf2\",\"params\":{\"dklen\":32,\"c\":262144,\"prf\":\"hmac-sha256\","           \
	"\"salt\":\"" EIP_SALT "\"},\"message\":\"\"},\"checksum\":{\"function\":\"sha256\"," \
	"\"params\":{},\"message\":"                                                          \
	"\"8a9f5d9912ed7e75ea794bc5a89bca5f193721d30868ade6f73043c6ea6febf1\"}," EIP_CIPHER(  \
	    "cee03fde2af33149775b7223e7845e4fb2c8ae1792e5f99fe9ecf474cc8c16ad") EIP_TAIL
#define EIP_KEY "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
#define EIP_PASSWORD "testpassword\xf0\x9f\x94\x91" /* normalised */

static struct ady_keystore ks;

CASE(both_vectors_of_the_eip)
{
	static const char *const files[] = {EIP_SCRYPT, EIP_PBKDF2};
	struct ady_seckey key;
	struct ady_fault f;
	uint8_t pub[48], none[20] = {0};

	for (int i = 0; i < 2; i++) {
		CHECK_ERR(ady_keystore_read(&ks, ADY_KEYSTORE_EIP2335, ady_bytes_str(files[i]), &f),
		          ADY_OK);
		CHECK_INT(ady_keystore_memory(&ks) >> 28, i == 0);
		CHECK_ERR(ady_keystore_open(&key, &ks, ady_bytes_str(EIP_PASSWORD), &f), ADY_OK);
		CHECK_HEX(key.b, 32, EIP_KEY);
		CHECK_ERR(ady_bls_public(pub, &key), ADY_OK);
		CHECK_ERR(ady_keystore_check(&ks, pub, none, &f), ADY_OK);
		pub[47] ^= 1;
		CHECK_ERR(ady_keystore_check(&ks, pub, none, &f), ADY_E_KEYSTORE_OTHER);
		CHECK_STR(f.where, "keystore.pubkey");
		ks.named_n = 0;
		CHECK_ERR(ady_keystore_check(&ks, pub, none, &f), ADY_OK);
	}
	CHECK_ERR(ady_keystore_open(&key, &ks, ady_bytes_str("testpassword"), &f), ADY_E_PASSWORD);
	CHECK_STR(f.where, "password");
	CHECK(!strstr(f.detail, "testpassword"));
	CHECK_INT(key.b[0] | key.b[31], 0);
}

/* ../shared/vectors/keystore/basic_tests.json, of the execution client tests. */
CASE(the_vectors_of_version_3)
{
	const char *path = test_vector("keystore/basic_tests.json");
	json_t *all = path ? json_load_file(path, 0, NULL) : NULL, *test;
	const char *name;
	size_t n = 0;

	if (!all) {
		test_skip("../shared/vectors/keystore is not there");
		return;
	}
	json_object_foreach(all, name, test)
	{
		char *text = json_dumps(json_object_get(test, "json"), 0);
		const char *password = json_string_value(json_object_get(test, "password"));
		struct ady_seckey key;
		struct ady_fault f = {0};

		CHECK_ERR(ady_keystore_read(&ks, ADY_KEYSTORE_V3, ady_bytes_str(text), &f), ADY_OK);
		CHECK_ERR(ady_keystore_open(&key, &ks, ady_bytes_str(password), &f), ADY_OK);
		CHECK_HEX(key.b, 32, json_string_value(json_object_get(test, "priv")));
		CHECK_ERR(ady_keystore_open(&key, &ks, ady_bytes_str("no"), &f), ADY_E_PASSWORD);
		free(text);
		n++;
	}
	CHECK_INT(n, 5);
	json_decref(all);
}

#define V3_KDF(params) "\"kdf\":\"pbkdf2\",\"kdfparams\":{" params "}"
#define V3_PARAMS "\"dklen\":32,\"c\":1,\"prf\":\"hmac-sha256\",\"salt\":\"00\""
#define V3_REST                                                \
	"\"cipher\":\"aes-128-ctr\",\"cipherparams\":{\"iv\":" \
	"\"00000000000000000000000000000000\"},"

/* Make a file of version 3 of a key of n bytes by the code's own parts, and read it back: what geth
 * writes is in the vectors and in tests/e2e/keystore.test.mjs. */
static void make_v3(char *out, size_t cap, const char *key_hex, const char *address)
{
	struct ady_bytes key = test_hex(key_hex);
	const uint8_t salt = 0, iv[16] = {0};
	uint8_t derived[32], mac[32], ct[32], joined[48];
	char text[65], mac_text[65];

	CHECK_ERR(ady_pbkdf2_derive(derived, ady_bytes_str("pw"), ady_bytes(&salt, 1), 1), ADY_OK);
	CHECK_ERR(ady_aes128_ctr(ct, derived, iv, key), ADY_OK);
	memcpy(joined, derived + 16, 16);
	memcpy(joined + 16, ct, key.n);
	ady_keccak256(mac, ady_bytes(joined, 16 + key.n));
	ady_hex_encode(text, ady_bytes(ct, key.n));
	ady_hex_encode(mac_text, ady_bytes(mac, 32));
	snprintf(out, cap,
	         "{\"version\":3,\"id\":\"x\",\"address\":\"%s\",\"x-ethers\":{\"a\":[1]},"
	         "\"Crypto\":{" V3_REST
	         "\"ciphertext\":\"%s\"," V3_KDF(V3_PARAMS) ",\"mac\":\"%s\","
	                                                    "\"version\":1}}",
	         address, text, mac_text);
}

CASE(a_key_without_its_leading_zeros)
{
	static const char *const keys[] = {
	    "81c29e8142bb6a81bef5a92bda7a8328a5c85bb2f9542e76f9b0f94fc018",   /* 30 bytes */
	    "fa7b3db73dc7dfdf8c5fbdb796d741e4488628c41fc4febd9160a866ba0f35", /* 31 */
	    "01"};
	struct ady_seckey key;
	struct ady_fault f = {0};
	char text[2048];

	for (size_t i = 0; i < 3; i++) {
		struct ady_bytes want = test_hex(keys[i]);

		make_v3(text, sizeof text, keys[i], "");
		CHECK_ERR(ady_keystore_read(&ks, ADY_KEYSTORE_V3, ady_bytes_str(text), &f), ADY_OK);
		CHECK_ERR(ady_keystore_open(&key, &ks, ady_bytes_str("pw"), &f), ADY_OK);
		CHECK(memcmp(key.b + 32 - want.n, want.p, want.n) == 0);
		for (size_t j = 0; j < 32 - want.n; j++)
			CHECK_INT(key.b[j], 0);
	}
}

CASE(the_address_is_compared)
{
	uint8_t address[20] = {1, 2, 3}, pub[48] = {0};
	struct ady_fault f = {0};
	char text[2048];

	make_v3(text, sizeof text, "0101", "0x0102030000000000000000000000000000000000");
	CHECK_ERR(ady_keystore_read(&ks, ADY_KEYSTORE_V3, ady_bytes_str(text), &f), ADY_OK);
	CHECK_ERR(ady_keystore_check(&ks, pub, address, &f), ADY_OK);
	address[19] = 9;
	CHECK_ERR(ady_keystore_check(&ks, pub, address, &f), ADY_E_KEYSTORE_OTHER);
	CHECK_STR(f.where, "keystore.address");
}

/* Replace the first `from` of text by `to`. */
static const char *with(const char *text, const char *from, const char *to)
{
	static char out[4096];
	const char *at = strstr(text, from);

	if (!CHECK(at != NULL))
		return text;
	snprintf(out, sizeof out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	return out;
}

static void refused(enum ady_keystore_form form, const char *text, const char *where)
{
	struct ady_fault f = {0};

	CHECK_ERR(ady_keystore_read(&ks, form, ady_bytes_str(text), &f), ADY_E_KEYSTORE);
	CHECK_STR(f.where, where);
	CHECK(f.detail[0]);
}

CASE(what_is_no_version_3)
{
	static const char *const cases[][3] = {
	    {"\"version\":3", "\"version\":4", "keystore.version"},
	    {"\"version\":3", "\"version\":\"3\"", "keystore.version"},
	    {"\"Crypto\":", "\"crypto\":{},\"Crypto\":", "keystore.crypto"},
	    {"\"Crypto\":", "\"krypto\":", "keystore.crypto"},
	    {"\"Crypto\":{", "\"Crypto\":{\"more\":1,", "keystore.crypto"},
	    {"aes-128-ctr", "aes-128-cbc", "keystore.crypto.cipher"},
	    {"\"iv\":\"00", "\"iv\":\"", "keystore.crypto.cipherparams.iv"},
	    {"\"iv\":\"00", "\"iv\":\"0000", "keystore.crypto.cipherparams.iv"},
	    {"\"iv\":\"", "\"key\":1,\"iv\":\"", "keystore.crypto.cipherparams"},
	    {"\"ciphertext\":\"", "\"ciphertext\":\"zz", "keystore.crypto.ciphertext"},
	    {"\"ciphertext\":\"", "\"ciphertext\":7,\"mac\":\"", "keystore"},
	    {"\"mac\":\"", "\"mac\":\"00", "keystore.crypto.mac"},
	    {"\"pbkdf2\"", "\"argon2\"", "keystore.crypto.kdf"},
	    {"\"pbkdf2\"", "\"scrypt\"", "keystore.crypto.kdfparams"},
	    {"hmac-sha256", "hmac-sha1", "keystore.crypto.kdfparams.prf"},
	    {"\"c\":1", "\"c\":0", "keystore.crypto.kdfparams.c"},
	    {"\"c\":1", "\"c\":10000001", "keystore.crypto.kdfparams.c"},
	    {"\"c\":1", "\"c\":1.5", "keystore.crypto.kdfparams.c"},
	    {"\"c\":1", "\"c\":-1", "keystore.crypto.kdfparams.c"},
	    {"\"dklen\":32", "\"dklen\":31", "keystore.crypto.kdfparams.dklen"},
	    {"\"dklen\":32", "\"dklen\":65", "keystore.crypto.kdfparams.dklen"},
	    {"\"dklen\":32,", "", "keystore.crypto.kdfparams.dklen"},
	    {"\"salt\":\"00\"", "\"salt\":\"0\"", "keystore.crypto.kdfparams.salt"},
	    {"\"salt\":\"00\"", "\"salt\":null", "keystore.crypto.kdfparams.salt"},
	    {"\"address\":\"\"", "\"address\":\"00\"", "keystore.address"},
	    {"\"address\":\"\"", "\"address\":5", "keystore.address"},
	};
	char text[2048];

	make_v3(text, sizeof text, "0101", "");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		refused(ADY_KEYSTORE_V3, with(text, cases[i][0], cases[i][1]), cases[i][2]);
	refused(ADY_KEYSTORE_V3, "", "keystore");
	refused(ADY_KEYSTORE_V3, "[]", "keystore");
	refused(ADY_KEYSTORE_V3, "{\"version\":3,\"version\":3}", "keystore");
	refused(ADY_KEYSTORE_EIP2335, text, "keystore.version");
}

CASE(what_is_no_eip_2335)
{
	static const char *const cases[][3] = {
	    {"\"version\":4", "\"version\":3", "keystore.version"},
	    {"\"crypto\":{", "\"crypto\":{\"more\":{},", "keystore.crypto"},
	    {"\"crypto\":{", "\"Crypto\":{", "keystore.crypto"},
	    {"\"sha256\"", "\"keccak256\"", "keystore.crypto.checksum.function"},
	    {"\"params\":{},", "\"params\":{\"a\":1},", "keystore.crypto.checksum.params"},
	    {"\"params\":{},", "", "keystore.crypto.checksum.params"},
	    {"\"message\":\"\"", "\"message\":\"a\"", "keystore.crypto.kdf.message"},
	    {"\"message\":\"\"}", "\"message\":\"\",\"x\":1}", "keystore.crypto.kdf"},
	    {"\"message\":\"d2", "\"message\":\"", "keystore.crypto.checksum.message"},
	    {"\"message\":\"06", "\"message\":\"", "keystore.crypto.cipher.message"},
	    {"aes-128-ctr", "aes-256-ctr", "keystore.crypto.cipher.function"},
	    {"\"iv\":\"26", "\"iv\":\"", "keystore.crypto.cipher.params.iv"},
	    {"\"function\":\"scrypt\"", "\"function\":\"x\"", "keystore.crypto.kdf.function"},
	    {"\"n\":262144", "\"n\":262143", "keystore.crypto.kdf.params.n"},
	    {"\"n\":262144", "\"n\":1", "keystore.crypto.kdf.params.n"},
	    {"\"n\":262144", "\"n\":4194304", "keystore.crypto.kdf.params"},
	    {"\"n\":262144", "\"n\":33554432", "keystore.crypto.kdf.params.n"},
	    {"\"p\":1", "\"p\":0", "keystore.crypto.kdf.params.p"},
	    {"\"p\":1", "\"p\":1025", "keystore.crypto.kdf.params.p"},
	    {"\"p\":1", "\"p\":16", "keystore.crypto.kdf.params"},
	    {"\"r\":8", "\"r\":0", "keystore.crypto.kdf.params.r"},
	    {"\"r\":8", "\"r\":128", "keystore.crypto.kdf.params"},
	    {"\"pubkey\":\"96", "\"pubkey\":\"", "keystore.pubkey"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		refused(ADY_KEYSTORE_EIP2335, with(EIP_SCRYPT, cases[i][0], cases[i][1]),
		        cases[i][2]);
}

/* As large as a file may be, and one byte more. */
CASE(a_large_file)
{
	static char text[ADY_KEYSTORE_TEXT_MAX + 2];
	struct ady_fault f = {0};
	size_t n = strlen(EIP_PBKDF2);

	memcpy(text, EIP_PBKDF2, n);
	memset(text + n, ' ', sizeof text - n);
	CHECK_ERR(ady_keystore_read(&ks, ADY_KEYSTORE_EIP2335,
	                            ady_bytes(text, ADY_KEYSTORE_TEXT_MAX), &f),
	          ADY_OK);
	CHECK_ERR(ady_keystore_read(&ks, ADY_KEYSTORE_EIP2335,
	                            ady_bytes(text, ADY_KEYSTORE_TEXT_MAX + 1), &f),
	          ADY_E_KEYSTORE);
}

CASE(the_sealed_pair)
{
	static uint8_t long_password[ADY_KEYSTORE_PASSWORD_MAX + 1];
	uint8_t space[4096];
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_bytes text, password, whole;
	struct ady_fault f = {0};

	ady_keystore_pair_put(&b, ady_bytes_str("{}"), ady_bytes_str("pw"));
	whole = ady_buf_bytes(&b);
	CHECK_ERR(ady_keystore_pair_read(&text, &password, whole, &f), ADY_OK);
	CHECK(ady_bytes_is(text, "{}") && ady_bytes_is(password, "pw"));
	for (size_t n = 0; n < whole.n; n++)
		CHECK_ERR(ady_keystore_pair_read(&text, &password, ady_bytes(space, n), &f),
		          ADY_E_KEYSTORE);
	CHECK_STR(f.where, "sealed");
	b.n = 0;
	ady_keystore_pair_put(&b, ady_bytes_str("{}"), ady_bytes(long_password, 0));
	CHECK_ERR(ady_keystore_pair_read(&text, &password, ady_buf_bytes(&b), &f), ADY_OK);
	b.n = 0;
	ady_keystore_pair_put(&b, ady_bytes_str(""), ady_bytes_str("pw"));
	CHECK_ERR(ady_keystore_pair_read(&text, &password, ady_buf_bytes(&b), &f), ADY_E_KEYSTORE);
	b.n = 0;
	ady_keystore_pair_put(&b, ady_bytes_str("{}"),
	                      ady_bytes(long_password, sizeof long_password));
	CHECK_ERR(ady_keystore_pair_read(&text, &password, ady_buf_bytes(&b), &f), ADY_E_KEYSTORE);
	CHECK_INT(password.n, 0);
}

int main(void)
{
	RUN(both_vectors_of_the_eip);
	RUN(the_vectors_of_version_3);
	RUN(a_key_without_its_leading_zeros);
	RUN(the_address_is_compared);
	RUN(what_is_no_version_3);
	RUN(what_is_no_eip_2335);
	RUN(a_large_file);
	RUN(the_sealed_pair);
	return test_end();
}
