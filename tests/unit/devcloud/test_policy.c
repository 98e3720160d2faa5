/* SPDX-License-Identifier: Apache-2.0
 *
 * The policy language, one table a subject. Expectations are those of the IAM User Guide's policy
 * element reference and evaluation logic. */
#include "devcloud/policy.h"

#include "test.h"

#define ACCOUNT "111122223333"
#define ROLE "arn:aws:iam::" ACCOUNT ":role/r"
#define SESSION "arn:aws:sts::" ACCOUNT ":assumed-role/r/s"
#define KEY "arn:aws:kms:us-east-1:" ACCOUNT ":key/k"

static struct ady_dev_question question(const struct ady_dev_fact *facts, size_t n)
{
	return (struct ady_dev_question){.action = "kms:Decrypt",
	                                 .resource = KEY,
	                                 .account = ACCOUNT,
	                                 .arn = SESSION,
	                                 .role_arn = ROLE,
	                                 .facts = facts,
	                                 .facts_n = n};
}

static struct ady_dev_verdict ask(const char *text, enum ady_dev_policy_kind kind,
                                  const struct ady_dev_question *q)
{
	struct ady_dev_verdict v = {0};
	struct ady_fault f = {0};
	json_t *policy;

	if (ady_dev_policy_parse(&policy, text, kind, &f) != ADY_OK) {
		printf("# %s: %s %s\n", text, f.where, f.detail);
		CHECK(false);
		return v;
	}
	v = ady_dev_policy_ask(policy, q);
	json_decref(policy);
	return v;
}

/* --- conditions --- */

static const struct ady_dev_fact FACTS[] = {
    {"kms:RecipientAttestation:ImageSha384", "abc"},
    {"kms:EncryptionContext:app", "Signer"},
    {"aws:SecureTransport", "true"},
    {"kms:EncryptionContextKeys", "app"},
    {"kms:EncryptionContextKeys", "tenant"},
};

static bool holds(const char *condition)
{
	struct ady_dev_question q = question(FACTS, sizeof FACTS / sizeof *FACTS);
	char text[1024];

	snprintf(text, sizeof text,
	         "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"kms:*\",\"Resource\":\"*\","
	         "\"Condition\":%s}}",
	         condition);
	return ask(text, ADY_DEV_IDENTITY_POLICY, &q).allow;
}

struct row {
	const char *condition;
	bool holds;
};

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!CHECK(holds(rows[i].condition) == rows[i].holds))
			printf("# %s\n", rows[i].condition);
}

#define IMAGE "\"kms:RecipientAttestation:ImageSha384\""
#define CHECK_ROWS(rows) check_rows(rows, sizeof rows / sizeof *rows)

CASE(operators_on_a_key_that_is_there)
{
	static const struct row rows[] = {
	    {"{\"StringEquals\":{" IMAGE ":\"abc\"}}", true},
	    {"{\"StringEquals\":{" IMAGE ":\"ABC\"}}", false},
	    {"{\"StringEquals\":{" IMAGE ":[\"x\",\"abc\"]}}", true},
	    {"{\"StringEquals\":{\"KMS:recipientattestation:imagesha384\":\"abc\"}}", true},
	    {"{\"StringEqualsIgnoreCase\":{" IMAGE ":\"ABC\"}}", true},
	    {"{\"StringEqualsIgnoreCase\":{" IMAGE ":\"abcd\"}}", false},
	    {"{\"StringNotEquals\":{" IMAGE ":\"abc\"}}", false},
	    {"{\"StringNotEquals\":{" IMAGE ":[\"x\",\"abc\"]}}", false},
	    {"{\"StringNotEquals\":{" IMAGE ":[\"x\",\"y\"]}}", true},
	    {"{\"StringNotEqualsIgnoreCase\":{" IMAGE ":\"ABC\"}}", false},
	    {"{\"StringLike\":{" IMAGE ":\"a*\"}}", true},
	    {"{\"StringLike\":{" IMAGE ":\"A*\"}}", false},
	    {"{\"StringLike\":{" IMAGE ":\"a?c\"}}", true},
	    {"{\"StringLike\":{" IMAGE ":\"a?\"}}", false},
	    {"{\"StringNotLike\":{" IMAGE ":\"a*\"}}", false},
	    {"{\"StringNotLike\":{" IMAGE ":\"b*\"}}", true},
	    {"{\"Bool\":{\"aws:SecureTransport\":\"true\"}}", true},
	    {"{\"Bool\":{\"aws:SecureTransport\":false}}", false},
	    {"{\"Null\":{" IMAGE ":\"false\"}}", true},
	    {"{\"Null\":{" IMAGE ":true}}", false},
	    {"{\"StringEquals\":{" IMAGE ":\"abc\",\"kms:EncryptionContext:app\":\"Signer\"}}",
	     true},
	    {"{\"StringEquals\":{" IMAGE ":\"abc\",\"kms:EncryptionContext:app\":\"x\"}}", false},
	    {"{\"StringEquals\":{" IMAGE ":\"abc\"},\"Null\":{\"kms:EncryptionContext:app\":"
	     "\"true\"}}",
	     false},
	};

	CHECK_ROWS(rows);
}

CASE(operators_on_a_key_that_is_absent)
{
	static const struct row rows[] = {
	    {"{\"StringEquals\":{\"kms:ViaService\":\"x\"}}", false},
	    {"{\"StringEqualsIgnoreCase\":{\"kms:ViaService\":\"x\"}}", false},
	    {"{\"StringLike\":{\"kms:ViaService\":\"*\"}}", false},
	    {"{\"StringNotEquals\":{\"kms:ViaService\":\"x\"}}", true},
	    {"{\"StringNotEqualsIgnoreCase\":{\"kms:ViaService\":\"x\"}}", true},
	    {"{\"StringNotLike\":{\"kms:ViaService\":\"*\"}}", true},
	    {"{\"Bool\":{\"kms:ViaService\":\"false\"}}", false},
	    {"{\"Null\":{\"kms:ViaService\":\"true\"}}", true},
	    {"{\"Null\":{\"kms:ViaService\":\"false\"}}", false},
	    {"{\"StringEqualsIfExists\":{\"kms:ViaService\":\"x\"}}", true},
	    {"{\"StringEqualsIfExists\":{" IMAGE ":\"x\"}}", false},
	    {"{\"BoolIfExists\":{\"aws:MultiFactorAuthPresent\":\"true\"}}", true},
	    {"{\"ForAllValues:StringEquals\":{\"kms:ViaService\":\"x\"}}", true},
	    {"{\"ForAnyValue:StringEquals\":{\"kms:ViaService\":\"x\"}}", false},
	    {"{\"ForAnyValue:StringNotEquals\":{\"kms:ViaService\":\"x\"}}", false},
	    {"{\"ForAnyValue:StringEqualsIfExists\":{\"kms:ViaService\":\"x\"}}", true},
	};

	CHECK_ROWS(rows);
}

CASE(operators_on_a_key_of_several_values)
{
	static const struct row rows[] = {
	    {"{\"ForAllValues:StringEquals\":{\"kms:EncryptionContextKeys\":[\"app\","
	     "\"tenant\",\"x\"]}}",
	     true},
	    {"{\"ForAllValues:StringEquals\":{\"kms:EncryptionContextKeys\":[\"app\"]}}", false},
	    {"{\"ForAllValues:StringNotEquals\":{\"kms:EncryptionContextKeys\":\"app\"}}", false},
	    {"{\"ForAllValues:StringNotEquals\":{\"kms:EncryptionContextKeys\":\"x\"}}", true},
	    {"{\"ForAnyValue:StringEquals\":{\"kms:EncryptionContextKeys\":\"tenant\"}}", true},
	    {"{\"ForAnyValue:StringEquals\":{\"kms:EncryptionContextKeys\":\"x\"}}", false},
	    {"{\"ForAnyValue:StringNotEquals\":{\"kms:EncryptionContextKeys\":\"app\"}}", true},
	    {"{\"ForAnyValue:StringLike\":{\"kms:EncryptionContextKeys\":\"ten*\"}}", true},
	    {"{\"StringNotEquals\":{\"kms:EncryptionContextKeys\":\"app\"}}", false},
	};

	CHECK_ROWS(rows);
}

/* --- statements --- */

CASE(actions_and_resources)
{
	static const struct {
		const char *part;
		bool allow;
	} rows[] = {
	    {"\"Action\":\"kms:Decrypt\",\"Resource\":\"*\"", true},
	    {"\"Action\":\"KMS:decrypt\",\"Resource\":\"*\"", true},
	    {"\"Action\":\"kms:De*\",\"Resource\":\"*\"", true},
	    {"\"Action\":\"kms:?ecrypt\",\"Resource\":\"*\"", true},
	    {"\"Action\":\"*\",\"Resource\":\"*\"", true},
	    {"\"Action\":[\"kms:Encrypt\",\"kms:Describe*\"],\"Resource\":\"*\"", false},
	    {"\"NotAction\":\"kms:Decrypt\",\"Resource\":\"*\"", false},
	    {"\"NotAction\":[\"kms:Encrypt\"],\"Resource\":\"*\"", true},
	    {"\"Action\":\"*\",\"Resource\":\"" KEY "\"", true},
	    {"\"Action\":\"*\",\"Resource\":\"arn:aws:kms:*:" ACCOUNT ":key/*\"", true},
	    {"\"Action\":\"*\",\"Resource\":\"arn:aws:kms:us-east-1:" ACCOUNT ":key/K\"", false},
	    {"\"Action\":\"*\",\"NotResource\":\"" KEY "\"", false},
	    {"\"Action\":\"*\",\"NotResource\":\"arn:aws:s3:::*\"", true},
	};
	struct ady_dev_question q = question(NULL, 0);
	char text[512];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		snprintf(text, sizeof text, "{\"Statement\":[{\"Effect\":\"Allow\",%s}]}",
		         rows[i].part);
		if (!CHECK(ask(text, ADY_DEV_IDENTITY_POLICY, &q).allow == rows[i].allow))
			printf("# %s\n", rows[i].part);
	}
}

CASE(principals)
{
	static const struct {
		const char *principal;
		bool caller, session, account;
	} rows[] = {
	    {"\"*\"", true, false, false},
	    {"{\"AWS\":\"*\"}", true, false, false},
	    {"{\"AWS\":\"" ROLE "\"}", true, false, false},
	    {"{\"AWS\":[\"arn:aws:iam::" ACCOUNT ":user/u\",\"" ROLE "\"]}", true, false, false},
	    {"{\"AWS\":\"" SESSION "\"}", false, true, false},
	    {"{\"AWS\":\"" ACCOUNT "\"}", false, false, true},
	    {"{\"AWS\":\"arn:aws:iam::" ACCOUNT ":root\"}", false, false, true},
	    {"{\"AWS\":\"arn:aws:iam::999999999999:root\"}", false, false, false},
	    {"{\"AWS\":\"arn:aws:iam::" ACCOUNT ":role/R\"}", false, false, false},
	    {"{\"Service\":\"ec2.amazonaws.com\"}", false, false, false},
	};
	struct ady_dev_question q = question(NULL, 0);
	char text[512];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ady_dev_verdict v;

		snprintf(text, sizeof text,
		         "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":%s,\"Action\":"
		         "\"kms:*\",\"Resource\":\"*\"}]}",
		         rows[i].principal);
		v = ask(text, ADY_DEV_RESOURCE_POLICY, &q);
		if (!CHECK(v.allow == rows[i].caller && v.allow_session == rows[i].session &&
		           v.allow_account == rows[i].account && !v.deny))
			printf("# %s\n", rows[i].principal);
	}
}

CASE(deny_is_told_in_any_order_and_by_any_name)
{
	static const char *const denied[] = {"\"*\"", "{\"AWS\":\"" ROLE "\"}",
	                                     "{\"AWS\":\"" SESSION "\"}",
	                                     "{\"AWS\":\"" ACCOUNT "\"}"};
	static const char allow[] = "{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\","
	                            "\"Resource\":\"*\"}";
	struct ady_dev_question q = question(NULL, 0);
	char text[1024], deny[256];

	for (size_t i = 0; i < sizeof denied / sizeof *denied; i++) {
		snprintf(deny, sizeof deny,
		         "{\"Effect\":\"Deny\",\"Principal\":%s,\"Action\":\"kms:Decrypt\","
		         "\"Resource\":\"*\"}",
		         denied[i]);
		snprintf(text, sizeof text, "{\"Statement\":[%s,%s]}", deny, allow);
		CHECK(ask(text, ADY_DEV_RESOURCE_POLICY, &q).deny);
		snprintf(text, sizeof text, "{\"Statement\":[%s,%s]}", allow, deny);
		CHECK(ask(text, ADY_DEV_RESOURCE_POLICY, &q).deny);
	}
	snprintf(text, sizeof text,
	         "{\"Statement\":[%s,{\"Effect\":\"Deny\",\"NotPrincipal\":{\"AWS\":\"" ROLE
	         "\"},\"Action\":\"*\",\"Resource\":\"*\"}]}",
	         allow);
	CHECK(!ask(text, ADY_DEV_RESOURCE_POLICY, &q).deny);
	q.arn = q.role_arn = "arn:aws:iam::" ACCOUNT ":user/other";
	CHECK(ask(text, ADY_DEV_RESOURCE_POLICY, &q).deny);
}

/* --- what is refused when a document is stored --- */

#define STATEMENT(more)                                                                   \
	"{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"kms:*\"," \
	"\"Resource\":\"*\"" more "}]}"

CASE(malformed_documents_are_refused)
{
	static const struct {
		const char *text, *where;
	} rows[] = {
	    {"{", ""},
	    {"[]", ""},
	    {"{\"Statement\":[]}", "Statement"},
	    {"{\"Statement\":[{}]}", "Effect"},
	    {"{\"Version\":\"2012\",\"Statement\":[]}", "Version"},
	    {STATEMENT(",\"Effect\":\"Deny\""), ""},
	    {STATEMENT(",\"Sid\":1"), "Sid"},
	    {STATEMENT(",\"Comment\":\"x\""), "Statement"},
	    {STATEMENT(",\"NotAction\":\"kms:Decrypt\""), "Action"},
	    {STATEMENT(",\"NotResource\":\"*\""), "Resource"},
	    {STATEMENT(",\"NotPrincipal\":\"*\""), "Principal"},
	    {STATEMENT(",\"Condition\":[]"), "Condition"},
	    {STATEMENT(",\"Condition\":{\"StringEqual\":{\"aws:x\":\"y\"}}"), "Condition"},
	    {STATEMENT(",\"Condition\":{\"NumericEquals\":{\"aws:x\":\"1\"}}"), "Condition"},
	    {STATEMENT(",\"Condition\":{\"NullIfExists\":{\"aws:x\":\"true\"}}"), "Condition"},
	    {STATEMENT(",\"Condition\":{\"StringEquals\":{}}"), "Condition"},
	    {STATEMENT(",\"Condition\":{\"StringEquals\":{\"nocolon\":\"y\"}}"), "Condition"},
	    {STATEMENT(",\"Condition\":{\"StringEquals\":{\"aws:x\":[]}}"), "Condition"},
	    {STATEMENT(",\"Condition\":{\"StringEquals\":{\"aws:x\":1}}"), "Condition"},
	    {STATEMENT(",\"Condition\":{\"StringEquals\":{\"aws:x\":\"${aws:y}\"}}"), "Condition"},
	    {STATEMENT(",\"Condition\":{\"Bool\":{\"aws:x\":\"maybe\"}}"), "Condition"},
	    {"{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"kms:*\",\"Resource\":\"*\"}}",
	     "Principal"},
	    {"{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::1:root\"},"
	     "\"Action\":\"kms:*\",\"Resource\":\"*\"}}",
	     "Principal"},
	    {"{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::" ACCOUNT
	     ":role/*\"},\"Action\":\"kms:*\",\"Resource\":\"*\"}}",
	     "Principal"},
	    {"{\"Statement\":{\"Effect\":\"Allow\",\"NotPrincipal\":{\"AWS\":\"" ACCOUNT
	     "\"},\"Action\":\"kms:*\",\"Resource\":\"*\"}}",
	     "NotPrincipal"},
	    {"{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"Decrypt\","
	     "\"Resource\":\"*\"}}",
	     "Action"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ady_fault f = {0};
		json_t *policy;

		if (!CHECK_ERR(
		        ady_dev_policy_parse(&policy, rows[i].text, ADY_DEV_RESOURCE_POLICY, &f),
		        ADY_E_FIELD_INVALID))
			printf("# %s\n", rows[i].text);
		CHECK(!policy);
		CHECK_STR(f.where, rows[i].where);
	}
}

CASE(identity_policies_have_no_principal)
{
	struct ady_fault f = {0};
	json_t *policy;

	CHECK_ERR(ady_dev_policy_parse(&policy, STATEMENT(""), ADY_DEV_IDENTITY_POLICY, &f),
	          ADY_E_FIELD_INVALID);
	CHECK_STR(f.where, "Principal");
}

CASE(wildcards)
{
	CHECK(ady_dev_wildcard("*", "", false));
	CHECK(ady_dev_wildcard("a**b", "ab", false));
	CHECK(ady_dev_wildcard("*ab*cd", "xabyabzcd", false));
	CHECK(!ady_dev_wildcard("*ab*cd", "xabyabzcde", false));
	CHECK(!ady_dev_wildcard("", "a", false));
	CHECK(!ady_dev_wildcard("a?", "a", false));
	CHECK(ady_dev_wildcard("A*", "abc", true));
}

int main(void)
{
	RUN(operators_on_a_key_that_is_there);
	RUN(operators_on_a_key_that_is_absent);
	RUN(operators_on_a_key_of_several_values);
	RUN(actions_and_resources);
	RUN(principals);
	RUN(deny_is_told_in_any_order_and_by_any_name);
	RUN(malformed_documents_are_refused);
	RUN(identity_policies_have_no_principal);
	RUN(wildcards);
	return test_end();
}
