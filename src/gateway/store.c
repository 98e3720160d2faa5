/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/store.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gateway/store_inner.h"
#include "gateway/store_jobs.h"
#include "gateway/store_open.h"

enum {
	QUEUE = 2048,
	WAITING_MAX = 4096,
	HEALTH_MS = 30000, /* how long an outcome tells about the store */
	HEALTH_BAD_MS = 1000,
};

/* A record is fresh for cache_ms. In the last quarter the first to ask sets off a fetch and is
 * served from the cache: a key in steady use never waits. */
static bool serve(struct ady_store *s, struct ady_cache_entry *e, int64_t newer_than_ms,
                  struct ady_stored **record)
{
	int64_t now = ady_mono_ms();

	if (!e->record || e->record->fetched_ms <= newer_than_ms || now >= e->until_ms)
		return false;
	*record = ady_stored_ref(e->record);
	atomic_fetch_add_explicit(&s->hits, 1, memory_order_relaxed);
	if (!e->fetching && now >= e->until_ms - s->config->store.cache_ms / 4)
		e->fetching = ady_store_submit(s, e) == ADY_OK;
	return true;
}

static enum ady_err wait_for(struct ady_store *s, struct ady_cache_entry *e,
                             struct ady_store_wait *w)
{
	enum ady_err err = ADY_OK;

	if (atomic_load(&s->waiting) >= WAITING_MAX)
		err = ADY_E_BUSY;
	else if (!e->fetching)
		err = ady_store_submit(s, e);
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

/* Threads of the gateway read from a quick store themselves, each with a connection of its own:
 * waking another thread and being woken by it takes longer than SQLite takes. The number of the
 * calling thread's connection; 0: it has none. */
static size_t reader_of(struct ady_store *s)
{
	static _Thread_local struct {
		uint64_t store;
		size_t reader;
	} mine;

	if (!s->records->ops->quick)
		return 0;
	if (mine.store != s->number) {
		size_t n = atomic_fetch_add(&s->readers_n, 1);

		mine.store = s->number;
		mine.reader = n < s->config->threads ? s->config->store.connections + n : 0;
	}
	return mine.reader;
}

/* Fetch here and now. The entry is locked, and unlocked meanwhile: others may come to wait for it.
 */
static enum ady_err fetch_here(struct ady_store *s, struct ady_cache_entry *e, size_t reader,
                               struct ady_stored **record, struct ady_store_wait *w)
{
	e->fetching = true;
	ady_cache_unlock(s->cache, e);
	w->fault = (struct ady_fault){0};
	*record = ady_store_fetch_record(s, reader, e, &w->fault);
	if (*record)
		ady_stored_ref(*record);
	atomic_fetch_add_explicit(&s->fetches, 1, memory_order_relaxed);
	if (!*record)
		atomic_fetch_add_explicit(&s->failures, 1, memory_order_relaxed);
	ady_store_finish(s, e, *record, &w->fault);
	return *record ? ADY_OK : w->fault.err;
}

static enum ady_err look_up(struct ady_store *s, struct ady_bytes key, int64_t newer_than_ms,
                            struct ady_stored **record, struct ady_store_wait *w)
{
	struct ady_cache_entry *e = ady_cache_lock(s->cache, key);
	enum ady_err err = ADY_OK;

	*record = NULL;
	w->task.fn = on_task;
	w->record = NULL;
	if (!serve(s, e, newer_than_ms, record)) {
		atomic_fetch_add_explicit(&s->misses, 1, memory_order_relaxed);
		if (e->fault && !e->fetching && ady_mono_ms() < e->until_ms) {
			w->fault = *e->fault;
			err = e->fault->err;
		} else if (!e->fetching && reader_of(s) > 0) {
			return fetch_here(s, e, reader_of(s), record, w);
		} else {
			err = wait_for(s, e, w);
		}
	}
	ady_cache_unlock(s->cache, e);
	return err;
}

enum ady_err ady_store_get(struct ady_store *s, struct ady_bytes secret_id, int64_t newer_than_ms,
                           struct ady_stored **record, struct ady_store_wait *w)
{
	char name[ADY_KEY_ID_MAX + 1];

	if (!s->secrets) {
		*record = NULL;
		if (!ady_entry_secret_name(name, sizeof name, secret_id))
			return ady_fail(&w->fault, ADY_E_NOT_FOUND, NULL,
			                "the store has no such key");
		secret_id = ady_bytes_str(name);
		*record =
		    s->follower ? ady_follower_get(s->follower, secret_id, newer_than_ms) : NULL;
		if (*record) {
			atomic_fetch_add_explicit(&s->hits, 1, memory_order_relaxed);
			return ADY_OK;
		}
	}
	return look_up(s, secret_id, newer_than_ms, record, w);
}

/* The cache's key of a search. */
static struct ady_bytes find_key(char out[static FIND_MAX], uint8_t kind, struct ady_bytes value,
                                 const char *tenant)
{
	struct ady_buf b = ady_buf(out, FIND_MAX);

	ady_buf_u8(&b, kind);
	ady_buf_u8(&b, (uint8_t)value.n);
	ady_buf_view(&b, value);
	ady_buf_str(&b, tenant ? tenant : "");
	return ady_buf_bytes(&b);
}

enum ady_err ady_store_find_address(struct ady_store *s, const uint8_t address20[static 20],
                                    const char *tenant, int64_t newer_than_ms,
                                    struct ady_stored **record, struct ady_store_wait *w)
{
	char key[FIND_MAX];

	return look_up(s, find_key(key, BY_ADDRESS, ady_bytes(address20, 20), tenant),
	               newer_than_ms, record, w);
}

enum ady_err ady_store_find_public_key(struct ady_store *s, struct ady_bytes public_key,
                                       const char *tenant, int64_t newer_than_ms,
                                       struct ady_stored **record, struct ady_store_wait *w)
{
	char key[FIND_MAX];

	*record = NULL;
	if (public_key.n == 0 || public_key.n > ADY_PUBLIC_KEY_MAX)
		return ady_fail(&w->fault, ADY_E_NOT_FOUND, NULL, "the store has no such key");
	return look_up(s, find_key(key, BY_PUBLIC_KEY, public_key, tenant), newer_than_ms, record,
	               w);
}

void ady_store_forget(struct ady_store *s, const struct ady_entry *e)
{
	const char *const tenants[] = {NULL, e->tenant};
	char key[FIND_MAX];

	ady_follower_forget(s->follower, ady_bytes_str(e->id));
	ady_cache_forget(s->cache, ady_bytes_str(e->id));
	for (size_t i = 0; i < 2; i++) {
		if (e->has_address)
			ady_cache_forget(s->cache, find_key(key, BY_ADDRESS,
			                                    ady_bytes(e->address, 20), tenants[i]));
		if (e->public_key_n)
			ady_cache_forget(s->cache,
			                 find_key(key, BY_PUBLIC_KEY,
			                          ady_bytes(e->public_key, e->public_key_n),
			                          tenants[i]));
	}
}

void ady_store_job_run(struct ady_store *s, struct ady_store_job *job, size_t worker)
{
	if (atomic_load(&s->closing))
		(void)ady_fail(&job->fault, ADY_E_STORE, NULL, "the gateway is ending");
	else
		job->run(job, s->records, worker);
	ady_store_set_health(s, job->fault.err, &job->fault);
}

enum ady_err ady_store_run(struct ady_store *s, struct ady_store_job *job)
{
	job->work.fn = ady_store_job_work;
	job->store = s;
	job->fault = (struct ady_fault){0};
	return ady_pool_submit(s->pool, &job->work);
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
	if (ady_store_submit(s, NULL) != ADY_OK)
		atomic_store(&s->probing, false);
}

void ady_store_report(struct ady_store *s, struct ady_store_report *r)
{
	*r = (struct ady_store_report){
	    .kind = s->records->ops->kind,
	    .hits = atomic_load(&s->hits),
	    .misses = atomic_load(&s->misses),
	    .fetches = atomic_load(&s->fetches),
	    .failures = atomic_load(&s->failures),
	    .waiting = atomic_load(&s->waiting),
	};
	ady_cache_size(s->cache, &r->entries, &r->bytes);
	if (s->follower)
		ady_follower_size(s->follower, &r->copies, &r->copies_bytes);
	pthread_mutex_lock(&s->lock);
	r->known = s->known;
	r->ok = s->ok;
	snprintf(r->why, sizeof r->why, "%s", s->known ? s->why : "not asked yet");
	pthread_mutex_unlock(&s->lock);
}

/* Where nothing may be served from memory there is nothing to follow for. */
static enum ady_err open_follower(struct ady_store *s, struct ady_fault *f)
{
	const struct ady_config_store *config = &s->config->store;

	if (!s->records->ops->watch || config->copy_mib == 0 || config->cache_ms == 0)
		return ADY_OK;
	if (ady_follower_open(&s->follower, s->records, config->connections, s->cache, config) ==
	    ADY_OK)
		return ADY_OK;
	return ady_fail(f, ADY_E_MEMORY, NULL, "the store cannot be followed");
}

static _Atomic uint64_t stores; /* opened so far */

enum ady_err ady_store_open(struct ady_store **store, const struct ady_gateway_config *config,
                            struct ady_credentials *credentials, struct ady_fault *f)
{
	struct ady_store *s = calloc(1, sizeof *s);
	enum ady_err err;

	*store = NULL;
	if (!s)
		return ady_fail(f, ADY_E_MEMORY, NULL, "out of memory");
	s->config = config;
	s->number = atomic_fetch_add(&stores, 1) + 1;
	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_init(&s->pending.lock, NULL);
	s->pending.last = &s->pending.first;
	err = ady_store_open_records(&s->records, config, credentials, &s->closing, f);
	if (err == ADY_OK &&
	    (ady_cache_open(&s->cache, 0, (size_t)config->store.cache_mib << 20) != ADY_OK ||
	     ady_pool_open(&s->pool, config->store.connections, QUEUE) != ADY_OK))
		err = ady_fail(f, ADY_E_MEMORY, NULL, "the store cannot be started");
	if (err == ADY_OK) {
		s->records->stop = &s->closing;
		s->secrets = strcmp(s->records->ops->kind, "secrets-manager") == 0;
		err = open_follower(s, f);
	}
	if (err == ADY_OK) {
		*store = s;
	} else {
		ady_store_close(s);
	}
	return err;
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
	ady_follower_close(s->follower);
	ady_pool_close(s->pool);
	ady_records_close(s->records);
	ady_cache_close(s->cache);
	pthread_mutex_destroy(&s->pending.lock);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
