/* SPDX-License-Identifier: Apache-2.0 */
#include <blst.h>
#include <string.h>

#include "crypto/hash.h"

void ady_sha256_pair(uint8_t out32[static 32], const uint8_t left32[static 32],
                     const uint8_t right32[static 32])
{
	uint8_t both[64];

	memcpy(both, left32, 32);
	memcpy(both + 32, right32, 32);
	blst_sha256(out32, both, sizeof both);
}
