/* SPDX-License-Identifier: Apache-2.0
 *
 * ECDSA over secp256k1 by libsecp256k1: deterministic nonces (RFC 6979), low s, recovery id.
 * Thread rule: one context serves all threads after ady_secp_open. */
#ifndef ADY_CRYPTO_SECP_H
#define ADY_CRYPTO_SECP_H

#include "base/secret.h"

struct ady_secp;

struct ady_secp_sig {
	uint8_t r[32], s[32];
	uint8_t y_parity; /* 0 or 1 */
};

/* Make a context, blinded with fresh randomness. Returns ADY_E_MEMORY or ADY_E_CRYPTO. */
enum ady_err ady_secp_open(struct ady_secp **secp);

/* Free the context. NULL is allowed. */
void ady_secp_close(struct ady_secp *secp);

/* Whether key is in [1, n-1]: ADY_OK or ADY_E_KEY_RANGE. Time: constant in the key. */
enum ady_err ady_secp_check(const struct ady_secp *secp, const struct ady_seckey *key);

/* Add other to key, mod n (BIP-32). Both must be in [1, n-1].
 * Returns: ADY_E_KEY_RANGE when one is not, or the sum is zero: *key is zero then.
 * Time: constant in both. */
enum ady_err ady_secp_add(const struct ady_secp *secp, struct ady_seckey *key,
                          const struct ady_seckey *other);

/* The uncompressed public key (0x04 || x || y). Returns ADY_E_KEY_RANGE.
 * Time: constant in the key. */
enum ady_err ady_secp_public(const struct ady_secp *secp, uint8_t pub65[static 65],
                             const struct ady_seckey *key);

/* Sign digest32 and, when check_pub65 is not NULL, verify the result against that key before it
 * leaves (a faulty signature can reveal the key).
 * Out:     sig, all zero on error.
 * Returns: ADY_E_KEY_RANGE, or ADY_E_CRYPTO when the check fails. Time: constant in the key. */
enum ady_err ady_secp_sign(const struct ady_secp *secp, struct ady_secp_sig *sig,
                           const uint8_t digest32[static 32], const uint8_t *check_pub65,
                           const struct ady_seckey *key);

/* The public key that made sig over digest32. Returns ADY_E_CRYPTO when there is none.
 * Time: variable; public data only. */
enum ady_err ady_secp_recover(const struct ady_secp *secp, uint8_t pub65[static 65],
                              const struct ady_secp_sig *sig, const uint8_t digest32[static 32]);

/* The uncompressed form of a compressed public key. Returns ADY_E_CRYPTO when it is no point.
 * Time: variable; public data only. */
enum ady_err ady_secp_expand(uint8_t pub65[static 65], const uint8_t pub33[static 33]);

/* Whether pub65 is 0x04 || x || y of a point of the curve. Time: variable; public data only. */
bool ady_secp_is_point(const uint8_t pub65[static 65]);

/* Compress an uncompressed public key (0x02 or 0x03 || x). */
void ady_secp_compress(uint8_t pub33[static 33], const uint8_t pub65[static 65]);

#endif
