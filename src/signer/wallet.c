/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/wallet.h"

#include <string.h>

#include "crypto/bls.h"
#include "policy/tally.h"
#include "signer/make.h"

_Static_assert(sizeof(struct ady_wallet) + 12 + 16 == ADY_RECORD_WALLET,
               "a wallet's record seals the structure as it is");

void ady_wallet_wipe(struct ady_wallet *wallet)
{
	ady_zero(wallet, sizeof *wallet);
}

void ady_wallet_walk_wipe(struct ady_wallet_walk *walk)
{
	ady_zero(walk, sizeof *walk);
}

static struct ady_bytes bytes_of(const struct ady_wallet *wallet)
{
	return ady_bytes(wallet, sizeof *wallet);
}

/* What names a wallet: the public key of its BIP-32 master key. */
static enum ady_err public_of(uint8_t pub33[static 33], const struct ady_secp *secp,
                              const struct ady_wallet *wallet)
{
	ADY_SECRET_NODE node = {0};
	uint8_t pub65[65];
	enum ady_err err =
	    ady_bip32_master(&node, secp, ady_bytes(wallet->seed, sizeof wallet->seed));

	if (err == ADY_OK)
		err = ady_secp_public(secp, pub65, &node.key);
	if (err == ADY_OK)
		ady_secp_compress(pub33, pub65);
	return err;
}

/* A fault while it was sealed would lose all keys of the wallet. */
static enum ady_err opens_again(const struct ady_record *rec, const struct ady_envelope *e,
                                const uint8_t *data_key32, const struct ady_wallet *wallet)
{
	ADY_SECRET_WALLET again = {0};
	enum ady_err err =
	    ady_envelope_open_bytes((uint8_t *)&again, sizeof again, rec, e, data_key32, NULL);
	bool same = ady_secret_eq_ct(&again, wallet, sizeof again);

	ADY_DECLASSIFY(&same, sizeof same);
	return err == ADY_OK && same ? ADY_OK : ADY_E_CRYPTO;
}

static enum ady_err seal(struct ady_record *rec, const struct ady_envelope *e,
                         const uint8_t *data_key32, const struct ady_wallet *wallet)
{
	enum ady_err err;

	ady_record_bind(rec);
	err = ady_envelope_seal_bytes(rec, e, data_key32, bytes_of(wallet));
	return err == ADY_OK ? opens_again(rec, e, data_key32, wallet) : err;
}

static enum ady_err finish(struct ady_record *rec, const struct ady_secp *secp,
                           const struct ady_envelope *e, const uint8_t *data_key32,
                           const struct ady_wallet *wallet)
{
	enum ady_err err = public_of(rec->pub, secp, wallet);

	return err == ADY_OK ? seal(rec, e, data_key32, wallet) : err;
}

/* Give it the seed of its entropy and a passphrase. */
static enum ady_err plant(struct ady_wallet *wallet, struct ady_bytes passphrase)
{
	ADY_SECRET_SENTENCE sentence = {0};

	ady_bip39_write(&sentence, &wallet->entropy);
	return ady_bip39_seed(wallet->seed, &sentence, passphrase);
}

/* Not inlined, as the others below: see ady_stack_wipe. */
static __attribute__((noinline)) enum ady_err make(struct ady_record *rec,
                                                   const struct ady_secp *secp,
                                                   const struct ady_envelope *e,
                                                   const uint8_t *data_key32)
{
	ADY_SECRET_WALLET wallet = {0};
	enum ady_err err;

	ady_bip39_generate(&wallet.entropy, ady_bip39_bytes(rec->words));
	err = plant(&wallet, ady_bytes(NULL, 0));
	return err == ADY_OK ? finish(rec, secp, e, data_key32, &wallet) : err;
}

/* Wipe what the stack still has, and give err its words. */
static enum ady_err ended(enum ady_err err, const char *where, struct ady_fault *f)
{
	ady_stack_wipe();
	return err == ADY_OK ? ADY_OK : ady_fail(f, err, where, "%s", ady_err_text(err));
}

enum ady_err ady_wallet_make(struct ady_record *rec, const struct ady_secp *secp,
                             const struct ady_envelope *e, const uint8_t data_key32[static 32],
                             struct ady_fault *f)
{
	return ended(make(rec, secp, e, data_key32), NULL, f);
}

/* What a backup has: entropy of a size that there is, nothing behind it, and a seed, which may be
 * of a passphrase that nobody knows here. */
static enum ady_err read_wallet(struct ady_wallet *wallet, struct ady_bytes text)
{
	uint8_t n, rest = 0;

	if (text.n != sizeof *wallet)
		return ADY_E_KEY_FORM;
	memcpy(wallet, text.p, sizeof *wallet);
	n = wallet->entropy.n;
	ADY_DECLASSIFY(&n, sizeof n);
	if (n == 0 || n % 4 != 0 || ady_bip39_bytes(n / 4u * 3u) != n)
		return ADY_E_KEY_FORM;
	for (size_t i = n; i < sizeof wallet->entropy.b; i++)
		rest |= wallet->entropy.b[i];
	ADY_DECLASSIFY(&rest, sizeof rest);
	return rest == 0 ? ADY_OK : ADY_E_KEY_FORM;
}

/* The sentence's length stands before it, so that no byte of it has to be looked at for its end. */
static enum ady_err read_sentence(struct ady_wallet *wallet, struct ady_bytes text, size_t n)
{
	enum ady_err err;

	if (n > text.n)
		return ADY_E_KEY_FORM;
	err = ady_bip39_read(&wallet->entropy, ady_bytes(text.p, n));
	return err == ADY_OK ? plant(wallet, ady_bytes(text.p + n, text.n - n)) : err;
}

static __attribute__((noinline)) enum ady_err take(struct ady_record *rec,
                                                   const struct ady_secp *secp,
                                                   const struct ady_envelope *e,
                                                   const uint8_t *data_key32, struct ady_bytes text)
{
	ADY_SECRET_WALLET wallet = {0};
	struct ady_bytes rest = {0};
	size_t n = text.n > 0 ? text.p[0] : 0;
	enum ady_err err;

	ADY_DECLASSIFY(&n, sizeof n);
	if (text.n > 0)
		rest = ady_bytes(text.p + 1, text.n - 1);
	err = n == 0 ? read_wallet(&wallet, rest) : read_sentence(&wallet, rest, n);
	return err == ADY_OK ? finish(rec, secp, e, data_key32, &wallet) : err;
}

enum ady_err ady_wallet_take(struct ady_record *rec, const struct ady_secp *secp,
                             const struct ady_envelope *e, const uint8_t data_key32[static 32],
                             struct ady_bytes plaintext, struct ady_fault *f)
{
	enum ady_err err = ended(take(rec, secp, e, data_key32, plaintext), NULL, f);

	if (err == ADY_E_KEY_FORM)
		return ady_fail(
		    f, err, "sealed",
		    "is no sentence of 12 to 24 words of BIP-39's English list, in lower "
		    "case, with one space between them and a right checksum, nor a backup's "
		    "wallet");
	if (err == ADY_E_FIELD_INVALID)
		return ady_fail(f, err, "sealed",
		                "has a passphrase that is not 0 to 256 printable ASCII characters");
	return err;
}

bool ady_wallet_is_of(const struct ady_wallet *wallet, const uint8_t pub33[static 33],
                      const struct ady_secp *secp)
{
	uint8_t mine[33];

	return public_of(mine, secp, wallet) == ADY_OK && memcmp(mine, pub33, sizeof mine) == 0;
}

enum ady_err ady_wallet_open(struct ady_wallet *wallet, const struct ady_record *rec,
                             const struct ady_secp *secp, const struct ady_envelope *e,
                             const uint8_t data_key32[static 32])
{
	enum ady_err err =
	    ady_envelope_open_bytes((uint8_t *)wallet, sizeof *wallet, rec, e, data_key32, NULL);

	if (err != ADY_OK)
		return err;
	return ady_wallet_is_of(wallet, rec->pub, secp) ? ADY_OK : ADY_E_RECORD_MISMATCH;
}

static __attribute__((noinline)) enum ady_err reseal(
    struct ady_record *rec, const struct ady_secp *secp, const struct ady_envelope *e,
    const uint8_t *data_key32, const uint8_t *next_data_key32, struct ady_bytes blob)
{
	ADY_SECRET_WALLET wallet = {0};
	enum ady_err err = ady_wallet_open(&wallet, rec, secp, e, data_key32);

	if (err != ADY_OK)
		return err;
	memcpy(rec->data_key, blob.p, blob.n);
	rec->data_key_n = blob.n;
	return seal(rec, e, next_data_key32, &wallet);
}

enum ady_err ady_wallet_reseal(struct ady_record *rec, const struct ady_secp *secp,
                               const struct ady_envelope *e, const uint8_t data_key32[static 32],
                               const uint8_t next_data_key32[static 32], struct ady_bytes blob,
                               struct ady_fault *f)
{
	return ended(reseal(rec, secp, e, data_key32, next_data_key32, blob), "record", f);
}

enum ady_err ady_wallet_row_key(struct ady_seckey *row_key, const struct ady_record *rec,
                                const struct ady_envelope *e, const uint8_t data_key32[static 32],
                                struct ady_fault *f)
{
	ADY_SECRET_WALLET wallet = {0};
	enum ady_err err =
	    ady_envelope_open_bytes((uint8_t *)&wallet, sizeof wallet, rec, e, data_key32, f);

	if (err == ADY_OK)
		ady_tally_wallet_key(row_key, ady_bytes(wallet.seed, sizeof wallet.seed));
	return err;
}

/* --- children --- */

static enum ady_err master(struct ady_hd_node *node, enum ady_curve curve,
                           const struct ady_secp *secp, struct ady_bytes seed)
{
	if (curve == ADY_CURVE_BLS12_381)
		return ady_bls_derive_master(&node->key, seed);
	if (curve == ADY_CURVE_ED25519)
		return ady_slip10_master(node, seed);
	return ady_bip32_master(node, secp, seed);
}

static enum ady_err child(struct ady_hd_node *node, enum ady_curve curve,
                          const struct ady_secp *secp, uint32_t index)
{
	ADY_SECRET struct ady_seckey parent = {0};

	if (curve == ADY_CURVE_ED25519)
		return ady_slip10_child(node, index);
	if (curve != ADY_CURVE_BLS12_381)
		return ady_bip32_child(node, secp, index);
	parent = node->key;
	return ady_bls_derive_child(&node->key, &parent, index);
}

/* Levels from up to before to. */
static enum ady_err descend(struct ady_hd_node *node, const struct ady_wallet_walk *walk,
                            const struct ady_secp *secp, size_t from, size_t to, uint32_t number)
{
	enum ady_err err = ADY_OK;

	for (size_t i = from; i < to && err == ADY_OK; i++)
		err = child(node, walk->curve, secp, ady_hd_path_index(&walk->path, i, number));
	return err;
}

static __attribute__((noinline)) enum ady_err begin(struct ady_wallet_walk *walk,
                                                    const struct ady_record *rec,
                                                    const struct ady_secp *secp,
                                                    const struct ady_envelope *e,
                                                    const uint8_t *data_key32)
{
	ADY_SECRET_WALLET wallet = {0};
	enum ady_err err =
	    ady_envelope_open_bytes((uint8_t *)&wallet, sizeof wallet, rec, e, data_key32, NULL);

	if (err == ADY_OK)
		err = master(&walk->node, walk->curve, secp,
		             ady_bytes(wallet.seed, sizeof wallet.seed));
	if (err == ADY_OK)
		err = descend(&walk->node, walk, secp, 0, walk->path.star, 0);
	return err;
}

enum ady_err ady_wallet_walk_begin(struct ady_wallet_walk *walk, enum ady_curve curve,
                                   const struct ady_hd_path *path, const struct ady_record *rec,
                                   const struct ady_secp *secp, const struct ady_envelope *e,
                                   const uint8_t data_key32[static 32], struct ady_fault *f)
{
	enum ady_err err;

	*walk = (struct ady_wallet_walk){.curve = curve, .path = *path};
	err = ended(begin(walk, rec, secp, e, data_key32), "record", f);
	if (err != ADY_OK)
		ady_wallet_walk_wipe(walk);
	return err;
}

static enum ady_err key_of(struct ady_seckey *key, const struct ady_wallet_walk *walk,
                           const struct ady_secp *secp, uint32_t number)
{
	ADY_SECRET_NODE node = walk->node;
	enum ady_err err = descend(&node, walk, secp, walk->path.star, walk->path.n, number);

	*key = node.key;
	return err;
}

static __attribute__((noinline)) enum ady_err show(uint8_t pub[static 48],
                                                   const struct ady_wallet_walk *walk,
                                                   const struct ady_secp *secp, uint32_t number)
{
	ADY_SECRET struct ady_seckey key = {0};
	uint8_t address20[20];
	enum ady_err err = key_of(&key, walk, secp, number);

	return err == ADY_OK ? ady_key_public(pub, address20, walk->curve, secp, &key) : err;
}

enum ady_err ady_wallet_public(uint8_t pub[static 48], const struct ady_wallet_walk *walk,
                               const struct ady_secp *secp, uint32_t number)
{
	return ended(show(pub, walk, secp, number), NULL, NULL);
}

static __attribute__((noinline)) enum ady_err seal_child(struct ady_record *rec,
                                                         const struct ady_wallet_walk *walk,
                                                         const struct ady_secp *secp,
                                                         const struct ady_envelope *e,
                                                         const uint8_t *data_key32, uint32_t number)
{
	ADY_SECRET struct ady_seckey key = {0};
	uint8_t address20[20];
	enum ady_err err = key_of(&key, walk, secp, number);

	return err == ADY_OK ? ady_key_seal(rec, address20, secp, e, data_key32, &key) : err;
}

enum ady_err ady_wallet_child(struct ady_record *rec, const struct ady_wallet_walk *walk,
                              const struct ady_secp *secp, const struct ady_envelope *e,
                              const uint8_t data_key32[static 32], uint32_t number,
                              struct ady_fault *f)
{
	return ended(seal_child(rec, walk, secp, e, data_key32, number), NULL, f);
}
