/* SPDX-License-Identifier: Apache-2.0 */
#include "devcloud/authorize.h"

#include <string.h>

bool ady_dev_fact_add(struct ady_dev_facts *facts, const char *key, const char *value)
{
	if (facts->n == ADY_DEV_FACTS_MAX)
		return false;
	facts->f[facts->n++] = (struct ady_dev_fact){key, value};
	return true;
}

/* What holds for every request, in front of what the operation knows. */
static bool gather(struct ady_dev_facts *all, const struct ady_dev_call *c,
                   const struct ady_dev_facts *facts)
{
	const struct ady_dev_cloud *cloud = c->cloud;
	bool ok = true;

	all->n = 0;
	ok &= ady_dev_fact_add(all, "aws:PrincipalArn", c->who->role_arn);
	ok &= ady_dev_fact_add(all, "aws:PrincipalAccount", cloud->account);
	ok &= ady_dev_fact_add(all, "aws:SecureTransport", "true");
	ok &= ady_dev_fact_add(all, "aws:RequestedRegion", cloud->region);
	ok &= ady_dev_fact_add(all, "kms:CallerAccount", cloud->account);
	for (size_t i = 0; facts && i < facts->n; i++)
		ok &= ady_dev_fact_add(all, facts->f[i].key, facts->f[i].value);
	return ok;
}

bool ady_dev_may(const struct ady_dev_call *c, const char *action, const char *resource,
                 const json_t *key_policy, const struct ady_dev_facts *facts)
{
	struct ady_dev_verdict identity, key = {0}, session = {.allow = true};
	struct ady_dev_facts all;
	struct ady_dev_question q = {.action = action,
	                             .resource = resource,
	                             .account = c->cloud->account,
	                             .arn = c->who->arn,
	                             .role_arn = c->who->role_arn,
	                             .facts = all.f};
	bool allowed;

	if (!gather(&all, c, facts))
		return false;
	q.facts_n = all.n;
	identity = ady_dev_policy_ask(c->who->policy, &q);
	if (key_policy)
		key = ady_dev_policy_ask(key_policy, &q);
	if (c->who->session)
		session = ady_dev_policy_ask(c->who->session, &q);
	if (identity.deny || key.deny || session.deny)
		return false;
	if (key.allow_session)
		return true;
	/* A key policy that names the account lets the account's identity policies decide. */
	allowed = key_policy ? key.allow || (key.allow_account && identity.allow) : identity.allow;
	return allowed && session.allow;
}

enum ady_err ady_dev_authorize(struct ady_dev_call *c, const char *action, const char *resource,
                               const json_t *key_policy, const struct ady_dev_facts *facts)
{
	if (ady_dev_may(c, action, resource, key_policy, facts))
		return ADY_OK;
	return ady_dev_refuse(c, 400, "AccessDeniedException",
	                      "User: %s is not authorized to perform: %s on resource: %s%s",
	                      c->who->arn, action, resource,
	                      key_policy ? " because no resource-based policy allows the action, "
	                                   "or a policy denies it"
	                                 : " because no identity-based policy allows the action, "
	                                   "or a policy denies it");
}
