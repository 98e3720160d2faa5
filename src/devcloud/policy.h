/* SPDX-License-Identifier: Apache-2.0
 *
 * IAM policy documents: identity, session and key policies in the part of the language that this
 * stand-in knows (doc/devcloud.md lists it); whatever it does not know is refused when a document
 * is stored, never ignored when it is evaluated.
 * Source: IAM User Guide, "IAM JSON policy element reference" and "Policy evaluation logic". */
#ifndef ADY_DEVCLOUD_POLICY_H
#define ADY_DEVCLOUD_POLICY_H

#include <jansson.h>

#include "base/bytes.h"

/* A value of a condition key. A key of several values stands several times; an absent key is one
 * that stands nowhere. */
struct ady_dev_fact {
	const char *key, *value;
};

struct ady_dev_question {
	const char *action;   /* "kms:Decrypt" */
	const char *resource; /* ARN, or "*" where an action has none */
	const char *account;
	const char *arn;      /* the caller: user, or assumed-role session */
	const char *role_arn; /* the role behind a session; the user's ARN for a user */
	const struct ady_dev_fact *facts;
	size_t facts_n;
};

/* What one document says. An Allow is told apart by how its Principal names the caller. */
struct ady_dev_verdict {
	bool deny;
	bool allow;         /* by user or role ARN or "*"; of an identity policy: at all */
	bool allow_session; /* by the session's own ARN: session policies do not narrow it */
	bool allow_account; /* by the account: identity policies decide */
};

enum ady_dev_policy_kind { ADY_DEV_IDENTITY_POLICY, ADY_DEV_RESOURCE_POLICY };

/* Parse and check text. Out: *policy, a new reference, NULL on error.
 * Returns ADY_E_FIELD_INVALID with what is malformed in f. */
enum ady_err ady_dev_policy_parse(json_t **policy, const char *text, enum ady_dev_policy_kind kind,
                                  struct ady_fault *f);

/* What policy, which ady_dev_policy_parse made, says to q. */
struct ady_dev_verdict ady_dev_policy_ask(const json_t *policy, const struct ady_dev_question *q);

/* Whether text matches pattern, in which '*' is any text and '?' any character. */
bool ady_dev_wildcard(const char *pattern, const char *text, bool any_case);

#endif
