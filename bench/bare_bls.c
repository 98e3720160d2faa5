/* SPDX-License-Identifier: Apache-2.0
 *
 * The yardstick: blst's signature alone (hash to G2, multiply, compress) on this machine, now.
 * Prints "CPU-microseconds per signature" as one number, the median of nine rounds. */
#include <blst.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 9, PER_ROUND = 400 };

static double cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static int ascending(const void *a, const void *b)
{
	double d = *(const double *)a - *(const double *)b;

	return (d > 0) - (d < 0);
}

int main(void)
{
	static const char suite[] = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
	unsigned char ikm[32] = {0x42}, root[32] = {0x17}, out[96];
	double rounds[ROUNDS];
	blst_scalar key;

	blst_keygen(&key, ikm, sizeof ikm, NULL, 0);
	for (int i = 0; i < ROUNDS; i++) {
		double began = cpu_us();

		for (int j = 0; j < PER_ROUND; j++) {
			blst_p2 hash, sig;

			blst_hash_to_g2(&hash, root, sizeof root, (const unsigned char *)suite,
			                sizeof suite - 1, NULL, 0);
			blst_sign_pk_in_g1(&sig, &hash, &key);
			blst_p2_compress(out, &sig);
			memcpy(root, out, sizeof root);
		}
		rounds[i] = (cpu_us() - began) / PER_ROUND;
	}
	qsort(rounds, ROUNDS, sizeof *rounds, ascending);
	printf("%.2f\n", rounds[ROUNDS / 2]);
	return 0;
}
