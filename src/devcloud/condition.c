/* SPDX-License-Identifier: Apache-2.0 */
#include "devcloud/condition.h"

#include <string.h>
#include <strings.h>

enum test { TEST_EQUAL, TEST_EQUAL_ANY_CASE, TEST_LIKE, TEST_BOOL, TEST_NULL };
enum set { SET_NONE, SET_ALL, SET_ANY };

struct op {
	const char *name;
	enum test test;
	bool negated;
};

static const struct op OPERATORS[] = {
    {"StringEquals", TEST_EQUAL, false},
    {"StringNotEquals", TEST_EQUAL, true},
    {"StringEqualsIgnoreCase", TEST_EQUAL_ANY_CASE, false},
    {"StringNotEqualsIgnoreCase", TEST_EQUAL_ANY_CASE, true},
    {"StringLike", TEST_LIKE, false},
    {"StringNotLike", TEST_LIKE, true},
    {"Bool", TEST_BOOL, false},
    {"Null", TEST_NULL, false},
};

/* An operator as it stands in a policy: "ForAnyValue:StringLikeIfExists". */
struct use {
	const struct op *op;
	enum set set;
	bool if_exists;
};

static bool cut_prefix(const char **name, const char *prefix)
{
	size_t n = strlen(prefix);

	if (strncasecmp(*name, prefix, n) != 0)
		return false;
	*name += n;
	return true;
}

static bool read_use(struct use *u, const char *name)
{
	static const char suffix[] = "IfExists";
	size_t n;

	*u = (struct use){0};
	if (cut_prefix(&name, "ForAllValues:"))
		u->set = SET_ALL;
	else if (cut_prefix(&name, "ForAnyValue:"))
		u->set = SET_ANY;
	n = strlen(name);
	if (n > sizeof suffix - 1 && strcasecmp(name + n - (sizeof suffix - 1), suffix) == 0) {
		u->if_exists = true;
		n -= sizeof suffix - 1;
	}
	for (size_t i = 0; i < sizeof OPERATORS / sizeof *OPERATORS; i++)
		if (strlen(OPERATORS[i].name) == n && strncasecmp(OPERATORS[i].name, name, n) == 0)
			u->op = &OPERATORS[i];
	return u->op && !(u->op->test == TEST_NULL && (u->if_exists || u->set != SET_NONE));
}

/* A value's text: a string, or for Bool and Null also true and false. */
static const char *value_text(const json_t *v)
{
	if (json_is_boolean(v))
		return json_is_true(v) ? "true" : "false";
	return json_string_value(v);
}

static bool is_bool_text(const char *s)
{
	return strcasecmp(s, "true") == 0 || strcasecmp(s, "false") == 0;
}

static enum ady_err check_value(const struct use *u, const json_t *v, struct ady_fault *f)
{
	const char *s = value_text(v);
	bool is_bool = u->op->test == TEST_BOOL || u->op->test == TEST_NULL;

	if (!s || (!is_bool && json_is_boolean(v)))
		return ady_fail(f, ADY_E_FIELD_INVALID, "Condition", "a value is not a string");
	if (is_bool && !is_bool_text(s))
		return ady_fail(f, ADY_E_FIELD_INVALID, "Condition", "%s takes true or false",
		                u->op->name);
	if (strstr(s, "${"))
		return ady_fail(f, ADY_E_FIELD_INVALID, "Condition",
		                "policy variables are not known here");
	return ADY_OK;
}

static enum ady_err check_values(const struct use *u, const json_t *values, struct ady_fault *f)
{
	enum ady_err err;
	json_t *v;
	size_t i;

	if (!json_is_array(values))
		return check_value(u, values, f);
	if (json_array_size(values) == 0)
		return ady_fail(f, ADY_E_FIELD_INVALID, "Condition", "a list of values is empty");
	json_array_foreach(values, i, v)
	{
		if ((err = check_value(u, v, f)) != ADY_OK)
			return err;
	}
	return ADY_OK;
}

enum ady_err ady_dev_condition_check(json_t *block, struct ady_fault *f)
{
	const char *name, *key;
	json_t *keys, *values;
	enum ady_err err;
	struct use u;

	if (!json_is_object(block))
		return ady_fail(f, ADY_E_FIELD_INVALID, "Condition", "is not an object");
	json_object_foreach(block, name, keys)
	{
		if (!read_use(&u, name))
			return ady_fail(f, ADY_E_FIELD_INVALID, "Condition",
			                "the operator %s is not known here", name);
		if (!json_is_object(keys) || json_object_size(keys) == 0)
			return ady_fail(f, ADY_E_FIELD_INVALID, "Condition", "%s names no key",
			                name);
		json_object_foreach(keys, key, values)
		{
			if (!strchr(key, ':'))
				return ady_fail(f, ADY_E_FIELD_INVALID, "Condition",
				                "%s is no condition key", key);
			if ((err = check_values(&u, values, f)) != ADY_OK)
				return err;
		}
	}
	return ADY_OK;
}

static bool value_matches(const struct op *op, const char *want, const char *have)
{
	switch (op->test) {
	case TEST_EQUAL:
		return strcmp(want, have) == 0;
	case TEST_LIKE:
		return ady_dev_wildcard(want, have, false);
	case TEST_EQUAL_ANY_CASE:
	case TEST_BOOL:
	case TEST_NULL:
		return strcasecmp(want, have) == 0;
	}
	return false;
}

/* Whether one value of the request satisfies the operator: equal to any of the policy's values, or,
 * negated, to none. */
static bool satisfies(const struct op *op, const json_t *values, const char *have)
{
	bool any = false;
	json_t *v;
	size_t i;

	if (!json_is_array(values))
		return value_matches(op, value_text(values), have) != op->negated;
	json_array_foreach(values, i, v)
	{
		any = any || value_matches(op, value_text(v), have);
	}
	return any != op->negated;
}

static bool key_holds(const struct use *u, const char *key, const json_t *values,
                      const struct ady_dev_fact *facts, size_t n)
{
	size_t present = 0, good = 0;

	for (size_t i = 0; i < n; i++) {
		/* "Condition key names are not case-sensitive." */
		if (strcasecmp(facts[i].key, key) != 0)
			continue;
		present++;
		if (u->op->test != TEST_NULL && satisfies(u->op, values, facts[i].value))
			good++;
	}
	/* Null asks whether the key is absent. */
	if (u->op->test == TEST_NULL)
		return satisfies(u->op, values, present ? "false" : "true");
	if (u->set == SET_ALL)
		return good == present; /* holds, too, for an absent key */
	if (present == 0)
		return u->if_exists || (u->set == SET_NONE && u->op->negated);
	/* A negated operator on a key of several values must hold for each of them. */
	return u->op->negated && u->set == SET_NONE ? good == present : good > 0;
}

bool ady_dev_condition_holds(json_t *block, const struct ady_dev_fact *facts, size_t n)
{
	json_t *keys, *values;
	const char *name, *key;
	struct use u;

	json_object_foreach(block, name, keys)
	{
		if (!read_use(&u, name))
			return false;
		json_object_foreach(keys, key, values)
		{
			if (!key_holds(&u, key, values, facts, n))
				return false;
		}
	}
	return true;
}
