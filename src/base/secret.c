/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct ady_arena {
	pthread_mutex_t lock;
	uint8_t *base;
	size_t slots, slot_size;
	uint8_t used[]; /* one flag a slot */
};

void ady_zero(void *p, size_t n)
{
	sodium_memzero(p, n);
}

bool ady_secret_eq_ct(const void *a, const void *b, size_t n)
{
	return sodium_memcmp(a, b, n) == 0;
}

__attribute__((noinline)) void ady_stack_wipe(void)
{
	uint8_t frame[32 * 1024];

	sodium_memzero(frame, sizeof frame);
}

void ady_seckey_wipe(struct ady_seckey *k)
{
	ady_zero(k, sizeof *k);
}

/* sodium_malloc gives guard pages, a canary, mlock and MADV_DONTDUMP, once for all slots. It locks
 * without saying whether that worked, so the lock is asked for again and the answer used. */
static enum ady_err map_slots(struct ady_arena *a)
{
	size_t size = a->slots * a->slot_size;

	a->base = sodium_malloc(size);
	if (!a->base)
		return ADY_E_MEMORY;
	if (sodium_mlock(a->base, size) != 0) {
		sodium_free(a->base);
		return ADY_E_MEMORY;
	}
	ady_zero(a->base, size);
	return ADY_OK;
}

enum ady_err ady_arena_open(struct ady_arena **arena, size_t slots, size_t slot_size)
{
	struct ady_arena *a;
	enum ady_err err;

	*arena = NULL;
	if (sodium_init() < 0)
		return ADY_E_CRYPTO;
	slot_size = (slot_size + 15) & ~(size_t)15;
	a = calloc(1, sizeof *a + slots);
	if (!a)
		return ADY_E_MEMORY;
	a->slots = slots;
	a->slot_size = slot_size;
	if ((err = map_slots(a)) != ADY_OK) {
		free(a);
		return err;
	}
	pthread_mutex_init(&a->lock, NULL);
	*arena = a;
	return ADY_OK;
}

void *ady_arena_take(struct ady_arena *a)
{
	void *slot = NULL;

	pthread_mutex_lock(&a->lock);
	for (size_t i = 0; i < a->slots && !slot; i++) {
		if (a->used[i])
			continue;
		a->used[i] = 1;
		slot = a->base + i * a->slot_size;
	}
	pthread_mutex_unlock(&a->lock);
	return slot;
}

void ady_arena_give(struct ady_arena *a, void *slot)
{
	size_t i;

	if (!slot)
		return;
	i = (size_t)((uint8_t *)slot - a->base) / a->slot_size;
	if (i >= a->slots || a->base + i * a->slot_size != slot || !a->used[i])
		ADY_BUG("not a slot of this arena");
	ady_zero(slot, a->slot_size);
	pthread_mutex_lock(&a->lock);
	a->used[i] = 0;
	pthread_mutex_unlock(&a->lock);
}

void ady_arena_close(struct ady_arena *a)
{
	if (!a)
		return;
	sodium_munlock(a->base, a->slots * a->slot_size); /* wipes */
	sodium_free(a->base);
	pthread_mutex_destroy(&a->lock);
	free(a);
}
