/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/config_object.h"

#include <stdio.h>
#include <string.h>

enum ady_err ady_conf_refuse(const struct ady_conf *o, const char *name, const char *why)
{
	char where[64];

	snprintf(where, sizeof where, "%s%s%s", o->path, *o->path ? "." : "", name);
	(void)ady_fail(o->f, ADY_E_CONFIG, where, "%s", why);
	return ADY_E_CONFIG;
}

enum ady_err ady_conf_members(const struct ady_conf *o, const char *const *known)
{
	const char *name;
	json_t *value;

	if (!json_is_object(o->json))
		return ady_fail(o->f, ADY_E_CONFIG, o->path, "is no object");
	json_object_foreach(o->json, name, value)
	{
		size_t i = 0;

		while (known[i] && strcmp(known[i], name) != 0)
			i++;
		if (!known[i])
			return ady_conf_refuse(o, name, "is not known");
	}
	return ADY_OK;
}

enum ady_err ady_conf_text(const struct ady_conf *o, const char *name, const char **out)
{
	const json_t *v = json_object_get(o->json, name);

	if (!v)
		return ADY_OK;
	if (!json_is_string(v))
		return ady_conf_refuse(o, name, "is no string");
	if (json_string_length(v) > 8192)
		return ady_conf_refuse(o, name, "is too long");
	*out = json_string_value(v);
	return ADY_OK;
}

enum ady_err ady_conf_need_text(const struct ady_conf *o, const char *name, const char **out)
{
	enum ady_err err;

	*out = NULL;
	err = ady_conf_text(o, name, out);
	if (err != ADY_OK)
		return err;
	return *out && **out ? ADY_OK : ady_conf_refuse(o, name, "is required");
}

enum ady_err ady_conf_flag(const struct ady_conf *o, const char *name, bool *out)
{
	const json_t *v = json_object_get(o->json, name);

	if (!v)
		return ADY_OK;
	if (!json_is_boolean(v))
		return ady_conf_refuse(o, name, "is neither true nor false");
	*out = json_is_true(v);
	return ADY_OK;
}

enum ady_err ady_conf_number(const struct ady_conf *o, const char *name, int64_t low, int64_t high,
                             int64_t *out)
{
	const json_t *v = json_object_get(o->json, name);
	char why[64];

	if (!v)
		return ADY_OK;
	if (!json_is_integer(v))
		return ady_conf_refuse(o, name, "is no integer");
	*out = json_integer_value(v);
	if (*out >= low && *out <= high)
		return ADY_OK;
	snprintf(why, sizeof why, "is not between %lld and %lld", (long long)low, (long long)high);
	return ady_conf_refuse(o, name, why);
}

enum ady_err ady_conf_endpoint(const struct ady_conf *o, const char *name, const char *text,
                               struct ady_endpoint *out)
{
	struct ady_fault why = {0};

	if (ady_endpoint_parse(out, text, &why) == ADY_OK)
		return ADY_OK;
	return ady_conf_refuse(o, name, why.detail[0] ? why.detail : "is no endpoint");
}
