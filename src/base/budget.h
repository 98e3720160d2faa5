/* SPDX-License-Identifier: Apache-2.0
 *
 * Something bounded that many want a share of: memory, or places. It is taken before it is used and
 * given back after. Nobody gets all of it, however much he asks: a holder is given more only while
 * what it then has is at most three times what is then still free; what it takes first it is given
 * if it is free at all. So one that takes all it can leaves a quarter, and who comes next gets
 * three quarters of that. Nothing is allocated, nothing waits. Thread rule: any thread. */
#ifndef ADY_BASE_BUDGET_H
#define ADY_BASE_BUDGET_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { ADY_BUDGET_NAMES = 4096 };

struct ady_budget {
	pthread_mutex_t lock;
	uint64_t total, used;
};

/* What one holder has; of one budget, whose lock guards it. All zero at first. */
struct ady_share {
	uint64_t held;
};

/* The shares of holders that have names. Two names may fall on one share, and are one holder then:
 * names are the operator's, so nobody can choose his for that. All zero at first. */
struct ady_shares {
	struct ady_share of[ADY_BUDGET_NAMES];
};

/* The share of a name. */
struct ady_share *ady_share_of(struct ady_shares *shares, const char *name);

/* Take n for a holder. False: there is no room, or it has its share; nothing is taken then. */
bool ady_budget_take(struct ady_budget *b, struct ady_share *share, uint64_t n);

/* Give back n of what a holder has. */
void ady_budget_give(struct ady_budget *b, struct ady_share *share, uint64_t n);

/* Whether more than half is taken: who keeps something to have it at hand gives it back now. */
bool ady_budget_is_tight(struct ady_budget *b);

/* Set how much there is of it, before any is taken. */
void ady_budget_set(struct ady_budget *b, uint64_t total);

#endif
