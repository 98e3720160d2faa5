/* SPDX-License-Identifier: Apache-2.0
 *
 * The way of a wallet: entropy to sentence and back, sentence and passphrase to seed, seed to keys.
 */
#include "ct.h"

#include <string.h>

#include "crypto/bip39.h"
#include "crypto/hd.h"
#include "crypto/rng.h"

/* A sentence, its letters secret again: reading it must not tell more than whether it is good. */
static void read_back(const struct ady_bip39_sentence *s, const struct ady_bip39_entropy *e)
{
	struct ady_bip39_sentence bad = *s;
	struct ady_bip39_entropy back;
	bool same;

	ct_secret(&bad, sizeof bad.text);
	ct_must(ady_bip39_read(&back, ady_bytes(s->text, s->n)) == ADY_OK);
	ct_must(ct_is_secret(&back.b));
	same = ady_secret_eq_ct(back.b, e->b, sizeof back.b);
	ADY_DECLASSIFY(&same, sizeof same);
	ct_must(same);
	memset(bad.text, 'q', 3);
	ct_secret(bad.text, sizeof bad.text);
	ct_must(ady_bip39_read(&back, ady_bytes(bad.text, s->n)) == ADY_E_KEY_FORM);
}

static void derive(const struct ady_secp *secp, struct ady_bytes seed)
{
	ADY_SECRET_NODE node = {0};

	ct_must(ady_bip32_master(&node, secp, seed) == ADY_OK);
	ct_must(ady_bip32_child(&node, secp, 44 | ADY_HD_HARDENED) == ADY_OK);
	ct_must(ady_bip32_child(&node, secp, 7) == ADY_OK);
	ct_must(ct_is_secret(&node.key) && ct_is_secret(&node.chain));
	ct_must(ady_slip10_master(&node, seed) == ADY_OK);
	ct_must(ady_slip10_child(&node, 501 | ADY_HD_HARDENED) == ADY_OK);
	ct_must(ct_is_secret(&node.key));
}

int main(void)
{
	static const size_t sizes[] = {16, 20, 32};
	struct ady_secp *secp;

	ct_need_valgrind();
	ct_must(ady_secp_open(&secp) == ADY_OK);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		ADY_SECRET_ENTROPY e = {0};
		ADY_SECRET_SENTENCE s = {0};
		uint8_t seed[ADY_BIP39_SEED];
		char passphrase[] = "correct horse";

		ady_bip39_generate(&e, sizes[i]);
		ct_secret(e.b, sizeof e.b);
		ct_secret(passphrase, sizeof passphrase - 1);
		ady_bip39_write(&s, &e);
		ct_must(ct_is_secret(&s.text));
		read_back(&s, &e);
		ct_must(ady_bip39_seed(seed, &s, ady_bytes(passphrase, sizeof passphrase - 1)) ==
		        ADY_OK);
		derive(secp, ady_bytes(seed, sizeof seed));
	}
	ady_secp_close(secp);
	return 0;
}
