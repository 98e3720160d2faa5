/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"
#include "chain/eth_tx.h"
#include "crypto/hash.h"

#include <string.h>

void ady_eth_address(uint8_t address20[static 20], const uint8_t pub65[static 65])
{
	uint8_t hash[32];

	ady_keccak256(hash, ady_bytes(pub65 + 1, 64));
	memcpy(address20, hash + 12, 20);
}

/* EIP-55: a letter is upper case where the Keccak-256 of the lower-case digits has a nibble of at
 * least 8 at its place. */
void ady_eth_address_format(char out[static 43], const uint8_t address20[static 20])
{
	uint8_t hash[32];

	out[0] = '0';
	out[1] = 'x';
	ady_hex_encode(out + 2, ady_bytes(address20, 20));
	ady_keccak256(hash, ady_bytes(out + 2, 40));
	for (size_t i = 0; i < 40; i++) {
		unsigned nibble = i % 2 ? hash[i / 2] & 15u : hash[i / 2] >> 4;

		if (nibble >= 8 && out[2 + i] >= 'a')
			out[2 + i] = (char)(out[2 + i] - 'a' + 'A');
	}
}

static bool has_between(struct ady_bytes text, char lo, char hi)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] >= (uint8_t)lo && text.p[i] <= (uint8_t)hi)
			return true;
	return false;
}

enum ady_err ady_eth_address_parse(uint8_t address20[static 20], struct ady_bytes text)
{
	struct ady_bytes digits = ady_bytes_sub(text, 2, 40);
	char want[43];
	size_t n;

	memset(address20, 0, 20);
	if (text.n != 42 || memcmp(text.p, "0x", 2) != 0)
		return ADY_E_FIELD_INVALID;
	if (ady_hex_decode(address20, 20, &n, digits) != ADY_OK) {
		memset(address20, 0, 20);
		return ADY_E_FIELD_INVALID;
	}
	if (!has_between(digits, 'a', 'f') || !has_between(digits, 'A', 'F'))
		return ADY_OK;
	ady_eth_address_format(want, address20);
	if (ady_bytes_is(text, want))
		return ADY_OK;
	memset(address20, 0, 20);
	return ADY_E_CHECKSUM;
}
