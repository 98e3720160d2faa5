/* SPDX-License-Identifier: Apache-2.0 */
#include "net/loop.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "test.h"

static struct ady_loop *loop;

static void open_loop(void)
{
	CHECK_ERR(ady_loop_open(&loop), ADY_OK);
}

static void close_loop(void)
{
	ady_loop_close(loop);
	loop = NULL;
}

static void stop_timer(struct ady_timer *timer)
{
	(void)timer;
	ady_loop_stop(loop);
}

/* --- timers --- */

enum { TIMERS = 10000, SPREAD_MS = 200 };

static struct ady_timer timers[TIMERS];
static bool cancelled[TIMERS];
static int64_t last_due;
static int fired, wrong;

static void note_timer(struct ady_timer *timer)
{
	size_t i = (size_t)(timer - timers);

	fired++;
	if (timer->due_ms < last_due || timer->due_ms > ady_mono_ms() || cancelled[i])
		wrong++;
	last_due = timer->due_ms;
	if (fired % 10 == 0) { /* cancel another one, set or not */
		size_t other = (i * 7919 + 13) % TIMERS;

		cancelled[other] = true;
		ady_timer_cancel(loop, &timers[other]);
	}
}

CASE(ten_thousand_timers_fire_in_order)
{
	struct ady_timer end = {.fn = stop_timer};
	int left = 0;

	open_loop();
	srand(1);
	fired = wrong = 0;
	last_due = 0;
	memset(cancelled, 0, sizeof cancelled);
	for (int i = 0; i < TIMERS; i++) {
		timers[i] = (struct ady_timer){.fn = note_timer};
		ady_timer_set(loop, &timers[i], rand() % SPREAD_MS);
	}
	for (int i = 0; i < TIMERS; i += 3) /* set again */
		ady_timer_set(loop, &timers[i], rand() % SPREAD_MS);
	for (int i = 0; i < TIMERS; i += 5) {
		cancelled[i] = true;
		ady_timer_cancel(loop, &timers[i]);
	}
	ady_timer_set(loop, &end, SPREAD_MS + 50);
	ady_loop_run(loop);
	CHECK_INT(wrong, 0);
	CHECK(fired > TIMERS / 2);
	for (int i = 0; i < TIMERS; i++)
		left += timers[i].slot != 0;
	CHECK_INT(left, 0);
	close_loop();
}

static int again;

static void set_again(struct ady_timer *timer)
{
	again++;
	ady_timer_set(loop, timer, 0);
}

CASE(a_timer_of_0_ms_does_not_starve_the_rest)
{
	struct ady_timer busy = {.fn = set_again}, end = {.fn = stop_timer};

	open_loop();
	again = 0;
	ady_timer_set(loop, &busy, 0);
	ady_timer_set(loop, &end, 500);
	ady_loop_run(loop);
	CHECK(again > 1);
	close_loop();
}

CASE(a_timer_is_never_early)
{
	struct ady_timer end = {.fn = stop_timer};
	int64_t before;

	open_loop();
	for (int ms = 0; ms < 30; ms += 7) {
		before = ady_mono_ms();
		ady_timer_set(loop, &end, ms);
		ady_loop_run(loop);
		CHECK(ady_mono_ms() >= before + ms);
	}
	close_loop();
}

/* --- descriptors --- */

struct pair {
	struct ady_io io;
	int peer;
	struct pair *victim;
	int calls;
};

/* Whoever is called first removes and closes the other, whose event was fetched as well. */
static void remove_victim(struct ady_io *io, uint32_t ready)
{
	struct pair *p = (struct pair *)io;

	CHECK(ready & EPOLLIN);
	p->calls++;
	ady_loop_del(loop, &p->victim->io);
	close(p->victim->io.fd);
	p->victim->io.fd = -1;
	ady_loop_stop(loop);
}

static void open_pair(struct pair *p, void (*fn)(struct ady_io *, uint32_t))
{
	int fds[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	*p = (struct pair){.io = {.fd = fds[0], .fn = fn}, .peer = fds[1]};
	CHECK_ERR(ady_loop_add(loop, &p->io, EPOLLIN), ADY_OK);
}

CASE(a_removed_descriptor_is_not_called_in_the_same_round)
{
	struct pair a, b;

	open_loop();
	open_pair(&a, remove_victim);
	open_pair(&b, remove_victim);
	a.victim = &b;
	b.victim = &a;
	CHECK_INT(write(a.peer, "x", 1), 1);
	CHECK_INT(write(b.peer, "x", 1), 1);
	ady_loop_run(loop);
	CHECK_INT(a.calls + b.calls, 1);
	for (int i = 0; i < 2; i++) {
		struct pair *p = i ? &b : &a;

		if (p->io.fd >= 0) {
			ady_loop_del(loop, &p->io);
			close(p->io.fd);
		}
		close(p->peer);
	}
	close_loop();
}

/* Whose work takes longer than a timer lasts that waits for what the victim reads. */
static void take_long(struct ady_io *io, uint32_t ready)
{
	struct pair *p = (struct pair *)io;

	(void)ready;
	ady_loop_del(loop, io);
	CHECK_INT(write(p->victim->peer, "x", 1), 1);
	nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
}

static void count_call(struct ady_io *io, uint32_t ready)
{
	struct pair *p = (struct pair *)io;

	CHECK(ready & EPOLLIN);
	p->calls++;
	ady_loop_del(loop, io);
}

CASE(what_came_before_a_timer_was_due_is_served_first)
{
	struct ady_timer end = {.fn = stop_timer};
	struct pair a, b;

	open_loop();
	open_pair(&a, take_long);
	open_pair(&b, count_call);
	a.victim = &b;
	CHECK_INT(write(a.peer, "x", 1), 1);
	ady_timer_set(loop, &end, 10);
	ady_loop_run(loop);
	CHECK_INT(b.calls, 1);
	for (int i = 0; i < 2; i++) {
		close(i ? b.io.fd : a.io.fd);
		close(i ? b.peer : a.peer);
	}
	close_loop();
}

static uint32_t seen;

static void note_ready(struct ady_io *io, uint32_t ready)
{
	(void)io;
	seen = ready;
	ady_loop_stop(loop);
}

CASE(events_are_level_triggered_and_can_be_changed)
{
	struct pair p;

	open_loop();
	open_pair(&p, note_ready);
	CHECK_INT(write(p.peer, "x", 1), 1);
	for (int i = 0; i < 2; i++) { /* not read: told again */
		ady_loop_run(loop);
		CHECK_INT(seen, EPOLLIN);
	}
	ady_loop_set(loop, &p.io, EPOLLOUT);
	ady_loop_run(loop);
	CHECK_INT(seen, EPOLLOUT);
	ady_loop_set(loop, &p.io, EPOLLIN);
	close(p.peer);
	ady_loop_run(loop);
	CHECK(seen & EPOLLHUP);
	ady_loop_del(loop, &p.io);
	close(p.io.fd);
	close_loop();
}

/* --- tasks --- */

enum { POSTERS = 4, POSTS = 20000 };

struct numbered {
	struct ady_task task;
	int poster, number;
};

static struct numbered tasks[POSTERS][POSTS];
static int next_number[POSTERS], done_tasks, disorder;

static void count_task(struct ady_task *task)
{
	struct numbered *n = (struct numbered *)task;

	if (next_number[n->poster]++ != n->number)
		disorder++;
	if (++done_tasks == POSTERS * POSTS)
		ady_loop_stop(loop);
}

static void *poster(void *arg)
{
	int me = (int)(intptr_t)arg;

	for (int i = 0; i < POSTS; i++) {
		tasks[me][i] = (struct numbered){.task.fn = count_task, .poster = me, .number = i};
		ady_loop_post(loop, &tasks[me][i].task);
		if (i % 1000 == 0) /* let the loop fall asleep now and then */
			nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
	}
	return NULL;
}

CASE(tasks_of_four_threads_run_once_and_in_order)
{
	pthread_t threads[POSTERS];

	open_loop();
	for (intptr_t i = 0; i < POSTERS; i++)
		CHECK(pthread_create(&threads[i], NULL, poster, (void *)i) == 0);
	ady_loop_run(loop);
	for (int i = 0; i < POSTERS; i++)
		pthread_join(threads[i], NULL);
	CHECK_INT(done_tasks, POSTERS * POSTS);
	CHECK_INT(disorder, 0);
	close_loop();
}

static int posted_again;
static struct ady_task chain;

static void post_again(struct ady_task *task)
{
	posted_again++;
	ady_loop_post(loop, task);
}

CASE(tasks_that_post_tasks_do_not_starve_timers)
{
	struct ady_timer end = {.fn = stop_timer};

	open_loop();
	chain.fn = post_again;
	ady_loop_post(loop, &chain);
	ady_timer_set(loop, &end, 500);
	ady_loop_run(loop);
	CHECK(posted_again > 3);
	close_loop();
}

/* --- stopping --- */

static void on_alarm(int sig)
{
	(void)sig;
	ady_loop_stop(loop);
}

CASE(a_signal_handler_may_stop_the_loop)
{
	struct itimerspec in_20ms = {.it_value.tv_nsec = 20000000};
	struct sigevent how = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
	timer_t id;

	open_loop();
	signal(SIGALRM, on_alarm);
	CHECK(timer_create(CLOCK_MONOTONIC, &how, &id) == 0);
	CHECK(timer_settime(id, 0, &in_20ms, NULL) == 0);
	ady_loop_run(loop);
	timer_delete(id);
	signal(SIGALRM, SIG_DFL);
	close_loop();
}

CASE(a_stop_before_the_run_counts)
{
	open_loop();
	ady_loop_stop(loop);
	ady_loop_run(loop);
	close_loop();
}

int main(void)
{
	RUN(ten_thousand_timers_fire_in_order);
	RUN(a_timer_of_0_ms_does_not_starve_the_rest);
	RUN(a_timer_is_never_early);
	RUN(a_removed_descriptor_is_not_called_in_the_same_round);
	RUN(what_came_before_a_timer_was_due_is_served_first);
	RUN(events_are_level_triggered_and_can_be_changed);
	RUN(tasks_of_four_threads_run_once_and_in_order);
	RUN(tasks_that_post_tasks_do_not_starve_timers);
	RUN(a_signal_handler_may_stop_the_loop);
	RUN(a_stop_before_the_run_counts);
	return test_end();
}
