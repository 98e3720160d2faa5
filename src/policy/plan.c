/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/plan.h"

bool ady_charge_waits(const struct ady_charge *charge, const struct ady_plan_setting *setting)
{
	uint64_t over_s = setting->known_s + setting->info[charge->counter].per_s;

	return setting->known_s > 0 && setting->now_s < over_s + ADY_PLAN_CLOCK_ERROR_S;
}

bool ady_charge_holds(const struct ady_charge *charge, const struct ady_plan_setting *setting,
                      struct ady_u256 *total)
{
	struct ady_counter c;

	*total = (struct ady_u256){0};
	if (!setting->counters || setting->now_s == 0 || !charge->has_amount)
		return false;
	c = setting->counters->c[charge->counter];
	ady_counter_advance(&c, setting->info[charge->counter].per_s, setting->now_s);
	return ady_counter_total(total, &c, &charge->amount) &&
	       ady_u256_cmp(total, &charge->max) <= 0;
}

/* All charges of a rule, each alone, against what was counted before; *failed is the first that
 * does not hold. Two limits of one rule on one counter would be charged twice, and are not read. */
static enum ady_verdict all_hold(const struct ady_plan *plan, const struct ady_plan_rule *rule,
                                 const struct ady_plan_setting *setting, uint16_t *failed)
{
	for (uint16_t i = rule->at; i < rule->at + rule->n; i++) {
		const struct ady_charge *charge = &plan->charges[i];
		struct ady_u256 total;

		*failed = charge->limit;
		if (!ady_charge_holds(charge, setting, &total))
			return ADY_DENIED_LIMIT;
		if (ady_charge_waits(charge, setting))
			return ADY_DENIED_WAIT;
	}
	return ADY_ALLOWED;
}

static void add(const struct ady_plan *plan, const struct ady_plan_rule *rule,
                const struct ady_plan_setting *setting, struct ady_counters *charged)
{
	for (uint16_t i = rule->at; i < rule->at + rule->n; i++) {
		const struct ady_charge *charge = &plan->charges[i];
		struct ady_counter *c = &charged->c[charge->counter];

		ady_counter_advance(c, setting->info[charge->counter].per_s, setting->now_s);
		ady_counter_add(c, &charge->amount);
	}
}

/* Why the first rule that is met does not allow: one without its approvals may stand before those
 * of the plan. */
static void keep_first(struct ady_decision *decision, const struct ady_plan_rule *rule,
                       enum ady_verdict verdict, uint16_t limit)
{
	if (decision->verdict == ADY_DENIED_BY_DEFAULT || rule->rule < decision->rule)
		*decision =
		    (struct ady_decision){.verdict = verdict, .rule = rule->rule, .limit = limit};
}

size_t ady_plan_settle(struct ady_decision *decision, const struct ady_plan *plan,
                       const struct ady_plan_setting *setting, struct ady_counters *charged)
{
	if (charged)
		*charged = setting->counters ? *setting->counters : (struct ady_counters){0};
	*decision = plan->denial;
	for (uint16_t i = 0; i < plan->rules_n; i++) {
		const struct ady_plan_rule *rule = &plan->rules[i];
		uint16_t limit = 0;
		enum ady_verdict verdict = all_hold(plan, rule, setting, &limit);

		if (verdict != ADY_ALLOWED) {
			keep_first(decision, rule, verdict, limit);
			continue;
		}
		*decision = (struct ady_decision){.verdict = ADY_ALLOWED, .rule = rule->rule};
		if (charged)
			add(plan, rule, setting, charged);
		return rule->n;
	}
	return 0;
}
