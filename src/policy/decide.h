/* SPDX-License-Identifier: Apache-2.0
 *
 * The decision of a policy on a request. Deny rules come first, whatever their place: one that is
 * met, or undecided, refuses. Then the first allow rule all of whose conditions are met, that has
 * its approvals and whose limits hold, allows, and only its limits are charged. Nothing else does.
 * Pure: the same arguments, the same decision. */
#ifndef ADY_POLICY_DECIDE_H
#define ADY_POLICY_DECIDE_H

#include "policy/plan.h"
#include "policy/rulebook.h"

/* A decision in the making. Use once per request. */
struct ady_deciding {
	const struct ady_rulebook *book;
	const struct ady_object *object;
	const struct ady_counters *counters; /* NULL: there are none, and no limit holds */
	uint64_t known_s;                    /* as in struct ady_plan_setting */
	bool watch;            /* keep what a condition looked at last: for explanations */
	bool has_seen;         /* there was something */
	struct ady_value seen; /* what it was */
	/* Internal: what was looked at before, 0 for nothing. */
	uint8_t functions[ADY_FUNCTIONS_MAX], fields[ADY_FIELDS];
	struct ady_value values[ADY_FIELDS];
};

/* Decide. charged: NULL, or where the counters go as they are after a request that is allowed (of
 * one that is not, as they were); it may not be d->counters. */
void ady_decide(struct ady_decision *decision, struct ady_deciding *d,
                struct ady_counters *charged);

/* The first step alone: what is left when all but the counters is known. */
void ady_decide_plan(struct ady_plan *plan, struct ady_deciding *d);

/* Parts of it, for explanations: what a condition comes to; what all of a rule's conditions come to
 * together; how many of the approvals' keys have stamped; whether limit number i holds. */
enum ady_tri ady_decide_cond(struct ady_deciding *d, const struct ady_cond *cond);

/* See ady_decide_cond. */
enum ady_tri ady_decide_rule(struct ady_deciding *d, const struct ady_rule *rule);

/* See ady_decide_cond. */
uint16_t ady_decide_approvals(const struct ady_deciding *d, const struct ady_approvals *a);

/* See ady_decide_cond: what limit number i comes to. */
void ady_decide_charge(struct ady_charge *charge, struct ady_deciding *d, uint16_t i);

/* What counters d settles by. */
struct ady_plan_setting ady_decide_setting(const struct ady_deciding *d);

/* Refuse with the words for a decision that is not ADY_ALLOWED: ADY_E_DENIED, the rule by name in
 * the detail, its path behind `at` ("policy"). */
enum ady_err ady_decision_refuse(const struct ady_decision *decision,
                                 const struct ady_rulebook *book, const char *at,
                                 struct ady_fault *f);

/* The same for ADY_DENIED_LIMIT and ADY_DENIED_WAIT, when there is no book any more: by the names
 * of the rule and of the counter. */
enum ady_err ady_decision_refuse_limit(const struct ady_decision *decision, struct ady_bytes rule,
                                       struct ady_bytes counter, const char *at,
                                       struct ady_fault *f);

#endif
