/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/held.h"

#ifdef ADY_BENCH_HOLD_KMS

#include <pthread.h>
#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "crypto/hash.h"

enum { ENTRIES = 1024, PLAIN_MAX = 96 };

struct entry {
	uint8_t name[32]; /* SHA-256 of ciphertext and context */
	uint8_t n;
	uint8_t plain[PLAIN_MAX];
};

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static struct ady_arena *arena;
static struct entry *entries;

enum ady_err ady_held_open(void)
{
	ADY_ERROR(ADY_HELD_NOTICE, "variant=held");
	if (ady_arena_open(&arena, 1, sizeof *entries * ENTRIES) != ADY_OK)
		return ADY_E_MEMORY;
	entries = ady_arena_take(arena);
	return ADY_OK;
}

static void name_of(uint8_t name32[static 32], const struct ady_record *record)
{
	struct ady_bytes parts[1 + 2 * ADY_RECORD_CONTEXT_MAX];
	size_t n = 0;

	parts[n++] = ady_bytes(record->ciphertext, record->ciphertext_n);
	for (size_t i = 0; i < record->context_n; i++) {
		parts[n++] = ady_bytes_str(record->context[i].key);
		parts[n++] = ady_bytes_str(record->context[i].value);
	}
	ady_sha256(name32, parts, n);
}

/* The entry of that name, or the free one where it would go, or NULL. */
static struct entry *place(const uint8_t name32[static 32])
{
	size_t start = ady_be16(name32) % ENTRIES;

	for (size_t i = 0; i < ENTRIES; i++) {
		struct entry *e = &entries[(start + i) % ENTRIES];

		if (e->n == 0 || memcmp(e->name, name32, sizeof e->name) == 0)
			return e;
	}
	return NULL;
}

struct ady_bytes ady_held_find(const struct ady_record *record)
{
	struct ady_bytes found = {0};
	uint8_t name[32];
	struct entry *e;

	name_of(name, record);
	pthread_rwlock_rdlock(&lock);
	e = place(name);
	if (e && e->n)
		found = ady_bytes(e->plain, e->n);
	pthread_rwlock_unlock(&lock);
	return found;
}

void ady_held_keep(const struct ady_record *record, struct ady_bytes plaintext)
{
	uint8_t name[32];
	struct entry *e;

	if (plaintext.n == 0 || plaintext.n > PLAIN_MAX)
		return;
	name_of(name, record);
	pthread_rwlock_wrlock(&lock);
	e = place(name);
	if (e && e->n == 0) {
		memcpy(e->name, name, sizeof name);
		memcpy(e->plain, plaintext.p, plaintext.n);
		e->n = (uint8_t)plaintext.n;
	}
	pthread_rwlock_unlock(&lock);
}

#endif
