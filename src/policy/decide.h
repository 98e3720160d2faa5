/* SPDX-License-Identifier: Apache-2.0
 *
 * The decision of a policy on a request. Deny rules come first, whatever their place: one that is
 * met, or undecided, refuses. Then the first allow rule all of whose conditions are met, that has
 * its approvals and whose limits hold, allows, and only its limits are charged. Nothing else does.
 * Pure: the same arguments, the same decision. */
#ifndef ADY_POLICY_DECIDE_H
#define ADY_POLICY_DECIDE_H

#include "policy/rulebook.h"

enum ady_verdict {
	ADY_ALLOWED,
	ADY_DENIED_BY_RULE,    /* a deny rule is met */
	ADY_DENIED_UNDECIDED,  /* a deny rule cannot be ruled out */
	ADY_DENIED_BY_DEFAULT, /* no allow rule is met */
	ADY_DENIED_APPROVALS,  /* one is met but for its approvals */
	ADY_DENIED_LIMIT,      /* one is met but for a limit */
};

struct ady_decision {
	enum ady_verdict verdict;
	uint16_t rule;  /* whose; not of ADY_DENIED_BY_DEFAULT */
	uint16_t given; /* approvals, of ADY_DENIED_APPROVALS */
	uint16_t limit; /* of ADY_DENIED_LIMIT: its number in the book */
};

/* A decision in the making. Use once per request. */
struct ady_deciding {
	const struct ady_rulebook *book;
	const struct ady_object *object;
	const struct ady_counters *counters; /* NULL: there are none, and no limit holds */
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

/* Parts of it, for explanations: what a condition comes to; what all of a rule's conditions come to
 * together; how many of the approvals' keys have stamped; whether limit number i holds. */
enum ady_tri ady_decide_cond(struct ady_deciding *d, const struct ady_cond *cond);

/* See ady_decide_cond. */
enum ady_tri ady_decide_rule(struct ady_deciding *d, const struct ady_rule *rule);

/* See ady_decide_cond. */
uint16_t ady_decide_approvals(const struct ady_deciding *d, const struct ady_approvals *a);

/* See ady_decide_cond. amount and total: what it adds, and what the counter has with it; zero when
 * it cannot be told. */
bool ady_decide_limit(struct ady_deciding *d, const struct ady_limit *limit,
                      struct ady_u256 *amount, struct ady_u256 *total);

/* Refuse with the words for a decision that is not ADY_ALLOWED: ADY_E_DENIED, the rule by name in
 * the detail, its path behind `at` ("policy"). */
enum ady_err ady_decision_refuse(const struct ady_decision *decision,
                                 const struct ady_rulebook *book, const char *at,
                                 struct ady_fault *f);

#endif
