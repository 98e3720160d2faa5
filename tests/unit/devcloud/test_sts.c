/* SPDX-License-Identifier: Apache-2.0
 *
 * STS: forms in, sessions, XML out. */
#include "devcloud/sts.h"

#include "cloud_fixture.h"

#define STS(f, name, json) fixture_call(f, ady_dev_sts, name, json)

CASE(forms)
{
	json_t *form = ady_dev_sts_form(ady_bytes_str("Action=A&Policy=%7B%22a%22%3A+1%7D&x&&y="));

	CHECK_STR(json_string_value(json_object_get(form, "Action")), "A");
	CHECK_STR(json_string_value(json_object_get(form, "Policy")), "{\"a\": 1}");
	CHECK_STR(json_string_value(json_object_get(form, "x")), "");
	CHECK_INT(json_object_size(form), 4);
	json_decref(form);
	CHECK(!ady_dev_sts_form(ady_bytes_str("a=1&a=2")));
	CHECK(!ady_dev_sts_form(ady_bytes_str("a=%4")));
	CHECK(!ady_dev_sts_form(ady_bytes_str("a=%00")));
	form = ady_dev_sts_form((struct ady_bytes){0});
	CHECK_INT(json_object_size(form), 0);
	json_decref(form);
}

CASE(sessions_of_roles)
{
	static const char good[] = "{\"RoleArn\":\"" TEST_ROLE "\",\"RoleSessionName\":\"s1\"%s}";
	const json_t *credentials;
	struct fixture f;

	fixture_new(&f);
	CHECK_STR(STS(&f, "AssumeRole", js(good, ",\"DurationSeconds\":\"900\"")), "");
	credentials = json_object_get(f.call.out, "Credentials");
	CHECK(strncmp(json_string_value(json_object_get(credentials, "AccessKeyId")), "ASIA", 4) ==
	      0);
	CHECK_STR(json_string_value(
	              json_object_get(json_object_get(f.call.out, "AssumedRoleUser"), "Arn")),
	          "arn:aws:sts::111122223333:assumed-role/adyton-instance/s1");
	CHECK_STR(STS(&f, "AssumeRole", js(good, ",\"DurationSeconds\":\"899\"")),
	          "ValidationException");
	CHECK_STR(STS(&f, "AssumeRole", js(good, ",\"DurationSeconds\":\"43201\"")),
	          "ValidationException");
	CHECK_STR(STS(&f, "AssumeRole", js(good, ",\"DurationSeconds\":\"9x\"")),
	          "ValidationException");
	CHECK_STR(STS(&f, "AssumeRole", js(good, ",\"DurationSeconds\":\"43200\"")), "");
	CHECK_STR(STS(&f, "AssumeRole", js(good, ",\"Policy\":\"{}\"")),
	          "MalformedPolicyDocumentException");
	CHECK_STR(STS(&f, "AssumeRole",
	              "{\"RoleArn\":\"arn:aws:iam::111122223333:role/none\","
	              "\"RoleSessionName\":\"s1\"}"),
	          "AccessDeniedException");
	CHECK_STR(
	    STS(&f, "AssumeRole", "{\"RoleArn\":\"" TEST_ROLE "\",\"RoleSessionName\":\"a b\"}"),
	    "ValidationException");
	/* From one session into the next: an hour at most. */
	fixture_as(&f, "adyton-instance", NULL);
	CHECK_STR(STS(&f, "AssumeRole", js(good, "")), "");
	CHECK_STR(STS(&f, "AssumeRole", js(good, ",\"DurationSeconds\":\"3601\"")),
	          "ValidationException");
	fixture_as(
	    &f, "adyton-instance",
	    "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"kms:*\",\"Resource\":\"*\"}}");
	CHECK_STR(STS(&f, "AssumeRole", js(good, "")), "AccessDeniedException");
	CHECK_STR(STS(&f, "GetCallerIdentity", "{}"), "");
	CHECK_STR(fixture_text(&f, "Arn"),
	          "arn:aws:sts::111122223333:assumed-role/adyton-instance/test");
	fixture_end(&f);
}

CASE(answers_are_xml)
{
	struct ady_dev_refusal refusal = {
	    .status = 400, .type = "ExpiredTokenException", .message = "a<b>&c"};
	json_t *out = json_pack("{s:{s:s}}", "Credentials", "SessionToken", "a&b");
	struct ady_dyn d = {0};

	ady_dev_sts_answer(&d, "AssumeRole", out, "id");
	CHECK(strstr(ady_dyn_cstr(&d), "<Credentials><SessionToken>a&amp;b</SessionToken>"
	                               "</Credentials>") != NULL);
	d.n = 0;
	CHECK_INT(ady_dev_sts_refusal(&d, &refusal, "id"), 403);
	CHECK(strstr(ady_dyn_cstr(&d), "<Code>ExpiredToken</Code><Message>a&lt;b&gt;&amp;c"
	                               "</Message>") != NULL);
	ady_dyn_free(&d);
	json_decref(out);
}

int main(void)
{
	RUN(forms);
	RUN(sessions_of_roles);
	RUN(answers_are_xml);
	return test_end();
}
