/* SPDX-License-Identifier: Apache-2.0
 *
 * The two steps of a decision, and what an enclave that has just started may rely on. */
#include "policy_fixture.h"

static struct ady_counters before, after;
static struct ady_plan plan;

enum { NOW = 1764000000, HOUR = 3600 };

#define RULE(name, more) "{'name':'" name "','effect':'allow','when':{}" more "}"
#define LIMIT(name, max) "{'name':'" name "','per':'1h','max':" max "}"

static struct ady_plan_setting setting(uint64_t now_s, uint64_t known_s)
{
	return (struct ady_plan_setting){
	    .counters = &before, .info = book.counters, .now_s = now_s, .known_s = known_s};
}

static void make_plan(void)
{
	struct ady_deciding d = {.book = &book, .object = &object};

	ady_decide_plan(&plan, &d);
}

static struct ady_decision settle(uint64_t now_s, uint64_t known_s, size_t *charged)
{
	const struct ady_plan_setting s = setting(now_s, known_s);
	struct ady_decision decision;
	size_t n = ady_plan_settle(&decision, &plan, &s, &after);

	if (charged)
		*charged = n;
	return decision;
}

CASE(a_plan_settles_without_policy_and_request)
{
	size_t charged;

	CHECK_ERR(
	    read_policy("{'policy':1,'rules':[" RULE(
	        "a", ",'limits':[" LIMIT("n", "1") "," LIMIT(
	                 "m", "3") "]") "," RULE("b",
	                                         ",'limits':[" LIMIT(
	                                             "k", "1") "]") "," RULE("c",
	                                                                     "") "," RULE("never",
	                                                                                  "") "]}"),
	    ADY_OK);
	ask_message("x");
	make_plan();
	CHECK_INT(plan.rules_n, 3); /* none behind one that needs no counters */
	CHECK_INT(plan.charges_n, 3);
	before = (struct ady_counters){0};
	CHECK_INT(settle(NOW, 0, &charged).rule, 0);
	CHECK_INT(charged, 2);
	before = after;
	CHECK_INT(settle(NOW, 0, &charged).rule, 1);
	CHECK_INT(charged, 1);
	before = after;
	CHECK_INT(settle(NOW, 0, &charged).rule, 2);
	CHECK_INT(charged, 0);
	CHECK(memcmp(&before, &after, sizeof before) == 0);
}

CASE(nothing_is_planned_when_a_rule_denies)
{
	struct ady_decision decision;

	CHECK_ERR(read_policy("{'policy':1,'rules':[" RULE(
	              "a", "") ",{'name':'no','effect':'deny','when':{'kind':'message'}}]}"),
	          ADY_OK);
	ask_message("x");
	make_plan();
	CHECK_INT(plan.rules_n, 0);
	decision = settle(NOW, 0, NULL);
	CHECK_INT(decision.verdict, ADY_DENIED_BY_RULE);
	CHECK_INT(decision.rule, 1);
}

CASE(the_first_rule_that_is_met_says_why)
{
	struct ady_decision decision;

	before = (struct ady_counters){0};
	CHECK_ERR(read_policy("{'policy':1,'rules':[" RULE(
	              "none", ",'approvals':{'need':1,'of':['" KEY1
	                      "']}") "," RULE("zero", ",'limits':[" LIMIT("n", "0") "]") "]}"),
	          ADY_OK);
	ask_message("x");
	make_plan();
	decision = settle(NOW, 0, NULL);
	CHECK_INT(decision.verdict, ADY_DENIED_APPROVALS);
	CHECK_INT(decision.rule, 0);
	CHECK_ERR(
	    read_policy(
	        "{'policy':1,'rules':[" RULE("zero", ",'limits':[" LIMIT("n", "0") "]") "," RULE(
	            "none", ",'approvals':{'need':1,'of':['" KEY1
	                    "']}") "," RULE("two", ",'limits':[" LIMIT("n", "0") "]") "]}"),
	    ADY_OK);
	make_plan();
	decision = settle(NOW, 0, NULL);
	CHECK_INT(decision.verdict, ADY_DENIED_LIMIT);
	CHECK_INT(decision.rule, 0);
	CHECK_INT(decision.limit, 0);
}

CASE(the_first_without_its_approvals_says_why)
{
	struct ady_decision decision;

	CHECK_ERR(read_policy("{'policy':1,'rules':[" RULE(
	              "one", ",'approvals':{'need':1,'of':['" KEY1
	                     "']}") "," RULE("two", ",'approvals':{'need':2,'of':['" KEY1 "','" KEY2
	                                            "']}") "]}"),
	          ADY_OK);
	ask_message("x");
	make_plan();
	CHECK_INT(plan.rules_n, 0);
	decision = settle(NOW, 0, NULL);
	CHECK_INT(decision.verdict, ADY_DENIED_APPROVALS);
	CHECK_INT(decision.rule, 0);
}

CASE(what_is_not_known_has_to_pass)
{
	struct ady_decision decision;

	before = (struct ady_counters){0};
	CHECK_ERR(
	    read_policy("{'policy':1,'rules':[" RULE("a", ",'limits':[" LIMIT("n", "1") "]") "]}"),
	    ADY_OK);
	ask_message("x");
	make_plan();
	decision = settle(NOW, NOW, NULL);
	CHECK_INT(decision.verdict, ADY_DENIED_WAIT);
	CHECK_INT(decision.rule, 0);
	CHECK_ERR(ady_decision_refuse(&decision, &book, "policy", &fault), ADY_E_DENIED);
	check_fault("policy.rules[0]", "\"a\" waits: what \"n\" counted before");
	CHECK_INT(settle(NOW + HOUR + ADY_PLAN_CLOCK_ERROR_S - 1, NOW, NULL).verdict,
	          ADY_DENIED_WAIT);
	CHECK_INT(settle(NOW + HOUR + ADY_PLAN_CLOCK_ERROR_S, NOW, NULL).verdict, ADY_ALLOWED);
	CHECK_INT(settle(NOW, 0, NULL).verdict, ADY_ALLOWED);
	CHECK_INT(settle(1, 0, NULL).verdict, ADY_ALLOWED); /* all is known at any time */
	CHECK_INT(settle(0, 0, NULL).verdict, ADY_DENIED_LIMIT);
	/* what is known to be spent is said before */
	before.c[0].slot = UINT64_MAX;
	before.c[0].sum[0].be[31] = 1;
	CHECK_INT(settle(NOW, NOW, NULL).verdict, ADY_DENIED_LIMIT);
}

CASE(one_rule_may_wait_and_another_not)
{
	before = (struct ady_counters){0};
	CHECK_ERR(
	    read_policy("{'policy':1,'rules':[" RULE(
	        "day",
	        ",'limits':[{'name':'d','per':'24h','max':1}]") "," RULE("hour",
	                                                                 ",'limits':[" LIMIT(
	                                                                     "n", "1") "]") "]}"),
	    ADY_OK);
	ask_message("x");
	make_plan();
	CHECK_INT(settle(NOW + 2 * HOUR, NOW, NULL).rule, 1);
	CHECK_INT(settle(NOW + 25 * HOUR, NOW, NULL).rule, 0);
}

CASE(a_charge_is_told_with_its_total)
{
	struct ady_plan_setting s;
	struct ady_u256 total;

	before = (struct ady_counters){0};
	CHECK_ERR(read_policy("{'policy':1,'rules':[" RULE(
	              "a", ",'limits':[{'name':'v','per':'1h','sum':'value','max':9}]") "]}"),
	          ADY_OK);
	ask_call(TO35, "0x");
	make_plan();
	s = setting(NOW, 0);
	CHECK(ady_charge_holds(&plan.charges[0], &s, &total));
	CHECK_INT(total.be[31], 5);
	s.counters = NULL;
	CHECK(!ady_charge_holds(&plan.charges[0], &s, &total));
	CHECK_INT(total.be[31], 0);
	ask_message("x"); /* has no value */
	make_plan();
	s = setting(NOW, 0);
	CHECK(!plan.charges[0].has_amount);
	CHECK(!ady_charge_holds(&plan.charges[0], &s, &total));
}

CASE(without_a_place_for_them_counters_stay)
{
	const struct ady_plan_setting none = {.info = book.counters, .now_s = NOW};
	struct ady_decision decision;

	CHECK_ERR(read_policy("{'policy':1,'rules':[" RULE("c", "") "]}"), ADY_OK);
	ask_message("x");
	make_plan();
	CHECK_INT(ady_plan_settle(&decision, &plan, &none, NULL), 0);
	CHECK_INT(decision.verdict, ADY_ALLOWED);
	memset(&after, 1, sizeof after);
	CHECK_INT(ady_plan_settle(&decision, &plan, &none, &after), 0);
	CHECK_INT(after.c[0].slot, 0);
	before = (struct ady_counters){0};
	CHECK_ERR(
	    read_policy("{'policy':1,'rules':[" RULE("a", ",'limits':[" LIMIT("n", "1") "]") "]}"),
	    ADY_OK);
	make_plan();
	CHECK_INT(ady_plan_settle(&decision, &plan,
	                          &(struct ady_plan_setting){
	                              .counters = &before, .info = book.counters, .now_s = NOW},
	                          NULL),
	          1);
}

int main(void)
{
	fixture_used();
	RUN(a_plan_settles_without_policy_and_request);
	RUN(nothing_is_planned_when_a_rule_denies);
	RUN(the_first_rule_that_is_met_says_why);
	RUN(the_first_without_its_approvals_says_why);
	RUN(what_is_not_known_has_to_pass);
	RUN(one_rule_may_wait_and_another_not);
	RUN(a_charge_is_told_with_its_total);
	RUN(without_a_place_for_them_counters_stay);
	return test_end();
}
