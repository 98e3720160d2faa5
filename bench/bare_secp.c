/* SPDX-License-Identifier: Apache-2.0
 *
 * The yardstick: libsecp256k1's recoverable signature alone, with compact serialisation, on this
 * machine, now. Prints "CPU-microseconds per signature" as one number, the median of nine rounds.
 */
#include <secp256k1_recovery.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "median.h"

enum { PER_ROUND = 4000 };

static secp256k1_context *ctx;
static unsigned char key[32], digest[32];

static void sign(void)
{
	secp256k1_ecdsa_recoverable_signature sig;
	unsigned char out[64];
	int recid;

	if (!secp256k1_ecdsa_sign_recoverable(ctx, &sig, digest, key, NULL, NULL))
		abort();
	secp256k1_ecdsa_recoverable_signature_serialize_compact(ctx, out, &recid, &sig);
	memcpy(digest, out, sizeof digest);
}

int main(void)
{
	ctx = secp256k1_context_create(SECP256K1_CONTEXT_SIGN);
	memset(key, 0x42, sizeof key);
	memset(digest, 0x17, sizeof digest);
	printf("%.2f\n", ady_bench_median_us(sign, PER_ROUND));
	secp256k1_context_destroy(ctx);
	return 0;
}
