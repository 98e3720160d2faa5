/* SPDX-License-Identifier: Apache-2.0
 *
 * How many enabled keys the store has, for the metrics: counted in the background when somebody
 * asks, at most once a minute and a hundredth of the time. Thread rule: any shard's thread. */
#ifndef ADY_GATEWAY_KEY_COUNT_H
#define ADY_GATEWAY_KEY_COUNT_H

#include "gateway/store.h"

struct ady_shard;

/* One a gateway, all zero at first. */
struct ady_key_count {
	struct ady_store_job job;
	struct ady_shard *shard; /* that asked */
	atomic_bool busy;
	_Atomic int64_t known; /* one more than was counted; 0: nothing was */
	_Atomic int64_t due_ms;
	int64_t n; /* of the count under way */
};

/* The last count, -1 when there is none yet; sets off a new one that is due. On the shard's thread.
 */
int64_t ady_key_count_get(struct ady_shard *shard);

#endif
