/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/ssz.h"

#include <string.h>

#include "crypto/hash.h"

void ady_ssz_begin(struct ady_ssz *t, uint64_t limit)
{
	t->progressive = false;
	t->depth = 0;
	t->n = 0;
	while (((uint64_t)1 << t->depth) < limit)
		t->depth++;
	if (t->depth > ADY_SSZ_DEPTH)
		ADY_BUG("an SSZ tree is too deep");
}

void ady_ssz_begin_progressive(struct ady_ssz *t)
{
	t->progressive = true;
	t->depth = 0;
	t->n = 0;
	t->subtrees = 0;
}

/* As a binary counter: n's bits say at which levels a left sibling waits. */
static void append(struct ady_ssz *t, const uint8_t chunk32[static 32])
{
	uint8_t at[32];
	unsigned level = 0;

	memcpy(at, chunk32, sizeof at);
	for (; t->n >> level & 1; level++)
		ady_sha256_pair(at, t->node[level], at);
	memcpy(t->node[level], at, sizeof at);
	t->n++;
}

/* The root of the tree of t->depth: what waits, with zero trees to its right. */
static void close_tree(const struct ady_ssz *t, uint8_t root32[static 32])
{
	uint8_t at[32] = {0}, zeros[32] = {0};
	bool some = false;

	if (t->n >> t->depth & 1) {
		memcpy(root32, t->node[t->depth], 32);
		return;
	}
	for (unsigned level = 0; level < t->depth; level++) {
		if (t->n >> level & 1) {
			ady_sha256_pair(at, t->node[level], some ? at : zeros);
			some = true;
		} else if (some) {
			ady_sha256_pair(at, at, zeros);
		}
		ady_sha256_pair(zeros, zeros, zeros);
	}
	memcpy(root32, some ? at : zeros, 32);
}

static void close_subtree(struct ady_ssz *t)
{
	if (t->subtrees == ADY_SSZ_SUBTREES)
		ADY_BUG("a progressive SSZ tree has too many chunks");
	close_tree(t, t->subtree[t->subtrees++]);
	t->depth += 2;
	t->n = 0;
}

void ady_ssz_chunk(struct ady_ssz *t, const uint8_t chunk32[static 32])
{
	if (t->n == (uint64_t)1 << t->depth)
		ADY_BUG("an SSZ tree has too many chunks");
	append(t, chunk32);
	if (t->progressive && t->n == (uint64_t)1 << t->depth)
		close_subtree(t);
}

/* Subtrees hang to the left of a spine that ends in zero; the smallest is nearest to the root. */
void ady_ssz_end(struct ady_ssz *t, uint8_t root32[static 32])
{
	if (!t->progressive) {
		close_tree(t, root32);
		return;
	}
	if (t->n > 0)
		close_subtree(t);
	memset(root32, 0, 32);
	for (unsigned i = t->subtrees; i-- > 0;)
		ady_sha256_pair(root32, t->subtree[i], root32);
}

void ady_ssz_mix_length(uint8_t root32[static 32], uint64_t length)
{
	uint8_t chunk[32];

	ady_ssz_u64(chunk, length);
	ady_sha256_pair(root32, root32, chunk);
}

void ady_ssz_mix_fields(uint8_t root32[static 32], unsigned n)
{
	uint8_t chunk[32] = {0};

	for (unsigned i = 0; i < n; i++)
		chunk[i / 8] |= (uint8_t)(1U << (i % 8));
	ady_sha256_pair(root32, root32, chunk);
}

void ady_ssz_u64(uint8_t chunk32[static 32], uint64_t v)
{
	memset(chunk32, 0, 32);
	for (unsigned i = 0; i < 8; i++)
		chunk32[i] = (uint8_t)(v >> (8 * i));
}
