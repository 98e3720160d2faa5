/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/states.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { BATCH = 2048, FRESH_MS = 30000 };

struct seen {
	struct seen *next;
	uint8_t public_key[ADY_STATE_KEY];
	struct ady_state_row row;
};

struct ady_states {
	struct ady_states_store *store;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* guards the queue */
	pthread_cond_t wake;
	bool stop, look;
	struct ady_state_call *first, **last;
	pthread_mutex_t seen_lock; /* guards what was seen */
	size_t seen_n, buckets_n;
	struct seen **buckets;
	pthread_mutex_t report_lock; /* guards what follows */
	struct ady_states_report report;
	int64_t told_ms; /* when its last transaction ended */
	bool probing;
};

/* --- what was seen --- */

static size_t bucket_of(const struct ady_states *s, const uint8_t *public_key)
{
	return (size_t)ady_be64(public_key + 40) & (s->buckets_n - 1);
}

static void grow(struct ady_states *s)
{
	size_t old_n = s->buckets_n;
	struct seen **old = s->buckets;

	s->buckets_n = old_n ? 2 * old_n : 1024;
	s->buckets = calloc(s->buckets_n, sizeof(struct seen *));
	if (!s->buckets)
		ADY_BUG("out of memory");
	for (size_t i = 0; i < old_n; i++)
		for (struct seen *e = old[i], *next; e; e = next) {
			struct seen **at = &s->buckets[bucket_of(s, e->public_key)];

			next = e->next;
			e->next = *at;
			*at = e;
		}
	free(old);
}

static struct seen *find(struct ady_states *s, const uint8_t *public_key)
{
	struct seen *e = s->buckets[bucket_of(s, public_key)];

	while (e && memcmp(e->public_key, public_key, ADY_STATE_KEY) != 0)
		e = e->next;
	return e;
}

static void remember(struct ady_states *s, const struct ady_state_write *w)
{
	struct seen *e, **at;

	pthread_mutex_lock(&s->seen_lock);
	e = find(s, w->public_key);
	if (!e) {
		if (s->seen_n++ >= s->buckets_n)
			grow(s);
		e = malloc(sizeof *e);
		if (!e)
			ADY_BUG("out of memory");
		memcpy(e->public_key, w->public_key, ADY_STATE_KEY);
		at = &s->buckets[bucket_of(s, w->public_key)];
		e->next = *at;
		*at = e;
	}
	e->row = w->row;
	pthread_mutex_unlock(&s->seen_lock);
}

bool ady_states_peek(struct ady_states *s, const uint8_t public_key[static ADY_STATE_KEY],
                     struct ady_state_row *row)
{
	struct seen *e;

	pthread_mutex_lock(&s->seen_lock);
	e = find(s, public_key);
	if (e)
		*row = e->row;
	pthread_mutex_unlock(&s->seen_lock);
	return e != NULL;
}

/* --- the thread --- */

static bool is_list(const struct ady_state_call *call)
{
	return call->w.version == UINT64_MAX;
}

static void on_row(void *ctx, const uint8_t public_key[static ADY_STATE_KEY],
                   const struct ady_state_row *row)
{
	struct ady_state_list *list = ctx;

	ady_dyn_put(&list->keys, public_key, ADY_STATE_KEY);
	ady_dyn_put(&list->rows, row, sizeof *row);
}

static void finish(struct ady_states *s, struct ady_state_call *call, enum ady_err err,
                   const struct ady_fault *f)
{
	call->err = err;
	if (err == ADY_OK && !is_list(call) && !call->w.large)
		remember(s, &call->w);
	else if (err != ADY_OK)
		call->fault = *f;
	ady_loop_post(call->loop, &call->task);
}

static void note(struct ady_states *s, int64_t start_us, enum ady_err err,
                 const struct ady_fault *f)
{
	pthread_mutex_lock(&s->report_lock);
	s->report.known = true;
	s->report.ok = err == ADY_OK;
	s->report.transactions++;
	s->report.us += (uint64_t)(ady_mono_us() - start_us);
	snprintf(s->report.why, sizeof s->report.why, "%s", err == ADY_OK ? "" : f->detail);
	s->told_ms = ady_mono_ms();
	s->probing = false;
	pthread_mutex_unlock(&s->report_lock);
}

/* A read of a key that nobody has. */
static void look(struct ady_states *s)
{
	struct ady_state_write w = {0}, *list = &w;
	int64_t start = ady_mono_us();
	struct ady_fault f = {0};

	note(s, start, ady_states_store_write(s->store, &list, 1, &f), &f);
}

/* Calls of one key stay in their order, for the batch is done in its order. */
static void work(struct ady_states *s, struct ady_state_call *calls)
{
	static __thread struct ady_state_write *batch[BATCH];
	struct ady_state_call *next = calls;
	int64_t start = ady_mono_us();
	struct ady_fault f = {0};
	enum ady_err err;
	size_t n = 0;

	if (is_list(calls)) {
		err = ady_states_store_list(s->store, on_row, (struct ady_state_list *)calls, &f);
		note(s, start, err, &f);
		finish(s, calls, err, &f);
		return;
	}
	for (; next; next = next->next)
		batch[n++] = &next->w;
	err = ady_states_store_write(s->store, batch, n, &f);
	note(s, start, err, &f);
	for (; calls; calls = next) {
		next = calls->next;
		finish(s, calls, err, &f);
	}
}

/* Take up to BATCH calls, or one list. */
static struct ady_state_call *take(struct ady_states *s)
{
	struct ady_state_call *first = s->first, **at = &s->first;
	size_t n = 0;

	while (*at && n < BATCH && (n == 0 || !is_list(*at))) {
		bool alone = is_list(*at);

		at = &(*at)->next;
		n++;
		if (alone)
			break;
	}
	s->first = *at;
	*at = NULL;
	if (!s->first)
		s->last = &s->first;
	return first;
}

static void *states_main(void *arg)
{
	struct ady_states *s = arg;

	pthread_mutex_lock(&s->lock);
	while (!s->stop || s->first) {
		struct ady_state_call *calls;

		if (s->look && !s->stop) {
			s->look = false;
			pthread_mutex_unlock(&s->lock);
			look(s);
			pthread_mutex_lock(&s->lock);
			continue;
		}
		if (!s->first) {
			pthread_cond_wait(&s->wake, &s->lock);
			continue;
		}
		calls = take(s);
		pthread_mutex_unlock(&s->lock);
		work(s, calls);
		pthread_mutex_lock(&s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* --- */

static void on_task(struct ady_task *task)
{
	struct ady_state_call *call = (struct ady_state_call *)task; /* its first member */

	call->done(call);
}

static void queue(struct ady_states *s, struct ady_state_call *call)
{
	call->task.fn = on_task;
	call->next = NULL;
	pthread_mutex_lock(&s->lock);
	*s->last = call;
	s->last = &call->next;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
}

void ady_states_do(struct ady_states *s, struct ady_state_call *call)
{
	if (is_list(call))
		ADY_BUG("a version that no state has");
	queue(s, call);
}

void ady_states_list(struct ady_states *s, struct ady_state_list *list)
{
	list->call.w.version = UINT64_MAX;
	queue(s, &list->call);
}

void ady_states_report(struct ady_states *s, struct ady_states_report *report)
{
	pthread_mutex_lock(&s->report_lock);
	*report = s->report;
	pthread_mutex_unlock(&s->report_lock);
}

void ady_states_probe(struct ady_states *s)
{
	bool due;

	pthread_mutex_lock(&s->report_lock);
	due = !s->probing && (!s->report.ok || ady_mono_ms() - s->told_ms >= FRESH_MS);
	s->probing = s->probing || due;
	pthread_mutex_unlock(&s->report_lock);
	if (!due)
		return;
	pthread_mutex_lock(&s->lock);
	s->look = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
}

enum ady_err ady_states_open(struct ady_states **out, const char *place, struct ady_fault *f)
{
	struct ady_states *s = calloc(1, sizeof *s);
	enum ady_err err;

	*out = NULL;
	if (!s)
		return ady_fail(f, ADY_E_MEMORY, NULL, "out of memory");
	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_init(&s->seen_lock, NULL);
	pthread_mutex_init(&s->report_lock, NULL);
	pthread_cond_init(&s->wake, NULL);
	s->last = &s->first;
	grow(s);
	err = ady_states_store_open(&s->store, place, f);
	if (err == ADY_OK) {
		s->started = pthread_create(&s->thread, NULL, states_main, s) == 0;
		if (!s->started)
			err = ady_fail(f, ADY_E_MEMORY, NULL, "threads cannot be started");
	}
	if (err != ADY_OK) {
		ady_states_close(s);
		return err;
	}
	*out = s;
	return ADY_OK;
}

void ady_states_close(struct ady_states *s)
{
	if (!s)
		return;
	if (s->started) {
		pthread_mutex_lock(&s->lock);
		s->stop = true;
		pthread_cond_signal(&s->wake);
		pthread_mutex_unlock(&s->lock);
		pthread_join(s->thread, NULL);
	}
	ady_states_store_close(s->store);
	for (size_t i = 0; i < s->buckets_n; i++)
		for (struct seen *e = s->buckets[i], *next; e; e = next) {
			next = e->next;
			free(e);
		}
	free(s->buckets);
	pthread_mutex_destroy(&s->lock);
	pthread_mutex_destroy(&s->seen_lock);
	pthread_mutex_destroy(&s->report_lock);
	pthread_cond_destroy(&s->wake);
	free(s);
}
