/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/counter.h"

#include <string.h>

enum { SLOTS = ADY_COUNTER_SLOTS + 1, BODY = 4 + 8 + SLOTS * 32 };

/* Rounded up, so that eight slots are never less than the period. */
static uint64_t slot_of(uint32_t per_s, uint64_t now_s)
{
	return now_s / ((per_s + ADY_COUNTER_SLOTS - 1u) / ADY_COUNTER_SLOTS);
}

void ady_counter_advance(struct ady_counter *c, uint32_t per_s, uint64_t now_s)
{
	uint64_t slot = slot_of(per_s, now_s), by;

	if (slot <= c->slot)
		return;
	by = slot - c->slot < SLOTS ? slot - c->slot : SLOTS;
	for (uint64_t i = SLOTS; i-- > 0;)
		c->sum[i] = i >= by ? c->sum[i - by] : (struct ady_u256){0};
	c->slot = slot;
}

bool ady_counter_total(struct ady_u256 *total, const struct ady_counter *c,
                       const struct ady_u256 *amount)
{
	*total = *amount;
	for (size_t i = 0; i < SLOTS; i++)
		if (!ady_u256_add_product(total, 1, &c->sum[i]))
			return false;
	return true;
}

void ady_counter_add(struct ady_counter *c, const struct ady_u256 *amount)
{
	(void)ady_u256_add_product(&c->sum[0], 1, amount);
}

void ady_counters_put(struct ady_buf *b, const struct ady_counters *counters,
                      const struct ady_counter_info *info, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		ady_buf_u8(b, (uint8_t)info[i].name.n);
		ady_buf_view(b, info[i].name);
		ady_buf_be32(b, info[i].per_s);
		ady_buf_be64(b, counters->c[i].slot);
		ady_buf_put(b, counters->c[i].sum, sizeof counters->c[i].sum);
	}
}

/* Set a counter from a state of another period: everything counts as of now. A total beyond 256
 * bits stays at the most there is. */
static void convert(struct ady_counter *c, const struct ady_counter *old, uint32_t per_s,
                    uint64_t now_s)
{
	const struct ady_u256 none = {0};

	*c = (struct ady_counter){.slot = slot_of(per_s, now_s)};
	if (!ady_counter_total(&c->sum[0], old, &none))
		memset(&c->sum[0], 0xff, sizeof c->sum[0]);
}

static void take(struct ady_counters *counters, const struct ady_counter_info *info, size_t n,
                 uint64_t now_s, struct ady_bytes name, const uint8_t *body)
{
	struct ady_counter read = {.slot = ady_be64(body + 4)};

	memcpy(read.sum, body + 12, sizeof read.sum);
	for (size_t i = 0; i < n; i++) {
		if (!ady_bytes_eq(info[i].name, name))
			continue;
		if (ady_be32(body) == info[i].per_s)
			counters->c[i] = read;
		else
			convert(&counters->c[i], &read, info[i].per_s, now_s);
	}
}

enum ady_err ady_counters_read(struct ady_counters *counters, const struct ady_counter_info *info,
                               size_t n, uint64_t now_s, struct ady_bytes b)
{
	*counters = (struct ady_counters){0};
	while (b.n > 0) {
		size_t name_n = b.p[0];

		if (b.n < 1 + name_n + BODY) {
			*counters = (struct ady_counters){0};
			return ADY_E_FIELD_INVALID;
		}
		take(counters, info, n, now_s, ady_bytes(b.p + 1, name_n), b.p + 1 + name_n);
		b = ady_bytes_sub(b, 1 + name_n + BODY, b.n - 1 - name_n - BODY);
	}
	return ADY_OK;
}
