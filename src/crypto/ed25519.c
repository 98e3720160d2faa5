/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ed25519.h"

#include <sodium.h>

/* libsodium's private key: the seed and the public key behind it. */
struct expanded {
	uint8_t b[crypto_sign_SECRETKEYBYTES];
};

static void expand(struct expanded *e, uint8_t pub32[static 32], const struct ady_seckey *key)
{
	(void)crypto_sign_seed_keypair(pub32, e->b, key->b);
}

void ady_ed25519_public(uint8_t pub32[static 32], const struct ady_seckey *key)
{
	struct expanded e;

	expand(&e, pub32, key);
	ady_zero(&e, sizeof e);
}

void ady_ed25519_sign(uint8_t sig64[static 64], struct ady_bytes message,
                      const struct ady_seckey *key)
{
	uint8_t pub32[32];
	struct expanded e;

	expand(&e, pub32, key);
	(void)crypto_sign_detached(sig64, NULL, message.p, message.n, e.b);
	ady_zero(&e, sizeof e);
}

bool ady_ed25519_verify(const uint8_t sig64[static 64], const uint8_t pub32[static 32],
                        struct ady_bytes message)
{
	return crypto_sign_verify_detached(sig64, message.p, message.n, pub32) == 0;
}
