/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/kdf.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <sodium.h>

#include "base/secret.h"
#include "crypto/evp.h"

enum { PRODUCT_MAX = 1 << 30, BLOCK = 128 };

uint64_t ady_scrypt_memory(const struct ady_scrypt *s)
{
	const uint64_t r = s->r, p = s->p;

	if (s->n < 2 || (s->n & (s->n - 1)) != 0 || s->n > UINT32_MAX || r == 0 || p == 0 ||
	    r * p >= PRODUCT_MAX)
		return UINT64_MAX;
	return BLOCK * r * (s->n + p) + 2 * BLOCK * r + 64;
}

/* Without sodium_init its portable code would be used. */
enum ady_err ady_scrypt_derive(uint8_t out32[static 32], struct ady_bytes password,
                               struct ady_bytes salt, const struct ady_scrypt *s)
{
	static const uint8_t none[1];

	if (sodium_init() < 0 || ady_scrypt_memory(s) == UINT64_MAX ||
	    crypto_pwhash_scryptsalsa208sha256_ll(password.n ? password.p : none, password.n,
	                                          salt.n ? salt.p : none, salt.n, s->n, s->r, s->p,
	                                          out32, 32) != 0) {
		ady_zero(out32, 32);
		return ADY_E_MEMORY;
	}
	return ADY_OK;
}

static bool derive(EVP_KDF_CTX *ctx, uint8_t *out32, struct ady_bytes password,
                   struct ady_bytes salt, unsigned c)
{
	static char digest[] = "SHA256";
	static uint8_t none[1];
	OSSL_PARAM params[] = {
	    OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, sizeof digest - 1),
	    OSSL_PARAM_octet_string(OSSL_KDF_PARAM_PASSWORD, none, 0),
	    OSSL_PARAM_octet_string(OSSL_KDF_PARAM_SALT, none, 0),
	    OSSL_PARAM_uint(OSSL_KDF_PARAM_ITER, &c),
	    OSSL_PARAM_END,
	};

	/* OpenSSL reads what its parameters point to, and says so nowhere in their types. */
	if (password.n > 0)
		params[1].data = (void *)(uintptr_t)password.p;
	if (salt.n > 0)
		params[2].data = (void *)(uintptr_t)salt.p;
	params[1].data_size = password.n;
	params[2].data_size = salt.n;
	return EVP_KDF_derive(ctx, out32, 32, params) == 1;
}

enum ady_err ady_pbkdf2_derive(uint8_t out32[static 32], struct ady_bytes password,
                               struct ady_bytes salt, uint32_t c)
{
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(ady_evp()->pbkdf2);
	enum ady_err err = ctx ? ADY_OK : ADY_E_MEMORY;

	if (ctx && !derive(ctx, out32, password, salt, c))
		err = ADY_E_CRYPTO;
	EVP_KDF_CTX_free(ctx); /* wipes its copy of the password */
	if (err != ADY_OK) {
		ERR_clear_error();
		ady_zero(out32, 32);
	}
	return err;
}
