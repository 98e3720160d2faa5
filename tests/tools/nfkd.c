/* SPDX-License-Identifier: Apache-2.0
 *
 * nfkd: each line of standard input, a password in hex, to its form of EIP-2335 in hex; with "!"
 * behind it when its first character is not assigned in our tables' version of Unicode, or "-" when
 * it is refused. For tests/e2e/nfkd.test.mjs. */
#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

#include "base/text.h"
#include "store/seal.h"

static bool is_unassigned(struct ady_bytes text)
{
	utf8proc_int32_t first = 0;

	(void)utf8proc_iterate(text.p, (utf8proc_ssize_t)text.n, &first);
	return utf8proc_category(first) == UTF8PROC_CATEGORY_CN;
}

int main(void)
{
	char line[4096], hex[2 * ADY_KEYSTORE_PASSWORD_MAX + 1];

	while (fgets(line, sizeof line, stdin)) {
		uint8_t in[2048], out[ADY_KEYSTORE_PASSWORD_MAX];
		struct ady_buf b = ady_buf(out, sizeof out);
		struct ady_fault f;
		size_t n;

		if (ady_hex_decode(in, sizeof in, &n, ady_bytes(line, strcspn(line, "\n"))) !=
		    ADY_OK)
			return 2;
		if (ady_password_normalise(&b, ady_bytes(in, n), &f) != ADY_OK) {
			puts("-");
			continue;
		}
		ady_hex_encode(hex, ady_buf_bytes(&b));
		printf("%s%s\n", hex, n && is_unassigned(ady_bytes(in, n)) ? "!" : "");
	}
	return 0;
}
