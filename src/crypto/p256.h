/* SPDX-License-Identifier: Apache-2.0
 *
 * ECDSA on P-256 with SHA-256 (FIPS 186-5) by OpenSSL, as WebCrypto (raw signatures) and WebAuthn
 * (DER) make it. Both s of a signature are accepted: neither forbids the larger. */
#ifndef ADY_CRYPTO_P256_H
#define ADY_CRYPTO_P256_H

#include "base/secret.h"

enum { ADY_P256_DER_MAX = 72 };

/* Write the compressed public key of a private key. Returns ADY_E_CRYPTO when it is out of range.
 */
enum ady_err ady_p256_public(uint8_t pub33[static 33], const struct ady_seckey *key);

/* Sign a message: r || s. Returns ADY_E_CRYPTO. */
enum ady_err ady_p256_sign(uint8_t sig64[static 64], struct ady_bytes message,
                           const struct ady_seckey *key);

/* Verify a signature over the concatenation of n parts: 64 bytes are r || s, all else is DER
 * (ECDSA-Sig-Value, RFC 3279). Returns ADY_E_CRYPTO when it is wrong, malformed, or the key no
 * point of the curve. */
enum ady_err ady_p256_verify(struct ady_bytes sig, const uint8_t pub33[static 33],
                             const struct ady_bytes *parts, size_t n);

#endif
