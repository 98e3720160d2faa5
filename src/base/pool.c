/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>

struct worker {
	struct ady_pool *pool;
	size_t index;
	pthread_t thread;
};

struct ady_pool {
	pthread_mutex_t lock;
	pthread_cond_t wake, begun;
	struct ady_work *head, **tail;
	size_t waiting, depth, threads, running;
	int nice;
	bool closing;
	struct worker workers[];
};

/* The next unit, or NULL when the pool closes and nothing is left. */
static struct ady_work *take(struct ady_pool *p)
{
	struct ady_work *work;

	pthread_mutex_lock(&p->lock);
	while (!p->head && !p->closing)
		pthread_cond_wait(&p->wake, &p->lock);
	work = p->head;
	if (work) {
		p->head = work->next;
		if (!p->head)
			p->tail = &p->head;
		p->waiting--;
	}
	pthread_mutex_unlock(&p->lock);
	return work;
}

/* To Linux the process 0 of setpriority(2) is the calling thread. More niceness is never refused.
 */
static void begin(struct ady_pool *p)
{
	if (p->nice)
		(void)setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + p->nice);
	pthread_mutex_lock(&p->lock);
	p->running++;
	pthread_cond_signal(&p->begun);
	pthread_mutex_unlock(&p->lock);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct ady_work *work;

	begin(w->pool);
	while ((work = take(w->pool)))
		work->fn(work, w->index);
	return NULL;
}

/* Once the caller goes on it may forbid system calls. */
static void await_all(struct ady_pool *p)
{
	pthread_mutex_lock(&p->lock);
	while (p->running < p->threads)
		pthread_cond_wait(&p->begun, &p->lock);
	pthread_mutex_unlock(&p->lock);
}

enum ady_err ady_pool_open(struct ady_pool **pool, size_t threads, size_t depth)
{
	return ady_pool_open_nice(pool, threads, depth, 0);
}

enum ady_err ady_pool_open_nice(struct ady_pool **pool, size_t threads, size_t depth, int nice)
{
	struct ady_pool *p = calloc(1, sizeof *p + threads * sizeof *p->workers);

	*pool = NULL;
	if (!p)
		return ADY_E_MEMORY;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->wake, NULL);
	pthread_cond_init(&p->begun, NULL);
	p->nice = nice;
	p->tail = &p->head;
	p->depth = depth;
	for (; p->threads < threads; p->threads++) {
		struct worker *w = &p->workers[p->threads];

		*w = (struct worker){.pool = p, .index = p->threads};
		if (pthread_create(&w->thread, NULL, worker_main, w) != 0) {
			ady_pool_close(p);
			return ADY_E_MEMORY;
		}
	}
	await_all(p);
	*pool = p;
	return ADY_OK;
}

enum ady_err ady_pool_submit(struct ady_pool *p, struct ady_work *work)
{
	enum ady_err err = ADY_E_BUSY;

	pthread_mutex_lock(&p->lock);
	if (p->waiting < p->depth && !p->closing) {
		work->next = NULL;
		*p->tail = work;
		p->tail = &work->next;
		p->waiting++;
		err = ADY_OK;
		pthread_cond_signal(&p->wake);
	}
	pthread_mutex_unlock(&p->lock);
	return err;
}

size_t ady_pool_waiting(struct ady_pool *p)
{
	size_t n;

	pthread_mutex_lock(&p->lock);
	n = p->waiting;
	pthread_mutex_unlock(&p->lock);
	return n;
}

void ady_pool_close(struct ady_pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->closing = true;
	pthread_cond_broadcast(&p->wake);
	pthread_mutex_unlock(&p->lock);
	for (size_t i = 0; i < p->threads; i++)
		pthread_join(p->workers[i].thread, NULL);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->wake);
	pthread_cond_destroy(&p->begun);
	free(p);
}
