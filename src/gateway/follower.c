/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/follower.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "gateway/copies.h"

enum {
	PAGE = 100,         /* records that are read at once: a millisecond of the server's time */
	CHANGED_MAX = 4096, /* ids to be read again; with more all are */
	SURE_PARTS = 8,     /* of cache_ms: how often the store is asked whether all was told */
	SURE_EVERY_MAX = 1000, /* ms */
	TRY_AGAIN_MS = 1000,
	NAP_MS = 50,
};

struct ady_follower {
	struct ady_records *records;
	size_t worker;
	struct ady_cache *cache;
	struct ady_copies *copies;
	int64_t cache_ms;
	_Atomic int64_t sure_ms; /* the copies are as the store was then, or newer; 0: not known */
	pthread_t thread;
	bool started;
	/* Of the thread: */
	bool reading; /* of all records, the next page begins behind after */
	char after[ADY_KEY_ID_MAX + 1];
	bool full;                  /* some were left out for want of room */
	bool heard;                 /* what was told last: that it works */
	pthread_mutex_t lock;       /* guards what follows */
	char *changed[CHANGED_MAX]; /* ids */
	size_t changed_n;
	bool too_many; /* ids were left out: all are to be read */
};

static void read_all(struct ady_follower *w)
{
	w->reading = true;
	w->full = false;
	w->after[0] = '\0';
	pthread_mutex_lock(&w->lock);
	while (w->changed_n > 0)
		free(w->changed[--w->changed_n]);
	w->too_many = false;
	pthread_mutex_unlock(&w->lock);
}

/* --- what the store tells --- */

static void begun(void *ctx)
{
	struct ady_follower *w = ctx;

	atomic_store(&w->sure_ms, 0);
	ady_copies_clear(w->copies);
	read_all(w);
}

static void read_again(struct ady_follower *w, const char *id)
{
	char *copy;

	pthread_mutex_lock(&w->lock);
	copy = w->changed_n < CHANGED_MAX ? strdup(id) : NULL;
	if (copy)
		w->changed[w->changed_n++] = copy;
	else
		w->too_many = true;
	pthread_mutex_unlock(&w->lock);
}

static void changed(void *ctx, const char *id)
{
	struct ady_follower *w = ctx;

	if (*id) {
		ady_copies_remove(w->copies, ady_bytes_str(id));
		ady_cache_forget(w->cache, ady_bytes_str(id));
		read_again(w, id);
	} else {
		ady_copies_clear(w->copies);
		read_all(w);
	}
}

static void sure(void *ctx, int64_t until_ms)
{
	struct ady_follower *w = ctx;

	atomic_store(&w->sure_ms, until_ms);
	if (!w->heard)
		ADY_INFO("following the store", "%s", "");
	w->heard = true;
}

/* --- what is read --- */

struct page {
	struct ady_follower *w;
	struct ady_copies_mark mark;
	size_t n;
};

static void take(struct page *page, const struct ady_entry *e)
{
	enum ady_err err = ady_copies_put(page->w->copies, e, &page->mark);

	if (err == ADY_E_AGAIN)
		read_again(page->w, e->id);
	else if (err == ADY_E_TOO_LARGE)
		page->w->full = true;
}

static void take_next(void *ctx, const struct ady_entry *e)
{
	struct page *page = ctx;
	struct ady_follower *w = page->w;

	page->n++;
	memcpy(w->after, e->id, sizeof w->after);
	take(page, e);
}

static enum ady_err read_page(struct ady_follower *w)
{
	struct page page = {.w = w};
	char after[ADY_KEY_ID_MAX + 1];
	const struct ady_records_query q = {.after = after, .limit = PAGE, .texts = true};
	struct ady_fault f = {0};
	uint64_t n, bytes;
	enum ady_err err;

	memcpy(after, w->after, sizeof after);
	ady_copies_mark(w->copies, &page.mark);
	err = ady_records_list(w->records, w->worker, &q, take_next, &page, &f);
	if (err != ADY_OK || (page.n == PAGE && !w->full))
		return err;
	w->reading = false;
	ady_copies_size(w->copies, &n, &bytes);
	ADY_INFO("copied the store", "records=%llu bytes=%llu all=%s", (unsigned long long)n,
	         (unsigned long long)bytes, w->full ? "no, store.copy_mib is full" : "yes");
	return ADY_OK;
}

static bool is_among(char *const *ids, size_t n, const char *id)
{
	while (n > 0)
		if (strcmp(ids[--n], id) == 0)
			return true;
	return false;
}

/* Some ids, each once. */
static size_t take_changed(struct ady_follower *w, char *ids[static ADY_RECORDS_GET_MAX])
{
	size_t n = 0;

	pthread_mutex_lock(&w->lock);
	while (n < ADY_RECORDS_GET_MAX && w->changed_n > 0) {
		char *id = w->changed[--w->changed_n];

		if (is_among(ids, n, id))
			free(id);
		else
			ids[n++] = id;
	}
	pthread_mutex_unlock(&w->lock);
	return n;
}

static void read_changed(struct ady_follower *w, char *const *ids, size_t n)
{
	struct ady_records_get gets[ADY_RECORDS_GET_MAX];
	struct ady_entry *entries = calloc(ADY_RECORDS_GET_MAX, sizeof *entries);
	struct page page = {.w = w};

	if (!entries)
		ADY_BUG("out of memory");
	for (size_t i = 0; i < n; i++)
		gets[i] = (struct ady_records_get){.id = ids[i], .out = &entries[i]};
	ady_copies_mark(w->copies, &page.mark);
	ady_records_get_many(w->records, w->worker, gets, n);
	for (size_t i = 0; i < n; i++) {
		if (gets[i].fault.err == ADY_OK)
			take(&page, &entries[i]);
		ady_entry_clear(&entries[i]);
		free(ids[i]);
	}
	free(entries);
}

static bool has_too_many(struct ady_follower *w)
{
	bool too_many;

	pthread_mutex_lock(&w->lock);
	too_many = w->too_many;
	pthread_mutex_unlock(&w->lock);
	return too_many;
}

/* As long as reading took, others have the store to themselves. */
static int64_t idle(void *ctx)
{
	struct ady_follower *w = ctx;
	const int64_t began = ady_mono_ms();
	char *ids[ADY_RECORDS_GET_MAX];
	size_t n;

	if (has_too_many(w))
		read_all(w);
	n = take_changed(w, ids);
	if (n > 0)
		read_changed(w, ids, n);
	else if (!w->reading || read_page(w) != ADY_OK)
		return TRY_AGAIN_MS;
	return ady_mono_ms() - began;
}

/* --- the thread --- */

static bool is_ending(const struct ady_follower *w)
{
	return w->records->stop && atomic_load(w->records->stop);
}

static void nap(const struct ady_follower *w)
{
	const struct timespec pause = {.tv_nsec = NAP_MS * 1000000};

	for (int ms = 0; ms < TRY_AGAIN_MS && !is_ending(w); ms += NAP_MS)
		nanosleep(&pause, NULL);
}

static void *follow(void *arg)
{
	struct ady_follower *w = arg;
	const int64_t part = w->cache_ms / SURE_PARTS;
	const struct ady_records_watcher watcher = {
	    .ctx = w,
	    .begun = begun,
	    .changed = changed,
	    .sure = sure,
	    .idle = idle,
	    .sure_every_ms = part < SURE_EVERY_MAX ? part : SURE_EVERY_MAX};

	while (!is_ending(w)) {
		struct ady_fault f = {0};

		if (ady_records_watch(w->records, w->worker, &watcher, &f) == ADY_OK)
			continue;
		if (w->heard)
			ADY_WARN("following the store no more", "detail=\"%s\"", f.detail);
		w->heard = false;
		nap(w);
	}
	return NULL;
}

enum ady_err ady_follower_open(struct ady_follower **follower, struct ady_records *records,
                               size_t worker, struct ady_cache *cache,
                               const struct ady_config_store *config)
{
	struct ady_follower *w = calloc(1, sizeof *w);

	*follower = w;
	if (!w)
		return ADY_E_MEMORY;
	pthread_mutex_init(&w->lock, NULL);
	w->records = records;
	w->worker = worker;
	w->cache = cache;
	w->cache_ms = config->cache_ms;
	if (ady_copies_open(&w->copies, (size_t)config->copy_mib << 20) == ADY_OK)
		w->started = pthread_create(&w->thread, NULL, follow, w) == 0;
	if (w->started)
		return ADY_OK;
	ady_follower_close(w);
	*follower = NULL;
	return ADY_E_MEMORY;
}

void ady_follower_close(struct ady_follower *w)
{
	if (!w)
		return;
	if (w->started)
		pthread_join(w->thread, NULL);
	while (w->changed_n > 0)
		free(w->changed[--w->changed_n]);
	ady_copies_close(w->copies);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

/* --- for all --- */

struct ady_stored *ady_follower_get(struct ady_follower *w, struct ady_bytes id,
                                    int64_t newer_than_ms)
{
	const int64_t sure_ms = atomic_load(&w->sure_ms);

	if (sure_ms <= newer_than_ms || ady_mono_ms() - sure_ms >= w->cache_ms)
		return NULL;
	return ady_copies_get(w->copies, id, sure_ms);
}

void ady_follower_forget(struct ady_follower *w, struct ady_bytes id)
{
	char name[ADY_KEY_ID_MAX + 1];

	if (!w || !ady_bytes_to_str(name, sizeof name, id))
		return;
	ady_copies_remove(w->copies, id);
	read_again(w, name); /* the change may have been told, and read, before */
}

void ady_follower_size(struct ady_follower *w, uint64_t *entries, uint64_t *bytes)
{
	ady_copies_size(w->copies, entries, bytes);
}
