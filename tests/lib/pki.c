/* SPDX-License-Identifier: Apache-2.0 */
#include "pki.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

enum { DAY = 86400, NOW = 1000000000 };

/* A test that cannot make its certificates has nothing to say. */
static void must(bool ok)
{
	if (!ok)
		abort();
}

void test_chain_specs(struct test_cert_spec specs[static TEST_CHAIN])
{
	static const struct test_cert_spec usual[TEST_CHAIN] = {
	    {.subject = "root", .issuer = "root", .constraints = "critical,CA:TRUE"},
	    {.subject = "one", .issuer = "root", .constraints = "critical,CA:TRUE,pathlen:1"},
	    {.subject = "two", .issuer = "one", .constraints = "critical,CA:TRUE,pathlen:0"},
	    {.subject = "leaf", .issuer = "two", .constraints = "critical,CA:FALSE"},
	};

	for (size_t i = 0; i < TEST_CHAIN; i++) {
		specs[i] = usual[i];
		specs[i].usage = i < TEST_CHAIN - 1 ? "critical,keyCertSign" : "digitalSignature";
		specs[i].from = NOW - DAY;
		specs[i].to = NOW + DAY;
		specs[i].curve = "P-384";
		specs[i].hash = "SHA384";
		specs[i].version = X509_VERSION_3;
	}
}

static void add_extension(X509 *x, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	if (!value)
		return;
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	must(ext && X509_add_ext(x, ext, -1) == 1);
	X509_EXTENSION_free(ext);
}

static void add_extra(X509 *x, const struct test_cert_spec *spec)
{
	static const uint8_t asn1_null[] = {0x05, 0x00};
	ASN1_OBJECT *oid = OBJ_txt2obj(spec->extra, 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext;

	must(oid && value && ASN1_OCTET_STRING_set(value, asn1_null, sizeof asn1_null) == 1);
	ext = X509_EXTENSION_create_by_OBJ(NULL, oid, spec->extra_critical, value);
	must(ext && X509_add_ext(x, ext, -1) == 1);
	must(!spec->extra_twice || X509_add_ext(x, ext, -1) == 1);
	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(oid);
}

static void set_name(X509_NAME *name, const char *common)
{
	must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const uint8_t *)common, -1, -1,
	                                0) == 1);
}

void test_cert_make(struct test_cert *cert, const struct test_cert_spec *spec,
                    const struct test_cert *issuer)
{
	X509 *x = X509_new();
	uint8_t *at = cert->der;
	int n;

	cert->key = EVP_EC_gen(spec->curve);
	must(x && cert->key && X509_set_version(x, spec->version) == 1);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	set_name(X509_get_subject_name(x), spec->subject);
	set_name(X509_get_issuer_name(x), spec->issuer);
	must(ASN1_TIME_set(X509_getm_notBefore(x), (time_t)spec->from) != NULL &&
	     ASN1_TIME_set(X509_getm_notAfter(x), (time_t)spec->to) != NULL &&
	     X509_set_pubkey(x, cert->key) == 1);
	add_extension(x, NID_basic_constraints, spec->constraints);
	add_extension(x, NID_key_usage, spec->usage);
	if (spec->extra)
		add_extra(x, spec);
	must(X509_sign(x, issuer ? issuer->key : cert->key, EVP_get_digestbyname(spec->hash)) > 0);
	n = i2d_X509(x, NULL);
	must(n > 0 && (size_t)n <= sizeof cert->der && i2d_X509(x, &at) == n);
	cert->n = (size_t)n;
	X509_free(x);
}

void test_chain_make(struct test_cert certs[static TEST_CHAIN],
                     const struct test_cert_spec specs[static TEST_CHAIN])
{
	for (size_t i = 0; i < TEST_CHAIN; i++)
		test_cert_make(&certs[i], &specs[i], i > 0 ? &certs[i - 1] : NULL);
}

void test_chain_free(struct test_cert certs[static TEST_CHAIN])
{
	for (size_t i = 0; i < TEST_CHAIN; i++)
		EVP_PKEY_free(certs[i].key);
}

void test_es384_sign(uint8_t sig96[static 96], EVP_PKEY *key, const struct ady_bytes *parts,
                     size_t n)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t der[128];
	const uint8_t *at = der;
	size_t der_n = sizeof der;
	ECDSA_SIG *sig;

	must(ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha384(), NULL, key) == 1);
	for (size_t i = 0; i < n; i++)
		must(EVP_DigestSignUpdate(ctx, parts[i].p, parts[i].n) == 1);
	must(EVP_DigestSignFinal(ctx, der, &der_n) == 1);
	sig = d2i_ECDSA_SIG(NULL, &at, (long)der_n);
	must(sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), sig96, 48) == 48 &&
	     BN_bn2binpad(ECDSA_SIG_get0_s(sig), sig96 + 48, 48) == 48);
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
}

struct ady_bytes test_cert_der(const struct test_cert *cert)
{
	return ady_bytes(cert->der, cert->n);
}
