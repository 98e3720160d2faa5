/* SPDX-License-Identifier: Apache-2.0
 *
 * The data keys that are kept: found, aged, used up, locked, pushed out; and those who wait for
 * one. */
#include "enclave/data_keys.h"

#include <pthread.h>
#include <time.h>

#include "base/clock.h"
#include "enclave/flights.h"
#include "test.h"

static struct ady_data_keys *d;

static void open_with(uint32_t n, uint32_t idle_s, uint32_t max_s, uint32_t uses)
{
	static struct ady_enclave_config c;

	c = (struct ady_enclave_config){.data_keys = n,
	                                .data_key_idle_s = idle_s,
	                                .data_key_max_s = max_s,
	                                .data_key_uses = uses};
	ady_data_keys_close(d);
	CHECK_ERR(ady_data_keys_open(&d, &c), ADY_OK);
}

static struct ady_data_key_name name_of(const char *tenant, const char *blob)
{
	struct ady_data_key_name name;

	ady_data_key_name(&name, tenant, ady_bytes_str(blob));
	return name;
}

static void put(const char *tenant, const char *blob, uint8_t fill)
{
	struct ady_data_key_name name = name_of(tenant, blob);
	uint8_t key[32];

	memset(key, fill, sizeof key);
	ady_data_keys_put(d, &name, tenant, key, ady_data_keys_epoch(d));
}

/* The first byte of the key, or -1 when it is not there. */
static int get(const char *tenant, const char *blob)
{
	struct ady_data_key_name name = name_of(tenant, blob);
	uint8_t key[32];

	return ady_data_keys_get(d, &name, key) ? key[0] : -1;
}

static void pause_ms(long ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&t, NULL);
}

static struct ady_data_keys_report report(void)
{
	struct ady_data_keys_report r;

	ady_data_keys_report(d, &r);
	return r;
}

CASE(a_name_is_of_tenant_and_ciphertext)
{
	struct ady_data_key_name a = name_of("ab", "c"), b = name_of("a", "bc"),
	                         c = name_of("ab", "c");

	CHECK(memcmp(&a, &b, sizeof a) != 0);
	CHECK(memcmp(&a, &c, sizeof a) == 0);
}

CASE(found_by_tenant_and_ciphertext)
{
	open_with(8, 300, 3600, 0);
	CHECK(ady_data_keys_enabled(d));
	CHECK_INT(get("red", "x"), -1);
	put("red", "x", 1);
	put("blue", "x", 2);
	CHECK_INT(get("red", "x"), 1);
	CHECK_INT(get("blue", "x"), 2);
	CHECK_INT(get("red", "y"), -1);
	put("red", "x", 9); /* it is there already */
	CHECK_INT(get("red", "x"), 1);
	CHECK_INT(report().held, 2);
	CHECK_INT(report().hits, 3);
	CHECK_INT(report().misses, 2);
}

CASE(nothing_is_kept_without_a_lifetime)
{
	open_with(8, 0, 3600, 0);
	CHECK(!ady_data_keys_enabled(d));
	put("red", "x", 1);
	CHECK_INT(get("red", "x"), -1);
	open_with(8, 300, 0, 0);
	CHECK(!ady_data_keys_enabled(d));
	put("red", "x", 1);
	CHECK_INT(get("red", "x"), -1);
}

CASE(idle_ones_and_old_ones_end)
{
	open_with(8, 3, 6, 0);
	put("red", "x", 1);
	put("red", "y", 2);
	for (int i = 0; i < 3; i++) {
		pause_ms(1350);
		CHECK_INT(get("red", "x"), 1);
	}
	CHECK_INT(get("red", "y"), -1); /* not used for 4.05 s */
	pause_ms(2400);
	CHECK_INT(get("red", "x"), -1); /* used all the time, but 6.45 s old */
	CHECK_INT(report().expired, 2);
	put("red", "z", 3);
	pause_ms(3050);
	CHECK_INT(report().held, 1);
	ady_data_keys_sweep(d);
	CHECK_INT(report().held, 0);
	CHECK_INT(report().expired, 3);
}

/* The signature for which KMS opened it counts. */
CASE(uses_are_counted)
{
	open_with(8, 300, 3600, 3);
	put("red", "x", 1);
	CHECK_INT(get("red", "x"), 1);
	CHECK_INT(get("red", "x"), 1);
	CHECK_INT(get("red", "x"), -1);
	put("red", "x", 1);
	CHECK_INT(get("red", "x"), 1);
}

CASE(a_lock_empties_at_once)
{
	struct ady_data_key_name late = name_of("red", "late");
	uint8_t key[32] = {9};
	uint64_t epoch;

	open_with(8, 300, 3600, 0);
	put("red", "x", 1);
	put("red", "y", 2);
	put("blue", "x", 3);
	epoch = ady_data_keys_epoch(d);
	CHECK_INT(ady_data_keys_lock(d, "red"), 2);
	CHECK_INT(get("red", "x"), -1);
	CHECK_INT(get("blue", "x"), 3);
	/* KMS was asked before the lock, and answers behind it */
	ady_data_keys_put(d, &late, "red", key, epoch);
	CHECK_INT(get("red", "late"), -1);
	CHECK_INT(ady_data_keys_lock(d, "gree"), 0);
	CHECK_INT(ady_data_keys_lock(d, NULL), 1);
	CHECK_INT(get("blue", "x"), -1);
	CHECK_INT(report().locked, 3);
	CHECK_INT(report().held, 0);
}

/* With all places taken the one unused for longest gives way, however many came before. */
CASE(the_least_used_gives_way)
{
	char blob[16];

	open_with(4, 300, 3600, 0);
	for (int i = 0; i < 100; i++) {
		snprintf(blob, sizeof blob, "b%d", i);
		put("red", blob, (uint8_t)i);
		pause_ms(2);
		if (i > 0)
			CHECK_INT(get("red", "b0"), 0);
		pause_ms(2);
	}
	CHECK_INT(report().held, 4);
	CHECK_INT(get("red", "b99"), 99);
	CHECK_INT(get("red", "b98"), 98);
	CHECK_INT(get("red", "b97"), 97);
	CHECK_INT(get("red", "b96"), -1);
}

static void *hammer(void *arg)
{
	const char *tenant = arg;
	char blob[16];

	for (int i = 0; i < 20000; i++) {
		snprintf(blob, sizeof blob, "b%d", i % 11);
		put(tenant, blob, (uint8_t)(tenant[0] + i % 11));
		if (i % 97 == 0)
			(void)ady_data_keys_lock(d, tenant);
		int got = get(tenant, blob);

		if (got != -1 && got != tenant[0] + i % 11)
			return arg;
	}
	return NULL;
}

CASE(many_threads)
{
	pthread_t t[3];
	void *bad;
	static char tenants[3][2] = {"a", "b", "c"};

	open_with(8, 300, 3600, 0);
	for (int i = 0; i < 3; i++)
		CHECK(pthread_create(&t[i], NULL, hammer, tenants[i]) == 0);
	for (int i = 0; i < 3; i++) {
		pthread_join(t[i], &bad);
		CHECK(bad == NULL);
	}
	CHECK(report().held <= 8);
}

static struct ady_job jobs[6];

static struct ady_job *job(int i, const char *blob, int64_t left_ms)
{
	jobs[i] = (struct ady_job){.deadline_ms = ady_mono_ms() + left_ms};
	jobs[i].flight.name = name_of("red", blob);
	return &jobs[i];
}

CASE(the_first_leads_and_the_others_wait_in_order)
{
	struct ady_flights *fl;

	CHECK_ERR(ady_flights_open(&fl), ADY_OK);
	CHECK(ady_flights_join(fl, job(0, "x", 10000)));
	CHECK(!ady_flights_join(fl, job(1, "x", 10000)));
	CHECK(ady_flights_join(fl, job(2, "y", 10000)));
	CHECK(!ady_flights_join(fl, job(3, "x", 10000)));
	CHECK(!ady_flights_join(fl, job(4, "y", 10000)));
	CHECK_INT(ady_flights_waiting(fl), 3);
	CHECK(ady_flights_next(fl, &jobs[0]) == &jobs[1]);
	CHECK(!ady_flights_join(fl, job(5, "x", 10000)));
	CHECK(ady_flights_next(fl, &jobs[1]) == &jobs[3]);
	CHECK(ady_flights_next(fl, &jobs[3]) == &jobs[5]);
	CHECK(ady_flights_next(fl, &jobs[5]) == NULL);
	CHECK(ady_flights_join(fl, job(0, "x", 10000)));
	CHECK(ady_flights_next(fl, &jobs[2]) == &jobs[4]);
	CHECK(ady_flights_next(fl, &jobs[4]) == NULL);
	CHECK(ady_flights_next(fl, &jobs[0]) == NULL);
	CHECK_INT(ady_flights_waiting(fl), 0);
	ady_flights_close(fl);
}

CASE(those_whose_time_is_over_are_taken_out)
{
	struct ady_flights *fl;
	struct ady_job *over;

	CHECK_ERR(ady_flights_open(&fl), ADY_OK);
	CHECK(ady_flights_join(fl, job(0, "x", 0))); /* a leader is not waiting */
	CHECK(!ady_flights_join(fl, job(1, "x", 0)));
	CHECK(!ady_flights_join(fl, job(2, "x", 10000)));
	CHECK(!ady_flights_join(fl, job(3, "x", 0)));
	over = ady_flights_expired(fl);
	CHECK(over == &jobs[1] && over->next == &jobs[3] && !over->next->next);
	CHECK_INT(ady_flights_waiting(fl), 1);
	CHECK(!ady_flights_join(fl, job(4, "x", 10000)));
	CHECK(ady_flights_next(fl, &jobs[0]) == &jobs[2]);
	CHECK(ady_flights_next(fl, &jobs[2]) == &jobs[4]);
	CHECK(ady_flights_next(fl, &jobs[4]) == NULL);
	CHECK(ady_flights_expired(fl) == NULL);
	ady_flights_close(fl);
}

int main(void)
{
	RUN(a_name_is_of_tenant_and_ciphertext);
	RUN(found_by_tenant_and_ciphertext);
	RUN(nothing_is_kept_without_a_lifetime);
	RUN(idle_ones_and_old_ones_end);
	RUN(uses_are_counted);
	RUN(a_lock_empties_at_once);
	RUN(the_least_used_gives_way);
	RUN(many_threads);
	RUN(the_first_leads_and_the_others_wait_in_order);
	RUN(those_whose_time_is_over_are_taken_out);
	ady_data_keys_close(d);
	return test_end();
}
