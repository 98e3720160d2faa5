/* SPDX-License-Identifier: Apache-2.0
 *
 * CBC with a secret key: what is decrypted, its padding included, decides nothing before the
 * verdict is made public. */
#include "ct.h"

#include <string.h>

#include "crypto/aes.h"
#include "crypto/rng.h"

int main(void)
{
	uint8_t key[32], iv[16], pt[48] = {7}, ct[64], out[64];
	size_t n, m;

	ct_need_valgrind();
	ady_random(key, sizeof key);
	ady_random(iv, sizeof iv);
	for (size_t len = 30; len <= 33; len++) {
		ct_public(key, sizeof key);
		ct_must(ady_aes_cbc_seal(ct, &n, key, iv, ady_bytes(pt, len)) == ADY_OK);
		ct_secret(key, sizeof key);
		ct_must(ady_aes_cbc_open(out, &m, key, iv, ady_bytes(ct, n)) == ADY_OK && m == len);
		ct_must(ct_is_secret(out));
		ct[n - 17] ^= 0x80; /* the last byte of the padding, out of range then */
		ct_must(ady_aes_cbc_open(out, &m, key, iv, ady_bytes(ct, n)) == ADY_E_CRYPTO);
	}
	return 0;
}
