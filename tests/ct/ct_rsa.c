/* SPDX-License-Identifier: Apache-2.0
 *
 * OAEP: the block that RSA decrypted decides nothing before the verdict is made public. The
 * exponentiation is OpenSSL's, blinded, and not under test. */
#include "crypto/rsa.c"

#include "ct.h"

#include "crypto/rng.h"

/* 00 || seed || hash of the label || 00..00 01 || message, masked (RFC 8017 section 7.1.1). */
static void encode(uint8_t em[256], uint8_t first, uint8_t separator)
{
	memset(em, 0, 256);
	em[0] = first;
	ady_random(em + 1, HASH);
	memcpy(em + 1 + HASH, label_hash, HASH);
	em[256 - MESSAGE - 1] = separator;
	ady_random(em + 256 - MESSAGE, MESSAGE);
	mgf1_xor(em + 1 + HASH, 255 - HASH, ady_bytes(em + 1, HASH));
	mgf1_xor(em + 1, HASH, ady_bytes(em + 1 + HASH, 255 - HASH));
}

static void decode_secret(uint8_t first, uint8_t separator, bool good)
{
	uint8_t em[256], out[32];
	unsigned bad;

	encode(em, first, separator);
	ct_secret(em, sizeof em);
	bad = decode(out, em, sizeof em);
	ct_must(ct_is_secret(out) && ct_is_secret(&bad));
	ct_public(&bad, sizeof bad);
	ct_must((bad == 0) == good);
}

int main(void)
{
	ct_need_valgrind();
	decode_secret(0, 1, true);
	decode_secret(1, 1, false);
	decode_secret(0, 0, false);
	return 0;
}
