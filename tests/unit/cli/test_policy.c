/* SPDX-License-Identifier: Apache-2.0
 *
 * The key policy of dev up: who may not decrypt matters more than who may. */
#include "cli/policy.h"

#include "test.h"

#define ROLE "arn:aws:iam::111122223333:role/adyton-instance"

static json_t *statements(const struct ady_measurement *m)
{
	const struct ady_policy policy = {.account = "111122223333", .role_arn = ROLE, .pcr = m};
	json_t *json = ady_policy_json(&policy), *list = json_object_get(json, "Statement");

	CHECK_STR(json_string_value(json_object_get(json, "Version")), "2012-10-17");
	json_incref(list);
	json_decref(json);
	return list;
}

static const char *text(const json_t *s, const char *name)
{
	const char *t = json_string_value(json_object_get(s, name));

	return t ? t : "";
}

static bool has_action(const json_t *s, const char *action)
{
	const json_t *list = json_object_get(s, "Action");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_string_value(json_array_get(list, i)), action) == 0)
			return true;
	return false;
}

static const json_t *find(const json_t *list, const char *sid)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(text(json_array_get(list, i), "Sid"), sid) == 0)
			return json_array_get(list, i);
	return NULL;
}

CASE(only_the_measured_role_may_decrypt)
{
	struct ady_measurement m = {.pcr = {{0xaa}, {0xbb}, {0xcc}}};
	json_t *list = statements(&m);

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *s = json_array_get(list, i);
		const json_t *principal = json_object_get(s, "Principal");

		CHECK(json_array_size(json_object_get(s, "Action")) > 0);
		if (strcmp(text(s, "Effect"), "Allow") != 0 ||
		    !(has_action(s, "kms:Decrypt") || has_action(s, "kms:GenerateDataKey")))
			continue;
		CHECK_STR(text(s, "Sid"), "UseInThisEnclave");
		CHECK_STR(text(principal, "AWS"), ROLE);
		CHECK_INT(json_array_size(json_object_get(s, "Action")), 2);
	}
	json_decref(list);
}

CASE(the_condition_names_all_three_registers)
{
	struct ady_measurement m = {.pcr = {{0xaa}, {0xbb}, {0xcc}}};
	json_t *list = statements(&m);
	const json_t *keys = json_object_get(
	    json_object_get(find(list, "UseInThisEnclave"), "Condition"), "StringEqualsIgnoreCase");

	CHECK_INT(json_object_size(keys), 4);
	CHECK(strncmp(text(keys, "kms:RecipientAttestation:ImageSha384"), "aa00", 4) == 0);
	CHECK(strncmp(text(keys, "kms:RecipientAttestation:PCR0"), "aa00", 4) == 0);
	CHECK(strncmp(text(keys, "kms:RecipientAttestation:PCR1"), "bb00", 4) == 0);
	CHECK(strncmp(text(keys, "kms:RecipientAttestation:PCR2"), "cc00", 4) == 0);
	CHECK_INT(strlen(text(keys, "kms:RecipientAttestation:PCR2")), 96);
	json_decref(list);
}

CASE(everybody_else_is_denied_for_each_register)
{
	static const char *const sids[] = {"DenyUseOtherPcr0", "DenyUseOtherPcr1",
	                                   "DenyUseOtherPcr2"};
	struct ady_measurement m = {0};
	json_t *list = statements(&m);

	for (size_t i = 0; i < 3; i++) {
		const json_t *s = find(list, sids[i]);
		const json_t *keys =
		    json_object_get(json_object_get(s, "Condition"), "StringNotEqualsIgnoreCase");

		CHECK_STR(text(s, "Effect"), "Deny");
		CHECK_STR(text(json_object_get(s, "Principal"), "AWS"), "*");
		CHECK(has_action(s, "kms:Decrypt") && has_action(s, "kms:GenerateDataKey"));
		CHECK_INT(json_object_size(keys), 1);
	}
	json_decref(list);
}

CASE(the_ways_around_are_denied_to_everybody)
{
	json_t *list = statements(NULL);
	const json_t *s = find(list, "DenyWaysAround");

	CHECK_STR(text(s, "Effect"), "Deny");
	CHECK_STR(text(json_object_get(s, "Principal"), "AWS"), "*");
	CHECK(!json_object_get(s, "Condition"));
	CHECK(has_action(s, "kms:ReEncryptFrom") && has_action(s, "kms:CreateGrant") &&
	      has_action(s, "kms:ReplicateKey"));
	json_decref(list);
}

/* Whoever may encrypt for KMS could else put a data key of his own choice under it. */
CASE(nobody_forges_a_data_key)
{
	json_t *list = statements(NULL);
	const json_t *s = find(list, "DenyForgedDataKeys");
	const json_t *keys = json_object_get(json_object_get(s, "Condition"), "StringEquals");

	CHECK_STR(text(s, "Effect"), "Deny");
	CHECK_STR(text(json_object_get(s, "Principal"), "AWS"), "*");
	CHECK(has_action(s, "kms:Encrypt") && has_action(s, "kms:ReEncryptTo"));
	CHECK_STR(text(keys, "kms:EncryptionContext:adyton:purpose"), "data-key");
	json_decref(list);
}

CASE(before_the_measurement_nobody_decrypts)
{
	json_t *list = statements(NULL);

	for (size_t i = 0; i < json_array_size(list); i++)
		CHECK(!has_action(json_array_get(list, i), "kms:Decrypt") &&
		      !has_action(json_array_get(list, i), "kms:GenerateDataKey"));
	CHECK(has_action(find(list, "AdministerWithoutUse"), "kms:PutKeyPolicy"));
	CHECK(!has_action(find(list, "AdministerWithoutUse"), "kms:CreateGrant"));
	json_decref(list);
}

int main(void)
{
	RUN(only_the_measured_role_may_decrypt);
	RUN(the_condition_names_all_three_registers);
	RUN(everybody_else_is_denied_for_each_register);
	RUN(the_ways_around_are_denied_to_everybody);
	RUN(nobody_forges_a_data_key);
	RUN(before_the_measurement_nobody_decrypts);
	return test_end();
}
