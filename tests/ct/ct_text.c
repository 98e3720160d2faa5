/* SPDX-License-Identifier: Apache-2.0
 *
 * What base does with secrets: hex to a key, comparison. */
#include "ct.h"

#include <string.h>

#include "base/secret.h"
#include "base/text.h"

static void decode(const char *text, enum ady_err want)
{
	char secret[65];
	uint8_t key[32];
	size_t n = strlen(text);

	memcpy(secret, text, n);
	ct_secret(secret, n);
	ct_must(ady_hex_decode32_ct(key, ady_bytes(secret, n)) == want);
	ct_must(want != ADY_OK || ct_is_secret(key + 31));
}

static void compare(uint8_t last, bool want)
{
	uint8_t a[32] = {1, 2, 3}, b[32] = {1, 2, 3};
	bool equal;

	b[31] = last;
	ct_secret(a, sizeof a);
	ct_secret(b, sizeof b);
	equal = ady_secret_eq_ct(a, b, sizeof a);
	ct_public(&equal, sizeof equal);
	ct_must(equal == want);
}

int main(void)
{
	ct_need_valgrind();
	decode("00112233445566778899aAbBcCdDeEfF00112233445566778899aabbccddeeff", ADY_OK);
	decode("123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", ADY_OK);
	decode("0x12345678", ADY_E_KEY_FORM);
	compare(0, true);
	compare(1, false);
	return 0;
}
