/* SPDX-License-Identifier: Apache-2.0
 *
 * KMS without its network: keys, ciphertexts, contexts, rotation, states, policies, restarts. */
#include "cloud_fixture.h"

/* A key of the administrator's account; its id. */
static void new_key(struct fixture *f, char id[static 40])
{
	CHECK_STR(KMS(f, "CreateKey", "{}"), "");
	snprintf(id, 40, "%s",
	         json_string_value(
	             json_object_get(json_object_get(f->call.out, "KeyMetadata"), "KeyId")));
}

static void encrypt(struct fixture *f, const char *id, const char *context, char blob[static 512])
{
	CHECK_STR(KMS(f, "Encrypt",
	              js("{\"KeyId\":\"%s\",\"Plaintext\":\"c2VjcmV0\",\"EncryptionContext\":%s}",
	                 id, context)),
	          "");
	snprintf(blob, 512, "%s", fixture_text(f, "CiphertextBlob"));
}

static const char *decrypt(struct fixture *f, const char *blob, const char *context)
{
	return KMS(f, "Decrypt",
	           js("{\"CiphertextBlob\":\"%s\",\"EncryptionContext\":%s}", blob, context));
}

CASE(context_is_bound_in_any_order)
{
	struct fixture f;
	char id[40], blob[512];

	fixture_new(&f);
	new_key(&f, id);
	encrypt(&f, id, "{\"a\":\"1\",\"b\":\"2\"}", blob);
	CHECK_STR(decrypt(&f, blob, "{\"b\":\"2\",\"a\":\"1\"}"), "");
	CHECK_STR(fixture_text(&f, "Plaintext"), "c2VjcmV0");
	CHECK_STR(decrypt(&f, blob, "{\"a\":\"1\",\"b\":\"3\"}"), "InvalidCiphertextException");
	CHECK_STR(f.call.refusal.message, "");
	CHECK_STR(decrypt(&f, blob, "{\"a\":\"1b\",\"\":\"2\"}"), "SerializationException");
	CHECK_STR(decrypt(&f, blob, "{\"a\":\"1\"}"), "InvalidCiphertextException");
	CHECK_STR(decrypt(&f, blob, "{}"), "InvalidCiphertextException");
	CHECK_STR(decrypt(&f, blob, "{\"A\":\"1\",\"b\":\"2\"}"), "InvalidCiphertextException");
	fixture_end(&f);
}

CASE(every_byte_of_a_ciphertext_counts)
{
	struct fixture f;
	char id[40], blob[512];
	size_t n;

	fixture_new(&f);
	new_key(&f, id);
	encrypt(&f, id, "{}", blob);
	n = strlen(blob);
	for (size_t i = 0; i < n - 3; i++) { /* the last digit has unused bits */
		char bad[512];
		const char *got;

		snprintf(bad, sizeof bad, "%s", blob);
		bad[i] = bad[i] == 'A' ? 'B' : 'A';
		got = decrypt(&f, bad, "{}");
		/* A changed key id names no key: AWS does not tell that from a forbidden one. */
		CHECK(strcmp(got, "InvalidCiphertextException") == 0 ||
		      strcmp(got, "AccessDeniedException") == 0);
	}
	CHECK_STR(decrypt(&f, "AAAA", "{}"), "InvalidCiphertextException");
	CHECK_STR(decrypt(&f, "", "{}"), "ValidationException");
	CHECK_STR(decrypt(&f, "=", "{}"), "SerializationException");
	fixture_end(&f);
}

CASE(old_ciphertexts_open_after_rotation)
{
	struct fixture f;
	char id[40], blob[512], after[512];

	fixture_new(&f);
	new_key(&f, id);
	encrypt(&f, id, "{}", blob);
	for (int i = 0; i < 25; i++)
		CHECK_STR(KMS(&f, "RotateKeyOnDemand", js("{\"KeyId\":\"%s\"}", id)), "");
	CHECK_STR(KMS(&f, "RotateKeyOnDemand", js("{\"KeyId\":\"%s\"}", id)),
	          "LimitExceededException");
	encrypt(&f, id, "{}", after);
	CHECK(strncmp(blob, after, 32) != 0);
	CHECK_STR(decrypt(&f, blob, "{}"), "");
	CHECK_STR(decrypt(&f, after, "{}"), "");
	CHECK_STR(KMS(&f, "ListKeyRotations", js("{\"KeyId\":\"%s\"}", id)), "");
	CHECK_INT(json_array_size(json_object_get(f.call.out, "Rotations")), 25);
	fixture_end(&f);
}

CASE(state_survives_a_restart)
{
	struct fixture f;
	char id[40], blob[512], access_key[129];
	struct ady_aws_credentials k;

	fixture_new(&f);
	new_key(&f, id);
	k = fixture_keys(&f, NULL, NULL);
	snprintf(access_key, sizeof access_key, "%s", k.access_key);
	CHECK_STR(
	    KMS(&f, "CreateAlias", js("{\"AliasName\":\"alias/x\",\"TargetKeyId\":\"%s\"}", id)),
	    "");
	encrypt(&f, "alias/x", "{}", blob);
	CHECK_STR(KMS(&f, "RotateKeyOnDemand", js("{\"KeyId\":\"%s\"}", id)), "");
	fixture_shut(&f);
	fixture_open(&f);
	f.who = NULL;
	k = fixture_keys(&f, NULL, NULL);
	CHECK_STR(k.access_key, access_key);
	CHECK_STR(decrypt(&f, blob, "{}"), "");
	CHECK_STR(fixture_text(&f, "Plaintext"), "c2VjcmV0");
	CHECK_STR(KMS(&f, "DescribeKey", "{\"KeyId\":\"alias/x\"}"), "");
	fixture_end(&f);
}

CASE(a_later_schema_is_refused)
{
	struct ady_fault fault = {0};
	struct ady_dev_db *db;
	struct fixture f;

	fixture_new(&f);
	CHECK_ERR(ady_dev_db_run(f.cloud.db, "PRAGMA user_version = 2", ""), ADY_OK);
	fixture_shut(&f);
	CHECK_ERR(ady_dev_db_open(&db, f.db, &fault), ADY_E_STORE);
	CHECK(strstr(fault.detail, "schema 2") != NULL);
	f.cloud = (struct ady_dev_cloud){0};
	fixture_end(&f);
}

CASE(forms_of_a_key_id)
{
	static const char good[] = "{\"KeyId\":\"arn:aws:kms:us-east-1:111122223333:%s%s\"}";
	struct fixture f;
	char id[40], blob[512];

	fixture_new(&f);
	new_key(&f, id);
	CHECK_STR(
	    KMS(&f, "CreateAlias", js("{\"AliasName\":\"alias/x\",\"TargetKeyId\":\"%s\"}", id)),
	    "");
	CHECK_STR(KMS(&f, "DescribeKey", js(good, "key/", id)), "");
	CHECK_STR(KMS(&f, "DescribeKey", js(good, "alias/", "x")), "");
	CHECK_STR(KMS(&f, "DescribeKey", "{\"KeyId\":\"alias/x\"}"), "");
	CHECK_STR(KMS(&f, "DescribeKey", js("{\"KeyId\":\"%s\"}", id)), "");
	CHECK_STR(KMS(&f, "DescribeKey", "{\"KeyId\":\"alias/y\"}"), "NotFoundException");
	CHECK_STR(KMS(&f, "DescribeKey", "{\"KeyId\":\"00000000-0000-4000-8000-000000000000\"}"),
	          "NotFoundException");
	CHECK_STR(KMS(&f, "DescribeKey",
	              js("{\"KeyId\":\"arn:aws:kms:us-east-2:111122223333:key/%s\"}", id)),
	          "NotFoundException");
	CHECK_STR(KMS(&f, "DescribeKey",
	              js("{\"KeyId\":\"arn:aws:kms:us-east-1:999999999999:key/%s\"}", id)),
	          "NotFoundException");
	CHECK_STR(KMS(&f, "DescribeKey", "{\"KeyId\":\"\"}"), "ValidationException");
	CHECK_STR(KMS(&f, "DescribeKey", "{\"KeyId\":7}"), "SerializationException");
	CHECK_STR(KMS(&f, "DescribeKey", "{}"), "ValidationException");
	CHECK_STR(KMS(&f, "EnableKey", "{\"KeyId\":\"alias/x\"}"), "ValidationException");
	encrypt(&f, id, "{}", blob);
	new_key(&f, id);
	CHECK_STR(KMS(&f, "Decrypt", js("{\"CiphertextBlob\":\"%s\",\"KeyId\":\"%s\"}", blob, id)),
	          "IncorrectKeyException");
	fixture_end(&f);
}

CASE(states_of_a_key)
{
	struct fixture f;
	char id[40], blob[512];

	fixture_new(&f);
	new_key(&f, id);
	encrypt(&f, id, "{}", blob);
	CHECK_STR(KMS(&f, "DisableKey", js("{\"KeyId\":\"%s\"}", id)), "");
	CHECK_STR(decrypt(&f, blob, "{}"), "DisabledException");
	CHECK_STR(KMS(&f, "EnableKey", js("{\"KeyId\":\"%s\"}", id)), "");
	CHECK_STR(decrypt(&f, blob, "{}"), "");
	CHECK_STR(
	    KMS(&f, "ScheduleKeyDeletion", js("{\"KeyId\":\"%s\",\"PendingWindowInDays\":6}", id)),
	    "ValidationException");
	CHECK_STR(
	    KMS(&f, "ScheduleKeyDeletion", js("{\"KeyId\":\"%s\",\"PendingWindowInDays\":7}", id)),
	    "");
	CHECK_STR(decrypt(&f, blob, "{}"), "KMSInvalidStateException");
	CHECK_STR(KMS(&f, "EnableKey", js("{\"KeyId\":\"%s\"}", id)), "KMSInvalidStateException");
	CHECK_STR(KMS(&f, "CancelKeyDeletion", js("{\"KeyId\":\"%s\"}", id)), "");
	CHECK_STR(decrypt(&f, blob, "{}"), "DisabledException");
	CHECK_STR(KMS(&f, "CancelKeyDeletion", js("{\"KeyId\":\"%s\"}", id)),
	          "KMSInvalidStateException");
	CHECK_STR(KMS(&f, "ScheduleKeyDeletion", js("{\"KeyId\":\"%s\"}", id)), "");
	f.later_s = 30 * 86400 + 60;
	CHECK_STR(KMS(&f, "DescribeKey", js("{\"KeyId\":\"%s\"}", id)), "NotFoundException");
	CHECK_STR(decrypt(&f, blob, "{}"), "AccessDeniedException");
	fixture_end(&f);
}

CASE(data_keys_and_limits)
{
	struct fixture f;
	char id[40], *big;

	fixture_new(&f);
	new_key(&f, id);
	CHECK_STR(KMS(&f, "GenerateDataKey", js("{\"KeyId\":\"%s\"}", id)), "ValidationException");
	CHECK_STR(KMS(&f, "GenerateDataKey",
	              js("{\"KeyId\":\"%s\",\"KeySpec\":\"AES_256\",\"NumberOfBytes\":32}", id)),
	          "ValidationException");
	CHECK_STR(KMS(&f, "GenerateDataKey", js("{\"KeyId\":\"%s\",\"NumberOfBytes\":1025}", id)),
	          "ValidationException");
	CHECK_STR(KMS(&f, "GenerateDataKey", js("{\"KeyId\":\"%s\",\"KeySpec\":\"AES_512\"}", id)),
	          "ValidationException");
	CHECK_STR(KMS(&f, "GenerateDataKey", js("{\"KeyId\":\"%s\",\"KeySpec\":\"AES_256\"}", id)),
	          "");
	CHECK_INT(strlen(fixture_text(&f, "Plaintext")), 44);
	CHECK_STR(KMS(&f, "GenerateDataKeyWithoutPlaintext",
	              js("{\"KeyId\":\"%s\",\"KeySpec\":\"AES_128\"}", id)),
	          "");
	CHECK_STR(fixture_text(&f, "Plaintext"), "");
	CHECK_STR(KMS(&f, "GenerateRandom", "{\"NumberOfBytes\":1024}"), "");
	CHECK_STR(KMS(&f, "GenerateRandom", "{}"), "ValidationException");
	CHECK_STR(
	    KMS(&f, "Encrypt", js("{\"KeyId\":\"%s\",\"Plaintext\":\"YQ==\",\"DryRun\":true}", id)),
	    "DryRunOperationException");
	big = (char *)calloc(1, 5465);
	memset(big, 'A', 5464);
	CHECK_STR(KMS(&f, "Encrypt", js("{\"KeyId\":\"%s\",\"Plaintext\":\"%s\"}", id, big)),
	          "ValidationException");
	free(big);
	CHECK_STR(KMS(&f, "Sign", "{}"), "not_found");
	fixture_end(&f);
}

CASE(reencrypt_moves_to_another_key_and_context)
{
	struct fixture f;
	char from[40], to[40], blob[512], moved[512];

	fixture_new(&f);
	new_key(&f, from);
	new_key(&f, to);
	encrypt(&f, from, "{\"a\":\"1\"}", blob);
	CHECK_STR(KMS(&f, "ReEncrypt",
	              js("{\"CiphertextBlob\":\"%s\",\"DestinationKeyId\":\"%s\"}", blob, to)),
	          "InvalidCiphertextException");
	CHECK_STR(KMS(&f, "ReEncrypt",
	              js("{\"CiphertextBlob\":\"%s\",\"SourceEncryptionContext\":{\"a\":\"1\"},"
	                 "\"DestinationKeyId\":\"%s\",\"DestinationEncryptionContext\":"
	                 "{\"b\":\"2\"}}",
	                 blob, to)),
	          "");
	CHECK(strstr(fixture_text(&f, "SourceKeyId"), from) != NULL);
	CHECK(strstr(fixture_text(&f, "KeyId"), to) != NULL);
	snprintf(moved, sizeof moved, "%s", fixture_text(&f, "CiphertextBlob"));
	CHECK_STR(decrypt(&f, moved, "{\"b\":\"2\"}"), "");
	fixture_end(&f);
}

/* --- who may --- */

static void put_policy(struct fixture *f, const char *id, const char *statements, const char *want)
{
	json_t *in = json_pack("{s:s, s:s, s:b}", "KeyId", id, "Policy", statements,
	                       "BypassPolicyLockoutSafetyCheck", 0);
	char *text = json_dumps(in, 0);

	fixture_as(f, NULL, NULL);
	CHECK_STR(KMS(f, "PutKeyPolicy", text), want);
	free(text);
	json_decref(in);
}

#define ADMIN_STATEMENT                                                                     \
	"{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::111122223333:root\"}," \
	"\"Action\":\"kms:*\",\"Resource\":\"*\"}"
#define ROLE_STATEMENT(more)                                                          \
	"{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"" TEST_ROLE "\"},\"Action\":" \
	"\"kms:Decrypt\",\"Resource\":\"*\"" more "}"

CASE(key_policies_decide)
{
	struct fixture f;
	char id[40], blob[512];

	fixture_new(&f);
	new_key(&f, id);
	encrypt(&f, id, "{\"app\":\"x\"}", blob);
	fixture_as(&f, "adyton-instance", NULL);
	/* The account's identity policies decide, and the instance's gives no kms:Decrypt. */
	CHECK_STR(decrypt(&f, blob, "{\"app\":\"x\"}"), "AccessDeniedException");
	put_policy(
	    &f, id,
	    "{\"Statement\":[" ADMIN_STATEMENT "," ROLE_STATEMENT(
	        ",\"Condition\":{\"StringEquals\":{\"kms:EncryptionContext:app\":\"x\"}}") "]}",
	    "");
	fixture_as(&f, "adyton-instance", NULL);
	CHECK_STR(decrypt(&f, blob, "{\"app\":\"x\"}"), "");
	CHECK_STR(decrypt(&f, blob, "{}"), "AccessDeniedException");
	CHECK_STR(KMS(&f, "DescribeKey", js("{\"KeyId\":\"%s\"}", id)), "AccessDeniedException");
	put_policy(&f, id,
	           "{\"Statement\":[" ADMIN_STATEMENT "," ROLE_STATEMENT(
	               "") ",{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"kms:Decrypt\","
	                   "\"Resource\":\"*\",\"Condition\":{\"StringNotEqualsIgnoreCase\":{"
	                   "\"kms:RecipientAttestation:ImageSha384\":\"aa\"}}}]}",
	           "");
	/* Without a Recipient the key is absent, and the negated operator denies. */
	CHECK_STR(decrypt(&f, blob, "{\"app\":\"x\"}"), "AccessDeniedException");
	fixture_as(&f, "adyton-instance", NULL);
	CHECK_STR(decrypt(&f, blob, "{\"app\":\"x\"}"), "AccessDeniedException");
	fixture_end(&f);
}

CASE(session_policies_narrow)
{
	static const char policy[] = "{\"Statement\":[" ADMIN_STATEMENT "," ROLE_STATEMENT("") "]}";
	struct fixture f;
	char id[40], blob[512];

	fixture_new(&f);
	new_key(&f, id);
	encrypt(&f, id, "{}", blob);
	put_policy(&f, id, policy, "");
	fixture_as(&f, "adyton-instance",
	           "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"kms:Encrypt\","
	           "\"Resource\":\"*\"}}");
	CHECK_STR(decrypt(&f, blob, "{}"), "AccessDeniedException");
	fixture_as(&f, "adyton-instance",
	           "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"kms:Decrypt\","
	           "\"Resource\":\"*\"}}");
	CHECK_STR(decrypt(&f, blob, "{}"), "");
	CHECK_STR(KMS(&f, "Encrypt", js("{\"KeyId\":\"%s\",\"Plaintext\":\"YQ==\"}", id)),
	          "AccessDeniedException");
	/* A key policy that names the session itself is not narrowed. */
	put_policy(&f, id,
	           "{\"Statement\":[" ADMIN_STATEMENT
	           ",{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":"
	           "\"arn:aws:sts::111122223333:assumed-role/adyton-instance/test\"},\"Action\":"
	           "\"kms:Decrypt\",\"Resource\":\"*\"}]}",
	           "");
	fixture_as(&f, "adyton-instance",
	           "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"sts:*\","
	           "\"Resource\":\"*\"}}");
	CHECK_STR(decrypt(&f, blob, "{}"), "");
	fixture_end(&f);
}

CASE(policies_that_are_refused)
{
	struct fixture f;
	char id[40];

	fixture_new(&f);
	new_key(&f, id);
	put_policy(&f, id, "{\"Statement\":[" ROLE_STATEMENT("") "]}",
	           "MalformedPolicyDocumentException");
	CHECK(strstr(f.call.refusal.message, "in the future") != NULL);
	put_policy(&f, id, "{}", "MalformedPolicyDocumentException");
	CHECK_STR(KMS(&f, "GetKeyPolicy", js("{\"KeyId\":\"%s\",\"PolicyName\":\"default\"}", id)),
	          "");
	CHECK(strstr(fixture_text(&f, "Policy"), "Enable IAM User Permissions") != NULL);
	CHECK_STR(KMS(&f, "GetKeyPolicy", js("{\"KeyId\":\"%s\",\"PolicyName\":\"x\"}", id)),
	          "NotFoundException");
	CHECK_STR(KMS(&f, "PutKeyPolicy",
	              js("{\"KeyId\":\"%s\",\"BypassPolicyLockoutSafetyCheck\":true,\"Policy\":"
	                 "\"{\\\"Statement\\\":{\\\"Effect\\\":\\\"Allow\\\",\\\"Principal\\\":"
	                 "{\\\"AWS\\\":\\\"" TEST_ROLE "\\\"},\\\"Action\\\":\\\"kms:Decrypt\\\","
	                 "\\\"Resource\\\":\\\"*\\\"}}\"}",
	                 id)),
	          "");
	CHECK_STR(KMS(&f, "GetKeyPolicy", js("{\"KeyId\":\"%s\"}", id)), "AccessDeniedException");
	fixture_end(&f);
}

CASE(lists_are_paged)
{
	struct fixture f;
	char id[40];

	fixture_new(&f);
	for (int i = 0; i < 3; i++) {
		new_key(&f, id);
		CHECK_STR(KMS(&f, "CreateAlias",
		              js("{\"AliasName\":\"alias/%d\",\"TargetKeyId\":\"%s\"}", i, id)),
		          "");
	}
	CHECK_STR(KMS(&f, "ListKeys", "{\"Limit\":2}"), "");
	CHECK_INT(json_array_size(json_object_get(f.call.out, "Keys")), 2);
	CHECK(json_is_true(json_object_get(f.call.out, "Truncated")));
	CHECK_STR(KMS(&f, "ListKeys",
	              js("{\"Limit\":2,\"Marker\":\"%s\"}", fixture_text(&f, "NextMarker"))),
	          "");
	CHECK_INT(json_array_size(json_object_get(f.call.out, "Keys")), 1);
	CHECK(json_is_false(json_object_get(f.call.out, "Truncated")));
	CHECK_STR(KMS(&f, "ListAliases", js("{\"KeyId\":\"%s\"}", id)), "");
	CHECK_INT(json_array_size(json_object_get(f.call.out, "Aliases")), 1);
	CHECK_STR(
	    KMS(&f, "CreateAlias", js("{\"AliasName\":\"alias/0\",\"TargetKeyId\":\"%s\"}", id)),
	    "AlreadyExistsException");
	CHECK_STR(KMS(&f, "CreateAlias",
	              js("{\"AliasName\":\"alias/aws/x\",\"TargetKeyId\":\"%s\"}", id)),
	          "NotAuthorizedException");
	CHECK_STR(KMS(&f, "CreateAlias", js("{\"AliasName\":\"0\",\"TargetKeyId\":\"%s\"}", id)),
	          "InvalidAliasNameException");
	CHECK_STR(KMS(&f, "DeleteAlias", "{\"AliasName\":\"alias/0\"}"), "");
	CHECK_STR(KMS(&f, "DeleteAlias", "{\"AliasName\":\"alias/0\"}"), "NotFoundException");
	fixture_end(&f);
}

int main(void)
{
	RUN(context_is_bound_in_any_order);
	RUN(every_byte_of_a_ciphertext_counts);
	RUN(old_ciphertexts_open_after_rotation);
	RUN(state_survives_a_restart);
	RUN(a_later_schema_is_refused);
	RUN(forms_of_a_key_id);
	RUN(states_of_a_key);
	RUN(data_keys_and_limits);
	RUN(reencrypt_moves_to_another_key_and_context);
	RUN(key_policies_decide);
	RUN(session_policies_narrow);
	RUN(policies_that_are_refused);
	RUN(lists_are_paged);
	return test_end();
}
