/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/quota.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { QUEUE_MAX = 2048, SHARE_MIN = 16, SECOND_US = 1000000 };

/* --- rates --- */

/* The generic cell rate algorithm: due is when the bucket would be full again. One number, so that
 * threads need no lock. */
struct bucket {
	_Alignas(64) _Atomic int64_t due_us;
	int64_t each_us, burst_us; /* each 0: no limit */
	int64_t rate;
};

struct ady_quotas {
	size_t n;
	struct bucket buckets[];
};

static const struct ady_config_quota *quota_of(const struct ady_gateway_config *config,
                                               size_t tenant)
{
	return &config->callers[tenant].quota;
}

enum ady_err ady_quotas_open(struct ady_quotas **out, const struct ady_gateway_config *config)
{
	const size_t n = config->callers_n;
	struct ady_quotas *q =
	    aligned_alloc(64, (sizeof *q + n * sizeof *q->buckets + 63) / 64 * 64);

	*out = q;
	if (!q)
		return ADY_E_MEMORY;
	q->n = n;
	for (size_t i = 0; i < n; i++) {
		const struct ady_config_quota *c = quota_of(config, i);

		q->buckets[i] = (struct bucket){.rate = c->rate};
		if (c->rate > 0)
			q->buckets[i].each_us = SECOND_US / c->rate > 0 ? SECOND_US / c->rate : 1;
		q->buckets[i].burst_us = q->buckets[i].each_us * c->burst;
	}
	return ADY_OK;
}

void ady_quotas_close(struct ady_quotas *q)
{
	free(q);
}

enum ady_err ady_quota_take(struct ady_quotas *q, const struct ady_caller *caller, uint64_t n,
                            int64_t now_us, struct ady_fault *f)
{
	struct bucket *b;
	int64_t due, next;

	if (caller->everyone || !caller->tenant)
		return ADY_OK;
	b = &q->buckets[caller->tenant_index];
	if (b->each_us == 0)
		return ADY_OK;
	due = atomic_load_explicit(&b->due_us, memory_order_relaxed);
	do {
		next = due > now_us ? due : now_us;
		if (next + b->each_us - now_us > b->burst_us)
			return ady_fail(f, ADY_E_RATE, NULL,
			                "the tenant has used its %lld signatures a second",
			                (long long)b->rate);
		next += b->each_us * (int64_t)n;
	} while (!atomic_compare_exchange_weak_explicit(
	    &b->due_us, &due, next, memory_order_relaxed, memory_order_relaxed));
	return ADY_OK;
}

/* --- turns --- */

/* Start-time fair queueing: each who waits has a virtual time at which its turn begins; a tenant's
 * turns are 1/weight apart, and the one that begins first is next. */
enum { TURN = 1000000 };

struct tenant {
	struct ady_fair_wait *first, **last;
	uint64_t finish; /* of its newest turn */
	size_t n, max;
	uint64_t step; /* TURN / weight */
	size_t active; /* its place among the active ones + 1; 0: nobody waits */
};

struct ady_fair {
	uint64_t now; /* virtual: when the turn began that was given last */
	size_t waiting, tenants_n, active_n;
	size_t *active; /* tenants of whom somebody waits */
	struct tenant tenants[];
};

enum ady_err ady_fair_open(struct ady_fair **out, const struct ady_gateway_config *config)
{
	const size_t n = config->callers_n;
	struct ady_fair *fair = calloc(1, sizeof *fair + n * sizeof *fair->tenants);
	int64_t weights = 0;

	*out = fair;
	if (!fair || !(fair->active = calloc(n + 1, sizeof *fair->active))) {
		free(fair);
		*out = NULL;
		return ADY_E_MEMORY;
	}
	fair->tenants_n = n;
	for (size_t i = 0; i < n; i++)
		if (config->callers[i].tenant && config->callers[i].tenant_index == i)
			weights += quota_of(config, i)->weight;
	for (size_t i = 0; i < n; i++) {
		const int64_t given = quota_of(config, i)->weight, weight = given > 0 ? given : 1;
		struct tenant *t = &fair->tenants[i];

		t->last = &t->first;
		t->step = TURN / (uint64_t)weight;
		t->max = weights ? (size_t)(QUEUE_MAX * weight / weights) : 0;
		if (t->max < SHARE_MIN)
			t->max = SHARE_MIN;
	}
	return ADY_OK;
}

void ady_fair_close(struct ady_fair *fair)
{
	if (fair)
		free(fair->active);
	free(fair);
}

static void activate(struct ady_fair *fair, size_t tenant)
{
	if (fair->tenants[tenant].active)
		return;
	fair->active[fair->active_n++] = tenant;
	fair->tenants[tenant].active = fair->active_n;
}

static void deactivate(struct ady_fair *fair, struct tenant *t)
{
	const size_t moved = fair->active[--fair->active_n];

	fair->active[t->active - 1] = moved;
	fair->tenants[moved].active = t->active;
	t->active = 0;
}

enum ady_err ady_fair_push(struct ady_fair *fair, const struct ady_caller *caller,
                           struct ady_fair_wait *w)
{
	struct tenant *t;

	if (caller->everyone || !caller->tenant || fair->waiting >= QUEUE_MAX)
		return ADY_E_BUSY;
	t = &fair->tenants[caller->tenant_index];
	if (t->n >= t->max)
		return ADY_E_BUSY;
	w->tenant = caller->tenant_index;
	w->start = t->finish > fair->now ? t->finish : fair->now;
	w->waiting = true;
	w->next = NULL;
	t->finish = w->start + t->step;
	*t->last = w;
	t->last = &w->next;
	t->n++;
	fair->waiting++;
	activate(fair, w->tenant);
	return ADY_OK;
}

void ady_fair_remove(struct ady_fair *fair, struct ady_fair_wait *w)
{
	struct ady_fair_wait **at;
	struct tenant *t;

	if (!w->waiting)
		return;
	t = &fair->tenants[w->tenant];
	at = &t->first;
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	if (t->last == &w->next)
		t->last = at;
	w->waiting = false;
	fair->waiting--;
	if (--t->n == 0)
		deactivate(fair, t);
}

struct ady_fair_wait *ady_fair_pop(struct ady_fair *fair)
{
	struct ady_fair_wait *best = NULL;

	for (size_t i = 0; i < fair->active_n; i++) {
		struct ady_fair_wait *w = fair->tenants[fair->active[i]].first;

		if (!best || w->start < best->start)
			best = w;
	}
	if (!best)
		return NULL;
	ady_fair_remove(fair, best);
	fair->now = best->start;
	return best;
}

void ady_fair_unpop(struct ady_fair *fair, struct ady_fair_wait *w)
{
	struct tenant *t = &fair->tenants[w->tenant];

	w->next = t->first;
	if (!w->next)
		t->last = &w->next;
	t->first = w;
	w->waiting = true;
	t->n++;
	fair->waiting++;
	activate(fair, w->tenant);
}

size_t ady_fair_waiting(const struct ady_fair *fair)
{
	return fair->waiting;
}
