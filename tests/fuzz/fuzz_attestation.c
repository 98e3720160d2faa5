/* SPDX-License-Identifier: Apache-2.0
 *
 * Attestation documents: what parses lies within its bounds; it is then verified against AWS's
 * root, and against the root that it brings itself, so that its own certificates are reached. */
#include <stdlib.h>
#include <string.h>

#include "aws/attestation.h"

/* The entry point of libFuzzer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void must_lie_within(struct ady_bytes part, const uint8_t *data, size_t size)
{
	must(part.n == 0 ||
	     (part.p >= data && part.n <= size && (size_t)(part.p - data) <= size - part.n));
}

static void verify(struct ady_bytes document, struct ady_bytes root)
{
	struct ady_attestation_rules rules = {.root = root, .allow_debug = true};
	struct ady_attestation att;
	struct ady_fault f = {0};

	if (ady_attestation_verify(&att, document, &rules, &f) == ADY_OK)
		must(att.timestamp_ms > 0 && att.pcrs[0].n > 0);
	else
		must(f.err == ADY_E_ATTESTATION && f.detail[0] != 0 && att.cabundle_n == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ady_bytes document = ady_bytes(data, size);
	struct ady_attestation att;
	struct ady_fault f = {0};

	if (ady_attestation_parse(&att, document, &f) != ADY_OK) {
		must(f.err == ADY_E_ATTESTATION && f.detail[0] != 0);
		return 0;
	}
	must_lie_within(att.module_id, data, size);
	must_lie_within(att.certificate, data, size);
	must_lie_within(att.public_key, data, size);
	must_lie_within(att.user_data, data, size);
	must_lie_within(att.nonce, data, size);
	for (size_t i = 0; i < ADY_PCRS; i++)
		must_lie_within(att.pcrs[i], data, size);
	for (size_t i = 0; i < att.cabundle_n; i++)
		must_lie_within(att.cabundle[i], data, size);
	verify(document, ady_nitro_root_g1());
	verify(document, att.cabundle[0]);
	return 0;
}
