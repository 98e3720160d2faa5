/* SPDX-License-Identifier: Apache-2.0
 *
 * Where secrets live and how they end. A secret is one of the types below or lies in a slot of the
 * arena; it wipes itself when its scope ends. Nothing here prints, and equality takes constant
 * time. Thread rule: an arena may be used by several threads; a slot belongs to its taker. */
#ifndef ADY_BASE_SECRET_H
#define ADY_BASE_SECRET_H

#include "base/bytes.h"

/* A private key of 32 bytes, big-endian where it is a number. */
struct ady_seckey {
	uint8_t b[32];
};

/* Overwrite n bytes; the compiler may not leave it out. */
void ady_zero(void *p, size_t n);

/* Whether two secrets of n bytes are equal. Time: constant in their values. */
bool ady_secret_eq_ct(const void *a, const void *b, size_t n);

/* Overwrite the stack below the caller (32 KiB), where a library may have left copies of a secret
 * in frames that have returned. */
void ady_stack_wipe(void);

/* For the attribute of ADY_SECRET. */
void ady_seckey_wipe(struct ady_seckey *k);

/* A local secret that is wiped whenever its scope is left: ADY_SECRET struct ady_seckey k = {0}; */
#define ADY_SECRET __attribute__((cleanup(ady_seckey_wipe)))

/* Mark n bytes as no longer secret (a signature, a public key): a no-op except under the
 * constant-time tests, which run the code with secrets marked undefined (tests/ct). */
#ifdef ADY_CT_TEST
#include <valgrind/memcheck.h>
#define ADY_DECLASSIFY(p, n) (void)VALGRIND_MAKE_MEM_DEFINED(p, n)
#else
#define ADY_DECLASSIFY(p, n) ((void)(p), (void)(n))
#endif

/* One guarded, locked mapping made at start, cut into equal slots. */
struct ady_arena;

/* Map and lock an arena of slots x slot_size bytes, between guard pages, left out of core dumps.
 * Returns ADY_E_MEMORY when it cannot be mapped or locked: the caller must not go on. */
enum ady_err ady_arena_open(struct ady_arena **arena, size_t slots, size_t slot_size);

/* A free slot, all zero, or NULL when none is free. */
void *ady_arena_take(struct ady_arena *arena);

/* Wipe a slot and give it back. NULL is allowed. */
void ady_arena_give(struct ady_arena *arena, void *slot);

/* Wipe and unmap everything. NULL is allowed. */
void ady_arena_close(struct ady_arena *arena);

#endif
