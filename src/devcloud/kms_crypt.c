/* SPDX-License-Identifier: Apache-2.0
 *
 * Encrypt, Decrypt, ReEncrypt, the data keys and GenerateRandom. */
#include <stdio.h>
#include <string.h>

#include "crypto/rng.h"
#include "devcloud/envelope.h"
#include "devcloud/kms.h"
#include "devcloud/recipient.h"

enum { PLAINTEXT_MAX = 4096, BLOB_MAX = 6144, RANDOM_MAX = 1024, CONTEXT_MAX = 8192 };

/* Which of the members of a request name the same things in two operations. */
struct members {
	const char *context, *algorithm;
};

static const struct members PLAIN = {"EncryptionContext", "EncryptionAlgorithm"};

/* kms:EncryptionContext:<key> and kms:EncryptionContextKeys. */
static enum ady_err context_facts(struct ady_dev_call *c, json_t *context,
                                  struct ady_dev_facts *facts)
{
	size_t total = 0;
	const char *key;
	json_t *value;
	char *name;

	json_object_foreach(context, key, value)
	{
		if (!json_is_string(value) || !*key)
			return ady_dev_refuse(c, 400, "SerializationException",
			                      "EncryptionContext is not a map of strings");
		total += strlen(key) + json_string_length(value);
		name = (char *)ady_dev_scratch(c, strlen(key) + 32);
		snprintf(name, strlen(key) + 32, "kms:EncryptionContext:%s", key);
		if (total > CONTEXT_MAX ||
		    !ady_dev_fact_add(facts, name, json_string_value(value)) ||
		    !ady_dev_fact_add(facts, "kms:EncryptionContextKeys", key))
			return ady_dev_refuse(c, 400, "ValidationException",
			                      "The encryption context is too large");
	}
	return ADY_OK;
}

static enum ady_err read_context(struct ady_dev_call *c, const struct members *m, json_t **context,
                                 struct ady_dev_facts *facts)
{
	const char *algorithm;
	enum ady_err err;

	*context = json_object_get(c->in, m->context);
	if ((err = ady_dev_get_text(c, m->algorithm, 0, 64, &algorithm)) != ADY_OK)
		return err;
	if (algorithm && strcmp(algorithm, "SYMMETRIC_DEFAULT") != 0)
		return ady_dev_refuse(c, 400, "InvalidKeyUsageException",
		                      "The keys of this stand-in encrypt with SYMMETRIC_DEFAULT "
		                      "only");
	if (!*context || json_is_null(*context))
		*context = NULL;
	else if (!json_is_object(*context))
		return ady_dev_refuse(c, 400, "SerializationException", "%s is not a map",
		                      m->context);
	return *context ? context_facts(c, *context, facts) : ADY_OK;
}

/* The last check before an operation does anything: DryRun asks whether it would be allowed. */
static enum ady_err not_dry(struct ady_dev_call *c)
{
	enum ady_err err;
	bool dry;

	if ((err = ady_dev_get_bool(c, "DryRun", &dry)) != ADY_OK || !dry)
		return err;
	return ady_dev_refuse(c, 400, "DryRunOperationException",
	                      "The request would have succeeded, but the DryRun option is set.");
}

static enum ady_err ready(struct ady_dev_call *c, const struct ady_dev_key *key)
{
	enum ady_err err = ady_dev_key_usable(c, key);

	return err == ADY_OK ? not_dry(c) : err;
}

/* Hand out plaintext: to the recipient only, when there is one. */
static enum ady_err put_plaintext(struct ady_dev_call *c, const struct ady_dev_document *doc,
                                  struct ady_bytes pt)
{
	struct ady_bytes cms;
	enum ady_err err;

	if (!doc) {
		ady_dev_put_blob(c, c->out, "Plaintext", pt);
		return ADY_OK;
	}
	if ((err = ady_dev_recipient_seal(c, &cms, doc, pt)) == ADY_OK)
		ady_dev_put_blob(c, c->out, "CiphertextForRecipient", cms);
	return err;
}

static void put_key(struct ady_dev_call *c, const struct ady_dev_key *key)
{
	json_object_set_new(c->out, "KeyId", json_string(key->arn));
}

static enum ady_err encrypt_op(struct ady_dev_call *c)
{
	struct ady_dev_facts facts = {.n = 0};
	const struct ady_dev_key *key;
	struct ady_bytes pt, blob;
	enum ady_err err;
	json_t *context;

	if ((err = ady_dev_get_blob(c, "Plaintext", 1, PLAINTEXT_MAX, &pt)) != ADY_OK ||
	    (err = read_context(c, &PLAIN, &context, &facts)) != ADY_OK ||
	    (err = ady_dev_kms_key(c, "kms:Encrypt", &facts, &key)) != ADY_OK ||
	    (err = ready(c, key)) != ADY_OK ||
	    (err = ady_dev_blob_seal(c, &blob, key, context, pt)) != ADY_OK)
		return err;
	put_key(c, key);
	ady_dev_put_blob(c, c->out, "CiphertextBlob", blob);
	json_object_set_new(c->out, "EncryptionAlgorithm", json_string("SYMMETRIC_DEFAULT"));
	return ADY_OK;
}

/* Without a message, as KMS has it: nothing is told about what did not fit. */
static enum ady_err invalid_ciphertext(struct ady_dev_call *c)
{
	(void)ady_dev_refuse(c, 400, "InvalidCiphertextException", "%s", "");
	return ADY_E_DENIED;
}

/* A key that is gone is not told from one that is forbidden. */
static enum ady_err find_by_header(struct ady_dev_call *c, const char *id,
                                   const struct ady_dev_key **key)
{
	enum ady_err err = ady_dev_key_find(c, id, key);

	if (err == ADY_E_DENIED)
		(void)ady_dev_refuse(c, 400, "AccessDeniedException",
		                     "The ciphertext refers to a customer master key that does not "
		                     "exist, does not exist in this region, or you are not allowed "
		                     "to access.");
	return err;
}

/* The key of a blob. A KeyId member, when given, must name the same key. */
static enum ady_err key_of_blob(struct ady_dev_call *c, struct ady_bytes blob, const char *member,
                                const struct ady_dev_key **key)
{
	const struct ady_dev_key *named = NULL;
	struct ady_dev_blob header;
	char named_id[37] = "";
	const char *key_id;
	enum ady_err err;

	if ((err = ady_dev_get_text(c, member, 0, 2048, &key_id)) != ADY_OK)
		return err;
	if (key_id) {
		if ((err = ady_dev_key_find(c, key_id, &named)) != ADY_OK)
			return err;
		memcpy(named_id, named->id, sizeof named_id);
	}
	if (!ady_dev_blob_read(&header, blob))
		return invalid_ciphertext(c);
	if (!named || strcmp(named_id, header.key_id) == 0)
		return find_by_header(c, header.key_id, key);
	(void)ady_dev_refuse(c, 400, "IncorrectKeyException",
	                     "The key ID in the request does not identify a CMK that can perform "
	                     "this operation.");
	return ADY_E_DENIED;
}

static enum ady_err open_blob(struct ady_dev_call *c, struct ady_bytes *pt,
                              const struct ady_dev_key *key, json_t *context, struct ady_bytes blob)
{
	if (ady_dev_blob_open(c, pt, key, context, blob) == ADY_OK)
		return ADY_OK;
	return invalid_ciphertext(c);
}

static enum ady_err decrypt_op(struct ady_dev_call *c)
{
	const struct ady_dev_document *doc;
	struct ady_dev_facts facts = {.n = 0};
	const struct ady_dev_key *key;
	struct ady_bytes pt, blob;
	enum ady_err err;
	json_t *context;

	if ((err = ady_dev_get_blob(c, "CiphertextBlob", 1, BLOB_MAX, &blob)) != ADY_OK ||
	    (err = read_context(c, &PLAIN, &context, &facts)) != ADY_OK ||
	    (err = ady_dev_recipient(c, &doc, &facts)) != ADY_OK ||
	    (err = key_of_blob(c, blob, "KeyId", &key)) != ADY_OK ||
	    (err = ady_dev_authorize(c, "kms:Decrypt", key->arn, key->policy, &facts)) != ADY_OK ||
	    (err = ready(c, key)) != ADY_OK ||
	    (err = open_blob(c, &pt, key, context, blob)) != ADY_OK)
		return err;
	put_key(c, key);
	json_object_set_new(c->out, "EncryptionAlgorithm", json_string("SYMMETRIC_DEFAULT"));
	return put_plaintext(c, doc, pt);
}

/* Needs kms:ReEncryptFrom on the key of the blob and kms:ReEncryptTo on the new one. */
static enum ady_err reencrypt_op(struct ady_dev_call *c)
{
	static const struct members from_members = {"SourceEncryptionContext",
	                                            "SourceEncryptionAlgorithm"};
	static const struct members to_members = {"DestinationEncryptionContext",
	                                          "DestinationEncryptionAlgorithm"};
	struct ady_dev_facts from_facts = {.n = 0}, to_facts = {.n = 0};
	const struct ady_dev_key *from, *to;
	struct ady_bytes pt, blob, sealed;
	json_t *from_context, *to_context;
	const char *to_id;
	enum ady_err err;

	if ((err = ady_dev_get_blob(c, "CiphertextBlob", 1, BLOB_MAX, &blob)) != ADY_OK ||
	    (err = ady_dev_get_text(c, "DestinationKeyId", 1, 2048, &to_id)) != ADY_OK ||
	    (err = read_context(c, &from_members, &from_context, &from_facts)) != ADY_OK ||
	    (err = read_context(c, &to_members, &to_context, &to_facts)) != ADY_OK ||
	    (err = key_of_blob(c, blob, "SourceKeyId", &from)) != ADY_OK ||
	    (err = ady_dev_authorize(c, "kms:ReEncryptFrom", from->arn, from->policy,
	                             &from_facts)) != ADY_OK ||
	    (err = ady_dev_key_usable(c, from)) != ADY_OK ||
	    (err = open_blob(c, &pt, from, from_context, blob)) != ADY_OK)
		return err;
	json_object_set_new(c->out, "SourceKeyId", json_string(from->arn));
	/* Finding the second key may put the first one out of the cache: from is not used again. */
	if ((err = ady_dev_key_find(c, to_id, &to)) != ADY_OK ||
	    (err = ady_dev_authorize(c, "kms:ReEncryptTo", to->arn, to->policy, &to_facts)) !=
	        ADY_OK ||
	    (err = ready(c, to)) != ADY_OK ||
	    (err = ady_dev_blob_seal(c, &sealed, to, to_context, pt)) != ADY_OK)
		return err;
	put_key(c, to);
	ady_dev_put_blob(c, c->out, "CiphertextBlob", sealed);
	json_object_set_new(c->out, "SourceEncryptionAlgorithm", json_string("SYMMETRIC_DEFAULT"));
	json_object_set_new(c->out, "DestinationEncryptionAlgorithm",
	                    json_string("SYMMETRIC_DEFAULT"));
	return ADY_OK;
}

/* KeySpec or NumberOfBytes, and never both. */
static enum ady_err data_key_size(struct ady_dev_call *c, int64_t *n)
{
	const char *spec;
	enum ady_err err;

	*n = 0;
	if ((err = ady_dev_get_text(c, "KeySpec", 0, 16, &spec)) != ADY_OK ||
	    (err = ady_dev_get_int(c, "NumberOfBytes", 1, RANDOM_MAX, n)) != ADY_OK)
		return err;
	if (!spec == !*n)
		return ady_dev_refuse(c, 400, "ValidationException",
		                      "Please specify either number of bytes or key spec.");
	if (!spec)
		return ADY_OK;
	*n = strcmp(spec, "AES_256") == 0 ? 32 : strcmp(spec, "AES_128") == 0 ? 16 : 0;
	if (*n)
		return ADY_OK;
	return ady_dev_refuse(c, 400, "ValidationException",
	                      "1 validation error detected: Value '%s' at 'keySpec' failed to "
	                      "satisfy constraint: Member must satisfy enum value set: [AES_256, "
	                      "AES_128]",
	                      spec);
}

static enum ady_err make_data_key(struct ady_dev_call *c, const char *action,
                                  const struct ady_dev_document **doc, struct ady_bytes *pt)
{
	struct ady_dev_facts facts = {.n = 0};
	const struct ady_dev_key *key;
	struct ady_bytes blob;
	enum ady_err err;
	json_t *context;
	uint8_t *p;
	int64_t n;

	if ((err = data_key_size(c, &n)) != ADY_OK ||
	    (err = read_context(c, &PLAIN, &context, &facts)) != ADY_OK ||
	    (doc && (err = ady_dev_recipient(c, doc, &facts)) != ADY_OK) ||
	    (err = ady_dev_kms_key(c, action, &facts, &key)) != ADY_OK ||
	    (err = ready(c, key)) != ADY_OK)
		return err;
	p = (uint8_t *)ady_dev_scratch(c, (size_t)n);
	ady_random(p, (size_t)n);
	*pt = ady_bytes(p, (size_t)n);
	if ((err = ady_dev_blob_seal(c, &blob, key, context, *pt)) != ADY_OK)
		return err;
	put_key(c, key);
	ady_dev_put_blob(c, c->out, "CiphertextBlob", blob);
	return ADY_OK;
}

static enum ady_err generate_data_key_op(struct ady_dev_call *c)
{
	const struct ady_dev_document *doc;
	struct ady_bytes pt;
	enum ady_err err = make_data_key(c, "kms:GenerateDataKey", &doc, &pt);

	return err == ADY_OK ? put_plaintext(c, doc, pt) : err;
}

static enum ady_err generate_data_key_without_op(struct ady_dev_call *c)
{
	struct ady_bytes pt;

	return make_data_key(c, "kms:GenerateDataKeyWithoutPlaintext", NULL, &pt);
}

static enum ady_err generate_random_op(struct ady_dev_call *c)
{
	const struct ady_dev_document *doc;
	struct ady_dev_facts facts = {.n = 0};
	uint8_t *p = (uint8_t *)ady_dev_scratch(c, RANDOM_MAX);
	enum ady_err err;
	int64_t n = 0;

	if ((err = ady_dev_get_int(c, "NumberOfBytes", 1, RANDOM_MAX, &n)) != ADY_OK ||
	    (err = ady_dev_recipient(c, &doc, &facts)) != ADY_OK ||
	    (err = ady_dev_authorize(c, "kms:GenerateRandom", "*", NULL, &facts)) != ADY_OK)
		return err;
	if (n == 0 || json_object_get(c->in, "CustomKeyStoreId"))
		return ady_dev_refuse(c, 400, "ValidationException",
		                      n ? "There are no custom key stores here."
		                        : "Please specify a number of bytes.");
	ady_random(p, (size_t)n);
	return put_plaintext(c, doc, ady_bytes(p, (size_t)n));
}

const struct ady_dev_op ady_dev_kms_crypt_ops[] = {
    {"Decrypt", decrypt_op, false},
    {"Encrypt", encrypt_op, false},
    {"ReEncrypt", reencrypt_op, false},
    {"GenerateDataKey", generate_data_key_op, false},
    {"GenerateDataKeyWithoutPlaintext", generate_data_key_without_op, false},
    {"GenerateRandom", generate_random_op, false},
    {0},
};
