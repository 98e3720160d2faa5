/* SPDX-License-Identifier: Apache-2.0
 *
 * The text of stamps (the corpus has some whose signatures were spoilt): nothing that a fuzzer
 * writes is a signature, but for keys of small order, which are refused; a refusal has its reason.
 */
#include "signer/stamp.h"

#include "crypto/hash.h"
#include "test.h"

/* The entry point of the fuzzers. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ady_stamp_want want = {.aud = "prod",
	                              .tenant = "team",
	                              .key = ady_bytes_str("k"),
	                              .op = "sign",
	                              .now_s = 1764000000,
	                              .life_s = 60};
	const struct ady_bytes body = ady_bytes_str("x");
	struct ady_stamp stamps[ADY_STAMPS_MAX];
	struct ady_fault f = {0};
	enum ady_err err;
	size_t n;

	ady_sha256(want.body32, &body, 1);
	err = ady_stamps_verify(stamps, &n, &want, ady_bytes(data, size), &f);
	if (err == ADY_OK && size > 0)
		ADY_BUG("a stamp that nobody made");
	if (err != ADY_OK && (f.err != err || !f.where[0] || !f.detail[0]))
		ADY_BUG("a refusal without a reason");
	return 0;
}
