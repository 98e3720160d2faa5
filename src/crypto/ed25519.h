/* SPDX-License-Identifier: Apache-2.0
 *
 * Ed25519 (RFC 8032) by libsodium: public keys of small order and scalars that are not reduced are
 * refused. A private key is the 32 bytes of its seed. */
#ifndef ADY_CRYPTO_ED25519_H
#define ADY_CRYPTO_ED25519_H

#include "base/secret.h"

/* A private key made ready: libsodium's form, the seed and the public key behind it. To be kept in
 * guarded memory, or wiped. */
struct ady_ed25519_pair {
	uint8_t b[64];
};

/* Make a private key ready to sign with many times, and write its public key. Time: constant in
 * it. */
void ady_ed25519_expand(struct ady_ed25519_pair *pair, uint8_t pub32[static 32],
                        const struct ady_seckey *key);

/* Sign as ady_ed25519_sign, in half its time. */
void ady_ed25519_sign_with(uint8_t sig64[static 64], struct ady_bytes message,
                           const struct ady_ed25519_pair *pair);

/* Write the public key of a private key. Time: constant in it. */
void ady_ed25519_public(uint8_t pub32[static 32], const struct ady_seckey *key);

/* Sign a message. Time: constant in the key. */
void ady_ed25519_sign(uint8_t sig64[static 64], struct ady_bytes message,
                      const struct ady_seckey *key);

/* Whether the signature is that of the public key over the message. */
bool ady_ed25519_verify(const uint8_t sig64[static 64], const uint8_t pub32[static 32],
                        struct ady_bytes message);

#endif
