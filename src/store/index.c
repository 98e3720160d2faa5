/* SPDX-License-Identifier: Apache-2.0 */
#include "store/index.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/sqlite.h"

struct ady_index {
	ady_index_scan scan;
	void *ctx;
	int64_t interval_ms;
	pthread_t thread;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	bool wanted, closing, known;
	struct ady_fault fault;         /* of the last scan */
	struct ady_records *now, *next; /* next: being made by a scan */
};

static void wait_until(struct ady_index *x, int64_t due_ms)
{
	const struct timespec at = {.tv_sec = due_ms / 1000, .tv_nsec = due_ms % 1000 * 1000000};

	pthread_cond_timedwait(&x->changed, &x->lock, &at);
}

/* Locked. The scan itself runs without the lock. */
static void scan_once(struct ady_index *x)
{
	struct ady_fault f = {0};
	struct ady_records *made = NULL, *old = NULL;
	enum ady_err err = ady_sqlite_open(&made, NULL, 1, &f);

	x->next = made;
	pthread_mutex_unlock(&x->lock);
	if (err == ADY_OK)
		err = x->scan(x->ctx, x, &f);
	pthread_mutex_lock(&x->lock);
	x->next = NULL;
	if (err == ADY_E_AGAIN) {
		old = made;
		err = ADY_OK;
	} else if (err == ADY_OK) {
		old = x->now;
		x->now = made;
		x->known = true;
	} else {
		old = made;
		if (!x->closing && x->fault.err != err)
			ADY_WARN("the store cannot be listed", "error=%s detail=\"%s\"",
			         ady_err_code(err), f.detail);
	}
	x->fault = f;
	x->fault.err = err;
	ady_records_close(old);
	pthread_cond_broadcast(&x->changed);
}

static void *index_main(void *arg)
{
	struct ady_index *x = arg;

	pthread_mutex_lock(&x->lock);
	while (!x->closing) {
		int64_t due = ady_mono_ms() + x->interval_ms;

		if (!x->wanted) {
			pthread_cond_wait(&x->changed, &x->lock);
			continue;
		}
		scan_once(x);
		while (!x->closing && ady_mono_ms() < due)
			wait_until(x, due);
	}
	pthread_mutex_unlock(&x->lock);
	return NULL;
}

enum ady_err ady_index_open(struct ady_index **index, ady_index_scan scan, void *ctx,
                            int64_t interval_ms, struct ady_fault *f)
{
	struct ady_index *x = calloc(1, sizeof *x);
	pthread_condattr_t attr;

	*index = NULL;
	if (!x)
		return ady_fail(f, ADY_E_MEMORY, NULL, "out of memory");
	x->scan = scan;
	x->ctx = ctx;
	x->interval_ms = interval_ms;
	pthread_mutex_init(&x->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&x->changed, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&x->thread, NULL, index_main, x) != 0) {
		pthread_cond_destroy(&x->changed);
		pthread_mutex_destroy(&x->lock);
		free(x);
		return ady_fail(f, ADY_E_MEMORY, NULL, "threads cannot be started");
	}
	*index = x;
	return ADY_OK;
}

bool ady_index_known(struct ady_index *x, const char *id, struct ady_entry *out)
{
	bool known;

	pthread_mutex_lock(&x->lock);
	known = x->now && ady_records_get(x->now, 0, id, out, NULL) == ADY_OK;
	pthread_mutex_unlock(&x->lock);
	if (known && out->text.n > 1)
		out->data_key = out->text;
	else
		ady_dyn_free(&out->text);
	out->text = (struct ady_dyn){0};
	return known;
}

/* In place of the record's text stands its data key: the next scan may find the record unchanged.
 */
static void keep(struct ady_records *r, const struct ady_entry *e)
{
	struct ady_entry bare = *e;

	bare.text = e->data_key;
	if (r)
		(void)ady_sqlite_upsert(r, 0, &bare, NULL);
}

void ady_index_put(struct ady_index *x, const struct ady_entry *e)
{
	pthread_mutex_lock(&x->lock);
	keep(x->now, e);
	keep(x->next, e);
	pthread_mutex_unlock(&x->lock);
}

void ady_index_add(struct ady_index *x, const struct ady_entry *e)
{
	pthread_mutex_lock(&x->lock);
	keep(x->next, e);
	pthread_mutex_unlock(&x->lock);
}

/* Locked. */
static enum ady_err await(struct ady_index *x, int wait_ms, struct ady_fault *f)
{
	const int64_t due = ady_mono_ms() + wait_ms;

	if (!x->wanted) {
		x->wanted = true;
		pthread_cond_broadcast(&x->changed);
	}
	while (!x->known && !x->closing && x->fault.err == ADY_OK && ady_mono_ms() < due)
		wait_until(x, due);
	if (x->known)
		return ADY_OK;
	if (x->fault.err == ADY_OK)
		return ady_fail(f, ADY_E_STORE, NULL, "the list of keys is still being read");
	if (f)
		*f = x->fault;
	return x->fault.err;
}

enum ady_err ady_index_list(struct ady_index *x, const struct ady_records_query *q,
                            ady_records_each each, void *ctx, int wait_ms, struct ady_fault *f)
{
	enum ady_err err;

	pthread_mutex_lock(&x->lock);
	err = await(x, wait_ms, f);
	if (err == ADY_OK)
		err = ady_records_list(x->now, 0, q, each, ctx, f);
	pthread_mutex_unlock(&x->lock);
	return err;
}

enum ady_err ady_index_data_key(struct ady_index *x, const char *tenant,
                                char out[static ADY_DATA_KEY_MAX + 1], int wait_ms,
                                struct ady_fault *f)
{
	enum ady_err err;

	*out = '\0';
	pthread_mutex_lock(&x->lock);
	err = await(x, wait_ms, f);
	if (err == ADY_OK)
		err = ady_records_data_key(x->now, 0, tenant, out, f);
	pthread_mutex_unlock(&x->lock);
	return err;
}

void ady_index_close(struct ady_index *x)
{
	if (!x)
		return;
	pthread_mutex_lock(&x->lock);
	x->closing = true;
	pthread_cond_broadcast(&x->changed);
	pthread_mutex_unlock(&x->lock);
	pthread_join(x->thread, NULL);
	ady_records_close(x->now);
	pthread_cond_destroy(&x->changed);
	pthread_mutex_destroy(&x->lock);
	free(x);
}
