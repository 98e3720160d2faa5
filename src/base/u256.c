/* SPDX-License-Identifier: Apache-2.0 */
#include "base/u256.h"

#include <string.h>

enum { DIGITS_MAX = 78 /* of 2^256 - 1 */, DIGITS_U64 = 19 };

struct ady_u256 ady_u256_from_u64(uint64_t v)
{
	struct ady_u256 out = {0};

	for (int i = 0; i < 8; i++)
		out.be[31 - i] = (uint8_t)(v >> (8 * i));
	return out;
}

bool ady_u256_to_u64(uint64_t *out, const struct ady_u256 *v)
{
	bool fits = ady_u256_minimal(v).n <= 8;

	*out = fits ? ady_be64(v->be + 24) : 0;
	return fits;
}

int ady_u256_cmp(const struct ady_u256 *a, const struct ady_u256 *b)
{
	int order = memcmp(a->be, b->be, sizeof a->be);

	return (order > 0) - (order < 0);
}

bool ady_u256_is_zero(const struct ady_u256 *v)
{
	return ady_u256_minimal(v).n == 0;
}

struct ady_bytes ady_u256_minimal(const struct ady_u256 *v)
{
	size_t zeros = 0;

	while (zeros < sizeof v->be && v->be[zeros] == 0)
		zeros++;
	return ady_bytes(v->be + zeros, sizeof v->be - zeros);
}

/* 2^32 at a time, from the low end. */
bool ady_u256_add_product(struct ady_u256 *sum, uint64_t units, const struct ady_u256 *price)
{
	unsigned __int128 carry = 0;

	for (size_t i = 32; i > 0; i -= 4) {
		carry += (unsigned __int128)units * ady_be32(price->be + i - 4) +
		         ady_be32(sum->be + i - 4);
		for (size_t k = 1; k <= 4; k++, carry >>= 8)
			sum->be[i - k] = (uint8_t)carry;
	}
	return carry == 0;
}

/* v = 10 v + digit; false when it does not fit. */
static bool push_digit(struct ady_u256 *v, unsigned digit)
{
	unsigned carry = digit;

	for (int i = 31; i >= 0; i--) {
		carry += v->be[i] * 10u;
		v->be[i] = (uint8_t)carry;
		carry >>= 8;
	}
	return carry == 0;
}

/* The number of the digits that text begins with, as many as always fit 64 bits. */
static uint64_t first_digits(struct ady_bytes text)
{
	uint64_t v = 0;

	for (size_t i = 0; i < text.n && i < DIGITS_U64; i++)
		v = v * 10 + (text.p[i] - '0');
	return v;
}

/* How many digits text begins with. */
static size_t count_digits(struct ady_bytes text)
{
	size_t n = 0;

	while (n < text.n && text.p[n] >= '0' && text.p[n] <= '9')
		n++;
	return n;
}

enum ady_err ady_u256_parse_dec(struct ady_u256 *v, struct ady_bytes text)
{
	bool fits = text.n <= DIGITS_MAX;

	*v = (struct ady_u256){0};
	if (text.n == 0 || count_digits(text) != text.n || (text.n > 1 && text.p[0] == '0'))
		return ADY_E_FIELD_INVALID;
	*v = ady_u256_from_u64(first_digits(text));
	for (size_t i = DIGITS_U64; fits && i < text.n; i++)
		fits = push_digit(v, text.p[i] - '0');
	if (fits)
		return ADY_OK;
	*v = (struct ady_u256){0};
	return ADY_E_FIELD_RANGE;
}

static int hex_digit(uint8_t c)
{
	int lower = c | 0x20;

	if (c >= '0' && c <= '9')
		return c - '0';
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

enum ady_err ady_u256_parse_hex(struct ady_u256 *v, struct ady_bytes text)
{
	*v = (struct ady_u256){0};
	if (text.n < 3 || text.p[0] != '0' || text.p[1] != 'x')
		return ADY_E_FIELD_INVALID;
	for (size_t i = 2; i < text.n; i++)
		if (hex_digit(text.p[i]) < 0)
			return ADY_E_FIELD_INVALID;
	if (text.n - 2 > 64)
		return ADY_E_FIELD_RANGE;
	for (size_t i = 0; i < text.n - 2; i++) {
		unsigned digit = (unsigned)hex_digit(text.p[text.n - 1 - i]);

		v->be[31 - i / 2] |= (uint8_t)(digit << (i % 2 ? 4 : 0));
	}
	return ADY_OK;
}

/* A JSON number without sign: so many digits, a point and more digits behind it unless there are
 * none, and the exponent. */
struct decimal {
	const uint8_t *text;
	size_t whole, fraction;
	int64_t exponent;
};

/* Take the digits that text begins with; returns how many. */
static size_t take_digits(struct ady_bytes *text)
{
	size_t n = count_digits(*text);

	*text = ady_bytes_sub(*text, n, text->n - n);
	return n;
}

/* Take one character when it is next: c or other. */
static bool take_char(struct ady_bytes *text, uint8_t c, uint8_t other)
{
	if (text->n == 0 || (text->p[0] != c && text->p[0] != other))
		return false;
	*text = ady_bytes_sub(*text, 1, text->n - 1);
	return true;
}

/* The exponent behind its "e". Beyond any that a text can make up for by its length, it stays at a
 * value that is as wrong as the true one. */
static bool take_exponent(struct ady_bytes *text, int64_t *exponent)
{
	const int64_t enough = INT64_MAX / 100;
	const uint8_t *digits;
	bool negative = text->n > 0 && text->p[0] == '-';
	size_t n;

	(void)take_char(text, '-', '+');
	digits = text->p;
	n = take_digits(text);
	for (size_t i = 0; i < n; i++)
		if (*exponent < enough)
			*exponent = *exponent * 10 + (digits[i] - '0');
	if (negative)
		*exponent = -*exponent;
	return n > 0;
}

/* number = int [ frac ] [ exp ] (RFC 8259 section 6) */
static bool read_decimal(struct decimal *d, struct ady_bytes text)
{
	*d = (struct decimal){.text = text.p};
	d->whole = take_digits(&text);
	if (d->whole == 0 || (d->whole > 1 && d->text[0] == '0'))
		return false;
	if (take_char(&text, '.', '.')) {
		d->fraction = take_digits(&text);
		if (d->fraction == 0)
			return false;
	}
	if (take_char(&text, 'e', 'E') && !take_exponent(&text, &d->exponent))
		return false;
	return text.n == 0;
}

/* Digit i, the point left out. */
static unsigned digit_at(const struct decimal *d, size_t i)
{
	return d->text[i < d->whole ? i : i + 1] - (unsigned)'0';
}

/* The digits from the first to the last that is not zero, times a power of ten, are the value: it
 * is whole when the power is not negative, and fits only when digits and zeros are at most 78. */
enum ady_err ady_u256_parse_scaled(struct ady_u256 *v, struct ady_bytes text, unsigned scale)
{
	struct decimal d;
	size_t first = 0, end;
	int64_t power;
	bool fits = true;

	*v = (struct ady_u256){0};
	if (!read_decimal(&d, text))
		return ADY_E_FIELD_INVALID;
	end = d.whole + d.fraction;
	power = d.exponent + (int64_t)scale - (int64_t)d.fraction;
	while (first < end && digit_at(&d, first) == 0)
		first++;
	for (; end > first && digit_at(&d, end - 1) == 0; end--)
		power++;
	if (first == end)
		return ADY_OK;
	if (power < 0)
		return ADY_E_FIELD_INVALID;
	if (power > DIGITS_MAX || end - first > DIGITS_MAX - (size_t)power)
		return ADY_E_FIELD_RANGE;
	for (size_t i = first; fits && i < end; i++)
		fits = push_digit(v, digit_at(&d, i));
	for (; fits && power > 0; power--)
		fits = push_digit(v, 0);
	if (fits)
		return ADY_OK;
	*v = (struct ady_u256){0};
	return ADY_E_FIELD_RANGE;
}

/* Divide v by ten and return the remainder. */
static unsigned pop_digit(struct ady_u256 *v)
{
	unsigned rest = 0;

	for (size_t i = 0; i < sizeof v->be; i++) {
		rest = rest << 8 | v->be[i];
		v->be[i] = (uint8_t)(rest / 10);
		rest %= 10;
	}
	return rest;
}

void ady_u256_format_dec(char out[static 79], const struct ady_u256 *v)
{
	char reversed[DIGITS_MAX];
	struct ady_u256 left = *v;
	size_t n = 0;

	do {
		reversed[n++] = (char)('0' + pop_digit(&left));
	} while (!ady_u256_is_zero(&left));
	for (size_t i = 0; i < n; i++)
		out[i] = reversed[n - 1 - i];
	out[n] = '\0';
}
