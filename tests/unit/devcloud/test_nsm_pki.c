/* SPDX-License-Identifier: Apache-2.0
 *
 * The certificates of the development NSM over time: each is renewed before it ends, and the chain
 * verifies at every moment by the rules for AWS's documents. */
#include "devcloud/nsm_pki.h"

#include <stdlib.h>

#include "base/clock.h"
#include "crypto/p384.h"
#include "test.h"

enum { HOUR = 3600, DAY = 24 * HOUR };

static char dir[] = "/tmp/adyton-pki-XXXXXX";
static const char module[] = "i-0123456789abcdef0-enc0123456789abcdef";

/* Verify leaf's chain at a time; the key must verify a signature of the leaf's. */
static bool verifies(const struct ady_nsm_pki *pki, const struct ady_nsm_leaf *leaf, int64_t at_s)
{
	struct ady_bytes bundle[ADY_NSM_BUNDLE], parts[2];
	struct ady_p384_chain chain = {.leaf = ady_bytes(leaf->der, leaf->n),
	                               .bundle = bundle,
	                               .bundle_n = ADY_NSM_BUNDLE,
	                               .at_unix_s = at_s};
	struct ady_p384_pub *pub = NULL;
	struct ady_fault f = {0};
	uint8_t sig[96];
	bool ok;

	ady_nsm_pki_bundle(pki, bundle);
	chain.root = bundle[0];
	parts[0] = ady_bytes_str("one ");
	parts[1] = ady_bytes_str("two");
	ok = ady_p384_chain_verify(&pub, &chain, &f) == ADY_OK &&
	     ady_nsm_leaf_sign(leaf, sig, parts, 2) == ADY_OK &&
	     ady_p384_verify(pub, sig, parts, 2) == ADY_OK;
	ady_p384_pub_free(pub);
	if (!ok && f.detail[0])
		printf("# %s %s\n", f.where, f.detail);
	return ok;
}

struct step {
	int64_t after_s;
	bool regional, instance, leaf; /* which are new since the step before */
};

struct held {
	uint8_t der[ADY_NSM_CERT_MAX];
	size_t n;
};

/* Whether b differs from what is held, which it replaces. */
static bool is_new(struct held *held, struct ady_bytes b)
{
	const bool same = ady_bytes_eq(ady_bytes(held->der, held->n), b);

	memcpy(held->der, b.p, b.n);
	held->n = b.n;
	return !same;
}

CASE(certificates_are_renewed_in_time)
{
	static const struct step steps[] = {
	    {0, true, true, true},
	    {60, false, false, false},
	    {2 * HOUR + 29 * 60, false, false, false},
	    {2 * HOUR + 31 * 60, false, false, true},
	    {20 * HOUR - 60, false, false, true},
	    {20 * HOUR + 60, false, true, true},
	    {18 * DAY - 60, false, true, true},
	    {18 * DAY + 60, true, true, true},
	    {300 * DAY, true, true, true},
	};
	const int64_t now = ady_wall_ms() / 1000;
	static struct held regional, instance, end;
	struct ady_nsm_leaf leaf = {0};
	struct ady_nsm_pki *pki;
	struct ady_fault f = {0};

	CHECK_ERR(ady_nsm_pki_open(&pki, dir, "i-0123456789abcdef0", "us-east-1", &f), ADY_OK);
	for (size_t i = 0; pki && i < sizeof steps / sizeof *steps; i++) {
		const int64_t at = now + steps[i].after_s;
		struct ady_bytes bundle[ADY_NSM_BUNDLE];

		CHECK_ERR(ady_nsm_pki_leaf(pki, &leaf, module, at), ADY_OK);
		ady_nsm_pki_bundle(pki, bundle);
		CHECK_INT(is_new(&regional, bundle[1]), steps[i].regional);
		CHECK_INT(is_new(&instance, bundle[2]), steps[i].instance);
		CHECK_INT(is_new(&end, ady_bytes(leaf.der, leaf.n)), steps[i].leaf);
		CHECK(verifies(pki, &leaf, at));
		CHECK(
		    verifies(pki, &leaf, at + 29 * 60)); /* what a document of now lives at least */
	}
	ady_nsm_leaf_clear(&leaf);
	ady_nsm_pki_close(pki);
}

CASE(names_that_do_not_fit_a_certificate_are_refused)
{
	struct ady_nsm_pki *pki;
	struct ady_fault f = {0};

	CHECK_ERR(ady_nsm_pki_open(&pki, dir, "i-0123456789abcdef01", "us-east-1", &f),
	          ADY_E_CONFIG);
	CHECK(pki == NULL);
	CHECK_ERR(ady_nsm_pki_open(&pki, dir, "i-0123456789abcdef0", "us-east-1-and-more", &f),
	          ADY_E_CONFIG);
	CHECK_ERR(ady_nsm_pki_open(&pki, dir, "i-0123456789abcdef0", "ap-southeast-1", &f), ADY_OK);
	ady_nsm_pki_close(pki);
}

CASE(a_root_without_its_key_is_not_replaced)
{
	struct ady_nsm_pki *pki;
	struct ady_fault f = {0};
	char path[96];

	snprintf(path, sizeof path, "%s/nsm-root-key.pem", dir);
	CHECK(remove(path) == 0);
	CHECK_ERR(ady_nsm_pki_open(&pki, dir, "i-0", "us-east-1", &f), ADY_E_CONFIG);
	CHECK(strstr(f.detail, "not a pair") != NULL);
	CHECK_ERR(ady_nsm_pki_open(&pki, "/does/not/exist", "i-0", "us-east-1", &f), ADY_E_IO);
}

int main(void)
{
	char command[64];

	if (!mkdtemp(dir))
		return 1;
	RUN(certificates_are_renewed_in_time);
	RUN(names_that_do_not_fit_a_certificate_are_refused);
	RUN(a_root_without_its_key_is_not_replaced);
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command) == 0 ? test_end() : 1;
}
