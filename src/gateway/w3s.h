/* SPDX-License-Identifier: Apache-2.0
 *
 * What Web3Signer's dashboards and alerts read, under its names: the same events that the other
 * metrics count (doc/validators.md has the list). Thread rule: as gateway/metrics.h. */
#ifndef ADY_GATEWAY_W3S_H
#define ADY_GATEWAY_W3S_H

#include "gateway/metrics.h"

struct ady_shard;

/* Count the outcome of one request to sign that arrived at arrived_us (ady_mono_us). curve: of the
 * interface that was asked. status: of the answer, also that of one key in a batch. */
void ady_w3s_count(struct ady_metrics *m, enum ady_w3s_curve curve, int status, int64_t arrived_us);

/* Count what slashing protection said: a duty that can be slashed for was signed, or refused. */
void ady_w3s_count_slashing(struct ady_metrics *m, bool signed_);

/* Append all of them over the gateway's shards as Prometheus text. On a shard's thread. */
void ady_w3s_put(struct ady_dyn *out, struct ady_shard *shard);

#endif
