/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/hash.h"

#include <string.h>

#include "base/secret.h"
#include "crypto/evp.h"

enum { HMAC_BLOCK = 64 };

/* OpenSSL's hashes fail only for want of memory, and a wrong hash must never be returned. */
static void digest(const EVP_MD *md, uint8_t *out, const struct ady_bytes *parts, size_t n)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestInit_ex2(ctx, md, NULL) == 1;

	for (size_t i = 0; i < n && ok; i++)
		ok = EVP_DigestUpdate(ctx, parts[i].p, parts[i].n) == 1;
	ok = ok && EVP_DigestFinal_ex(ctx, out, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	if (!ok)
		ADY_BUG("hash failed");
}

void ady_sha256(uint8_t out32[static 32], const struct ady_bytes *parts, size_t n)
{
	digest(ady_evp()->sha256, out32, parts, n);
}

void ady_sha384(uint8_t out48[static 48], const struct ady_bytes *parts, size_t n)
{
	digest(ady_evp()->sha384, out48, parts, n);
}

/* RFC 2104 on our SHA-256: OpenSSL's EVP_MAC takes four times as long for a short message, as it
 * looks its hash up by name every time. */
void ady_hmac_sha256(uint8_t out32[static 32], struct ady_bytes key, struct ady_bytes b)
{
	uint8_t inner[HMAC_BLOCK] = {0}, outer[HMAC_BLOCK];

	if (key.n > HMAC_BLOCK)
		ady_sha256(inner, &key, 1);
	else if (key.n > 0)
		memcpy(inner, key.p, key.n);
	for (size_t i = 0; i < HMAC_BLOCK; i++) {
		outer[i] = inner[i] ^ 0x5c;
		inner[i] ^= 0x36;
	}
	ady_sha256(out32, (struct ady_bytes[]){ady_bytes(inner, HMAC_BLOCK), b}, 2);
	ady_sha256(out32, (struct ady_bytes[]){ady_bytes(outer, HMAC_BLOCK), ady_bytes(out32, 32)},
	           2);
	ady_zero(inner, sizeof inner);
	ady_zero(outer, sizeof outer);
}
