/* SPDX-License-Identifier: Apache-2.0 */
#include "aws/kms.h"

#include <string.h>

#include "base/text.h"
#include "codec/json.h"

enum {
	TOKENS = 256,
	CMS_MAX = 6144, /* CiphertextForRecipient (AWS KMS API reference, Decrypt) */
	CMS_TEXT = ADY_BASE64_SIZE(CMS_MAX),
};

static void put_name(struct ady_buf *b, const char *before, const char *name)
{
	ady_buf_str(b, before);
	ady_json_put_string(b, ady_bytes_str(name));
	ady_buf_str(b, ":");
}

static void put_text(struct ady_buf *b, const char *before, const char *name, const char *value)
{
	put_name(b, before, name);
	ady_json_put_string(b, ady_bytes_str(value));
}

/* Base64 goes straight into the writer: a document is too large for the stack. Its NUL must fit
 * as well, so a writer with no byte to spare becomes full. */
static void put_blob(struct ady_buf *b, const char *before, const char *name, struct ady_bytes v)
{
	put_name(b, before, name);
	ady_buf_str(b, "\"");
	if (b->full || ADY_BASE64_SIZE(v.n) > b->cap - b->n) {
		b->full = true;
		return;
	}
	b->n += ady_base64_encode((char *)b->p + b->n, v);
	ady_buf_str(b, "\"");
}

static void put_context(struct ady_buf *b, const struct ady_kms_request *request)
{
	if (request->context_n == 0)
		return;
	put_name(b, ",", "EncryptionContext");
	for (size_t i = 0; i < request->context_n; i++)
		put_text(b, i ? "," : "{", request->context[i].key, request->context[i].value);
	ady_buf_str(b, "}");
}

static void put_recipient(struct ady_buf *b, const struct ady_kms_request *request)
{
	if (request->document.n == 0)
		return;
	put_name(b, ",", "Recipient");
	put_blob(b, "{", "AttestationDocument", request->document);
	put_text(b, ",", "KeyEncryptionAlgorithm", "RSAES_OAEP_SHA_256");
	ady_buf_str(b, "}");
}

void ady_kms_put_decrypt(struct ady_buf *b, const struct ady_kms_request *request)
{
	put_blob(b, "{", "CiphertextBlob", request->ciphertext);
	if (request->key_arn)
		put_text(b, ",", "KeyId", request->key_arn);
	put_text(b, ",", "EncryptionAlgorithm", "SYMMETRIC_DEFAULT");
	put_context(b, request);
	put_recipient(b, request);
	ady_buf_str(b, "}");
}

void ady_kms_put_generate(struct ady_buf *b, const struct ady_kms_request *request)
{
	put_text(b, "{", "KeyId", request->key_arn);
	put_text(b, ",", "KeySpec", "AES_256");
	put_context(b, request);
	put_recipient(b, request);
	ady_buf_str(b, "}");
}

static enum ady_err refuse(struct ady_fault *f, const char *member, const char *why)
{
	return ady_fail(f, ADY_E_KMS_REPLY, member, "%s", why);
}

static enum ady_err check_key_id(const struct ady_json *doc, const char *const *key_arns, size_t n,
                                 struct ady_fault *f)
{
	uint32_t i = ady_json_get(doc, 0, "KeyId");

	for (size_t k = 0; i && k < n; k++)
		if (ady_json_is(doc, i, key_arns[k]))
			return ADY_OK;
	return refuse(f, "KeyId", "is not one of the configured keys");
}

static enum ady_err check_members(const struct ady_json *doc, struct ady_fault *f)
{
	uint32_t algorithm = ady_json_get(doc, 0, "EncryptionAlgorithm");
	uint32_t plaintext = ady_json_get(doc, 0, "Plaintext");

	if (algorithm && !ady_json_is(doc, algorithm, "SYMMETRIC_DEFAULT"))
		return refuse(f, "EncryptionAlgorithm", "is not SYMMETRIC_DEFAULT");
	if (plaintext && ady_json_kind(doc, plaintext) != ADY_JSON_NULL)
		return refuse(f, "Plaintext", "is present: KMS did not see the Recipient");
	return ADY_OK;
}

static enum ady_err read_blob(struct ady_buf *out, const struct ady_json *doc, const char *member,
                              struct ady_fault *f)
{
	uint32_t i = ady_json_get(doc, 0, member);
	char text[CMS_TEXT];
	size_t n;

	if (!i)
		return refuse(f, member, "is missing");
	if (ady_json_string(doc, i, text, sizeof text, &n) != ADY_OK)
		return refuse(f, member, "is no string of at most 6144 bytes in base64");
	if (ady_base64_decode(out->p, out->cap, &out->n, ady_bytes(text, n)) != ADY_OK ||
	    out->n == 0) {
		out->n = 0;
		return refuse(f, member, "is not base64 of the allowed size");
	}
	return ADY_OK;
}

enum ady_err ady_kms_read_reply(struct ady_buf *cms, struct ady_buf *blob, struct ady_bytes body,
                                const char *const *key_arns, size_t n, struct ady_fault *f)
{
	struct ady_json_tok toks[TOKENS];
	struct ady_json doc;
	enum ady_err err;

	cms->n = 0;
	if (blob)
		blob->n = 0;
	if (ady_json_parse(&doc, toks, TOKENS, body, NULL) != ADY_OK ||
	    ady_json_kind(&doc, 0) != ADY_JSON_OBJECT)
		return refuse(f, NULL, "the reply of KMS is not a JSON object");
	if ((err = check_key_id(&doc, key_arns, n, f)) != ADY_OK ||
	    (err = check_members(&doc, f)) != ADY_OK)
		return err;
	if (blob && (err = read_blob(blob, &doc, "CiphertextBlob", f)) != ADY_OK)
		return err;
	return read_blob(cms, &doc, "CiphertextForRecipient", f);
}

struct known_error {
	const char *name;
	enum ady_err err;
};

/* AWS KMS API reference: Decrypt, Errors, and Common Errors. Names that are not here mean that
 * KMS understood and said no. */
static const struct known_error known_errors[] = {
    {"ThrottlingException", ADY_E_KMS_UNAVAILABLE},
    {"Throttling", ADY_E_KMS_UNAVAILABLE},
    {"LimitExceededException", ADY_E_KMS_UNAVAILABLE},
    {"TooManyRequestsException", ADY_E_KMS_UNAVAILABLE},
    {"RequestLimitExceeded", ADY_E_KMS_UNAVAILABLE},
    {"KMSInternalException", ADY_E_KMS_UNAVAILABLE},
    {"KeyUnavailableException", ADY_E_KMS_UNAVAILABLE},
    {"DependencyTimeoutException", ADY_E_KMS_UNAVAILABLE},
    {"InternalFailure", ADY_E_KMS_UNAVAILABLE},
    {"ServiceUnavailable", ADY_E_KMS_UNAVAILABLE},
    {"ServiceUnavailableException", ADY_E_KMS_UNAVAILABLE},
    {"ExpiredTokenException", ADY_E_CREDENTIALS},
    {"ExpiredToken", ADY_E_CREDENTIALS},
    {"RequestExpired", ADY_E_CREDENTIALS},
    {"UnrecognizedClientException", ADY_E_CREDENTIALS},
    {"InvalidClientTokenId", ADY_E_CREDENTIALS},
    {"InvalidSignatureException", ADY_E_CREDENTIALS},
    {"SignatureDoesNotMatch", ADY_E_CREDENTIALS},
    {"IncompleteSignature", ADY_E_CREDENTIALS},
    {"IncompleteSignatureException", ADY_E_CREDENTIALS},
    {"MissingAuthenticationToken", ADY_E_CREDENTIALS},
    {"MissingAuthenticationTokenException", ADY_E_CREDENTIALS},
};

static enum ady_err classify(const char *name, int status)
{
	for (size_t i = 0; i < sizeof known_errors / sizeof *known_errors; i++)
		if (strcmp(name, known_errors[i].name) == 0)
			return known_errors[i].err;
	return status >= 500 || status == 429 ? ADY_E_KMS_UNAVAILABLE : ADY_E_KMS;
}

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* "com.amazonaws.kms#AccessDeniedException", and in other services "Name:http://...": the letters
 * and digits behind the last '#'. */
static void read_name(char *name, size_t cap, struct ady_bytes body)
{
	struct ady_json_tok toks[TOKENS];
	struct ady_json doc;
	char type[256];
	const char *from;
	size_t n, len = 0;
	uint32_t i;

	name[0] = '\0';
	if (ady_json_parse(&doc, toks, TOKENS, body, NULL) != ADY_OK ||
	    !(i = ady_json_get(&doc, 0, "__type")) ||
	    ady_json_string(&doc, i, type, sizeof type, &n) != ADY_OK)
		return;
	from = strrchr(type, '#');
	from = from ? from + 1 : type;
	while (len < cap - 1 && is_alphanumeric(from[len]))
		len++;
	memcpy(name, from, len);
	name[len] = '\0';
}

enum ady_err ady_kms_read_error(struct ady_fault *f, int status, struct ady_bytes body)
{
	char name[sizeof f->cause];
	enum ady_err err;

	read_name(name, sizeof name, body);
	err = classify(name, status);
	(void)ady_fail(f, err, NULL, "KMS answered with status %d", status);
	memcpy(f->cause, name, sizeof name);
	return err;
}
