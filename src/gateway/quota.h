/* SPDX-License-Identifier: Apache-2.0
 *
 * What each tenant may use: so many signatures a second, with bursts, and a share of the enclave
 * when it is full. Rates are of the whole gateway; waiting is in the order of weighted fair
 * queueing, in each shard. Thread rule: quotas any thread; a queue belongs to its shard's thread.
 */
#ifndef ADY_GATEWAY_QUOTA_H
#define ADY_GATEWAY_QUOTA_H

#include "gateway/caller.h"

struct ady_quotas;

/* Make the tenants' quotas as config has them; config must outlive them. Returns ADY_E_MEMORY. */
enum ady_err ady_quotas_open(struct ady_quotas **q, const struct ady_gateway_config *config);

/* Free. NULL is allowed. */
void ady_quotas_close(struct ady_quotas *q);

/* Take n of the caller's tenant's signatures; now_us: ady_mono_us. One that is left is enough: what
 * n goes beyond it the tenant waits for afterwards, so that its rate holds whatever n is. Returns:
 * ADY_E_RATE when none is left, with the reason in f. Without a quota: ADY_OK. */
enum ady_err ady_quota_take(struct ady_quotas *q, const struct ady_caller *caller, uint64_t n,
                            int64_t now_us, struct ady_fault *f);

/* One who waits for room in the enclave, inside a structure of the caller. */
struct ady_fair_wait {
	struct ady_fair_wait *next;
	size_t tenant;
	uint64_t start; /* virtual time */
	bool waiting;
};

struct ady_fair;

/* Make a queue, empty. Returns ADY_E_MEMORY. */
enum ady_err ady_fair_open(struct ady_fair **fair, const struct ady_gateway_config *config);

/* Free an empty queue. NULL is allowed. */
void ady_fair_close(struct ady_fair *fair);

/* Put w last among its tenant's. Returns: ADY_E_BUSY for a caller of no tenant, when the tenant has
 * its share of the queue in it already, and where no callers are configured. */
enum ady_err ady_fair_push(struct ady_fair *fair, const struct ady_caller *caller,
                           struct ady_fair_wait *w);

/* Take out who is next, NULL when nobody waits: of the tenants that wait each gets turns in
 * proportion to its weight, however much it asks. */
struct ady_fair_wait *ady_fair_pop(struct ady_fair *fair);

/* Put back what was popped and found no room: it is next again. */
void ady_fair_unpop(struct ady_fair *fair, struct ady_fair_wait *w);

/* Take w out, wherever it is. Harmless when it does not wait. */
void ady_fair_remove(struct ady_fair *fair, struct ady_fair_wait *w);

/* How many wait. */
size_t ady_fair_waiting(const struct ady_fair *fair);

#endif
