/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/aes.h"

#include <limits.h>
#include <openssl/err.h>
#include <stdlib.h>

#include "base/secret.h"
#include "crypto/evp.h"

enum { BLOCK = 16, TAG = 16 };

/* The API of OpenSSL counts in int. */
static bool countable(size_t n)
{
	return n <= INT_MAX - BLOCK;
}

/* 0xff when a < b, else 0, without a branch; for numbers of at most 8 bits. */
static uint8_t below_ct(unsigned a, unsigned b)
{
	return (uint8_t)((a - b) >> 8 & 0xff);
}

/* The length of the PKCS#7 padding (RFC 5652 section 6.3) of a last block, 1..16, or 0 when it is
 * wrong. All 16 bytes are looked at whatever they hold. */
static unsigned padding_ct(const uint8_t last[static BLOCK])
{
	unsigned pad = last[BLOCK - 1];
	uint8_t bad = (uint8_t)(below_ct(pad, 1) | below_ct(BLOCK, pad));

	for (unsigned i = 0; i < BLOCK; i++)
		bad |= (uint8_t)(below_ct(i, pad) & (last[BLOCK - 1 - i] ^ pad));
	return pad & below_ct(bad, 1);
}

static bool cbc_decrypt(uint8_t *out, const uint8_t *key, const uint8_t *iv, struct ady_bytes ct)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, rest = 0;
	bool ok = ctx && EVP_DecryptInit_ex2(ctx, ady_evp()->aes256_cbc, key, iv, NULL) == 1 &&
	          EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
	          EVP_DecryptUpdate(ctx, out, &n, ct.p, (int)ct.n) == 1 &&
	          EVP_DecryptFinal_ex(ctx, out + n, &rest) == 1 && (size_t)n + (size_t)rest == ct.n;

	EVP_CIPHER_CTX_free(ctx); /* wipes the key schedule */
	return ok;
}

/* Whether the padding is right, and the length of what it leaves, are told to the caller. */
enum ady_err ady_aes_cbc_open(uint8_t *out, size_t *n, const uint8_t key32[static 32],
                              const uint8_t iv16[static 16], struct ady_bytes ct)
{
	unsigned pad = 0;

	*n = 0;
	if (ct.n == 0 || ct.n % BLOCK != 0 || !countable(ct.n))
		return ADY_E_CRYPTO;
	if (cbc_decrypt(out, key32, iv16, ct))
		pad = padding_ct(out + ct.n - BLOCK);
	ADY_DECLASSIFY(&pad, sizeof pad);
	if (pad == 0) {
		ERR_clear_error();
		ady_zero(out, ct.n);
		return ADY_E_CRYPTO;
	}
	*n = ct.n - pad;
	return ADY_OK;
}

enum ady_err ady_aes_cbc_seal(uint8_t *out, size_t *n, const uint8_t key32[static 32],
                              const uint8_t iv16[static 16], struct ady_bytes pt)
{
	EVP_CIPHER_CTX *ctx;
	int done = 0, rest = 0;
	bool ok;

	*n = 0;
	if (!countable(pt.n))
		return ADY_E_CRYPTO;
	ctx = EVP_CIPHER_CTX_new();
	ok = ctx && EVP_EncryptInit_ex2(ctx, ady_evp()->aes256_cbc, key32, iv16, NULL) == 1 &&
	     (pt.n == 0 || EVP_EncryptUpdate(ctx, out, &done, pt.p, (int)pt.n) == 1) &&
	     EVP_EncryptFinal_ex(ctx, out + done, &rest) == 1;
	EVP_CIPHER_CTX_free(ctx);
	if (!ok) {
		ERR_clear_error();
		return ADY_E_CRYPTO;
	}
	*n = (size_t)done + (size_t)rest;
	return ADY_OK;
}

enum ady_err ady_aes128_ctr(uint8_t *out, const uint8_t key16[static 16],
                            const uint8_t iv16[static 16], struct ady_bytes in)
{
	EVP_CIPHER_CTX *ctx = countable(in.n) ? EVP_CIPHER_CTX_new() : NULL;
	int n = 0;
	bool ok = ctx && EVP_EncryptInit_ex2(ctx, ady_evp()->aes128_ctr, key16, iv16, NULL) == 1 &&
	          (in.n == 0 || EVP_EncryptUpdate(ctx, out, &n, in.p, (int)in.n) == 1);

	EVP_CIPHER_CTX_free(ctx); /* wipes the key schedule */
	if (ok)
		return ADY_OK;
	ERR_clear_error();
	ady_zero(out, in.n);
	return ADY_E_CRYPTO;
}

struct ady_gcm {
	EVP_CIPHER_CTX *ctx;
};

enum ady_err ady_gcm_new(struct ady_gcm **gcm)
{
	struct ady_gcm *g = calloc(1, sizeof *g);

	*gcm = NULL;
	if (!g || !(g->ctx = EVP_CIPHER_CTX_new()) ||
	    EVP_CipherInit_ex2(g->ctx, ady_evp()->aes256_gcm, NULL, NULL, 1, NULL) != 1) {
		ady_gcm_free(g);
		return ADY_E_MEMORY;
	}
	*gcm = g;
	return ADY_OK;
}

void ady_gcm_free(struct ady_gcm *gcm)
{
	if (!gcm)
		return;
	EVP_CIPHER_CTX_free(gcm->ctx);
	free(gcm);
}

/* Another key in its place: what the last one left in the context (its schedule, the table of its
 * hash) is overwritten, without the heap that a reset would cost. */
static void forget_key(struct ady_gcm *gcm)
{
	static const uint8_t no_key[32], no_nonce[12];

	if (EVP_CipherInit_ex2(gcm->ctx, NULL, no_key, no_nonce, -1, NULL) != 1)
		ADY_BUG("a cipher context cannot be overwritten");
}

static bool begin(struct ady_gcm *gcm, const uint8_t *key, const uint8_t *nonce,
                  struct ady_bytes aad, int encrypt)
{
	int n;

	return EVP_CipherInit_ex2(gcm->ctx, NULL, key, nonce, encrypt, NULL) == 1 &&
	       (aad.n == 0 || EVP_CipherUpdate(gcm->ctx, NULL, &n, aad.p, (int)aad.n) == 1);
}

enum ady_err ady_gcm_seal(struct ady_gcm *gcm, uint8_t *out, const uint8_t key32[static 32],
                          const uint8_t nonce12[static 12], struct ady_bytes aad,
                          struct ady_bytes pt)
{
	int n = 0;
	bool ok;

	if (!countable(pt.n) || !countable(aad.n))
		return ADY_E_CRYPTO;
	ok = begin(gcm, key32, nonce12, aad, 1) &&
	     (pt.n == 0 || EVP_CipherUpdate(gcm->ctx, out, &n, pt.p, (int)pt.n) == 1) &&
	     EVP_CipherFinal_ex(gcm->ctx, out + pt.n, &n) == 1 &&
	     EVP_CIPHER_CTX_ctrl(gcm->ctx, EVP_CTRL_AEAD_GET_TAG, TAG, out + pt.n) == 1;
	forget_key(gcm);
	if (!ok) {
		ERR_clear_error();
		ady_zero(out, pt.n + TAG);
	}
	return ok ? ADY_OK : ADY_E_CRYPTO;
}

enum ady_err ady_gcm_open(struct ady_gcm *gcm, uint8_t *out, const uint8_t key32[static 32],
                          const uint8_t nonce12[static 12], struct ady_bytes aad,
                          struct ady_bytes ct)
{
	uint8_t tag[TAG], none[BLOCK];
	size_t pt_n = ct.n - TAG;
	int n = 0;
	bool ok;

	if (ct.n < TAG || !countable(ct.n) || !countable(aad.n))
		return ADY_E_CRYPTO;
	for (size_t i = 0; i < TAG; i++)
		tag[i] = ct.p[pt_n + i];
	ok = begin(gcm, key32, nonce12, aad, 0) &&
	     (pt_n == 0 || EVP_CipherUpdate(gcm->ctx, out, &n, ct.p, (int)pt_n) == 1) &&
	     EVP_CIPHER_CTX_ctrl(gcm->ctx, EVP_CTRL_AEAD_SET_TAG, TAG, tag) == 1 &&
	     EVP_CipherFinal_ex(gcm->ctx, none, &n) == 1;
	forget_key(gcm);
	if (!ok) {
		ERR_clear_error();
		ady_zero(out, pt_n);
	}
	return ok ? ADY_OK : ADY_E_CRYPTO;
}

enum ady_err ady_aes_gcm_seal(uint8_t *out, const uint8_t key32[static 32],
                              const uint8_t nonce12[static 12], struct ady_bytes aad,
                              struct ady_bytes pt)
{
	struct ady_gcm *gcm;
	enum ady_err err = ady_gcm_new(&gcm);

	if (err == ADY_OK)
		err = ady_gcm_seal(gcm, out, key32, nonce12, aad, pt);
	else
		ady_zero(out, pt.n + TAG);
	ady_gcm_free(gcm);
	return err;
}

enum ady_err ady_aes_gcm_open(uint8_t *out, const uint8_t key32[static 32],
                              const uint8_t nonce12[static 12], struct ady_bytes aad,
                              struct ady_bytes ct)
{
	struct ady_gcm *gcm;
	enum ady_err err = ady_gcm_new(&gcm);

	if (err == ADY_OK)
		err = ady_gcm_open(gcm, out, key32, nonce12, aad, ct);
	else
		ady_zero(out, ct.n < TAG ? 0 : ct.n - TAG);
	ady_gcm_free(gcm);
	return err;
}
