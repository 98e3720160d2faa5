/* SPDX-License-Identifier: Apache-2.0
 *
 * Hex (RFC 4648 section 8, either case in, lower case out) and base64 (RFC 4648 section 4), both
 * strict: no white space, full padding, unused bits zero. Time: hex and base64 decoding depend on
 * the length only where the name ends in _ct; use those for secrets. */
#ifndef ADY_BASE_TEXT_H
#define ADY_BASE_TEXT_H

#include "base/bytes.h"

/* Bytes needed for the base64 of n bytes, with the NUL. */
#define ADY_BASE64_SIZE(n) (((n) + 2) / 3 * 4 + 1)

/* Write the lower-case hex of b and a NUL to out[2 * b.n + 1]. */
void ady_hex_encode(char *out, struct ady_bytes b);

/* Append the lower-case hex of b. See ady_dyn_put. */
void ady_dyn_hex(struct ady_dyn *d, struct ady_bytes b);

/* Decode an even number of hex digits without prefix into out[cap]; *n is the number of bytes.
 * Returns ADY_E_FIELD_INVALID for other characters or an odd length, ADY_E_TOO_LARGE. */
enum ady_err ady_hex_decode(uint8_t *out, size_t cap, size_t *n, struct ady_bytes text);

/* Decode at most 64 hex digits, right-aligned, into out32 without branching on their values.
 * Returns ADY_E_KEY_FORM when a character is no hex digit or there are 0 or over 64 of them. */
enum ady_err ady_hex_decode32_ct(uint8_t out32[static 32], struct ady_bytes text);

/* Write the base64 of b and a NUL to out[ADY_BASE64_SIZE(b.n)]. Returns its length. */
size_t ady_base64_encode(char *out, struct ady_bytes b);

/* Decode strict base64 into out[cap]; *n is the number of bytes.
 * Returns ADY_E_FIELD_INVALID or ADY_E_TOO_LARGE. */
enum ady_err ady_base64_decode(uint8_t *out, size_t cap, size_t *n, struct ady_bytes text);

/* Append the base64url (RFC 4648 section 5) of v without padding. */
void ady_base64url_put(struct ady_buf *b, struct ady_bytes v);

/* Append what strict base64url without padding stands for.
 * Returns ADY_E_FIELD_INVALID or ADY_E_TOO_LARGE (b is not full then). */
enum ady_err ady_base64url_take(struct ady_buf *b, struct ady_bytes text);

#endif
