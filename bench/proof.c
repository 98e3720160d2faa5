/* SPDX-License-Identifier: Apache-2.0
 *
 * What a proof costs the enclave (enclave/notary.h): CPU time of an answer's entry, chain, share of
 * a signature and place in the ring, when 1, 4 and 16 answers share one signature. Prints
 * "ANSWERS MICROSECONDS" lines, medians of nine rounds. With arguments N ANSWERS it proves N times
 * and prints nothing: for valgrind --tool=callgrind. */
#include <stdio.h>

#include "enclave/notary.h"
#include "median.h"

enum { PER_ROUND = 300 };

static struct ady_notary *notary;
static size_t together;
static struct ady_bytes tails[ADY_NOTARY_TOGETHER];
static uint8_t tail_space[ADY_AUDIT_ENTRY_MAX], proof_space[ADY_NOTARY_PROOFS];

/* An entry as a transaction's has it. */
static void write_tail(void)
{
	static const uint8_t hash[32] = {7};
	const struct ady_audit_entry e = {.op = 3,
	                                  .key = ady_bytes_str("treasury"),
	                                  .tenant = ady_bytes_str("default"),
	                                  .request = ady_bytes(hash, 32),
	                                  .result = ady_bytes(hash, 32),
	                                  .public = ady_bytes(hash, 20),
	                                  .digest = ady_bytes(hash, 32)};
	struct ady_buf b = ady_buf(tail_space, sizeof tail_space);

	ady_audit_put_tail(&b, &e);
	for (size_t i = 0; i < ADY_NOTARY_TOGETHER; i++)
		tails[i] = ady_buf_bytes(&b);
}

static void prove(void)
{
	struct ady_buf proofs = ady_buf(proof_space, sizeof proof_space);
	size_t ends[ADY_NOTARY_TOGETHER];

	ady_notary_prove(notary, tails, together, &proofs, ends);
}

int main(int argc, char **argv)
{
	static const size_t groups[] = {1, 4, 16};

	write_tail();
	if (ady_notary_open(&notary) != ADY_OK)
		return 1;
	if (argc == 3) {
		together = (size_t)strtol(argv[2], NULL, 10);
		for (long i = strtol(argv[1], NULL, 10); i > 0; i--)
			prove();
		return 0;
	}
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
		together = groups[i];
		printf("%zu %.3f\n", together,
		       ady_bench_median_us(prove, PER_ROUND) / (double)together);
	}
	ady_notary_close(notary);
	return 0;
}
