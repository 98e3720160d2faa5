/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/config_quotas.h"

#include <stdio.h>
#include <string.h>

enum { RATE_MAX = 1000000, WEIGHT_MAX = 1000, KEYS_MAX = 1000000000 };

static enum ady_err read_quota(struct ady_config_quota *q, const struct ady_conf *o)
{
	static const char *const known[] = {"rate", "burst", "weight", "keys", NULL};
	enum ady_err err = ady_conf_members(o, known);

	*q = (struct ady_config_quota){.weight = 1};
	if (err == ADY_OK)
		err = ady_conf_number(o, "rate", 1, RATE_MAX, &q->rate);
	q->burst = q->rate;
	if (err == ADY_OK)
		err = ady_conf_number(o, "burst", 1, RATE_MAX, &q->burst);
	if (err == ADY_OK && q->burst > 0 && q->rate == 0)
		return ady_conf_refuse(o, "burst", "is there without rate");
	if (err == ADY_OK)
		err = ady_conf_number(o, "keys", 1, KEYS_MAX, &q->keys);
	return err == ADY_OK ? ady_conf_number(o, "weight", 1, WEIGHT_MAX, &q->weight) : err;
}

/* Give a quota to the callers of a tenant ("*": to those that have none of their own). */
static bool give(struct ady_gateway_config *c, const char *tenant, const struct ady_config_quota *q)
{
	const bool others = strcmp(tenant, "*") == 0;
	bool found = others;

	for (size_t i = 0; i < c->callers_n; i++) {
		struct ady_config_caller *who = &c->callers[i];

		if (!who->tenant || (others ? who->has_quota : strcmp(who->tenant, tenant) != 0))
			continue;
		who->quota = *q;
		who->has_quota = found = true;
	}
	return found;
}

static enum ady_err read_one(struct ady_gateway_config *c, const struct ady_conf *o,
                             const char *tenant)
{
	char path[64];
	const struct ady_conf quota = {json_object_get(o->json, tenant), path, o->f};
	struct ady_config_quota q;
	enum ady_err err;

	snprintf(path, sizeof path, "quotas.%.50s", tenant);
	err = read_quota(&q, &quota);
	if (err == ADY_OK && !give(c, tenant, &q))
		return ady_conf_refuse(o, tenant, "is the tenant of no caller");
	return err;
}

enum ady_err ady_config_quotas_read(struct ady_gateway_config *c, const struct ady_conf *root)
{
	struct ady_conf o = {json_object_get(root->json, "quotas"), "quotas", root->f};
	enum ady_err err = ADY_OK;
	const char *tenant;
	json_t *value;

	if (!o.json)
		return ADY_OK;
	if (!json_is_object(o.json))
		return ady_conf_refuse(root, "quotas", "is no object");
	json_object_foreach(o.json, tenant, value)
	{
		if (err == ADY_OK && strcmp(tenant, "*") != 0)
			err = read_one(c, &o, tenant);
	}
	if (err == ADY_OK && json_object_get(o.json, "*"))
		err = read_one(c, &o, "*");
	return err;
}
