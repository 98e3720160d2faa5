/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/aes.h"

#include <openssl/evp.h>

#include "crypto/rng.h"
#include "vectors.h"

static const uint8_t key[32] = {1, 2, 3}, iv[16] = {4, 5, 6};

/* One block of CBC without padding, by OpenSSL: to make plaintexts of any ending. */
static void raw_cbc(uint8_t *out, const uint8_t *in, size_t n)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int got = 0;

	EVP_EncryptInit_ex2(ctx, EVP_aes_256_cbc(), key, iv, NULL);
	EVP_CIPHER_CTX_set_padding(ctx, 0);
	EVP_EncryptUpdate(ctx, out, &got, in, (int)n);
	CHECK_INT(got, n);
	EVP_CIPHER_CTX_free(ctx);
}

CASE(cbc_round_trip_of_every_length)
{
	uint8_t pt[100], ct[116], back[116];
	size_t n, m;

	ady_random(pt, sizeof pt);
	for (size_t len = 0; len <= sizeof pt; len++) {
		CHECK_ERR(ady_aes_cbc_seal(ct, &n, key, iv, ady_bytes(pt, len)), ADY_OK);
		CHECK_INT(n, (len / 16 + 1) * 16);
		CHECK_ERR(ady_aes_cbc_open(back, &m, key, iv, ady_bytes(ct, n)), ADY_OK);
		CHECK_INT(m, len);
		CHECK(memcmp(pt, back, len) == 0);
	}
}

/* Each last block 0..0 with k bytes of value v at its end: right only for k >= v and v in 1..16. */
CASE(cbc_padding_by_every_rule)
{
	static const uint8_t zero[32];
	uint8_t pt[32], ct[32], out[32];
	size_t n;

	for (unsigned v = 0; v < 256; v++) {
		for (unsigned k = 1; k <= 16; k++) {
			bool good = v >= 1 && v <= 16 && k >= v;

			memset(pt, 0, sizeof pt);
			memset(pt + 32 - k, (int)v, k);
			raw_cbc(ct, pt, 32);
			memset(out, 0xee, sizeof out);
			CHECK_ERR(ady_aes_cbc_open(out, &n, key, iv, ady_bytes(ct, 32)),
			          good ? ADY_OK : ADY_E_CRYPTO);
			CHECK_INT(n, good ? 32 - v : 0);
			if (!good)
				CHECK(memcmp(out, zero, 32) == 0);
		}
	}
}

CASE(cbc_lengths_that_are_refused)
{
	static const size_t bad[] = {0, 1, 15, 17, 31, 33};
	uint8_t ct[48] = {0}, out[48];
	size_t n;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		n = 9;
		CHECK_ERR(ady_aes_cbc_open(out, &n, key, iv, ady_bytes(ct, bad[i])), ADY_E_CRYPTO);
		CHECK_INT(n, 0);
	}
}

static size_t cbc_done, gcm_done;

static void cbc_vector(json_t *group, json_t *vector)
{
	struct ady_bytes k = test_json_hex(vector, "key"), v = test_json_hex(vector, "iv");
	struct ady_bytes msg = test_json_hex(vector, "msg"), ct = test_json_hex(vector, "ct");
	uint8_t out[4096];
	size_t n;

	if (json_integer_value(json_object_get(group, "keySize")) != 256 || v.n != 16)
		return;
	cbc_done++;
	if (!test_json_valid(vector)) {
		CHECK_ERR(ady_aes_cbc_open(out, &n, k.p, v.p, ct), ADY_E_CRYPTO);
		return;
	}
	CHECK_ERR(ady_aes_cbc_open(out, &n, k.p, v.p, ct), ADY_OK);
	CHECK(ady_bytes_eq(ady_bytes(out, n), msg));
	CHECK_ERR(ady_aes_cbc_seal(out, &n, k.p, v.p, msg), ADY_OK);
	CHECK(ady_bytes_eq(ady_bytes(out, n), ct));
}

CASE(wycheproof_cbc)
{
	if (test_wycheproof("aes_cbc_pkcs5_test.json", cbc_vector) > 0)
		CHECK(cbc_done > 50);
}

static void gcm_vector(json_t *group, json_t *vector)
{
	struct ady_bytes k = test_json_hex(vector, "key"), v = test_json_hex(vector, "iv");
	struct ady_bytes aad = test_json_hex(vector, "aad"), msg = test_json_hex(vector, "msg");
	struct ady_bytes ct = test_json_hex(vector, "ct"), tag = test_json_hex(vector, "tag");
	uint8_t sealed[4096], out[4096];
	bool valid = test_json_valid(vector);

	if (json_integer_value(json_object_get(group, "keySize")) != 256 || v.n != 12 ||
	    tag.n != 16)
		return;
	gcm_done++;
	CHECK_ERR(ady_aes_gcm_seal(sealed, k.p, v.p, aad, msg), ADY_OK);
	CHECK_INT(ady_bytes_eq(ady_bytes(sealed + ct.n, 16), tag), valid);
	memcpy(sealed, ct.p, ct.n);
	memcpy(sealed + ct.n, tag.p, 16);
	CHECK_ERR(ady_aes_gcm_open(out, k.p, v.p, aad, ady_bytes(sealed, ct.n + 16)),
	          valid ? ADY_OK : ADY_E_CRYPTO);
	if (valid)
		CHECK(ady_bytes_eq(ady_bytes(out, ct.n), msg));
}

CASE(wycheproof_gcm)
{
	if (test_wycheproof("aes_gcm_test.json", gcm_vector) > 0)
		CHECK(gcm_done > 50);
}

/* Each bit matters: of key, nonce, additional data, ciphertext and tag. */
CASE(gcm_every_bit_is_authentic)
{
	static const uint8_t zero[20];
	uint8_t in[32 + 12 + 7 + 36], out[20];
	uint8_t *k = in, *nonce = in + 32, *aad = in + 44, *ct = in + 51;

	ady_random(in, 51);
	CHECK_ERR(ady_aes_gcm_seal(ct, k, nonce, ady_bytes(aad, 7),
	                           ady_bytes("twenty bytes of text", 20)),
	          ADY_OK);
	CHECK_ERR(ady_aes_gcm_open(out, k, nonce, ady_bytes(aad, 7), ady_bytes(ct, 36)), ADY_OK);
	CHECK(memcmp(out, "twenty bytes of text", 20) == 0);
	for (size_t bit = 0; bit < 8 * sizeof in; bit++) {
		in[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CHECK_ERR(ady_aes_gcm_open(out, k, nonce, ady_bytes(aad, 7), ady_bytes(ct, 36)),
		          ADY_E_CRYPTO);
		CHECK(memcmp(out, zero, 20) == 0);
		in[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	CHECK_ERR(ady_aes_gcm_open(out, k, nonce, ady_bytes(aad, 7), ady_bytes(ct, 15)),
	          ADY_E_CRYPTO);
}

/* One context for messages under changing keys, good ones and bad ones in turn, in both directions.
 */
CASE(a_gcm_context_is_used_again)
{
	struct ady_gcm *gcm;
	uint8_t k[32], nonce[12], aad[300], text[32], one[48], two[48], out[32];

	CHECK_ERR(ady_gcm_new(&gcm), ADY_OK);
	for (int i = 0; i < 200; i++) {
		struct ady_bytes a = ady_bytes(aad, (size_t)i), t = ady_bytes(text, 32);

		ady_random(k, sizeof k);
		ady_random(nonce, sizeof nonce);
		ady_random(aad, sizeof aad);
		ady_random(text, sizeof text);
		CHECK_ERR(ady_gcm_seal(gcm, one, k, nonce, a, t), ADY_OK);
		CHECK_ERR(ady_aes_gcm_seal(two, k, nonce, a, t), ADY_OK);
		CHECK(memcmp(one, two, sizeof one) == 0);
		two[i % 48] ^= 1;
		CHECK_ERR(ady_gcm_open(gcm, out, k, nonce, a, ady_bytes(two, 48)), ADY_E_CRYPTO);
		CHECK_ERR(ady_gcm_open(gcm, out, k, nonce, a, ady_bytes(one, 48)), ADY_OK);
		CHECK(memcmp(out, text, 32) == 0);
	}
	CHECK_ERR(ady_gcm_open(gcm, out, k, nonce, ady_bytes(aad, 0), ady_bytes(one, 15)),
	          ADY_E_CRYPTO);
	ady_gcm_free(gcm);
	ady_gcm_free(NULL);
}

int main(void)
{
	RUN(a_gcm_context_is_used_again);
	RUN(cbc_round_trip_of_every_length);
	RUN(cbc_padding_by_every_rule);
	RUN(cbc_lengths_that_are_refused);
	RUN(wycheproof_cbc);
	RUN(gcm_every_bit_is_authentic);
	RUN(wycheproof_gcm);
	return test_end();
}
