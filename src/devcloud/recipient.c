/* SPDX-License-Identifier: Apache-2.0
 *
 * Order and errors as KMS has them: the document is judged before any policy; what is wrong with it
 * is a ValidationException; a wrong PCR is the policy's AccessDeniedException. */
#include "devcloud/recipient.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/attestation.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "codec/cms.h"
#include "crypto/aes.h"
#include "crypto/hash.h"
#include "crypto/rng.h"
#include "crypto/rsa.h"
#include "devcloud/unsigned.h"

enum { CACHE = 64, KEEP_S = 300, DOCUMENT_MAX = 262144 };

/* What is kept of a verified document. */
struct ady_dev_document {
	uint8_t sha256[32], ski[32];
	int64_t until_s; /* 0: free */
	bool is_unsigned;
	struct ady_rsa_pub *pub;
	char pcr[ADY_PCRS][129]; /* lower-case hex, "" where there is none */
};

struct ady_dev_documents {
	uint8_t *root;
	size_t root_n;
	size_t next;
	struct ady_dev_document kept[CACHE];
};

static const char *const PCR_KEYS[ADY_PCRS] = {
#define PCR(n) "kms:RecipientAttestation:PCR" #n
    PCR(0),  PCR(1),  PCR(2),  PCR(3),  PCR(4),  PCR(5),  PCR(6),  PCR(7),
    PCR(8),  PCR(9),  PCR(10), PCR(11), PCR(12), PCR(13), PCR(14), PCR(15),
    PCR(16), PCR(17), PCR(18), PCR(19), PCR(20), PCR(21), PCR(22), PCR(23),
    PCR(24), PCR(25), PCR(26), PCR(27), PCR(28), PCR(29), PCR(30), PCR(31),
#undef PCR
};

enum ady_err ady_dev_documents_open(struct ady_dev_cloud *cloud, const char *root_file,
                                    struct ady_fault *f)
{
	struct ady_dev_documents *d = (struct ady_dev_documents *)calloc(1, sizeof *d);
	FILE *file = fopen(root_file, "re");
	X509 *cert = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
	int n = cert && d ? i2d_X509(cert, &d->root) : -1;

	X509_free(cert);
	if (file)
		fclose(file);
	if (n <= 0) {
		free(d);
		return ady_fail(f, ADY_E_CONFIG, "nsm-root", "%s holds no certificate", root_file);
	}
	d->root_n = (size_t)n;
	cloud->documents = d;
	return ADY_OK;
}

void ady_dev_documents_close(struct ady_dev_cloud *cloud)
{
	if (!cloud->documents)
		return;
	for (size_t i = 0; i < CACHE; i++)
		ady_rsa_pub_free(cloud->documents->kept[i].pub);
	OPENSSL_free(cloud->documents->root);
	free(cloud->documents);
	cloud->documents = NULL;
}

/* The end of the leaf's validity: how long the answer to "is it valid" may be kept. */
static int64_t leaf_ends(struct ady_bytes der)
{
	const unsigned char *p = der.p;
	X509 *cert = d2i_X509(NULL, &p, (long)der.n);
	struct tm tm = {0};
	int ok = cert && ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm);

	X509_free(cert);
	return ok ? (int64_t)timegm(&tm) : 0;
}

static enum ady_err keep(struct ady_dev_call *c, struct ady_dev_document *d,
                         const struct ady_attestation *att)
{
	int64_t leaf = d->is_unsigned ? att->timestamp_ms / 1000 + ADY_DEV_UNSIGNED_LIFE_S
	                              : leaf_ends(att->certificate);
	struct ady_bytes key = att->public_key;

	if (key.n == 0)
		return ady_dev_refuse(c, 400, "ValidationException",
		                      "The attestation document holds no public key");
	if (ady_rsa_pub_read(&d->pub, key) != ADY_OK)
		return ady_dev_refuse(c, 400, "ValidationException",
		                      "The public key of the attestation document is no RSA key "
		                      "of 2048 to 4096 bits");
	ady_sha256(d->ski, &key, 1);
	for (size_t i = 0; i < ADY_PCRS; i++)
		ady_hex_encode(d->pcr[i], att->pcrs[i]);
	d->until_s = c->now_s + KEEP_S < leaf ? c->now_s + KEEP_S : leaf;
	return ADY_OK;
}

static enum ady_err judge(struct ady_attestation *att, struct ady_dev_call *c,
                          const struct ady_dev_document *d, struct ady_bytes document,
                          struct ady_fault *f)
{
	/* KMS accepts documents of a debug enclave: their PCRs are zero, and only a policy that
	 * names zeros admits them. */
	struct ady_attestation_rules rules = {
	    .root = ady_bytes(c->cloud->documents->root, c->cloud->documents->root_n),
	    .at_unix_s = c->now_s,
	    .allow_debug = true};

	if (d->is_unsigned)
		return ady_dev_unsigned_read(
		    att, (uint8_t *)ady_dev_scratch(c, ADY_ATTESTATION_MAX), document, c->now_s, f);
	return ady_attestation_verify(att, document, &rules, f);
}

static enum ady_err verify(struct ady_dev_call *c, struct ady_dev_document *d,
                           struct ady_bytes document)
{
	struct ady_attestation att;
	struct ady_fault f = {0};

	d->is_unsigned = c->cloud->accept_unsigned && ady_dev_unsigned_is(document);
	if (judge(&att, c, d, document, &f) != ADY_OK)
		return ady_dev_refuse(c, 400, "ValidationException",
		                      "Failed to verify the attestation document: %s %s", f.where,
		                      f.detail);
	return keep(c, d, &att);
}

static enum ady_err find_or_verify(struct ady_dev_call *c, struct ady_dev_document **doc,
                                   struct ady_bytes document)
{
	struct ady_dev_documents *all = c->cloud->documents;
	struct ady_dev_document *d;
	uint8_t sha256[32];
	enum ady_err err;

	ady_sha256(sha256, &document, 1);
	for (size_t i = 0; i < CACHE; i++) {
		d = &all->kept[i];
		if (d->until_s > c->now_s && memcmp(d->sha256, sha256, 32) == 0) {
			*doc = d;
			return ADY_OK;
		}
	}
	d = &all->kept[all->next];
	ady_rsa_pub_free(d->pub);
	*d = (struct ady_dev_document){0};
	if ((err = verify(c, d, document)) != ADY_OK) {
		d->until_s = 0;
		return err;
	}
	memcpy(d->sha256, sha256, 32);
	all->next = (all->next + 1) % CACHE;
	*doc = d;
	return ADY_OK;
}

static enum ady_err read_member(struct ady_dev_call *c, json_t *recipient,
                                struct ady_bytes *document)
{
	json_t *outer = c->in;
	const char *algorithm;
	enum ady_err err;

	if (!json_is_object(recipient))
		return ady_dev_refuse(c, 400, "SerializationException",
		                      "Recipient is not an object");
	c->in = recipient;
	if ((err = ady_dev_get_text(c, "KeyEncryptionAlgorithm", 1, 64, &algorithm)) == ADY_OK)
		err = ady_dev_get_blob(c, "AttestationDocument", 1, DOCUMENT_MAX, document);
	c->in = outer;
	if (err == ADY_OK && strcmp(algorithm, "RSAES_OAEP_SHA_256") != 0)
		return ady_dev_refuse(c, 400, "ValidationException",
		                      "1 validation error detected: Value '%.64s' at "
		                      "'recipient.keyEncryptionAlgorithm' failed to satisfy "
		                      "constraint: Member must satisfy enum value set: "
		                      "[RSAES_OAEP_SHA_256]",
		                      algorithm);
	return err;
}

static bool add_facts(struct ady_dev_facts *facts, const struct ady_dev_document *d)
{
	bool ok = true;

	if (d->pcr[0][0])
		ok &= ady_dev_fact_add(facts, "kms:RecipientAttestation:ImageSha384", d->pcr[0]);
	for (size_t i = 0; i < ADY_PCRS; i++)
		if (d->pcr[i][0])
			ok &= ady_dev_fact_add(facts, PCR_KEYS[i], d->pcr[i]);
	return ok;
}

enum ady_err ady_dev_recipient(struct ady_dev_call *c, const struct ady_dev_document **doc,
                               struct ady_dev_facts *facts)
{
	json_t *recipient = json_object_get(c->in, "Recipient");
	struct ady_dev_document *d;
	struct ady_bytes document;
	enum ady_err err;

	*doc = NULL;
	if (!recipient || json_is_null(recipient))
		return ADY_OK;
	if ((err = read_member(c, recipient, &document)) != ADY_OK ||
	    (err = find_or_verify(c, &d, document)) != ADY_OK)
		return err;
	if (d->is_unsigned)
		ADY_WARN("took an attestation document WITHOUT PROOF: AWS never would",
		         "switch=accept-unsigned-documents pcr0=%.16s...", d->pcr[0]);
	/* A fact that is left out could be the one a Deny waits for. */
	if (!add_facts(facts, d))
		return ady_dev_refuse(c, 400, "ValidationException",
		                      "The encryption context is too large");
	*doc = d;
	return ADY_OK;
}

enum ady_err ady_dev_recipient_seal(struct ady_dev_call *c, struct ady_bytes *cms,
                                    const struct ady_dev_document *doc, struct ady_bytes pt)
{
	ADY_SECRET struct ady_seckey key = {0};
	size_t cap = pt.n + 16 + ADY_RSA_MODULUS_MAX + 512, wrapped_n, n;
	struct ady_buf b = ady_buf(ady_dev_scratch(c, cap), cap);
	uint8_t wrapped[ADY_RSA_MODULUS_MAX], iv[16];
	uint8_t *ct = (uint8_t *)ady_dev_scratch(c, pt.n + 16);
	enum ady_err err;

	ady_random(key.b, sizeof key.b);
	ady_random(iv, sizeof iv);
	if ((err = ady_rsa_pub_seal(wrapped, &wrapped_n, doc->pub,
	                            ady_bytes(key.b, sizeof key.b))) != ADY_OK)
		return err;
	if ((err = ady_aes_cbc_seal(ct, &n, key.b, iv, pt)) != ADY_OK)
		return err;
	ady_cms_put(&b, doc->ski, ady_bytes(wrapped, wrapped_n), iv, ady_bytes(ct, n));
	*cms = ady_buf_bytes(&b);
	return b.full ? ADY_E_INTERNAL : ADY_OK;
}
