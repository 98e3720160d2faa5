/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/import.h"

#include <string.h>

#include "crypto/hash.h"

void ady_import_bind(uint8_t aad32[static 32], const char *curve, struct ady_bytes tenant,
                     struct ady_bytes options)
{
	const struct ady_bytes parts[] = {ady_bytes(curve, strlen(curve) + 1), tenant,
	                                  ady_bytes("", 1), options};

	ady_sha256(aad32, parts, 4);
}
