/* SPDX-License-Identifier: Apache-2.0 */
#include "aws/kms.h"

#include <stdlib.h>

#include "base/text.h"
#include "codec/json.h"

#include "test.h"

#define ARN "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
#define ARN2 "arn:aws:kms:us-east-1:111122223333:key/ffffffff-12ab-34cd-56ef-1234567890ab"

static const char *const arns[] = {ARN2, ARN};
static struct ady_fault fault;

CASE(a_request_with_everything)
{
	static const struct ady_context_pair context[] = {{"adyton:id", "k/1"}, {"q\"", "\\\n"}};
	char text[1024] = "";
	struct ady_buf b = ady_buf(text, sizeof text - 1);

	ady_kms_put_decrypt(&b, &(struct ady_kms_request){.ciphertext = test_hex("010203"),
	                                                  .key_arn = ARN,
	                                                  .context = context,
	                                                  .context_n = 2,
	                                                  .document = test_hex("8444")});
	CHECK(!b.full);
	CHECK_STR(text, "{\"CiphertextBlob\":\"AQID\",\"KeyId\":\"" ARN
	                "\",\"EncryptionAlgorithm\":\"SYMMETRIC_DEFAULT\",\"EncryptionContext\":{"
	                "\"adyton:id\":\"k/1\",\"q\\\"\":\"\\\\\\u000a\"},\"Recipient\":{"
	                "\"AttestationDocument\":\"hEQ=\",\"KeyEncryptionAlgorithm\":"
	                "\"RSAES_OAEP_SHA_256\"}}");
}

CASE(a_request_with_little)
{
	char text[1024] = "";
	struct ady_buf b = ady_buf(text, sizeof text - 1);

	ady_kms_put_decrypt(&b, &(struct ady_kms_request){.ciphertext = test_hex("010203")});
	CHECK_STR(text,
	          "{\"CiphertextBlob\":\"AQID\",\"EncryptionAlgorithm\":\"SYMMETRIC_DEFAULT\"}");
}

CASE(a_data_key_is_asked_for)
{
	static const struct ady_context_pair context[] = {{"adyton:tenant", "t"}};
	char text[1024] = "";
	struct ady_buf b = ady_buf(text, sizeof text - 1);

	ady_kms_put_generate(&b, &(struct ady_kms_request){.key_arn = ARN,
	                                                   .context = context,
	                                                   .context_n = 1,
	                                                   .document = test_hex("8444")});
	CHECK_STR(text, "{\"KeyId\":\"" ARN "\",\"KeySpec\":\"AES_256\",\"EncryptionContext\":{"
	                "\"adyton:tenant\":\"t\"},\"Recipient\":{\"AttestationDocument\":"
	                "\"hEQ=\",\"KeyEncryptionAlgorithm\":\"RSAES_OAEP_SHA_256\"}}");
}

CASE(a_data_key_comes_with_its_ciphertext)
{
	static const struct {
		const char *body, *where;
	} rows[] = {
	    {"{\"KeyId\":\"" ARN "\",\"CiphertextForRecipient\":\"MIAG\"}", "CiphertextBlob"},
	    {"{\"KeyId\":\"" ARN "\",\"CiphertextForRecipient\":\"MIAG\",\"CiphertextBlob\":\"\"}",
	     "CiphertextBlob"},
	    {"{\"KeyId\":\"" ARN "\",\"CiphertextForRecipient\":\"MIAG\",\"CiphertextBlob\":7}",
	     "CiphertextBlob"},
	    {"{\"KeyId\":\"" ARN "\",\"CiphertextBlob\":\"AQID\"}", "CiphertextForRecipient"},
	    {"{\"KeyId\":\"" ARN
	     "\",\"CiphertextBlob\":\"AQID\",\"CiphertextForRecipient\":\"MIAG\","
	     "\"Plaintext\":\"AQID\"}",
	     "Plaintext"},
	    {"{\"KeyId\":\"x\",\"CiphertextBlob\":\"AQID\",\"CiphertextForRecipient\":\"MIAG\"}",
	     "KeyId"},
	};
	uint8_t space[64], blob_space[8];
	struct ady_buf cms = ady_buf(space, sizeof space), blob = ady_buf(blob_space, 8);

	CHECK_ERR(ady_kms_read_reply(&cms, &blob,
	                             ady_bytes_str("{\"KeyId\":\"" ARN "\",\"CiphertextBlob\":"
	                                           "\"AQID\",\"CiphertextForRecipient\":\"MIAG\"}"),
	                             arns, 2, &fault),
	          ADY_OK);
	CHECK_HEX(cms.p, cms.n, "308006");
	CHECK_HEX(blob.p, blob.n, "010203");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		CHECK_ERR(
		    ady_kms_read_reply(&cms, &blob, ady_bytes_str(rows[i].body), arns, 2, &fault),
		    ADY_E_KMS_REPLY);
		CHECK_STR(fault.where, rows[i].where);
	}
}

/* Whatever the size of the writer: full, or the whole body. */
CASE(a_request_that_does_not_fit)
{
	static const struct ady_context_pair context[] = {{"a", "b"}};
	struct ady_kms_request request = {.ciphertext = test_hex("01020304"),
	                                  .key_arn = ARN,
	                                  .context = context,
	                                  .context_n = 1,
	                                  .document = test_hex("8444a1")};
	char whole[512];
	struct ady_buf b = ady_buf(whole, sizeof whole);

	ady_kms_put_decrypt(&b, &request);
	CHECK(!b.full);
	for (size_t cap = 0; cap < b.n; cap++) {
		char *space = malloc(cap + !cap);
		struct ady_buf small = ady_buf(space, cap);

		ady_kms_put_decrypt(&small, &request);
		CHECK(small.full);
		free(space);
	}
}

static enum ady_err read(const char *body, struct ady_buf *cms)
{
	static uint8_t space[6144];

	*cms = ady_buf(space, sizeof space);
	fault = (struct ady_fault){0};
	return ady_kms_read_reply(cms, NULL, ady_bytes_str(body), arns, 2, &fault);
}

CASE(accepted_replies)
{
	static const char *const good[] = {
	    "{\"KeyId\":\"" ARN "\",\"CiphertextForRecipient\":\"MIAG\"}",
	    "{\"KeyId\":\"" ARN2 "\",\"CiphertextForRecipient\":\"MIAG\"}",
	    ("{\"CiphertextForRecipient\":\"MIAG\",\"EncryptionAlgorithm\":\"SYMMETRIC_DEFAULT\","
	     "\"KeyId\":\"" ARN "\",\"Plaintext\":null,\"KeyMaterialId\":\"00\",\"New\":[{}]}"),
	    "{\"KeyId\":\"arn:aws:kms:us-east-1:111122223333:key\\/1234abcd-12ab-34cd-56ef-"
	    "1234567890ab\",\"CiphertextForRecipient\":\"MIA\\u0047\"}",
	};
	struct ady_buf cms;

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		CHECK_ERR(read(good[i], &cms), ADY_OK);
		CHECK_HEX(cms.p, cms.n, "308006");
	}
}

CASE(refused_replies)
{
#define CMS "\"CiphertextForRecipient\":\"MIAG\""
#define KEY "\"KeyId\":\"" ARN "\""
	static const struct {
		const char *body, *where;
	} rows[] = {
	    {"", ""},
	    {"[]", ""},
	    {"\"" ARN "\"", ""},
	    {"{" KEY "," CMS "} {}", ""},
	    {"{" KEY "," KEY "," CMS "}", ""},
	    {"{" CMS "}", "KeyId"},
	    {"{\"KeyId\":null," CMS "}", "KeyId"},
	    {"{\"KeyId\":\"\"," CMS "}", "KeyId"},
	    {"{\"KeyId\":\"" ARN "0\"," CMS "}", "KeyId"},
	    {"{\"KeyId\":\"" ARN "\\u0000\"," CMS "}", "KeyId"},
	    {"{\"KeyId\":\"1234abcd-12ab-34cd-56ef-1234567890ab\"," CMS "}", "KeyId"},
	    {"{\"KeyId\":\"arn:aws:kms:us-east-1:111122223333:key/eeeeeeee-12ab-34cd-56ef-"
	     "1234567890ab\"," CMS "}",
	     "KeyId"},
	    {"{\"KeyId\":[\"" ARN "\"]," CMS "}", "KeyId"},
	    {"{" KEY "}", "CiphertextForRecipient"},
	    {"{" KEY ",\"CiphertextForRecipient\":null}", "CiphertextForRecipient"},
	    {"{" KEY ",\"CiphertextForRecipient\":\"\"}", "CiphertextForRecipient"},
	    {"{" KEY ",\"CiphertextForRecipient\":\"MIA\"}", "CiphertextForRecipient"},
	    {"{" KEY ",\"CiphertextForRecipient\":\"MIAG\\n\"}", "CiphertextForRecipient"},
	    {"{" KEY ",\"CiphertextForRecipient\":\"MIAG\\u0000\"}", "CiphertextForRecipient"},
	    {"{" KEY "," CMS ",\"Plaintext\":\"AQID\"}", "Plaintext"},
	    {"{" KEY "," CMS ",\"Plaintext\":\"\"}", "Plaintext"},
	    {"{" KEY "," CMS ",\"EncryptionAlgorithm\":\"RSAES_OAEP_SHA_256\"}",
	     "EncryptionAlgorithm"},
	    {"{" KEY "," CMS ",\"EncryptionAlgorithm\":null}", "EncryptionAlgorithm"},
	};
	struct ady_buf cms;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (!CHECK_ERR(read(rows[i].body, &cms), ADY_E_KMS_REPLY) ||
		    !CHECK_STR(fault.where, rows[i].where))
			printf("# %s\n", rows[i].body);
		CHECK_INT(cms.n, 0);
		CHECK(fault.detail[0] != '\0');
	}
}

CASE(no_key_configured)
{
	static uint8_t space[64];
	struct ady_buf cms = ady_buf(space, sizeof space);

	CHECK_ERR(
	    ady_kms_read_reply(&cms, NULL, ady_bytes_str("{" KEY "," CMS "}"), NULL, 0, &fault),
	    ADY_E_KMS_REPLY);
	CHECK_STR(fault.where, "KeyId");
}

CASE(a_reply_that_is_too_large)
{
	static uint8_t small[2];
	struct ady_buf cms = ady_buf(small, sizeof small);
	struct ady_dyn body = {0};

	CHECK_ERR(
	    ady_kms_read_reply(&cms, NULL, ady_bytes_str("{" KEY "," CMS "}"), arns, 2, &fault),
	    ADY_E_KMS_REPLY);
	CHECK_STR(fault.where, "CiphertextForRecipient");
	CHECK_INT(cms.n, 0);
	ady_dyn_str(&body, "{" KEY ",\"CiphertextForRecipient\":\"");
	for (size_t i = 0; i < 2049; i++)
		ady_dyn_str(&body, "AAAA");
	ady_dyn_str(&body, "\"}");
	CHECK_ERR(read(ady_dyn_cstr(&body), &cms), ADY_E_KMS_REPLY);
	ady_dyn_free(&body);
}

CASE(errors_of_kms)
{
	static const struct {
		int status;
		const char *body;
		enum ady_err err;
		const char *cause;
	} rows[] = {
	    {400, "{\"__type\":\"AccessDeniedException\",\"Message\":\"secret words\"}", ADY_E_KMS,
	     "AccessDeniedException"},
	    {400, "{\"__type\":\"com.amazonaws.kms#ValidationException\"}", ADY_E_KMS,
	     "ValidationException"},
	    {400, "{\"__type\":\"InvalidCiphertextException:http://x/\"}", ADY_E_KMS,
	     "InvalidCiphertextException"},
	    {400, "{\"__type\":\"KMSInvalidStateException\"}", ADY_E_KMS,
	     "KMSInvalidStateException"},
	    {400, "{\"__type\":\"ThrottlingException\"}", ADY_E_KMS_UNAVAILABLE,
	     "ThrottlingException"},
	    {400, "{\"__type\":\"LimitExceededException\"}", ADY_E_KMS_UNAVAILABLE,
	     "LimitExceededException"},
	    {500, "{\"__type\":\"KMSInternalException\"}", ADY_E_KMS_UNAVAILABLE,
	     "KMSInternalException"},
	    {500, "{\"__type\":\"KeyUnavailableException\"}", ADY_E_KMS_UNAVAILABLE,
	     "KeyUnavailableException"},
	    {500, "{\"__type\":\"DependencyTimeoutException\"}", ADY_E_KMS_UNAVAILABLE,
	     "DependencyTimeoutException"},
	    {503, "<html>", ADY_E_KMS_UNAVAILABLE, ""},
	    {429, "", ADY_E_KMS_UNAVAILABLE, ""},
	    {400, "{\"__type\":\"ExpiredTokenException\"}", ADY_E_CREDENTIALS,
	     "ExpiredTokenException"},
	    {400, "{\"__type\":\"UnrecognizedClientException\"}", ADY_E_CREDENTIALS,
	     "UnrecognizedClientException"},
	    {400, "{\"__type\":\"InvalidSignatureException\"}", ADY_E_CREDENTIALS,
	     "InvalidSignatureException"},
	    {403, "{\"__type\":\"IncompleteSignature\"}", ADY_E_CREDENTIALS, "IncompleteSignature"},
	    {403, "{\"__type\":\"MissingAuthenticationToken\"}", ADY_E_CREDENTIALS,
	     "MissingAuthenticationToken"},
	    {400, "", ADY_E_KMS, ""},
	    {400, "{}", ADY_E_KMS, ""},
	    {400, "[]", ADY_E_KMS, ""},
	    {400, "\"ThrottlingException\"", ADY_E_KMS, ""},
	    {400, "{\"__type\":7}", ADY_E_KMS, ""},
	    {400, "{\"__type\":\"\\u0000X\"}", ADY_E_KMS, ""},
	    {400, "{\"__type\":\"a#\"}", ADY_E_KMS, ""},
	    {400, "{\"__type\":\"Evil\\nLine\"}", ADY_E_KMS, "Evil"},
	    {400, "{\"__type\":\"A23456789B123456789C123456789D123456789E123456789F123456789\"}",
	     ADY_E_KMS, "A23456789B123456789C123456789D123456789E1234567"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		CHECK_ERR(ady_kms_read_error(&fault, rows[i].status, ady_bytes_str(rows[i].body)),
		          rows[i].err);
		CHECK_ERR(fault.err, rows[i].err);
		if (!CHECK_STR(fault.cause, rows[i].cause))
			printf("# %s\n", rows[i].body);
		CHECK(!strstr(fault.detail, "secret"));
	}
}

int main(void)
{
	RUN(a_request_with_everything);
	RUN(a_request_with_little);
	RUN(a_data_key_is_asked_for);
	RUN(a_data_key_comes_with_its_ciphertext);
	RUN(a_request_that_does_not_fit);
	RUN(accepted_replies);
	RUN(refused_replies);
	RUN(no_key_configured);
	RUN(a_reply_that_is_too_large);
	RUN(errors_of_kms);
	return test_end();
}
