/* SPDX-License-Identifier: Apache-2.0
 *
 * Documents of the real NSM, against AWS's root. */
#include "aws/attestation.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "pki.h"

static struct test_cert certs[TEST_CHAIN];

static void refused(struct ady_bytes document, const struct ady_attestation_rules *rules,
                    const char *where, const char *why)
{
	static const struct ady_attestation zero;
	struct ady_attestation att;
	struct ady_fault f = {0};

	CHECK_ERR(ady_attestation_verify(&att, document, rules, &f), ADY_E_ATTESTATION);
	CHECK_STR(f.where, where);
	CHECK_STR(f.detail, why);
	CHECK(memcmp(&att, &zero, sizeof att) == 0);
}

static struct ady_bytes real(const char *name)
{
	char path[128];
	const char *found;

	snprintf(path, sizeof path, "nitro/%s", name);
	found = test_vector(path);
	if (!found)
		test_skip("../shared/vectors/%s is not there", path);
	return found ? test_read_file(found) : (struct ady_bytes){0};
}

CASE(root_g1)
{
	struct ady_bytes root = ady_nitro_root_g1();
	uint8_t hash[32];

	CHECK_INT(root.n, 533);
	ady_sha256(hash, &root, 1);
	CHECK_HEX(hash, 32, "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b");
}

CASE(a_real_document)
{
	struct ady_attestation_rules rules = {.root = ady_nitro_root_g1()};
	struct ady_bytes document = real("valid-attestation-doc-bytes");
	struct ady_attestation att;

	if (!document.p)
		return;
	CHECK_ERR(ady_attestation_verify(&att, document, &rules, NULL), ADY_OK);
	CHECK(ady_bytes_is(att.module_id, "i-020b6af9246d90e92-enc0183d09086c24190"));
	CHECK_INT(att.timestamp_ms, 1665651482136);
	CHECK_HEX(att.pcrs[0].p, 2, "f4d4");
	CHECK_INT(att.pcrs[15].n, 48);
	CHECK_INT(att.pcrs[16].n, 0);
	CHECK_INT(att.cabundle_n, 4);
	CHECK_INT(att.nonce.n, 256);
	rules.at_unix_s = 1665651482 + 3 * 3600 + 1;
	refused(document, &rules, "certificate", "has expired");
	rules.at_unix_s = ady_wall_ms() / 1000;
	refused(document, &rules, "cabundle[1]", "has expired");
	rules.at_unix_s = 0;
	rules.root = test_cert_der(&certs[0]);
	refused(document, &rules, "cabundle[0]", "is not the trusted root");
	free((void *)(uintptr_t)document.p);
}

CASE(real_documents_in_debug_mode)
{
	static const char why[] = "has PCR0 all zero: an enclave in debug mode";
	struct ady_attestation_rules rules = {.root = ady_nitro_root_g1()};
	struct ady_bytes document = real("debug-mode-attestation-doc-bytes");
	struct ady_bytes base64 = real("valid-attestation-doc-base64");
	struct ady_attestation att;
	uint8_t decoded[8192];
	size_t n;

	if (!document.p || !base64.p)
		return;
	refused(document, &rules, "pcrs", why);
	CHECK_ERR(ady_base64_decode(decoded, sizeof decoded, &n, base64), ADY_OK);
	refused(ady_bytes(decoded, n), &rules, "pcrs", why);
	rules.allow_debug = true;
	CHECK_ERR(ady_attestation_verify(&att, document, &rules, NULL), ADY_OK);
	CHECK(ady_bytes_is(att.user_data, "hello, world!"));
	CHECK_ERR(ady_attestation_verify(&att, ady_bytes(decoded, n), &rules, NULL), ADY_OK);
	free((void *)(uintptr_t)document.p);
	free((void *)(uintptr_t)base64.p);
}

/* No byte of a real document may change: a step that is coprime to the sizes of its parts. */
CASE(every_byte_of_a_real_document_counts)
{
	struct ady_attestation_rules rules = {.root = ady_nitro_root_g1()};
	struct ady_bytes document = real("valid-attestation-doc-bytes");
	struct ady_attestation att;
	uint8_t copy[8192];

	if (!document.p || !test_check(document.n < sizeof copy, __FILE__, __LINE__, "size"))
		return;
	for (size_t i = 0; i < document.n; i += i < 64 ? 1 : 13) {
		memcpy(copy, document.p, document.n);
		copy[i] ^= (uint8_t)(1 << i % 8);
		CHECK_ERR(ady_attestation_verify(&att, ady_bytes(copy, document.n), &rules, NULL),
		          ADY_E_ATTESTATION);
	}
	free((void *)(uintptr_t)document.p);
}

int main(void)
{
	struct test_cert_spec specs[TEST_CHAIN];

	test_chain_specs(specs);
	test_chain_make(certs, specs);
	RUN(root_g1);
	RUN(a_real_document);
	RUN(real_documents_in_debug_mode);
	RUN(every_byte_of_a_real_document_counts);
	test_chain_free(certs);
	return test_end();
}
