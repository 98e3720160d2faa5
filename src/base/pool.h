/* SPDX-License-Identifier: Apache-2.0
 *
 * A fixed number of threads and a bounded queue of work for them. Work that does not fit is
 * refused at once, never waited for. Thread rule: submit from any thread. */
#ifndef ADY_BASE_POOL_H
#define ADY_BASE_POOL_H

#include "base/err.h"

#include <stddef.h>

struct ady_pool;

/* A unit of work: fn(arg, worker) runs on worker 0..threads-1. Storage belongs to the caller and
 * must stay until fn is called; the pool does not touch it afterwards. */
struct ady_work {
	void (*fn)(struct ady_work *work, size_t worker);
	struct ady_work *next;
};

/* Start threads workers with room for depth waiting units. Returns ADY_E_MEMORY. */
enum ady_err ady_pool_open(struct ady_pool **pool, size_t threads, size_t depth);

/* The same with threads that give way: nice, 1 to 19, is added to their niceness before this
 * returns. */
enum ady_err ady_pool_open_nice(struct ady_pool **pool, size_t threads, size_t depth, int nice);

/* Queue work. Returns ADY_E_BUSY when depth units are waiting already. */
enum ady_err ady_pool_submit(struct ady_pool *pool, struct ady_work *work);

/* How many units are waiting now. */
size_t ady_pool_waiting(struct ady_pool *pool);

/* Finish what is queued, end the threads, free. NULL is allowed. */
void ady_pool_close(struct ady_pool *pool);

#endif
