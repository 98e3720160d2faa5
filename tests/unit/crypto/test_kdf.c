/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/kdf.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "crypto/aes.h"
#include "crypto/rng.h"
#include "published.h"

/* RFC 7914 section 12; 32 of its 64 bytes. */
CASE(scrypt_of_the_rfc)
{
	static const struct {
		const char *password, *salt;
		struct ady_scrypt params;
		const char *key;
	} v[] = {
	    {"",
	     "",
	     {16, 1, 1},
	     "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"},
	    {"password",
	     "NaCl",
	     {1024, 8, 16},
	     "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"},
	    {"pleaseletmein",
	     "SodiumChloride",
	     {16384, 8, 1},
	     "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"},
	};
	uint8_t out[32];

	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		CHECK_ERR(ady_scrypt_derive(out, ady_bytes_str(v[i].password),
		                            ady_bytes_str(v[i].salt), &v[i].params),
		          ADY_OK);
		CHECK_HEX(out, 32, v[i].key);
	}
}

/* RFC 7914 section 11. */
CASE(pbkdf2_of_the_rfc)
{
	uint8_t out[32];

	CHECK_ERR(ady_pbkdf2_derive(out, ady_bytes_str("passwd"), ady_bytes_str("salt"), 1),
	          ADY_OK);
	CHECK_HEX(out, 32, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
	CHECK_ERR(ady_pbkdf2_derive(out, ady_bytes_str("Password"), ady_bytes_str("NaCl"), 80000),
	          ADY_OK);
	CHECK_HEX(out, 32, "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56");
}

/* What ring and BoringSSL hold theirs against; test_hmac512 has those with SHA-512. Ours are the
 * first 32 bytes: of a key that is changed behind them nothing is to be seen. */
static void pbkdf2_record(const struct test_record *r)
{
	struct ady_bytes key = test_record_bytes(r, "DK");
	bool whole = key.n > 0 && key.n <= 32;
	char rounds[16];
	uint8_t out[32];

	if (!ady_bytes_is(test_record_text(r, "Hash"), "SHA256"))
		return;
	CHECK(ady_bytes_to_str(rounds, sizeof rounds, test_record_text(r, "c")));
	CHECK_ERR(ady_pbkdf2_derive(out, test_record_bytes(r, "P"), test_record_bytes(r, "S"),
	                            (uint32_t)strtoul(rounds, NULL, 10)),
	          ADY_OK);
	key.n = key.n < 32 ? key.n : 32;
	if (ady_bytes_is(test_record_text(r, "Verify"), "OK"))
		CHECK(ady_bytes_eq(key, ady_bytes(out, key.n)));
	else if (whole)
		CHECK(!ady_bytes_eq(key, ady_bytes(out, key.n)));
}

CASE(pbkdf2_of_ring)
{
	test_published_records("pbkdf2.txt", pbkdf2_record);
}

/* Parameters of many kinds against OpenSSL's own scrypt and PBKDF2. */
CASE(both_agree_with_openssl)
{
	static const struct ady_scrypt params[] = {
	    {2, 1, 1}, {64, 3, 5}, {256, 8, 2}, {1024, 1, 8}};
	uint8_t in[64], ours[32], theirs[64];

	for (size_t i = 0; i < 4; i++)
		for (size_t n = 0; n <= 64; n += 16) {
			struct ady_bytes pw = ady_bytes(in, n), salt = ady_bytes(in, 64 - n);
			const char *p = (const char *)in;
			int c = (int)(1 + 7 * i);

			ady_random(in, sizeof in);
			CHECK_ERR(ady_scrypt_derive(ours, pw, salt, &params[i]), ADY_OK);
			CHECK_INT(EVP_PBE_scrypt(p, n, in, 64 - n, params[i].n, params[i].r,
			                         params[i].p, 1 << 30, theirs, 64),
			          1);
			CHECK(memcmp(ours, theirs, 32) == 0);
			CHECK_ERR(ady_pbkdf2_derive(ours, pw, salt, (uint32_t)c), ADY_OK);
			CHECK_INT(PKCS5_PBKDF2_HMAC(p, (int)n, in, (int)(64 - n), c, EVP_sha256(),
			                            64, theirs),
			          1);
			CHECK(memcmp(ours, theirs, 32) == 0);
		}
}

CASE(the_memory_of_scrypt)
{
	static const struct ady_scrypt bad[] = {{0, 8, 1},
	                                        {1, 8, 1},
	                                        {3, 8, 1},
	                                        {1ull << 32, 8, 1},
	                                        {16, 0, 1},
	                                        {16, 8, 0},
	                                        {16, 1 << 15, 1 << 15}};
	uint8_t out[32];

	CHECK_INT(ady_scrypt_memory(&(struct ady_scrypt){262144, 8, 1}),
	          128ll * 8 * 262145 + 256 * 8 + 64);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		memset(out, 1, sizeof out);
		CHECK(ady_scrypt_memory(&bad[i]) == UINT64_MAX);
		CHECK_ERR(ady_scrypt_derive(out, ady_bytes_str("p"), ady_bytes_str("s"), &bad[i]),
		          ADY_E_MEMORY);
		CHECK_INT(out[0] | out[31], 0);
	}
	/* More than the address space has. */
	CHECK_ERR(ady_scrypt_derive(out, ady_bytes_str("p"), ady_bytes_str("s"),
	                            &(struct ady_scrypt){1ull << 31, 1 << 20, 1}),
	          ADY_E_MEMORY);
}

/* NIST SP 800-38A section F.5.1; the counter carries over its whole block. */
CASE(aes128_ctr_of_nist)
{
	uint8_t key[16], iv[16], out[64];

	memcpy(key, test_hex("2b7e151628aed2a6abf7158809cf4f3c").p, 16);
	memcpy(iv, test_hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff").p, 16);
	CHECK_ERR(ady_aes128_ctr(out, key, iv,
	                         test_hex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac"
	                                  "45af8e5130c81c46a35ce411e5fbc1191a0a52ef")),
	          ADY_OK);
	CHECK_HEX(out, 48,
	          "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff5ae4df3edbd5d35e"
	          "5b4f09020db03eab");
	memset(iv, 0xff, sizeof iv);
	CHECK_ERR(ady_aes128_ctr(out, key, iv, ady_bytes(iv, 0)), ADY_OK);
	CHECK_ERR(ady_aes128_ctr(out, key, iv,
	                         test_hex("00000000000000000000000000000000"
	                                  "00000000000000000000000000000000")),
	          ADY_OK);
	CHECK_HEX(out + 16, 16, "7df76b0c1ab899b33e42f047b91b546f");
}

int main(void)
{
	RUN(scrypt_of_the_rfc);
	RUN(pbkdf2_of_the_rfc);
	RUN(pbkdf2_of_ring);
	RUN(both_agree_with_openssl);
	RUN(the_memory_of_scrypt);
	RUN(aes128_ctr_of_nist);
	return test_end();
}
