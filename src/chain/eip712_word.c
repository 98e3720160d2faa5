/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/eip712_word.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "chain/eth_tx.h"
#include "crypto/hash.h"

/* What each writer gets. */
struct word {
	uint8_t *out; /* 32 bytes, zero */
	const struct ady_eth_reader *r;
	const struct ady_eip712_ref *ref;
	const struct ady_eip712_path *at;
	uint32_t i;
};

static enum ady_err invalid(const struct word *w, const char *why)
{
	return ady_eip712_refuse(w->r, w->at, ADY_E_FIELD_INVALID, why);
}

/* The text of a string without escapes, which no value but a string has a use for. */
static bool plain_text(const struct word *w, struct ady_bytes *text)
{
	if (ady_json_kind(w->r->doc, w->i) != ADY_JSON_STRING || w->r->doc->toks[w->i].escaped)
		return false;
	*text = ady_json_raw(w->r->doc, w->i);
	return true;
}

static enum ady_err put_address(const struct word *w)
{
	struct ady_bytes text;
	enum ady_err err = ADY_E_FIELD_INVALID;

	if (plain_text(w, &text))
		err = ady_eth_address_parse(w->out + 12, text);
	if (err == ADY_E_CHECKSUM)
		return ady_eip712_refuse(w->r, w->at, err, "fails its EIP-55 checksum");
	return err == ADY_OK ? ADY_OK : invalid(w, "must be \"0x\" and 40 hex digits");
}

static enum ady_err put_bool(const struct word *w)
{
	enum ady_json_kind kind = ady_json_kind(w->r->doc, w->i);

	if (kind != ADY_JSON_TRUE && kind != ADY_JSON_FALSE)
		return invalid(w, "must be true or false");
	w->out[31] = kind == ADY_JSON_TRUE;
	return ADY_OK;
}

/* A whole number: its sign and its magnitude. */
static enum ady_err read_number(const struct word *w, bool *negative, struct ady_u256 *v)
{
	bool bare = ady_json_kind(w->r->doc, w->i) == ADY_JSON_NUMBER;
	struct ady_bytes text = {0};
	enum ady_err err = ADY_E_FIELD_INVALID;

	*negative = false;
	if (bare)
		text = ady_json_raw(w->r->doc, w->i);
	if (bare || plain_text(w, &text)) {
		*negative = text.n > 0 && text.p[0] == '-';
		if (*negative)
			text = ady_bytes(text.p + 1, text.n - 1);
		err = text.n > 1 && text.p[1] == 'x' ? ady_u256_parse_hex(v, text)
		                                     : ady_u256_parse_dec(v, text);
	}
	if (err == ADY_E_FIELD_INVALID)
		return invalid(w, "must be a whole JSON number in digits, a decimal string, or "
		                  "\"0x\" and hex digits");
	return err;
}

/* How many bits v has. */
static unsigned bits_of(const struct ady_u256 *v)
{
	struct ady_bytes m = ady_u256_minimal(v);
	unsigned bits = 8 * (unsigned)m.n;

	for (unsigned first = m.n > 0 ? m.p[0] : 0x80; first < 0x80; first <<= 1)
		bits--;
	return bits;
}

/* Subtract 1 from v, which is not 0. */
static void decrement(struct ady_u256 *v)
{
	size_t i = 31;

	while (v->be[i]-- == 0)
		i--;
}

/* Two's complement, sign-extended to 256 bits: -v is the inverse of v - 1, which also has the bits
 * that count against the limit. */
static enum ady_err put_number(const struct word *w)
{
	bool is_signed = w->ref->kind == ADY_EIP712_INT, negative;
	struct ady_u256 v = {0};
	enum ady_err err = read_number(w, &negative, &v);
	char why[48];

	if (err != ADY_OK && err != ADY_E_FIELD_RANGE)
		return err;
	if (err == ADY_OK && negative && ady_u256_is_zero(&v))
		negative = false;
	if (err == ADY_OK && negative)
		decrement(&v);
	if (err != ADY_OK || (negative && !is_signed) || bits_of(&v) > w->ref->size - is_signed) {
		snprintf(why, sizeof why, "does not fit %sint%u", is_signed ? "" : "u",
		         w->ref->size);
		return ady_eip712_refuse(w->r, w->at, ADY_E_FIELD_RANGE, why);
	}
	for (size_t i = 0; i < 32; i++)
		w->out[i] = negative ? (uint8_t)~v.be[i] : v.be[i];
	return ADY_OK;
}

/* Hex with "0x" to out[cap]; *n bytes. */
static bool read_hex(const struct word *w, uint8_t *out, size_t cap, size_t *n)
{
	struct ady_bytes text;

	return plain_text(w, &text) && text.n >= 2 && text.p[0] == '0' && text.p[1] == 'x' &&
	       ady_hex_decode(out, cap, n, ady_bytes(text.p + 2, text.n - 2)) == ADY_OK;
}

static enum ady_err put_fixed_bytes(const struct word *w)
{
	char why[56];
	size_t n;

	if (read_hex(w, w->out, w->ref->size, &n) && n == w->ref->size)
		return ADY_OK;
	snprintf(why, sizeof why, "must be \"0x\" and %u hex digits", 2 * w->ref->size);
	return invalid(w, why);
}

static enum ady_err put_bytes(const struct word *w)
{
	struct ady_buf *s = w->r->scratch;
	size_t n;

	if (!read_hex(w, s->p + s->n, s->cap - s->n, &n))
		return invalid(w, "must be \"0x\" and an even number of hex digits");
	ady_keccak256(w->out, ady_bytes(s->p + s->n, n));
	return ADY_OK;
}

static enum ady_err put_string(const struct word *w)
{
	struct ady_buf *s = w->r->scratch;
	enum ady_err err;
	size_t n;

	err = ady_json_string(w->r->doc, w->i, (char *)s->p + s->n, s->cap - s->n, &n);
	if (err == ADY_E_TOO_LARGE)
		return ady_eip712_refuse(w->r, w->at, err, "is too large");
	if (err != ADY_OK)
		return invalid(w, "must be a string");
	ady_keccak256(w->out, ady_bytes(s->p + s->n, n));
	return ADY_OK;
}

enum ady_err ady_eip712_word(uint8_t word[static 32], const struct ady_eth_reader *r,
                             const struct ady_eip712_ref *ref, const struct ady_eip712_path *at,
                             uint32_t i)
{
	const struct word w = {.out = word, .r = r, .ref = ref, .at = at, .i = i};

	memset(word, 0, 32);
	switch (ref->kind) {
	case ADY_EIP712_ADDRESS:
		return put_address(&w);
	case ADY_EIP712_BOOL:
		return put_bool(&w);
	case ADY_EIP712_UINT:
	case ADY_EIP712_INT:
		return put_number(&w);
	case ADY_EIP712_FIXED_BYTES:
		return put_fixed_bytes(&w);
	case ADY_EIP712_BYTES:
		return put_bytes(&w);
	case ADY_EIP712_STRING:
		return put_string(&w);
	case ADY_EIP712_STRUCT:
		break;
	}
	ADY_BUG("a struct has no word of its own");
}
