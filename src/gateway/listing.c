/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/listing.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/commit_boost.h"
#include "gateway/op.h"
#include "gateway/shard.h"

#define OWNER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

struct ady_listing {
	struct ady_shard *shard;
	struct ady_listing_ask ask; /* done NULL: nobody waits any more, but a page is to come */
	struct ady_store_page page;
	struct ady_dyn items;
	char after[ADY_KEY_ID_MAX + 1];
};

static void end_listing(struct ady_listing *l)
{
	struct ady_shard *shard = l->shard;

	ady_store_page_clear(&l->page);
	ady_dyn_free(&l->items);
	free(l);
	ady_shard_let(shard);
}

void ady_listing_drop(struct ady_listing *l)
{
	if (l)
		l->ask.done = NULL;
}

static int compare(const void *a, const void *b, void *width)
{
	return memcmp(a, b, *(const size_t *)width);
}

/* Several keys may be of one account. */
static void sort(struct ady_listing *l)
{
	size_t width = l->ask.width, n = l->items.n / width, kept = 0;
	uint8_t *p = l->items.p;

	if (n == 0)
		return;
	qsort_r(p, n, width, compare, &width);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || memcmp(p + i * width, p + (kept - 1) * width, width) != 0)
			memmove(p + kept++ * width, p + i * width, width);
	l->items.n = kept * width;
}

static void finish(struct ady_listing *l, const struct ady_fault *f)
{
	if (!f)
		sort(l);
	l->ask.done(l->ask.ctx, ady_dyn_bytes(&l->items), f);
	end_listing(l);
}

/* Proxies of Commit-Boost are no validators, and nobody's accounts. */
static bool is_proxy(const struct ady_listing *l, const struct ady_entry *e)
{
	char folder[2 * ADY_KEY_ID_MAX];

	return ady_cb_folder(folder, sizeof folder, l->shard, e->tenant, NULL) &&
	       strncmp(e->id, folder, strlen(folder)) == 0;
}

static void take_entry(struct ady_listing *l, const struct ady_entry *e)
{
	size_t width = l->ask.width;

	if (!ady_caller_may_use(&l->ask.caller, e->tenant) || is_proxy(l, e) ||
	    strcmp(e->curve, "wallet") == 0)
		return;
	if (l->ask.what == ADY_LIST_ADDRESSES && e->has_address)
		ady_dyn_put(&l->items, e->address, width);
	if (l->ask.what == ADY_LIST_PUBLIC_KEYS && e->public_key_n == width)
		ady_dyn_put(&l->items, e->public_key, width);
}

static bool is_full(const struct ady_listing *l)
{
	size_t max = l->ask.what == ADY_LIST_ADDRESSES ? ADY_LISTING_ADDRESSES_MAX
	                                               : ADY_LISTING_PUBLIC_KEYS_MAX;

	return l->items.n / l->ask.width >= max;
}

static enum ady_err next_page(struct ady_listing *l, struct ady_fault *f);

static void on_page(struct ady_store_job *job)
{
	struct ady_listing *l = OWNER(job, struct ady_listing, page.job);
	struct ady_fault f;

	if (!l->ask.done) {
		end_listing(l);
		return;
	}
	if (job->fault.err != ADY_OK) {
		finish(l, &job->fault);
		return;
	}
	for (size_t i = 0; i < l->page.n; i++)
		take_entry(l, &l->page.entries[i]);
	if (l->page.n > 0)
		memcpy(l->after, l->page.entries[l->page.n - 1].id, sizeof l->after);
	if (!l->page.more || is_full(l))
		finish(l, NULL);
	else if (next_page(l, &f) != ADY_OK)
		finish(l, &f);
}

static enum ady_err next_page(struct ady_listing *l, struct ady_fault *f)
{
	ady_store_page_clear(&l->page);
	l->page = (struct ady_store_page){
	    .job = {.loop = l->shard->loop, .done = on_page},
	    .query = {.after = l->after,
	              .limit = ADY_RECORDS_PAGE_MAX,
	              .tenant = ady_caller_scope(&l->ask.caller),
	              .curve = l->ask.curve,
	              .enabled = ADY_ENABLED_ONLY},
	};
	if (ady_store_list(l->shard->gateway->store, &l->page) == ADY_OK)
		return ADY_OK;
	return ady_fail(f, ADY_E_BUSY, NULL, "too much waits for the store");
}

enum ady_err ady_listing_start(struct ady_listing **listing, struct ady_shard *shard,
                               const struct ady_listing_ask *ask, struct ady_fault *f)
{
	struct ady_listing *l = calloc(1, sizeof *l);
	enum ady_err err;

	if (!l)
		ADY_BUG("out of memory");
	*listing = l;
	l->shard = shard;
	l->ask = *ask;
	ady_shard_hold(shard);
	err = next_page(l, f);
	if (err == ADY_OK)
		return ADY_OK;
	end_listing(l);
	*listing = NULL;
	return err;
}

enum ady_err ady_listing_validators(struct ady_op *op, ady_listing_fn *done, struct ady_fault *f)
{
	const struct ady_listing_ask ask = {.caller = op->caller,
	                                    .what = ADY_LIST_PUBLIC_KEYS,
	                                    .curve = "bls12-381",
	                                    .width = ADY_STATE_KEY,
	                                    .done = done,
	                                    .ctx = op};

	return ady_listing_start(&op->listing, op->shard, &ask, f);
}
