/* SPDX-License-Identifier: Apache-2.0
 *
 * The way of a private key through src/crypto/bls.c: check, public key, signature, derivation. */
#include "ct.h"

#include <string.h>

#include "base/secret.h"
#include "crypto/bls.h"
#include "crypto/rng.h"

enum { KEYS = 6 };

/* Key 0 is all zero and key 1 all ones: out of range, which no branch may show before the result
 * is made public. The others are derived from a seed that is secret. */
static struct ady_seckey key_of(int i)
{
	struct ady_seckey key;
	uint8_t seed[32];

	memset(key.b, i == 0 ? 0 : 0xff, sizeof key.b);
	if (i > 1) {
		ady_random(seed, sizeof seed);
		ct_secret(seed, sizeof seed);
		ct_must(ady_bls_derive_master(&key, ady_bytes(seed, sizeof seed)) == ADY_OK);
	}
	ct_secret(&key, sizeof key);
	return key;
}

static void sign_with(const struct ady_seckey *key, enum ady_err want)
{
	uint8_t root[32], pub[48], sig[96];
	ADY_SECRET struct ady_seckey child = {0};

	ady_random(root, sizeof root);
	ct_must(ady_bls_check(key) == want);
	ct_must(ady_bls_public(pub, key) == want);
	ct_must(ady_bls_sign(sig, root, key) == want);
	ct_must(ady_bls_derive_child(&child, key, 7) == want);
	if (want != ADY_OK)
		return;
	ct_must(ct_is_secret(&child)); /* it came from a secret, and nothing declassified it */
	ct_must(ady_bls_verify(pub, root, sig) == ADY_OK);
}

int main(void)
{
	ct_need_valgrind();
	for (int i = 0; i < KEYS; i++) {
		ADY_SECRET struct ady_seckey key = key_of(i);

		sign_with(&key, i > 1 ? ADY_OK : ADY_E_KEY_RANGE);
	}
	return 0;
}
