/* SPDX-License-Identifier: Apache-2.0
 *
 * src/crypto/bls for other implementations to compare with: lines of questions on standard input,
 * one line of answer each, all hex. Keys here are test data and stand on the command's input.
 *   sign KEY ROOT             PUBLIC_KEY SIGNATURE
 *   verify PUBLIC ROOT SIG    ok | no
 *   derive SEED INDEX         MASTER CHILD */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "crypto/bls.h"

static size_t unhex(uint8_t *out, size_t cap, const char *text)
{
	size_t n;

	if (ady_hex_decode(out, cap, &n, ady_bytes_str(text)) == ADY_OK)
		return n;
	fprintf(stderr, "not hex: %s\n", text);
	exit(2);
}

static void show(const void *p, size_t n, char end)
{
	char hex[2 * 96 + 1];

	ady_hex_encode(hex, ady_bytes(p, n));
	printf("%s%c", hex, end);
}

static void sign(const char *key_hex, const char *root_hex)
{
	ADY_SECRET struct ady_seckey key = {0};
	uint8_t root[32], pub[48], sig[96];

	unhex(key.b, sizeof key.b, key_hex);
	unhex(root, sizeof root, root_hex);
	if (ady_bls_public(pub, &key) != ADY_OK || ady_bls_sign(sig, root, &key) != ADY_OK) {
		puts("refused");
		return;
	}
	show(pub, sizeof pub, ' ');
	show(sig, sizeof sig, '\n');
}

static void verify(const char *pub_hex, const char *root_hex, const char *sig_hex)
{
	uint8_t root[32], pub[48], sig[96];

	unhex(pub, sizeof pub, pub_hex);
	unhex(root, sizeof root, root_hex);
	unhex(sig, sizeof sig, sig_hex);
	puts(ady_bls_verify(pub, root, sig) == ADY_OK ? "ok" : "no");
}

static void derive(const char *seed_hex, const char *index)
{
	ADY_SECRET struct ady_seckey master = {0};
	ADY_SECRET struct ady_seckey child = {0};
	uint8_t seed[128];
	size_t n = unhex(seed, sizeof seed, seed_hex);

	if (ady_bls_derive_master(&master, ady_bytes(seed, n)) != ADY_OK ||
	    ady_bls_derive_child(&child, &master, (uint32_t)strtoul(index, NULL, 10)) != ADY_OK) {
		puts("refused");
		return;
	}
	show(master.b, sizeof master.b, ' ');
	show(child.b, sizeof child.b, '\n');
}

int main(void)
{
	char line[1024], word[4][320];

	while (fgets(line, sizeof line, stdin)) {
		int n = sscanf(line, "%319s %319s %319s %319s", word[0], word[1], word[2], word[3]);

		if (n == 3 && strcmp(word[0], "sign") == 0)
			sign(word[1], word[2]);
		else if (n == 4 && strcmp(word[0], "verify") == 0)
			verify(word[1], word[2], word[3]);
		else if (n == 3 && strcmp(word[0], "derive") == 0)
			derive(word[1], word[2]);
		else
			return 2;
	}
	return 0;
}
