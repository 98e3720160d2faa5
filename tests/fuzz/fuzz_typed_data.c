/* SPDX-License-Identifier: Apache-2.0
 *
 * Typed data in both versions, and the other things that are signed by name: a refusal has a code,
 * a path and a reason, a digest is the same the second time, and what V3 signs V4 signs alike. */
#include "chain/eth_message.h"

#include "test.h"

/* The entry point of the fuzzers. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX = 65536 };

typedef enum ady_err read_fn(uint8_t digest32[static 32], const struct ady_eth_reader *r,
                             uint32_t i);

static struct ady_json_tok toks[4096];
static uint8_t space[MAX];

static enum ady_err v3(uint8_t digest32[static 32], const struct ady_eth_reader *r, uint32_t i)
{
	return ady_eip712_digest(digest32, r, i, ADY_EIP712_V3, ADY_EIP712_REFUSE);
}

static enum ady_err v4(uint8_t digest32[static 32], const struct ady_eth_reader *r, uint32_t i)
{
	return ady_eip712_digest(digest32, r, i, ADY_EIP712_V4, ADY_EIP712_REFUSE);
}

static enum ady_err run(read_fn *read, const struct ady_json *doc, size_t size, uint8_t digest[32])
{
	struct ady_buf scratch = ady_buf(space, size);
	struct ady_fault f = {0};
	struct ady_eth_reader r = {.doc = doc, .at = "it", .scratch = &scratch, .f = &f};
	enum ady_err err = read(digest, &r, 0);

	if (err != ADY_OK && (f.err != err || strncmp(f.where, "it", 2) != 0 || !f.detail[0]))
		ADY_BUG("a refusal without a reason");
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static read_fn *const reads[] = {v3,
	                                 v4,
	                                 ady_eth_read_message,
	                                 ady_eth_read_validator_data,
	                                 ady_eth_authorization_digest,
	                                 ady_eth_clique_digest,
	                                 ady_eth_data_digest};
	enum { READS = sizeof reads / sizeof *reads };
	uint8_t digest[READS][32], again[32];
	enum ady_err err[READS];
	struct ady_json doc;

	if (size > MAX || ady_json_parse(&doc, toks, 4096, ady_bytes(data, size), NULL) != ADY_OK)
		return 0;
	for (size_t i = 0; i < READS; i++) {
		err[i] = run(reads[i], &doc, size, digest[i]);
		if (run(reads[i], &doc, size, again) != err[i] ||
		    (err[i] == ADY_OK && memcmp(again, digest[i], 32) != 0))
			ADY_BUG("another result the second time");
	}
	if (err[0] == ADY_OK && (err[1] != ADY_OK || memcmp(digest[0], digest[1], 32) != 0))
		ADY_BUG("V3 signs what V4 does not, or otherwise");
	return 0;
}
