/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/rlp.h"

/* First bytes of a head (yellow paper, appendix B); + 55 is the last that holds the length itself,
 * what follows gives the number of bytes of the length. */
enum { STRING = 0x80, LIST = 0xc0, SHORT_MAX = 55 };

static unsigned length_bytes(size_t n)
{
	unsigned bytes = 0;

	for (; n > 0; n >>= 8)
		bytes++;
	return bytes;
}

static size_t head_size(size_t n)
{
	return n <= SHORT_MAX ? 1 : 1 + length_bytes(n);
}

static bool is_its_own_encoding(struct ady_bytes v)
{
	return v.n == 1 && v.p[0] < STRING;
}

size_t ady_rlp_size_string(struct ady_bytes v)
{
	return is_its_own_encoding(v) ? 1 : head_size(v.n) + v.n;
}

size_t ady_rlp_size_list(size_t n)
{
	return head_size(n) + n;
}

static void put_head(struct ady_buf *b, unsigned first, size_t n)
{
	unsigned bytes = length_bytes(n);

	if (n <= SHORT_MAX) {
		ady_buf_u8(b, (uint8_t)(first + n));
		return;
	}
	ady_buf_u8(b, (uint8_t)(first + SHORT_MAX + bytes));
	while (bytes-- > 0)
		ady_buf_u8(b, (uint8_t)(n >> (8 * bytes)));
}

void ady_rlp_put_string(struct ady_buf *b, struct ady_bytes v)
{
	if (!is_its_own_encoding(v))
		put_head(b, STRING, v.n);
	ady_buf_view(b, v);
}

void ady_rlp_put_list(struct ady_buf *b, size_t n)
{
	put_head(b, LIST, n);
}

/* Take a length of some bytes off *in. The first is not zero and the value needs a long head. */
static bool take_length(struct ady_bytes *in, unsigned bytes, uint64_t *n)
{
	*n = 0;
	if (bytes > in->n || in->p[0] == 0)
		return false;
	for (unsigned i = 0; i < bytes; i++)
		*n = *n << 8 | in->p[i];
	*in = ady_bytes(in->p + bytes, in->n - bytes);
	return *n > SHORT_MAX;
}

enum ady_err ady_rlp_next(struct ady_rlp_item *item, struct ady_bytes *in)
{
	struct ady_bytes rest = *in;
	unsigned first, code;
	uint64_t n;

	*item = (struct ady_rlp_item){0};
	if (rest.n == 0)
		return ADY_E_RLP;
	first = rest.p[0];
	if (first < STRING) {
		item->payload = ady_bytes(rest.p, 1);
		*in = ady_bytes(rest.p + 1, rest.n - 1);
		return ADY_OK;
	}
	rest = ady_bytes(rest.p + 1, rest.n - 1);
	code = first - (first < LIST ? STRING : LIST);
	n = code;
	if (code > SHORT_MAX && !take_length(&rest, code - SHORT_MAX, &n))
		return ADY_E_RLP;
	if (n > rest.n || (first < LIST && is_its_own_encoding(ady_bytes(rest.p, (size_t)n))))
		return ADY_E_RLP;
	item->list = first >= LIST;
	item->payload = ady_bytes(rest.p, (size_t)n);
	*in = ady_bytes(rest.p + n, rest.n - (size_t)n);
	return ADY_OK;
}

/* open[d] is what is still to read of the list d deep. */
enum ady_err ady_rlp_check(struct ady_bytes b)
{
	struct ady_bytes open[ADY_RLP_DEPTH + 1] = {b};
	struct ady_rlp_item item;
	unsigned depth = 0;
	enum ady_err err = ady_rlp_next(&item, &open[0]);

	if (err == ADY_OK && open[0].n > 0)
		return ADY_E_RLP;
	while (err == ADY_OK) {
		if (item.list && depth == ADY_RLP_DEPTH)
			return ADY_E_RLP;
		if (item.list)
			open[++depth] = item.payload;
		while (depth > 0 && open[depth].n == 0)
			depth--;
		if (depth == 0)
			return ADY_OK;
		err = ady_rlp_next(&item, &open[depth]);
	}
	return err;
}
