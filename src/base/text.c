/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <string.h>

#include "base/secret.h"

void ady_hex_encode(char *out, struct ady_bytes b)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < b.n; i++) {
		*out++ = digits[b.p[i] >> 4];
		*out++ = digits[b.p[i] & 15];
	}
	*out = '\0';
}

void ady_dyn_hex(struct ady_dyn *d, struct ady_bytes b)
{
	ady_hex_encode((char *)ady_dyn_room(d, 2 * b.n + 1), b);
	d->n += 2 * b.n;
}

/* All ones when lo <= c <= hi, else zero: a mask without a branch, for digits of keys. */
static unsigned mask_in_range(unsigned c, unsigned lo, unsigned hi)
{
	return (((c - lo) | (hi - c)) >> 31) - 1;
}

/* The value of a hex digit in the low 4 bits; bit 4 is set when c is none. Constant time. */
static unsigned hex_value_ct(uint8_t c)
{
	unsigned num = mask_in_range(c, '0', '9'), up = mask_in_range(c, 'A', 'F');
	unsigned low = mask_in_range(c, 'a', 'f');

	return (num & (c - '0')) | (up & (c - 'A' + 10u)) | (low & (c - 'a' + 10u)) |
	       (~(num | up | low) & 16u);
}

/* One more than the value of each hex digit, 0 for what is none. Public bytes only. */
static const uint8_t hex_value_more[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16};

enum ady_err ady_hex_decode(uint8_t *out, size_t cap, size_t *n, struct ady_bytes text)
{
	*n = 0;
	if (text.n % 2 != 0)
		return ADY_E_FIELD_INVALID;
	if (text.n / 2 > cap)
		return ADY_E_TOO_LARGE;
	for (size_t i = 0; i < text.n / 2; i++) {
		unsigned hi = hex_value_more[text.p[2 * i]], lo = hex_value_more[text.p[2 * i + 1]];

		if (!hi || !lo)
			return ADY_E_FIELD_INVALID;
		out[i] = (uint8_t)((hi - 1) << 4 | (lo - 1));
	}
	*n = text.n / 2;
	return ADY_OK;
}

enum ady_err ady_hex_decode32_ct(uint8_t out32[static 32], struct ady_bytes text)
{
	unsigned bad = 0;

	memset(out32, 0, 32);
	if (text.n == 0 || text.n > 64)
		return ADY_E_KEY_FORM;
	for (size_t i = 0; i < text.n; i++) {
		size_t nibble = 64 - text.n + i;
		unsigned v = hex_value_ct(text.p[i]);

		bad |= v & 16;
		out32[nibble / 2] |= (uint8_t)((v & 15) << (nibble % 2 ? 0 : 4));
	}
	ADY_DECLASSIFY(&bad, sizeof bad);
	if (bad) {
		ady_zero(out32, 32);
		return ADY_E_KEY_FORM;
	}
	return ADY_OK;
}

size_t ady_base64_encode(char *out, struct ady_bytes b)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *start = out;

	for (size_t i = 0; i < b.n; i += 3) {
		size_t left = b.n - i;
		unsigned v = (unsigned)b.p[i] << 16;

		v |= left > 1 ? (unsigned)b.p[i + 1] << 8 : 0;
		v |= left > 2 ? b.p[i + 2] : 0;
		*out++ = digits[v >> 18];
		*out++ = digits[v >> 12 & 63];
		*out++ = left > 1 ? digits[v >> 6 & 63] : '=';
		*out++ = left > 2 ? digits[v & 63] : '=';
	}
	*out = '\0';
	return (size_t)(out - start);
}

/* The value of a digit, or -1. Not for secrets: the place in the table depends on it. */
static int base64_value(uint8_t c)
{
	static const int8_t values['z' - '+' + 1] = {
	    62, -1, -1, -1, 63, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, -1, -1, -1, -1, -1,
	    -1, -1, 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17,
	    18, 19, 20, 21, 22, 23, 24, 25, -1, -1, -1, -1, -1, -1, 26, 27, 28, 29, 30, 31,
	    32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51,
	};
	unsigned i = (unsigned)c - '+';

	return i < sizeof values ? values[i] : -1;
}

/* One group of four characters to 3 - pad bytes. The unused bits must be zero, so that each byte
 * string has exactly one text. */
static bool base64_group(uint8_t out[static 3], const uint8_t *in, unsigned pad)
{
	int a = base64_value(in[0]), b = base64_value(in[1]);
	int c = pad > 1 ? 0 : base64_value(in[2]), d = pad > 0 ? 0 : base64_value(in[3]);
	unsigned v;

	if ((a | b | c | d) < 0)
		return false;
	v = (unsigned)a << 18 | (unsigned)b << 12 | (unsigned)c << 6 | (unsigned)d;
	out[0] = (uint8_t)(v >> 16);
	out[1] = (uint8_t)(v >> 8);
	out[2] = (uint8_t)v;
	return pad == 0 || (pad == 1 && out[2] == 0) || (pad == 2 && out[1] == 0 && out[2] == 0);
}

enum ady_err ady_base64_decode(uint8_t *out, size_t cap, size_t *n, struct ady_bytes text)
{
	*n = 0;
	if (text.n % 4 != 0)
		return ADY_E_FIELD_INVALID;
	for (size_t i = 0; i < text.n; i += 4) {
		unsigned pad = 0;
		uint8_t group[3];

		if (i + 4 == text.n && text.p[i + 3] == '=')
			pad = text.p[i + 2] == '=' ? 2 : 1;
		if (!base64_group(group, text.p + i, pad))
			return ADY_E_FIELD_INVALID;
		if (3 - pad > cap - *n)
			return ADY_E_TOO_LARGE;
		memcpy(out + *n, group, 3 - pad);
		*n += 3 - pad;
	}
	return ADY_OK;
}

static uint8_t *put_url_digits(uint8_t *out, unsigned bits24, size_t n)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

	for (size_t i = 0; i < n; i++)
		*out++ = (uint8_t)digits[bits24 >> (18 - 6 * i) & 63];
	return out;
}

/* One or two bytes at the end have two or three digits and no padding. */
void ady_base64url_put(struct ady_buf *b, struct ady_bytes v)
{
	size_t left = v.n % 3, whole = v.n - left, n = whole / 3 * 4 + (left ? left + 1 : 0);
	uint8_t *out;

	if (b->full || n > b->cap - b->n) {
		b->full = true;
		return;
	}
	if (n == 0)
		return;
	out = b->p + b->n;
	for (const uint8_t *p = v.p, *end = p + whole; p < end; p += 3)
		out = put_url_digits(out, (unsigned)p[0] << 16 | (unsigned)p[1] << 8 | p[2], 4);
	if (left > 0)
		put_url_digits(out,
		               (unsigned)v.p[whole] << 16 |
		                   (left > 1 ? (unsigned)v.p[whole + 1] << 8 : 0),
		               left + 1);
	b->n += n;
}

enum ady_err ady_base64url_take(struct ady_buf *b, struct ady_bytes text)
{
	struct ady_buf start = *b;
	enum ady_err err = text.n % 4 == 1 ? ADY_E_FIELD_INVALID : ADY_OK;

	for (size_t i = 0; err == ADY_OK && i < text.n; i += 4) {
		uint8_t group[4] = "====", out[3];
		size_t left = text.n - i < 4 ? text.n - i : 4, n;

		for (size_t k = 0; k < left; k++) {
			uint8_t c = text.p[i + k];

			group[k] = c == '-'                           ? '+'
			           : c == '_'                         ? '/'
			           : c == '+' || c == '/' || c == '=' ? '?'
			                                              : c;
		}
		err = ady_base64_decode(out, sizeof out, &n, ady_bytes(group, 4));
		ady_buf_put(b, out, n);
	}
	if (err == ADY_OK && b->full)
		err = ADY_E_TOO_LARGE;
	if (err != ADY_OK)
		*b = start;
	return err;
}
