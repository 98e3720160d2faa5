/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/bip39.h"

#include <string.h>

#include "crypto/hash.h"
#include "crypto/hmac512.h"
#include "crypto/rng.h"

enum { ROUNDS = 2048, BITS = 11 };

/* 11 bits for each word, of which one in 33 is of the checksum. */
struct bits {
	uint8_t b[ADY_BIP39_WORDS_MAX * BITS / 8];
};

/* Words as numbers: their letters, the last one lowest. */
struct words {
	uint64_t w[ADY_BIP39_WORDS_MAX];
};

void ady_bip39_entropy_wipe(struct ady_bip39_entropy *e)
{
	ady_zero(e, sizeof *e);
}

void ady_bip39_sentence_wipe(struct ady_bip39_sentence *s)
{
	ady_zero(s, sizeof *s);
}

size_t ady_bip39_bytes(uint64_t words)
{
	return words >= 12 && words <= ADY_BIP39_WORDS_MAX && words % 3 == 0 ? words / 3 * 4 : 0;
}

void ady_bip39_generate(struct ady_bip39_entropy *e, size_t n)
{
	ady_bip39_entropy_wipe(e);
	e->n = (uint8_t)n;
	ady_random(e->b, n);
}

/* All ones when a == b, else 0. */
static uint64_t mask_eq(uint64_t a, uint64_t b)
{
	uint64_t d = a ^ b;

	return ((d | (0 - d)) >> 63) - 1;
}

/* All ones when a < b, both below 2^63. */
static uint64_t mask_lt(uint64_t a, uint64_t b)
{
	return 0 - ((a - b) >> 63);
}

/* Word i of the list, which is public here. */
static uint64_t list_word(size_t i)
{
	uint64_t w = 0;

	for (size_t k = 0; k < ADY_BIP39_WORD && ady_bip39_words[i][k]; k++)
		w = w << 8 | (uint8_t)ady_bip39_words[i][k];
	return w;
}

/* The word of a secret index. */
static uint64_t word_of(uint64_t index)
{
	uint64_t w = 0;

	for (size_t i = 0; i < ADY_BIP39_LIST; i++)
		w |= list_word(i) & mask_eq(i, index);
	return w;
}

/* The index of a secret word; *good is cleared when it is none. */
static uint64_t index_of(uint64_t word, uint64_t *good)
{
	uint64_t index = 0, found = 0;

	for (size_t i = 0; i < ADY_BIP39_LIST; i++) {
		uint64_t is = mask_eq(list_word(i), word);

		index |= i & is;
		found |= is;
	}
	*good &= found;
	return index;
}

/* The first byte of SHA-256: up to 8 bits of it are the checksum. */
static uint8_t checksum(const uint8_t *entropy, size_t n)
{
	uint8_t hash[32], first;

	ady_sha256(hash, &(struct ady_bytes){entropy, n}, 1);
	first = hash[0];
	ady_zero(hash, sizeof hash);
	return first;
}

static uint64_t take_bits(const struct bits *bits, size_t at)
{
	uint64_t v = 0;

	for (size_t i = at; i < at + BITS; i++)
		v = v << 1 | (bits->b[i / 8] >> (7 - i % 8) & 1);
	return v;
}

static void put_bits(struct bits *bits, size_t at, uint64_t v)
{
	for (size_t i = 0; i < BITS; i++)
		bits->b[(at + i) / 8] |= (uint8_t)((v >> (BITS - 1 - i) & 1) << (7 - (at + i) % 8));
}

/* Append a character where keep is all ones, at a place that is secret while it is sought. */
static void append(struct ady_bip39_sentence *s, uint64_t c, uint64_t keep)
{
	for (size_t i = 0; i < sizeof s->text; i++)
		s->text[i] = (char)((uint8_t)s->text[i] | (c & keep & mask_eq(i, s->n)));
	s->n += keep & 1;
}

static void append_word(struct ady_bip39_sentence *s, uint64_t word)
{
	for (unsigned shift = 64; shift > 0; shift -= 8) {
		uint64_t c = word >> (shift - 8) & 0xff;

		append(s, c, ~mask_eq(c, 0));
	}
}

void ady_bip39_write(struct ady_bip39_sentence *s, const struct ady_bip39_entropy *e)
{
	struct bits bits = {0};
	size_t words = e->n / 4u * 3;

	ady_bip39_sentence_wipe(s);
	memcpy(bits.b, e->b, e->n);
	bits.b[e->n] |= checksum(e->b, e->n);
	for (size_t i = 0; i < words; i++) {
		append(s, ' ', i > 0 ? UINT64_MAX : 0);
		append_word(s, word_of(take_bits(&bits, i * BITS)));
	}
	ady_zero(&bits, sizeof bits);
	ADY_DECLASSIFY(&s->n, sizeof s->n);
}

/* The words between the spaces. Returns how many there are; *good is cleared for a character that
 * is no letter or space, and for a word that is too long. */
static uint64_t split(struct words *words, struct ady_bytes text, uint64_t *good)
{
	uint64_t at = 0;

	for (size_t k = 0; k < text.n; k++) {
		uint64_t c = text.p[k], space = mask_eq(c, ' ');
		uint64_t letter = mask_lt('a' - 1, c) & mask_lt(c, 'z' + 1);

		*good &= space | letter;
		at += space & 1;
		for (size_t i = 0; i < ADY_BIP39_WORDS_MAX; i++) {
			uint64_t here = mask_eq(i, at) & letter, w = words->w[i];

			*good &= ~(here & ~mask_eq(w >> 56, 0));
			words->w[i] = ((w << 8 | c) & here) | (w & ~here);
		}
	}
	return at + 1;
}

/* Read the words into bits; all ones when each is of the list. */
static uint64_t gather(struct bits *bits, const struct words *words, size_t n)
{
	uint64_t good = UINT64_MAX;

	for (size_t i = 0; i < n; i++)
		put_bits(bits, i * BITS, index_of(words->w[i], &good));
	return good;
}

/* How many words there are is told by the answer, so it is public from here on. */
static size_t public_count(uint64_t n, uint64_t good)
{
	bool is = good != 0;

	ADY_DECLASSIFY(&n, sizeof n);
	ADY_DECLASSIFY(&is, sizeof is);
	return is ? ady_bip39_bytes(n) : 0;
}

enum ady_err ady_bip39_read(struct ady_bip39_entropy *e, struct ady_bytes sentence)
{
	struct words words = {0};
	struct bits bits = {0};
	uint64_t good = UINT64_MAX, n;
	uint8_t check;
	bool ok = false;

	ady_bip39_entropy_wipe(e);
	if (sentence.n > ADY_BIP39_SENTENCE_MAX)
		return ADY_E_KEY_FORM;
	n = split(&words, sentence, &good);
	e->n = (uint8_t)public_count(n, good);
	if (e->n > 0) {
		good = gather(&bits, &words, e->n / 4u * 3);
		memcpy(e->b, bits.b, e->n);
		check = (uint8_t)(checksum(e->b, e->n) & (0xff << (8 - e->n / 4)));
		ok = good & mask_eq(check, bits.b[e->n]);
		ADY_DECLASSIFY(&ok, sizeof ok);
	}
	ady_zero(&words, sizeof words);
	ady_zero(&bits, sizeof bits);
	if (!ok)
		ady_bip39_entropy_wipe(e);
	return ok ? ADY_OK : ADY_E_KEY_FORM;
}

static bool is_ascii(struct ady_bytes text)
{
	uint64_t good = UINT64_MAX;
	bool is;

	for (size_t i = 0; i < text.n; i++)
		good &= mask_lt(0x1f, text.p[i]) & mask_lt(text.p[i], 0x7f);
	is = good != 0 && text.n <= ADY_BIP39_PASSPHRASE_MAX;
	ADY_DECLASSIFY(&is, sizeof is);
	return is;
}

enum ady_err ady_bip39_seed(uint8_t seed64[static ADY_BIP39_SEED],
                            const struct ady_bip39_sentence *s, struct ady_bytes passphrase)
{
	const struct ady_bytes salt[] = {ady_bytes_str("mnemonic"), passphrase};

	ady_zero(seed64, ADY_BIP39_SEED);
	if (!is_ascii(passphrase))
		return ADY_E_FIELD_INVALID;
	ady_pbkdf2_sha512(seed64, ady_bytes(s->text, s->n), salt, 2, ROUNDS);
	return ADY_OK;
}
