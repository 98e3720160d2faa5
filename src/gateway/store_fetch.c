/* SPDX-License-Identifier: Apache-2.0
 *
 * The threads behind the cache: one record at a time, or as many as wait where the store can do
 * that in one call. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gateway/store_inner.h"

enum {
	REFUSED_MS = 1000, /* how long a refusal is remembered */
	PURGE_MS = 60000,
};

struct ady_fetch {
	struct ady_work work;
	struct ady_store *store;
	struct ady_cache_entry *entry; /* NULL: a probe */
	struct ady_fetch *next;        /* of the pending ones */
};

enum { FOR_ONE_TAKER = 16 }; /* fetches that wait: so many more call for another thread */

void ady_store_set_health(struct ady_store *s, enum ady_err err, const struct ady_fault *f)
{
	bool ok = !ady_records_is_outage(err);

	if (atomic_load(&s->closing))
		return;
	pthread_mutex_lock(&s->lock);
	if (!ok && (s->ok || !s->known))
		ADY_WARN("store failing", "error=%s cause=%s detail=\"%s\"", ady_err_code(err),
		         f->cause, f->detail);
	if (ok && s->known && !s->ok)
		ADY_INFO("store is back", "%s", "");
	s->known = true;
	s->ok = ok;
	s->told_ms = ady_mono_ms();
	snprintf(s->why, sizeof s->why, "%s", ok ? "" : f->detail);
	pthread_mutex_unlock(&s->lock);
}

static void take_first(void *ctx, const struct ady_entry *e)
{
	ady_entry_copy(ctx, e);
}

/* kind, length of the value, value, tenant. */
static enum ady_err find(struct ady_store *s, size_t worker, const struct ady_cache_entry *key,
                         struct ady_entry *out, struct ady_fault *f)
{
	const uint8_t *id = (const uint8_t *)key->id;
	const char *tenant = key->id + 2 + id[1];
	struct ady_records_query q = {.limit = 1, .texts = true};
	enum ady_err err;

	if (id[0] == BY_ADDRESS)
		q.address = id + 2;
	else
		q.public_key = ady_bytes(id + 2, id[1]);
	if (*tenant)
		q.tenant = tenant;
	err = ady_records_list(s->records, worker, &q, take_first, out, f);
	if (err == ADY_OK && !out->id[0])
		err = ady_fail(f, ADY_E_NOT_FOUND, NULL, "the store has no such key");
	return err;
}

struct ady_stored *ady_store_fetch_record(struct ady_store *s, size_t worker,
                                          const struct ady_cache_entry *key, struct ady_fault *f)
{
	struct ady_stored *record = NULL;
	struct ady_entry e = {0};
	enum ady_err err;

	if (atomic_load(&s->closing))
		err = ady_fail(f, ADY_E_STORE, NULL, "the gateway is ending");
	else if (key->id[0] == BY_ADDRESS || key->id[0] == BY_PUBLIC_KEY)
		err = find(s, worker, key, &e, f);
	else
		err = ady_records_get(s->records, worker, key->id, &e, f);
	if (err == ADY_OK && e.text.n == 0)
		err = ady_fail(f, ADY_E_RECORD, "record", "is empty");
	ady_store_set_health(s, err, f);
	if (err == ADY_OK)
		record = ady_stored_new(&e);
	ady_entry_clear(&e);
	return record;
}

static void hand_out(struct ady_store *s, struct ady_store_wait *waiters, struct ady_stored *record,
                     const struct ady_fault *f)
{
	while (waiters) {
		struct ady_store_wait *w = waiters;

		waiters = w->next;
		w->record = record ? ady_stored_ref(record) : NULL;
		w->fault = *f;
		atomic_fetch_sub(&s->waiting, 1);
		ady_loop_post(w->loop, &w->task);
	}
}

void ady_store_finish(struct ady_store *s, struct ady_cache_entry *e, struct ady_stored *record,
                      const struct ady_fault *f)
{
	int64_t life = record ? s->config->store.cache_ms : REFUSED_MS;
	struct ady_store_wait *waiters;

	if (record)
		ady_stored_ref(record); /* e may be dropped as soon as its stripe is unlocked */
	ady_cache_relock(s->cache, e);
	if (!record && ady_records_is_outage(f->err) && e->record && ady_mono_ms() < e->until_ms)
		e->fetching = false; /* fetched early, in vain: what is there is still fresh */
	else
		ady_cache_fill(s->cache, e, record, f, ady_mono_ms() + life);
	waiters = e->waiters;
	e->waiters = NULL;
	ady_cache_unlock(s->cache, e);
	hand_out(s, waiters, record, f);
	ady_stored_unref(record);
}

/* What waits for its deletion is removed now and then, by whoever comes along. */
static void purge(struct ady_store *s, size_t worker)
{
	int64_t now = ady_mono_ms(), last = atomic_load(&s->purged_ms);

	if (now - last >= PURGE_MS && atomic_compare_exchange_strong(&s->purged_ms, &last, now))
		ady_records_purge(s->records, worker, ady_wall_ms() / 1000);
}

static void settle(struct ady_store *s, struct ady_fetch *fetch, struct ady_stored *record,
                   const struct ady_fault *f)
{
	atomic_fetch_add(&s->fetches, 1);
	if (!record)
		atomic_fetch_add(&s->failures, 1);
	ady_store_finish(s, fetch->entry, record, f);
	free(fetch);
}

static void fetch_work(struct ady_work *work, size_t worker)
{
	struct ady_fetch *fetch = (struct ady_fetch *)work;
	struct ady_store *s = fetch->store;
	struct ady_fault f = {0};

	if (fetch->entry) {
		settle(s, fetch, ady_store_fetch_record(s, worker, fetch->entry, &f), &f);
	} else {
		ady_store_set_health(s, ady_records_probe(s->records, worker, &f), &f);
		atomic_store(&s->probing, false);
		free(fetch);
	}
	purge(s, worker);
}

/* --- several at a time --- */

static size_t take_pending(struct ady_pending *p, struct ady_fetch *out[static ADY_RECORDS_GET_MAX])
{
	size_t n = 0;

	pthread_mutex_lock(&p->lock);
	while (n < ADY_RECORDS_GET_MAX && p->first) {
		out[n] = p->first;
		p->first = out[n++]->next;
	}
	if (!p->first)
		p->last = &p->first;
	p->n -= n;
	p->takers -= n == 0;
	pthread_mutex_unlock(&p->lock);
	return n;
}

/* Those by id, together. */
static void get_many(struct ady_store *s, size_t worker, struct ady_fetch *const *list, size_t n)
{
	struct ady_records_get gets[ADY_RECORDS_GET_MAX];
	struct ady_entry *entries = calloc(n, sizeof *entries);

	if (!entries)
		ADY_BUG("out of memory");
	for (size_t i = 0; i < n; i++)
		gets[i] = (struct ady_records_get){.id = list[i]->entry->id, .out = &entries[i]};
	ady_records_get_many(s->records, worker, gets, n);
	for (size_t i = 0; i < n; i++) {
		const struct ady_fault *f = &gets[i].fault;

		ady_store_set_health(s, f->err, f);
		settle(s, list[i], f->err == ADY_OK ? ady_stored_new(&entries[i]) : NULL, f);
		ady_entry_clear(&entries[i]);
	}
	free(entries);
}

static bool is_by_id(const struct ady_fetch *fetch)
{
	return fetch->entry->id[0] != BY_ADDRESS && fetch->entry->id[0] != BY_PUBLIC_KEY;
}

static void get_pending(struct ady_store *s, size_t worker, struct ady_fetch *const *list, size_t n)
{
	struct ady_fetch *by_id[ADY_RECORDS_GET_MAX];
	size_t ids = 0;

	for (size_t i = 0; i < n; i++) {
		struct ady_fault f = {0};

		if (is_by_id(list[i]) && !atomic_load(&s->closing))
			by_id[ids++] = list[i];
		else
			settle(s, list[i], ady_store_fetch_record(s, worker, list[i]->entry, &f),
			       &f);
	}
	if (ids > 0)
		get_many(s, worker, by_id, ids);
}

static void taker_work(struct ady_work *work, size_t worker)
{
	struct ady_fetch *self = (struct ady_fetch *)work, *list[ADY_RECORDS_GET_MAX];
	struct ady_store *s = self->store;
	size_t n;

	while ((n = take_pending(&s->pending, list)) > 0)
		get_pending(s, worker, list, n);
	free(self);
	purge(s, worker);
}

/* Begin another taker when there are too few. False: there is none at all. */
static bool call_taker(struct ady_store *s)
{
	struct ady_pending *p = &s->pending;
	struct ady_fetch *taker;

	if (p->takers * FOR_ONE_TAKER > p->n || p->takers == s->config->store.connections)
		return true;
	taker = malloc(sizeof *taker);
	if (!taker)
		return p->takers > 0;
	*taker = (struct ady_fetch){.work.fn = taker_work, .store = s};
	if (ady_pool_submit(s->pool, &taker->work) == ADY_OK) {
		p->takers++;
		return true;
	}
	free(taker);
	return p->takers > 0;
}

/* Entered last; when nobody would come for it, it is the only one, and taken out again. */
static enum ady_err put_pending(struct ady_store *s, struct ady_fetch *fetch)
{
	struct ady_pending *p = &s->pending;
	bool comes;

	pthread_mutex_lock(&p->lock);
	*p->last = fetch;
	p->last = &fetch->next;
	p->n++;
	comes = call_taker(s);
	if (!comes) {
		p->first = NULL;
		p->last = &p->first;
		p->n = 0;
	}
	pthread_mutex_unlock(&p->lock);
	return comes ? ADY_OK : ADY_E_BUSY;
}

enum ady_err ady_store_submit(struct ady_store *s, struct ady_cache_entry *e)
{
	struct ady_fetch *fetch = malloc(sizeof *fetch);
	enum ady_err err;

	if (!fetch)
		return ADY_E_MEMORY;
	*fetch = (struct ady_fetch){.work.fn = fetch_work, .store = s, .entry = e};
	err = e && s->records->ops->get_many ? put_pending(s, fetch)
	                                     : ady_pool_submit(s->pool, &fetch->work);
	if (err != ADY_OK)
		free(fetch);
	return err;
}
