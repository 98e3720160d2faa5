/* SPDX-License-Identifier: Apache-2.0
 *
 * Wallets: a BIP-39 sentence that is made in the enclave or sealed to it, and the keys that are
 * derived of it: secp256k1 by BIP-32, ed25519 by SLIP-10, BLS12-381 by EIP-2333. A wallet's record
 * is an envelope that has the sentence's entropy and the seed of sentence and passphrase: the seed
 * takes 2048 rounds of HMAC to make, and is made once. A wallet signs nothing itself. No copy of a
 * secret is left when these return. Heap: none. */
#ifndef ADY_SIGNER_WALLET_H
#define ADY_SIGNER_WALLET_H

#include "crypto/bip39.h"
#include "crypto/hd.h"
#include "signer/envelope.h"

/* What a wallet's record seals, byte for byte. */
struct ady_wallet {
	struct ady_bip39_entropy entropy;
	uint8_t seed[ADY_BIP39_SEED];
};

/* For the attribute of ADY_SECRET_WALLET. */
void ady_wallet_wipe(struct ady_wallet *wallet);

/* A local wallet that is wiped whenever its scope is left. */
#define ADY_SECRET_WALLET __attribute__((cleanup(ady_wallet_wipe))) struct ady_wallet

/* Make a wallet of rec->words words, without a passphrase, for rec, begun by ady_record_begin and
 * with data key and time in it: public key, texts and ciphertext are new.
 * Returns: ADY_E_CRYPTO when what was sealed does not open to the same wallet. */
enum ady_err ady_wallet_make(struct ady_record *rec, const struct ady_secp *secp,
                             const struct ady_envelope *e, const uint8_t data_key32[static 32],
                             struct ady_fault *f);

/* The same with a sentence that was brought in: plaintext, secret, is the sentence's length (one
 * byte), the sentence, and the passphrase; or a zero byte and a wallet, as a backup has it
 * (signer/backup.h). The caller wipes it.
 * Returns: ADY_E_KEY_FORM for what is neither; ADY_E_FIELD_INVALID for a passphrase that is not 0
 * to 256 printable ASCII characters; ADY_E_CRYPTO. */
enum ady_err ady_wallet_take(struct ady_record *rec, const struct ady_secp *secp,
                             const struct ady_envelope *e, const uint8_t data_key32[static 32],
                             struct ady_bytes plaintext, struct ady_fault *f);

/* Whether it is the wallet of that public key. Time: constant in the wallet; copies are left on the
 * stack, see ady_stack_wipe. */
bool ady_wallet_is_of(const struct ady_wallet *wallet, const uint8_t pub33[static 33],
                      const struct ady_secp *secp);

/* Open the wallet of rec, which is complete and bound. Out: *wallet; the caller wipes it, and the
 * stack. Returns: ADY_E_RECORD_MISMATCH when it does not open, or to another wallet than the
 * record's. */
enum ady_err ady_wallet_open(struct ady_wallet *wallet, const struct ady_record *rec,
                             const struct ady_secp *secp, const struct ady_envelope *e,
                             const uint8_t data_key32[static 32]);

/* Seal the wallet of rec, which is complete and bound, under another data key, whose ciphertext of
 * KMS is blob. Returns: ADY_E_RECORD_MISMATCH when it does not open, or to another wallet than the
 * record's; ADY_E_CRYPTO. */
enum ady_err ady_wallet_reseal(struct ady_record *rec, const struct ady_secp *secp,
                               const struct ady_envelope *e, const uint8_t data_key32[static 32],
                               const uint8_t next_data_key32[static 32], struct ady_bytes blob,
                               struct ady_fault *f);

/* The key of the wallet's row of counters (policy/tally.h), which its keys share (signer/shared.h).
 * The caller wipes it and the stack. Returns: ADY_E_RECORD_MISMATCH as ady_envelope_open. */
enum ady_err ady_wallet_row_key(struct ady_seckey *row_key, const struct ady_record *rec,
                                const struct ady_envelope *e, const uint8_t data_key32[static 32],
                                struct ady_fault *f);

/* Keys along one path: the levels before the one that counts are walked once. Secret: to be wiped
 * by ady_wallet_walk_wipe. */
struct ady_wallet_walk {
	enum ady_curve curve;
	struct ady_hd_path path;
	struct ady_hd_node node; /* BLS12-381: the key alone */
};

/* Wipe it; for the attribute cleanup too. */
void ady_wallet_walk_wipe(struct ady_wallet_walk *walk);

/* Open the wallet of rec and walk to the level of path that counts. curve: not that of wallets, and
 * path is of its kind.
 * Returns: ADY_E_RECORD_MISMATCH as ady_envelope_open; ADY_E_KEY_RANGE with a chance of 2^-127 a
 * level. Time: constant in the secrets, by the path; a level of BLS12-381 takes some 16,000 hashes,
 * else two.
 */
enum ady_err ady_wallet_walk_begin(struct ady_wallet_walk *walk, enum ady_curve curve,
                                   const struct ady_hd_path *path, const struct ady_record *rec,
                                   const struct ady_secp *secp, const struct ady_envelope *e,
                                   const uint8_t data_key32[static 32], struct ady_fault *f);

/* The public key of key `number`, as records have it. Returns ADY_E_KEY_RANGE. Time: as above. */
enum ady_err ady_wallet_public(uint8_t pub[static 48], const struct ady_wallet_walk *walk,
                               const struct ady_secp *secp, uint32_t number);

/* Seal key `number` into rec, as ady_make_key: rec->origin has been set.
 * Returns: ADY_E_KEY_RANGE, ADY_E_CRYPTO. */
enum ady_err ady_wallet_child(struct ady_record *rec, const struct ady_wallet_walk *walk,
                              const struct ady_secp *secp, const struct ady_envelope *e,
                              const uint8_t data_key32[static 32], uint32_t number,
                              struct ady_fault *f);

#endif
