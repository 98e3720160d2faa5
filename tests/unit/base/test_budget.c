/* SPDX-License-Identifier: Apache-2.0 */
#include "base/budget.h"

#include <stdio.h>

#include "test.h"

static struct ady_budget budget = {.lock = PTHREAD_MUTEX_INITIALIZER};
static struct ady_shares shares;

/* Take units of n until no more are given; how many were. */
static unsigned take_all(struct ady_share *s, uint64_t n)
{
	unsigned i = 0;

	while (ady_budget_take(&budget, s, n))
		i++;
	return i;
}

static void give_all(struct ady_share *s)
{
	ady_budget_give(&budget, s, s->held);
}

CASE(one_that_takes_all_it_can_leaves_a_quarter)
{
	struct ady_share a = {0}, b = {0}, c = {0};

	ady_budget_set(&budget, 1000);
	CHECK_INT(take_all(&a, 1), 750);
	CHECK_INT(take_all(&b, 1), 187);
	CHECK_INT(take_all(&c, 1), 47);
	CHECK_INT(budget.used, 750 + 187 + 47);
	give_all(&a);
	CHECK_INT(a.held, 0);
	CHECK_INT(budget.used, 187 + 47);
	CHECK(take_all(&b, 1) > 0); /* what is given back is there for others */
	give_all(&b);
	give_all(&c);
	CHECK_INT(budget.used, 0);
}

/* Two that always want more come to have the same, whoever was first. */
CASE(two_that_take_all_they_can_have_the_same_in_the_end)
{
	struct ady_share a = {0}, b = {0};

	ady_budget_set(&budget, 7000);
	take_all(&a, 1);
	for (int i = 0; i < 20000; i++) {
		ady_budget_give(&budget, i & 1 ? &a : &b, (i & 1 ? a.held : b.held) > 0);
		(void)ady_budget_take(&budget, &b, 1);
		(void)ady_budget_take(&budget, &a, 1);
	}
	CHECK(a.held >= 2990 && a.held <= 3010);
	CHECK(b.held >= 2990 && b.held <= 3010);
	give_all(&a);
	give_all(&b);
}

CASE(the_first_is_given_if_it_is_free)
{
	struct ady_share a = {0}, b = {0};

	ady_budget_set(&budget, 100);
	CHECK(!ady_budget_take(&budget, &a, 101));
	CHECK(ady_budget_take(&budget, &a, 100)); /* more than a share, but he has nothing */
	CHECK(!ady_budget_take(&budget, &a, 1));
	CHECK(!ady_budget_take(&budget, &b, 1));
	CHECK(ady_budget_take(&budget, &b, 0));
	CHECK_INT(b.held, 0);
	give_all(&a);
	CHECK(ady_budget_take(&budget, &b, 30));
	CHECK(!ady_budget_take(&budget, &a, 71));
	CHECK(ady_budget_take(&budget, &a, 70));
	give_all(&a);
	give_all(&b);
}

CASE(it_is_tight_when_more_than_half_is_taken)
{
	struct ady_share a = {0};

	ady_budget_set(&budget, 100);
	CHECK(ady_budget_take(&budget, &a, 50) && !ady_budget_is_tight(&budget));
	CHECK(ady_budget_take(&budget, &a, 1) && ady_budget_is_tight(&budget));
	give_all(&a);
	CHECK(!ady_budget_is_tight(&budget));
}

CASE(nothing_is_taken_that_no_counter_can_hold)
{
	struct ady_share a = {0};

	ady_budget_set(&budget, 100);
	CHECK(ady_budget_take(&budget, &a, 1));
	CHECK(!ady_budget_take(&budget, &a, UINT64_MAX));
	CHECK(!ady_budget_take(&budget, &a, UINT64_MAX - 1));
	CHECK_INT(budget.used, 1);
	give_all(&a);
}

CASE(a_name_has_one_share_and_names_have_others)
{
	unsigned same = 0;
	char a[16], b[16];

	CHECK(ady_share_of(&shares, "team-a") == ady_share_of(&shares, "team-a"));
	CHECK(ady_share_of(&shares, "team-a") != ady_share_of(&shares, "team-b"));
	CHECK(ady_share_of(&shares, "") >= shares.of);
	for (int i = 0; i < 64; i++)
		for (int j = 0; j < i; j++) {
			snprintf(a, sizeof a, "tenant-%d", i);
			snprintf(b, sizeof b, "tenant-%d", j);
			same += ady_share_of(&shares, a) == ady_share_of(&shares, b);
		}
	CHECK(same <= 3); /* of 2,016 pairs; half of one is to be expected */
}

static void *take_and_give(void *arg)
{
	for (int i = 0; i < 20000; i++)
		if (ady_budget_take(&budget, arg, 1 + (unsigned)i % 7))
			ady_budget_give(&budget, arg, 1 + (unsigned)i % 7);
	return NULL;
}

CASE(any_thread_may_take_and_give)
{
	static struct ady_share one;
	pthread_t threads[4];

	ady_budget_set(&budget, 10);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, take_and_give, &one) == 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	CHECK_INT(budget.used, 0);
	CHECK_INT(one.held, 0);
}

int main(void)
{
	RUN(one_that_takes_all_it_can_leaves_a_quarter);
	RUN(two_that_take_all_they_can_have_the_same_in_the_end);
	RUN(the_first_is_given_if_it_is_free);
	RUN(it_is_tight_when_more_than_half_is_taken);
	RUN(nothing_is_taken_that_no_counter_can_hold);
	RUN(a_name_has_one_share_and_names_have_others);
	RUN(any_thread_may_take_and_give);
	return test_end();
}
