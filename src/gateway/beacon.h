/* SPDX-License-Identifier: Apache-2.0
 *
 * What a voluntary exit needs of a beacon node ("validators.beacon"): the validator's index, the
 * fork, the network, the epoch of now. One question after the other; what is answered is believed
 * no further than that an exit made of it is good or is not. Thread rule: the shard's thread. */
#ifndef ADY_GATEWAY_BEACON_H
#define ADY_GATEWAY_BEACON_H

#include "gateway/shard.h"

struct ady_beacon_answer {
	uint64_t index, epoch;                                          /* epoch: of now */
	char previous_version[11], current_version[11], fork_epoch[21]; /* "0x" and hex; decimal */
	char genesis_validators_root[67];
};

struct ady_beacon_ask {
	struct ady_shard *shard;
	uint8_t public_key[ADY_STATE_KEY];
	int64_t due_ms; /* ady_mono_ms */
	/* Once, later: the answer, or why there is none (ADY_E_NOT_FOUND: no such validator). */
	void (*done)(void *ctx, const struct ady_beacon_answer *a, const struct ady_fault *f);
	void *ctx;
};

struct ady_beacon;

/* Begin; shard->beacon is there. For ady_beacon_drop; gone once done is called. NULL: too much is
 * asked of the node already, and done is not called. */
struct ady_beacon *ady_beacon_start(const struct ady_beacon_ask *ask);

/* Let go of one that is not done: done is not called. NULL is allowed. */
void ady_beacon_drop(struct ady_beacon *b);

/* A shard's client for the configured node. */
struct ady_http_client *ady_beacon_client(struct ady_shard *shard, struct ady_fault *f);

#endif
