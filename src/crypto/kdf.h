/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys out of passwords, as keystores have them: scrypt (RFC 7914) by libsodium, whose SSE2 code
 * takes two thirds of the time of OpenSSL's, and PBKDF2 with HMAC-SHA-256 (RFC 8018) by OpenSSL,
 * which uses the SHA instructions. 32 bytes are derived: the first 32 of any longer key, because
 * the blocks of PBKDF2's output do not depend on each other and scrypt ends in it.
 *
 * Both are slow by design; they run for as long as their parameters say, and block. scrypt reads
 * its memory at places that depend on the password, which is its design as well: who watches the
 * caches of the machine may learn about the password. Thread rule: any thread. */
#ifndef ADY_CRYPTO_KDF_H
#define ADY_CRYPTO_KDF_H

#include "base/bytes.h"

/* n: a power of two from 2 on; r and p from 1 on, r * p below 2^30. */
struct ady_scrypt {
	uint64_t n;
	uint32_t r, p;
};

/* The bytes of memory that ady_scrypt_derive maps, about 128 n r; UINT64_MAX when the parameters
 * are out of bounds. */
uint64_t ady_scrypt_memory(const struct ady_scrypt *params);

/* Derive 32 bytes. The memory is mapped for the call and unmapped behind it, not wiped: what it
 * held does not say the key without the password. Leaves copies on the stack, see ady_stack_wipe.
 * Returns: ADY_E_MEMORY when it cannot be mapped or the parameters are out of bounds. */
enum ady_err ady_scrypt_derive(uint8_t out32[static 32], struct ady_bytes password,
                               struct ady_bytes salt, const struct ady_scrypt *params);

/* Derive 32 bytes by PBKDF2-HMAC-SHA-256 with c iterations, from 1 on.
 * Returns: ADY_E_CRYPTO, also for c 0 or above 2^31 - 1. Time: constant in the password, not in its
 * length. */
enum ady_err ady_pbkdf2_derive(uint8_t out32[static 32], struct ady_bytes password,
                               struct ady_bytes salt, uint32_t c);

#endif
