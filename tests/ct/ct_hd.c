/* SPDX-License-Identifier: Apache-2.0
 *
 * The way of a wallet: entropy to sentence and back, sentence and passphrase to seed, seed to keys.
 */
#include "ct.h"

#include <string.h>

#include "crypto/ed25519.h"
#include "crypto/rng.h"
#include "signer/shared.h"
#include "signer/wallet.h"

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

/* The key of the wallet's row of counters, and what its keys carry of it. */
static void share(const struct ady_record *wallet, const struct ady_envelope *e,
                  const uint8_t *data_key)
{
	static struct ady_record key;
	ADY_SECRET struct ady_seckey row_key = {0};
	ADY_SECRET struct ady_seckey back = {0};

	key = (struct ady_record){.envelope = true, .counted = true, .tenant = "t"};
	ct_must(ady_wallet_row_key(&row_key, wallet, e, data_key, NULL) == ADY_OK);
	ct_secret(&row_key, sizeof row_key);
	ct_must(ady_shared_seal(&key, e, data_key, &row_key) == ADY_OK);
	ct_must(ady_shared_open(&back, &key, e, data_key, NULL) == ADY_OK);
}

/* A wallet is brought in, and a key of each curve derived of it and sealed; one signs. */
static void through_the_record(const struct ady_secp *secp, const struct ady_bip39_sentence *s)
{
	static const struct {
		enum ady_curve curve;
		const char *path;
	} ways[] = {{ADY_CURVE_SECP256K1, "m/44'/60'/0'/0/*"},
	            {ADY_CURVE_ED25519, "m/44'/501'/*'/0'"},
	            {ADY_CURVE_BLS12_381, "m/12381/3600/*/0/0"}};
	static const uint8_t data_key[32] = {7};
	static struct ady_record rec, key;
	static struct ady_wallet_walk walk;
	struct ady_envelope e = {.deployment = "ct"};
	uint8_t plain[ADY_BIP39_SENTENCE_MAX + 8] = {(uint8_t)s->n}, sig[64];
	ADY_SECRET struct ady_seckey opened = {0};

	memcpy(plain + 1, s->text, s->n);
	memcpy(plain + 1 + s->n, "secret!", 7);
	ct_secret(plain, sizeof plain);
	ct_must(ady_gcm_new(&e.gcm) == ADY_OK);
	rec = (struct ady_record){
	    .envelope = true, .curve = ADY_CURVE_WALLET, .id = "w", .tenant = "t"};
	ct_must(ady_wallet_take(&rec, secp, &e, data_key, ady_bytes(plain, s->n + 8), NULL) ==
	        ADY_OK);
	share(&rec, &e, data_key);
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		struct ady_hd_path path;

		ct_must(ady_hd_path_read(&path, ady_curve_path_kind(ways[i].curve),
		                         ady_bytes_str(ways[i].path), NULL) == ADY_OK);
		key = (struct ady_record){
		    .envelope = true, .curve = ways[i].curve, .id = "k", .tenant = "t"};
		ct_must(ady_wallet_walk_begin(&walk, ways[i].curve, &path, &rec, secp, &e, data_key,
		                              NULL) == ADY_OK);
		ct_must(ct_is_secret(&walk.node.key));
		ct_must(ady_wallet_child(&key, &walk, secp, &e, data_key, 3, NULL) == ADY_OK);
		ady_wallet_walk_wipe(&walk);
		ct_must(ady_envelope_open(&opened, &key, &e, data_key, NULL) == ADY_OK);
		if (ways[i].curve != ADY_CURVE_ED25519)
			continue;
		ct_secret(&opened, sizeof opened);
		ady_ed25519_sign(sig, ady_bytes_str("x"), &opened);
		ct_must(ady_ed25519_verify(sig, key.pub, ady_bytes_str("x")));
	}
	ady_gcm_free(e.gcm);
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
		through_the_record(secp, &s);
	}
	ady_secp_close(secp);
	return 0;
}
