/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "failing.h"
#include "test.h"

/* A unit that notes its turn; one with a gate waits until the gate is opened. */
struct unit {
	struct ady_work work;
	unsigned number;
	struct gate *gate;
};

struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned waiting;
	bool open;
};

static atomic_uint turns, worst_worker;
static unsigned order[64];

static void pass(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	g->waiting++;
	pthread_cond_broadcast(&g->changed);
	while (!g->open)
		pthread_cond_wait(&g->changed, &g->lock);
	pthread_mutex_unlock(&g->lock);
}

/* Wait until n units stand before the gate. */
static void await(struct gate *g, unsigned n)
{
	pthread_mutex_lock(&g->lock);
	while (g->waiting < n)
		pthread_cond_wait(&g->changed, &g->lock);
	pthread_mutex_unlock(&g->lock);
}

static void open_gate(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	g->open = true;
	pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->lock);
}

static void run(struct ady_work *work, size_t worker)
{
	struct unit *u = (struct unit *)work;
	unsigned turn;

	if (worker > atomic_load(&worst_worker))
		atomic_store(&worst_worker, (unsigned)worker);
	if (u->gate)
		pass(u->gate);
	turn = atomic_fetch_add(&turns, 1);
	if (turn < 64)
		order[turn] = u->number;
}

/* The storage is the caller's again once fn is called: it may be freed there. */
static void run_and_free(struct ady_work *work, size_t worker)
{
	run(work, worker);
	free(work);
}

static struct gate new_gate(void)
{
	return (struct gate){.lock = PTHREAD_MUTEX_INITIALIZER,
	                     .changed = PTHREAD_COND_INITIALIZER};
}

CASE(one_worker_keeps_the_order)
{
	struct gate gate = new_gate();
	struct unit units[11];
	struct ady_pool *pool;

	atomic_store(&turns, 0);
	CHECK_ERR(ady_pool_open(&pool, 1, 10), ADY_OK);
	for (unsigned i = 0; i < 11; i++) {
		units[i] = (struct unit){{.fn = run}, i, i == 0 ? &gate : NULL};
		CHECK_ERR(ady_pool_submit(pool, &units[i].work), ADY_OK);
		if (i == 0)
			await(&gate, 1);
	}
	CHECK_INT(ady_pool_waiting(pool), 10);
	open_gate(&gate);
	ady_pool_close(pool);
	CHECK_INT(atomic_load(&turns), 11);
	for (unsigned i = 0; i < 11; i++)
		CHECK_INT(order[i], i);
}

CASE(work_beyond_the_depth_is_refused_at_once)
{
	struct gate gate = new_gate();
	struct unit units[6];
	struct ady_pool *pool;

	atomic_store(&turns, 0);
	CHECK_ERR(ady_pool_open(&pool, 2, 3), ADY_OK);
	for (unsigned i = 0; i < 6; i++)
		units[i] = (struct unit){{.fn = run}, i, &gate};
	/* two at work, three waiting, and no room */
	CHECK_ERR(ady_pool_submit(pool, &units[0].work), ADY_OK);
	CHECK_ERR(ady_pool_submit(pool, &units[1].work), ADY_OK);
	await(&gate, 2);
	for (unsigned i = 2; i < 5; i++)
		CHECK_ERR(ady_pool_submit(pool, &units[i].work), ADY_OK);
	CHECK_INT(ady_pool_waiting(pool), 3);
	CHECK_ERR(ady_pool_submit(pool, &units[5].work), ADY_E_BUSY);
	CHECK_INT(ady_pool_waiting(pool), 3);
	open_gate(&gate);
	ady_pool_close(pool);
	CHECK_INT(atomic_load(&turns), 5); /* the refused one never ran */
}

CASE(close_finishes_what_is_queued)
{
	struct ady_pool *pool;

	atomic_store(&turns, 0);
	atomic_store(&worst_worker, 0);
	CHECK_ERR(ady_pool_open(&pool, 3, 1000), ADY_OK);
	for (unsigned i = 0; i < 1000; i++) {
		struct unit *u = calloc(1, sizeof *u);

		if (!CHECK(u != NULL))
			break;
		u->work.fn = run_and_free;
		CHECK_ERR(ady_pool_submit(pool, &u->work), ADY_OK);
	}
	ady_pool_close(pool);
	CHECK_INT(atomic_load(&turns), 1000);
	CHECK(atomic_load(&worst_worker) < 3);
	ady_pool_close(NULL);
}

struct submitter {
	struct ady_pool *pool;
	unsigned accepted;
};

static void *submit_many(void *arg)
{
	struct submitter *s = arg;

	for (unsigned i = 0; i < 2000; i++) {
		struct unit *u = calloc(1, sizeof *u);

		if (!u)
			break;
		u->work.fn = run_and_free;
		if (ady_pool_submit(s->pool, &u->work) == ADY_OK)
			s->accepted++;
		else
			free(u);
	}
	return NULL;
}

CASE(what_many_threads_submit_runs_once)
{
	struct submitter s[3] = {0};
	pthread_t threads[3];
	struct ady_pool *pool;
	unsigned accepted = 0;

	atomic_store(&turns, 0);
	CHECK_ERR(ady_pool_open(&pool, 2, 16), ADY_OK);
	for (int i = 0; i < 3; i++) {
		s[i].pool = pool;
		CHECK_INT(pthread_create(&threads[i], NULL, submit_many, &s[i]), 0);
	}
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
		accepted += s[i].accepted;
	}
	ady_pool_close(pool);
	CHECK_INT(atomic_load(&turns), accepted);
	CHECK(accepted > 0);
}

static atomic_int niceness[2];

static void note_niceness(struct ady_work *work, size_t worker)
{
	free(work);
	atomic_store(&niceness[worker], getpriority(PRIO_PROCESS, 0));
}

/* Each thread's own, and nobody else's. */
CASE(threads_that_give_way)
{
	struct ady_work *work = calloc(1, sizeof *work);
	const int before = getpriority(PRIO_PROCESS, 0);
	struct ady_pool *pool;

	work->fn = note_niceness;
	CHECK_ERR(ady_pool_open_nice(&pool, 1, 4, 3), ADY_OK);
	CHECK_ERR(ady_pool_submit(pool, work), ADY_OK);
	ady_pool_close(pool);
	CHECK_INT(atomic_load(&niceness[0]), before + 3 > 19 ? 19 : before + 3);
	CHECK_INT(getpriority(PRIO_PROCESS, 0), before);
}

/* calloc, then each of the threads; those that run already are ended. */
CASE(a_pool_that_cannot_start_is_refused)
{
	struct ady_pool *pool;

	for (unsigned n = 1; n <= 4; n++) {
		test_fail_at(n);
		CHECK_ERR(ady_pool_open(&pool, 3, 1), ADY_E_MEMORY);
		CHECK(test_fail_end() && !pool);
	}
}

int main(void)
{
	RUN(a_pool_that_cannot_start_is_refused);
	RUN(one_worker_keeps_the_order);
	RUN(work_beyond_the_depth_is_refused_at_once);
	RUN(close_finishes_what_is_queued);
	RUN(what_many_threads_submit_runs_once);
	RUN(threads_that_give_way);
	return test_end();
}
