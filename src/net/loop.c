/* SPDX-License-Identifier: Apache-2.0 */
#include "net/loop.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"

enum {
	EVENTS_A_ROUND = 64,
	TIMERS_AT_FIRST = 64,
	/* Tasks that post tasks are followed this many times before descriptors get their turn. */
	TASK_PASSES = 3,
};

struct ady_loop {
	int epoll, wake;
	atomic_bool stop;
	/* what epoll_wait fetched; an entry whose io was removed is NULL */
	struct epoll_event events[EVENTS_A_ROUND];
	int next, fetched;
	struct ady_timer **heap;
	size_t timers_n, timers_cap;
	pthread_mutex_t lock; /* guards what follows */
	struct ady_task *head, **tail;
	atomic_bool asleep; /* in epoll_wait, or about to enter it: a post must wake it */
};

enum ady_err ady_loop_open(struct ady_loop **loop)
{
	struct ady_loop *l = calloc(1, sizeof *l);
	/* Edge-triggered: every write wakes once and the counter never needs to be read. */
	struct epoll_event ev = {.events = EPOLLIN | EPOLLET};

	*loop = NULL;
	if (!l)
		return ADY_E_MEMORY;
	pthread_mutex_init(&l->lock, NULL);
	l->tail = &l->head;
	l->heap = calloc(TIMERS_AT_FIRST, sizeof(struct ady_timer *));
	l->timers_cap = TIMERS_AT_FIRST;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!l->heap || l->epoll < 0 || l->wake < 0 ||
	    epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->wake, &ev) < 0) {
		ady_loop_close(l);
		return ADY_E_IO;
	}
	*loop = l;
	return ADY_OK;
}

void ady_loop_close(struct ady_loop *loop)
{
	if (!loop)
		return;
	if (loop->wake >= 0)
		close(loop->wake);
	if (loop->epoll >= 0)
		close(loop->epoll);
	pthread_mutex_destroy(&loop->lock);
	free(loop->heap);
	free(loop);
}

static void wake(struct ady_loop *loop)
{
	const uint64_t one = 1;
	int saved = errno;

	if (write(loop->wake, &one, sizeof one) < 0)
		errno = saved; /* the counter is full: the loop has not slept since */
}

void ady_loop_stop(struct ady_loop *loop)
{
	atomic_store(&loop->stop, true);
	wake(loop);
}

/* --- timers: a binary heap, the earliest at heap[0] --- */

static void place(struct ady_loop *loop, size_t at, struct ady_timer *timer)
{
	loop->heap[at] = timer;
	timer->slot = at + 1;
}

static void sift_up(struct ady_loop *loop, size_t at, struct ady_timer *timer)
{
	for (; at > 0 && timer->due_ms < loop->heap[(at - 1) / 2]->due_ms; at = (at - 1) / 2)
		place(loop, at, loop->heap[(at - 1) / 2]);
	place(loop, at, timer);
}

static void sift_down(struct ady_loop *loop, size_t at, struct ady_timer *timer)
{
	for (size_t child; (child = 2 * at + 1) < loop->timers_n; at = child) {
		if (child + 1 < loop->timers_n &&
		    loop->heap[child + 1]->due_ms < loop->heap[child]->due_ms)
			child++;
		if (timer->due_ms <= loop->heap[child]->due_ms)
			break;
		place(loop, at, loop->heap[child]);
	}
	place(loop, at, timer);
}

static void make_room(struct ady_loop *loop)
{
	struct ady_timer **more;

	if (loop->timers_n < loop->timers_cap)
		return;
	more = realloc(loop->heap, 2 * loop->timers_cap * sizeof(struct ady_timer *));
	if (!more)
		ADY_BUG("out of memory");
	loop->heap = more;
	loop->timers_cap *= 2;
}

void ady_timer_set(struct ady_loop *loop, struct ady_timer *timer, int64_t ms)
{
	ady_timer_cancel(loop, timer);
	make_room(loop);
	timer->due_ms = ady_mono_ms() + (ms > 0 ? ms : 0);
	sift_up(loop, loop->timers_n++, timer);
}

void ady_timer_cancel(struct ady_loop *loop, struct ady_timer *timer)
{
	size_t at = timer->slot - 1;
	struct ady_timer *last;

	if (timer->slot == 0)
		return;
	timer->slot = 0;
	last = loop->heap[--loop->timers_n];
	if (last == timer)
		return;
	if (at > 0 && last->due_ms < loop->heap[(at - 1) / 2]->due_ms)
		sift_up(loop, at, last);
	else
		sift_down(loop, at, last);
}

/* A timer that sets itself again with 0 ms must not keep the others from their turn: only what was
 * due at now is called, and at most as many as there were. */
static void run_timers(struct ady_loop *loop, int64_t now)
{
	for (size_t n = loop->timers_n; n > 0 && loop->timers_n > 0; n--) {
		struct ady_timer *timer = loop->heap[0];

		if (timer->due_ms > now)
			return;
		ady_timer_cancel(loop, timer);
		timer->fn(timer);
	}
}

/* --- descriptors --- */

static int control(struct ady_loop *loop, int op, struct ady_io *io, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = io};

	return epoll_ctl(loop->epoll, op, io->fd, &ev);
}

enum ady_err ady_loop_add(struct ady_loop *loop, struct ady_io *io, uint32_t events)
{
	return control(loop, EPOLL_CTL_ADD, io, events) < 0 ? ADY_E_IO : ADY_OK;
}

void ady_loop_set(struct ady_loop *loop, struct ady_io *io, uint32_t events)
{
	if (control(loop, EPOLL_CTL_MOD, io, events) < 0)
		ADY_BUG("ady_loop_set of a descriptor that is not watched");
}

void ady_loop_del(struct ady_loop *loop, struct ady_io *io)
{
	if (control(loop, EPOLL_CTL_DEL, io, 0) < 0)
		ADY_BUG("ady_loop_del of a descriptor that is not watched");
	for (int i = loop->next; i < loop->fetched; i++)
		if (loop->events[i].data.ptr == io)
			loop->events[i].data.ptr = NULL;
}

static void run_ios(struct ady_loop *loop)
{
	while (loop->next < loop->fetched) {
		const struct epoll_event *ev = &loop->events[loop->next++];
		struct ady_io *io = ev->data.ptr;

		if (io)
			io->fn(io, ev->events);
	}
}

/* --- tasks --- */

void ady_loop_post(struct ady_loop *loop, struct ady_task *task)
{
	bool asleep;

	task->next = NULL;
	pthread_mutex_lock(&loop->lock);
	*loop->tail = task;
	loop->tail = &task->next;
	asleep = atomic_exchange(&loop->asleep, false);
	pthread_mutex_unlock(&loop->lock);
	if (asleep)
		wake(loop);
}

static struct ady_task *take_tasks(struct ady_loop *loop)
{
	struct ady_task *all;

	pthread_mutex_lock(&loop->lock);
	all = loop->head;
	loop->head = NULL;
	loop->tail = &loop->head;
	pthread_mutex_unlock(&loop->lock);
	return all;
}

static void run_tasks(struct ady_loop *loop)
{
	for (int pass = 0; pass < TASK_PASSES; pass++) {
		struct ady_task *task = take_tasks(loop), *next;

		if (!task)
			return;
		for (; task; task = next) {
			next = task->next; /* fn may free the task */
			task->fn(task);
		}
	}
}

/* --- the round --- */

/* From here on a post wakes the loop, unless there is something to do already. */
static bool fall_asleep(struct ady_loop *loop)
{
	bool idle;

	pthread_mutex_lock(&loop->lock);
	idle = !loop->head;
	atomic_store(&loop->asleep, idle);
	pthread_mutex_unlock(&loop->lock);
	return idle;
}

static int sleep_ms(struct ady_loop *loop)
{
	int64_t ms;

	if (!fall_asleep(loop))
		return 0;
	if (loop->timers_n == 0)
		return -1;
	ms = loop->heap[0]->due_ms - ady_mono_ms();
	if (ms < 0)
		return 0;
	return ms < INT_MAX ? (int)ms : INT_MAX;
}

/* However long a round takes, no timer runs before the descriptors have been asked at its time: a
 * deadline that passed meanwhile finds what came before it served, not lying unread. */
void ady_loop_run(struct ady_loop *loop)
{
	int64_t now;

	while (!atomic_load(&loop->stop)) {
		loop->next = 0;
		loop->fetched =
		    epoll_wait(loop->epoll, loop->events, EVENTS_A_ROUND, sleep_ms(loop));
		now = ady_mono_ms();
		/* What is posted from here on is taken at the end of this round. */
		atomic_store(&loop->asleep, false);
		run_ios(loop);
		run_timers(loop, now);
		run_tasks(loop);
	}
	atomic_store(&loop->stop, false);
}
