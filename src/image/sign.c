/* SPDX-License-Identifier: Apache-2.0 */
#include "image/sign.h"

#include <limits.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>

#include "codec/cose.h"
#include "crypto/hash.h"
#include "crypto/p384.h"
#include "image/sign_section.h"

enum { SIGNATURE = 96, NUMBER = 48 };

static enum ady_err refuse(struct ady_fault *f, const char *where, const char *why)
{
	ERR_clear_error();
	return ady_fail(f, ADY_E_IMAGE, where, "%s", why);
}

/* PEM_read_bio's password callback: none, so that an encrypted key is refused and not asked for. */
static int no_password(char *out, int n, int writing, void *context)
{
	(void)out;
	(void)n;
	(void)writing;
	(void)context;
	return -1;
}

static BIO *reader(struct ady_bytes b)
{
	return b.n && b.n <= INT_MAX ? BIO_new_mem_buf(b.p, (int)b.n) : NULL;
}

enum ady_err ady_image_certificate_read(X509 **certificate, struct ady_bytes pem,
                                        struct ady_fault *f)
{
	BIO *in = reader(pem);
	X509 *first = in ? PEM_read_bio_X509(in, NULL, no_password, NULL) : NULL;
	X509 *second = first ? PEM_read_bio_X509(in, NULL, no_password, NULL) : NULL;

	*certificate = NULL;
	BIO_free(in);
	X509_free(second);
	ERR_clear_error();
	if (first && !second) {
		*certificate = first;
		return ADY_OK;
	}
	X509_free(first);
	return refuse(f, "certificate", first ? "is more than one" : "is not PEM of a certificate");
}

enum ady_err ady_image_key_read(EVP_PKEY **key, struct ady_bytes pem, struct ady_fault *f)
{
	BIO *in = reader(pem);
	EVP_PKEY *k = in ? PEM_read_bio_PrivateKey(in, NULL, no_password, NULL) : NULL;
	char curve[32] = "";

	*key = NULL;
	BIO_free(in);
	if (k)
		EVP_PKEY_get_group_name(k, curve, sizeof curve, NULL);
	ERR_clear_error();
	if (!k)
		return ady_fail(f, ADY_E_KEY_FORM, "key",
		                "is not PEM of a private key without password");
	if (OBJ_txt2nid(curve) != NID_secp384r1) {
		EVP_PKEY_free(k);
		return ady_fail(f, ADY_E_KEY_FORM, "key", "is not of the curve P-384");
	}
	*key = k;
	return ADY_OK;
}

enum ady_err ady_image_raw_signature(uint8_t sig96[static 96], struct ady_bytes der)
{
	const uint8_t *at = der.p;
	ECDSA_SIG *sig = der.n <= LONG_MAX ? d2i_ECDSA_SIG(NULL, &at, (long)der.n) : NULL;
	bool ok = sig && at == der.p + der.n &&
	          BN_bn2binpad(ECDSA_SIG_get0_r(sig), sig96, NUMBER) == NUMBER &&
	          BN_bn2binpad(ECDSA_SIG_get0_s(sig), sig96 + NUMBER, NUMBER) == NUMBER;

	ECDSA_SIG_free(sig);
	ERR_clear_error();
	return ok ? ADY_OK : ADY_E_CRYPTO;
}

enum ady_err ady_image_sign_file(void *context, const uint8_t digest48[static 48],
                                 uint8_t sig96[static 96], struct ady_fault *f)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, context, NULL);
	uint8_t der[128];
	size_t n = sizeof der;
	bool ok = ctx && EVP_PKEY_sign_init(ctx) == 1 &&
	          EVP_PKEY_sign(ctx, der, &n, digest48, 48) == 1 &&
	          ady_image_raw_signature(sig96, ady_bytes(der, n)) == ADY_OK;

	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return ok ? ADY_OK : ady_fail(f, ADY_E_CRYPTO, "key", "makes no signature");
}

static enum ady_err verify(X509 *certificate, struct ady_bytes payload,
                           const uint8_t sig96[static 96], struct ady_fault *f)
{
	X509_PUBKEY *key = X509_get_X509_PUBKEY(certificate);
	const struct ady_cose cose = {.payload = payload};
	struct ady_bytes parts[ADY_COSE_PARTS];
	struct ady_p384_pub *pub = NULL;
	uint8_t spki[ADY_P384_SPKI], *at = spki, head[24];
	enum ady_err err;

	if (i2d_X509_PUBKEY(key, NULL) != ADY_P384_SPKI ||
	    i2d_X509_PUBKEY(key, &at) != ADY_P384_SPKI ||
	    ady_p384_pub_read(&pub, ady_bytes(spki, sizeof spki)) != ADY_OK)
		return refuse(f, "certificate", "has no key of the curve P-384");
	ady_cose_to_verify(parts, head, &cose);
	err = ady_p384_verify(pub, sig96, parts, ADY_COSE_PARTS);
	ady_p384_pub_free(pub);
	return err == ADY_OK ? ADY_OK
	                     : refuse(f, "signature", "was not made by the key of the certificate");
}

/* What is signed for pcr0, and the signature. */
static enum ady_err make(uint8_t sig96[static 96], X509 *certificate,
                         const struct ady_image_signer *signer, struct ady_bytes payload,
                         struct ady_fault *f)
{
	const struct ady_cose cose = {.payload = payload};
	struct ady_bytes parts[ADY_COSE_PARTS];
	uint8_t head[24], digest[48];
	enum ady_err err;

	ady_cose_to_verify(parts, head, &cose);
	ady_sha384(digest, parts, ADY_COSE_PARTS);
	err = signer->sign(signer->context, digest, sig96, f);
	return err == ADY_OK ? verify(certificate, payload, sig96, f) : err;
}

enum ady_err ady_image_sign(struct ady_dyn *out, const struct ady_image_signer *signer,
                            const uint8_t pcr0[static 48], struct ady_fault *f)
{
	uint8_t space[ADY_SIGN_PAYLOAD_MAX], sig96[SIGNATURE];
	struct ady_buf payload = ady_buf(space, sizeof space);
	X509 *certificate = NULL;
	enum ady_err err = ady_image_certificate_read(&certificate, signer->certificate, f);

	if (err != ADY_OK)
		return err;
	ady_sign_payload_put(&payload, pcr0);
	err = make(sig96, certificate, signer, ady_buf_bytes(&payload), f);
	X509_free(certificate);
	if (err != ADY_OK)
		return err;
	return ady_sign_section_put(out, signer->certificate, ady_buf_bytes(&payload), sig96, f);
}

enum ady_err ady_image_signature_read(struct ady_image_signature *s, struct ady_bytes section,
                                      const char *where, struct ady_fault *f)
{
	struct ady_fault inner = {0};
	struct ady_cose cose;
	uint8_t *at;
	int n;

	*s = (struct ady_image_signature){0};
	if (!ady_sign_section_read(section, &s->pem, &s->cose))
		return refuse(f, where,
		              "is not [{\"signing_certificate\": [..], \"signature\": [..]}]");
	if (ady_image_certificate_read(&s->certificate, ady_dyn_bytes(&s->pem), &inner) != ADY_OK)
		return ady_fail(f, ADY_E_IMAGE, where, "certificate %s", inner.detail);
	if (ady_cose_parse(&cose, ady_dyn_bytes(&s->cose), &inner) != ADY_OK)
		return ady_fail(f, ADY_E_IMAGE, where, "signature: %s %s", inner.where,
		                inner.detail);
	if (!ady_sign_payload_read(s->pcr0, cose.payload))
		return refuse(f, where, "is not a signature of register 0 with 48 bytes");
	n = i2d_X509(s->certificate, NULL);
	at = ady_dyn_room(&s->der, n > 0 ? (size_t)n : 1);
	if (n <= 0 || i2d_X509(s->certificate, &at) != n)
		return refuse(f, where, "has a certificate that cannot be written as DER");
	s->der.n = (size_t)n;
	s->payload = cose.payload;
	s->signature = cose.signature;
	return ADY_OK;
}

enum ady_err ady_image_signature_verify(const struct ady_image_signature *s,
                                        const uint8_t pcr0[static 48], struct ady_fault *f)
{
	if (!ady_bytes_eq(ady_bytes(s->pcr0, 48), ady_bytes(pcr0, 48)))
		return refuse(f, "signature", "is of another image: it names another PCR0");
	return verify(s->certificate, s->payload, s->signature.p, f);
}

enum ady_err ady_image_signature_time(const struct ady_image_signature *s, int64_t at_unix_s,
                                      struct ady_fault *f)
{
	time_t at = (time_t)at_unix_s;
	int from = ASN1_TIME_cmp_time_t(X509_get0_notBefore(s->certificate), at);
	int to = ASN1_TIME_cmp_time_t(X509_get0_notAfter(s->certificate), at);

	if (from == -2 || to == -2)
		return refuse(f, "certificate", "has no readable validity");
	if (from > 0)
		return refuse(f, "certificate",
		              "is not valid yet: no enclave starts from this image");
	if (to < 0)
		return refuse(f, "certificate", "has expired: no enclave starts from this image");
	return ADY_OK;
}

void ady_image_signature_clear(struct ady_image_signature *s)
{
	X509_free(s->certificate);
	ady_dyn_free(&s->pem);
	ady_dyn_free(&s->cose);
	ady_dyn_free(&s->der);
	*s = (struct ady_image_signature){0};
}
