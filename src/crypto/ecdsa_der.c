/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ecdsa_der.h"

/* A DER INTEGER of a non-negative number: no leading zeros but one before a set top bit. */
static void put_integer(struct ady_buf *b, const uint8_t *p, size_t n)
{
	for (; n > 1 && *p == 0; n--)
		p++;
	ady_buf_u8(b, 0x02);
	ady_buf_u8(b, (uint8_t)(n + (*p >> 7)));
	if (*p >> 7)
		ady_buf_u8(b, 0);
	ady_buf_put(b, p, n);
}

void ady_ecdsa_der_put(struct ady_buf *b, const uint8_t *raw, size_t number)
{
	ady_buf_u8(b, 0x30);
	ady_buf_u8(b, 0);
	put_integer(b, raw, number);
	put_integer(b, raw + number, number);
	b->p[1] = (uint8_t)(b->n - 2);
}
