/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificate chains of attestation documents. OpenSSL parses and checks single signatures; the
 * path is ours, because there is only one: it is given in order and ends in one pinned root. */
#include <limits.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <time.h>

#include "crypto/evp.h"
#include "crypto/p384.h"

/* A certificate of the chain and its name in faults, "cabundle[2]". */
struct link {
	X509 *x509;
	char where[32];
};

static enum ady_err refuse(struct ady_fault *f, const struct link *l, const char *why)
{
	ERR_clear_error();
	return ady_fail(f, ADY_E_ATTESTATION, l->where, "%s", why);
}

static enum ady_err parse(struct link *l, struct ady_bytes der, struct ady_fault *f)
{
	const uint8_t *at = der.p;

	l->x509 = der.n <= LONG_MAX ? d2i_X509(NULL, &at, (long)der.n) : NULL;
	if (!l->x509)
		return refuse(f, l, "is not a certificate");
	if (at != der.p + der.n)
		return refuse(f, l, "has bytes behind the certificate");
	if (X509_get_version(l->x509) != X509_VERSION_3)
		return refuse(f, l, "is not X.509 version 3");
	if (X509_get_signature_nid(l->x509) != NID_ecdsa_with_SHA384)
		return refuse(f, l, "is not signed by ECDSA with SHA-384");
	return ADY_OK;
}

static enum ady_err check_key(const struct link *l, struct ady_fault *f)
{
	X509_PUBKEY *key = X509_get_X509_PUBKEY(l->x509);
	struct ady_p384_pub *pub = NULL;
	uint8_t spki[ADY_P384_SPKI], *at = spki;
	bool ok = i2d_X509_PUBKEY(key, NULL) == ADY_P384_SPKI &&
	          i2d_X509_PUBKEY(key, &at) == ADY_P384_SPKI &&
	          ady_p384_pub_read(&pub, ady_bytes(spki, sizeof spki)) == ADY_OK;

	ady_p384_pub_free(pub);
	return ok ? ADY_OK : refuse(f, l, "has no P-384 key");
}

static enum ady_err check_times(const struct link *l, time_t at, struct ady_fault *f)
{
	int from = ASN1_TIME_cmp_time_t(X509_get0_notBefore(l->x509), at);
	int to = ASN1_TIME_cmp_time_t(X509_get0_notAfter(l->x509), at);

	if (from == -2 || to == -2)
		return refuse(f, l, "has no readable validity");
	if (from > 0)
		return refuse(f, l, "is not valid yet");
	if (to < 0)
		return refuse(f, l, "has expired");
	return ADY_OK;
}

/* RFC 5280 section 4.2: a critical extension that is not understood refuses the certificate, and
 * none may appear twice. */
static enum ady_err check_extensions(const struct link *l, struct ady_fault *f)
{
	int n = X509_get_ext_count(l->x509);

	for (int i = 0; i < n; i++) {
		X509_EXTENSION *ext = X509_get_ext(l->x509, i);
		const ASN1_OBJECT *oid = X509_EXTENSION_get_object(ext);
		int nid = OBJ_obj2nid(oid);

		if (X509_get_ext_by_OBJ(l->x509, oid, i) != -1)
			return refuse(f, l, "has an extension twice");
		if (nid != NID_basic_constraints && nid != NID_key_usage &&
		    X509_EXTENSION_get_critical(ext))
			return refuse(f, l, "has an unknown critical extension");
	}
	return ADY_OK;
}

/* The bit of KeyUsage (RFC 5280 section 4.2.1.3): 0 digitalSignature, 5 keyCertSign. */
static bool key_usage_has(const struct link *l, int bit)
{
	ASN1_BIT_STRING *usage = X509_get_ext_d2i(l->x509, NID_key_usage, NULL, NULL);
	bool has = usage && ASN1_BIT_STRING_get_bit(usage, bit) == 1;

	ASN1_BIT_STRING_free(usage);
	return has;
}

/* below: how many CA certificates stand between this one and the leaf. */
static enum ady_err check_ca(const struct link *l, long below, struct ady_fault *f)
{
	BASIC_CONSTRAINTS *bc = X509_get_ext_d2i(l->x509, NID_basic_constraints, NULL, NULL);
	bool ca = bc && bc->ca;
	bool fits = ca && (!bc->pathlen || (ASN1_INTEGER_get(bc->pathlen) >= below));

	BASIC_CONSTRAINTS_free(bc);
	if (!ca)
		return refuse(f, l, "is not a CA certificate");
	if (!fits)
		return refuse(f, l, "does not allow a path of this length");
	if (!key_usage_has(l, 5))
		return refuse(f, l, "may not sign certificates");
	return ADY_OK;
}

static enum ady_err check_leaf(const struct link *l, struct ady_fault *f)
{
	int critical = 0;
	BASIC_CONSTRAINTS *bc = X509_get_ext_d2i(l->x509, NID_basic_constraints, &critical, NULL);
	bool client = bc ? !bc->ca && !bc->pathlen : critical == -1; /* -1: not there */

	BASIC_CONSTRAINTS_free(bc);
	if (!client)
		return refuse(f, l, "is not an end certificate");
	if (!key_usage_has(l, 0))
		return refuse(f, l, "may not make signatures");
	return ADY_OK;
}

static enum ady_err check_issued(const struct link *l, const struct link *by, struct ady_fault *f)
{
	if (X509_NAME_cmp(X509_get_issuer_name(l->x509), X509_get_subject_name(by->x509)) != 0)
		return refuse(f, l, "names another issuer");
	if (X509_verify(l->x509, X509_get0_pubkey(by->x509)) != 1)
		return refuse(f, l, "is not signed by its issuer");
	return ADY_OK;
}

static enum ady_err check_link(const struct link *l, const struct link *by, time_t at,
                               struct ady_fault *f)
{
	enum ady_err err;

	if ((err = check_key(l, f)) != ADY_OK || (err = check_times(l, at, f)) != ADY_OK ||
	    (err = check_extensions(l, f)) != ADY_OK)
		return err;
	return by ? check_issued(l, by, f) : ADY_OK;
}

/* links[0] is the root, links[n - 1] the leaf. The root is equal to the pinned one, so that its
 * own signature proves nothing more. */
static enum ady_err check_all(const struct link *links, size_t n, time_t at, struct ady_fault *f)
{
	enum ady_err err;

	for (size_t i = 0; i < n; i++) {
		if ((err = check_link(&links[i], i > 0 ? &links[i - 1] : NULL, at, f)) != ADY_OK)
			return err;
		err = i < n - 1 ? check_ca(&links[i], (long)(n - 2 - i), f)
		                : check_leaf(&links[i], f);
		if (err != ADY_OK)
			return err;
	}
	return ADY_OK;
}

/* The bundle in order, then the leaf. All of links are set, so that all may be freed. */
static enum ady_err parse_all(struct link *links, const struct ady_p384_chain *chain,
                              struct ady_fault *f)
{
	enum ady_err err;

	for (size_t i = 0; i < chain->bundle_n; i++) {
		snprintf(links[i].where, sizeof links[i].where, "cabundle[%zu]", i);
		if ((err = parse(&links[i], chain->bundle[i], f)) != ADY_OK)
			return err;
	}
	snprintf(links[chain->bundle_n].where, sizeof links[0].where, "certificate");
	return parse(&links[chain->bundle_n], chain->leaf, f);
}

static enum ady_err leaf_key(struct ady_p384_pub **pub, const struct link *leaf)
{
	uint8_t spki[ADY_P384_SPKI], *at = spki; /* check_key has seen that it fits */

	i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf->x509), &at);
	return ady_p384_pub_read(pub, ady_bytes(spki, sizeof spki));
}

enum ady_err ady_p384_chain_verify(struct ady_p384_pub **pub, const struct ady_p384_chain *chain,
                                   struct ady_fault *f)
{
	struct link links[ADY_P384_BUNDLE_MAX + 1] = {0};
	size_t n = chain->bundle_n;
	enum ady_err err;

	*pub = NULL;
	if (n < 1 || n > ADY_P384_BUNDLE_MAX)
		return ady_fail(f, ADY_E_ATTESTATION, "cabundle", "must have 1 to 16 certificates");
	if (!ady_bytes_eq(chain->bundle[0], chain->root))
		return ady_fail(f, ADY_E_ATTESTATION, "cabundle[0]", "is not the trusted root");
	(void)ady_evp();
	err = parse_all(links, chain, f);
	if (err == ADY_OK)
		err = check_all(links, n + 1, (time_t)chain->at_unix_s, f);
	if (err == ADY_OK)
		err = leaf_key(pub, &links[n]);
	for (size_t i = 0; i <= n; i++)
		X509_free(links[i].x509);
	return err;
}
