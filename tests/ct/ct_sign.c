/* SPDX-License-Identifier: Apache-2.0
 *
 * The way of a private key through src/crypto/secp.c: check, public key, signature. */
#include "ct.h"

#include <string.h>

#include "base/secret.h"
#include "crypto/rng.h"
#include "crypto/secp.h"

enum { KEYS = 8 };

/* Key 0 is all zero and key 1 all ones: out of range, which no branch may show before the result
 * is made public. */
static struct ady_seckey key_of(int i)
{
	struct ady_seckey key;

	memset(key.b, i == 0 ? 0 : 0xff, sizeof key.b);
	if (i > 1)
		ady_random(key.b, sizeof key.b);
	ct_secret(&key, sizeof key);
	return key;
}

static void sign_with(const struct ady_secp *secp, const struct ady_seckey *key, enum ady_err want)
{
	uint8_t digest[32], pub[65];
	struct ady_secp_sig sig;

	ady_random(digest, sizeof digest);
	ct_must(ady_secp_check(secp, key) == want);
	ct_must(ady_secp_public(secp, pub, key) == want);
	ct_must(ady_secp_sign(secp, &sig, digest, want == ADY_OK ? pub : NULL, key) == want);
	ct_must(sig.y_parity <= 1); /* reported unless the signature was declassified */
}

int main(void)
{
	struct ady_secp *secp;

	ct_need_valgrind();
	ct_must(ady_secp_open(&secp) == ADY_OK);
	for (int i = 0; i < KEYS; i++) {
		ADY_SECRET struct ady_seckey key = key_of(i);

		sign_with(secp, &key, i > 1 ? ADY_OK : ADY_E_KEY_RANGE);
	}
	ady_secp_close(secp);
	return 0;
}
