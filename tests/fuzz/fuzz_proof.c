/* SPDX-License-Identifier: Apache-2.0
 *
 * Proofs and the entries in them: what is read is written again as the same bytes, so that each has
 * one encoding; verifying it ends. */
#include <stdlib.h>

#include "codec/proof.h"

/* The entry point of the fuzzers. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t space[ADY_PROOF_MAX], entry[ADY_AUDIT_ENTRY_MAX];
	struct ady_buf b = ady_buf(space, sizeof space), again = ady_buf(entry, sizeof entry);
	struct ady_audit_entry e;
	struct ady_proof p;

	demand(ady_proof_length(ady_bytes(data, size)) <= size);
	if (ady_proof_read(&p, &e, ady_bytes(data, size)) != ADY_OK) {
		demand(!p.entry.p && e.op == 0);
		return 0;
	}
	ady_audit_put(&again, &e);
	demand(!again.full && ady_bytes_eq(ady_buf_bytes(&again), p.entry));
	ady_proof_put(&b, &p);
	demand(!b.full && ady_bytes_eq(ady_buf_bytes(&b), ady_bytes(data, size)));
	(void)ady_proof_verify(&p);
	return 0;
}
