/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the store share. Internal to store.c (who asks) and store_fetch.c (the threads
 * behind). */
#ifndef ADY_GATEWAY_STORE_INNER_H
#define ADY_GATEWAY_STORE_INNER_H

#include <pthread.h>

#include "gateway/cache.h"
#include "gateway/follower.h"
#include "gateway/store.h"

/* What an entry of the cache stands for: ids have none of these as their first byte. */
enum { BY_ADDRESS = 1, BY_PUBLIC_KEY = 2, FIND_MAX = 1 + 1 + ADY_PUBLIC_KEY_MAX + ADY_TENANT_MAX };

struct ady_fetch;

/* Where several records are had in one call, fetches are put in a list, and threads take as many
 * of them at a time as there are. */
struct ady_pending {
	pthread_mutex_t lock;
	struct ady_fetch *first, **last;
	size_t n, takers; /* threads that take, or will */
};

struct ady_store {
	const struct ady_gateway_config *config;
	struct ady_records *records;
	bool secrets; /* Secrets Manager, where ARNs are understood */
	struct ady_cache *cache;
	struct ady_follower *follower; /* NULL: the store tells of no changes, or nothing is copied
	                                */
	struct ady_pool *pool;
	uint64_t number;          /* of this store among those of the process */
	_Atomic size_t readers_n; /* threads that read for themselves (reader_of) */
	atomic_bool closing, probing;
	_Atomic int64_t purged_ms;
	_Atomic uint64_t hits, misses, fetches, failures, waiting;
	struct ady_pending pending;
	pthread_mutex_t lock; /* guards what follows */
	bool known, ok;
	int64_t told_ms;
	char why[160];
};

/* What an attempt says of the store's health. */
void ady_store_set_health(struct ady_store *s, enum ady_err err, const struct ady_fault *f);

/* Fetch the record of a cache entry. Blocks. NULL: the reason is in f. */
struct ady_stored *ady_store_fetch_record(struct ady_store *s, size_t worker,
                                          const struct ady_cache_entry *key, struct ady_fault *f);

/* It was fetched, or not: fill the entry, and hand it to who waits. Takes the reference. */
void ady_store_finish(struct ady_store *s, struct ady_cache_entry *e, struct ady_stored *record,
                      const struct ady_fault *f);

/* Have the entry fetched by a thread; NULL: have the store probed. Returns ADY_E_BUSY,
 * ADY_E_MEMORY.
 */
enum ady_err ady_store_submit(struct ady_store *s, struct ady_cache_entry *e);

#endif
