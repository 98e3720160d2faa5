/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/config_commit_boost.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "codec/wire.h"

enum { MODULES_MAX = 64, ID_MAX = 32, KEYS_MAX = 10000 };

static bool read_hex(uint8_t *out, size_t n, const char *text)
{
	size_t got;

	return text && strlen(text) == 2 * n + 2 && strncmp(text, "0x", 2) == 0 &&
	       ady_hex_decode(out, n, &got, ady_bytes_str(text + 2)) == ADY_OK;
}

static enum ady_err read_keys(struct ady_config_module *m, const struct ady_conf *o)
{
	const json_t *list = json_object_get(o->json, "keys");
	size_t n = json_array_size(list);

	if (!list)
		return ADY_OK;
	if (n == 0 || n > KEYS_MAX)
		return ady_conf_refuse(o, "keys", "is no list of 1 to 10000 public keys");
	m->keys = calloc(n, 48);
	if (!m->keys)
		return ady_conf_refuse(o, "keys", "does not fit into memory");
	for (; m->keys_n < n; m->keys_n++)
		if (!read_hex(m->keys + 48 * m->keys_n, 48,
		              json_string_value(json_array_get(list, m->keys_n))))
			return ady_conf_refuse(o, "keys", "has an item that is no public key");
	return ADY_OK;
}

/* A part of keys' ids: letters, digits, dots, dashes. */
static bool is_id(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

	return n > 0 && n <= ID_MAX && s[n] == '\0';
}

static enum ady_err read_module(struct ady_config_module *m, const struct ady_conf *o)
{
	static const char *const known[] = {"id",     "signing_id", "secret_file",
	                                    "tenant", "keys",       NULL};
	const char *signing = NULL;
	enum ady_err err = ady_conf_members(o, known);

	m->tenant = "default";
	if (err == ADY_OK)
		err = ady_conf_need_text(o, "id", &m->id);
	if (err == ADY_OK && !is_id(m->id))
		return ady_conf_refuse(o, "id", "is no name of 1 to 32 of A-Z a-z 0-9 . _ -");
	if (err == ADY_OK)
		err = ady_conf_need_text(o, "signing_id", &signing);
	if (err == ADY_OK && !read_hex(m->signing_id, 32, signing))
		return ady_conf_refuse(o, "signing_id", "is no 0x and 64 hex digits");
	if (err == ADY_OK)
		err = ady_conf_need_text(o, "secret_file", &m->secret_file);
	if (err == ADY_OK)
		err = ady_conf_text(o, "tenant", &m->tenant);
	if (err == ADY_OK && (!*m->tenant || strlen(m->tenant) > ADY_WIRE_TENANT_MAX))
		return ady_conf_refuse(o, "tenant", "is no name of a tenant");
	return err == ADY_OK ? read_keys(m, o) : err;
}

/* What tells modules apart must differ. */
static enum ady_err check_twice(const struct ady_config_commit_boost *c, const struct ady_conf *o,
                                size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (strcmp(c->modules[k].id, c->modules[i].id) == 0)
			return ady_conf_refuse(o, "id", "is that of another module");
		if (memcmp(c->modules[k].signing_id, c->modules[i].signing_id, 32) == 0)
			return ady_conf_refuse(o, "signing_id", "is that of another module");
	}
	return ADY_OK;
}

static enum ady_err read_modules(struct ady_config_commit_boost *c, const struct ady_conf *o)
{
	const json_t *list = json_object_get(o->json, "modules");
	size_t n = json_array_size(list);
	enum ady_err err = ADY_OK;

	if (n == 0 || n > MODULES_MAX)
		return ady_conf_refuse(o, "modules", "is no list of 1 to 64 modules");
	c->modules = calloc(n, sizeof *c->modules);
	if (!c->modules)
		return ady_conf_refuse(o, "modules", "does not fit into memory");
	for (size_t i = 0; err == ADY_OK && i < n; i++) {
		char path[48];
		struct ady_conf one = {json_array_get(list, i), path, o->f};

		snprintf(path, sizeof path, "commit_boost.modules[%zu]", i);
		c->n = i + 1;
		err = read_module(&c->modules[i], &one);
		if (err == ADY_OK)
			err = check_twice(c, &one, i);
	}
	return err;
}

enum ady_err ady_config_commit_boost_read(struct ady_config_commit_boost *c,
                                          const struct ady_conf *root)
{
	static const char *const known[] = {"chain_id", "modules", "jwt_auth_fail_limit",
	                                    "jwt_auth_fail_timeout_seconds", NULL};
	struct ady_conf o = {json_object_get(root->json, "commit_boost"), "commit_boost", root->f};
	int64_t chain = 0, limit = 3, seconds = 300;
	enum ady_err err;

	if (!o.json)
		return ADY_OK;
	err = ady_conf_members(&o, known);
	if (err == ADY_OK)
		err = ady_conf_number(&o, "chain_id", 1, INT64_MAX, &chain);
	if (err == ADY_OK && chain == 0)
		return ady_conf_refuse(&o, "chain_id", "is required");
	if (err == ADY_OK)
		err = ady_conf_number(&o, "jwt_auth_fail_limit", 1, 1000000, &limit);
	if (err == ADY_OK)
		err = ady_conf_number(&o, "jwt_auth_fail_timeout_seconds", 1, 86400, &seconds);
	c->chain_id = (uint64_t)chain;
	c->fail_limit = (unsigned)limit;
	c->fail_timeout_ms = seconds * 1000;
	if (err == ADY_OK && !json_object_get(root->json, "validators"))
		return ady_conf_refuse(root, "commit_boost", "needs validators");
	return err == ADY_OK ? read_modules(c, &o) : err;
}

void ady_config_commit_boost_clear(struct ady_config_commit_boost *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->modules[i].keys);
	free(c->modules);
	*c = (struct ady_config_commit_boost){0};
}
