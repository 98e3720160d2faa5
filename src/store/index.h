/* SPDX-License-Identifier: Apache-2.0
 *
 * What stores that cannot search are searched by: their entries without texts, in memory, read anew
 * in the background. Nothing is read before somebody asks. Thread rule: any thread. */
#ifndef ADY_STORE_INDEX_H
#define ADY_STORE_INDEX_H

#include "store/records.h"

struct ady_index;

/* Read the whole store once: ady_index_add for every entry. An entry whose revision is that of
 * ady_index_known need not be read again. Returns ADY_E_AGAIN, having added nothing, when nothing
 * has changed since the last time. */
typedef enum ady_err (*ady_index_scan)(void *ctx, struct ady_index *index, struct ady_fault *f);

/* Make an index; scan runs on a thread of its own, when somebody has asked, and every interval_ms
 * from then on. Returns ADY_E_MEMORY or ADY_E_STORE. */
enum ady_err ady_index_open(struct ady_index **index, ady_index_scan scan, void *ctx,
                            int64_t interval_ms, struct ady_fault *f);

/* For scan: the entry as known before, in *out (zero or cleared). False: there is none. */
bool ady_index_known(struct ady_index *index, const char *id, struct ady_entry *out);

/* An entry has changed: add or replace it; its text is not kept. */
void ady_index_put(struct ady_index *index, const struct ady_entry *e);

/* For scan: add an entry to the index that is being made. */
void ady_index_add(struct ady_index *index, const struct ady_entry *e);

/* As ady_records_list. The first to ask waits for the first scan, up to wait_ms.
 * Returns ADY_E_STORE when it has not ended by then, or what it failed with. Blocks. */
enum ady_err ady_index_list(struct ady_index *index, const struct ady_records_query *q,
                            ady_records_each each, void *ctx, int wait_ms, struct ady_fault *f);

/* As ady_records_data_key; waits as ady_index_list does. */
enum ady_err ady_index_data_key(struct ady_index *index, const char *tenant,
                                char out[static ADY_DATA_KEY_MAX + 1], int wait_ms,
                                struct ady_fault *f);

/* End the thread, free. scan must end soon. NULL is allowed. */
void ady_index_close(struct ady_index *index);

#endif
