/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cache.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/rng.h"

enum { STRIPES = 16, BUCKETS_MIN = 64, BYTES_A_BUCKET = 512 };

struct stripe {
	_Alignas(64) pthread_mutex_t lock;
	struct ady_cache_entry **buckets;
	struct ady_cache_entry *oldest, *newest;
	size_t entries, bytes;
};

struct ady_cache {
	size_t entries_max, bytes_max;          /* of a stripe */
	size_t buckets_n;                       /* of a stripe, a power of two */
	uint8_t key[crypto_shorthash_KEYBYTES]; /* clients choose ids: collisions must be luck */
	struct stripe stripes[STRIPES];
};

enum ady_err ady_cache_open(struct ady_cache **cache, size_t entries_max, size_t bytes_max)
{
	struct ady_cache *c = aligned_alloc(64, sizeof *c);

	*cache = c;
	if (!c)
		return ADY_E_MEMORY;
	memset(c, 0, sizeof *c);
	c->entries_max = (entries_max ? entries_max : ADY_CACHE_ENTRIES_MAX) / STRIPES;
	c->bytes_max = (bytes_max ? bytes_max : ADY_CACHE_BYTES_MAX) / STRIPES;
	ady_random(c->key, sizeof c->key);
	c->buckets_n = BUCKETS_MIN;
	while (c->buckets_n < c->bytes_max / BYTES_A_BUCKET)
		c->buckets_n *= 2;
	for (size_t i = 0; i < STRIPES; i++)
		pthread_mutex_init(&c->stripes[i].lock, NULL);
	for (size_t i = 0; i < STRIPES; i++) {
		c->stripes[i].buckets = calloc(c->buckets_n, sizeof(struct ady_cache_entry *));
		if (!c->stripes[i].buckets) {
			ady_cache_close(c);
			*cache = NULL;
			return ADY_E_MEMORY;
		}
	}
	return ADY_OK;
}

static struct stripe *stripe_of(struct ady_cache *c, uint64_t hash)
{
	return &c->stripes[hash % STRIPES];
}

static struct ady_cache_entry **bucket_of(const struct ady_cache *c, struct stripe *s,
                                          uint64_t hash)
{
	return &s->buckets[hash / STRIPES & (c->buckets_n - 1)];
}

static void unlink_use(struct stripe *s, struct ady_cache_entry *e)
{
	*(e->older ? &e->older->newer : &s->oldest) = e->newer;
	*(e->newer ? &e->newer->older : &s->newest) = e->older;
	e->older = e->newer = NULL;
}

static void link_newest(struct stripe *s, struct ady_cache_entry *e)
{
	e->older = s->newest;
	*(s->newest ? &s->newest->newer : &s->oldest) = e;
	s->newest = e;
}

static struct ady_cache_entry *add(struct ady_cache *c, struct stripe *s, uint64_t hash,
                                   struct ady_bytes id)
{
	struct ady_cache_entry **bucket = bucket_of(c, s, hash);
	struct ady_cache_entry *e = calloc(1, sizeof *e + id.n + 1);

	if (!e)
		ADY_BUG("out of memory");
	memcpy(e->id, id.p, id.n);
	e->id_n = id.n;
	e->hash = hash;
	e->chain = *bucket;
	*bucket = e;
	e->cost = sizeof *e + id.n + 1;
	s->bytes += e->cost;
	s->entries++;
	return e;
}

struct ady_cache_entry *ady_cache_lock(struct ady_cache *c, struct ady_bytes id)
{
	struct ady_cache_entry *e;
	struct stripe *s;
	uint64_t hash;

	crypto_shorthash((unsigned char *)&hash, id.p, id.n, c->key);
	s = stripe_of(c, hash);
	pthread_mutex_lock(&s->lock);
	for (e = *bucket_of(c, s, hash); e; e = e->chain)
		if (e->hash == hash && ady_bytes_eq(ady_bytes(e->id, e->id_n), id))
			break;
	if (!e) {
		e = add(c, s, hash, id);
		link_newest(s, e);
	} else if (e != s->newest) {
		unlink_use(s, e);
		link_newest(s, e);
	}
	return e;
}

void ady_cache_relock(struct ady_cache *c, struct ady_cache_entry *e)
{
	pthread_mutex_lock(&stripe_of(c, e->hash)->lock);
}

static void set_cost(struct stripe *s, struct ady_cache_entry *e)
{
	s->bytes -= e->cost;
	e->cost = sizeof *e + e->id_n + 1;
	if (e->fault)
		e->cost += sizeof *e->fault;
	if (e->record)
		e->cost += sizeof *e->record + e->record->name.n + e->record->text.n +
		           e->record->public_key.n + strlen(e->record->tenant) +
		           strlen(e->record->curve) + 2;
	s->bytes += e->cost;
}

static void drop_record(struct stripe *s, struct ady_cache_entry *e)
{
	ady_stored_unref(e->record);
	free(e->fault);
	e->record = NULL;
	e->fault = NULL;
	set_cost(s, e);
}

void ady_cache_fill(struct ady_cache *c, struct ady_cache_entry *e, struct ady_stored *record,
                    const struct ady_fault *fault, int64_t until_ms)
{
	struct stripe *s = stripe_of(c, e->hash);

	drop_record(s, e);
	e->record = record;
	if (!record && fault && (e->fault = malloc(sizeof *e->fault)) != NULL)
		*e->fault = *fault;
	set_cost(s, e);
	e->until_ms = e->stale ? 0 : until_ms;
	e->fetching = e->stale = false;
}

static void drop(struct ady_cache *c, struct stripe *s, struct ady_cache_entry *e)
{
	struct ady_cache_entry **at = bucket_of(c, s, e->hash);

	while (*at != e)
		at = &(*at)->chain;
	*at = e->chain;
	unlink_use(s, e);
	drop_record(s, e);
	s->entries--;
	s->bytes -= e->cost;
	free(e);
}

void ady_cache_forget(struct ady_cache *c, struct ady_bytes id)
{
	struct ady_cache_entry *e = ady_cache_lock(c, id);
	struct stripe *s = stripe_of(c, e->hash);

	if (e->fetching)
		e->stale = true;
	else
		drop(c, s, e);
	pthread_mutex_unlock(&s->lock);
}

void ady_cache_unlock(struct ady_cache *c, struct ady_cache_entry *entry)
{
	struct stripe *s = stripe_of(c, entry->hash);
	struct ady_cache_entry *e = s->oldest;

	while (e && (s->entries > c->entries_max || s->bytes > c->bytes_max)) {
		struct ady_cache_entry *newer = e->newer;

		if (!e->fetching)
			drop(c, s, e);
		e = newer;
	}
	pthread_mutex_unlock(&s->lock);
}

void ady_cache_size(struct ady_cache *c, uint64_t *entries, uint64_t *bytes)
{
	*entries = *bytes = 0;
	for (size_t i = 0; i < STRIPES; i++) {
		struct stripe *s = &c->stripes[i];

		pthread_mutex_lock(&s->lock);
		*entries += s->entries;
		*bytes += s->bytes;
		pthread_mutex_unlock(&s->lock);
	}
}

void ady_cache_close(struct ady_cache *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < STRIPES; i++) {
		struct ady_cache_entry *e = c->stripes[i].oldest, *newer;

		for (; e; e = newer) {
			newer = e->newer;
			drop(c, &c->stripes[i], e);
		}
		free(c->stripes[i].buckets);
		pthread_mutex_destroy(&c->stripes[i].lock);
	}
	free(c);
}
