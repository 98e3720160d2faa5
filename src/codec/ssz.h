/* SPDX-License-Identifier: Apache-2.0
 *
 * Merkleisation of SSZ (consensus-specs ssz/simple-serialize.md; progressive trees: EIP-7916,
 * progressive containers: EIP-7495) as a stream: chunks of 32 bytes go in, a root comes out, and no
 * more is kept than one node a level. Nothing is serialised. Heap: none. Thread rule: no state. */
#ifndef ADY_CODEC_SSZ_H
#define ADY_CODEC_SSZ_H

#include "base/bytes.h"

enum { ADY_SSZ_DEPTH = 32, ADY_SSZ_SUBTREES = 16 };

struct ady_ssz {
	bool progressive;
	unsigned depth; /* of the tree, or of the present subtree */
	uint64_t n;     /* chunks in it */
	uint8_t node[ADY_SSZ_DEPTH + 1][32];
	unsigned subtrees; /* those that are full, of 1, 4, 16 .. chunks */
	uint8_t subtree[ADY_SSZ_SUBTREES][32];
};

/* Begin a tree for at most limit chunks (1 to 2^ADY_SSZ_DEPTH); unused ones count as zero. */
void ady_ssz_begin(struct ady_ssz *t, uint64_t limit);

/* Begin a progressive tree, which has no limit and at most 2^31 chunks. */
void ady_ssz_begin_progressive(struct ady_ssz *t);

/* Append one chunk; more than the limit is a bug of the caller. */
void ady_ssz_chunk(struct ady_ssz *t, const uint8_t chunk32[static 32]);

/* The root of what was appended. t must be begun again. */
void ady_ssz_end(struct ady_ssz *t, uint8_t root32[static 32]);

/* root := H(root || length), for lists: mix_in_length. */
void ady_ssz_mix_length(uint8_t root32[static 32], uint64_t length);

/* root := H(root || n one bits), n at most 256: mix_in_active_fields of a container all of whose n
 * fields are active. */
void ady_ssz_mix_fields(uint8_t root32[static 32], unsigned n);

/* chunk := v, little-endian, zeros behind. */
void ady_ssz_u64(uint8_t chunk32[static 32], uint64_t v);

#endif
