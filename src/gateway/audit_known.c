/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/audit_known.h"

#include <string.h>

static struct ady_audit_chain *chain_of(struct ady_audit_known *k, const uint8_t *public32)
{
	struct ady_audit_chain *oldest = &k->chains[0];

	for (size_t i = 0; i < ADY_AUDIT_CHAINS; i++) {
		struct ady_audit_chain *c = &k->chains[i];

		if (c->used > 0 && memcmp(c->public, public32, sizeof c->public) == 0) {
			c->used = ++k->clock;
			return c;
		}
		if (c->used < oldest->used)
			oldest = c;
	}
	memset(oldest, 0, sizeof *oldest);
	memcpy(oldest->public, public32, sizeof oldest->public);
	oldest->used = ++k->clock;
	return oldest;
}

static uint64_t floor_of(const struct ady_audit_chain *c)
{
	return c->end > ADY_AUDIT_WINDOW ? c->end - ADY_AUDIT_WINDOW : 0;
}

static bool is_there(const struct ady_audit_chain *c, uint64_t sequence)
{
	return c->there[sequence % ADY_AUDIT_WINDOW / 8] >> sequence % 8 & 1;
}

/* Move the window up to a new end; what comes into it is not there. */
static void raise_end(struct ady_audit_chain *c, uint64_t end)
{
	if (end - c->end >= ADY_AUDIT_WINDOW)
		memset(c->there, 0, sizeof c->there);
	else
		for (uint64_t s = c->end; s < end; s++)
			c->there[s % ADY_AUDIT_WINDOW / 8] &= (uint8_t) ~(1u << s % 8);
	c->end = end;
}

bool ady_audit_known_add(struct ady_audit_known *k, const uint8_t public32[static 32],
                         uint64_t sequence)
{
	struct ady_audit_chain *c = chain_of(k, public32);

	if (sequence == UINT64_MAX)
		return false;
	if (sequence >= c->end)
		raise_end(c, sequence + 1);
	if (sequence < floor_of(c) || is_there(c, sequence))
		return false;
	c->there[sequence % ADY_AUDIT_WINDOW / 8] |= (uint8_t)(1u << sequence % 8);
	return true;
}

uint64_t ady_audit_known_lacks(struct ady_audit_known *k, const uint8_t public32[static 32])
{
	struct ady_audit_chain *c = chain_of(k, public32);
	uint64_t s = floor_of(c);

	while (s < c->end && is_there(c, s))
		s++;
	return s;
}
