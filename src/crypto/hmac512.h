/* SPDX-License-Identifier: Apache-2.0
 *
 * HMAC-SHA-512 (RFC 2104) and PBKDF2 over it (RFC 8018), for the seeds and trees of wallets, by
 * libsodium: without heap, and what it worked with is wiped. Thread rule: any thread. */
#ifndef ADY_CRYPTO_HMAC512_H
#define ADY_CRYPTO_HMAC512_H

#include "base/bytes.h"

/* HMAC-SHA-512 of the concatenation of n parts. Time: by the lengths alone. */
void ady_hmac_sha512(uint8_t out64[static 64], struct ady_bytes key, const struct ady_bytes *parts,
                     size_t n);

/* The first block of PBKDF2-HMAC-SHA-512, 64 bytes, after so many rounds (1 or more). salt is what
 * its parts come to. Time: by the lengths and rounds alone. */
void ady_pbkdf2_sha512(uint8_t out64[static 64], struct ady_bytes password,
                       const struct ady_bytes *salt, size_t n, unsigned rounds);

#endif
