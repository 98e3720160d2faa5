/* SPDX-License-Identifier: Apache-2.0
 *
 * The yardstick: blst's signature alone (hash to G2, multiply, compress) on this machine, now.
 * Prints "CPU-microseconds per signature" as one number, the median of nine rounds. */
#include <blst.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "median.h"

enum { PER_ROUND = 400 };

static blst_scalar key;
static unsigned char root[32] = {0x17};

static void sign(void)
{
	static const char suite[] = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
	unsigned char out[96];
	blst_p2 hash, sig;

	blst_hash_to_g2(&hash, root, sizeof root, (const unsigned char *)suite, sizeof suite - 1,
	                NULL, 0);
	blst_sign_pk_in_g1(&sig, &hash, &key);
	blst_p2_compress(out, &sig);
	memcpy(root, out, sizeof root);
}

int main(void)
{
	unsigned char ikm[32] = {0x42};

	blst_keygen(&key, ikm, sizeof ikm, NULL, 0);
	printf("%.2f\n", ady_bench_median_us(sign, PER_ROUND));
	return 0;
}
