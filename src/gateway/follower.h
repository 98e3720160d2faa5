/* SPDX-License-Identifier: Apache-2.0
 *
 * Copies of the store's records that stay true: a thread reads all records, as many as there is
 * room for, and is told by the store of each change, whichever gateway makes it. A copy is served
 * only while the store has said within the last store.cache_ms that all its changes were told:
 * where nothing is heard any more, no copy is older than what the cache may hold. Thread rule: any
 * thread. */
#ifndef ADY_GATEWAY_FOLLOWER_H
#define ADY_GATEWAY_FOLLOWER_H

#include "gateway/cache.h"

struct ady_follower;

/* Start to follow records, whose watch is not NULL, as worker, which is the follower's alone.
 * cache: what is there of a changed record is forgotten as well. records->stop must be true before
 * ady_follower_close. Returns ADY_E_MEMORY. */
enum ady_err ady_follower_open(struct ady_follower **follower, struct ady_records *records,
                               size_t worker, struct ady_cache *cache,
                               const struct ady_config_store *config);

/* End the thread, free. NULL is allowed. */
void ady_follower_close(struct ady_follower *follower);

/* The record of an id, with one reference, as the store had it after newer_than_ms; NULL: it is to
 * be asked. */
struct ady_stored *ady_follower_get(struct ady_follower *follower, struct ady_bytes id,
                                    int64_t newer_than_ms);

/* This gateway has changed the record: forget its copy at once. NULL is allowed. */
void ady_follower_forget(struct ady_follower *follower, struct ady_bytes id);

/* How many copies there are, and the bytes that they take. */
void ady_follower_size(struct ady_follower *follower, uint64_t *entries, uint64_t *bytes);

#endif
