/* SPDX-License-Identifier: Apache-2.0
 *
 * In stripes that are locked apart. Each has one block in which the copies lie one after another,
 * and slots that say where, found by hash and, from there on, the next free one. */
#include "gateway/copies.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/rng.h"
#include "store/packing.h"

enum { HEAD = 4, SLOTS_MIN = 64, BLOCK_MIN = 4096, COPY_MAX = HEAD + 255 + ADY_PACKED_MAX };

/* A copy is a head (length of the id, whether it was removed, length of the rest), id, rest. */
struct stripe {
	_Alignas(64) pthread_mutex_t lock;
	uint8_t *block;
	size_t n, cap;   /* of the block */
	uint32_t *slots; /* place in the block + 1; 0: free */
	size_t slots_n;  /* a power of two */
	size_t used;     /* slots that are not free */
	size_t live;     /* copies that were not removed */
	uint32_t removed;
};

struct ady_copies {
	size_t bytes_max;                       /* of a stripe */
	uint8_t key[crypto_shorthash_KEYBYTES]; /* clients choose ids: collisions must be luck */
	struct ady_packing *packing;
	struct stripe stripes[ADY_COPIES_STRIPES];
};

static struct ady_bytes id_of(const uint8_t *copy)
{
	return ady_bytes(copy + HEAD, copy[0]);
}

static struct ady_bytes rest_of(const uint8_t *copy)
{
	return ady_bytes(copy + HEAD + copy[0], ady_be16(copy + 2));
}

static size_t length_of(const uint8_t *copy)
{
	return (size_t)HEAD + copy[0] + ady_be16(copy + 2);
}

static bool was_removed(const uint8_t *copy)
{
	return copy[1] != 0;
}

static uint64_t hash_of(const struct ady_copies *c, struct ady_bytes id)
{
	uint64_t hash;

	crypto_shorthash((unsigned char *)&hash, id.p, id.n, c->key);
	return hash;
}

/* The slot of an id, or the free one where it belongs. There is always one that is free. */
static uint32_t *slot_of(struct stripe *s, uint64_t hash, struct ady_bytes id)
{
	size_t at = hash / ADY_COPIES_STRIPES & (s->slots_n - 1);

	while (s->slots[at] && (was_removed(s->block + s->slots[at] - 1) ||
	                        !ady_bytes_eq(id_of(s->block + s->slots[at] - 1), id)))
		at = (at + 1) & (s->slots_n - 1);
	return &s->slots[at];
}

static bool empty(struct stripe *s)
{
	free(s->block);
	free(s->slots);
	s->block = malloc(BLOCK_MIN);
	s->slots = calloc(SLOTS_MIN, sizeof *s->slots);
	s->n = s->used = s->live = 0;
	s->cap = BLOCK_MIN;
	s->slots_n = SLOTS_MIN;
	return s->block && s->slots;
}

enum ady_err ady_copies_open(struct ady_copies **copies, size_t bytes_max)
{
	struct ady_copies *c = aligned_alloc(64, sizeof *c);
	bool made;

	*copies = c;
	if (!c)
		return ADY_E_MEMORY;
	memset(c, 0, sizeof *c);
	c->bytes_max = bytes_max / ADY_COPIES_STRIPES;
	ady_random(c->key, sizeof c->key);
	made = ady_packing_open(&c->packing) == ADY_OK;
	for (size_t i = 0; i < ADY_COPIES_STRIPES; i++) {
		pthread_mutex_init(&c->stripes[i].lock, NULL);
		made = made && empty(&c->stripes[i]);
	}
	if (made)
		return ADY_OK;
	ady_copies_close(c);
	*copies = NULL;
	return ADY_E_MEMORY;
}

void ady_copies_close(struct ady_copies *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < ADY_COPIES_STRIPES; i++) {
		free(c->stripes[i].block);
		free(c->stripes[i].slots);
		pthread_mutex_destroy(&c->stripes[i].lock);
	}
	ady_packing_close(c->packing);
	free(c);
}

static struct stripe *lock_stripe(struct ady_copies *c, uint64_t hash)
{
	struct stripe *s = &c->stripes[hash % ADY_COPIES_STRIPES];

	pthread_mutex_lock(&s->lock);
	return s;
}

/* --- room --- */

static void close_ranks(struct stripe *s)
{
	uint8_t *to = s->block;

	for (uint8_t *from = s->block, *end = s->block + s->n; from < end;) {
		const size_t n = length_of(from);

		if (!was_removed(from)) {
			memmove(to, from, n);
			to += n;
		}
		from += n;
	}
	s->n = (size_t)(to - s->block);
}

/* What was removed goes, and each copy gets its slot again among slots_n. */
static bool rebuild(struct ady_copies *c, struct stripe *s, size_t slots_n)
{
	uint32_t *slots = calloc(slots_n, sizeof *slots);

	if (!slots)
		return false;
	free(s->slots);
	s->slots = slots;
	s->slots_n = slots_n;
	close_ranks(s);
	for (uint8_t *at = s->block, *end = s->block + s->n; at < end; at += length_of(at))
		*slot_of(s, hash_of(c, id_of(at)), id_of(at)) = (uint32_t)(at - s->block) + 1;
	s->used = s->live;
	return true;
}

static size_t size_of(size_t block, size_t slots_n)
{
	return block + slots_n * sizeof(uint32_t);
}

/* A block that grows by an eighth is not half empty when it can grow no more. */
static bool widen(struct ady_copies *c, struct stripe *s, size_t n)
{
	size_t cap = s->cap + s->cap / 8;
	uint8_t *block;

	if (s->n + n <= s->cap)
		return true;
	if (cap < s->n + n)
		cap = s->n + n;
	if (size_of(cap, s->slots_n) > c->bytes_max)
		return false;
	block = realloc(s->block, cap);
	if (!block)
		return false;
	s->block = block;
	s->cap = cap;
	return true;
}

/* A rebuild must be worth it. */
static bool has_many_removed(const struct stripe *s)
{
	return (s->used - s->live) * 8 > s->used;
}

static bool make_room(struct ady_copies *c, struct stripe *s, size_t n)
{
	const size_t more = s->live * 4 >= s->slots_n * 3 ? 2 * s->slots_n : s->slots_n;

	if (s->used * 8 >= s->slots_n * 7 &&
	    (size_of(s->cap, more) > c->bytes_max || !rebuild(c, s, more)))
		return false;
	if (widen(c, s, n))
		return true;
	return has_many_removed(s) && rebuild(c, s, s->slots_n) && s->n + n <= s->cap;
}

/* --- in and out --- */

void ady_copies_mark(struct ady_copies *c, struct ady_copies_mark *mark)
{
	for (size_t i = 0; i < ADY_COPIES_STRIPES; i++) {
		pthread_mutex_lock(&c->stripes[i].lock);
		mark->removed[i] = c->stripes[i].removed;
		pthread_mutex_unlock(&c->stripes[i].lock);
	}
}

static void drop(struct stripe *s, uint64_t hash, struct ady_bytes id)
{
	const uint32_t slot = *slot_of(s, hash, id);

	if (!slot)
		return;
	s->block[slot] = 1; /* slot - 1 is the copy, its second byte says so */
	s->live--;
}

static enum ady_err put(struct ady_copies *c, struct stripe *s, uint64_t hash,
                        struct ady_bytes copy)
{
	const struct ady_bytes id = id_of(copy.p);

	drop(s, hash, id);
	if (!make_room(c, s, copy.n))
		return ADY_E_TOO_LARGE;
	*slot_of(s, hash, id) = (uint32_t)s->n + 1;
	memcpy(s->block + s->n, copy.p, copy.n);
	s->n += copy.n;
	s->used++;
	s->live++;
	return ADY_OK;
}

enum ady_err ady_copies_put(struct ady_copies *c, const struct ady_entry *e,
                            const struct ady_copies_mark *mark)
{
	const struct ady_bytes id = ady_bytes_str(e->id);
	const uint64_t hash = hash_of(c, id);
	uint8_t packed[ADY_PACKED_MAX], space[COPY_MAX];
	struct ady_buf b = ady_buf(space, sizeof space);
	size_t n = e->disabled || e->deletion_s || id.n > 255 ? 0 : ady_pack(c->packing, e, packed);
	enum ady_err err = ADY_OK;
	struct stripe *s;

	if (n > 0) {
		ady_buf_u8(&b, (uint8_t)id.n);
		ady_buf_u8(&b, 0);
		ady_buf_be16(&b, (uint16_t)n);
		ady_buf_view(&b, id);
		ady_buf_put(&b, packed, n);
	}
	s = lock_stripe(c, hash);
	if (s->removed != mark->removed[hash % ADY_COPIES_STRIPES])
		err = ADY_E_AGAIN;
	else if (n > 0)
		err = put(c, s, hash, ady_buf_bytes(&b));
	else
		drop(s, hash, id);
	pthread_mutex_unlock(&s->lock);
	return err;
}

struct ady_stored *ady_copies_get(struct ady_copies *c, struct ady_bytes id, int64_t as_of_ms)
{
	const uint64_t hash = hash_of(c, id);
	struct ady_unpacked u;
	struct stripe *s = lock_stripe(c, hash);
	const uint32_t slot = *slot_of(s, hash, id);

	if (slot)
		ady_unpack(c->packing, id, rest_of(s->block + slot - 1), &u);
	pthread_mutex_unlock(&s->lock);
	if (!slot)
		return NULL;
	return ady_stored_make(&(struct ady_stored){
	    .fetched_ms = as_of_ms,
	    .name = id,
	    .text = ady_bytes(u.text, u.text_n),
	    .public_key = ady_bytes(u.public_key, u.public_key_n),
	    .tenant = u.tenant,
	    .curve = u.curve,
	});
}

void ady_copies_remove(struct ady_copies *c, struct ady_bytes id)
{
	const uint64_t hash = hash_of(c, id);
	struct stripe *s = lock_stripe(c, hash);

	drop(s, hash, id);
	s->removed++;
	pthread_mutex_unlock(&s->lock);
}

void ady_copies_clear(struct ady_copies *c)
{
	for (size_t i = 0; i < ADY_COPIES_STRIPES; i++) {
		struct stripe *s = &c->stripes[i];

		pthread_mutex_lock(&s->lock);
		if (!empty(s))
			ADY_BUG("out of memory");
		s->removed++;
		pthread_mutex_unlock(&s->lock);
	}
}

void ady_copies_size(struct ady_copies *c, uint64_t *entries, uint64_t *bytes)
{
	*entries = *bytes = 0;
	for (size_t i = 0; i < ADY_COPIES_STRIPES; i++) {
		struct stripe *s = &c->stripes[i];

		pthread_mutex_lock(&s->lock);
		*entries += s->live;
		*bytes += size_of(s->n, s->slots_n);
		pthread_mutex_unlock(&s->lock);
	}
}
