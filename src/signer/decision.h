/* SPDX-License-Identifier: Apache-2.0
 *
 * The decision of a record's policy on a request that was read. Policies that were read are kept in
 * a few places of the lane, and found again by their text. */
#ifndef ADY_SIGNER_DECISION_H
#define ADY_SIGNER_DECISION_H

#include "policy/decide.h"
#include "signer/charging.h"

enum { ADY_POLICY_TOKENS = 8192, ADY_POLICY_PLACES = 4 };

/* One policy, about 430 KiB. */
struct ady_policy_place {
	bool good;
	size_t text_n;
	uint8_t text[ADY_RECORD_POLICY_MAX];
	struct ady_json doc;
	struct ady_json_tok toks[ADY_POLICY_TOKENS];
	struct ady_rulebook book;
};

/* Belongs to one thread; all zero at first. */
struct ady_policies {
	size_t next; /* the place that is used when there is no free one */
	struct ady_policy_place place[ADY_POLICY_PLACES];
	struct ady_deciding deciding;
};

/* The policy of that text, read now or before. Out: *book, until four others were asked for.
 * Returns: ADY_E_RECORD when it cannot be read, with its path from `at` on in f. */
enum ady_err ady_policies_get(struct ady_policies *policies, const struct ady_rulebook **book,
                              struct ady_bytes text, const char *at, struct ady_fault *f);

/* Decide. A record without a policy allows, and policies may be NULL then. Of a guarded key all
 * that the counters do not decide, and c has the plan of the rest (signer/charging.h). Returns:
 * ADY_E_DENIED with the rule in f; what ady_policies_get returns. */
enum ady_err ady_policies_decide(struct ady_policies *policies, const struct ady_record *rec,
                                 const struct ady_object *object, struct ady_charging *c,
                                 struct ady_fault *f);

#endif
