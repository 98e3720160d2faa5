/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/duties.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/proofs.h"
#include "gateway/shard.h"

struct ady_duties *ady_duties_new(struct ady_shard *shard, size_t n)
{
	struct ady_duties *d = calloc(1, sizeof *d);

	if (d)
		d->items = calloc(n ? n : 1, sizeof *d->items);
	if (!d || !d->items)
		ADY_BUG("out of memory");
	d->shard = shard;
	d->n = n;
	return d;
}

static void go_on(struct ady_duties *d);

static void on_done(void *ctx, struct ady_bytes answer, const struct ady_fault *f)
{
	struct ady_duties_item *item = ctx;

	item->under_way = NULL;
	item->owner->left--;
	if (f) {
		item->fault = *f;
	} else {
		item->answer_n = answer.n;
		memcpy(item->answer, answer.p, answer.n);
	}
	go_on(item->owner);
}

static void go_on(struct ady_duties *d)
{
	if (d->starting)
		return;
	d->starting = true;
	while (d->next < d->n && d->left < d->width) {
		struct ady_duties_item *item = &d->items[d->next++];

		item->owner = d;
		item->ask.done = on_done;
		item->ask.ctx = item;
		item->ask.proof = d->proofs ? &item->proof : NULL;
		if (ady_validating_start(&item->under_way, d->shard, &item->ask, &item->fault) ==
		    ADY_OK)
			d->left++;
	}
	d->starting = false;
	if (d->left == 0 && d->next == d->n)
		d->done(d);
}

void ady_duties_start(struct ady_duties *d, size_t width)
{
	d->width = width;
	go_on(d);
}

void ady_duties_put_proofs(const struct ady_duties *d, struct ady_dyn *list)
{
	for (size_t i = 0; i < d->n; i++)
		ady_proofs_add(list, ady_dyn_bytes(&d->items[i].proof), ady_bytes(NULL, 0));
}

void ady_duties_free(struct ady_duties *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->n; i++) {
		ady_validating_drop(d->items[i].under_way);
		ady_dyn_free(&d->items[i].proof);
	}
	free(d->items);
	free(d);
}
