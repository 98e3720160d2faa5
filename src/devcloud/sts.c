/* SPDX-License-Identifier: Apache-2.0 */
#include "devcloud/sts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "codec/http1.h"
#include "devcloud/authorize.h"
#include "devcloud/policy.h"

enum { CHAINED_MAX_S = 3600 };

/* One name=value of the form; '+' is a blank there (URL standard, 5.1). */
static bool read_pair(json_t *form, struct ady_bytes pair)
{
	const uint8_t *eq = (const uint8_t *)memchr(pair.p, '=', pair.n);
	size_t at = eq ? (size_t)(eq - pair.p) : pair.n, cap = pair.n + 1;
	char *spaced = (char *)malloc(cap), *name = (char *)malloc(cap),
	     *value = (char *)malloc(cap);
	bool ok = spaced && name && value;

	for (size_t i = 0; ok && i < pair.n; i++)
		spaced[i] = pair.p[i] == '+' ? ' ' : (char)pair.p[i];
	ok = ok && ady_http_unescape(name, cap, ady_bytes(spaced, at)) == ADY_OK &&
	     ady_http_unescape(value, cap,
	                       eq ? ady_bytes(spaced + at + 1, pair.n - at - 1)
	                          : (struct ady_bytes){0}) == ADY_OK &&
	     !json_object_get(form, name) &&
	     json_object_set_new(form, name, json_string(value)) == 0;
	free(spaced);
	free(name);
	free(value);
	return ok;
}

json_t *ady_dev_sts_form(struct ady_bytes body)
{
	json_t *form = json_object();

	while (body.n) {
		const uint8_t *amp = (const uint8_t *)memchr(body.p, '&', body.n);
		size_t n = amp ? (size_t)(amp - body.p) : body.n;

		if (n && !read_pair(form, ady_bytes_sub(body, 0, n))) {
			json_decref(form);
			return NULL;
		}
		body = amp ? ady_bytes_sub(body, n + 1, body.n - n - 1) : (struct ady_bytes){0};
	}
	return form;
}

/* "No permissions are required": not even a Deny stops it. */
static enum ady_err get_caller_identity_op(struct ady_dev_call *c)
{
	json_object_set_new(c->out, "Arn", json_string(c->who->arn));
	json_object_set_new(c->out, "UserId", json_string(c->who->unique_id));
	json_object_set_new(c->out, "Account", json_string(c->cloud->account));
	return ADY_OK;
}

static enum ady_err read_duration(struct ady_dev_call *c, int *seconds)
{
	bool chained = strcmp(c->who->arn, c->who->role_arn) != 0;
	const char *text;
	char *end = NULL;
	enum ady_err err;
	long v = 3600;

	if ((err = ady_dev_get_text(c, "DurationSeconds", 0, 12, &text)) != ADY_OK)
		return err;
	if (text)
		v = strtol(text, &end, 10);
	if (text && (end == text || *end || v < 900 || v > 43200))
		return ady_dev_refuse(c, 400, "ValidationException",
		                      "1 validation error detected: Value '%s' at "
		                      "'durationSeconds' failed to satisfy constraint: Member must "
		                      "have value between 900 and 43200",
		                      text);
	if (chained && v > CHAINED_MAX_S)
		return ady_dev_refuse(c, 400, "ValidationException",
		                      "The requested DurationSeconds exceeds the 1 hour session "
		                      "limit for roles assumed by role chaining");
	*seconds = (int)v;
	return ADY_OK;
}

static enum ady_err read_session(struct ady_dev_call *c, struct ady_dev_session *s,
                                 const char **role_arn)
{
	struct ady_fault f = {0};
	json_t *policy = NULL;
	enum ady_err err;

	if ((err = ady_dev_get_text(c, "RoleArn", 20, 2048, role_arn)) != ADY_OK ||
	    (err = ady_dev_get_text(c, "RoleSessionName", 2, 64, &s->name)) != ADY_OK ||
	    (err = ady_dev_get_text(c, "Policy", 0, 2048, &s->policy)) != ADY_OK ||
	    (err = read_duration(c, &s->seconds)) != ADY_OK)
		return err;
	if (strspn(s->name,
	           "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+=,.@-") !=
	    strlen(s->name))
		return ady_dev_refuse(c, 400, "ValidationException",
		                      "RoleSessionName holds a character that is not allowed");
	if (json_object_get(c->in, "PolicyArns.member.1.arn"))
		return ady_dev_refuse(c, 400, "ValidationException",
		                      "This local stand-in has no managed policies");
	if (s->policy &&
	    ady_dev_policy_parse(&policy, s->policy, ADY_DEV_IDENTITY_POLICY, &f) != ADY_OK)
		return ady_dev_refuse(c, 400, "MalformedPolicyDocumentException", "%s %s", f.where,
		                      f.detail);
	json_decref(policy);
	return ADY_OK;
}

/* Every role trusts its account: the caller's identity policy decides. */
static enum ady_err assume_role_op(struct ady_dev_call *c)
{
	struct ady_aws_credentials k;
	struct ady_dev_session s = {0};
	char prefix[48], arn[320], id[32], when[21];
	const char *role_arn;
	enum ady_err err;

	if ((err = read_session(c, &s, &role_arn)) != ADY_OK ||
	    (err = ady_dev_authorize(c, "sts:AssumeRole", role_arn, NULL, NULL)) != ADY_OK)
		return err;
	snprintf(prefix, sizeof prefix, "arn:aws:iam::%s:role/", c->cloud->account);
	s.role = strncmp(role_arn, prefix, strlen(prefix)) == 0 ? role_arn + strlen(prefix) : "";
	err = ady_dev_session_new(c->cloud, &s, &k);
	if (err == ADY_E_NOT_FOUND)
		return ady_dev_refuse(c, 403, "AccessDeniedException",
		                      "User: %s is not authorized to perform: sts:AssumeRole on "
		                      "resource: %s",
		                      c->who->arn, role_arn);
	if (err != ADY_OK)
		return err;
	ady_dev_role_id(c->cloud, s.role, id);
	snprintf(arn, sizeof arn, "arn:aws:sts::%s:assumed-role/%s/%s", c->cloud->account, s.role,
	         s.name);
	ady_time_rfc3339(when, k.expires_unix_s);
	json_object_set_new(c->out, "AssumedRoleUser",
	                    json_pack("{s:s, s:o}", "Arn", arn, "AssumedRoleId",
	                              json_sprintf("%s:%s", id, s.name)));
	json_object_set_new(c->out, "Credentials",
	                    json_pack("{s:s, s:s, s:s, s:s}", "AccessKeyId", k.access_key,
	                              "SecretAccessKey", k.secret_key, "SessionToken", k.token,
	                              "Expiration", when));
	ady_aws_credentials_wipe(&k);
	return ADY_OK;
}

static const struct ady_dev_op OPS[] = {
    {"GetCallerIdentity", get_caller_identity_op, false},
    {"AssumeRole", assume_role_op, true},
    {0},
};

enum ady_err ady_dev_sts(const char *name, struct ady_dev_call *c)
{
	return ady_dev_run(OPS, name, c);
}

static void put_escaped(struct ady_dyn *d, const char *s)
{
	for (; *s; s++) {
		if (*s == '<')
			ady_dyn_str(d, "&lt;");
		else if (*s == '>')
			ady_dyn_str(d, "&gt;");
		else if (*s == '&')
			ady_dyn_str(d, "&amp;");
		else
			ady_dyn_put(d, s, 1);
	}
}

/* Texts, and objects of texts: no answer here is deeper. */
static void put_members(struct ady_dyn *d, json_t *o)
{
	json_t *v, *inner;
	const char *name, *inner_name;

	json_object_foreach(o, name, v)
	{
		ady_dyn_printf(d, "<%s>", name);
		put_escaped(d, json_is_string(v) ? json_string_value(v) : "");
		json_object_foreach(v, inner_name, inner)
		{
			ady_dyn_printf(d, "<%s>", inner_name);
			put_escaped(d, json_string_value(inner));
			ady_dyn_printf(d, "</%s>", inner_name);
		}
		ady_dyn_printf(d, "</%s>\n", name);
	}
}

void ady_dev_sts_answer(struct ady_dyn *d, const char *name, json_t *out, const char *request_id)
{
	ady_dyn_printf(d,
	               "<%sResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n"
	               "<%sResult>\n",
	               name, name);
	put_members(d, out);
	ady_dyn_printf(d,
	               "</%sResult>\n<ResponseMetadata><RequestId>%s</RequestId>"
	               "</ResponseMetadata>\n</%sResponse>\n",
	               name, request_id, name);
}

struct name {
	const char *json, *query;
	int status;
};

/* What the JSON services call otherwise (STS API reference, "Common Errors"). */
static struct name query_name(const struct ady_dev_refusal *r)
{
	static const struct name names[] = {
	    {"AccessDeniedException", "AccessDenied", 403},
	    {"InvalidSignatureException", "SignatureDoesNotMatch", 403},
	    {"IncompleteSignatureException", "IncompleteSignature", 400},
	    {"MissingAuthenticationTokenException", "MissingAuthenticationToken", 403},
	    {"UnrecognizedClientException", "InvalidClientTokenId", 403},
	    {"ExpiredTokenException", "ExpiredToken", 403},
	    {"ValidationException", "ValidationError", 400},
	    {"MalformedPolicyDocumentException", "MalformedPolicyDocument", 400},
	    {"ThrottlingException", "Throttling", 400},
	    {"UnknownOperationException", "InvalidAction", 400},
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i].json, r->type) == 0)
			return names[i];
	return (struct name){r->type, r->type, r->status};
}

int ady_dev_sts_refusal(struct ady_dyn *d, const struct ady_dev_refusal *r, const char *request_id)
{
	struct name n = query_name(r);

	ady_dyn_printf(d,
	               "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n"
	               "<Error><Type>%s</Type><Code>%s</Code><Message>",
	               n.status >= 500 ? "Receiver" : "Sender", n.query);
	put_escaped(d, r->message);
	ady_dyn_printf(d, "</Message></Error>\n<RequestId>%s</RequestId>\n</ErrorResponse>\n",
	               request_id);
	return n.status;
}
