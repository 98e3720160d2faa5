/* SPDX-License-Identifier: Apache-2.0 */
#include "image/sign.h"

#include "image/describe.h"
#include "image_fixture.h"

static uint8_t pcr0[48];

static struct ady_dyn section(const struct test_signer *s)
{
	struct ady_dyn out = {0};
	struct ady_fault f = {0};

	memset(pcr0, 0xa5, sizeof pcr0);
	pcr0[0] = 7;
	CHECK_ERR(ady_image_sign(&out, &s->signer, pcr0, &f), ADY_OK);
	return out;
}

/* An array of numbers, read by hand: RFC 8949 with heads of one to three bytes. */
static size_t numbers(uint8_t *out, size_t cap, const uint8_t **p)
{
	size_t n = *(*p)++ & 31;

	if (n == 24)
		n = *(*p)++;
	else if (n == 25) {
		n = (size_t)(*p)[0] << 8 | (*p)[1];
		*p += 2;
	}
	for (size_t i = 0; i < n && i < cap; i++) {
		out[i] = *(*p)++;
		if (out[i] == 0x18)
			out[i] = *(*p)++;
	}
	return n;
}

/* Nothing of ours below: the layout is walked by hand, OpenSSL verifies. */
CASE(openssl_verifies_a_signature)
{
	static const uint8_t head[] = "\x84\x6aSignature1\x44\xa1\x01\x38\x22\x40\x58";
	uint8_t pem[4096], cose[512], signed_[512], der[128] = {0}, *end = der;
	struct test_signer s;
	struct ady_dyn d;
	const uint8_t *p;
	size_t n;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	ECDSA_SIG *sig = ECDSA_SIG_new();

	test_signer_make(&s, "P-384", -10, 1000);
	d = section(&s);
	p = d.p;
	CHECK(memcmp(p, "\x81\xa2\x73signing_certificate\x99", 23) == 0);
	p += 22;
	n = numbers(pem, sizeof pem, &p);
	CHECK(ady_bytes_eq(ady_bytes(pem, n), ady_dyn_bytes(&s.cert_pem)));
	CHECK(memcmp(p, "\x69signature\x98", 11) == 0);
	p += 10;
	n = numbers(cose, sizeof cose, &p);
	CHECK(p == d.p + d.n);
	/* [h'a1013822', {}, payload, signature] */
	CHECK(memcmp(cose, "\x84\x44\xa1\x01\x38\x22\xa0\x58", 8) == 0);
	CHECK(memcmp(cose + 9, "\xa2\x6eregister_index\x00\x6eregister_value\x98\x30\x07\x18\xa5",
	             37) == 0);
	CHECK(n == 9u + cose[8] + 2 + 96 && memcmp(cose + 9 + cose[8], "\x58\x60", 2) == 0);
	memcpy(signed_, head, sizeof head - 1);
	memcpy(signed_ + sizeof head - 1, cose + 8, 1u + cose[8]);
	ECDSA_SIG_set0(sig, BN_bin2bn(cose + n - 96, 48, NULL), BN_bin2bn(cose + n - 48, 48, NULL));
	CHECK(EVP_DigestVerifyInit(ctx, NULL, EVP_sha384(), NULL, s.key) == 1);
	CHECK(EVP_DigestVerify(ctx, der, (size_t)i2d_ECDSA_SIG(sig, &end), signed_,
	                       sizeof head - 1 + 1 + cose[8]) == 1);
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
	ady_dyn_free(&d);
	test_signer_free(&s);
}

CASE(a_signature_reads_back_and_verifies)
{
	struct ady_image_signature sig;
	struct test_signer s;
	struct ady_dyn d;
	struct ady_fault f = {0};
	int64_t now = (int64_t)time(NULL);

	test_signer_make(&s, "P-384", -10, 1000);
	d = section(&s);
	CHECK_ERR(ady_image_signature_read(&sig, ady_dyn_bytes(&d), "signature", &f), ADY_OK);
	CHECK_ERR(ady_image_signature_verify(&sig, pcr0, &f), ADY_OK);
	CHECK_ERR(ady_image_signature_time(&sig, now, &f), ADY_OK);
	CHECK_ERR(ady_image_signature_time(&sig, now + 2000, &f), ADY_E_IMAGE);
	CHECK_STR(f.detail, "has expired: no enclave starts from this image");
	CHECK_ERR(ady_image_signature_time(&sig, now - 2000, &f), ADY_E_IMAGE);
	CHECK_STR(f.detail, "is not valid yet: no enclave starts from this image");
	pcr0[1] ^= 1;
	CHECK_ERR(ady_image_signature_verify(&sig, pcr0, &f), ADY_E_IMAGE);
	CHECK_STR(f.detail, "is of another image: it names another PCR0");
	ady_image_signature_clear(&sig);
	ady_dyn_free(&d);
	test_signer_free(&s);
}

static void sign_refused(const struct ady_image_signer *signer, enum ady_err want,
                         const char *where, const char *why)
{
	struct ady_dyn out = {0};
	struct ady_fault f = {0};

	CHECK_ERR(ady_image_sign(&out, signer, pcr0, &f), want);
	CHECK_STR(f.where, where);
	CHECK_STR(f.detail, why);
	CHECK_INT(out.n, 0);
	ady_dyn_free(&out);
}

CASE(keys_and_certificates_must_fit)
{
	struct test_signer a, b, other_curve;
	struct ady_dyn two = {0}, large = {0};
	struct ady_image_signer signer;

	test_signer_make(&a, "P-384", -10, 1000);
	test_signer_make(&b, "P-384", -10, 1000);
	test_signer_make(&other_curve, "P-256", -10, 1000);
	signer = a.signer;
	signer.context = b.key;
	sign_refused(&signer, ADY_E_IMAGE, "signature",
	             "was not made by the key of the certificate");
	signer = other_curve.signer;
	signer.context = a.key;
	sign_refused(&signer, ADY_E_IMAGE, "certificate", "has no key of the curve P-384");
	signer.certificate = ady_bytes_str("none");
	sign_refused(&signer, ADY_E_IMAGE, "certificate", "is not PEM of a certificate");
	ady_dyn_printf(&two, "%s%s", ady_dyn_cstr(&a.cert_pem), ady_dyn_cstr(&a.cert_pem));
	signer.certificate = ady_dyn_bytes(&two);
	sign_refused(&signer, ADY_E_IMAGE, "certificate", "is more than one");
	ady_dyn_printf(&large, "%s%20000s", ady_dyn_cstr(&a.cert_pem), "");
	signer = a.signer;
	signer.certificate = ady_dyn_bytes(&large);
	sign_refused(&signer, ADY_E_TOO_LARGE, "certificate",
	             "is too large for a signature section of 32768 bytes");
	ady_dyn_free(&two);
	ady_dyn_free(&large);
	test_signer_free(&a);
	test_signer_free(&b);
	test_signer_free(&other_curve);
}

CASE(a_key_is_a_plain_p384_key)
{
	struct test_signer s, other_curve;
	struct ady_fault f = {0};
	EVP_PKEY *key;

	test_signer_make(&s, "P-384", -10, 1000);
	test_signer_make(&other_curve, "P-256", -10, 1000);
	CHECK_ERR(ady_image_key_read(&key, ady_dyn_bytes(&s.key_pem), &f), ADY_OK);
	EVP_PKEY_free(key);
	CHECK_ERR(ady_image_key_read(&key, ady_dyn_bytes(&other_curve.key_pem), &f),
	          ADY_E_KEY_FORM);
	CHECK_STR(f.detail, "is not of the curve P-384");
	CHECK_ERR(ady_image_key_read(&key, ady_dyn_bytes(&s.cert_pem), &f), ADY_E_KEY_FORM);
	CHECK_STR(f.detail, "is not PEM of a private key without password");
	CHECK(key == NULL);
	test_signer_free(&s);
	test_signer_free(&other_curve);
}

static void section_refused(const uint8_t *p, size_t n, const char *why)
{
	struct ady_image_signature sig;
	struct ady_fault f = {0};

	CHECK_ERR(ady_image_signature_read(&sig, ady_bytes(p, n), "section 4 (signature)", &f),
	          ADY_E_IMAGE);
	CHECK_STR(f.where, "section 4 (signature)");
	CHECK_STR(f.detail, why);
	ady_image_signature_clear(&sig);
}

#define NOT_A_SECTION "is not [{\"signing_certificate\": [..], \"signature\": [..]}]"

/* Find the CBOR of a number sequence in d. */
static uint8_t *find(struct ady_dyn *d, const char *bytes, size_t n)
{
	uint8_t *at = memmem(d->p, d->n, bytes, n);

	CHECK(at != NULL);
	return at ? at : d->p;
}

CASE(malformed_sections_are_refused)
{
	struct test_signer s;
	struct ady_dyn d;

	test_signer_make(&s, "P-384", -10, 1000);
	d = section(&s);
	section_refused(d.p, 0, NOT_A_SECTION);
	section_refused(d.p, d.n - 1, NOT_A_SECTION);
	d.p[0] = 0x82;
	section_refused(d.p, d.n, NOT_A_SECTION);
	d.p[0] = 0x81;
	d.p[4] ^= 1; /* "signing_certificate" */
	section_refused(d.p, d.n, NOT_A_SECTION);
	d.p[4] ^= 1;
	*find(&d, "\x18\x2d\x18\x2d\x18\x2d\x18\x2d", 8) = 0x20; /* the dashes of BEGIN */
	section_refused(d.p, d.n, NOT_A_SECTION);
	ady_dyn_free(&d);
	d = section(&s);
	find(&d, "\x18\x2d\x18\x2d\x18\x2d\x18\x2d", 8)[1] = 0x2e;
	section_refused(d.p, d.n, "certificate is not PEM of a certificate");
	ady_dyn_free(&d);
	d = section(&s);
	find(&d, "\x18\x44\x18\xa1\x01\x18\x38\x18\x22", 9)[8] = 0x23; /* alg -36: P-521 */
	section_refused(d.p, d.n, "signature: protected is not {1: -35}, the algorithm ES384");
	ady_dyn_free(&d);
	d = section(&s);
	find(&d, "\x18\x5f\x18\x69\x18\x6e", 6)[1] = 0x5e; /* register_index */
	section_refused(d.p, d.n, "is not a signature of register 0 with 48 bytes");
	ady_dyn_free(&d);
	test_signer_free(&s);
}

CASE(a_changed_signature_fails)
{
	struct ady_image_signature sig;
	struct test_signer s;
	struct ady_fault f = {0};
	struct ady_dyn d;

	test_signer_make(&s, "P-384", -10, 1000);
	d = section(&s);
	CHECK_ERR(ady_image_signature_read(&sig, ady_dyn_bytes(&d), "signature", &f), ADY_OK);
	sig.cose.p[sig.cose.n - 1] ^= 1;
	CHECK_ERR(ady_image_signature_verify(&sig, pcr0, &f), ADY_E_IMAGE);
	CHECK_STR(f.detail, "was not made by the key of the certificate");
	ady_image_signature_clear(&sig);
	ady_dyn_free(&d);
	test_signer_free(&s);
}

/* {1: r, 2: s} as DER: short numbers gain zeros, a sign byte goes. */
CASE(der_becomes_raw)
{
	uint8_t raw[96];
	struct ady_bytes der = test_hex("3007"
	                                "020101"
	                                "02020080");

	CHECK_ERR(ady_image_raw_signature(raw, der), ADY_OK);
	CHECK(raw[46] == 0 && raw[47] == 1 && raw[94] == 0 && raw[95] == 0x80);
	CHECK_ERR(ady_image_raw_signature(raw, ady_bytes_sub(der, 0, der.n - 1)), ADY_E_CRYPTO);
	CHECK_ERR(ady_image_raw_signature(raw, (struct ady_bytes){0}), ADY_E_CRYPTO);
	CHECK_ERR(ady_image_raw_signature(raw, test_hex("3007"
	                                                "020101"
	                                                "02020080"
	                                                "00")),
	          ADY_E_CRYPTO);
	CHECK_ERR(ady_image_raw_signature(
	              raw, test_hex("3036"
	                            "020101"
	                            "0231"
	                            "01000000000000000000000000000000000000000000000000"
	                            "00000000000000000000000000000000000000000000000000")),
	          ADY_E_CRYPTO);
}

CASE(a_signed_image_has_pcr8_and_the_same_pcr0)
{
	struct ady_image_recipe r = test_recipe();
	struct ady_image image;
	struct ady_image_pcrs plain, with;
	struct ady_dyn bytes = {0};
	struct test_signer s;
	struct ady_fault f = {0};
	int64_t now = (int64_t)time(NULL);

	test_signer_make(&s, "P-384", -10, 1000);
	plain = test_build(&bytes, &r);
	r.signer = &s.signer;
	with = test_build(&bytes, &r);
	CHECK(memcmp(plain.pcr, with.pcr, sizeof plain.pcr - 48) == 0);
	CHECK(memcmp(plain.pcr[3], with.pcr[3], 48) != 0);
	CHECK_ERR(ady_image_read(&image, ady_dyn_bytes(&bytes), &f), ADY_OK);
	CHECK(image.is_signed && memcmp(&image.pcrs, &with, sizeof with) == 0);
	CHECK_ERR(ady_image_check(&image, now, &f), ADY_OK);
	CHECK_ERR(ady_image_check(&image, now + 2000, &f), ADY_E_IMAGE);
	CHECK_STR(f.detail, "has expired: no enclave starts from this image");
	ady_image_clear(&image);
	bytes.p[548 + 12 + 900] ^= 1; /* in the kernel: CRC, then PCR0 */
	CHECK_ERR(ady_image_read(&image, ady_dyn_bytes(&bytes), &f), ADY_OK);
	CHECK_ERR(ady_image_check(&image, now, &f), ADY_E_IMAGE);
	CHECK_STR(f.where, "header.crc32");
	image.eif.crc_stored = image.eif.crc_computed;
	CHECK_ERR(ady_image_check(&image, now, &f), ADY_E_IMAGE);
	CHECK_STR(f.detail, "is of another image: it names another PCR0");
	ady_image_clear(&image);
	ady_dyn_free(&bytes);
	test_signer_free(&s);
}

int main(void)
{
	RUN(openssl_verifies_a_signature);
	RUN(a_signature_reads_back_and_verifies);
	RUN(keys_and_certificates_must_fit);
	RUN(a_key_is_a_plain_p384_key);
	RUN(malformed_sections_are_refused);
	RUN(a_changed_signature_fails);
	RUN(der_becomes_raw);
	RUN(a_signed_image_has_pcr8_and_the_same_pcr0);
	return test_end();
}
