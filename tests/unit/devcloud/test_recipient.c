/* SPDX-License-Identifier: Apache-2.0
 *
 * Decrypt and its like with a Recipient: documents by the development NSM, judged by devcloud's
 * KMS, and the CMS opened with the enclave's own code. */
#include "devcloud/recipient.h"

#include "aws/measure.h"
#include "base/text.h"
#include "cloud_fixture.h"
#include "codec/cbor.h"
#include "codec/cms.h"
#include "crypto/aes.h"
#include "crypto/rsa.h"
#include "devcloud/nsm_module.h"
#include "unsigned_document.h"

struct stage {
	struct fixture f;
	struct ady_nsm_pki *pki;
	struct ady_nsm_module module;
	char key_id[40], blob[512];
	char document[12288]; /* base64 */
};

static struct ady_rsa *rsa;

/* A document of module m for public_key, as base64. */
static void attest(struct ady_nsm_module *m, struct ady_bytes public_key, char out[static 12288])
{
	static const char *const names[] = {"user_data", "nonce", "public_key"};
	uint8_t request[2048], answer[ADY_NSM_ANSWER_MAX];
	struct ady_buf b = ady_buf(request, sizeof request), a = ady_buf(answer, sizeof answer);
	struct ady_cbor c;

	ady_cbor_put_map(&b, 1);
	ady_cbor_put_str(&b, "Attestation");
	ady_cbor_put_map(&b, 3);
	for (size_t i = 0; i < 3; i++) {
		ady_cbor_put_str(&b, names[i]);
		if (i == 2 && public_key.n)
			ady_cbor_put_bytes(&b, public_key);
		else
			ady_cbor_put_null(&b);
	}
	ady_nsm_module_answer(m, &a, ady_buf_bytes(&b));
	c = ady_cbor(ady_buf_bytes(&a));
	CHECK_INT(ady_cbor_map(&c), 1);
	CHECK(ady_bytes_is(ady_cbor_text(&c), "Attestation"));
	CHECK_INT(ady_cbor_map(&c), 1);
	(void)ady_cbor_text(&c);
	ady_base64_encode(out, ady_cbor_bytes(&c));
}

static void begin_module(struct stage *s, struct ady_nsm_module *m, struct ady_nsm_pki *pki,
                         const char *config)
{
	struct ady_measurement measured;

	ady_measure_process(&measured, ady_bytes_str("program"), ady_bytes_str(config));
	ady_nsm_module_init(m, pki, &measured, TEST_ROLE, s->f.cloud.instance_id);
}

/* Give the key a policy: the role may decrypt when condition holds. */
static void put_policy(struct stage *s, const char *condition)
{
	char policy[4096];
	json_t *in;
	char *text;

	snprintf(policy, sizeof policy,
	         "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":"
	         "\"arn:aws:iam::111122223333:root\"},\"NotAction\":\"kms:Decrypt\",\"Resource\":"
	         "\"*\"},{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"" TEST_ROLE "\"},"
	         "\"Action\":[\"kms:Decrypt\",\"kms:GenerateDataKey\"],\"Resource\":\"*\","
	         "\"Condition\":%s}]}",
	         condition);
	in = json_pack("{s:s, s:s}", "KeyId", s->key_id, "Policy", policy);
	text = json_dumps(in, 0);
	fixture_as(&s->f, NULL, NULL);
	CHECK_STR(KMS(&s->f, "PutKeyPolicy", text), "");
	fixture_as(&s->f, "adyton-instance", NULL);
	free(text);
	json_decref(in);
}

static void image_policy(struct stage *s, const uint8_t pcr0[static 48])
{
	char hex[97], condition[256];

	ady_hex_encode(hex, ady_bytes(pcr0, 48));
	snprintf(condition, sizeof condition,
	         "{\"StringEqualsIgnoreCase\":{\"kms:RecipientAttestation:ImageSha384\":\"%s\"}}",
	         hex);
	put_policy(s, condition);
}

static void set_up(struct stage *s)
{
	struct ady_fault fault = {0};
	char root[96];

	*s = (struct stage){0};
	fixture_new(&s->f);
	CHECK_ERR(ady_nsm_pki_open(&s->pki, s->f.dir, s->f.cloud.instance_id, "us-east-1", &fault),
	          ADY_OK);
	snprintf(root, sizeof root, "%s/nsm-root.pem", s->f.dir);
	CHECK_ERR(ady_dev_documents_open(&s->f.cloud, root, &fault), ADY_OK);
	begin_module(s, &s->module, s->pki, "config");
	attest(&s->module, ady_rsa_spki(rsa), s->document);
	CHECK_STR(KMS(&s->f, "CreateKey", "{}"), "");
	snprintf(s->key_id, sizeof s->key_id, "%s",
	         json_string_value(
	             json_object_get(json_object_get(s->f.call.out, "KeyMetadata"), "KeyId")));
	CHECK_STR(
	    KMS(&s->f, "Encrypt", js("{\"KeyId\":\"%s\",\"Plaintext\":\"c2VjcmV0\"}", s->key_id)),
	    "");
	snprintf(s->blob, sizeof s->blob, "%s", fixture_text(&s->f, "CiphertextBlob"));
	image_policy(s, s->module.pcr[0]);
}

static void tear_down(struct stage *s)
{
	static const char *const files[] = {"nsm-root.pem", "nsm-root-key.pem"};
	char path[96];

	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s/%s", s->f.dir, files[i]);
		unlink(path);
	}
	ady_nsm_module_clear(&s->module);
	ady_nsm_pki_close(s->pki);
	ady_dev_documents_close(&s->f.cloud);
	fixture_end(&s->f);
}

static const char *decrypt(struct stage *s, const char *document)
{
	return KMS(&s->f, "Decrypt",
	           js("{\"CiphertextBlob\":\"%s\",\"Recipient\":{\"AttestationDocument\":\"%s\","
	              "\"KeyEncryptionAlgorithm\":\"RSAES_OAEP_SHA_256\"}}",
	              s->blob, document));
}

/* Open CiphertextForRecipient of the last answer. */
static size_t open_cms(struct stage *s, uint8_t out[static 1024])
{
	const char *text = fixture_text(&s->f, "CiphertextForRecipient");
	uint8_t der[2048], key[32], ct[1024];
	struct ady_fault fault = {0};
	struct ady_cms cms;
	size_t n, at = 0;

	CHECK_ERR(ady_base64_decode(der, sizeof der, &n, ady_bytes_str(text)), ADY_OK);
	CHECK_ERR(ady_cms_parse(&cms, ady_bytes(der, n), &fault), ADY_OK);
	CHECK_ERR(ady_rsa_oaep_open32(key, rsa, cms.encrypted_key), ADY_OK);
	for (size_t i = 0; i < cms.chunks_n; i++) {
		memcpy(ct + at, cms.chunks[i].p, cms.chunks[i].n);
		at += cms.chunks[i].n;
	}
	CHECK_ERR(ady_aes_cbc_open(out, &n, key, cms.iv.p, ady_bytes(ct, at)), ADY_OK);
	return n;
}

CASE(the_answer_is_for_the_recipient_only)
{
	uint8_t pt[1024];
	struct stage s;

	set_up(&s);
	CHECK_STR(decrypt(&s, s.document), "");
	CHECK(!json_object_get(s.f.call.out, "Plaintext"));
	CHECK_INT(open_cms(&s, pt), 6);
	CHECK(memcmp(pt, "secret", 6) == 0);
	CHECK_STR(decrypt(&s, s.document), ""); /* a kept document */
	CHECK_INT(open_cms(&s, pt), 6);
	CHECK_STR(KMS(&s.f, "GenerateDataKey",
	              js("{\"KeyId\":\"%s\",\"NumberOfBytes\":32,\"Recipient\":{"
	                 "\"AttestationDocument\":\"%s\",\"KeyEncryptionAlgorithm\":"
	                 "\"RSAES_OAEP_SHA_256\"}}",
	                 s.key_id, s.document)),
	          "");
	CHECK(!json_object_get(s.f.call.out, "Plaintext"));
	CHECK(json_object_get(s.f.call.out, "CiphertextBlob") != NULL);
	CHECK_INT(open_cms(&s, pt), 32);
	tear_down(&s);
}

CASE(other_enclaves_are_denied)
{
	static char document[12288];
	struct ady_nsm_module other;
	struct stage s;

	set_up(&s);
	begin_module(&s, &other, s.pki, "another config");
	attest(&other, ady_rsa_spki(rsa), document);
	CHECK_STR(decrypt(&s, document), "AccessDeniedException");
	CHECK_STR(KMS(&s.f, "Decrypt", js("{\"CiphertextBlob\":\"%s\"}", s.blob)),
	          "AccessDeniedException");
	put_policy(&s, "{\"Null\":{\"kms:RecipientAttestation:PCR31\":\"true\","
	               "\"kms:RecipientAttestation:PCR0\":\"false\"}}");
	CHECK_STR(decrypt(&s, document), "");
	ady_nsm_module_clear(&other);
	tear_down(&s);
}

/* A debug enclave: KMS verifies its document, and only a policy of zeros admits it. */
CASE(zeros_are_admitted_by_zeros_only)
{
	static const uint8_t zero[48];
	static char document[12288];
	struct ady_nsm_module debug;
	struct stage s;

	set_up(&s);
	begin_module(&s, &debug, s.pki, "config");
	memset(debug.pcr[0], 0, 3 * 48);
	attest(&debug, ady_rsa_spki(rsa), document);
	CHECK_STR(decrypt(&s, document), "AccessDeniedException");
	image_policy(&s, zero);
	CHECK_STR(decrypt(&s, document), "");
	CHECK_STR(decrypt(&s, s.document), "AccessDeniedException");
	ady_nsm_module_clear(&debug);
	tear_down(&s);
}

CASE(bad_documents_are_not_asked_about)
{
	static char document[12288];
	struct ady_nsm_module other;
	struct stage s, elsewhere;
	size_t n;

	set_up(&s);
	set_up(&elsewhere);
	CHECK_STR(decrypt(&s, elsewhere.document), "ValidationException");
	n = strlen(s.document);
	for (size_t i = 0; i < n - 3; i += 97) {
		snprintf(document, sizeof document, "%s", s.document);
		document[i] = document[i] == 'A' ? 'B' : 'A';
		CHECK_STR(decrypt(&s, document), "ValidationException");
	}
	begin_module(&s, &other, s.pki, "config");
	attest(&other, (struct ady_bytes){0}, document);
	CHECK_STR(decrypt(&s, document), "ValidationException");
	attest(&other, ady_bytes_str("no key at all"), document);
	CHECK_STR(decrypt(&s, document), "ValidationException");
	CHECK_STR(decrypt(&s, ""), "ValidationException");
	CHECK_STR(KMS(&s.f, "Decrypt",
	              js("{\"CiphertextBlob\":\"%s\",\"Recipient\":{\"AttestationDocument\":"
	                 "\"%s\",\"KeyEncryptionAlgorithm\":\"RSAES_OAEP_SHA_1\"}}",
	                 s.blob, s.document)),
	          "ValidationException");
	ady_nsm_module_clear(&other);
	tear_down(&elsewhere);
	tear_down(&s);
}

/* The leaf lives three hours; what was kept of its document ends with it. */
CASE(documents_end_with_their_certificate)
{
	struct stage s;

	set_up(&s);
	CHECK_STR(decrypt(&s, s.document), "");
	s.f.later_s = 2 * 3600;
	CHECK_STR(decrypt(&s, s.document), "");
	s.f.later_s = 3 * 3600 + 60;
	CHECK_STR(decrypt(&s, s.document), "ValidationException");
	tear_down(&s);
}

/* What QEMU's NSM makes is refused as KMS would, unless devcloud was told to take it; its registers
 * are then judged by the policy as any others. */
CASE(unsigned_documents_need_the_switch)
{
	uint8_t document[UNSIGNED_MAX], other[48] = {1};
	struct unsigned_document u = unsigned_document(ady_wall_ms());
	struct stage s;

	set_up(&s);
	u.public_key = ady_rsa_spki(rsa);
	memcpy(u.pcr0, s.module.pcr[0], 48);
	ady_base64_encode(s.document, unsigned_put(document, &u));
	CHECK_STR(decrypt(&s, s.document), "ValidationException");
	CHECK(strstr(s.f.call.refusal.message, "ES384") != NULL);
	s.f.cloud.accept_unsigned = true;
	CHECK_STR(decrypt(&s, s.document), "");
	CHECK_STR(fixture_text(&s.f, "Plaintext"), "");
	CHECK(fixture_text(&s.f, "CiphertextForRecipient")[0]);
	CHECK_STR(decrypt(&s, s.document), "");
	image_policy(&s, other);
	CHECK_STR(decrypt(&s, s.document), "AccessDeniedException");
	image_policy(&s, s.module.pcr[0]);
	s.f.later_s = ADY_DEV_UNSIGNED_LIFE_S + 60;
	CHECK_STR(decrypt(&s, s.document), "ValidationException");
	tear_down(&s);
}

/* The switch is for documents that say that they are not signed, and takes nothing from others. */
CASE(the_switch_does_not_weaken_signed_documents)
{
	struct stage s;
	char *digit;

	set_up(&s);
	s.f.cloud.accept_unsigned = true;
	CHECK_STR(decrypt(&s, s.document), "");
	digit = s.document + strlen(s.document) - 8; /* of base64, within the signature */
	*digit = *digit == 'A' ? 'B' : 'A';
	CHECK_STR(decrypt(&s, s.document), "ValidationException");
	tear_down(&s);
}

int main(void)
{
	CHECK_ERR(ady_rsa_new(&rsa, 2048), ADY_OK);
	RUN(the_answer_is_for_the_recipient_only);
	RUN(other_enclaves_are_denied);
	RUN(zeros_are_admitted_by_zeros_only);
	RUN(bad_documents_are_not_asked_about);
	RUN(documents_end_with_their_certificate);
	RUN(unsigned_documents_need_the_switch);
	RUN(the_switch_does_not_weaken_signed_documents);
	ady_rsa_free(rsa);
	return test_end();
}
