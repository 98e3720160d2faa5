/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/key_count.h"

#include "base/clock.h"
#include "gateway/shard.h"

enum { EVERY_MS = 60000, AGAIN_MS = 1000, SHARE = 100 };

struct page {
	size_t n;
	char last[ADY_KEY_ID_MAX + 1];
};

static void take(void *ctx, const struct ady_entry *e)
{
	struct page *page = ctx;

	page->n++;
	memcpy(page->last, e->id, sizeof page->last);
}

/* On a thread of the store. */
static void run(struct ady_store_job *job, struct ady_records *records, size_t worker)
{
	struct ady_key_count *c = (struct ady_key_count *)job;
	struct page page = {.n = ADY_RECORDS_PAGE_MAX};
	int64_t start = ady_mono_ms(), every;
	char after[ADY_KEY_ID_MAX + 1] = "";
	struct ady_records_query q = {.after = after,
	                              .prefix = c->shard->gateway->config->store.prefix,
	                              .limit = ADY_RECORDS_PAGE_MAX,
	                              .enabled = ADY_ENABLED_ONLY};

	c->n = 0;
	while (page.n == ADY_RECORDS_PAGE_MAX) {
		memcpy(after, page.last, sizeof after);
		page.n = 0;
		if (ady_records_list(records, worker, &q, take, &page, &job->fault) != ADY_OK)
			return;
		c->n += (int64_t)page.n;
	}
	every = (ady_mono_ms() - start) * SHARE;
	c->due_ms = ady_mono_ms() + (every > EVERY_MS ? every : EVERY_MS);
}

static void on_done(struct ady_store_job *job)
{
	struct ady_key_count *c = (struct ady_key_count *)job;
	struct ady_shard *shard = c->shard;

	if (job->fault.err == ADY_OK)
		c->known = c->n + 1;
	atomic_store(&c->busy, false);
	ady_shard_let(shard);
}

int64_t ady_key_count_get(struct ady_shard *shard)
{
	struct ady_key_count *c = &shard->gateway->key_count;

	if (ady_mono_ms() >= c->due_ms && !atomic_exchange(&c->busy, true)) {
		c->due_ms = ady_mono_ms() + AGAIN_MS;
		c->shard = shard;
		c->job = (struct ady_store_job){.loop = shard->loop, .run = run, .done = on_done};
		ady_shard_hold(shard);
		if (ady_store_run(shard->gateway->store, &c->job) != ADY_OK) {
			atomic_store(&c->busy, false);
			ady_shard_let(shard);
		}
	}
	return c->known - 1;
}
