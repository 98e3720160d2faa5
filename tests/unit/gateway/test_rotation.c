/* SPDX-License-Identifier: Apache-2.0
 *
 * The order of a rotation's steps. Its source is included; store and enclave are SIMULATED here:
 * they keep what they are asked until the test answers, so that each may come at any time. */
#include "gateway/enclaves.h"
#include "gateway/rotation_work.h"

#include "base/clock.h"
#include "test.h"

static struct {
	bool room; /* in the enclave */
	struct ady_call *asked[8];
	size_t asked_n, answered_n;
	struct ady_store_job *job; /* with the store */
	int jobs;
} world;

static bool fake_room(const struct ady_enclaves *e)
{
	(void)e;
	return world.room;
}

static enum ady_err fake_ask(struct ady_enclaves *e, struct ady_call *call, uint8_t type,
                             struct ady_bytes body, uint32_t deadline_ms)
{
	(void)e;
	CHECK(type == ADY_WIRE_REWRAP && body.n > 0 && deadline_ms > 0 && world.asked_n < 8);
	world.asked[world.asked_n++] = call;
	return ADY_OK;
}

static enum ady_err fake_run(struct ady_store *store, struct ady_store_job *job)
{
	(void)store;
	world.jobs++;
	world.job = job;
	return ADY_OK;
}

#define ady_enclaves_have_room fake_room
#define ady_enclaves_ask fake_ask
#define ady_store_run fake_run
#include "gateway/rotation.c"

static const struct ady_gateway_config config = {.store = {.rewrap_rate = 1000000}};
static struct ady_gateway gateway = {.config = &config};
static struct ady_shard shard = {.gateway = &gateway};

static void stop_timer(struct ady_timer *timer)
{
	(void)timer;
	ady_loop_stop(shard.loop);
}

static void run_loop_ms(int ms)
{
	struct ady_timer end_timer = {.fn = stop_timer};

	ady_timer_set(shard.loop, &end_timer, ms);
	ady_loop_run(shard.loop);
	ady_timer_cancel(shard.loop, &end_timer);
}

/* The enclave answers the oldest question. */
static void answer_one(void)
{
	struct ady_call *call = world.asked[world.answered_n++];
	uint8_t space[256];
	struct ady_buf b = ady_buf(space, sizeof space);

	ady_wire_put_created(
	    &b, &(struct ady_wire_created){.record = ady_bytes_str("{}"),
	                                   .public_key = ady_bytes((const uint8_t[33]){2}, 33),
	                                   .address = ady_bytes((const uint8_t[20]){1}, 20)});
	call->done(call, ady_buf_bytes(&b), NULL);
}

/* The store has done what it was given. */
static void store_done(void)
{
	struct ady_store_job *job = world.job;

	world.job = NULL;
	job->done(job);
}

/* A rotation that was taken on, and a page of n records that the store has read. */
static struct ady_rotation *open_page(size_t n)
{
	struct ady_rotation_note note = {.tenant = "acme", .data_key = "AAAA"};
	struct ady_rotation *t;

	memset(&world, 0, sizeof world);
	CHECK_ERR(ady_loop_open(&shard.loop), ADY_OK);
	ady_rotation_adopt(&shard, &note);
	t = shard.rotations;
	CHECK(world.jobs == 1 && t->step == ADY_ROTATION_READ);
	for (size_t i = 0; i < n; i++) {
		snprintf(t->items[i].id, sizeof t->items[i].id, "k%zu", i);
		ady_dyn_put(&t->items[i].text, "{}", 2);
	}
	t->n = n;
	return t;
}

static void close_all(void)
{
	ady_rotation_free_all(&shard);
	ady_loop_close(shard.loop);
	CHECK_INT(shard.holds, world.job ? 1 : 0);
	shard.holds = 0;
}

/* The enclave has no room, and the rotation pauses; then an answer comes that finishes the page
 * before the pause is over. The timer must not begin another pass while the page is written. */
CASE(an_answer_that_ends_a_pause_ends_its_timer)
{
	struct ady_rotation *t = open_page(2);

	world.room = true;
	t->n = 1; /* one goes out, then there is no room for the other */
	store_done();
	CHECK_INT(world.asked_n, 1);
	t->n = 2;
	world.room = false;
	ask(t);
	CHECK(t->timer.slot != 0 && t->in_flight == 1);
	world.room = true;
	answer_one();
	CHECK_INT(world.asked_n, 2);
	answer_one();
	CHECK(world.jobs == 2 && t->step == ADY_ROTATION_WRITE);
	run_loop_ms(5 * ROOM_MS);
	CHECK_INT(world.jobs, 2);
	CHECK(t->step == ADY_ROTATION_WRITE && t->items[0].ready && t->items[1].ready);
	store_done(); /* the page is written: the next pass */
	run_loop_ms(5 * ROOM_MS);
	CHECK(world.jobs == 3 && t->step == ADY_ROTATION_READ);
	close_all();
}

/* The pause is over first: the other record is asked for then. */
CASE(a_pause_that_ends_by_itself_goes_on_with_the_page)
{
	struct ady_rotation *t = open_page(2);

	world.room = false;
	store_done();
	CHECK(world.asked_n == 0 && t->timer.slot != 0);
	run_loop_ms(3 * ROOM_MS);
	CHECK_INT(world.asked_n, 0);
	world.room = true;
	run_loop_ms(5 * ROOM_MS);
	CHECK_INT(world.asked_n, 2);
	answer_one();
	CHECK_INT(world.jobs, 1);
	answer_one();
	CHECK(world.jobs == 2 && t->step == ADY_ROTATION_WRITE);
	close_all();
}

int main(void)
{
	RUN(an_answer_that_ends_a_pause_ends_its_timer);
	RUN(a_pause_that_ends_by_itself_goes_on_with_the_page);
	return test_end();
}
