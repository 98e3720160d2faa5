/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/config_validators.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "codec/wire.h"

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

static enum ady_err read_beacon(struct ady_config_validators *v, const struct ady_conf *o)
{
	const char *url = NULL;
	struct ady_fault why;
	enum ady_err err = ady_conf_text(o, "beacon", &url);

	if (err == ADY_OK)
		err = ady_conf_text(o, "beacon_ca_file", &v->beacon_ca_file);
	if (err == ADY_OK)
		err = ady_conf_text(o, "beacon_authorization", &v->beacon_authorization);
	if (err != ADY_OK || !url)
		return err;
	if (ady_url_parse(&v->beacon, url, &why) != ADY_OK)
		return ady_conf_refuse(o, "beacon", why.detail);
	if (v->beacon.ws || strchr(v->beacon.target, '?'))
		return ady_conf_refuse(o, "beacon", "is no http or https URL without a query");
	for (const char *p = v->beacon_authorization; p && *p; p++)
		if (*p < ' ' || *p > '~')
			return ady_conf_refuse(o, "beacon_authorization",
			                       "has a character that no field has");
	v->has_beacon = true;
	return ADY_OK;
}

enum ady_err ady_config_read_validators(struct ady_gateway_config *c, const struct ady_conf *root)
{
	static const char *const known[] = {"states",         "high_watermark",       "beacon",
	                                    "beacon_ca_file", "beacon_authorization", NULL};
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
	if (err == ADY_OK)
		err = read_beacon(&c->validators, &o);
	return err == ADY_OK ? read_high(&c->validators, &o) : err;
}

static enum ady_err add_token(struct ady_config_keymanager *k, const struct ady_conf *o,
                              const char *name, const char *tenant, const json_t *file)
{
	size_t n = strlen(tenant);

	if (!json_is_string(file) || !*json_string_value(file))
		return ady_conf_refuse(o, name, "is no path");
	if (n == 0 || n > ADY_WIRE_TENANT_MAX)
		return ady_conf_refuse(o, name, "is no name of a tenant");
	if (k->n == ADY_GATEWAY_TOKENS_MAX)
		return ady_conf_refuse(o, name, "is one more than 64");
	k->tokens[k->n].tenant = tenant;
	k->tokens[k->n++].file = json_string_value(file);
	return ADY_OK;
}

static enum ady_err read_tokens(struct ady_config_keymanager *k, const struct ady_conf *o)
{
	json_t *one = json_object_get(o->json, "token_file"), *item;
	struct ady_conf all = {json_object_get(o->json, "token_files"), "keymanager.token_files",
	                       o->f};
	enum ady_err err = ADY_OK;
	const char *tenant;

	if (one)
		err = add_token(k, o, "token_file", "default", one);
	if (err == ADY_OK && all.json && !json_is_object(all.json))
		return ady_conf_refuse(o, "token_files", "is no object");
	json_object_foreach(all.json, tenant, item)
	{
		if (err == ADY_OK && one && strcmp(tenant, "default") == 0)
			return ady_conf_refuse(&all, tenant, "has its file by token_file");
		if (err == ADY_OK)
			err = add_token(k, &all, tenant, tenant, item);
	}
	if (err == ADY_OK && k->n == 0)
		return ady_conf_refuse(o, "token_file", "or token_files is required");
	return err;
}

static enum ady_err read_defaults(struct ady_config_keymanager *k, const struct ady_conf *o)
{
	const char *fee = NULL;
	int64_t gas = 0;
	size_t n;
	enum ady_err err = ady_conf_text(o, "fee_recipient", &fee);

	if (err == ADY_OK && fee &&
	    (strncmp(fee, "0x", 2) != 0 ||
	     ady_hex_decode(k->fee_recipient, 20, &n, ady_bytes_str(fee + 2)) != ADY_OK || n != 20))
		return ady_conf_refuse(o, "fee_recipient", "is no address");
	k->has_fee = fee != NULL;
	if (err == ADY_OK)
		err = ady_conf_number(o, "gas_limit", 1, INT64_MAX, &gas);
	k->has_gas = gas > 0;
	k->gas_limit = (uint64_t)gas;
	if (err == ADY_OK)
		err = ady_conf_text(o, "graffiti", &k->graffiti);
	if (err == ADY_OK && k->graffiti && strlen(k->graffiti) > 32)
		return ady_conf_refuse(o, "graffiti", "exceeds 32 bytes");
	return err == ADY_OK ? ady_conf_flag(o, "allow_commitments", &k->commitments) : err;
}

enum ady_err ady_config_read_keymanager(struct ady_gateway_config *c, const struct ady_conf *root)
{
	static const char *const known[] = {"token_file", "token_files", "fee_recipient",
	                                    "gas_limit",  "graffiti",    "allow_commitments",
	                                    NULL};
	struct ady_conf o = {json_object_get(root->json, "keymanager"), "keymanager", root->f};
	enum ady_err err;

	c->keymanager = (struct ady_config_keymanager){0};
	if (!o.json)
		return ADY_OK;
	err = ady_conf_members(&o, known);
	if (err == ADY_OK && !c->validators.on)
		return ady_conf_refuse(root, "keymanager", "needs validators.states");
	if (err == ADY_OK)
		err = read_tokens(&c->keymanager, &o);
	return err == ADY_OK ? read_defaults(&c->keymanager, &o) : err;
}
