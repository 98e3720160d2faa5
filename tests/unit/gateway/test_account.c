/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "gateway/account.h"
#include "gateway/node.h"
#include "test.h"

enum { THREADS = 3, TURNS = 400 };

static struct ady_accounts *accounts;
static const uint8_t address[20] = {1, 2, 3};
static atomic_int inside, wrong, done_n, left;
static uint64_t expected;

struct user {
	struct ady_loop *loop;
	struct ady_turn *turn;
	struct ady_timer timer;
};

static void end_turn(struct ady_timer *timer)
{
	struct user *u = (struct user *)((char *)timer - offsetof(struct user, timer));

	wrong += ady_turn_hint(u->turn) != expected;
	ady_turn_used(u->turn, expected++);
	inside--;
	ady_turn_end(u->turn);
	done_n++;
	left--;
	free(u);
}

static void on_turn(void *ctx)
{
	struct user *u = ctx;

	wrong += inside++ != 0;
	ady_timer_set(u->loop, &u->timer, 0);
}

static void *thread_main(void *arg)
{
	struct ady_loop *loop = arg;

	for (int i = 0; i < TURNS; i++) {
		struct user *u = calloc(1, sizeof *u);

		u->loop = loop;
		u->timer.fn = end_turn;
		u->turn = ady_turn_take(accounts, 1, address, loop, on_turn, u);
	}
	ady_loop_run(loop);
	return NULL;
}

/* Every loop is stopped by the last turn of all. */
static void *stop_all(void *arg)
{
	struct ady_loop **loops = arg;

	while (left > 0) {
		struct timespec ms = {.tv_nsec = 1000000};

		nanosleep(&ms, NULL);
	}
	for (int i = 0; i < THREADS; i++)
		ady_loop_stop(loops[i]);
	return NULL;
}

CASE(one_at_a_time_over_threads)
{
	struct ady_loop *loops[THREADS];
	pthread_t threads[THREADS], stopper;

	CHECK_ERR(ady_accounts_open(&accounts), ADY_OK);
	expected = 0;
	left = THREADS * TURNS;
	for (int i = 0; i < THREADS; i++)
		CHECK_ERR(ady_loop_open(&loops[i]), ADY_OK);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, thread_main, loops[i]);
	pthread_create(&stopper, NULL, stop_all, loops);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	pthread_join(stopper, NULL);
	CHECK_INT(done_n, THREADS * TURNS);
	CHECK_INT(wrong, 0);
	for (int i = 0; i < THREADS; i++)
		ady_loop_close(loops[i]);
	ady_accounts_close(accounts);
}

/* --- one loop --- */

static char order[8], letters[] = "abcdefghijklmnopqrstuvwxyz";

static void note(void *ctx)
{
	strncat(order, ctx, 1);
}

static struct ady_loop *one;

static void end_run(struct ady_timer *timer)
{
	(void)timer;
	ady_loop_stop(one);
}

static void run_a_moment(void)
{
	struct ady_timer timer = {.fn = end_run};

	ady_timer_set(one, &timer, 5);
	ady_loop_run(one);
}

CASE(in_the_order_of_coming_and_without_those_that_left)
{
	struct ady_turn *a, *b, *c, *d;

	CHECK_ERR(ady_accounts_open(&accounts), ADY_OK);
	CHECK_ERR(ady_loop_open(&one), ADY_OK);
	a = ady_turn_take(accounts, 1, address, one, note, &letters[0]);
	b = ady_turn_take(accounts, 1, address, one, note, &letters[1]);
	c = ady_turn_take(accounts, 1, address, one, note, &letters[2]);
	d = ady_turn_take(accounts, 2, address, one, note,
	                  &letters[3]); /* another chain: does not wait */
	CHECK_STR(order, "");
	run_a_moment();
	CHECK_STR(order, "ad");
	ady_turn_end(b);
	ady_turn_end(a);
	run_a_moment();
	CHECK_STR(order, "adc");
	ady_turn_end(c);
	ady_turn_end(d);
	a = ady_turn_take(accounts, 1, address, one, note,
	                  &letters[23]); /* its turn is on its way, and not */
	ady_turn_end(a);                 /* wanted any more */
	b = ady_turn_take(accounts, 1, address, one, note, &letters[24]);
	run_a_moment();
	CHECK_STR(order, "adcy");
	ady_turn_end(b);
	ady_loop_close(one);
	ady_accounts_close(accounts);
}

/* --- which node is asked --- */

CASE(nodes_are_picked_in_order_the_well_ones_first)
{
	static const struct ady_config_node configs[4] = {
	    {.chain = 1}, {.chain = 1, .has_ws = true}, {.chain = 2}, {.chain = 1, .has_ws = true}};
	struct ady_node all[4] = {0};
	struct ady_nodes nodes = {.all = all, .n = 4};

	for (size_t i = 0; i < 4; i++)
		all[i].config = &configs[i];
	CHECK_INT(ady_nodes_pick(&nodes, 1, 0, false), 0);
	CHECK_INT(ady_nodes_pick(&nodes, 1, 1, false), 1);
	CHECK_INT(ady_nodes_pick(&nodes, 2, 0, false), 2);
	CHECK(ady_nodes_pick(&nodes, 2, 4, false) == SIZE_MAX);
	CHECK(ady_nodes_pick(&nodes, 3, 0, false) == SIZE_MAX);
	CHECK_INT(ady_nodes_pick(&nodes, 1, 0, true), 1);
	ady_node_mark(&all[0], ADY_NODE_UNWELL, "test");
	CHECK_INT(ady_nodes_pick(&nodes, 1, 0, false), 1);
	CHECK_INT(ady_nodes_pick(&nodes, 1, 2 | 8, false), 0);
	ady_node_mark(&all[1], ADY_NODE_UNWELL, "test");
	ady_node_mark(&all[3], ADY_NODE_UNWELL, "test");
	CHECK_INT(ady_nodes_pick(&nodes, 1, 0, false), 0);
	ady_node_mark(&all[3], ADY_NODE_WELL, NULL);
	CHECK_INT(ady_nodes_pick(&nodes, 1, 0, false), 3);
}

int main(void)
{
	RUN(one_at_a_time_over_threads);
	RUN(in_the_order_of_coming_and_without_those_that_left);
	RUN(nodes_are_picked_in_order_the_well_ones_first);
	return test_end();
}
