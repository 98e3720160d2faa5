/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors by "Troubleshooting signed requests for AWS APIs", IAM User Guide. */
#include "devcloud/auth.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/sigv4.h"
#include "base/clock.h"
#include "base/secret.h"
#include "base/text.h"
#include "crypto/hash.h"

enum { SKEW_S = 900, SIGNED_MAX = 48 };

/* The parts of "AWS4-HMAC-SHA256 Credential=AK/day/region/service/aws4_request,
 * SignedHeaders=a;b, Signature=hex". */
struct authorization {
	struct ady_bytes access_key, day, region, service, terminator, names, signature;
};

static enum ady_err incomplete(struct ady_dev_call *c, const char *why)
{
	return ady_dev_refuse(c, 400, "IncompleteSignatureException", "%s", why);
}

static enum ady_err mismatch(struct ady_dev_call *c, const char *why)
{
	return ady_dev_refuse(c, 400, "InvalidSignatureException", "%s", why);
}

/* Cut what stands before the first sep off *rest; all of it when there is none. */
static struct ady_bytes cut(struct ady_bytes *rest, char sep)
{
	const uint8_t *at = rest->n ? (const uint8_t *)memchr(rest->p, sep, rest->n) : NULL;
	size_t n = at ? (size_t)(at - rest->p) : rest->n;
	struct ady_bytes part = ady_bytes_sub(*rest, 0, n);

	*rest = at ? ady_bytes_sub(*rest, n + 1, rest->n - n - 1) : (struct ady_bytes){0};
	return part;
}

static struct ady_bytes trim(struct ady_bytes b)
{
	while (b.n && b.p[0] == ' ')
		b = ady_bytes_sub(b, 1, b.n - 1);
	while (b.n && b.p[b.n - 1] == ' ')
		b.n--;
	return b;
}

static bool take_value(struct ady_bytes *value, struct ady_bytes item, const char *name)
{
	size_t n = strlen(name);

	if (item.n <= n || memcmp(item.p, name, n) != 0 || value->p)
		return false;
	*value = ady_bytes_sub(item, n, item.n - n);
	return true;
}

static enum ady_err read_authorization(struct ady_dev_call *c, struct authorization *a,
                                       struct ady_bytes text)
{
	struct ady_bytes scope = {0}, item;

	*a = (struct authorization){0};
	if (!ady_bytes_is(cut(&text, ' '), "AWS4-HMAC-SHA256"))
		return incomplete(c, "Authorization header requires the algorithm "
		                     "AWS4-HMAC-SHA256.");
	while (text.n) {
		item = trim(cut(&text, ','));
		if (!take_value(&scope, item, "Credential=") &&
		    !take_value(&a->names, item, "SignedHeaders=") &&
		    !take_value(&a->signature, item, "Signature="))
			return incomplete(c, "Authorization header holds an unknown, empty or "
			                     "repeated parameter.");
	}
	if (!scope.n || !a->names.n || !a->signature.n)
		return incomplete(c, "Authorization header requires 'Credential', 'SignedHeaders' "
		                     "and 'Signature' parameters.");
	a->access_key = cut(&scope, '/');
	a->day = cut(&scope, '/');
	a->region = cut(&scope, '/');
	a->service = cut(&scope, '/');
	a->terminator = scope;
	if (!a->access_key.n || !ady_bytes_is(a->terminator, "aws4_request"))
		return incomplete(c, "Credential must have the form "
		                     "<access key>/<date>/<region>/<service>/aws4_request.");
	return ADY_OK;
}

/* x-amz-date, near enough to now, and on the day of the scope. */
static enum ady_err check_date(struct ady_dev_call *c, const struct authorization *a,
                               const struct ady_http_head *head, int64_t *unix_s)
{
	struct ady_bytes date = ady_http_field(head, "x-amz-date");
	char now[17];

	if (!date.p || date.n != 16 || ady_time_parse(unix_s, date) != ADY_OK)
		return incomplete(c, "X-Amz-Date is missing or not of the form "
		                     "YYYYMMDD'T'HHMMSS'Z'.");
	ady_time_basic(now, c->now_s);
	if (*unix_s < c->now_s - SKEW_S)
		return ady_dev_refuse(c, 400, "InvalidSignatureException",
		                      "Signature expired: %.16s is now earlier than %s - 15 min.",
		                      (const char *)date.p, now);
	if (*unix_s > c->now_s + SKEW_S)
		return ady_dev_refuse(c, 400, "InvalidSignatureException",
		                      "Signature not yet current: %.16s is still later than "
		                      "%s + 15 min.",
		                      (const char *)date.p, now);
	if (!ady_bytes_eq(a->day, ady_bytes_sub(date, 0, 8)))
		return mismatch(c, "Date in Credential scope does not match the date of "
		                   "X-Amz-Date.");
	return ADY_OK;
}

static enum ady_err check_scope(struct ady_dev_call *c, const struct authorization *a,
                                const char *service)
{
	bool global = strcmp(service, "sts") == 0 && ady_bytes_is(a->region, "us-east-1");

	if (!ady_bytes_is(a->service, service))
		return ady_dev_refuse(c, 400, "InvalidSignatureException",
		                      "Credential should be scoped to correct service: '%s'.",
		                      service);
	if (!ady_bytes_is(a->region, c->cloud->region) && !global)
		return ady_dev_refuse(c, 400, "InvalidSignatureException",
		                      "Credential should be scoped to a valid region, not '%.*s'.",
		                      (int)(a->region.n > 32 ? 32 : a->region.n),
		                      (const char *)a->region.p);
	return ADY_OK;
}

static bool same_name(struct ady_bytes lower, struct ady_bytes any)
{
	if (lower.n != any.n)
		return false;
	for (size_t i = 0; i < lower.n; i++)
		if (lower.p[i] != tolower(any.p[i]))
			return false;
	return true;
}

/* The one field of that name; repeated ones are refused, as their order could be changed. */
static bool find_field(struct ady_bytes *value, const struct ady_http_head *head,
                       struct ady_bytes name)
{
	size_t found = 0;

	for (size_t i = 0; i < head->fields_n; i++)
		if (same_name(name, head->fields[i].name)) {
			*value = head->fields[i].value;
			found++;
		}
	return found == 1;
}

static bool comes_after(struct ady_bytes a, struct ady_bytes b)
{
	int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return c ? c > 0 : a.n > b.n;
}

/* Collect the signed fields, whose names stand in order. */
static enum ady_err collect(struct ady_dev_call *c, struct ady_sigv4_field *fields, size_t *n,
                            const struct ady_http_head *head, struct ady_bytes names)
{
	bool host = false;

	for (*n = 0; names.n; (*n)++) {
		struct ady_bytes name = cut(&names, ';');

		if (*n == SIGNED_MAX || !name.n || (*n && !comes_after(name, fields[*n - 1].name)))
			return incomplete(c, "SignedHeaders are not a sorted list of names.");
		if (!find_field(&fields[*n].value, head, name))
			return mismatch(c, "A signed header is missing or repeated.");
		fields[*n].name = name;
		host = host || ady_bytes_is(name, "host");
	}
	return host ? ADY_OK : mismatch(c, "'Host' must be a 'SignedHeader' in the request.");
}

static bool is_signed(const struct ady_sigv4_field *fields, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (ady_bytes_is(fields[i].name, name))
			return true;
	return false;
}

/* Every x-amz- field that is there must be signed: else someone on the way could change the
 * operation (X-Amz-Target) or the date. */
static enum ady_err check_signed(struct ady_dev_call *c, const struct ady_http_head *head,
                                 const struct ady_sigv4_field *fields, size_t n)
{
	char name[64];

	for (size_t i = 0; i < head->fields_n; i++) {
		struct ady_bytes f = head->fields[i].name;

		if (f.n < 6 || f.n >= sizeof name)
			continue;
		for (size_t j = 0; j < f.n; j++)
			name[j] = (char)tolower(f.p[j]);
		name[f.n] = '\0';
		if (strncmp(name, "x-amz-", 6) == 0 && !is_signed(fields, n, name))
			return ady_dev_refuse(c, 400, "InvalidSignatureException",
			                      "'%s' must be a 'SignedHeader' in the request.",
			                      name);
	}
	return ADY_OK;
}

static enum ady_err unrecognized(struct ady_dev_call *c)
{
	(void)ady_dev_refuse(c, 400, "UnrecognizedClientException",
	                     "The security token included in the request is invalid.");
	return ADY_E_DENIED;
}

static enum ady_err find_credential(struct ady_dev_call *c, struct ady_dev_credential **out,
                                    const struct ady_http_head *head, struct ady_bytes access_key)
{
	struct ady_dev_credential *k = ady_dev_credential_find(c->cloud, access_key);
	struct ady_bytes token = ady_http_field(head, "x-amz-security-token");

	*out = k;
	if (!k || strlen(k->keys.token) != token.n ||
	    (token.n && !ady_secret_eq_ct(k->keys.token, token.p, token.n)))
		return unrecognized(c);
	if (k->keys.expires_unix_s && k->keys.expires_unix_s <= c->now_s)
		return ady_dev_refuse(c, 400, "ExpiredTokenException",
		                      "The security token included in the request is expired");
	return ADY_OK;
}

/* The credential's signing key for scope: kept, as deriving it costs four HMACs. */
static enum ady_err signing_key(struct ady_dev_credential *k, const struct ady_sigv4_scope *scope)
{
	char name[sizeof k->scope], when[17];
	enum ady_err err;

	ady_time_basic(when, scope->unix_s);
	snprintf(name, sizeof name, "%.8s/%s/%s", when, scope->region, scope->service);
	if (strcmp(k->scope, name) == 0)
		return ADY_OK;
	if ((err = ady_sigv4_key(k->signing_key, k->keys.secret_key, scope)) != ADY_OK)
		return err;
	memcpy(k->scope, name, sizeof k->scope);
	return ADY_OK;
}

static enum ady_err check_signature(struct ady_dev_call *c, struct ady_dev_credential *k,
                                    const struct ady_sigv4_scope *scope,
                                    const struct ady_sigv4_request *r, struct ady_bytes signature)
{
	char want[65];

	if (signing_key(k, scope) != ADY_OK ||
	    ady_sigv4_signature_by(want, k->signing_key, scope, r) != ADY_OK)
		return mismatch(c, "The request is too large to be verified.");
	if (signature.n != 64 || !ady_secret_eq_ct(want, signature.p, 64))
		return mismatch(c, "The request signature we calculated does not match the "
		                   "signature you provided. Check your AWS Secret Access Key and "
		                   "signing method. Consult the service documentation for "
		                   "details.");
	return ADY_OK;
}

static enum ady_err check_hash(struct ady_dev_call *c, const struct ady_http_head *head,
                               const uint8_t hash[static 32])
{
	struct ady_bytes said = ady_http_field(head, "x-amz-content-sha256");
	char hex[65];

	ady_hex_encode(hex, ady_bytes(hash, 32));
	if (said.p && !ady_bytes_is(said, hex))
		return mismatch(c, "X-Amz-Content-Sha256 is not the hash of the body.");
	return ADY_OK;
}

enum ady_err ady_dev_authenticate(struct ady_dev_call *c, const struct ady_http_head *head,
                                  struct ady_bytes body, const char *service)
{
	struct ady_bytes text = ady_http_field(head, "authorization");
	struct ady_sigv4_field fields[SIGNED_MAX];
	struct ady_sigv4_scope scope = {.service = service};
	struct ady_sigv4_request r = {
	    .method = head->method, .path = head->path, .query = head->query, .fields = fields};
	struct ady_dev_credential *k;
	struct authorization a;
	uint8_t hash[32];
	enum ady_err err;

	if (!text.p)
		return ady_dev_refuse(c, 400, "MissingAuthenticationTokenException",
		                      "Missing Authentication Token");
	if ((err = read_authorization(c, &a, text)) != ADY_OK ||
	    (err = check_date(c, &a, head, &scope.unix_s)) != ADY_OK ||
	    (err = check_scope(c, &a, service)) != ADY_OK ||
	    (err = collect(c, fields, &r.fields_n, head, a.names)) != ADY_OK ||
	    (err = check_signed(c, head, fields, r.fields_n)) != ADY_OK ||
	    (err = find_credential(c, &k, head, a.access_key)) != ADY_OK)
		return err;
	ady_sha256(hash, &body, 1);
	r.payload_sha256 = hash;
	scope.region = ady_bytes_is(a.region, c->cloud->region) ? c->cloud->region : "us-east-1";
	if ((err = check_hash(c, head, hash)) != ADY_OK ||
	    (err = check_signature(c, k, &scope, &r, a.signature)) != ADY_OK)
		return err;
	c->who = &k->who;
	return ADY_OK;
}
