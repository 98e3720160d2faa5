/* SPDX-License-Identifier: Apache-2.0
 *
 * May this caller do this? Identity, resource and session policies put together.
 * Source: IAM User Guide, "Policy evaluation logic"; KMS Developer Guide, "Key policies". */
#ifndef ADY_DEVCLOUD_AUTHORIZE_H
#define ADY_DEVCLOUD_AUTHORIZE_H

#include "devcloud/identity.h"
#include "devcloud/policy.h"

enum { ADY_DEV_FACTS_MAX = 192 };

/* Facts of a request beyond those of every request. Texts are borrowed. */
struct ady_dev_facts {
	struct ady_dev_fact f[ADY_DEV_FACTS_MAX];
	size_t n;
};

/* Add a fact; past the maximum the call must be refused, which false says. */
bool ady_dev_fact_add(struct ady_dev_facts *facts, const char *key, const char *value);

/* Whether c->who may do action on resource. key_policy: the policy of the key, without which
 * nothing is allowed, or NULL where identity policies alone decide. facts may be NULL. */
bool ady_dev_may(const struct ady_dev_call *c, const char *action, const char *resource,
                 const json_t *key_policy, const struct ady_dev_facts *facts);

/* The same as a refusal: AccessDeniedException. */
enum ady_err ady_dev_authorize(struct ady_dev_call *c, const char *action, const char *resource,
                               const json_t *key_policy, const struct ady_dev_facts *facts);

#endif
