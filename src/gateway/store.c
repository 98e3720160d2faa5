/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/store.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/pool.h"
#include "gateway/cache.h"
#include "gateway/secret.h"

enum {
	WORKERS = 8,
	QUEUE = 1024,
	WAITING_MAX = 4096,
	REFUSED_MS = 1000, /* how long a refusal is remembered */
	CALL_TIMEOUT_MS = 5000,
	HEALTH_MS = 30000, /* how long an outcome tells about the store */
	HEALTH_BAD_MS = 1000,
};

struct fetch {
	struct ady_work work;
	struct ady_store *store;
	struct ady_cache_entry *entry; /* NULL: a probe */
};

struct ady_store {
	const struct ady_gateway_config *config;
	struct ady_credentials *credentials;
	struct ady_cache *cache;
	struct ady_pool *pool;
	struct ady_aws *aws[WORKERS];
	atomic_bool closing, probing;
	_Atomic uint64_t hits, misses, fetches, failures, waiting;
	pthread_mutex_t lock; /* guards what follows */
	bool known, ok;
	int64_t told_ms;
	char why[160];
};

struct ady_stored *ady_stored_new(struct ady_bytes name, struct ady_bytes text)
{
	struct ady_stored *r = malloc(sizeof *r + name.n + text.n);
	uint8_t *data;

	if (!r)
		ADY_BUG("out of memory");
	data = (uint8_t *)(r + 1);
	memcpy(data, name.p, name.n);
	if (text.n > 0)
		memcpy(data + name.n, text.p, text.n);
	atomic_init(&r->refs, 1);
	r->fetched_ms = ady_mono_ms();
	r->name = ady_bytes(data, name.n);
	r->text = ady_bytes(data + name.n, text.n);
	return r;
}

static struct ady_stored *ref(struct ady_stored *r)
{
	atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
	return r;
}

void ady_stored_unref(struct ady_stored *r)
{
	if (r && atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) == 1)
		free(r);
}

static void set_health(struct ady_store *s, enum ady_err err, const struct ady_fault *f)
{
	bool ok = !ady_secret_is_outage(err);

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

/* Fetch with the current credentials, and once more with newer ones when AWS refuses them. */
static struct ady_stored *fetch_record(struct ady_store *s, size_t worker, const char *id,
                                       struct ady_fault *f)
{
	struct ady_stored *record = NULL;
	enum ady_err err = ADY_E_CREDENTIALS;

	for (int attempt = 0; attempt < 2 && err == ADY_E_CREDENTIALS; attempt++) {
		struct ady_aws_credentials c;
		uint64_t used = ady_credentials_get(s->credentials, ADY_FOR_STORE, &c);

		if (atomic_load(&s->closing))
			err = ady_fail(f, ADY_E_STORE, NULL, "the gateway is ending");
		else if (used > 0)
			err = ady_secret_fetch(s->aws[worker], &c, id, &record, f);
		else
			err = ady_fail(f, ADY_E_CREDENTIALS, NULL, "there are no credentials yet");
		ady_aws_credentials_wipe(&c);
		if (err == ADY_E_CREDENTIALS && attempt == 0 &&
		    !ady_credentials_await(s->credentials, used, CALL_TIMEOUT_MS))
			break;
	}
	set_health(s, err, f);
	return record;
}

static void hand_out(struct ady_store *s, struct ady_store_wait *waiters, struct ady_stored *record,
                     const struct ady_fault *f)
{
	while (waiters) {
		struct ady_store_wait *w = waiters;

		waiters = w->next;
		w->record = record ? ref(record) : NULL;
		w->fault = *f;
		atomic_fetch_sub(&s->waiting, 1);
		ady_loop_post(w->loop, &w->task);
	}
}

static void finish(struct ady_store *s, struct ady_cache_entry *e, struct ady_stored *record,
                   const struct ady_fault *f)
{
	int64_t life = record ? s->config->store.cache_ms : REFUSED_MS;
	struct ady_store_wait *waiters;

	if (record)
		ref(record); /* e may be dropped as soon as its stripe is unlocked */
	ady_cache_relock(s->cache, e);
	if (!record && ady_secret_is_outage(f->err) && e->record && ady_mono_ms() < e->until_ms)
		e->fetching = false; /* fetched early, in vain: what is there is still fresh */
	else
		ady_cache_fill(s->cache, e, record, f, ady_mono_ms() + life);
	waiters = e->waiters;
	e->waiters = NULL;
	ady_cache_unlock(s->cache, e);
	hand_out(s, waiters, record, f);
	ady_stored_unref(record);
}

static void fetch_work(struct ady_work *work, size_t worker)
{
	struct fetch *fetch = (struct fetch *)work;
	struct ady_store *s = fetch->store;
	struct ady_fault f = {0};
	struct ady_stored *record;

	if (fetch->entry) {
		record = fetch_record(s, worker, fetch->entry->id, &f);
		atomic_fetch_add(&s->fetches, 1);
		if (!record)
			atomic_fetch_add(&s->failures, 1);
		finish(s, fetch->entry, record, &f);
	} else {
		char id[300];

		snprintf(id, sizeof id, "%sadyton-probe", s->config->store.prefix);
		ady_stored_unref(fetch_record(s, worker, id, &f));
		atomic_store(&s->probing, false);
	}
	free(fetch);
}

static enum ady_err submit(struct ady_store *s, struct ady_cache_entry *e)
{
	struct fetch *fetch = malloc(sizeof *fetch);
	enum ady_err err;

	if (!fetch)
		return ADY_E_MEMORY;
	*fetch = (struct fetch){.work.fn = fetch_work, .store = s, .entry = e};
	err = ady_pool_submit(s->pool, &fetch->work);
	if (err != ADY_OK)
		free(fetch);
	return err;
}

/* A record is fresh for cache_ms. In the last quarter the first to ask sets off a fetch and is
 * served from the cache: a key in steady use never waits. */
static bool serve(struct ady_store *s, struct ady_cache_entry *e, int64_t newer_than_ms,
                  struct ady_stored **record)
{
	int64_t now = ady_mono_ms();

	if (!e->record || e->record->fetched_ms <= newer_than_ms || now >= e->until_ms)
		return false;
	*record = ref(e->record);
	atomic_fetch_add_explicit(&s->hits, 1, memory_order_relaxed);
	if (!e->fetching && now >= e->until_ms - s->config->store.cache_ms / 4)
		e->fetching = submit(s, e) == ADY_OK;
	return true;
}

static enum ady_err wait_for(struct ady_store *s, struct ady_cache_entry *e,
                             struct ady_store_wait *w)
{
	enum ady_err err = ADY_OK;

	if (atomic_load(&s->waiting) >= WAITING_MAX)
		err = ADY_E_BUSY;
	else if (!e->fetching)
		err = submit(s, e);
	if (err != ADY_OK)
		return ady_fail(&w->fault, err, NULL, "too many records are being fetched");
	e->fetching = true;
	w->next = e->waiters;
	e->waiters = w;
	atomic_fetch_add(&s->waiting, 1);
	return ADY_E_AGAIN;
}

static void on_task(struct ady_task *task)
{
	struct ady_store_wait *w = (struct ady_store_wait *)task;

	w->done(w);
}

enum ady_err ady_store_get(struct ady_store *s, struct ady_bytes secret_id, int64_t newer_than_ms,
                           struct ady_stored **record, struct ady_store_wait *w)
{
	struct ady_cache_entry *e = ady_cache_lock(s->cache, secret_id);
	enum ady_err err = ADY_OK;

	*record = NULL;
	w->task.fn = on_task;
	w->record = NULL;
	if (!serve(s, e, newer_than_ms, record)) {
		atomic_fetch_add_explicit(&s->misses, 1, memory_order_relaxed);
		if (e->refused && !e->fetching && ady_mono_ms() < e->until_ms) {
			w->fault = e->fault;
			err = e->fault.err;
		} else {
			err = wait_for(s, e, w);
		}
	}
	ady_cache_unlock(s->cache, e);
	return err;
}

void ady_store_probe(struct ady_store *s)
{
	int64_t now = ady_mono_ms();
	bool needed;

	pthread_mutex_lock(&s->lock);
	needed = !s->known || now - s->told_ms >= (s->ok ? HEALTH_MS : HEALTH_BAD_MS);
	pthread_mutex_unlock(&s->lock);
	if (!needed || atomic_exchange(&s->probing, true))
		return;
	if (submit(s, NULL) != ADY_OK)
		atomic_store(&s->probing, false);
}

void ady_store_report(struct ady_store *s, struct ady_store_report *r)
{
	*r = (struct ady_store_report){
	    .hits = atomic_load(&s->hits),
	    .misses = atomic_load(&s->misses),
	    .fetches = atomic_load(&s->fetches),
	    .failures = atomic_load(&s->failures),
	    .waiting = atomic_load(&s->waiting),
	};
	ady_cache_size(s->cache, &r->entries, &r->bytes);
	pthread_mutex_lock(&s->lock);
	r->known = s->known;
	r->ok = s->ok;
	snprintf(r->why, sizeof r->why, "%s", s->known ? s->why : "not asked yet");
	pthread_mutex_unlock(&s->lock);
}

enum ady_err ady_store_open(struct ady_store **store, const struct ady_gateway_config *config,
                            struct ady_credentials *credentials, struct ady_fault *f)
{
	struct ady_store *s = calloc(1, sizeof *s);
	enum ady_err err = s ? ADY_OK : ADY_E_MEMORY;

	*store = NULL;
	for (size_t i = 0; err == ADY_OK && i < WORKERS; i++) {
		struct ady_aws_config aws = {.endpoint = config->aws.endpoint,
		                             .region = config->aws.region,
		                             .ca_file = config->aws.ca_file,
		                             .timeout_ms = CALL_TIMEOUT_MS,
		                             .stop = &s->closing};

		err = ady_aws_open(&s->aws[i], &aws);
	}
	if (err == ADY_OK)
		err = ady_cache_open(&s->cache, 0, 0);
	if (err == ADY_OK)
		err = ady_pool_open(&s->pool, WORKERS, QUEUE);
	if (!s)
		return ady_fail(f, ADY_E_MEMORY, NULL, "out of memory");
	s->config = config;
	s->credentials = credentials;
	pthread_mutex_init(&s->lock, NULL);
	if (err == ADY_OK)
		*store = s;
	else
		ady_store_close(s);
	return err == ADY_OK ? ADY_OK : ady_fail(f, err, NULL, "the store cannot be started");
}

void ady_store_stop(struct ady_store *s)
{
	atomic_store(&s->closing, true);
}

void ady_store_close(struct ady_store *s)
{
	if (!s)
		return;
	ady_store_stop(s);
	ady_pool_close(s->pool);
	for (size_t i = 0; i < WORKERS; i++)
		ady_aws_close(s->aws[i]);
	ady_cache_close(s->cache);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
