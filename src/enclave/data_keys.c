/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/data_keys.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "crypto/hash.h"

#define NONE UINT32_MAX

/* One place; its key is in the arena. Free places are linked by next, taken ones by next within
 * their bucket. */
struct place {
	struct ady_data_key_name name;
	char tenant[64];
	bool taken;
	int64_t opened_ms, used_ms;
	uint64_t uses;
	uint32_t next;
};

struct ady_data_keys {
	int64_t idle_ms, max_ms;
	uint64_t uses; /* allowed; 0: any number */
	uint32_t n, buckets_n;
	struct ady_arena *arena;
	uint8_t (*keys)[ADY_DATA_KEY_SIZE];
	struct place *places;
	uint32_t *buckets; /* a power of two of them */
	pthread_mutex_t lock;
	uint32_t free;
	uint64_t epoch;
	struct ady_data_keys_report report;
};

static enum ady_err make(struct ady_data_keys *d, uint32_t n)
{
	enum ady_err err = ady_arena_open(&d->arena, 1, n * sizeof *d->keys);

	if (err != ADY_OK)
		return err;
	d->keys = ady_arena_take(d->arena);
	for (d->buckets_n = 1; d->buckets_n < n;)
		d->buckets_n *= 2;
	d->places = calloc(n, sizeof *d->places);
	d->buckets = calloc(d->buckets_n, sizeof *d->buckets);
	if (!d->places || !d->buckets)
		return ADY_E_MEMORY;
	d->n = n;
	memset(d->buckets, 0xff, d->buckets_n * sizeof *d->buckets);
	for (uint32_t i = 0; i < n; i++)
		d->places[i].next = i + 1 < n ? i + 1 : NONE;
	return ADY_OK;
}

enum ady_err ady_data_keys_open(struct ady_data_keys **out, const struct ady_enclave_config *config)
{
	struct ady_data_keys *d = calloc(1, sizeof *d);
	enum ady_err err;

	*out = NULL;
	if (!d)
		return ADY_E_MEMORY;
	d->idle_ms = (int64_t)config->data_key_idle_s * 1000;
	d->max_ms = (int64_t)config->data_key_max_s * 1000;
	d->uses = config->data_key_uses;
	pthread_mutex_init(&d->lock, NULL);
	if ((err = make(d, config->data_keys)) != ADY_OK) {
		ady_data_keys_close(d);
		return err;
	}
	*out = d;
	return ADY_OK;
}

void ady_data_keys_close(struct ady_data_keys *d)
{
	if (!d)
		return;
	ady_arena_close(d->arena);
	pthread_mutex_destroy(&d->lock);
	free(d->places);
	free(d->buckets);
	free(d);
}

void ady_data_key_name(struct ady_data_key_name *name, const char *tenant, struct ady_bytes blob)
{
	const struct ady_bytes parts[] = {ady_bytes(tenant, strlen(tenant) + 1), blob};

	ady_sha256(name->b, parts, 2);
}

bool ady_data_keys_enabled(const struct ady_data_keys *d)
{
	return d->idle_ms > 0 && d->max_ms > 0;
}

/* Names are hashes: some of their bits are as good as others. */
static uint32_t *bucket_of(struct ady_data_keys *d, const struct ady_data_key_name *name)
{
	return &d->buckets[ady_be32(name->b) & (d->buckets_n - 1)];
}

/* The link to the place of that name, or to NONE. */
static uint32_t *find(struct ady_data_keys *d, const struct ady_data_key_name *name)
{
	uint32_t *link = bucket_of(d, name);

	while (*link != NONE && memcmp(&d->places[*link].name, name, sizeof *name) != 0)
		link = &d->places[*link].next;
	return link;
}

/* Wipe the key that *link leads to, and free its place. */
static void drop(struct ady_data_keys *d, uint32_t *link)
{
	uint32_t i = *link;
	struct place *p = &d->places[i];

	ady_zero(d->keys[i], sizeof *d->keys);
	*link = p->next;
	*p = (struct place){.next = d->free};
	d->free = i;
	d->report.held--;
}

static bool over(const struct ady_data_keys *d, const struct place *p, int64_t now)
{
	return now - p->used_ms >= d->idle_ms || now - p->opened_ms >= d->max_ms ||
	       (d->uses && p->uses >= d->uses);
}

bool ady_data_keys_get(struct ady_data_keys *d, const struct ady_data_key_name *name,
                       uint8_t out32[static ADY_DATA_KEY_SIZE])
{
	int64_t now = ady_mono_ms();
	uint32_t *link;
	bool there;

	pthread_mutex_lock(&d->lock);
	link = find(d, name);
	if (*link != NONE && over(d, &d->places[*link], now)) {
		drop(d, link);
		d->report.expired++;
		link = find(d, name);
	}
	there = *link != NONE;
	if (there) {
		memcpy(out32, d->keys[*link], ADY_DATA_KEY_SIZE);
		d->places[*link].used_ms = now;
		d->places[*link].uses++;
		d->report.hits++;
	} else {
		d->report.misses++;
	}
	pthread_mutex_unlock(&d->lock);
	return there;
}

uint64_t ady_data_keys_epoch(struct ady_data_keys *d)
{
	uint64_t epoch;

	pthread_mutex_lock(&d->lock);
	epoch = d->epoch;
	pthread_mutex_unlock(&d->lock);
	return epoch;
}

/* Make a place free: the one unused for longest gives way. */
static void make_room(struct ady_data_keys *d)
{
	uint32_t oldest = 0;

	for (uint32_t i = 1; i < d->n; i++)
		if (d->places[i].used_ms < d->places[oldest].used_ms)
			oldest = i;
	drop(d, find(d, &d->places[oldest].name));
}

static void enter(struct ady_data_keys *d, const struct ady_data_key_name *name, const char *tenant,
                  const uint8_t *key32)
{
	int64_t now = ady_mono_ms();
	uint32_t i, *bucket;

	if (d->free == NONE)
		make_room(d);
	i = d->free;
	d->free = d->places[i].next;
	bucket = bucket_of(d, name);
	d->places[i] = (struct place){.name = *name,
	                              .taken = true,
	                              .opened_ms = now,
	                              .used_ms = now,
	                              .uses = 1,
	                              .next = *bucket};
	(void)ady_bytes_to_str(d->places[i].tenant, sizeof d->places[i].tenant,
	                       ady_bytes_str(tenant));
	memcpy(d->keys[i], key32, sizeof *d->keys);
	*bucket = i;
	d->report.held++;
}

void ady_data_keys_put(struct ady_data_keys *d, const struct ady_data_key_name *name,
                       const char *tenant, const uint8_t key32[static ADY_DATA_KEY_SIZE],
                       uint64_t epoch)
{
	if (!ady_data_keys_enabled(d))
		return;
	pthread_mutex_lock(&d->lock);
	if (epoch == d->epoch && *find(d, name) == NONE)
		enter(d, name, tenant, key32);
	pthread_mutex_unlock(&d->lock);
}

/* Drop the places that match: those of tenant when which is set, else those whose time is over. */
static size_t drop_all(struct ady_data_keys *d, bool by_tenant, const char *tenant)
{
	int64_t now = ady_mono_ms();
	size_t n = 0;

	for (uint32_t i = 0; i < d->n; i++) {
		struct place *p = &d->places[i];

		if (!p->taken ||
		    (by_tenant ? tenant && strcmp(p->tenant, tenant) != 0 : !over(d, p, now)))
			continue;
		drop(d, find(d, &p->name));
		n++;
	}
	return n;
}

size_t ady_data_keys_lock(struct ady_data_keys *d, const char *tenant)
{
	size_t n;

	pthread_mutex_lock(&d->lock);
	n = drop_all(d, true, tenant);
	d->epoch++;
	d->report.locked += n;
	pthread_mutex_unlock(&d->lock);
	return n;
}

void ady_data_keys_sweep(struct ady_data_keys *d)
{
	pthread_mutex_lock(&d->lock);
	if (d->report.held > 0)
		d->report.expired += drop_all(d, false, NULL);
	pthread_mutex_unlock(&d->lock);
}

void ady_data_keys_report(struct ady_data_keys *d, struct ady_data_keys_report *report)
{
	pthread_mutex_lock(&d->lock);
	*report = d->report;
	pthread_mutex_unlock(&d->lock);
}
