/* SPDX-License-Identifier: Apache-2.0
 *
 * Histories of validators in requests: what the densest take, and that they follow each other. */
#include "gateway/history.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "test.h"

static const char head[] =
    "{\"metadata\":{\"interchange_format_version\":\"5\",\"genesis_validators_root\":"
    "\"0x0000000000000000000000000000000000000000000000000000000000000000\"},\"data\":[{\"pubkey\":"
    "\"0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aa"
    "aaaa\",\"signed_attestations\":[],\"signed_blocks\":[";

static struct ady_fault fault;

static void blocks(struct ady_dyn *text, size_t n)
{
	ady_dyn_str(text, head);
	for (size_t i = 0; i < n; i++)
		ady_dyn_str(text, i ? ",{\"slot\":\"1\"}" : "{\"slot\":\"1\"}");
	ady_dyn_str(text, "]}]}");
}

CASE(the_densest_history_is_read)
{
	const size_t sizes[] = {0, 1, 10, 100000};

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct ady_dyn text = {0};
		struct ady_history h;

		blocks(&text, sizes[i]);
		CHECK_ERR(ady_history_open(&h, ady_dyn_bytes(&text), &fault), ADY_OK);
		CHECK_INT(h.ix.validators, 1);
		CHECK_INT(h.ix.blocks, sizes[i]);
		ady_history_close(&h);
		ady_history_close(&h); /* harmless */
		ady_dyn_free(&text);
	}
}

/* [1,1,1 .. has a value in two bytes: five times the memory of any history. */
CASE(what_is_denser_is_refused)
{
	struct ady_dyn text = {0};
	struct ady_history h;

	ady_dyn_str(&text, "[1");
	for (size_t i = 0; i < 100000; i++)
		ady_dyn_str(&text, ",1");
	ady_dyn_str(&text, "]");
	CHECK_ERR(ady_history_open(&h, ady_dyn_bytes(&text), &fault), ADY_E_TOO_LARGE);
	ady_history_close(&h);
	ady_dyn_free(&text);
}

CASE(what_is_no_history_is_refused)
{
	struct ady_history h;

	CHECK_ERR(ady_history_open(&h, ady_bytes_str("{"), &fault), ADY_E_JSON);
	ady_history_close(&h);
	CHECK_ERR(ady_history_open(&h, ady_bytes_str("{}"), &fault), ADY_E_FIELD_MISSING);
	CHECK_STR(fault.where, "metadata");
	ady_history_close(&h);
}

static atomic_int inside, most;

static void *read_one(void *arg)
{
	for (int i = 0; i < 200; i++) {
		struct ady_history h;
		int n;

		if (ady_history_open(&h, ady_dyn_bytes(arg), NULL) != ADY_OK)
			return arg;
		n = atomic_fetch_add(&inside, 1) + 1;
		if (n > atomic_load(&most))
			atomic_store(&most, n);
		atomic_fetch_sub(&inside, 1);
		ady_history_close(&h);
	}
	return NULL;
}

CASE(one_is_read_at_a_time)
{
	struct ady_dyn text = {0};
	pthread_t threads[4];
	void *failed;

	blocks(&text, 100);
	for (size_t i = 0; i < 4; i++)
		CHECK_INT(pthread_create(&threads[i], NULL, read_one, &text), 0);
	for (size_t i = 0; i < 4; i++) {
		CHECK_INT(pthread_join(threads[i], &failed), 0);
		CHECK(!failed);
	}
	CHECK_INT(atomic_load(&most), 1);
	ady_dyn_free(&text);
}

int main(void)
{
	RUN(the_densest_history_is_read);
	RUN(what_is_denser_is_refused);
	RUN(what_is_no_history_is_refused);
	RUN(one_is_read_at_a_time);
	return test_end();
}
