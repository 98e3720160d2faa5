/* SPDX-License-Identifier: Apache-2.0 */
#include "devcloud/policy.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "devcloud/condition.h"

static bool same_char(char a, char b, bool any_case)
{
	return a == b || (any_case && tolower((unsigned char)a) == tolower((unsigned char)b));
}

/* Greedy with one point to go back to: linear in practice, quadratic at worst, no recursion. */
bool ady_dev_wildcard(const char *pattern, const char *text, bool any_case)
{
	const char *star = NULL, *from = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = pattern++;
			from = text;
		} else if (*pattern && (*pattern == '?' || same_char(*pattern, *text, any_case))) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++from;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static enum ady_err malformed(struct ady_fault *f, const char *where, const char *why)
{
	return ady_fail(f, ADY_E_FIELD_INVALID, where, "%s", why);
}

/* A string, or an array of at least one string. */
static bool is_texts(const json_t *v)
{
	json_t *item;
	size_t i;

	if (json_is_string(v))
		return true;
	json_array_foreach(v, i, item)
	{
		if (!json_is_string(item))
			return false;
	}
	return json_array_size(v) > 0;
}

/* Call fn for each string of v until it returns true. */
static bool any_text(const json_t *v, bool (*fn)(const char *text, const void *ctx),
                     const void *ctx)
{
	json_t *item;
	size_t i;

	if (json_is_string(v))
		return fn(json_string_value(v), ctx);
	json_array_foreach(v, i, item)
	{
		if (fn(json_string_value(item), ctx))
			return true;
	}
	return false;
}

static bool is_account(const char *s)
{
	return strspn(s, "0123456789") == 12 && s[12] == '\0';
}

/* "*", an account number, or arn:aws*:iam|sts::ACCOUNT:... */
static bool is_bad_principal(const char *s, const void *ctx)
{
	char partition[16], service[8], account[13];
	int at = 0;

	(void)ctx;
	if (strcmp(s, "*") == 0 || is_account(s))
		return false;
	if (sscanf(s, "arn:%15[a-z-]:%7[a-z]::%12[0-9]:%n", partition, service, account, &at) !=
	        3 ||
	    at == 0)
		return true;
	return !is_account(account) || s[at] == '\0' || strchr(s, '*') ||
	       (strcmp(service, "iam") != 0 && strcmp(service, "sts") != 0);
}

static bool has_variable(const char *s, const void *ctx)
{
	(void)ctx;
	return strstr(s, "${") != NULL;
}

static bool is_bad_action(const char *s, const void *ctx)
{
	(void)ctx;
	return strcmp(s, "*") != 0 && !strchr(s, ':');
}

static enum ady_err check_principal(json_t *p, struct ady_fault *f)
{
	const char *type;
	json_t *names;

	if (json_is_string(p) && strcmp(json_string_value(p), "*") == 0)
		return ADY_OK;
	if (!json_is_object(p) || json_object_size(p) == 0)
		return malformed(f, "Principal", "is neither \"*\" nor an object");
	json_object_foreach(p, type, names)
	{
		if (strcmp(type, "AWS") != 0 && strcmp(type, "Service") != 0 &&
		    strcmp(type, "Federated") != 0)
			return malformed(f, "Principal", "is of an unknown type");
		if (!is_texts(names))
			return malformed(f, "Principal", "names nobody");
		if (strcmp(type, "AWS") == 0 && any_text(names, is_bad_principal, NULL))
			return malformed(f, "Principal", "holds an invalid principal");
	}
	return ADY_OK;
}

/* Exactly one of "X" and "NotX", as texts. */
static enum ady_err check_pair(const json_t *st, const char *name, const char *not_name,
                               struct ady_fault *f)
{
	const json_t *a = json_object_get(st, name), *b = json_object_get(st, not_name);

	if (!a == !b)
		return malformed(f, name, "stands not exactly once, plain or with Not");
	if (!is_texts(a ? a : b))
		return malformed(f, name, "is neither a string nor a list of strings");
	if (any_text(a ? a : b, has_variable, NULL))
		return malformed(f, name, "holds a policy variable, which is not known here");
	return ADY_OK;
}

static enum ady_err check_who(json_t *st, bool allow, enum ady_dev_policy_kind kind,
                              struct ady_fault *f)
{
	json_t *who = json_object_get(st, "Principal");
	json_t *not_who = json_object_get(st, "NotPrincipal");

	if (kind == ADY_DEV_IDENTITY_POLICY)
		return who || not_who ? malformed(f, "Principal", "is not for identity policies")
		                      : ADY_OK;
	if (!who == !not_who)
		return malformed(f, "Principal", "stands not exactly once, plain or with Not");
	if (not_who && allow)
		return malformed(f, "NotPrincipal", "is for Deny only");
	return check_principal(who ? who : not_who, f);
}

static enum ady_err check_members(json_t *st, struct ady_fault *f)
{
	static const char *const known[] = {"Sid",       "Effect",    "Principal", "NotPrincipal",
	                                    "Action",    "NotAction", "Resource",  "NotResource",
	                                    "Condition", NULL};
	json_t *v;
	const char *name;
	int i;

	json_object_foreach(st, name, v)
	{
		for (i = 0; known[i] && strcmp(known[i], name) != 0; i++)
			;
		if (!known[i])
			return ady_fail(f, ADY_E_FIELD_INVALID, "Statement",
			                "holds the unknown member %s", name);
	}
	return ADY_OK;
}

static enum ady_err check_statement(json_t *st, enum ady_dev_policy_kind kind, struct ady_fault *f)
{
	const char *effect = json_string_value(json_object_get(st, "Effect"));
	const json_t *actions, *sid = json_object_get(st, "Sid");
	json_t *condition = json_object_get(st, "Condition");
	enum ady_err err;

	if (!json_is_object(st))
		return malformed(f, "Statement", "is not an object");
	if ((err = check_members(st, f)) != ADY_OK)
		return err;
	if (sid && !json_is_string(sid))
		return malformed(f, "Sid", "is not a string");
	if (!effect || (strcmp(effect, "Allow") != 0 && strcmp(effect, "Deny") != 0))
		return malformed(f, "Effect", "is neither Allow nor Deny");
	if ((err = check_who(st, strcmp(effect, "Allow") == 0, kind, f)) != ADY_OK ||
	    (err = check_pair(st, "Action", "NotAction", f)) != ADY_OK ||
	    (err = check_pair(st, "Resource", "NotResource", f)) != ADY_OK)
		return err;
	actions = json_object_get(st, "Action");
	if (any_text(actions ? actions : json_object_get(st, "NotAction"), is_bad_action, NULL))
		return malformed(f, "Action", "is not of the form service:Name");
	return condition ? ady_dev_condition_check(condition, f) : ADY_OK;
}

static enum ady_err check_document(const json_t *doc, enum ady_dev_policy_kind kind,
                                   struct ady_fault *f)
{
	json_t *statements = json_object_get(doc, "Statement");
	const char *version = json_string_value(json_object_get(doc, "Version"));
	enum ady_err err;
	json_t *st;
	size_t i;

	if (!json_is_object(doc))
		return malformed(f, NULL, "the policy is not a JSON object");
	if (json_object_get(doc, "Version") && (!version || (strcmp(version, "2012-10-17") != 0 &&
	                                                     strcmp(version, "2008-10-17") != 0)))
		return malformed(f, "Version", "is not 2012-10-17");
	if (json_is_object(statements))
		return check_statement(statements, kind, f);
	if (json_array_size(statements) == 0)
		return malformed(f, "Statement", "is missing or empty");
	json_array_foreach(statements, i, st)
	{
		if ((err = check_statement(st, kind, f)) != ADY_OK)
			return err;
	}
	return ADY_OK;
}

enum ady_err ady_dev_policy_parse(json_t **policy, const char *text, enum ady_dev_policy_kind kind,
                                  struct ady_fault *f)
{
	json_t *doc = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	enum ady_err err;

	*policy = NULL;
	if (!doc)
		return malformed(f, NULL, "the policy is not valid JSON");
	if ((err = check_document(doc, kind, f)) != ADY_OK) {
		json_decref(doc);
		return err;
	}
	*policy = doc;
	return ADY_OK;
}

static bool action_matches(const char *pattern, const void *ctx)
{
	return ady_dev_wildcard(pattern, (const char *)ctx, true);
}

static bool resource_matches(const char *pattern, const void *ctx)
{
	return ady_dev_wildcard(pattern, (const char *)ctx, false);
}

/* Whether element name, or its Not form, covers text. */
static bool covers(const json_t *st, const char *name, const char *not_name,
                   bool (*fn)(const char *, const void *), const char *text)
{
	const json_t *plain = json_object_get(st, name);

	if (plain)
		return any_text(plain, fn, text);
	return !any_text(json_object_get(st, not_name), fn, text);
}

static bool names_caller(const char *s, const void *ctx)
{
	const struct ady_dev_question *q = (const struct ady_dev_question *)ctx;

	return strcmp(s, "*") == 0 || strcmp(s, q->role_arn) == 0;
}

static bool names_session(const char *s, const void *ctx)
{
	const struct ady_dev_question *q = (const struct ady_dev_question *)ctx;

	return strcmp(s, q->arn) == 0 && strcmp(q->arn, q->role_arn) != 0;
}

/* The account by its number or as arn:PARTITION:iam::NUMBER:root. */
static bool names_account(const char *s, const void *ctx)
{
	const struct ady_dev_question *q = (const struct ady_dev_question *)ctx;
	char root[64];

	snprintf(root, sizeof root, "::%s:root", q->account);
	return strcmp(s, q->account) == 0 || strstr(s, root);
}

struct named {
	bool caller, session, account;
};

static struct named who_is_named(const json_t *principal, const struct ady_dev_question *q)
{
	const json_t *aws = json_object_get(principal, "AWS");

	if (json_is_string(principal))
		return (struct named){.caller = true};
	if (!aws)
		return (struct named){0};
	return (struct named){.caller = any_text(aws, names_caller, q),
	                      .session = any_text(aws, names_session, q),
	                      .account = any_text(aws, names_account, q)};
}

/* Whom a statement means: in an identity policy, whoever has it. */
static struct named statement_who(const json_t *st, const struct ady_dev_question *q)
{
	const json_t *who = json_object_get(st, "Principal");
	const json_t *not_who = json_object_get(st, "NotPrincipal");
	struct named n;

	if (who)
		return who_is_named(who, q);
	if (!not_who)
		return (struct named){.caller = true};
	n = who_is_named(not_who, q);
	return (struct named){.caller = !n.caller && !n.session && !n.account};
}

static void ask_statement(struct ady_dev_verdict *v, const json_t *st,
                          const struct ady_dev_question *q)
{
	struct named n = statement_who(st, q);

	if (!n.caller && !n.session && !n.account)
		return;
	if (!covers(st, "Action", "NotAction", action_matches, q->action) ||
	    !covers(st, "Resource", "NotResource", resource_matches, q->resource) ||
	    !ady_dev_condition_holds(json_object_get(st, "Condition"), q->facts, q->facts_n))
		return;
	if (strcmp(json_string_value(json_object_get(st, "Effect")), "Deny") == 0) {
		v->deny = true;
		return;
	}
	v->allow |= n.caller;
	v->allow_session |= n.session;
	v->allow_account |= n.account;
}

struct ady_dev_verdict ady_dev_policy_ask(const json_t *policy, const struct ady_dev_question *q)
{
	const json_t *statements = json_object_get(policy, "Statement");
	struct ady_dev_verdict v = {0};
	json_t *st;
	size_t i;

	if (json_is_object(statements))
		ask_statement(&v, statements, q);
	json_array_foreach(statements, i, st)
	{
		ask_statement(&v, st, q);
	}
	return v;
}
