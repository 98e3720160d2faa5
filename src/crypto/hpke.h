/* SPDX-License-Identifier: Apache-2.0
 *
 * Hybrid public key encryption (RFC 9180), the one-message form of base mode, with
 * DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and ChaCha20-Poly1305: suite 0x0020, 0x0001, 0x0003. All
 * of it by libsodium; the RFC has test vectors for this suite. Heap: none. */
#ifndef ADY_CRYPTO_HPKE_H
#define ADY_CRYPTO_HPKE_H

#include "base/secret.h"

enum { ADY_HPKE_KEY = 32, ADY_HPKE_TAG = 16 };

/* Make a key pair from the kernel's randomness. */
void ady_hpke_keypair(uint8_t secret[static ADY_HPKE_KEY], uint8_t public[static ADY_HPKE_KEY]);

/* The public half of a secret one. Returns ADY_E_CRYPTO when it has none. */
enum ady_err ady_hpke_public(uint8_t public[static ADY_HPKE_KEY],
                             const uint8_t secret[static ADY_HPKE_KEY]);

/* Seal pt to public: enc and out[pt.n + ADY_HPKE_TAG] are what is sent.
 * Returns ADY_E_CRYPTO for a public key of small order. */
enum ady_err ady_hpke_seal(uint8_t enc[static ADY_HPKE_KEY], uint8_t *out,
                           const uint8_t public[static ADY_HPKE_KEY], struct ady_bytes info,
                           struct ady_bytes aad, struct ady_bytes pt);

/* Open what was sealed to the key pair: out[ct.n - ADY_HPKE_TAG].
 * Returns ADY_E_CRYPTO when it is not authentic under this key, info and aad; out is zero then.
 * Time: constant in the secret key and the plaintext. The stack below the caller is wiped. */
enum ady_err ady_hpke_open(uint8_t *out, const uint8_t secret[static ADY_HPKE_KEY],
                           const uint8_t public[static ADY_HPKE_KEY],
                           const uint8_t enc[static ADY_HPKE_KEY], struct ady_bytes info,
                           struct ady_bytes aad, struct ady_bytes ct);

#endif
