/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/config_callers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "store/entry.h"

static enum ady_err read_hash(const struct ady_conf *o, const char *name, uint8_t out[static 32],
                              bool *has)
{
	const char *text = NULL;
	enum ady_err err = ady_conf_text(o, name, &text);
	size_t n = 0;

	*has = text != NULL;
	if (err != ADY_OK || !text)
		return err;
	if (ady_hex_decode(out, 32, &n, ady_bytes_str(text)) != ADY_OK || n != 32)
		return ady_conf_refuse(o, name, "is not the hex of 32 bytes");
	return ADY_OK;
}

static enum ady_err check(const struct ady_gateway_config *c, const struct ady_config_caller *who,
                          const struct ady_conf *o)
{
	if (!who->tenant && !who->admin)
		return ady_conf_refuse(o, "tenant", "is required, but for administrators");
	if (who->tenant && !ady_entry_is_name(who->tenant, ADY_TENANT_MAX))
		return ady_conf_refuse(o, "tenant", "is no name of a tenant");
	if (who->admin && !who->manage)
		return ady_conf_refuse(o, "manage", "is false for an administrator");
	if (!who->has_token && !who->has_certificate && !who->subject)
		return ady_conf_refuse(o, "token_sha256",
		                       "is missing, and so are certificate_sha256 and subject");
	if ((who->has_certificate || who->subject) && !c->tls.client_ca)
		return ady_conf_refuse(o, who->subject ? "subject" : "certificate_sha256",
		                       "needs tls.client_ca");
	return ADY_OK;
}

static enum ady_err read_caller(const struct ady_gateway_config *c, struct ady_config_caller *who,
                                const struct ady_conf *o)
{
	static const char *const known[] = {
	    "tenant", "token_sha256", "certificate_sha256", "subject", "admin", "manage", NULL};
	enum ady_err err = ady_conf_members(o, known);

	who->manage = true;
	who->quota.weight = 1;
	if (err == ADY_OK)
		err = ady_conf_text(o, "tenant", &who->tenant);
	if (err == ADY_OK)
		err = ady_conf_text(o, "subject", &who->subject);
	if (err == ADY_OK)
		err = ady_conf_flag(o, "admin", &who->admin);
	if (err == ADY_OK)
		err = ady_conf_flag(o, "manage", &who->manage);
	if (err == ADY_OK)
		err = read_hash(o, "token_sha256", who->token_sha256, &who->has_token);
	if (err == ADY_OK)
		err = read_hash(o, "certificate_sha256", who->certificate_sha256,
		                &who->has_certificate);
	return err == ADY_OK ? check(c, who, o) : err;
}

/* Who asks must be one caller, not the first of two. */
static bool same(const struct ady_config_caller *a, const struct ady_config_caller *b)
{
	if (a->has_token != b->has_token || a->has_certificate != b->has_certificate ||
	    (a->subject != NULL) != (b->subject != NULL))
		return false;
	return (!a->has_token || memcmp(a->token_sha256, b->token_sha256, 32) == 0) &&
	       (!a->has_certificate ||
	        memcmp(a->certificate_sha256, b->certificate_sha256, 32) == 0) &&
	       (!a->subject || strcmp(a->subject, b->subject) == 0);
}

/* Callers of one tenant share what is counted for it: the place of its first caller names it. */
static size_t first_of(const struct ady_config_caller *all, size_t i)
{
	for (size_t j = 0; all[i].tenant && j < i; j++)
		if (all[j].tenant && strcmp(all[j].tenant, all[i].tenant) == 0)
			return j;
	return i;
}

enum ady_err ady_config_callers_read(struct ady_gateway_config *c, const struct ady_conf *root)
{
	const json_t *list = json_object_get(root->json, "callers");
	size_t n = json_array_size(list);
	enum ady_err err = ADY_OK;

	if (!list)
		return ADY_OK;
	if (n == 0 || n > ADY_GATEWAY_CALLERS_MAX)
		return ady_conf_refuse(root, "callers", "is no list of 1 to 1024 callers");
	c->callers = calloc(n, sizeof *c->callers);
	if (!c->callers)
		return ady_conf_refuse(root, "callers", "does not fit into memory");
	for (size_t i = 0; err == ADY_OK && i < n; i++) {
		char path[48];
		struct ady_conf o = {json_array_get(list, i), path, root->f};

		snprintf(path, sizeof path, "callers[%zu]", i);
		err = read_caller(c, &c->callers[i], &o);
		c->callers[i].tenant_index = first_of(c->callers, i);
		for (size_t j = 0; err == ADY_OK && j < i; j++)
			if (same(&c->callers[i], &c->callers[j]))
				err = ady_conf_refuse(root, path, "is there twice");
	}
	c->callers_n = n;
	return err;
}
