/* SPDX-License-Identifier: Apache-2.0
 *
 * Mnemonic sentences (BIP-39) of English words: entropy to sentence, sentence to entropy, sentence
 * and passphrase to seed. No branch and no index depends on a word: every word is looked for in all
 * of the list. No heap; what these leave on the stack is the caller's to wipe (ady_stack_wipe). */
#ifndef ADY_CRYPTO_BIP39_H
#define ADY_CRYPTO_BIP39_H

#include "base/secret.h"

enum {
	ADY_BIP39_LIST = 2048,
	ADY_BIP39_WORD = 8, /* letters of the longest word */
	ADY_BIP39_WORDS_MAX = 24,
	ADY_BIP39_SENTENCE_MAX = ADY_BIP39_WORDS_MAX * (ADY_BIP39_WORD + 1) - 1,
	ADY_BIP39_PASSPHRASE_MAX = 256,
	ADY_BIP39_SEED = 64,
};

/* The words, in alphabetical order, padded with zero bytes; eight letters have none behind them. */
extern const char ady_bip39_words[ADY_BIP39_LIST][ADY_BIP39_WORD];

/* What a sentence stands for: 16, 20, 24, 28 or 32 bytes, the rest zero. */
struct ady_bip39_entropy {
	uint8_t n;
	uint8_t b[32];
};

/* A sentence: words with one space between them. */
struct ady_bip39_sentence {
	size_t n;
	char text[ADY_BIP39_SENTENCE_MAX];
};

/* For the attribute of ADY_SECRET_ENTROPY. */
void ady_bip39_entropy_wipe(struct ady_bip39_entropy *e);

/* For the attribute of ADY_SECRET_SENTENCE. */
void ady_bip39_sentence_wipe(struct ady_bip39_sentence *s);

/* Locals that are wiped whenever their scope is left. */
#define ADY_SECRET_ENTROPY __attribute__((cleanup(ady_bip39_entropy_wipe))) struct ady_bip39_entropy
#define ADY_SECRET_SENTENCE \
	__attribute__((cleanup(ady_bip39_sentence_wipe))) struct ady_bip39_sentence

/* The bytes of entropy in a sentence of so many words: 16 of 12 up to 32 of 24 words; 0: there is
 * no sentence of so many. */
size_t ady_bip39_bytes(uint64_t words);

/* Fresh entropy of n bytes, which is one of the sizes above. */
void ady_bip39_generate(struct ady_bip39_entropy *e, size_t n);

/* Write the sentence of e, whose size is one of the above. Time: constant in the entropy, but for
 * what the length of the sentence tells, which is made public. */
void ady_bip39_write(struct ady_bip39_sentence *s, const struct ady_bip39_entropy *e);

/* Read a sentence: lower case words of the list with one space between them, 12, 15, 18, 21 or 24,
 * whose checksum is right.
 * Returns: ADY_E_KEY_FORM else, *e is zero then. Time: by the length alone; whether it is good is
 * made public, and of a bad one nothing more. */
enum ady_err ady_bip39_read(struct ady_bip39_entropy *e, struct ady_bytes sentence);

/* The seed of a sentence and a passphrase of 0 to 256 printable ASCII characters, which BIP-39's
 * normalisation (NFKD) leaves as they are.
 * Returns: ADY_E_FIELD_INVALID for another passphrase, seed64 is zero then. Time: by the lengths
 * alone; 2048 rounds of HMAC-SHA-512. */
enum ady_err ady_bip39_seed(uint8_t seed64[static ADY_BIP39_SEED],
                            const struct ady_bip39_sentence *s, struct ady_bytes passphrase);

#endif
