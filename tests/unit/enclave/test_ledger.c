/* SPDX-License-Identifier: Apache-2.0
 *
 * What an enclave remembers of rows, and whose turn it is. */
#include "enclave/ledger.h"

#include <stdio.h>

#include "failing.h"
#include "test.h"

enum { ROOM = 1 << 20 };

static struct ady_job jobs[4];
static struct ady_ledger *l;

static void named(size_t i, uint8_t name)
{
	jobs[i].has_turn = false;
	memset(jobs[i].sign.charging.name, name, ADY_TALLY_NAME);
}

/* A row of a version; the rest of it is not looked at here. */
static struct ady_bytes row(uint8_t version, uint8_t content)
{
	static uint8_t space[2][64];
	uint8_t *p = space[version & 1];

	memset(p, content, 64);
	memset(p + 16, 0, 8);
	p[23] = version;
	return ady_bytes(p, 64);
}

static void of_tenant(size_t i, const char *tenant)
{
	snprintf(jobs[i].sign.record.tenant, sizeof jobs[i].sign.record.tenant, "%s", tenant);
}

static const uint8_t *name_of(size_t i)
{
	return jobs[i].sign.charging.name;
}

CASE(jobs_of_one_key_follow_each_other)
{
	CHECK_ERR(ady_ledger_open(&l, 8, ROOM), ADY_OK);
	for (size_t i = 0; i < 4; i++)
		named(i, i == 3 ? 2 : 1);
	CHECK_ERR(ady_ledger_enter(l, &jobs[0]), ADY_OK);
	CHECK_ERR(ady_ledger_enter(l, &jobs[1]), ADY_E_AGAIN);
	CHECK_ERR(ady_ledger_enter(l, &jobs[2]), ADY_E_AGAIN);
	CHECK_ERR(ady_ledger_enter(l, &jobs[3]), ADY_OK); /* another key */
	CHECK(jobs[0].has_turn && !jobs[1].has_turn && !jobs[2].has_turn && jobs[3].has_turn);
	CHECK(ady_ledger_leave(l, &jobs[0]) == &jobs[1]);
	CHECK(jobs[1].has_turn);
	CHECK(ady_ledger_leave(l, &jobs[1]) == &jobs[2]);
	CHECK(ady_ledger_leave(l, &jobs[2]) == NULL);
	CHECK(ady_ledger_leave(l, &jobs[3]) == NULL);
	ady_ledger_close(l);
}

CASE(the_newest_row_is_remembered)
{
	struct ady_bytes known;
	bool born;

	CHECK_ERR(ady_ledger_open(&l, 8, ROOM), ADY_OK);
	named(0, 1);
	CHECK_ERR(ady_ledger_enter(l, &jobs[0]), ADY_OK);
	CHECK_INT(ady_ledger_row(l, name_of(0), &born).n, 0);
	CHECK(!born);
	CHECK_ERR(ady_ledger_learn(l, name_of(0), row(5, 1)), ADY_OK);
	CHECK_ERR(ady_ledger_learn(l, name_of(0), row(4, 2)), ADY_OK); /* older: not taken */
	known = ady_ledger_row(l, name_of(0), &born);
	CHECK_INT(ady_tally_version(known), 5);
	CHECK_ERR(ady_ledger_learn(l, name_of(0), row(6, 3)), ADY_OK);
	CHECK_INT(ady_tally_version(ady_ledger_row(l, name_of(0), &born)), 6);
	CHECK(ady_ledger_leave(l, &jobs[0]) == NULL);
	named(1, 1); /* it outlives the turn */
	CHECK_ERR(ady_ledger_enter(l, &jobs[1]), ADY_OK);
	CHECK_INT(ady_tally_version(ady_ledger_row(l, name_of(1), &born)), 6);
	CHECK(!born);
	CHECK(ady_ledger_leave(l, &jobs[1]) == NULL);
	ady_ledger_close(l);
}

CASE(a_key_is_born_once)
{
	bool born;

	CHECK_ERR(ady_ledger_open(&l, 8, ROOM), ADY_OK);
	named(0, 1);
	CHECK_ERR(ady_ledger_room(l, &jobs[0], 64), ADY_OK);
	CHECK_ERR(ady_ledger_born(l, name_of(0), row(1, 1)), ADY_OK);
	CHECK_ERR(ady_ledger_born(l, name_of(0), row(1, 1)), ADY_E_EXISTS);
	ady_ledger_drop(l, name_of(0)); /* what was seen stays */
	CHECK_ERR(ady_ledger_enter(l, &jobs[0]), ADY_OK);
	CHECK_INT(ady_tally_version(ady_ledger_row(l, name_of(0), &born)), 1);
	CHECK(born);
	CHECK_ERR(ady_ledger_learn(l, name_of(0), row(2, 1)), ADY_OK);
	CHECK_INT(ady_tally_version(ady_ledger_row(l, name_of(0), &born)), 2);
	CHECK(born);
	CHECK(ady_ledger_leave(l, &jobs[0]) == NULL);
	ady_ledger_close(l);
}

/* What nothing authentic was seen of takes no place for good; what was is never forgotten. */
CASE(there_are_so_many_places)
{
	CHECK_ERR(ady_ledger_open(&l, 2, ROOM), ADY_OK);
	for (uint8_t i = 0; i < 3; i++) {
		named(i, i);
		of_tenant(i, (const char *[]){"a", "b", "c"}[i]);
	}
	CHECK_ERR(ady_ledger_enter(l, &jobs[0]), ADY_OK);
	CHECK_ERR(ady_ledger_enter(l, &jobs[1]), ADY_OK);
	CHECK_ERR(ady_ledger_enter(l, &jobs[2]), ADY_E_BUSY);
	CHECK(!jobs[2].has_turn);
	CHECK(ady_ledger_leave(l, &jobs[0]) == NULL);
	CHECK_ERR(ady_ledger_enter(l, &jobs[2]), ADY_OK);
	CHECK_ERR(ady_ledger_learn(l, name_of(2), row(1, 1)), ADY_OK);
	CHECK_ERR(ady_ledger_learn(l, name_of(1), row(1, 1)), ADY_OK);
	CHECK(ady_ledger_leave(l, &jobs[1]) == NULL && ady_ledger_leave(l, &jobs[2]) == NULL);
	CHECK_ERR(ady_ledger_enter(l, &jobs[0]), ADY_E_BUSY);
	CHECK_ERR(ady_ledger_room(l, &jobs[0], 64), ADY_E_BUSY);
	ady_ledger_close(l);
	ady_ledger_close(NULL);
}

/* Use keys of a tenant from a number on, each with a row of n bytes, until there is no room; how
 * many had it. */
static unsigned flood(const char *tenant, unsigned from, uint8_t *rows, size_t n)
{
	struct ady_job *job = &jobs[0];
	unsigned keys = from;

	of_tenant(0, tenant);
	for (;; keys++) {
		bool born;

		named(0, (uint8_t)tenant[0]);
		memcpy(job->sign.charging.name, &keys, sizeof keys);
		if (ady_ledger_enter(l, job) != ADY_OK)
			return keys - from;
		if (ady_ledger_room(l, job, n) == ADY_OK)
			CHECK_ERR(ady_ledger_learn(l, name_of(0), ady_bytes(rows, n)), ADY_OK);
		n = ady_ledger_row(l, name_of(0), &born).n; /* 0: it had no room */
		CHECK(ady_ledger_leave(l, job) == NULL);
		if (n == 0)
			return keys - from;
	}
}

CASE(a_tenant_has_its_share_and_keeps_what_it_has)
{
	static uint8_t rows[ADY_TALLY_ROW_MAX];
	unsigned a, b;

	rows[23] = 1;
	CHECK_ERR(ady_ledger_open(&l, 100000, ROOM), ADY_OK);
	a = flood("a", 0, rows, ADY_TALLY_ROW_MAX);
	CHECK(a >= 55 && a <= 65); /* three quarters of 85 */
	b = flood("b", 0, rows, ADY_TALLY_ROW_MAX);
	CHECK(b >= 10 && b <= 17);
	CHECK_INT(flood("a", a, rows, 64), 0);
	for (unsigned i = 0; i < a; i++) {
		bool born;

		of_tenant(0, "a");
		named(0, 'a');
		memcpy(jobs[0].sign.charging.name, &i, sizeof i);
		CHECK_ERR(ady_ledger_enter(l, &jobs[0]), ADY_OK);
		CHECK_INT(ady_ledger_row(l, name_of(0), &born).n, ADY_TALLY_ROW_MAX);
		rows[23] = 2; /* and may be counted on: the room is there */
		CHECK_ERR(ady_ledger_room(l, &jobs[0], ADY_TALLY_ROW_MAX), ADY_OK);
		CHECK_ERR(ady_ledger_learn(l, name_of(0), ady_bytes(rows, sizeof rows)), ADY_OK);
		CHECK(ady_ledger_leave(l, &jobs[0]) == NULL);
	}
	ady_ledger_close(l);
}

CASE(small_rows_take_little)
{
	static uint8_t rows[1024];

	rows[23] = 1;
	CHECK_ERR(ady_ledger_open(&l, 100000, ROOM), ADY_OK);
	CHECK(flood("a", 0, rows, 1024) > 600);
	ady_ledger_close(l);
}

CASE(room_that_was_not_used_is_given_back)
{
	CHECK_ERR(ady_ledger_open(&l, 1, ROOM), ADY_OK);
	named(0, 1);
	named(1, 2);
	of_tenant(0, "a");
	of_tenant(1, "b");
	CHECK_ERR(ady_ledger_room(l, &jobs[0], 64), ADY_OK);
	CHECK_ERR(ady_ledger_room(l, &jobs[1], 64), ADY_E_BUSY);
	ady_ledger_drop(l, name_of(1)); /* is not there */
	ady_ledger_drop(l, name_of(0));
	CHECK_ERR(ady_ledger_room(l, &jobs[1], 64), ADY_OK);
	CHECK_ERR(ady_ledger_enter(l, &jobs[1]), ADY_OK);
	ady_ledger_drop(l, name_of(1)); /* has its turn: stays until that ends */
	CHECK_ERR(ady_ledger_enter(l, &jobs[0]), ADY_E_BUSY);
	CHECK(ady_ledger_leave(l, &jobs[1]) == NULL);
	CHECK_ERR(ady_ledger_enter(l, &jobs[0]), ADY_OK);
	CHECK(ady_ledger_leave(l, &jobs[0]) == NULL);
	ady_ledger_close(l);
}

/* Of an entry and its row: each may fail, and takes nothing then. */
CASE(what_has_no_memory_is_refused)
{
	CHECK_ERR(ady_ledger_open(&l, 1, ROOM), ADY_OK);
	named(0, 1);
	of_tenant(0, "a");
	test_fail_at(1);
	CHECK_ERR(ady_ledger_enter(l, &jobs[0]), ADY_E_MEMORY);
	CHECK(test_fail_end() && !jobs[0].has_turn);
	test_fail_at(1);
	CHECK_ERR(ady_ledger_room(l, &jobs[0], 64), ADY_E_MEMORY);
	CHECK(test_fail_end());
	named(1, 2);
	of_tenant(1, "b");
	CHECK_ERR(ady_ledger_enter(l, &jobs[1]), ADY_OK); /* the only place is free */
	test_fail_at(1);
	CHECK_ERR(ady_ledger_learn(l, name_of(1), row(1, 1)), ADY_E_MEMORY);
	CHECK(test_fail_end());
	CHECK(ady_ledger_leave(l, &jobs[1]) == NULL);
	ady_ledger_close(l);
	for (unsigned n = 1; n <= 2; n++) {
		test_fail_at(n);
		CHECK_ERR(ady_ledger_open(&l, 1, ROOM), ADY_E_MEMORY);
		CHECK(test_fail_end() && !l);
	}
}

CASE(what_was_born_here_is_known_whosever_turn_it_is)
{
	CHECK_ERR(ady_ledger_open(&l, 8, ROOM), ADY_OK);
	named(0, 1);
	named(1, 2);
	of_tenant(0, "a");
	of_tenant(1, "a");
	CHECK(!ady_ledger_is_born(l, name_of(0)));
	CHECK_ERR(ady_ledger_room(l, &jobs[0], 64), ADY_OK);
	CHECK(!ady_ledger_is_born(l, name_of(0)));
	CHECK_ERR(ady_ledger_born(l, name_of(0), row(1, 7)), ADY_OK);
	CHECK(ady_ledger_is_born(l, name_of(0)));
	CHECK_ERR(ady_ledger_room(l, &jobs[1], 64), ADY_OK);
	CHECK_ERR(ady_ledger_learn(l, name_of(1), row(1, 7)), ADY_OK);
	CHECK(!ady_ledger_is_born(l, name_of(1)));
	ady_ledger_close(l);
}

/* Two at once bring in one key, and the one that loses is told first. */
CASE(a_key_that_is_made_twice_at_once_is_made_once)
{
	CHECK_ERR(ady_ledger_open(&l, 8, ROOM), ADY_OK);
	for (size_t i = 0; i < 3; i++)
		named(i, 1);
	CHECK_ERR(ady_ledger_room(l, &jobs[0], 64), ADY_OK);
	CHECK_ERR(ady_ledger_room(l, &jobs[1], 64), ADY_OK);
	ady_ledger_drop(l, name_of(1));
	CHECK_ERR(ady_ledger_enter(l, &jobs[2]), ADY_OK); /* nor does a turn take it away */
	CHECK(ady_ledger_leave(l, &jobs[2]) == NULL);
	CHECK_ERR(ady_ledger_born(l, name_of(0), row(1, 1)), ADY_OK);
	ady_ledger_close(l);
}

/* Whose turn it is looks at the row meanwhile. */
CASE(who_makes_a_key_again_moves_no_row)
{
	struct ady_bytes seen;
	bool born;

	CHECK_ERR(ady_ledger_open(&l, 8, ROOM), ADY_OK);
	named(0, 1);
	named(1, 1);
	CHECK_ERR(ady_ledger_enter(l, &jobs[0]), ADY_OK);
	CHECK_ERR(ady_ledger_learn(l, name_of(0), row(1, 7)), ADY_OK);
	seen = ady_ledger_row(l, name_of(0), &born);
	CHECK_ERR(ady_ledger_room(l, &jobs[1], ADY_TALLY_ROW_MAX), ADY_E_EXISTS);
	CHECK(ady_ledger_row(l, name_of(0), &born).p == seen.p);
	CHECK(ady_ledger_leave(l, &jobs[0]) == NULL);
	ady_ledger_close(l);
}

int main(void)
{
	RUN(a_key_that_is_made_twice_at_once_is_made_once);
	RUN(who_makes_a_key_again_moves_no_row);
	RUN(what_was_born_here_is_known_whosever_turn_it_is);
	RUN(jobs_of_one_key_follow_each_other);
	RUN(the_newest_row_is_remembered);
	RUN(a_key_is_born_once);
	RUN(there_are_so_many_places);
	RUN(a_tenant_has_its_share_and_keeps_what_it_has);
	RUN(small_rows_take_little);
	RUN(room_that_was_not_used_is_given_back);
	RUN(what_has_no_memory_is_refused);
	return test_end();
}
