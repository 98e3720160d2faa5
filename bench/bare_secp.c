/* SPDX-License-Identifier: Apache-2.0
 *
 * The yardstick: libsecp256k1's recoverable signature alone, with compact serialisation, on this
 * machine, now. Prints "CPU-microseconds per signature" as one number, the median of nine rounds.
 */
#include <secp256k1_recovery.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 9, PER_ROUND = 4000 };

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
	secp256k1_context *ctx = secp256k1_context_create(SECP256K1_CONTEXT_SIGN);
	unsigned char key[32], digest[32], out[64];
	double rounds[ROUNDS];

	memset(key, 0x42, sizeof key);
	memset(digest, 0x17, sizeof digest);
	for (int i = 0; i < ROUNDS; i++) {
		double began = cpu_us();

		for (int j = 0; j < PER_ROUND; j++) {
			secp256k1_ecdsa_recoverable_signature sig;
			int recid;

			if (!secp256k1_ecdsa_sign_recoverable(ctx, &sig, digest, key, NULL, NULL))
				return 1;
			secp256k1_ecdsa_recoverable_signature_serialize_compact(ctx, out, &recid,
			                                                        &sig);
			memcpy(digest, out, sizeof digest);
		}
		rounds[i] = (cpu_us() - began) / PER_ROUND;
	}
	qsort(rounds, ROUNDS, sizeof *rounds, ascending);
	printf("%.2f\n", rounds[ROUNDS / 2]);
	secp256k1_context_destroy(ctx);
	return 0;
}
