/* SPDX-License-Identifier: Apache-2.0
 *
 * Keccak-256 with the padding of the original submission (0x01), which Ethereum kept; SHA-3 of
 * FIPS 202 differs from it in that byte only. */
#include <string.h>

#include "base/secret.h"
#include "crypto/hash.h"

enum { RATE = 136, ROUNDS = 24 };

/* FIPS 202 section 3.2.5, iota. */
static const uint64_t round_constant[ROUNDS] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
    0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
    0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
    0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
    0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};

static inline uint64_t rol(uint64_t v, unsigned n)
{
	return v << n | v >> (64 - n);
}

/* chi on one row (FIPS 202 section 3.2.4). */
static inline void chi(uint64_t e[5], uint64_t b0, uint64_t b1, uint64_t b2, uint64_t b3,
                       uint64_t b4)
{
	e[0] = b0 ^ (~b1 & b2);
	e[1] = b1 ^ (~b2 & b3);
	e[2] = b2 ^ (~b3 & b4);
	e[3] = b3 ^ (~b4 & b0);
	e[4] = b4 ^ (~b0 & b1);
}

/* One round from a to e; lane (x, y) is a[x + 5 * y]. Each row of e is made at once: theta's
 * correction d, the rotations of rho and the moves of pi are in its five arguments. */
static inline void one_round(uint64_t e[25], const uint64_t a[25], uint64_t rc)
{
	uint64_t c0 = a[0] ^ a[5] ^ a[10] ^ a[15] ^ a[20];
	uint64_t c1 = a[1] ^ a[6] ^ a[11] ^ a[16] ^ a[21];
	uint64_t c2 = a[2] ^ a[7] ^ a[12] ^ a[17] ^ a[22];
	uint64_t c3 = a[3] ^ a[8] ^ a[13] ^ a[18] ^ a[23];
	uint64_t c4 = a[4] ^ a[9] ^ a[14] ^ a[19] ^ a[24];
	uint64_t d0 = c4 ^ rol(c1, 1), d1 = c0 ^ rol(c2, 1), d2 = c1 ^ rol(c3, 1);
	uint64_t d3 = c2 ^ rol(c4, 1), d4 = c3 ^ rol(c0, 1);

	chi(e, a[0] ^ d0, rol(a[6] ^ d1, 44), rol(a[12] ^ d2, 43), rol(a[18] ^ d3, 21),
	    rol(a[24] ^ d4, 14));
	e[0] ^= rc;
	chi(e + 5, rol(a[3] ^ d3, 28), rol(a[9] ^ d4, 20), rol(a[10] ^ d0, 3), rol(a[16] ^ d1, 45),
	    rol(a[22] ^ d2, 61));
	chi(e + 10, rol(a[1] ^ d1, 1), rol(a[7] ^ d2, 6), rol(a[13] ^ d3, 25), rol(a[19] ^ d4, 8),
	    rol(a[20] ^ d0, 18));
	chi(e + 15, rol(a[4] ^ d4, 27), rol(a[5] ^ d0, 36), rol(a[11] ^ d1, 10),
	    rol(a[17] ^ d2, 15), rol(a[23] ^ d3, 56));
	chi(e + 20, rol(a[2] ^ d2, 62), rol(a[8] ^ d3, 55), rol(a[14] ^ d4, 39),
	    rol(a[15] ^ d0, 41), rol(a[21] ^ d1, 2));
}

static void permute(uint64_t a[25])
{
	uint64_t e[25];

	for (unsigned i = 0; i < ROUNDS; i += 2) {
		one_round(e, a, round_constant[i]);
		one_round(a, e, round_constant[i + 1]);
	}
}

static uint64_t load_le64(const uint8_t *p)
{
	return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
	       (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
	       (uint64_t)p[7] << 56;
}

static inline void xor_byte(struct ady_keccak *k, size_t at, uint8_t v)
{
	k->state[at / 8] ^= (uint64_t)v << 8 * (at % 8);
}

void ady_keccak_init(struct ady_keccak *k)
{
	memset(k, 0, sizeof *k);
}

/* Whole lanes where they are aligned, single bytes elsewhere. */
void ady_keccak_update(struct ady_keccak *k, struct ady_bytes b)
{
	size_t i = 0;

	while (i < b.n) {
		if (k->at % 8 == 0 && b.n - i >= 8) {
			k->state[k->at / 8] ^= load_le64(b.p + i);
			k->at += 8;
			i += 8;
		} else {
			xor_byte(k, k->at++, b.p[i++]);
		}
		if (k->at == RATE) {
			permute(k->state);
			k->at = 0;
		}
	}
}

void ady_keccak_final(struct ady_keccak *k, uint8_t out32[static 32])
{
	xor_byte(k, k->at, 0x01);
	xor_byte(k, RATE - 1, 0x80);
	permute(k->state);
	for (size_t i = 0; i < 32; i++)
		out32[i] = (uint8_t)(k->state[i / 8] >> 8 * (i % 8));
	ady_zero(k, sizeof *k);
}

void ady_keccak256(uint8_t out32[static 32], struct ady_bytes b)
{
	struct ady_keccak k;

	ady_keccak_init(&k);
	ady_keccak_update(&k, b);
	ady_keccak_final(&k, out32);
}
