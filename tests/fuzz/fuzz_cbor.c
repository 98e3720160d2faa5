/* SPDX-License-Identifier: Apache-2.0
 *
 * The CBOR reader: an input is skipped as one item, and read item by item and written again. Both
 * must agree on what is well formed, and what was written must be the input: one encoding an item.
 */
#include <stdlib.h>

#include "codec/cbor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
	if (!holds)
		abort();
}

/* Write a head with another major type. */
static void put_as(struct ady_buf *b, unsigned major, uint64_t arg)
{
	size_t at = b->n;

	ady_cbor_put_uint(b, arg);
	if (!b->full)
		b->p[at] |= (uint8_t)(major << 5);
}

/* Negative integers below those of int64_t are skipped, not read. */
static void copy_negative(struct ady_cbor *c, struct ady_buf *b)
{
	struct ady_cbor before = *c;
	int64_t v = ady_cbor_int(c);

	if (c->err == ADY_OK) {
		ady_cbor_put_int(b, v);
		return;
	}
	*c = before;
	ady_cbor_skip(c);
	ady_buf_put(b, before.p, (size_t)(c->p - before.p));
}

/* Copy one item or the head of one; returns how many items it holds. */
static size_t copy_one(struct ady_cbor *c, struct ady_buf *b)
{
	size_t n = 0;

	switch (ady_cbor_peek(c)) {
	case ADY_CBOR_UINT:
		ady_cbor_put_uint(b, ady_cbor_uint(c));
		break;
	case ADY_CBOR_NINT:
		copy_negative(c, b);
		break;
	case ADY_CBOR_BYTES:
		ady_cbor_put_bytes(b, ady_cbor_bytes(c));
		break;
	case ADY_CBOR_TEXT:
		ady_cbor_put_text(b, ady_cbor_text(c));
		break;
	case ADY_CBOR_ARRAY:
		n = ady_cbor_array(c);
		ady_cbor_put_array(b, n);
		break;
	case ADY_CBOR_MAP:
		n = ady_cbor_map(c);
		ady_cbor_put_map(b, n);
		n *= 2;
		break;
	case ADY_CBOR_TAG:
		put_as(b, 6, ady_cbor_tag(c));
		n = 1;
		break;
	case ADY_CBOR_FALSE:
	case ADY_CBOR_TRUE:
		ady_cbor_put_bool(b, ady_cbor_bool(c));
		break;
	case ADY_CBOR_NULL:
		demand(ady_cbor_null(c));
		ady_cbor_put_null(b);
		break;
	case ADY_CBOR_NONE:
		ady_cbor_fail(c);
		break;
	}
	return n;
}

static void copy_item(struct ady_cbor *c, struct ady_buf *b, unsigned depth)
{
	size_t n = copy_one(c, b);

	if (n > 0 && depth == ADY_CBOR_DEPTH)
		ady_cbor_fail(c);
	for (size_t i = 0; i < n && c->err == ADY_OK; i++)
		copy_item(c, b, depth + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t space[1 << 20];
	struct ady_cbor skipped = ady_cbor(ady_bytes(data, size)), read = skipped;
	struct ady_buf b = ady_buf(space, sizeof space);

	if (size > sizeof space)
		return 0;
	ady_cbor_skip(&skipped);
	copy_item(&read, &b, 0);
	demand(skipped.err == read.err);
	if (read.err != ADY_OK) {
		demand(ady_cbor_end(&read) == ADY_E_CBOR);
		return 0;
	}
	demand(skipped.p == read.p && read.p <= data + size);
	demand(ady_bytes_eq(ady_buf_bytes(&b), ady_bytes(data, b.n)));
	demand((ady_cbor_end(&read) == ADY_OK) == (b.n == size));
	return 0;
}
