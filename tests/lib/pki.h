/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates of any kind, good and bad, and documents signed under them, for tests. */
#ifndef ADY_TEST_PKI_H
#define ADY_TEST_PKI_H

#include <openssl/evp.h>

#include "test.h"

enum { TEST_CHAIN = 4 }; /* root, two intermediates, leaf */

/* What a certificate says. Texts are OpenSSL's: "critical,CA:TRUE,pathlen:1"; NULL leaves the
 * extension out. extra: an OID in digits, added with the value NULL. */
struct test_cert_spec {
	const char *subject, *issuer; /* common names */
	const char *constraints, *usage;
	const char *extra;
	bool extra_critical, extra_twice;
	int64_t from, to; /* seconds since 1970 */
	const char *curve, *hash;
	long version; /* 2: X.509 version 3 */
};

struct test_cert {
	EVP_PKEY *key;
	uint8_t der[2048];
	size_t n;
};

/* Specs of a chain that is in order at second 1000000000: CN=root, CN=one, CN=two, CN=leaf. */
void test_chain_specs(struct test_cert_spec specs[static TEST_CHAIN]);

/* Make a key and a certificate signed by issuer's key (NULL: by its own). */
void test_cert_make(struct test_cert *cert, const struct test_cert_spec *spec,
                    const struct test_cert *issuer);

/* Make the certificates of a chain, each signed by the one before it. */
void test_chain_make(struct test_cert certs[static TEST_CHAIN],
                     const struct test_cert_spec specs[static TEST_CHAIN]);

/* Free the keys of a chain. */
void test_chain_free(struct test_cert certs[static TEST_CHAIN]);

/* Sign SHA-384 of n parts: r || s, 48 bytes each. */
void test_es384_sign(uint8_t sig96[static 96], EVP_PKEY *key, const struct ady_bytes *parts,
                     size_t n);

/* A view of a certificate. */
struct ady_bytes test_cert_der(const struct test_cert *cert);

#endif
