/* SPDX-License-Identifier: Apache-2.0 */
#include "base/budget.h"

#include "base/err.h"

/* What a holder may have, in parts of what it leaves free. */
enum { GREED = 3 };

/* FNV-1a: see ady_shares. */
struct ady_share *ady_share_of(struct ady_shares *shares, const char *name)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 0x100000001b3;
	return &shares->of[(h ^ h >> 32) % ADY_BUDGET_NAMES];
}

bool ady_budget_take(struct ady_budget *b, struct ady_share *share, uint64_t n)
{
	uint64_t left;
	bool may;

	pthread_mutex_lock(&b->lock);
	left = b->total - b->used;
	may = n <= left && (share->held == 0 || share->held + n <= GREED * (left - n));
	if (may) {
		b->used += n;
		share->held += n;
	}
	pthread_mutex_unlock(&b->lock);
	return may;
}

void ady_budget_give(struct ady_budget *b, struct ady_share *share, uint64_t n)
{
	pthread_mutex_lock(&b->lock);
	if (n > share->held)
		ADY_BUG("more was given back than was taken");
	b->used -= n;
	share->held -= n;
	pthread_mutex_unlock(&b->lock);
}

bool ady_budget_is_tight(struct ady_budget *b)
{
	bool tight;

	pthread_mutex_lock(&b->lock);
	tight = b->used > b->total / 2;
	pthread_mutex_unlock(&b->lock);
	return tight;
}

void ady_budget_set(struct ady_budget *b, uint64_t total)
{
	pthread_mutex_lock(&b->lock);
	if (b->used > 0)
		ADY_BUG("a budget was set that is in use");
	b->total = total;
	pthread_mutex_unlock(&b->lock);
}
