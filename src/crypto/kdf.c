/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/kdf.h"

#include <limits.h>
#include <openssl/err.h>
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

/* OpenSSL counts in int, and wipes its own copy of the password. */
enum ady_err ady_pbkdf2_derive(uint8_t out32[static 32], struct ady_bytes password,
                               struct ady_bytes salt, uint32_t c)
{
	static const uint8_t none[1];
	const char *pw = (const char *)(password.n ? password.p : none);

	if (password.n <= INT_MAX && salt.n <= INT_MAX && c <= INT_MAX &&
	    PKCS5_PBKDF2_HMAC(pw, (int)password.n, salt.n ? salt.p : none, (int)salt.n, (int)c,
	                      ady_evp()->sha256, 32, out32) == 1)
		return ADY_OK;
	ERR_clear_error();
	ady_zero(out32, 32);
	return ADY_E_CRYPTO;
}
