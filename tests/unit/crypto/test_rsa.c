/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/rsa.c" /* private keys are made, never read: the vectors need a way in */

#include <openssl/bn.h>

#include "crypto/rng.h"
#include "vectors.h"

static struct ady_rsa *rsa; /* 2048 bits */

static void refused(struct ady_bytes ct)
{
	static const uint8_t zero[32];
	uint8_t out[32];

	memset(out, 0xee, sizeof out);
	CHECK_ERR(ady_rsa_oaep_open32(out, rsa, ct), ADY_E_CRYPTO);
	CHECK(memcmp(out, zero, 32) == 0);
}

/* Encoding and encryption by OpenSSL, decoding by us. */
CASE(round_trip)
{
	uint8_t m[32], out[32], ct[ADY_RSA_MODULUS_MAX];
	size_t n;

	for (unsigned i = 0; i < 50; i++) {
		ady_random(m, sizeof m);
		CHECK_ERR(ady_rsa_oaep_seal(ct, &n, ady_rsa_spki(rsa), ady_bytes(m, 32)), ADY_OK);
		CHECK_INT(n, 256);
		CHECK_ERR(ady_rsa_oaep_open32(out, rsa, ady_bytes(ct, n)), ADY_OK);
		CHECK(memcmp(m, out, 32) == 0);
	}
}

CASE(sizes)
{
	static const struct {
		unsigned bits;
		size_t spki;
	} v[] = {{2048, 294}, {3072, 422}, {4096, 550}};
	uint8_t m[32] = {7}, out[32], ct[ADY_RSA_MODULUS_MAX];
	struct ady_rsa *r;
	size_t n;

	for (size_t i = 0; i < 2; i++) { /* 4096 bits take too long for a test */
		CHECK_ERR(ady_rsa_new(&r, v[i].bits), ADY_OK);
		CHECK_INT(ady_rsa_spki(r).n, v[i].spki);
		CHECK_INT(ady_rsa_size(r), v[i].bits / 8);
		CHECK_ERR(ady_rsa_oaep_seal(ct, &n, ady_rsa_spki(r), ady_bytes(m, 32)), ADY_OK);
		CHECK_ERR(ady_rsa_oaep_open32(out, r, ady_bytes(ct, n)), ADY_OK);
		CHECK(memcmp(m, out, 32) == 0);
		ady_rsa_free(r);
	}
	CHECK_ERR(ady_rsa_new(&r, 1024), ADY_E_CRYPTO);
	CHECK(!r);
}

/* OpenSSL checks what it did not make itself: both primes, and that the other numbers follow. */
CASE(openssl_finds_new_keys_right)
{
	BIGNUM *n = NULL, *e = NULL, *p = NULL, *q = NULL;
	struct ady_rsa *r;

	for (unsigned i = 0; i < 8; i++) {
		CHECK_ERR(ady_rsa_new(&r, i ? 2048 : 3072), ADY_OK);
		EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, r->pkey, NULL);

		CHECK(EVP_PKEY_check(ctx) == 1);
		CHECK_INT(EVP_PKEY_get_bits(r->pkey), i ? 2048 : 3072);
		CHECK(EVP_PKEY_get_bn_param(r->pkey, "n", &n) &&
		      EVP_PKEY_get_bn_param(r->pkey, "e", &e));
		CHECK(EVP_PKEY_get_bn_param(r->pkey, "rsa-factor1", &p) &&
		      EVP_PKEY_get_bn_param(r->pkey, "rsa-factor2", &q));
		CHECK(BN_is_word(e, 65537) && BN_cmp(p, q) > 0);
		CHECK_INT(BN_num_bits(p), i ? 1024 : 1536);
		CHECK_INT(BN_num_bits(q), i ? 1024 : 1536);
		CHECK(BN_is_bit_set(p, BN_num_bits(p) - 2) && BN_is_bit_set(q, BN_num_bits(q) - 2));
		EVP_PKEY_CTX_free(ctx);
		ady_rsa_free(r);
	}
	BN_clear_free(p);
	BN_clear_free(q);
	BN_free(n);
	BN_free(e);
}

CASE(other_lengths_than_32_are_refused)
{
	uint8_t m[64] = {0}, ct[ADY_RSA_MODULUS_MAX];
	size_t n;

	for (size_t len = 0; len <= sizeof m; len++) {
		CHECK_ERR(ady_rsa_oaep_seal(ct, &n, ady_rsa_spki(rsa), ady_bytes(m, len)), ADY_OK);
		if (len != 32)
			refused(ady_bytes(ct, n));
	}
}

/* Encrypt a block without any padding. */
static void raw_encrypt(uint8_t ct[256], const uint8_t em[256])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, rsa->pkey, NULL);
	size_t n = 256;

	CHECK(EVP_PKEY_encrypt_init(ctx) == 1 &&
	      EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1 &&
	      EVP_PKEY_encrypt(ctx, ct, &n, em, 256) == 1);
	EVP_PKEY_CTX_free(ctx);
}

/* Mask a block 00 || seed || DB as RFC 8017 section 7.1.1 says, then encrypt it. */
static void encrypt_block(uint8_t ct[256], const uint8_t block[256])
{
	uint8_t em[256];

	memcpy(em, block, 256);
	mgf1_xor(em + 33, 223, ady_bytes(em + 1, 32));
	mgf1_xor(em + 1, 32, ady_bytes(em + 33, 223));
	raw_encrypt(ct, em);
}

/* Every byte of the block that has one right value, changed alone. */
CASE(every_byte_of_the_padding_counts)
{
	uint8_t block[256] = {0}, ct[256], out[32];

	ady_random(block + 1, 32);
	memcpy(block + 33, label_hash, 32);
	block[256 - 33] = 1;
	ady_random(block + 256 - 32, 32);
	encrypt_block(ct, block);
	CHECK_ERR(ady_rsa_oaep_open32(out, rsa, ady_bytes(ct, 256)), ADY_OK);
	CHECK(memcmp(out, block + 256 - 32, 32) == 0);
	for (size_t i = 33; i < 256 - 32; i++) {
		block[i] ^= 0x80;
		encrypt_block(ct, block);
		refused(ady_bytes(ct, 256));
		block[i] ^= 0x80 ^ 0x01;
		encrypt_block(ct, block);
		refused(ady_bytes(ct, 256));
		block[i] ^= 0x01;
	}
	block[0] = 1; /* the modulus has its top bit set, so that this is still below it */
	encrypt_block(ct, block);
	refused(ady_bytes(ct, 256));
}

CASE(ciphertexts_that_are_no_numbers_below_the_modulus)
{
	uint8_t ct[257];

	memset(ct, 0xff, sizeof ct);
	refused(ady_bytes(ct, 256));
	refused(ady_bytes(ct, 255));
	refused(ady_bytes(ct, 257));
	refused(ady_bytes(ct, 0));
	memset(ct, 0, sizeof ct);
	refused(ady_bytes(ct, 256));
	ct[255] = 1;
	refused(ady_bytes(ct, 256));
}

CASE(keys_that_cannot_be_sealed_to)
{
	uint8_t spki[ADY_RSA_SPKI_MAX + 1] = {0}, ct[ADY_RSA_MODULUS_MAX], m[32] = {0};
	struct ady_bytes good = ady_rsa_spki(rsa);
	size_t n;

	memcpy(spki, good.p, good.n);
	for (size_t cut = 0; cut < good.n; cut++)
		CHECK_ERR(ady_rsa_oaep_seal(ct, &n, ady_bytes(spki, cut), ady_bytes(m, 32)),
		          ADY_E_CRYPTO);
	CHECK_INT(n, 0);
	CHECK_ERR(ady_rsa_oaep_seal(ct, &n, ady_bytes(spki, good.n + 1), ady_bytes(m, 32)),
	          ADY_E_CRYPTO);
	CHECK_ERR(ady_rsa_oaep_seal(ct, &n, good, ady_bytes(spki, 191)), ADY_E_CRYPTO);
}

static EVP_PKEY *small_key(const char *type, size_t bits)
{
	return strcmp(type, "EC") == 0 ? EVP_EC_gen("P-384")
	                               : EVP_PKEY_Q_keygen(NULL, NULL, "RSA", bits);
}

CASE(other_kinds_of_keys_are_refused)
{
	static const char *const types[] = {"EC", "RSA"};
	uint8_t spki[ADY_RSA_SPKI_MAX], *at, ct[ADY_RSA_MODULUS_MAX], m[32] = {0};
	size_t n;

	for (size_t i = 0; i < 2; i++) {
		EVP_PKEY *pkey = small_key(types[i], 1024);
		int len = i2d_PUBKEY(pkey, (at = spki, &at));

		CHECK(len > 0);
		CHECK_ERR(ady_rsa_oaep_seal(ct, &n, ady_bytes(spki, (size_t)len), ady_bytes(m, 32)),
		          ADY_E_CRYPTO);
		EVP_PKEY_free(pkey);
	}
}

/* Valid vectors with 32 bytes and no label open; every other one is refused. */
static void wycheproof_vector(json_t *group, json_t *vector)
{
	struct ady_bytes pkcs8 = test_json_hex(group, "privateKeyPkcs8");
	struct ady_bytes msg = test_json_hex(vector, "msg"), ct = test_json_hex(vector, "ct");
	const uint8_t *at = pkcs8.p;
	struct ady_rsa key = {.pkey = d2i_AutoPrivateKey(NULL, &at, (long)pkcs8.n), .size = 256};
	bool open = test_json_valid(vector) && msg.n == 32 && test_json_hex(vector, "label").n == 0;
	uint8_t out[32];

	CHECK(key.pkey != NULL);
	CHECK_ERR(ady_rsa_oaep_open32(out, &key, ct), open ? ADY_OK : ADY_E_CRYPTO);
	if (open)
		CHECK(memcmp(out, msg.p, 32) == 0);
	EVP_PKEY_free(key.pkey);
}

CASE(wycheproof)
{
	test_wycheproof("rsa_oaep_2048_sha256_mgf1sha256_test.json", wycheproof_vector);
}

int main(void)
{
	if (ady_rsa_new(&rsa, 2048) != ADY_OK)
		return 1;
	RUN(round_trip);
	RUN(sizes);
	RUN(openssl_finds_new_keys_right);
	RUN(other_lengths_than_32_are_refused);
	RUN(every_byte_of_the_padding_counts);
	RUN(ciphertexts_that_are_no_numbers_below_the_modulus);
	RUN(keys_that_cannot_be_sealed_to);
	RUN(other_kinds_of_keys_are_refused);
	RUN(wycheproof);
	ady_rsa_free(rsa);
	return test_end();
}
