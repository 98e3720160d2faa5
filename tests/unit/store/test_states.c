/* SPDX-License-Identifier: Apache-2.0 */
#include "store/states.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "test.h"

static char path[64], place[200];

static struct ady_state_write op(uint8_t key, uint64_t version, uint8_t content)
{
	struct ady_state_write w = {.public_key = {key}, .version = version};

	w.row.n = content ? 184 : 0;
	memset(w.row.bytes, content, w.row.n);
	return w;
}

static void run(struct ady_states_store *s, struct ady_state_write *w, size_t n)
{
	struct ady_state_write *list[4];
	struct ady_fault f;

	for (size_t i = 0; i < n; i++)
		list[i] = &w[i];
	CHECK_ERR(ady_states_store_write(s, list, n, &f), ADY_OK);
}

static void open_it(struct ady_states_store **s)
{
	struct ady_fault f = {0};

	if (!CHECK_ERR(ady_states_store_open(s, place, &f), ADY_OK)) {
		printf("  %s\n", f.detail);
		exit(1);
	}
}

static void count(void *ctx, const uint8_t public_key[static ADY_STATE_KEY],
                  const struct ady_state_row *row)
{
	int *n = ctx;

	CHECK_INT(public_key[0], *n + 1);
	CHECK_INT(row->n, 184);
	(*n)++;
}

static void writes_are_conditional(void)
{
	struct ady_state_write w[4];
	struct ady_states_store *s;
	struct ady_fault f;
	int n = 0;

	open_it(&s);
	w[0] = op(1, 0, 0); /* a read of what is not there */
	w[1] = op(1, 5, 7); /* a write over what is not there */
	w[2] = op(1, 0, 1);
	w[3] = op(2, 0, 2);
	run(s, w, 4);
	CHECK(!w[0].written && w[0].row.n == 0);
	CHECK(!w[1].written && w[1].row.n == 0);
	CHECK(w[2].written && w[3].written);
	w[0] = op(1, 0, 9); /* it is there already */
	w[1] = op(1, 1, 3);
	w[2] = op(1, 1, 4); /* the version has just gone by */
	w[3] = op(1, 0, 0);
	run(s, w, 4);
	CHECK(!w[0].written && w[0].row.bytes[0] == 1);
	CHECK(w[1].written);
	CHECK(!w[2].written && w[2].row.n == 184 && w[2].row.bytes[0] == 3);
	CHECK(w[3].row.bytes[0] == 3);
	CHECK_ERR(ady_states_store_list(s, count, &n, &f), ADY_OK);
	CHECK_INT(n, 2);
	ady_states_store_close(s);
}

static struct ady_dyn large[2];

/* A write of counters: their name, and a row that is larger than a validator's. */
static struct ady_state_write counters(size_t i, uint64_t version, uint8_t content)
{
	struct ady_state_write w = {
	    .public_key = {9}, .key_n = 32, .version = version, .large = &large[i]};

	large[i].n = 0;
	if (content) {
		memset(ady_dyn_room(&large[i], 5000), content, 5000);
		large[i].n = 5000;
	}
	return w;
}

/* Alone, or behind another in one transaction. */
static void counters_beside_states(bool alone)
{
	struct ady_state_write w[2];
	struct ady_states_store *s;
	uint64_t version = alone ? 0 : 2;
	size_t n = alone ? 1 : 2;
	struct ady_fault f;
	int listed = 0;

	open_it(&s);
	w[0] = counters(0, version, 1);
	w[1] = op(9, 77, 0); /* a validator's key that begins alike is another */
	run(s, w, n);
	CHECK(w[0].written);
	w[0] = counters(0, version, 2); /* another was faster */
	run(s, w, n);
	CHECK(!w[0].written && large[0].n == 5000 && large[0].p[4999] == 1);
	w[0] = counters(0, version + 1, 3);
	run(s, w, n);
	CHECK(w[0].written);
	w[0] = counters(0, 0, 0);
	run(s, w, n);
	CHECK(!w[0].written && large[0].n == 5000 && large[0].p[0] == 3);
	w[0] = counters(0, version + 3, 4); /* a version that is to come */
	run(s, w, n);
	CHECK(!w[0].written && large[0].p[0] == 3);
	w[0] = counters(0, 0, 0);
	w[0].public_key[31] = 1; /* there is none */
	run(s, w, n);
	CHECK(!w[0].written && large[0].n == 0);
	CHECK_ERR(ady_states_store_list(s, count, &listed, &f), ADY_OK);
	if (strcmp(place, "memory") != 0)
		CHECK_INT(listed, 2); /* validators alone */
	ady_states_store_close(s);
}

CASE(in_memory)
{
	snprintf(place, sizeof place, "memory");
	writes_are_conditional();
	counters_beside_states(true);
}

CASE(in_a_file_of_sqlite)
{
	struct ady_state_write w = op(1, 0, 0);
	struct ady_states_store *s;

	snprintf(place, sizeof place, "sqlite:%s", path);
	writes_are_conditional();
	counters_beside_states(true);
	counters_beside_states(false);
	open_it(&s); /* what was written is there when it is opened again */
	run(s, &w, 1);
	CHECK(w.row.n == 184 && w.row.bytes[0] == 3);
	ady_states_store_close(s);
}

/* Two processes of one machine may share the file: as two handles do. */
CASE(two_handles_see_each_other)
{
	struct ady_state_write a, b;
	struct ady_states_store *one, *two;

	open_it(&one);
	open_it(&two);
	a = op(7, 0, 1);
	b = op(7, 0, 2);
	run(one, &a, 1);
	run(two, &b, 1);
	CHECK(a.written && !b.written && b.row.bytes[0] == 1);
	a = op(7, 1, 3);
	b = op(7, 1, 4);
	run(two, &b, 1);
	run(one, &a, 1);
	CHECK(b.written && !a.written && a.row.bytes[0] == 4);
	ady_states_store_close(one);
	ady_states_store_close(two);
}

static char folder[] = "/tmp/ady-pgs-XXXXXX", conninfo[160];

/* tests/lib/postgres.sh, whose output goes to conninfo when it starts a server. */
static int server(const char *what, const char *mode)
{
	char command[160];
	size_t n = 0;
	FILE *p;

	snprintf(command, sizeof command, "exec tests/lib/postgres.sh %s %s %s", what, folder,
	         mode);
	p = popen(command, "r"); /* NOLINT(cert-env33-c): a test starts its server */
	if (!p)
		return -1;
	if (strcmp(what, "start") == 0) {
		n = fread(conninfo, 1, sizeof conninfo - 1, p);
		conninfo[n > 0 && conninfo[n - 1] == '\n' ? n - 1 : n] = '\0';
		snprintf(place, sizeof place, "postgres:%s", conninfo);
	}
	return pclose(p) >> 8;
}

CASE(in_postgresql)
{
	struct ady_state_write w = op(1, 0, 0), *list[] = {&w};
	struct ady_states_store *s;
	struct ady_fault f;

	writes_are_conditional();
	counters_beside_states(true);
	counters_beside_states(false);
	two_handles_see_each_other();
	open_it(&s);
	CHECK_INT(server("stop", "immediate"), 0); /* as a crash does */
	CHECK_ERR(ady_states_store_write(s, list, 1, &f), ADY_E_STORE);
	CHECK_INT(server("start", ""), 0);
	run(s, &w, 1);
	CHECK(w.row.n == 184 && w.row.bytes[0] == 3);
	ady_states_store_close(s);
}

/* Two gateways, the same keys in opposite orders, at the same time: no deadlock, one winner each.
 */
static void *contend(void *arg)
{
	struct ady_state_write w[64], *list[64];
	struct ady_states_store *s;
	struct ady_fault f;
	size_t *won = arg;

	open_it(&s);
	for (uint64_t version = 0; version < 20; version++) {
		for (uint8_t i = 0; i < 64; i++) {
			w[i] = op((uint8_t)(*won % 2 ? 100 + i : 163 - i), version, 5);
			list[i] = &w[i];
		}
		CHECK_ERR(ady_states_store_write(s, list, 64, &f), ADY_OK);
		for (size_t i = 0; i < 64; i++)
			*won += w[i].written ? 2 : 0;
	}
	ady_states_store_close(s);
	return NULL;
}

CASE(two_gateways_in_postgresql)
{
	size_t won[2] = {0, 1};
	struct ady_state_write first[64], *list[64];
	struct ady_states_store *s;
	struct ady_fault f;
	pthread_t t[2];

	open_it(&s);
	for (uint8_t i = 0; i < 64; i++) {
		first[i] = op((uint8_t)(100 + i), 0, 5);
		list[i] = &first[i];
	}
	CHECK_ERR(ady_states_store_write(s, list, 64, &f), ADY_OK);
	ady_states_store_close(s);
	for (int i = 0; i < 2; i++)
		CHECK_INT(pthread_create(&t[i], NULL, contend, &won[i]), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	CHECK_INT(won[0] / 2 + won[1] / 2, 19 * 64); /* version 0 is gone, each other is won once */
}

CASE(without_postgresql)
{
	test_skip("PostgreSQL is not installed; left out: states in it");
}

static void postgresql(void)
{
	char command[64];

	if (!mkdtemp(folder))
		return;
	if (server("start", "") == 77) {
		RUN(without_postgresql);
	} else {
		RUN(in_postgresql);
		RUN(two_gateways_in_postgresql);
		(void)server("stop", "immediate");
	}
	snprintf(command, sizeof command, "rm -rf %s", folder);
	(void)!system(command); /* NOLINT(cert-env33-c) */
}

CASE(places_that_are_refused)
{
	struct ady_states_store *s;
	struct ady_fault f;

	CHECK_ERR(ady_states_store_open(&s, "redis:x", &f), ADY_E_CONFIG);
	CHECK(!s);
	CHECK_ERR(ady_states_store_open(&s, "sqlite:/nowhere/at/all", &f), ADY_E_STORE);
	CHECK(!s);
}

int main(void)
{
	snprintf(path, sizeof path, "/tmp/ady-states-%d.db", (int)getpid());
	RUN(in_memory);
	RUN(in_a_file_of_sqlite);
	RUN(two_handles_see_each_other);
	postgresql();
	RUN(places_that_are_refused);
	unlink(path);
	snprintf(place, sizeof place, "%s-wal", path);
	unlink(place);
	snprintf(place, sizeof place, "%s-shm", path);
	unlink(place);
	ady_dyn_free(&large[0]);
	ady_dyn_free(&large[1]);
	return test_end();
}
