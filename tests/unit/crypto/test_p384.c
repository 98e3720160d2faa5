/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/p384.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/x509.h>

#include "pki.h"
#include "vectors.h"

enum { NOW = 1000000000, DAY = 86400 };

static size_t put_to_us;

/* A signature that has not 96 bytes cannot be put to this interface. */
static void wycheproof_vector(json_t *group, json_t *vector)
{
	struct ady_bytes msg = test_json_hex(vector, "msg"), sig = test_json_hex(vector, "sig");
	struct ady_p384_pub *pub;

	CHECK_ERR(ady_p384_pub_read(&pub, test_json_hex(group, "publicKeyDer")), ADY_OK);
	if (!pub)
		return;
	if (sig.n != 96) {
		CHECK(!test_json_valid(vector));
	} else {
		put_to_us++;
		CHECK_ERR(ady_p384_verify(pub, sig.p, &msg, 1),
		          test_json_valid(vector) ? ADY_OK : ADY_E_CRYPTO);
	}
	ady_p384_pub_free(pub);
}

/* As certificates have them: strict DER, put to us as raw numbers. What is no such DER cannot be.
 */
static void wycheproof_der(json_t *group, json_t *vector)
{
	struct ady_bytes msg = test_json_hex(vector, "msg"), der = test_json_hex(vector, "sig");
	const uint8_t *at = der.p;
	ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &at, (long)der.n);
	uint8_t raw[96], *again = NULL;
	int n = s ? i2d_ECDSA_SIG(s, &again) : 0;
	struct ady_p384_pub *pub = NULL;

	if (n > 0 && ady_bytes_eq(ady_bytes(again, (size_t)n), der) &&
	    !BN_is_negative(ECDSA_SIG_get0_r(s)) && !BN_is_negative(ECDSA_SIG_get0_s(s)) &&
	    BN_bn2binpad(ECDSA_SIG_get0_r(s), raw, 48) == 48 &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(s), raw + 48, 48) == 48) {
		put_to_us++;
		CHECK_ERR(ady_p384_pub_read(&pub, test_json_hex(group, "publicKeyDer")), ADY_OK);
		CHECK_ERR(ady_p384_verify(pub, raw, &msg, 1),
		          test_json_valid(vector) ? ADY_OK : ADY_E_CRYPTO);
	} else {
		CHECK(!test_json_valid(vector));
	}
	ady_p384_pub_free(pub);
	OPENSSL_free(again);
	ECDSA_SIG_free(s);
}

CASE(wycheproof_of_der)
{
	put_to_us = 0;
	if (test_wycheproof("ecdsa_secp384r1_sha384_test.json", wycheproof_der) > 0)
		CHECK(put_to_us > 200);
}

CASE(wycheproof)
{
	put_to_us = 0;
	if (test_wycheproof("ecdsa_secp384r1_sha384_p1363_test.json", wycheproof_vector) > 0)
		CHECK(put_to_us > 250);
}

static size_t spki_of(uint8_t *out, const char *curve)
{
	EVP_PKEY *key = EVP_EC_gen(curve);
	int n = i2d_PUBKEY(key, &out);

	EVP_PKEY_free(key);
	return n > 0 ? (size_t)n : 0;
}

CASE(keys_that_are_refused)
{
	uint8_t spki[256];
	struct ady_p384_pub *pub;
	size_t n = spki_of(spki, "P-384");

	CHECK_INT(n, ADY_P384_SPKI);
	CHECK_ERR(ady_p384_pub_read(&pub, ady_bytes(spki, n)), ADY_OK);
	ady_p384_pub_free(pub);
	CHECK_ERR(ady_p384_pub_read(&pub, ady_bytes(spki, n + 1)), ADY_E_CRYPTO);
	for (size_t i = 0; i < n; i++)
		CHECK_ERR(ady_p384_pub_read(&pub, ady_bytes(spki, i)), ADY_E_CRYPTO);
	spki[n - 1] ^= 1; /* not on the curve */
	CHECK_ERR(ady_p384_pub_read(&pub, ady_bytes(spki, n)), ADY_E_CRYPTO);
	CHECK(!pub);
	n = spki_of(spki, "P-256");
	CHECK_ERR(ady_p384_pub_read(&pub, ady_bytes(spki, n)), ADY_E_CRYPTO);
}

static enum ady_err verify(const struct test_cert *certs, int64_t at, struct ady_fault *f)
{
	struct ady_bytes bundle[TEST_CHAIN - 1];
	struct ady_p384_chain chain = {.leaf = test_cert_der(&certs[TEST_CHAIN - 1]),
	                               .bundle = bundle,
	                               .bundle_n = TEST_CHAIN - 1,
	                               .root = test_cert_der(&certs[0]),
	                               .at_unix_s = at};
	struct ady_p384_pub *pub;
	enum ady_err err;

	for (size_t i = 0; i < TEST_CHAIN - 1; i++)
		bundle[i] = test_cert_der(&certs[i]);
	memset(f, 0, sizeof *f);
	err = ady_p384_chain_verify(&pub, &chain, f);
	CHECK_INT(pub != NULL, err == ADY_OK);
	ady_p384_pub_free(pub);
	return err;
}

static void refused(const struct test_cert *certs, int64_t at, const char *where, const char *why)
{
	struct ady_fault f;

	CHECK_ERR(verify(certs, at, &f), ADY_E_ATTESTATION);
	CHECK_STR(f.where, where);
	CHECK_STR(f.detail, why);
}

CASE(a_chain_in_order_gives_the_key_of_its_leaf)
{
	struct test_cert_spec specs[TEST_CHAIN];
	struct test_cert certs[TEST_CHAIN];
	struct ady_bytes msg = ady_bytes_str("message"), bundle[TEST_CHAIN - 1];
	struct ady_p384_pub *pub;
	uint8_t sig[96];

	test_chain_specs(specs);
	test_chain_make(certs, specs);
	for (size_t i = 0; i < TEST_CHAIN - 1; i++)
		bundle[i] = test_cert_der(&certs[i]);
	CHECK_ERR(ady_p384_chain_verify(
	              &pub,
	              &(struct ady_p384_chain){test_cert_der(&certs[3]), bundle, 3, bundle[0], NOW},
	              NULL),
	          ADY_OK);
	test_es384_sign(sig, certs[3].key, &msg, 1);
	CHECK_ERR(ady_p384_verify(pub, sig, &msg, 1), ADY_OK);
	sig[95] ^= 1;
	CHECK_ERR(ady_p384_verify(pub, sig, &msg, 1), ADY_E_CRYPTO);
	ady_p384_pub_free(pub);
	test_chain_free(certs);
}

/* The moments of validity are included, as RFC 5280 section 4.1.2.5 says. */
CASE(times)
{
	static const char *const where[TEST_CHAIN] = {"cabundle[0]", "cabundle[1]", "cabundle[2]",
	                                              "certificate"};
	struct test_cert_spec specs[TEST_CHAIN];
	struct test_cert certs[TEST_CHAIN];
	struct ady_fault f;

	for (size_t i = 0; i < TEST_CHAIN; i++) {
		test_chain_specs(specs);
		specs[i].from = NOW - 100;
		specs[i].to = NOW + 100;
		test_chain_make(certs, specs);
		CHECK_ERR(verify(certs, NOW - 100, &f), ADY_OK);
		CHECK_ERR(verify(certs, NOW + 100, &f), ADY_OK);
		refused(certs, NOW - 101, where[i], "is not valid yet");
		refused(certs, NOW + 101, where[i], "has expired");
		test_chain_free(certs);
	}
}

/* One deviation of one certificate each. */
CASE(deviations_of_one_certificate)
{
	static const struct {
		size_t at;
		struct test_cert_spec change; /* what is not 0 replaces the usual */
		const char *why;
	} v[] = {
	    {0, {.constraints = "CA:FALSE"}, "is not a CA certificate"},
	    {0, {.usage = "digitalSignature"}, "may not sign certificates"},
	    {0, {.constraints = "CA:TRUE,pathlen:1"}, "does not allow a path of this length"},
	    {1, {.constraints = "CA:TRUE,pathlen:0"}, "does not allow a path of this length"},
	    {1, {.constraints = "critical,CA:FALSE"}, "is not a CA certificate"},
	    {2, {.constraints = "critical,CA:FALSE"}, "is not a CA certificate"},
	    {2, {.usage = "critical,cRLSign,digitalSignature"}, "may not sign certificates"},
	    {3, {.usage = "keyCertSign"}, "may not make signatures"},
	    {3, {.constraints = "critical,CA:TRUE"}, "is not an end certificate"},
	    {3, {.constraints = "critical,CA:TRUE,pathlen:0"}, "is not an end certificate"},
	    {3, {.constraints = "critical,CA:FALSE,pathlen:0"}, "is not an end certificate"},
	    {1, {.issuer = "someone"}, "names another issuer"},
	    {3, {.issuer = "one"}, "names another issuer"},
	    {0, {.curve = "P-256"}, "has no P-384 key"},
	    {1, {.curve = "P-521"}, "has no P-384 key"},
	    {3, {.curve = "P-256"}, "has no P-384 key"},
	    {1, {.hash = "SHA256"}, "is not signed by ECDSA with SHA-384"},
	    {3, {.hash = "SHA512"}, "is not signed by ECDSA with SHA-384"},
	    {1, {.extra = "1.2.3.4", .extra_critical = true}, "has an unknown critical extension"},
	    {3, {.extra = "1.2.3.4", .extra_critical = true}, "has an unknown critical extension"},
	    {3,
	     {.extra = "2.5.29.30", .extra_critical = true},
	     "has an unknown critical extension"},
	    {2, {.extra = "1.2.3.4", .extra_twice = true}, "has an extension twice"},
	    {2, {.extra = "2.5.29.19"}, "has an extension twice"},
	    {3, {.version = 1}, "is not X.509 version 3"},
	};
	static const char *const where[TEST_CHAIN] = {"cabundle[0]", "cabundle[1]", "cabundle[2]",
	                                              "certificate"};
	struct test_cert_spec specs[TEST_CHAIN];
	struct test_cert certs[TEST_CHAIN];

	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		const struct test_cert_spec *c = &v[i].change;
		struct test_cert_spec *s = &specs[v[i].at];

		test_chain_specs(specs);
		s->issuer = c->issuer ? c->issuer : s->issuer;
		s->constraints = c->constraints ? c->constraints : s->constraints;
		s->usage = c->usage ? c->usage : s->usage;
		s->curve = c->curve ? c->curve : s->curve;
		s->hash = c->hash ? c->hash : s->hash;
		s->version = c->version ? c->version : s->version;
		s->extra = c->extra;
		s->extra_critical = c->extra_critical;
		s->extra_twice = c->extra_twice;
		test_chain_make(certs, specs);
		refused(certs, NOW, where[v[i].at], v[i].why);
		test_chain_free(certs);
	}
}

CASE(extensions_left_out)
{
	static const char *const where[TEST_CHAIN] = {"cabundle[0]", "cabundle[1]", "cabundle[2]",
	                                              "certificate"};
	struct test_cert_spec specs[TEST_CHAIN];
	struct test_cert certs[TEST_CHAIN];
	struct ady_fault f;

	for (size_t i = 0; i < TEST_CHAIN; i++) {
		test_chain_specs(specs);
		specs[i].usage = NULL;
		test_chain_make(certs, specs);
		refused(certs, NOW, where[i],
		        i < 3 ? "may not sign certificates" : "may not make signatures");
		test_chain_free(certs);
		test_chain_specs(specs);
		specs[i].constraints = NULL;
		test_chain_make(certs, specs);
		if (i < 3) /* a leaf without constraints is no CA (RFC 5280 section 4.2.1.9) */
			refused(certs, NOW, where[i], "is not a CA certificate");
		else
			CHECK_ERR(verify(certs, NOW, &f), ADY_OK);
		test_chain_free(certs);
	}
	test_chain_specs(specs);
	specs[1].extra = "1.2.3.4"; /* not critical */
	test_chain_make(certs, specs);
	CHECK_ERR(verify(certs, NOW, &f), ADY_OK);
	test_chain_free(certs);
}

/* Certificates of one chain put together wrongly. */
CASE(deviations_of_the_bundle)
{
	struct test_cert_spec specs[TEST_CHAIN];
	struct test_cert a[TEST_CHAIN], b[TEST_CHAIN], mixed[TEST_CHAIN];
	struct ady_bytes bundle[17], leaf;
	struct ady_p384_chain chain = {.bundle = bundle, .at_unix_s = NOW};
	struct ady_p384_pub *pub;
	struct ady_fault f;

	test_chain_specs(specs);
	test_chain_make(a, specs);
	test_chain_make(b, specs);
	memcpy(mixed, a, sizeof mixed);
	mixed[3] = b[3]; /* the same names by other keys */
	refused(mixed, NOW, "certificate", "is not signed by its issuer");
	memcpy(mixed, a, sizeof mixed);
	mixed[1] = b[1];
	refused(mixed, NOW, "cabundle[1]", "is not signed by its issuer");
	memcpy(mixed, a, sizeof mixed);
	mixed[1] = a[2];
	mixed[2] = a[1];
	refused(mixed, NOW, "cabundle[1]", "names another issuer");

	leaf = test_cert_der(&a[3]);
	for (size_t i = 0; i < 17; i++)
		bundle[i] = test_cert_der(&a[i < 3 ? i : 2]);
	chain.leaf = leaf;
	chain.root = test_cert_der(&b[0]);
	chain.bundle_n = 3;
	CHECK_ERR(ady_p384_chain_verify(&pub, &chain, &f), ADY_E_ATTESTATION);
	CHECK_STR(f.detail, "is not the trusted root");
	chain.root = bundle[0];
	chain.bundle_n = 0;
	CHECK_ERR(ady_p384_chain_verify(&pub, &chain, &f), ADY_E_ATTESTATION);
	CHECK_STR(f.detail, "must have 1 to 16 certificates");
	chain.bundle_n = 17;
	CHECK_ERR(ady_p384_chain_verify(&pub, &chain, &f), ADY_E_ATTESTATION);
	CHECK_STR(f.detail, "must have 1 to 16 certificates");
	test_chain_free(a);
	test_chain_free(b);
}

/* A leaf that the root signed itself: the shortest chain. */
CASE(a_bundle_of_the_root_alone)
{
	struct test_cert_spec specs[TEST_CHAIN];
	struct test_cert root, leaf;
	struct ady_bytes bundle;
	struct ady_p384_pub *pub;

	test_chain_specs(specs);
	specs[3].issuer = "root";
	test_cert_make(&root, &specs[0], NULL);
	test_cert_make(&leaf, &specs[3], &root);
	bundle = test_cert_der(&root);
	CHECK_ERR(ady_p384_chain_verify(
	              &pub, &(struct ady_p384_chain){test_cert_der(&leaf), &bundle, 1, bundle, NOW},
	              NULL),
	          ADY_OK);
	ady_p384_pub_free(pub);
	EVP_PKEY_free(root.key);
	EVP_PKEY_free(leaf.key);
}

CASE(bytes_of_certificates)
{
	struct test_cert_spec specs[TEST_CHAIN];
	struct test_cert certs[TEST_CHAIN], bad[TEST_CHAIN];
	struct ady_fault f;

	test_chain_specs(specs);
	test_chain_make(certs, specs);
	memcpy(bad, certs, sizeof bad);
	bad[3].der[bad[3].n++] = 0;
	refused(bad, NOW, "certificate", "has bytes behind the certificate");
	memcpy(bad, certs, sizeof bad);
	bad[2].n = 0;
	refused(bad, NOW, "cabundle[2]", "is not a certificate");
	for (size_t i = 0; i < certs[3].n; i++) {
		memcpy(bad, certs, sizeof bad);
		bad[3].n = i;
		refused(bad, NOW, "certificate", "is not a certificate");
		memcpy(bad, certs, sizeof bad);
		bad[3].der[i] ^= 1;
		CHECK_ERR(verify(bad, NOW, &f), ADY_E_ATTESTATION);
	}
	test_chain_free(certs);
}

int main(void)
{
	RUN(wycheproof_of_der);
	RUN(wycheproof);
	RUN(keys_that_are_refused);
	RUN(a_chain_in_order_gives_the_key_of_its_leaf);
	RUN(times);
	RUN(deviations_of_one_certificate);
	RUN(extensions_left_out);
	RUN(deviations_of_the_bundle);
	RUN(a_bundle_of_the_root_alone);
	RUN(bytes_of_certificates);
	return test_end();
}
