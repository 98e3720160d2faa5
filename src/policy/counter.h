/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums over the last period of time: no interval of the period's length ever holds more than the
 * limit. A counter has the sums of slots of an eighth of the period; what is counted is the slot
 * that runs and the eight before it, so a sum leaves between one period and an eighth more after it
 * was added. Time that goes back leaves the counter where it was. */
#ifndef ADY_POLICY_COUNTER_H
#define ADY_POLICY_COUNTER_H

#include "base/u256.h"

enum { ADY_COUNTER_SLOTS = 8, ADY_COUNTERS_MAX = 32, ADY_COUNTER_NAME_MAX = 48 };

struct ady_counter {
	uint64_t slot; /* the number of the slot that sum[0] is of */
	struct ady_u256 sum[ADY_COUNTER_SLOTS + 1];
};

struct ady_counter_info {
	struct ady_bytes name;
	uint32_t per_s;
};

/* The counters of a policy, in its order. All zero: nothing was counted. */
struct ady_counters {
	struct ady_counter c[ADY_COUNTERS_MAX];
};

/* Go on to the slot of a time. */
void ady_counter_advance(struct ady_counter *c, uint32_t per_s, uint64_t now_s);

/* What is counted, `amount` added; false when it is no 256-bit number. */
bool ady_counter_total(struct ady_u256 *total, const struct ady_counter *c,
                       const struct ady_u256 *amount);

/* Add to the slot that runs; ady_counter_total was asked before. */
void ady_counter_add(struct ady_counter *c, const struct ady_u256 *amount);

/* Write n counters: of each the length and bytes of its name, period, slot and sums. */
void ady_counters_put(struct ady_buf *b, const struct ady_counters *counters,
                      const struct ady_counter_info *info, size_t n);

/* Read what ady_counters_put wrote, for the policy that has these n counters now: one whose name is
 * not in b is zero, one whose period has changed has all that was counted in its first slot, at
 * now_s. Returns ADY_E_FIELD_INVALID when b is malformed; counters are then zero. */
enum ady_err ady_counters_read(struct ady_counters *counters, const struct ady_counter_info *info,
                               size_t n, uint64_t now_s, struct ady_bytes b);

#endif
