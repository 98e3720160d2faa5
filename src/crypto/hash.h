/* SPDX-License-Identifier: Apache-2.0
 *
 * Hashes: Keccak-256 as Ethereum uses it (original padding, ours), SHA-2 by OpenSSL,
 * HMAC on top of it. The Keccak needs no heap; no state is shared between threads. */
#ifndef ADY_CRYPTO_HASH_H
#define ADY_CRYPTO_HASH_H

#include "base/bytes.h"

struct ady_keccak {
	uint64_t state[25];
	size_t at; /* bytes absorbed in the current block of 136 */
};

/* Begin a Keccak-256. */
void ady_keccak_init(struct ady_keccak *k);

/* Absorb bytes. */
void ady_keccak_update(struct ady_keccak *k, struct ady_bytes b);

/* Finish and wipe k. */
void ady_keccak_final(struct ady_keccak *k, uint8_t out32[static 32]);

/* Keccak-256 of b in one call. */
void ady_keccak256(uint8_t out32[static 32], struct ady_bytes b);

/* SHA-256 of the concatenation of n parts. */
void ady_sha256(uint8_t out32[static 32], const struct ady_bytes *parts, size_t n);

/* SHA-256 of two nodes of 32 bytes, by blst: no heap, and a tenth of the call through OpenSSL's
 * interface. out may be either. */
void ady_sha256_pair(uint8_t out32[static 32], const uint8_t left32[static 32],
                     const uint8_t right32[static 32]);

/* SHA-384 of the concatenation of n parts. */
void ady_sha384(uint8_t out48[static 48], const struct ady_bytes *parts, size_t n);

/* HMAC-SHA-256 of b (RFC 2104). */
void ady_hmac_sha256(uint8_t out32[static 32], struct ady_bytes key, struct ady_bytes b);

#endif
