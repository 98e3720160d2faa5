/* SPDX-License-Identifier: Apache-2.0
 *
 * The table behind the store: records and refusals by secret id, bounded in number and bytes, the
 * least recently used going first, in stripes that are locked apart so that threads rarely meet.
 * Thread rule: any thread. */
#ifndef ADY_GATEWAY_CACHE_H
#define ADY_GATEWAY_CACHE_H

#include "gateway/store.h"

enum { ADY_CACHE_ENTRIES_MAX = 4000000, ADY_CACHE_BYTES_MAX = 64 << 20 };

/* What is known of one secret. Valid under its stripe's lock, or while fetching is set. */
struct ady_cache_entry {
	struct ady_cache_entry *chain;         /* of its bucket */
	struct ady_cache_entry *older, *newer; /* by last use */
	struct ady_stored *record;             /* NULL: none, see refused */
	struct ady_fault *fault;               /* why there is none; NULL: not known either */
	bool fetching;                         /* an entry that is being fetched stays */
	bool stale;                            /* what is being fetched may be old already */
	int64_t until_ms;                      /* of the record or the refusal */
	struct ady_store_wait *waiters;
	uint64_t hash;
	size_t cost; /* bytes that it takes, its record included */
	size_t id_n;
	char id[]; /* NUL-terminated */
};

struct ady_cache;

/* Make a table. entries_max and bytes_max: 0 for the usual; bytes are counted with all that is
 * allocated for an entry. Returns ADY_E_MEMORY. */
enum ady_err ady_cache_open(struct ady_cache **cache, size_t entries_max, size_t bytes_max);

/* Lock the stripe of id and find its entry, or make an empty one. Never NULL. End with
 * ady_cache_unlock; other calls on entries are made in between. */
struct ady_cache_entry *ady_cache_lock(struct ady_cache *cache, struct ady_bytes id);

/* Lock the stripe of an entry that is being fetched. */
void ady_cache_relock(struct ady_cache *cache, struct ady_cache_entry *entry);

/* Put what a fetch brought into a locked entry: a record (its reference is taken over) or NULL and
 * a fault. Ends the fetching state; the caller takes the waiters. */
void ady_cache_fill(struct ady_cache *cache, struct ady_cache_entry *entry,
                    struct ady_stored *record, const struct ady_fault *fault, int64_t until_ms);

/* What is known of id is old: forget it, and what a fetch under way brings, once its waiters have
 * it. */
void ady_cache_forget(struct ady_cache *cache, struct ady_bytes id);

/* Unlock the stripe, having dropped what exceeds its bounds. */
void ady_cache_unlock(struct ady_cache *cache, struct ady_cache_entry *entry);

/* How many entries there are, and the bytes that they take. */
void ady_cache_size(struct ady_cache *cache, uint64_t *entries, uint64_t *bytes);

/* Free; nothing may be fetching. NULL is allowed. */
void ady_cache_close(struct ady_cache *cache);

#endif
