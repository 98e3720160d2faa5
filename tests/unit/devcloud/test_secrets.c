/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets Manager without its network: versions, stages, tokens, deletion, lists. */
#include "cloud_fixture.h"

#define TOKEN_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define TOKEN_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static const char *get(struct fixture *f, const char *more)
{
	const char *type = SECRETS(f, "GetSecretValue", js("{\"SecretId\":\"k\"%s}", more));

	return *type ? type : fixture_text(f, "SecretString");
}

static const char *put(struct fixture *f, const char *value)
{
	return SECRETS(f, "PutSecretValue",
	               js("{\"SecretId\":\"k\",\"SecretString\":\"%s\"}", value));
}

CASE(current_becomes_previous)
{
	struct fixture f;

	fixture_new(&f);
	CHECK_STR(SECRETS(&f, "CreateSecret", "{\"Name\":\"k\",\"SecretString\":\"1\"}"), "");
	CHECK_STR(get(&f, ""), "1");
	CHECK_STR(get(&f, ",\"VersionStage\":\"AWSPREVIOUS\""), "ResourceNotFoundException");
	CHECK_STR(put(&f, "2"), "");
	CHECK_STR(put(&f, "3"), "");
	CHECK_STR(get(&f, ""), "3");
	CHECK_STR(get(&f, ",\"VersionStage\":\"AWSPREVIOUS\""), "2");
	CHECK_STR(SECRETS(&f, "DescribeSecret", "{\"SecretId\":\"k\"}"), "");
	CHECK_INT(json_object_size(json_object_get(f.call.out, "VersionIdsToStages")), 2);
	CHECK_STR(SECRETS(&f, "UpdateSecret", "{\"SecretId\":\"k\",\"SecretBinary\":\"AAE=\"}"),
	          "");
	CHECK_STR(get(&f, ""), "");
	CHECK_STR(fixture_text(&f, "SecretBinary"), "AAE=");
	fixture_end(&f);
}

CASE(stages_move)
{
	struct fixture f;
	char first[65];

	fixture_new(&f);
	CHECK_STR(SECRETS(&f, "CreateSecret", "{\"Name\":\"k\",\"SecretString\":\"1\"}"), "");
	snprintf(first, sizeof first, "%s", fixture_text(&f, "VersionId"));
	CHECK_STR(SECRETS(&f, "PutSecretValue",
	                  "{\"SecretId\":\"k\",\"SecretString\":\"2\",\"ClientRequestToken\":"
	                  "\"" TOKEN_B "\",\"VersionStages\":[\"pending\"]}"),
	          "");
	CHECK_STR(get(&f, ""), "1");
	CHECK_STR(get(&f, ",\"VersionStage\":\"pending\""), "2");
	CHECK_STR(get(&f, ",\"VersionId\":\"" TOKEN_B "\",\"VersionStage\":\"AWSCURRENT\""),
	          "ResourceNotFoundException");
	CHECK_STR(SECRETS(&f, "UpdateSecretVersionStage",
	                  "{\"SecretId\":\"k\",\"VersionStage\":\"AWSCURRENT\","
	                  "\"MoveToVersionId\":\"" TOKEN_B "\"}"),
	          "InvalidParameterException");
	CHECK_STR(SECRETS(&f, "UpdateSecretVersionStage",
	                  js("{\"SecretId\":\"k\",\"VersionStage\":\"AWSCURRENT\","
	                     "\"RemoveFromVersionId\":\"%s\",\"MoveToVersionId\":\"" TOKEN_B "\"}",
	                     first)),
	          "");
	CHECK_STR(get(&f, ""), "2");
	CHECK_STR(get(&f, ",\"VersionStage\":\"AWSPREVIOUS\""), "1");
	fixture_end(&f);
}

CASE(a_token_makes_one_version)
{
	static const char first[] = "{\"Name\":\"k\",\"SecretString\":\"1\","
	                            "\"ClientRequestToken\":\"" TOKEN_A "\"}";
	static const char again[] = "{\"SecretId\":\"k\",\"SecretString\":\"%s\","
	                            "\"ClientRequestToken\":\"" TOKEN_B "\"}";
	struct fixture f;

	fixture_new(&f);
	CHECK_STR(SECRETS(&f, "CreateSecret", first), "");
	CHECK_STR(SECRETS(&f, "CreateSecret", first), "");
	CHECK_STR(SECRETS(&f, "CreateSecret", "{\"Name\":\"k\",\"SecretString\":\"2\"}"),
	          "ResourceExistsException");
	CHECK_STR(SECRETS(&f, "PutSecretValue", js(again, "2")), "");
	CHECK_STR(SECRETS(&f, "PutSecretValue", js(again, "2")), "");
	CHECK_STR(SECRETS(&f, "PutSecretValue", js(again, "3")), "ResourceExistsException");
	CHECK_STR(get(&f, ",\"VersionStage\":\"AWSPREVIOUS\""), "1");
	CHECK_STR(SECRETS(&f, "PutSecretValue",
	                  "{\"SecretId\":\"k\",\"SecretString\":\"x\",\"ClientRequestToken\":"
	                  "\"short\"}"),
	          "InvalidParameterException");
	CHECK_STR(SECRETS(&f, "PutSecretValue", "{\"SecretId\":\"k\"}"),
	          "InvalidParameterException");
	CHECK_STR(SECRETS(&f, "PutSecretValue",
	                  "{\"SecretId\":\"k\",\"SecretString\":\"x\",\"SecretBinary\":\"AA==\"}"),
	          "InvalidParameterException");
	fixture_end(&f);
}

CASE(deletion_can_be_taken_back)
{
	struct fixture f;

	fixture_new(&f);
	CHECK_STR(SECRETS(&f, "CreateSecret", "{\"Name\":\"k\",\"SecretString\":\"1\"}"), "");
	CHECK_STR(SECRETS(&f, "DeleteSecret", "{\"SecretId\":\"k\",\"RecoveryWindowInDays\":6}"),
	          "InvalidParameterException");
	CHECK_STR(SECRETS(&f, "DeleteSecret",
	                  "{\"SecretId\":\"k\",\"RecoveryWindowInDays\":7,"
	                  "\"ForceDeleteWithoutRecovery\":true}"),
	          "InvalidParameterException");
	CHECK_STR(SECRETS(&f, "DeleteSecret", "{\"SecretId\":\"k\",\"RecoveryWindowInDays\":7}"),
	          "");
	CHECK_STR(get(&f, ""), "InvalidRequestException");
	CHECK_STR(SECRETS(&f, "CreateSecret", "{\"Name\":\"k\"}"), "InvalidRequestException");
	CHECK_STR(SECRETS(&f, "RestoreSecret", "{\"SecretId\":\"k\"}"), "");
	CHECK_STR(get(&f, ""), "1");
	CHECK_STR(SECRETS(&f, "DeleteSecret", "{\"SecretId\":\"k\",\"RecoveryWindowInDays\":7}"),
	          "");
	f.later_s = 7 * 86400 + 1;
	CHECK_STR(get(&f, ""), "ResourceNotFoundException");
	CHECK_STR(SECRETS(&f, "CreateSecret", "{\"Name\":\"k\",\"SecretString\":\"2\"}"), "");
	CHECK_STR(
	    SECRETS(&f, "DeleteSecret", "{\"SecretId\":\"k\",\"ForceDeleteWithoutRecovery\":true}"),
	    "");
	CHECK_STR(get(&f, ""), "ResourceNotFoundException");
	CHECK_STR(
	    SECRETS(&f, "DeleteSecret", "{\"SecretId\":\"k\",\"ForceDeleteWithoutRecovery\":true}"),
	    "");
	fixture_end(&f);
}

CASE(ids_and_arns)
{
	struct fixture f;
	char arn[256], partial[256];

	fixture_new(&f);
	CHECK_STR(SECRETS(&f, "CreateSecret", "{\"Name\":\"a/b\",\"SecretString\":\"1\"}"), "");
	snprintf(arn, sizeof arn, "%s", fixture_text(&f, "ARN"));
	CHECK_INT(strlen(arn),
	          strlen("arn:aws:secretsmanager:us-east-1:111122223333:secret:a/b-123456"));
	snprintf(partial, sizeof partial, "%.*s", (int)strlen(arn) - 7, arn);
	CHECK_STR(SECRETS(&f, "GetSecretValue", js("{\"SecretId\":\"%s\"}", arn)), "");
	CHECK_STR(fixture_text(&f, "Name"), "a/b");
	CHECK_STR(SECRETS(&f, "GetSecretValue", js("{\"SecretId\":\"%s\"}", partial)), "");
	CHECK_STR(SECRETS(&f, "GetSecretValue", js("{\"SecretId\":\"%s-XXXXXX\"}", partial)),
	          "ResourceNotFoundException");
	CHECK_STR(SECRETS(&f, "CreateSecret", "{\"Name\":\"a b\"}"), "ValidationException");
	fixture_end(&f);
}

CASE(the_instance_may_write_and_one_that_may_only_read_is_refused)
{
	struct fixture f;

	fixture_new(&f);
	CHECK_STR(SECRETS(&f, "CreateSecret", "{\"Name\":\"k\",\"SecretString\":\"1\"}"), "");
	fixture_as(&f, "adyton-instance", NULL);
	CHECK_STR(put(&f, "2"), "");
	fixture_as(&f, "adyton-instance",
	           "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":"
	           "\"secretsmanager:GetSecretValue\",\"Resource\":\"*\"}]}");
	CHECK_STR(get(&f, ""), "2");
	CHECK_STR(put(&f, "3"), "AccessDeniedException");
	CHECK_STR(SECRETS(&f, "ListSecrets", "{}"), "AccessDeniedException");
	CHECK_STR(SECRETS(&f, "DeleteSecret", "{\"SecretId\":\"none\"}"), "AccessDeniedException");
	fixture_end(&f);
}

CASE(lists_are_paged_and_filtered)
{
	static const char filtered[] = "{\"Filters\":[{\"Key\":\"%s\",\"Values\":[\"%s\"]}]}";
	struct fixture f;

	fixture_new(&f);
	for (int i = 0; i < 5; i++)
		CHECK_STR(SECRETS(&f, "CreateSecret",
		                  js("{\"Name\":\"%s%d\",\"Description\":\"Wallet %d\"}",
		                     i < 3 ? "a" : "b", i, i)),
		          "");
	CHECK_STR(SECRETS(&f, "ListSecrets", "{\"MaxResults\":3}"), "");
	CHECK_INT(json_array_size(json_object_get(f.call.out, "SecretList")), 3);
	CHECK_STR(
	    SECRETS(&f, "ListSecrets",
	            js("{\"MaxResults\":3,\"NextToken\":\"%s\"}", fixture_text(&f, "NextToken"))),
	    "");
	CHECK_INT(json_array_size(json_object_get(f.call.out, "SecretList")), 2);
	CHECK_STR(fixture_text(&f, "NextToken"), "");
	CHECK_STR(SECRETS(&f, "ListSecrets", js(filtered, "name", "b")), "");
	CHECK_INT(json_array_size(json_object_get(f.call.out, "SecretList")), 2);
	CHECK_STR(SECRETS(&f, "ListSecrets", js(filtered, "name", "!b")), "");
	CHECK_INT(json_array_size(json_object_get(f.call.out, "SecretList")), 3);
	CHECK_STR(SECRETS(&f, "ListSecrets", js(filtered, "description", "wallet 4")), "");
	CHECK_INT(json_array_size(json_object_get(f.call.out, "SecretList")), 1);
	CHECK_STR(SECRETS(&f, "ListSecrets", js(filtered, "tag-key", "x")),
	          "InvalidParameterException");
	CHECK_STR(SECRETS(&f, "ListSecrets", "{\"NextToken\":\"x\"}"), "InvalidNextTokenException");
	fixture_end(&f);
}

int main(void)
{
	RUN(current_becomes_previous);
	RUN(stages_move);
	RUN(a_token_makes_one_version);
	RUN(deletion_can_be_taken_back);
	RUN(ids_and_arns);
	RUN(the_instance_may_write_and_one_that_may_only_read_is_refused);
	RUN(lists_are_paged_and_filtered);
	return test_end();
}
