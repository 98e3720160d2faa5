/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests signed by ady_sigv4_authorize, and each way in which they are refused. */
#include "devcloud/auth.h"

#include "aws/sigv4.h"
#include "cloud_fixture.h"
#include "crypto/hash.h"

static const char BODY[] = "{}";

struct request {
	struct ady_aws_credentials keys;
	const char *region, *service, *body;
	const char *omit; /* a field that is left out of the signed ones */
	int64_t at_s;
	char head[8192];
	struct ady_http_head parsed;
};

static void start(struct fixture *f, struct request *r, const char *role)
{
	*r = (struct request){.keys = fixture_keys(f, role, NULL),
	                      .region = "us-east-1",
	                      .service = "kms",
	                      .body = BODY,
	                      .at_s = ady_wall_ms() / 1000};
}

/* The value of Authorization for r, as a client computes it. */
static void authorize(const struct request *r, char out[static 2048], const char *when)
{
	struct ady_sigv4_field all[] = {
	    {ady_bytes_str("host"), ady_bytes_str("localhost")},
	    {ady_bytes_str("x-amz-date"), ady_bytes_str(when)},
	    {ady_bytes_str("x-amz-security-token"), ady_bytes_str(r->keys.token)},
	    {ady_bytes_str("x-amz-target"), ady_bytes_str("TrentService.ListKeys")},
	};
	struct ady_sigv4_field fields[4];
	struct ady_bytes body = ady_bytes_str(BODY);
	struct ady_buf b = ady_buf(out, 2047);
	uint8_t hash[32];
	struct ady_sigv4_request q = {.method = ady_bytes_str("POST"),
	                              .path = ady_bytes_str("/"),
	                              .fields = fields,
	                              .payload_sha256 = hash};
	struct ady_sigv4_scope scope = {
	    .region = r->region, .service = r->service, .unix_s = r->at_s};

	for (size_t i = 0; i < 4; i++)
		if (!(r->omit && ady_bytes_is(all[i].name, r->omit)) &&
		    !(i == 2 && !r->keys.token[0]))
			fields[q.fields_n++] = all[i];
	ady_sha256(hash, &body, 1);
	CHECK_ERR(ady_sigv4_authorize(&b, &r->keys, &scope, &q), ADY_OK);
	out[b.n] = '\0';
}

/* Write the head with that Authorization (NULL: none) and judge it. Returns the error's name. */
static const char *judge(struct fixture *f, struct request *r, const char *authorization)
{
	struct ady_fault fault = {0};
	struct ady_buf b = ady_buf(r->head, sizeof r->head);
	char when[17];

	ady_time_basic(when, r->at_s);
	ady_buf_printf(&b, "POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Date: %s\r\n", when);
	if (r->keys.token[0])
		ady_buf_printf(&b, "X-Amz-Security-Token: %s\r\n", r->keys.token);
	ady_buf_printf(&b, "X-Amz-Target: TrentService.ListKeys\r\n");
	if (authorization)
		ady_buf_printf(&b, "Authorization: %s\r\n", authorization);
	ady_buf_printf(&b, "Content-Length: 2\r\n\r\n");
	CHECK_ERR(ady_http_parse_request(&r->parsed, ady_buf_bytes(&b), &fault), ADY_OK);
	ady_dev_call_end(&f->call);
	f->call =
	    (struct ady_dev_call){.cloud = &f->cloud, .now_s = ady_wall_ms() / 1000 + f->later_s};
	if (ady_dev_authenticate(&f->call, &r->parsed, ady_bytes_str(r->body), "kms") == ADY_OK)
		return "";
	CHECK(!f->call.who);
	return f->call.refusal.type;
}

static const char *sign_and_judge(struct fixture *f, struct request *r)
{
	char authorization[2048], when[17];

	ady_time_basic(when, r->at_s);
	authorize(r, authorization, when);
	return judge(f, r, authorization);
}

CASE(good_signatures_name_their_caller)
{
	struct request r;
	struct fixture f;

	fixture_new(&f);
	start(&f, &r, NULL);
	CHECK_STR(sign_and_judge(&f, &r), "");
	CHECK_STR(f.call.who->arn, "arn:aws:iam::111122223333:user/adyton-admin");
	CHECK_STR(sign_and_judge(&f, &r), "");
	start(&f, &r, "adyton-instance");
	CHECK_STR(sign_and_judge(&f, &r), "");
	CHECK_STR(f.call.who->arn, "arn:aws:sts::111122223333:assumed-role/adyton-instance/test");
	CHECK_STR(f.call.who->role_arn, TEST_ROLE);
	fixture_end(&f);
}

CASE(what_was_signed_counts)
{
	struct request r;
	struct fixture f;

	fixture_new(&f);
	start(&f, &r, NULL);
	r.body = "{ }";
	CHECK_STR(sign_and_judge(&f, &r), "InvalidSignatureException");
	start(&f, &r, NULL);
	r.keys.secret_key[0] ^= 1;
	CHECK_STR(sign_and_judge(&f, &r), "InvalidSignatureException");
	CHECK(strstr(f.call.refusal.message, "does not match") != NULL);
	start(&f, &r, NULL);
	r.omit = "host";
	CHECK_STR(sign_and_judge(&f, &r), "InvalidSignatureException");
	CHECK(strstr(f.call.refusal.message, "'Host'") != NULL);
	start(&f, &r, NULL);
	r.omit = "x-amz-target";
	CHECK_STR(sign_and_judge(&f, &r), "InvalidSignatureException");
	CHECK(strstr(f.call.refusal.message, "x-amz-target") != NULL);
	start(&f, &r, NULL);
	r.region = "us-east-2";
	CHECK_STR(sign_and_judge(&f, &r), "InvalidSignatureException");
	CHECK(strstr(f.call.refusal.message, "valid region") != NULL);
	start(&f, &r, NULL);
	r.service = "sts";
	CHECK_STR(sign_and_judge(&f, &r), "InvalidSignatureException");
	CHECK(strstr(f.call.refusal.message, "correct service") != NULL);
	fixture_end(&f);
}

CASE(clocks_may_differ_by_15_minutes)
{
	struct request r;
	struct fixture f;

	fixture_new(&f);
	start(&f, &r, NULL);
	r.at_s -= 890;
	CHECK_STR(sign_and_judge(&f, &r), "");
	r.at_s += 1780;
	CHECK_STR(sign_and_judge(&f, &r), "");
	start(&f, &r, NULL);
	r.at_s -= 910;
	CHECK_STR(sign_and_judge(&f, &r), "InvalidSignatureException");
	CHECK(strstr(f.call.refusal.message, "Signature expired") != NULL);
	start(&f, &r, NULL);
	r.at_s += 910;
	CHECK_STR(sign_and_judge(&f, &r), "InvalidSignatureException");
	CHECK(strstr(f.call.refusal.message, "not yet current") != NULL);
	fixture_end(&f);
}

CASE(credentials_and_tokens)
{
	struct request r;
	struct fixture f;

	fixture_new(&f);
	start(&f, &r, NULL);
	r.keys.access_key[5] ^= 1;
	CHECK_STR(sign_and_judge(&f, &r), "UnrecognizedClientException");
	start(&f, &r, "adyton-instance");
	r.keys.token[7] = r.keys.token[7] == 'A' ? 'B' : 'A';
	CHECK_STR(sign_and_judge(&f, &r), "UnrecognizedClientException");
	start(&f, &r, "adyton-instance");
	r.keys.token[0] = '\0';
	CHECK_STR(sign_and_judge(&f, &r), "UnrecognizedClientException");
	start(&f, &r, NULL);
	snprintf(r.keys.token, sizeof r.keys.token, "x");
	CHECK_STR(sign_and_judge(&f, &r), "UnrecognizedClientException");
	start(&f, &r, "adyton-instance");
	f.later_s = 3601;
	r.at_s += 3601;
	CHECK_STR(sign_and_judge(&f, &r), "ExpiredTokenException");
	fixture_end(&f);
}

CASE(the_header_is_read_strictly)
{
	static const char *const bad[] = {
	    "",
	    "AWS4-HMAC-SHA256",
	    "Basic dXNlcg==",
	    "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request",
	    "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/kms/aws4_request, "
	    "SignedHeaders=host",
	    "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/kms/aws4_request, "
	    "SignedHeaders=host, Signature=0, Signature=0",
	    "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/kms/aws4_request, "
	    "SignedHeaders=host, Signature=0, Extra=1",
	    "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/kms/aws5_request, "
	    "SignedHeaders=host, Signature=0",
	    "AWS4-HMAC-SHA256 Credential=/20260101/us-east-1/kms/aws4_request, "
	    "SignedHeaders=host, Signature=0",
	};
	struct request r;
	struct fixture f;
	char authorization[2048], *names, *digit, when[17];

	fixture_new(&f);
	start(&f, &r, NULL);
	CHECK_STR(judge(&f, &r, NULL), "MissingAuthenticationTokenException");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (!CHECK(strcmp(judge(&f, &r, bad[i]), "IncompleteSignatureException") == 0))
			printf("# %s: %s\n", bad[i], f.call.refusal.type);
	/* Names out of order. */
	ady_time_basic(when, r.at_s);
	authorize(&r, authorization, when);
	names = strstr(authorization, "host;x-amz-date");
	CHECK(names != NULL);
	if (names)
		memcpy(names, "x-amz-date;host", 15);
	CHECK_STR(judge(&f, &r, authorization), "IncompleteSignatureException");
	/* A signature of the right length that is wrong in its last digit. */
	authorize(&r, authorization, when);
	digit = authorization + strlen(authorization) - 1;
	*digit = *digit == '0' ? '1' : '0';
	CHECK_STR(judge(&f, &r, authorization), "InvalidSignatureException");
	fixture_end(&f);
}

int main(void)
{
	RUN(good_signatures_name_their_caller);
	RUN(what_was_signed_counts);
	RUN(clocks_may_differ_by_15_minutes);
	RUN(credentials_and_tokens);
	RUN(the_header_is_read_strictly);
	return test_end();
}
