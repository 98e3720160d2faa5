/* SPDX-License-Identifier: Apache-2.0
 *
 * Keystores: a private key under a password, as wallets and deposit tools write them. Two forms:
 * geth's Web3 Secret Storage version 3, for secp256k1, and EIP-2335 version 4, for BLS12-381. Who
 * wrote a file, and its parameters, are not trusted: every number is bounded before it costs
 * anything. Members that decide nothing (id, name, path, uuid, description, "x-ethers" and what
 * wallets think of) are passed over; inside "crypto" nothing is that is not known. Heap: none. */
#ifndef ADY_SIGNER_KEYSTORE_H
#define ADY_SIGNER_KEYSTORE_H

#include "base/secret.h"
#include "crypto/kdf.h"

enum ady_keystore_form { ADY_KEYSTORE_V3, ADY_KEYSTORE_EIP2335 };

enum {
	ADY_KEYSTORE_TEXT_MAX = 15 * 1024,
	ADY_KEYSTORE_PASSWORD_MAX =
	    960, /* with it and a text as long as may be, 16 KiB are sealed */
	ADY_KEYSTORE_SALT_MAX = 128,
	/* scrypt's n r p: eight times what geth and the deposit tools ask for (n 262144, r 8, p 1),
	 * about five seconds. */
	ADY_KEYSTORE_WORK_MAX = 1 << 24,
	/* PBKDF2's c: 38 times what they ask for, a few seconds. */
	ADY_KEYSTORE_C_MAX = 10000000,
};

struct ady_keystore {
	enum ady_keystore_form form;
	bool scrypt; /* else PBKDF2 */
	struct ady_scrypt params;
	uint32_t c;
	uint8_t salt[ADY_KEYSTORE_SALT_MAX];
	size_t salt_n;
	uint8_t iv[16], mac[32], ciphertext[32];
	size_t ciphertext_n;
	uint8_t named[48]; /* the public key (EIP-2335) or address (V3) that the file names */
	size_t named_n;    /* 48, 20, or 0: it names none */
};

/* Read a keystore of that form.
 * Accepted: "crypto" or "Crypto"; hex with or without "0x"; dklen from 32 to 64, of which the first
 * 32 bytes are used; of V3 a ciphertext of less than 32 bytes, which is a key whose leading zeros
 * were left out, as geth reads it; an empty public key or address, which names none.
 * Returns: ADY_E_KEYSTORE with the path below "keystore" and the reason in f; nothing of the text
 * is repeated there. */
enum ady_err ady_keystore_read(struct ady_keystore *ks, enum ady_keystore_form form,
                               struct ady_bytes text, struct ady_fault *f);

/* The bytes of memory that ady_keystore_open will map. */
uint64_t ady_keystore_memory(const struct ady_keystore *ks);

/* Derive the key that password gives, compare the MAC, decrypt. Blocks for as long as the
 * parameters say. password: for EIP-2335 as its section "Password requirements" has it, NFKD and
 * without control codes: whoever seals it does that (store/seal.h).
 * Returns: ADY_E_PASSWORD; ADY_E_MEMORY; ADY_E_CRYPTO. key is zero then.
 * Time:    constant in key and password but for scrypt itself. Leaves copies on the stack. */
enum ady_err ady_keystore_open(struct ady_seckey *key, const struct ady_keystore *ks,
                               struct ady_bytes password, struct ady_fault *f);

/* Whether the opened key is the one that the file names: pub48 of EIP-2335, address20 of V3.
 * Returns ADY_E_KEYSTORE_OTHER. */
enum ady_err ady_keystore_check(const struct ady_keystore *ks, const uint8_t pub48[static 48],
                                const uint8_t address20[static 20], struct ady_fault *f);

/* What is sealed of a keystore: CBOR, {0: its text, bytes, 1: the password, bytes}.
 * Bounds are the caller's to keep. */
void ady_keystore_pair_put(struct ady_buf *b, struct ady_bytes text, struct ady_bytes password);

/* The same read: views of plain. Returns ADY_E_KEYSTORE with the reason in f. */
enum ady_err ady_keystore_pair_read(struct ady_bytes *text, struct ady_bytes *password,
                                    struct ady_bytes plain, struct ady_fault *f);

#endif
