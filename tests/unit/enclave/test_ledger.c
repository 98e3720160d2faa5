/* SPDX-License-Identifier: Apache-2.0
 *
 * What an enclave remembers of rows, and whose turn it is. */
#include "enclave/ledger.h"

#include "test.h"

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

static const uint8_t *name_of(size_t i)
{
	return jobs[i].sign.charging.name;
}

CASE(jobs_of_one_key_follow_each_other)
{
	CHECK_ERR(ady_ledger_open(&l, 8), ADY_OK);
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

	CHECK_ERR(ady_ledger_open(&l, 8), ADY_OK);
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

	CHECK_ERR(ady_ledger_open(&l, 8), ADY_OK);
	named(0, 1);
	CHECK_ERR(ady_ledger_born(l, name_of(0), row(1, 1)), ADY_OK);
	CHECK_ERR(ady_ledger_born(l, name_of(0), row(1, 1)), ADY_E_EXISTS);
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
	CHECK_ERR(ady_ledger_open(&l, 2), ADY_OK);
	for (uint8_t i = 0; i < 3; i++)
		named(i, i);
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
	CHECK_ERR(ady_ledger_born(l, name_of(0), row(1, 1)), ADY_E_BUSY);
	ady_ledger_close(l);
	ady_ledger_close(NULL);
}

int main(void)
{
	RUN(jobs_of_one_key_follow_each_other);
	RUN(the_newest_row_is_remembered);
	RUN(a_key_is_born_once);
	RUN(there_are_so_many_places);
	return test_end();
}
