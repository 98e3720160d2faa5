/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/config_validators.h"

#include <stdio.h>

static enum ady_err read_high(struct ady_config_validators *v, const struct ady_conf *o)
{
	static const char *const known[] = {"slot", "epoch", NULL};
	struct ady_conf high = {json_object_get(o->json, "high_watermark"),
	                        "validators.high_watermark", o->f};
	int64_t slot = -1, epoch = -1;
	enum ady_err err;

	if (!high.json)
		return ADY_OK;
	err = ady_conf_members(&high, known);
	if (err == ADY_OK)
		err = ady_conf_number(&high, "slot", 0, INT64_MAX, &slot);
	if (err == ADY_OK)
		err = ady_conf_number(&high, "epoch", 0, INT64_MAX, &epoch);
	if (err == ADY_OK && (slot < 0 || epoch < 0))
		return ady_conf_refuse(&high, slot < 0 ? "slot" : "epoch", "is required");
	v->until_slot = (uint64_t)slot;
	v->until_epoch = (uint64_t)epoch;
	v->has_high = true;
	return err;
}

enum ady_err ady_config_read_validators(struct ady_gateway_config *c, const struct ady_conf *root)
{
	static const char *const known[] = {"states", "high_watermark", NULL};
	struct ady_conf o = {json_object_get(root->json, "validators"), "validators", root->f};
	enum ady_err err;

	c->validators =
	    (struct ady_config_validators){.until_slot = UINT64_MAX, .until_epoch = UINT64_MAX};
	if (!o.json)
		return ADY_OK;
	c->validators.on = true;
	err = ady_conf_members(&o, known);
	if (err == ADY_OK)
		err = ady_conf_need_text(&o, "states", &c->states);
	return err == ADY_OK ? read_high(&c->validators, &o) : err;
}
