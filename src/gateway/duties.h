/* SPDX-License-Identifier: Apache-2.0
 *
 * Many questions about validators for one request: a batch of duties, an import, an export that
 * retires. Some are under way at once, each outcome is kept, done is called when all have ended.
 * Thread rule: the shard's thread. */
#ifndef ADY_GATEWAY_DUTIES_H
#define ADY_GATEWAY_DUTIES_H

#include "gateway/validating.h"

struct ady_duties;

struct ady_duties_item {
	struct ady_validating_ask ask; /* done and ctx are set by ady_duties_start */
	struct ady_duties *owner;
	struct ady_validating *under_way;
	struct ady_fault fault; /* err ADY_OK: it has an answer */
	struct ady_dyn proof;   /* of the enclave's answer, where proofs are wanted; else empty */
	uint8_t answer[ADY_STATE_MAX];
	size_t answer_n;
};

struct ady_duties {
	struct ady_shard *shard;
	struct ady_duties_item *items; /* heap */
	size_t n, next, left, width;
	bool starting, proofs; /* proofs: they are wanted */
	void (*done)(struct ady_duties *d);
	void *ctx;
};

/* Room for n items, all zero. Out of memory ends the program. */
struct ady_duties *ady_duties_new(struct ady_shard *shard, size_t n);

/* Begin, at most width at once (1 or more). done is called once, maybe from inside this call. */
void ady_duties_start(struct ady_duties *d, size_t width);

/* Append the proofs of all answers to a list (gateway/proofs.h), in order. */
void ady_duties_put_proofs(const struct ady_duties *d, struct ady_dyn *list);

/* Let go of what is under way, and free. NULL is allowed. */
void ady_duties_free(struct ady_duties *d);

#endif
