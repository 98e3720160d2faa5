/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/quota_keys.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { KNOWN_MS = 60000, SURE_MS = 1000 };

/* What is known of a tenant's keys. */
struct tenant {
	pthread_mutex_t lock;
	int64_t n, counted_ms; /* 0: never */
	int64_t making;        /* that the store has not answered for */
};

struct ady_quota_keys {
	const struct ady_gateway_config *config;
	struct tenant tenants[]; /* as config's callers */
};

enum ady_err ady_quota_keys_open(struct ady_quota_keys **out,
                                 const struct ady_gateway_config *config)
{
	struct ady_quota_keys *q = calloc(1, sizeof *q + config->callers_n * sizeof *q->tenants);

	*out = q;
	if (!q)
		return ADY_E_MEMORY;
	q->config = config;
	for (size_t i = 0; i < config->callers_n; i++)
		pthread_mutex_init(&q->tenants[i].lock, NULL);
	return ADY_OK;
}

void ady_quota_keys_close(struct ady_quota_keys *q)
{
	if (!q)
		return;
	for (size_t i = 0; i < q->config->callers_n; i++)
		pthread_mutex_destroy(&q->tenants[i].lock);
	free(q);
}

struct page {
	char last[ADY_KEY_ID_MAX + 1];
	size_t n;
};

static void take(void *ctx, const struct ady_entry *e)
{
	struct page *p = ctx;

	memcpy(p->last, e->id, sizeof p->last);
	p->n++;
}

/* Count what the store has of a tenant, page by page. */
static enum ady_err count(struct tenant *t, const char *name, struct ady_records *r, size_t worker,
                          struct ady_fault *f)
{
	struct page p = {.n = ADY_RECORDS_PAGE_MAX};
	int64_t began = ady_mono_ms(), n = 0;
	enum ady_err err = ADY_OK;

	while (err == ADY_OK && p.n == ADY_RECORDS_PAGE_MAX) {
		char after[ADY_KEY_ID_MAX + 1];
		struct ady_records_query query = {
		    .after = after, .tenant = name, .limit = ADY_RECORDS_PAGE_MAX};

		memcpy(after, p.last, sizeof after);
		p.n = 0;
		err = ady_records_list(r, worker, &query, take, &p, f);
		n += (int64_t)p.n;
	}
	if (err != ADY_OK)
		return err;
	t->n = n;
	t->counted_ms = began;
	return ADY_OK;
}

/* Whether n more are within max; the store is asked again before that is denied. */
static enum ady_err check(struct tenant *t, int64_t max, int64_t n, const char *name,
                          struct ady_records *r, size_t worker, struct ady_fault *f)
{
	int64_t age = ady_mono_ms() - t->counted_ms;
	enum ady_err err = ADY_OK;

	if (t->counted_ms == 0 || age > KNOWN_MS || (t->n + t->making + n > max && age > SURE_MS))
		err = count(t, name, r, worker, f);
	if (err == ADY_OK && t->n + t->making + n > max)
		return ady_fail(f, ADY_E_DENIED, NULL,
		                "the tenant has %lld keys, and its quota is %lld", (long long)t->n,
		                (long long)max);
	return err;
}

enum ady_err ady_quota_keys_create(struct ady_quota_keys *q, struct ady_records *r, size_t worker,
                                   struct ady_entry *const *e, size_t n, struct ady_fault *f)
{
	const struct ady_config_caller *who = q->config->callers;
	const char *name = e[0]->tenant;
	struct tenant *t;
	enum ady_err err;
	size_t i = 0;

	while (i < q->config->callers_n && (!who[i].tenant || strcmp(who[i].tenant, name) != 0))
		i++;
	if (i == q->config->callers_n || who[i].quota.keys == 0)
		return ady_records_create(r, worker, e, n, f);
	t = &q->tenants[i];
	pthread_mutex_lock(&t->lock);
	err = check(t, who[i].quota.keys, (int64_t)n, name, r, worker, f);
	t->making += err == ADY_OK ? (int64_t)n : 0;
	pthread_mutex_unlock(&t->lock);
	if (err != ADY_OK)
		return err;
	err = ady_records_create(r, worker, e, n, f);
	pthread_mutex_lock(&t->lock);
	t->making -= (int64_t)n;
	t->n += (int64_t)n;
	if (err != ADY_OK)
		t->counted_ms = 0; /* some of them may be there */
	pthread_mutex_unlock(&t->lock);
	return err;
}
