/* SPDX-License-Identifier: Apache-2.0
 *
 * What of a decision is left when all but the counters is known. A policy is decided in two steps:
 * conditions and approvals come to a plan (decide.h), counters settle it. So the policy and the
 * request need not be kept until the counters are at hand. Pure: the same arguments, the same
 * decision. */
#ifndef ADY_POLICY_PLAN_H
#define ADY_POLICY_PLAN_H

#include "policy/counter.h"

enum {
	ADY_PLAN_CHARGES_MAX = 64, /* as many as a policy has limits */
	ADY_PLAN_CLOCK_ERROR_S =
	    60 /* between the clocks of two enclaves: each is 30 s wrong at most */
};

enum ady_verdict {
	ADY_ALLOWED,
	ADY_DENIED_BY_RULE,    /* a deny rule is met */
	ADY_DENIED_UNDECIDED,  /* a deny rule cannot be ruled out */
	ADY_DENIED_BY_DEFAULT, /* no allow rule is met */
	ADY_DENIED_APPROVALS,  /* one is met but for its approvals */
	ADY_DENIED_LIMIT,      /* one is met but for a limit */
	ADY_DENIED_WAIT,       /* the same: what was counted before known_s is not known */
};

struct ady_decision {
	enum ady_verdict verdict;
	uint16_t rule;  /* whose; not of ADY_DENIED_BY_DEFAULT */
	uint16_t given; /* approvals, of ADY_DENIED_APPROVALS */
	uint16_t limit; /* of ADY_DENIED_LIMIT and _WAIT: its number in the book */
};

/* One limit of a rule that is met. */
struct ady_charge {
	uint16_t limit, counter;
	bool has_amount; /* else the request has nothing that it adds up, and it does not hold */
	struct ady_u256 amount, max;
};

/* A rule that allows if its charges [at, at + n) hold. */
struct ady_plan_rule {
	uint16_t rule, at, n;
};

struct ady_plan {
	struct ady_decision denial; /* when no rule of the plan allows and none stands before it */
	uint16_t rules_n, charges_n;
	struct ady_plan_rule rules[ADY_PLAN_CHARGES_MAX + 1]; /* in their order; the last may be
	                                                         without charges */
	struct ady_charge charges[ADY_PLAN_CHARGES_MAX];
};

/* What the counters say. */
struct ady_plan_setting {
	const struct ady_counters *counters; /* NULL: there are none, and no limit holds */
	const struct ady_counter_info *info; /* theirs, in the order of the policy */
	uint64_t now_s;                      /* 0: not known, and no limit holds */
	uint64_t known_s; /* what was counted before is not known; 0: all is known. A limit does not
	                     hold before its period has passed since */
};

/* Whether one charge holds. *total: what its counter has with it; zero when it cannot be told. */
bool ady_charge_holds(const struct ady_charge *charge, const struct ady_plan_setting *setting,
                      struct ady_u256 *total);

/* Whether a charge has to wait, whatever was counted. */
bool ady_charge_waits(const struct ady_charge *charge, const struct ady_plan_setting *setting);

/* Settle a plan: the first rule whose charges hold allows, and its charges are added.
 * charged: NULL, or where the counters go as they are afterwards (as they were, when the decision
 * is another); not setting->counters. Returns how many charges were added. */
size_t ady_plan_settle(struct ady_decision *decision, const struct ady_plan *plan,
                       const struct ady_plan_setting *setting, struct ady_counters *charged);

#endif
