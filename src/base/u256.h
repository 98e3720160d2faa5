/* SPDX-License-Identifier: Apache-2.0
 *
 * Exact 256-bit unsigned integers, for amounts that are public. Time: variable, at most
 * linear in the text. Heap: none. A parser that fails leaves 0. */
#ifndef ADY_BASE_U256_H
#define ADY_BASE_U256_H

#include "base/bytes.h"

struct ady_u256 {
	uint8_t be[32];
};

/* v as a 256-bit integer. */
struct ady_u256 ady_u256_from_u64(uint64_t v);

/* Whether v fits 64 bits; *out is its value then, else 0. */
bool ady_u256_to_u64(uint64_t *out, const struct ady_u256 *v);

/* -1, 0 or 1 as a is below, equal to or above b. */
int ady_u256_cmp(const struct ady_u256 *a, const struct ady_u256 *b);

/* Whether v is 0. */
bool ady_u256_is_zero(const struct ady_u256 *v);

/* The big-endian bytes of v without leading zeros (empty for 0): a view into v. */
struct ady_bytes ady_u256_minimal(const struct ady_u256 *v);

/* Add units * price to sum; false when the result exceeds 2^256 - 1 (sum is then what is left of it
 * below 2^256). */
bool ady_u256_add_product(struct ady_u256 *sum, uint64_t units, const struct ady_u256 *price);

/* Parse decimal digits without sign or leading zero ("0" itself is fine).
 * Returns ADY_E_FIELD_INVALID for another form, ADY_E_FIELD_RANGE above 2^256-1. */
enum ady_err ady_u256_parse_dec(struct ady_u256 *v, struct ady_bytes text);

/* Parse "0x" and 1 to 64 hex digits, leading zeros included. Errors as ady_u256_parse_dec. */
enum ady_err ady_u256_parse_hex(struct ady_u256 *v, struct ady_bytes text);

/* Parse a JSON number's text (digits, optional fraction and exponent, no sign) times 10^scale,
 * exactly. Returns ADY_E_FIELD_INVALID when the result is no whole number or the form is wrong,
 * ADY_E_FIELD_RANGE above 2^256-1. scale: 0..77. For ether to wei: scale 18. */
enum ady_err ady_u256_parse_scaled(struct ady_u256 *v, struct ady_bytes text, unsigned scale);

/* Write v in decimal with a NUL to out[79]. */
void ady_u256_format_dec(char out[static 79], const struct ady_u256 *v);

#endif
