/* SPDX-License-Identifier: Apache-2.0
 *
 * The RLP reader: what is accepted is written again, and must be the same bytes: canonical means
 * that there is one encoding. What the check refuses must fail here too. */
#include <stdlib.h>

#include "codec/rlp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
	if (!holds)
		abort();
}

/* Copy all items of in; false when one is not canonical or too deep. */
static bool copy(struct ady_bytes in, struct ady_buf *b, unsigned depth)
{
	struct ady_rlp_item item;

	while (in.n > 0) {
		size_t left = in.n, start = b->n;

		if (ady_rlp_next(&item, &in) != ADY_OK || (item.list && depth == ADY_RLP_DEPTH))
			return false;
		demand(in.n < left);
		if (!item.list) {
			ady_rlp_put_string(b, item.payload);
			demand(b->full || b->n - start == ady_rlp_size_string(item.payload));
			continue;
		}
		ady_rlp_put_list(b, item.payload.n);
		if (!copy(item.payload, b, depth + 1))
			return false;
		demand(b->full || b->n - start == ady_rlp_size_list(item.payload.n));
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t space[1 << 20];
	struct ady_bytes in = ady_bytes(data, size), rest = in;
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_rlp_item item;
	bool one, canonical;

	if (size > sizeof space)
		return 0;
	one = ady_rlp_next(&item, &rest) == ADY_OK && rest.n == 0;
	canonical = copy(in, &b, 0);
	demand((ady_rlp_check(in) == ADY_OK) == (one && canonical));
	demand(!canonical || ady_bytes_eq(ady_buf_bytes(&b), in));
	return 0;
}
