/* SPDX-License-Identifier: Apache-2.0
 *
 * Packed copies of a store's records, a million of them in some 120 MiB, by id. Whoever fills it
 * keeps it true (follower.h). Thread rule: one thread puts and clears; any thread gets and removes.
 */
#ifndef ADY_GATEWAY_COPIES_H
#define ADY_GATEWAY_COPIES_H

#include "gateway/store.h"

enum { ADY_COPIES_STRIPES = 64 };

struct ady_copies;

/* How much was removed when somebody looked: a record that was read of the store after that is not
 * older than what is removed later. */
struct ady_copies_mark {
	uint32_t removed[ADY_COPIES_STRIPES];
};

/* Make an empty table of at most bytes_max. Returns ADY_E_MEMORY. */
enum ady_err ady_copies_open(struct ady_copies **copies, size_t bytes_max);

/* Free. NULL is allowed. */
void ady_copies_close(struct ady_copies *copies);

/* What was removed until now. To be asked before the store is. */
void ady_copies_mark(struct ady_copies *copies, struct ady_copies_mark *mark);

/* Put the copy of an entry, over an older one. Records that cannot be packed, and those that are
 * disabled or to be deleted, are left out.
 * Returns: ADY_E_AGAIN when it may be old already, for something was removed since mark;
 * ADY_E_TOO_LARGE when there is no room. */
enum ady_err ady_copies_put(struct ady_copies *copies, const struct ady_entry *e,
                            const struct ady_copies_mark *mark);

/* The record of an id, as it was at as_of_ms, with one reference; NULL: there is no copy. */
struct ady_stored *ady_copies_get(struct ady_copies *copies, struct ady_bytes id, int64_t as_of_ms);

/* Remove the copy of an id, and any that is read of the store now. */
void ady_copies_remove(struct ady_copies *copies, struct ady_bytes id);

/* Remove all. */
void ady_copies_clear(struct ady_copies *copies);

/* How many there are, and the bytes that they take. */
void ady_copies_size(struct ady_copies *copies, uint64_t *entries, uint64_t *bytes);

#endif
