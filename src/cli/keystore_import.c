/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/keystore_import.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/import_key.h"
#include "cli/keystore_run.h"

enum { BAR = 30, BAR_MS = 200, LINE_MS = 5000 };

static void *worker(void *arg)
{
	struct ady_keystore_run *run = arg;

	for (;;) {
		struct ady_keystore_file *file = NULL;

		pthread_mutex_lock(&run->lock);
		if (run->next < run->files->n && !run->stopped)
			file = &run->files->v[run->next++];
		pthread_mutex_unlock(&run->lock);
		if (!file)
			return NULL;
		ady_keystore_post(run, file);
		pthread_mutex_lock(&run->lock);
		run->done++;
		run->failed += file->outcome == ADY_KEYSTORE_FAILED;
		pthread_cond_broadcast(&run->changed);
		pthread_mutex_unlock(&run->lock);
	}
}

/* --- progress --- */

static void tell(const struct ady_keystore_run *run, int64_t began_ms, bool bar)
{
	const double s = (double)(ady_mono_ms() - began_ms) / 1000;
	const double rate = s > 0 ? (double)run->done / s : 0;
	const size_t of = run->files->n, full = run->done * BAR / of;

	if (bar) {
		fputs("\r[", stderr);
		for (size_t i = 0; i < BAR; i++)
			fputc(i < full ? '#' : '.', stderr);
		fputs("] ", stderr);
	}
	fprintf(stderr, "%zu of %zu keystores, %zu failed, %.1f a second", run->done, of,
	        run->failed, rate);
	if (rate > 0 && run->done < of)
		fprintf(stderr, ", %.0f s left", (double)(of - run->done) / rate);
	fputs(bar ? "   " : "\n", stderr);
}

/* Until all is done: a bar at a terminal, else a line now and then. */
static void watch(struct ady_keystore_run *run)
{
	const int64_t began_ms = ady_mono_ms();
	const bool bar = isatty(STDERR_FILENO);
	int64_t next_ms = began_ms + (bar ? 0 : LINE_MS);

	pthread_mutex_lock(&run->lock);
	while (run->done < run->files->n && !(run->stopped && run->done == run->next)) {
		struct timespec due;

		clock_gettime(CLOCK_MONOTONIC, &due);
		due.tv_nsec += BAR_MS * 1000000L;
		due.tv_sec += due.tv_nsec / 1000000000;
		due.tv_nsec %= 1000000000;
		(void)pthread_cond_clockwait(&run->changed, &run->lock, CLOCK_MONOTONIC, &due);
		if (ady_mono_ms() < next_ms)
			continue;
		tell(run, began_ms, bar);
		next_ms = ady_mono_ms() + (bar ? BAR_MS : LINE_MS);
	}
	tell(run, began_ms, bar);
	if (bar)
		fputc('\n', stderr);
	pthread_mutex_unlock(&run->lock);
}

/* --- --- */

static enum ady_err run_all(struct ady_keystore_run *run, struct ady_fault *f)
{
	pthread_t threads[ADY_KEYSTORE_JOBS_MAX];
	size_t n = 0;

	while (n < run->m->jobs && n < run->files->n &&
	       pthread_create(&threads[n], NULL, worker, run) == 0)
		n++;
	if (n == 0)
		return ady_fail(f, ADY_E_MEMORY, NULL, "threads cannot be started");
	watch(run);
	for (size_t i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	*f = run->why;
	return run->stopped ? run->why.err : ADY_OK;
}

/* One at a time at first: the tenant's data key, should there be none, is made once. */
enum ady_err ady_keystores_import(struct ady_keystore_files *files,
                                  const struct ady_keystore_import *m, struct ady_fault *f)
{
	struct ady_keystore_import quiet = *m;
	struct ady_keystore_run run = {.m = &quiet,
	                               .files = files,
	                               .lock = PTHREAD_MUTEX_INITIALIZER,
	                               .changed = PTHREAD_COND_INITIALIZER,
	                               .limit = 1,
	                               .answered_ms = ady_mono_ms()};
	enum ady_err err =
	    ady_import_key_fetch(run.import_key, &m->gateway, m->root, &m->expected, f);

	quiet.gateway.quiet = true;
	return err == ADY_OK ? run_all(&run, f) : err;
}
