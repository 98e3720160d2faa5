/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/rsa.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "crypto/evp.h"
#include "crypto/hash.h"
#include "crypto/rsa_key.h"

enum { HASH = 32, MESSAGE = 32, MODULUS_MIN = 256 };

struct ady_rsa {
	EVP_PKEY *pkey;
	size_t size;
	size_t spki_n;
	uint8_t spki[ADY_RSA_SPKI_MAX];
};

/* SHA-256 of the empty label (RFC 8017 section 7.1.1, step 2a). */
static const uint8_t label_hash[HASH] = {
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
};

static enum ady_err export_spki(struct ady_rsa *r)
{
	uint8_t *at = r->spki;
	int n = i2d_PUBKEY(r->pkey, NULL);

	if (n <= 0 || n > ADY_RSA_SPKI_MAX || i2d_PUBKEY(r->pkey, &at) != n)
		return ADY_E_CRYPTO;
	r->spki_n = (size_t)n;
	return ADY_OK;
}

enum ady_err ady_rsa_new(struct ady_rsa **rsa, unsigned bits)
{
	struct ady_rsa *r;

	*rsa = NULL;
	if (bits != 2048 && bits != 3072 && bits != 4096)
		return ADY_E_CRYPTO;
	(void)ady_evp(); /* before OpenSSL can start itself with openssl.cnf */
	r = calloc(1, sizeof *r);
	if (!r)
		return ADY_E_MEMORY;
	r->size = bits / 8;
	r->pkey = ady_rsa_key_new(bits);
	if (!r->pkey || export_spki(r) != ADY_OK) {
		ERR_clear_error();
		ady_rsa_free(r);
		return ADY_E_CRYPTO;
	}
	*rsa = r;
	return ADY_OK;
}

void ady_rsa_free(struct ady_rsa *rsa)
{
	if (!rsa)
		return;
	EVP_PKEY_free(rsa->pkey); /* OpenSSL clears private numbers */
	free(rsa);
}

struct ady_bytes ady_rsa_spki(const struct ady_rsa *rsa)
{
	return ady_bytes(rsa->spki, rsa->spki_n);
}

size_t ady_rsa_size(const struct ady_rsa *rsa)
{
	return rsa->size;
}

/* XOR to[n] with MGF1-SHA-256 of seed (RFC 8017 appendix B.2.1). */
static void mgf1_xor(uint8_t *to, size_t n, struct ady_bytes seed)
{
	uint8_t counter[4] = {0}, mask[HASH];
	struct ady_bytes parts[] = {seed, ady_bytes(counter, sizeof counter)};

	for (size_t i = 0; i < n; i++) {
		if (i % HASH == 0) {
			counter[3] = (uint8_t)(i / HASH);
			ady_sha256(mask, parts, 2);
		}
		to[i] ^= mask[i % HASH];
	}
	ady_zero(mask, sizeof mask);
}

/* RFC 8017 section 7.1.2, step 3, for a message of exactly 32 bytes: every part of the block
 * 00 || seed || label hash || 00..00 01 || message then has a fixed place, so that nothing is
 * searched for and no access depends on what was decrypted. Zero when all is as it must be. */
static unsigned decode(uint8_t out32[static MESSAGE], uint8_t *em, size_t n)
{
	uint8_t *seed = em + 1, *db = seed + HASH;
	size_t db_n = n - 1 - HASH, one = db_n - MESSAGE - 1;
	unsigned bad = em[0];

	mgf1_xor(seed, HASH, ady_bytes(db, db_n));
	mgf1_xor(db, db_n, ady_bytes(seed, HASH));
	for (size_t i = 0; i < HASH; i++)
		bad |= db[i] ^ label_hash[i];
	for (size_t i = HASH; i < one; i++)
		bad |= db[i];
	bad |= db[one] ^ 0x01U;
	memcpy(out32, db + one + 1, MESSAGE);
	return bad;
}

/* The bare RSA permutation. It fails for a number that is not below the modulus, which the sender
 * of ct knows; OpenSSL blinds the exponentiation and writes all bytes in constant time. */
static enum ady_err permute(uint8_t *em, const struct ady_rsa *rsa, struct ady_bytes ct)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, rsa->pkey, NULL);
	size_t n = ADY_RSA_MODULUS_MAX;
	bool ok = ctx && EVP_PKEY_decrypt_init(ctx) == 1 &&
	          EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1 &&
	          EVP_PKEY_decrypt(ctx, em, &n, ct.p, ct.n) == 1 && n == rsa->size;

	EVP_PKEY_CTX_free(ctx);
	if (!ok)
		ERR_clear_error();
	return ok ? ADY_OK : ADY_E_CRYPTO;
}

enum ady_err ady_rsa_oaep_open32(uint8_t out32[static 32], const struct ady_rsa *rsa,
                                 struct ady_bytes ct)
{
	uint8_t em[ADY_RSA_MODULUS_MAX] = {0};
	unsigned bad = 1;

	memset(out32, 0, MESSAGE);
	if (ct.n == rsa->size && permute(em, rsa, ct) == ADY_OK)
		bad = decode(out32, em, rsa->size);
	ady_zero(em, sizeof em);
	ADY_DECLASSIFY(&bad, sizeof bad);
	if (bad) {
		ady_zero(out32, MESSAGE);
		return ADY_E_CRYPTO;
	}
	return ADY_OK;
}

/* The key of a whole SubjectPublicKeyInfo, or NULL. */
static EVP_PKEY *read_spki(struct ady_bytes spki)
{
	const uint8_t *at = spki.p;
	EVP_PKEY *pkey;

	(void)ady_evp();
	if (spki.n == 0 || spki.n > ADY_RSA_SPKI_MAX)
		return NULL;
	pkey = d2i_PUBKEY(NULL, &at, (long)spki.n);
	if (pkey && at == spki.p + spki.n && EVP_PKEY_is_a(pkey, "RSA") &&
	    EVP_PKEY_get_bits(pkey) >= 8 * MODULUS_MIN &&
	    EVP_PKEY_get_bits(pkey) <= 8 * ADY_RSA_MODULUS_MAX)
		return pkey;
	EVP_PKEY_free(pkey);
	return NULL;
}

/* The context keeps the key. */
struct ady_rsa_pub {
	EVP_PKEY_CTX *ctx;
};

enum ady_err ady_rsa_pub_read(struct ady_rsa_pub **pub, struct ady_bytes spki)
{
	EVP_PKEY *pkey = read_spki(spki);
	EVP_PKEY_CTX *ctx = pkey ? EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL) : NULL;
	struct ady_rsa_pub *p = ctx ? (struct ady_rsa_pub *)calloc(1, sizeof *p) : NULL;
	bool ok = p && EVP_PKEY_encrypt_init(ctx) == 1 &&
	          EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
	          EVP_PKEY_CTX_set_rsa_oaep_md(ctx, ady_evp()->sha256) == 1 &&
	          EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, ady_evp()->sha256) == 1;

	EVP_PKEY_free(pkey);
	*pub = ok ? p : NULL;
	if (ok) {
		p->ctx = ctx;
		return ADY_OK;
	}
	EVP_PKEY_CTX_free(ctx);
	free(p);
	ERR_clear_error();
	return ADY_E_CRYPTO;
}

void ady_rsa_pub_free(struct ady_rsa_pub *pub)
{
	if (!pub)
		return;
	EVP_PKEY_CTX_free(pub->ctx);
	free(pub);
}

enum ady_err ady_rsa_pub_seal(uint8_t *ct, size_t *n, struct ady_rsa_pub *pub, struct ady_bytes pt)
{
	size_t cap = ADY_RSA_MODULUS_MAX;
	bool ok = EVP_PKEY_encrypt(pub->ctx, ct, &cap, pt.p, pt.n) == 1;

	*n = ok ? cap : 0;
	if (!ok)
		ERR_clear_error();
	return ok ? ADY_OK : ADY_E_CRYPTO;
}

enum ady_err ady_rsa_oaep_seal(uint8_t *ct, size_t *n, struct ady_bytes spki, struct ady_bytes pt)
{
	struct ady_rsa_pub *pub;
	enum ady_err err = ady_rsa_pub_read(&pub, spki);

	*n = 0;
	if (err == ADY_OK)
		err = ady_rsa_pub_seal(ct, n, pub, pt);
	ady_rsa_pub_free(pub);
	return err;
}
