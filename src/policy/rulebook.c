/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/rulebook.h"

#include <stdio.h>
#include <string.h>

#include "policy/reader.h"
#include "policy/stamp_key.h"

enum { PER_MIN_S = 60, PER_MAX_S = 366 * 86400 };

const char ady_policy_too_many[] = "brings more than a policy may have (doc/policy.md)";

enum ady_err ady_policy_refuse(struct ady_policy_reader *r, enum ady_err err, uint32_t key,
                               const char *why)
{
	struct ady_bytes name = key ? ady_json_raw(r->doc, key) : (struct ady_bytes){0};
	char where[128];

	snprintf(where, sizeof where, "%s%s%.*s", r->at, key ? "." : "",
	         (int)(name.n < 48 ? name.n : 48), name.p ? (const char *)name.p : "");
	return ady_fail(r->f, err, where, "%s", why);
}

enum ady_err ady_policy_check(struct ady_policy_reader *r, uint32_t key, const char *why)
{
	if (!why)
		return ADY_OK;
	return ady_policy_refuse(
	    r, why == ady_policy_too_many ? ADY_E_TOO_LARGE : ADY_E_FIELD_INVALID, key, why);
}

/* A member that an object may have, and the key it was found at. */
struct member {
	const char *name;
	bool required;
	uint32_t key;
};

static enum ady_err find_members(struct ady_policy_reader *r, struct member *m, size_t n,
                                 uint32_t i)
{
	if (ady_json_kind(r->doc, i) != ADY_JSON_OBJECT)
		return ady_policy_check(r, 0, "must be an object");
	for (uint32_t k = ady_json_first(r->doc, i); k; k = ady_json_after(r->doc, i, k)) {
		size_t at = 0;

		while (at < n && !ady_json_is(r->doc, k, m[at].name))
			at++;
		if (at == n)
			return ady_policy_refuse(r, ADY_E_FIELD_UNKNOWN, k, "is not known");
		m[at].key = k;
	}
	for (size_t at = 0; at < n; at++)
		if (m[at].required && !m[at].key)
			return ady_fail(r->f, ADY_E_FIELD_MISSING, r->at, "needs \"%s\"",
			                m[at].name);
	return ADY_OK;
}

/* Names are shown in errors and logs. (JSON has no control characters in a string but by escapes.)
 */
static const char *read_name(struct ady_bytes *name, const struct ady_json *doc, uint32_t i,
                             size_t max)
{
	static const char why[] = "must be a name: 1 to 48 of printable ASCII without \" and \\";

	*name = ady_json_raw(doc, i);
	if (ady_json_kind(doc, i) != ADY_JSON_STRING || name->n == 0 || name->n > max)
		return why;
	for (size_t k = 0; k < name->n; k++)
		if (name->p[k] > 0x7e || name->p[k] == '\\')
			return why;
	return NULL;
}

/* A whole JSON number from 1 to max. */
static const char *read_count(uint32_t *v, const struct ady_json *doc, uint32_t i, uint32_t max,
                              const char *why)
{
	struct ady_u256 wide;
	uint64_t n = 0;
	bool number = ady_json_kind(doc, i) == ADY_JSON_NUMBER &&
	              ady_u256_parse_dec(&wide, ady_json_raw(doc, i)) == ADY_OK &&
	              ady_u256_to_u64(&n, &wide);

	*v = (uint32_t)n;
	return number && n >= 1 && n <= max ? NULL : why;
}

/* "90s", "15m", "24h" or "7d". */
static const char *read_period(uint32_t *per_s, const struct ady_json *doc, uint32_t i)
{
	static const char why[] =
	    "must be a period from \"60s\" to \"366d\": a number and s, m, h or d";
	struct ady_bytes text = ady_json_raw(doc, i);
	struct ady_u256 wide;
	uint64_t n, unit;

	if (ady_json_kind(doc, i) != ADY_JSON_STRING || text.n < 2)
		return why;
	switch (text.p[text.n - 1]) {
	case 's':
		unit = 1;
		break;
	case 'm':
		unit = 60;
		break;
	case 'h':
		unit = 3600;
		break;
	case 'd':
		unit = 86400;
		break;
	default:
		return why;
	}
	if (ady_u256_parse_dec(&wide, ady_bytes_sub(text, 0, text.n - 1)) != ADY_OK ||
	    !ady_u256_to_u64(&n, &wide) || n > PER_MAX_S || n * unit < PER_MIN_S ||
	    n * unit > PER_MAX_S)
		return why;
	*per_s = (uint32_t)(n * unit);
	return NULL;
}

static const char *check_keys(const struct ady_rulebook *book, const struct ady_approvals *a)
{
	struct ady_stamp_key key;

	for (uint16_t i = a->at; i < a->at + a->n; i++) {
		if (!ady_stamp_key_read(&key, book->values[i].bytes))
			return "must have keys as ed25519:, p256: or webauthn:ID: and lower-case "
			       "hex";
		if (ady_values_have(book->values + a->at, (size_t)(i - a->at), &book->values[i]))
			return "has a key twice";
	}
	return NULL;
}

/* {"need": 2, "of": [..]} at key. */
static enum ady_err read_approvals(struct ady_policy_reader *r, struct ady_approvals *a,
                                   uint32_t key)
{
	struct member m[] = {{"need", true, 0}, {"of", true, 0}};
	const char *why;
	uint32_t need;
	enum ady_err err = find_members(r, m, 2, key + 1);

	if (err != ADY_OK)
		return err;
	why = ady_values_of(r, &a->at, &a->n, m[1].key + 1, ADY_T_STRING, 0);
	if (!why)
		why = check_keys(r->book, a);
	if (why)
		return ady_policy_check(r, m[1].key, why);
	why = read_count(&need, r->doc, m[0].key + 1, a->n,
	                 "must be a number from 1 to the number of keys");
	a->need = (uint16_t)need;
	return ady_policy_check(r, m[0].key, why);
}

/* The counter of that name; limits of one name share it. */
static const char *find_counter(struct ady_rulebook *book, uint16_t *counter, struct ady_bytes name,
                                uint32_t per_s)
{
	uint16_t i = 0;

	while (i < book->counters_n && !ady_bytes_eq(book->counters[i].name, name))
		i++;
	if (i == ADY_COUNTERS_MAX)
		return ady_policy_too_many;
	if (i < book->counters_n && book->counters[i].per_s != per_s)
		return "has the name of another limit, but another period";
	if (i == book->counters_n)
		book->counters[book->counters_n++] =
		    (struct ady_counter_info){.name = name, .per_s = per_s};
	*counter = i;
	return NULL;
}

static const char *read_sum(struct ady_policy_reader *r, struct ady_limit *limit,
                            const struct ady_rule *rule, uint32_t i)
{
	const char *why;

	if (ady_json_kind(r->doc, i) != ADY_JSON_STRING)
		return "must be the name of a field";
	why = ady_term_read(r, &limit->term, rule->cond, ady_json_raw(r->doc, i));
	if (why)
		return why;
	if (limit->term.kind != ADY_T_UINT)
		return "must be a field of unsigned numbers";
	return limit->term.field > ADY_FIELDS && r->book->paths[limit->term.path].many
	           ? "must be one number, not the items of a list"
	           : NULL;
}

static const char *read_max(struct ady_policy_reader *r, struct ady_limit *limit, uint32_t i)
{
	struct ady_value v;
	const char *why = ady_value_read(&v, r->doc, i, ADY_T_UINT, 256, &r->space);

	if (!why)
		memcpy(limit->max.be, v.word, sizeof limit->max.be);
	return why;
}

/* A rule that charged a counter twice could pass its limit. */
static const char *check_once(const struct ady_rulebook *book, const struct ady_rule *rule,
                              uint16_t counter)
{
	for (uint16_t i = rule->limit; i < book->limits_n; i++)
		if (book->limits[i].counter == counter)
			return "has the name of another limit of this rule";
	return NULL;
}

enum limit_member { L_NAME, L_PER, L_MAX, L_SUM, LIMIT_MEMBERS };

static enum ady_err read_limit(struct ady_policy_reader *r, const struct ady_rule *rule, uint32_t i)
{
	struct member m[LIMIT_MEMBERS] = {
	    {"name", true, 0}, {"per", true, 0}, {"max", true, 0}, {"sum", false, 0}};
	struct ady_limit limit = {.text = ady_json_raw(r->doc, i)};
	struct ady_rulebook *book = r->book;
	struct ady_bytes name;
	uint32_t per_s = 0;
	const char *why;
	enum ady_err err = find_members(r, m, LIMIT_MEMBERS, i);

	if (err != ADY_OK)
		return err;
	if (book->limits_n == ADY_LIMITS_MAX)
		return ady_policy_check(r, 0, ady_policy_too_many);
	if ((why = read_period(&per_s, r->doc, m[L_PER].key + 1)))
		return ady_policy_check(r, m[L_PER].key, why);
	if ((why = read_name(&name, r->doc, m[L_NAME].key + 1, ADY_COUNTER_NAME_MAX)) ||
	    (why = find_counter(book, &limit.counter, name, per_s)) ||
	    (why = check_once(book, rule, limit.counter)))
		return ady_policy_check(r, m[L_NAME].key, why);
	if ((why = read_max(r, &limit, m[L_MAX].key + 1)))
		return ady_policy_check(r, m[L_MAX].key, why);
	limit.counts = m[L_SUM].key == 0;
	if (!limit.counts && (why = read_sum(r, &limit, rule, m[L_SUM].key + 1)))
		return ady_policy_check(r, m[L_SUM].key, why);
	book->limits[book->limits_n++] = limit;
	return ADY_OK;
}

static enum ady_err read_limits(struct ady_policy_reader *r, const struct ady_rule *rule,
                                uint32_t key)
{
	enum ady_err err = ADY_OK;

	if (ady_json_kind(r->doc, key + 1) != ADY_JSON_ARRAY)
		return ady_policy_check(r, key, "must be an array of limits");
	for (uint32_t i = ady_json_first(r->doc, key + 1); err == ADY_OK && i;
	     i = ady_json_after(r->doc, key + 1, i))
		err = read_limit(r, rule, i);
	return err;
}

enum rule_member { R_NAME, R_EFFECT, R_WHEN, R_LIMITS, R_APPROVALS, R_NOTE, RULE_MEMBERS };

static const char *read_rule_name(const struct ady_rulebook *book, struct ady_rule *rule,
                                  const struct ady_json *doc, uint32_t i)
{
	const char *why = read_name(&rule->name, doc, i, ADY_RULE_NAME_MAX);

	for (uint16_t k = 0; !why && k < book->rules_n; k++)
		if (ady_bytes_eq(book->rules[k].name, rule->name))
			why = "is the name of an earlier rule";
	return why;
}

static const char *read_effect(struct ady_rule *rule, const struct ady_json *doc, uint32_t i)
{
	rule->deny = ady_json_is(doc, i, "deny");
	return rule->deny || ady_json_is(doc, i, "allow") ? NULL : "must be \"allow\" or \"deny\"";
}

/* What stands beside the conditions, and belongs to what is allowed. */
static enum ady_err read_bounds(struct ady_policy_reader *r, struct ady_rule *rule,
                                const struct member *m)
{
	enum ady_err err = ADY_OK;
	uint32_t bound = m[R_LIMITS].key ? m[R_LIMITS].key : m[R_APPROVALS].key;

	if (rule->deny && bound)
		return ady_policy_check(r, bound, "belongs to an allow rule");
	rule->limit = r->book->limits_n;
	if (m[R_LIMITS].key)
		err = read_limits(r, rule, m[R_LIMITS].key);
	rule->limits = (uint16_t)(r->book->limits_n - rule->limit);
	if (err == ADY_OK && m[R_APPROVALS].key)
		err = read_approvals(r, &rule->approvals, m[R_APPROVALS].key);
	return err;
}

static enum ady_err read_rule(struct ady_policy_reader *r, uint32_t i)
{
	struct member m[RULE_MEMBERS] = {{"name", true, 0},       {"effect", true, 0},
	                                 {"when", true, 0},       {"limits", false, 0},
	                                 {"approvals", false, 0}, {"note", false, 0}};
	struct ady_rulebook *book = r->book;
	struct ady_rule *rule = &book->rules[book->rules_n];
	const char *why;
	enum ady_err err;

	if (book->rules_n == ADY_RULES_MAX)
		return ady_policy_check(r, 0, ady_policy_too_many);
	*rule = (struct ady_rule){.cond = book->conds_n};
	if ((err = find_members(r, m, RULE_MEMBERS, i)) != ADY_OK)
		return err;
	if ((why = read_rule_name(book, rule, r->doc, m[R_NAME].key + 1)))
		return ady_policy_check(r, m[R_NAME].key, why);
	if ((why = read_effect(rule, r->doc, m[R_EFFECT].key + 1)))
		return ady_policy_check(r, m[R_EFFECT].key, why);
	if ((err = ady_conditions_read(r, m[R_WHEN].key)) != ADY_OK)
		return err;
	rule->conds = (uint16_t)(book->conds_n - rule->cond);
	err = read_bounds(r, rule, m);
	book->rules_n++;
	return err;
}

static enum ady_err read_rules(struct ady_policy_reader *r, const char *at, uint32_t key)
{
	enum ady_err err = ADY_OK;
	unsigned index = 0;

	if (ady_json_kind(r->doc, key + 1) != ADY_JSON_ARRAY)
		return ady_policy_check(r, key, "must be an array of rules");
	for (uint32_t i = ady_json_first(r->doc, key + 1); err == ADY_OK && i;
	     i = ady_json_after(r->doc, key + 1, i)) {
		snprintf(r->at, sizeof r->at, "%.32s.rules[%u]", at, index++);
		err = read_rule(r, i);
	}
	return err;
}

/* Their names; the values are read where they are used. */
static enum ady_err read_lists(struct ady_policy_reader *r, uint32_t key)
{
	const struct ady_json *doc = r->doc;
	uint32_t i = key + 1;

	if (ady_json_kind(doc, i) != ADY_JSON_OBJECT)
		return ady_policy_check(r, key, "must be an object of arrays");
	for (uint32_t k = ady_json_first(doc, i); k; k = ady_json_after(doc, i, k)) {
		struct ady_list *list = &r->lists[r->lists_n];
		const char *why;

		if (r->lists_n == ADY_LISTS_MAX)
			return ady_policy_check(r, k, ady_policy_too_many);
		*list = (struct ady_list){.token = k + 1};
		why = read_name(&list->name, doc, k, ADY_RULE_NAME_MAX);
		if (!why && ady_json_kind(doc, k + 1) != ADY_JSON_ARRAY)
			why = "must be an array";
		if (why)
			return ady_policy_check(r, k, why);
		r->lists_n++;
	}
	return ADY_OK;
}

static void clear(struct ady_rulebook *book)
{
	book->rules_n = book->conds_n = book->values_n = book->paths_n = 0;
	book->functions_n = book->windows_n = book->limits_n = book->counters_n = 0;
	book->types.n = 1;
	book->change = (struct ady_approvals){0};
	book->each_key = false;
	book->rules[0] = (struct ady_rule){0};
}

static const char *read_count_of(struct ady_rulebook *book, const struct ady_json *doc, uint32_t i)
{
	book->each_key = ady_json_is(doc, i, "key");
	return book->each_key || ady_json_is(doc, i, "wallet") ? NULL
	                                                       : "must be \"wallet\" or \"key\"";
}

enum top_member { P_POLICY, P_RULES, P_LISTS, P_CHANGE, P_COUNT, P_NOTE, TOP_MEMBERS };

enum ady_err ady_rulebook_read(struct ady_rulebook *book, const struct ady_json *doc, uint32_t i,
                               const char *at, struct ady_fault *f)
{
	struct member m[TOP_MEMBERS] = {{"policy", true, 0}, {"rules", true, 0},
	                                {"lists", false, 0}, {"change", false, 0},
	                                {"count", false, 0}, {"note", false, 0}};
	struct ady_policy_reader r = {
	    .book = book, .doc = doc, .f = f, .space = ady_buf(book->space, sizeof book->space)};
	struct ady_bytes version;
	enum ady_err err;

	clear(book);
	snprintf(r.at, sizeof r.at, "%s", at);
	if ((err = find_members(&r, m, TOP_MEMBERS, i)) != ADY_OK)
		return err;
	version = ady_json_raw(doc, m[P_POLICY].key + 1);
	if (ady_json_kind(doc, m[P_POLICY].key + 1) != ADY_JSON_NUMBER ||
	    !ady_bytes_is(version, "1"))
		return ady_policy_check(&r, m[P_POLICY].key, "must be 1");
	if (m[P_LISTS].key && (err = read_lists(&r, m[P_LISTS].key)) != ADY_OK)
		return err;
	if (m[P_CHANGE].key && (err = read_approvals(&r, &book->change, m[P_CHANGE].key)) != ADY_OK)
		return err;
	if (m[P_COUNT].key) {
		const char *why = read_count_of(book, doc, m[P_COUNT].key + 1);

		if (why)
			return ady_policy_check(&r, m[P_COUNT].key, why);
	}
	return read_rules(&r, at, m[P_RULES].key);
}
