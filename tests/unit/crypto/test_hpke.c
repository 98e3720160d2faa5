/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/hpke.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <sodium.h>

#include "crypto/rng.h"
#include "published.h"
#include "vectors.h"

/* RFC 9180 appendix A.2.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305, base mode,
 * sequence number 0. The e2e tests seal by @hpke/core (tests/e2e/lib/import.mjs). */
CASE(the_vector_of_the_rfc)
{
	uint8_t secret[32], public[32], enc[32], out[64];
	struct ady_bytes b;

	b = test_hex("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb");
	memcpy(secret, b.p, 32);
	b = test_hex("4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a");
	memcpy(public, b.p, 32);
	b = test_hex("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a");
	memcpy(enc, b.p, 32);
	b = test_hex("1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce"
	             "81883d2dd1b51a28");
	CHECK_ERR(ady_hpke_open(out, secret, public, enc, ady_bytes_str("Ode on a Grecian Urn"),
	                        ady_bytes_str("Count-0"), b),
	          ADY_OK);
	CHECK_HEX(out, 29, "4265617574792069732074727574682c20747275746820626561757479");
}

CASE(what_is_sealed_opens)
{
	uint8_t secret[32], public[32], enc[32], ct[100 + 16], out[100], pt[100];

	for (size_t n = 0; n <= sizeof pt; n++) {
		ady_random(pt, sizeof pt);
		ady_hpke_keypair(secret, public);
		CHECK_ERR(ady_hpke_seal(enc, ct, public, ady_bytes_str("i"), ady_bytes_str("a"),
		                        ady_bytes(pt, n)),
		          ADY_OK);
		CHECK_ERR(ady_hpke_open(out, secret, public, enc, ady_bytes_str("i"),
		                        ady_bytes_str("a"), ady_bytes(ct, n + 16)),
		          ADY_OK);
		CHECK(memcmp(out, pt, n) == 0);
	}
}

CASE(nothing_changed_opens)
{
	static const uint8_t zero[32];
	uint8_t in[32 + 32 + 4 + 4 + 48], secret[32], out[32];
	uint8_t *public = in, *enc = in + 32, *info = in + 64, *aad = in + 68, *ct = in + 72;

	ady_hpke_keypair(secret, public);
	memcpy(info, "infoaad.", 8);
	CHECK_ERR(ady_hpke_seal(enc, ct, public, ady_bytes(info, 4), ady_bytes(aad, 4),
	                        ady_bytes("32 bytes of text for this, here!", 32)),
	          ADY_OK);
	for (size_t bit = 0; bit < 8 * sizeof in; bit++) {
		in[bit / 8] ^= (uint8_t)(1 << bit % 8);
		/* X25519 does not look at the highest bit of a point, but the key schedule does. */
		CHECK_ERR(ady_hpke_open(out, secret, public, enc, ady_bytes(info, 4),
		                        ady_bytes(aad, 4), ady_bytes(ct, 48)),
		          ADY_E_CRYPTO);
		CHECK(memcmp(out, zero, 32) == 0);
		in[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	CHECK_ERR(ady_hpke_open(out, secret, public, enc, ady_bytes(info, 4), ady_bytes(aad, 4),
	                        ady_bytes(ct, 15)),
	          ADY_E_CRYPTO);
	secret[5] ^= 1;
	CHECK_ERR(ady_hpke_open(out, secret, public, enc, ady_bytes(info, 4), ady_bytes(aad, 4),
	                        ady_bytes(ct, 48)),
	          ADY_E_CRYPTO);
}

/* Points of small order give a shared secret that everybody knows (RFC 7748 section 6.1). */
CASE(points_of_small_order_are_refused)
{
	static const char *const points[] = {
	    "0000000000000000000000000000000000000000000000000000000000000000",
	    "0100000000000000000000000000000000000000000000000000000000000000",
	    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	uint8_t secret[32], public[32], enc[32], ct[48] = {0}, out[32];

	ady_hpke_keypair(secret, public);
	for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
		struct ady_bytes p = test_hex(points[i]);

		memcpy(enc, p.p, 32);
		CHECK_ERR(ady_hpke_open(out, secret, public, enc, (struct ady_bytes){0},
		                        (struct ady_bytes){0}, ady_bytes(ct, 48)),
		          ADY_E_CRYPTO);
		memcpy(public, p.p, 32);
		CHECK_ERR(ady_hpke_seal(enc, ct, public, (struct ady_bytes){0},
		                        (struct ady_bytes){0}, ady_bytes(out, 32)),
		          ADY_E_CRYPTO);
	}
}

/* HKDF-SHA256 by OpenSSL, one of its two steps. */
static void hkdf(uint8_t *out, size_t n, int mode, struct ady_bytes key, struct ady_bytes other)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
	const char *name =
	    mode == EVP_KDF_HKDF_MODE_EXTRACT_ONLY ? OSSL_KDF_PARAM_SALT : OSSL_KDF_PARAM_INFO;
	char sha256[] = "SHA256";
	OSSL_PARAM params[] = {
	    OSSL_PARAM_int(OSSL_KDF_PARAM_MODE, &mode),
	    OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, sha256, 6),
	    OSSL_PARAM_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)key.p, key.n),
	    OSSL_PARAM_octet_string(name, (void *)(uintptr_t)other.p, other.n),
	    OSSL_PARAM_END,
	};

	CHECK_INT(EVP_KDF_derive(ctx, out, n, params), 1);
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
}

static const uint8_t kem_id[] = {'K', 'E', 'M', 0, 0x20};
static const uint8_t suite_id[] = {'H', 'P', 'K', 'E', 0, 0x20, 0, 1, 0, 3};

/* RFC 9180, section 4: LabeledExtract and LabeledExpand. */
static void extract(uint8_t out[static 32], struct ady_bytes suite, struct ady_bytes salt,
                    const char *label, struct ady_bytes ikm)
{
	uint8_t space[256];
	struct ady_buf b = ady_buf(space, sizeof space);

	ady_buf_str(&b, "HPKE-v1");
	ady_buf_view(&b, suite);
	ady_buf_str(&b, label);
	ady_buf_view(&b, ikm);
	hkdf(out, 32, EVP_KDF_HKDF_MODE_EXTRACT_ONLY, ady_buf_bytes(&b), salt);
}

static void expand(uint8_t *out, uint16_t n, struct ady_bytes suite, const uint8_t prk[static 32],
                   const char *label, struct ady_bytes info)
{
	uint8_t space[256];
	struct ady_buf b = ady_buf(space, sizeof space);

	ady_buf_be16(&b, n);
	ady_buf_str(&b, "HPKE-v1");
	ady_buf_view(&b, suite);
	ady_buf_str(&b, label);
	ady_buf_view(&b, info);
	hkdf(out, n, EVP_KDF_HKDF_MODE_EXPAND_ONLY, ady_bytes(prk, 32), ady_buf_bytes(&b));
}

/* Sections 4.1 and 5.1 by OpenSSL, from the value of Diffie-Hellman to the ciphertext of pt without
 * info and AAD: what whoever knows that value sends to public under the name enc. */
static void seal_by_openssl(uint8_t *ct, struct ady_bytes dh, const uint8_t *enc,
                            const uint8_t *public, struct ady_bytes pt)
{
	const struct ady_bytes kem = {kem_id, sizeof kem_id}, suite = {suite_id, sizeof suite_id};
	const struct ady_bytes none = {(const uint8_t *)"", 0};
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t both[64], prk[32], shared[32], context[65] = {0}, key[32], nonce[12];
	int n = 0;

	memcpy(both, enc, 32);
	memcpy(both + 32, public, 32);
	extract(prk, kem, none, "eae_prk", dh);
	expand(shared, 32, kem, prk, "shared_secret", ady_bytes(both, 64));
	extract(context + 1, suite, none, "psk_id_hash", none);
	extract(context + 33, suite, none, "info_hash", none);
	extract(prk, suite, ady_bytes(shared, 32), "secret", none);
	expand(key, 32, suite, prk, "key", ady_bytes(context, 65));
	expand(nonce, 12, suite, prk, "base_nonce", ady_bytes(context, 65));
	CHECK(EVP_EncryptInit_ex(ctx, EVP_chacha20_poly1305(), NULL, key, nonce) == 1 &&
	      EVP_EncryptUpdate(ctx, ct, &n, pt.p, (int)pt.n) == 1 && n == (int)pt.n &&
	      EVP_EncryptFinal_ex(ctx, ct + n, &n) == 1 &&
	      EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, ct + pt.n) == 1);
	EVP_CIPHER_CTX_free(ctx);
}

/* A vector of X25519 is a message to the vector's private key from the owner of its public one. The
 * shared values of small order open nothing, and nothing is sealed to such a point. */
static void x25519_vector(json_t *v)
{
	static const uint8_t zero[32];
	const struct ady_bytes none = {0}, pt = ady_bytes_str("Wycheproof");
	uint8_t secret[32], enc[32], public[32], ct[10 + 16], out[10];
	struct ady_bytes dh;
	bool small;

	memcpy(secret, test_json_hex(v, "private").p, 32);
	memcpy(enc, test_json_hex(v, "public").p, 32);
	dh = test_json_hex(v, "shared");
	small = ady_bytes_eq(dh, ady_bytes(zero, 32));
	CHECK_ERR(ady_hpke_public(public, secret), ADY_OK);
	seal_by_openssl(ct, dh, enc, public, pt);
	CHECK_ERR(ady_hpke_open(out, secret, public, enc, none, none, ady_bytes(ct, sizeof ct)),
	          small ? ADY_E_CRYPTO : ADY_OK);
	CHECK(small || ady_bytes_eq(pt, ady_bytes(out, sizeof out)));
	CHECK_ERR(ady_hpke_seal(public, ct, enc, none, none, pt), small ? ADY_E_CRYPTO : ADY_OK);
}

CASE(wycheproof_of_x25519)
{
	struct ady_bytes file = test_published("x25519.json");
	json_t *list = file.p ? json_loadb((const char *)file.p, file.n, 0, NULL) : NULL, *v;
	size_t i;

	if (!file.p)
		return;
	CHECK_INT(json_array_size(list), 87);
	json_array_foreach(list, i, v) x25519_vector(v);
	json_decref(list);
	test_published_free(file);
}

/* ring's and BoringSSL's cases, among them each length of padding, on the calls that hpke.c makes;
 * its own keys and nonces come out of the key schedule. The one of another nonce's length has no
 * type here. */
static void chacha_record(const struct test_record *r)
{
	const struct ady_bytes key = test_record_bytes(r, "KEY"), ct = test_record_bytes(r, "CT");
	const struct ady_bytes in = test_record_bytes(r, "IN"), tag = test_record_bytes(r, "TAG");
	const struct ady_bytes aad = test_record_bytes(r, "AD"), n = test_record_bytes(r, "NONCE");
	uint8_t out[1024], sealed[1024 + 16];

	if (ady_bytes_is(test_record_text(r, "FAILS"), "WRONG_NONCE_LENGTH")) {
		CHECK(n.n != crypto_aead_chacha20poly1305_IETF_NPUBBYTES);
		return;
	}
	if (!CHECK(key.n == 32 && n.n == 12 && tag.n == 16 && in.n <= 1024 && ct.n == in.n))
		return;
	CHECK_INT(crypto_aead_chacha20poly1305_ietf_encrypt(sealed, NULL, in.p, in.n, aad.p, aad.n,
	                                                    NULL, n.p, key.p),
	          0);
	CHECK(ady_bytes_eq(ct, ady_bytes(sealed, ct.n)));
	CHECK(ady_bytes_eq(tag, ady_bytes(sealed + ct.n, 16)));
	CHECK_INT(crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed, ct.n + 16,
	                                                    aad.p, aad.n, n.p, key.p),
	          0);
	CHECK(ady_bytes_eq(in, ady_bytes(out, in.n)));
	sealed[ct.n + 15] ^= 0x80;
	CHECK_INT(crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed, ct.n + 16,
	                                                    aad.p, aad.n, n.p, key.p),
	          -1);
}

CASE(chacha20_poly1305_of_ring)
{
	test_published_records("chacha20_poly1305.txt", chacha_record);
}

int main(void)
{
	CHECK(sodium_init() >= 0);
	RUN(the_vector_of_the_rfc);
	RUN(what_is_sealed_opens);
	RUN(nothing_changed_opens);
	RUN(points_of_small_order_are_refused);
	RUN(wycheproof_of_x25519);
	RUN(chacha20_poly1305_of_ring);
	return test_end();
}
