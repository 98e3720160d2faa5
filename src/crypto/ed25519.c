/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ed25519.h"

#include <sodium.h>

_Static_assert(sizeof(struct ady_ed25519_pair) == crypto_sign_SECRETKEYBYTES, "libsodium's form");

void ady_ed25519_expand(struct ady_ed25519_pair *pair, uint8_t pub32[static 32],
                        const struct ady_seckey *key)
{
	(void)crypto_sign_seed_keypair(pub32, pair->b, key->b);
}

void ady_ed25519_sign_with(uint8_t sig64[static 64], struct ady_bytes message,
                           const struct ady_ed25519_pair *pair)
{
	(void)crypto_sign_detached(sig64, NULL, message.p, message.n, pair->b);
}

void ady_ed25519_public(uint8_t pub32[static 32], const struct ady_seckey *key)
{
	struct ady_ed25519_pair e;

	ady_ed25519_expand(&e, pub32, key);
	ADY_DECLASSIFY(pub32, 32);
	ady_zero(&e, sizeof e);
}

void ady_ed25519_sign(uint8_t sig64[static 64], struct ady_bytes message,
                      const struct ady_seckey *key)
{
	uint8_t pub32[32];
	struct ady_ed25519_pair e;

	ady_ed25519_expand(&e, pub32, key);
	ady_ed25519_sign_with(sig64, message, &e);
	ADY_DECLASSIFY(sig64, 64);
	ady_zero(&e, sizeof e);
}

bool ady_ed25519_verify(const uint8_t sig64[static 64], const uint8_t pub32[static 32],
                        struct ady_bytes message)
{
	return crypto_sign_verify_detached(sig64, message.p, message.n, pub32) == 0;
}
