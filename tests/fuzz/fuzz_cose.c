/* SPDX-License-Identifier: Apache-2.0
 *
 * COSE_Sign1: a message has one encoding, with or without its tag. */
#include <stdlib.h>
#include <string.h>

#include "codec/cose.h"

/* The entry point of libFuzzer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t space[17000];
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_bytes parts[ADY_COSE_PARTS], in = ady_bytes(data, size);
	struct ady_fault f = {0};
	struct ady_cose cose;
	uint8_t head[24];

	if (ady_cose_parse(&cose, in, &f) != ADY_OK) {
		must(f.err == ADY_E_ATTESTATION && f.detail[0] != 0);
		return 0;
	}
	if (data[0] == 0xd2)
		in = ady_bytes_sub(in, 1, size - 1);
	ady_cose_put(&b, cose.payload, cose.signature.p);
	must(!b.full && ady_bytes_eq(ady_buf_bytes(&b), in));
	ady_cose_to_verify(parts, head, &cose);
	must(parts[0].n <= sizeof head && ady_bytes_eq(parts[1], cose.payload));
	return 0;
}
