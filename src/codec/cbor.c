/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/cbor.h"

#include "codec/utf8.h"

#include <string.h>

/* Major types (RFC 8949 section 3.1) and the simple values of the subset (section 3.3). */
enum major { UINT, NINT, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE };
enum simple { FALSE_ = 20, TRUE_ = 21, NULL_ = 22 };

struct head {
	unsigned major;
	uint64_t arg;
};

struct ady_cbor ady_cbor(struct ady_bytes b)
{
	return (struct ady_cbor){.p = b.p, .end = b.n ? b.p + b.n : b.p, .err = ADY_OK};
}

static size_t left(const struct ady_cbor *c)
{
	return (size_t)(c->end - c->p);
}

void ady_cbor_fail(struct ady_cbor *c)
{
	c->err = ADY_E_CBOR;
}

/* The argument of a head in n bytes behind it, which must need all n (RFC 8949 section 4.2.1). */
static bool read_arg(const uint8_t *p, size_t n, uint64_t *arg)
{
	static const uint64_t least[] = {[1] = 24, [2] = 1 << 8, [4] = 1 << 16, [8] = 1ull << 32};

	*arg = 0;
	for (size_t i = 0; i < n; i++)
		*arg = *arg << 8 | p[i];
	return *arg >= least[n];
}

/* Take the head of the next item. Information values 28 to 31 are reserved or mean an indefinite
 * length; of major type 7 only false, true and null are in the subset, which leaves out all heads
 * that are longer than a byte there. */
static bool take_head(struct ady_cbor *c, struct head *h)
{
	unsigned info;
	size_t n;

	*h = (struct head){0};
	if (c->err != ADY_OK || left(c) == 0)
		return false;
	h->major = *c->p >> 5;
	info = *c->p & 31;
	h->arg = info;
	if (h->major == SIMPLE && (info < FALSE_ || info > NULL_))
		return false;
	n = info < 24 ? 0 : (size_t)1 << (info - 24);
	if (info > 27 || n > left(c) - 1 || (n > 0 && !read_arg(c->p + 1, n, &h->arg)))
		return false;
	c->p += 1 + n;
	return true;
}

/* Take the head of an item of one major type and give its argument, or fail and give 0. */
static uint64_t take(struct ady_cbor *c, enum major major)
{
	struct head h;

	if (take_head(c, &h) && h.major == major)
		return h.arg;
	ady_cbor_fail(c);
	return 0;
}

enum ady_cbor_kind ady_cbor_peek(const struct ady_cbor *c)
{
	static const enum ady_cbor_kind kinds[] = {
	    ADY_CBOR_UINT,  ADY_CBOR_NINT, ADY_CBOR_BYTES, ADY_CBOR_TEXT,
	    ADY_CBOR_ARRAY, ADY_CBOR_MAP,  ADY_CBOR_TAG,
	};
	struct ady_cbor copy = *c;
	struct head h;

	if (!take_head(&copy, &h))
		return ADY_CBOR_NONE;
	if (h.major != SIMPLE)
		return kinds[h.major];
	return h.arg == NULL_ ? ADY_CBOR_NULL : h.arg == TRUE_ ? ADY_CBOR_TRUE : ADY_CBOR_FALSE;
}

uint64_t ady_cbor_uint(struct ady_cbor *c)
{
	return take(c, UINT);
}

int64_t ady_cbor_int(struct ady_cbor *c)
{
	struct head h;

	if (take_head(c, &h) && h.arg <= INT64_MAX && (h.major == UINT || h.major == NINT))
		return h.major == UINT ? (int64_t)h.arg : -1 - (int64_t)h.arg;
	ady_cbor_fail(c);
	return 0;
}

/* The content of a string whose head was read. The length is compared before it is used. */
static struct ady_bytes content(struct ady_cbor *c, uint64_t n)
{
	struct ady_bytes b;

	if (c->err != ADY_OK || n > left(c)) {
		ady_cbor_fail(c);
		return (struct ady_bytes){0};
	}
	b = ady_bytes(c->p, (size_t)n);
	c->p += n;
	return b;
}

struct ady_bytes ady_cbor_bytes(struct ady_cbor *c)
{
	return content(c, take(c, BYTES));
}

struct ady_bytes ady_cbor_text(struct ady_cbor *c)
{
	struct ady_bytes text = content(c, take(c, TEXT));

	if (ady_utf8_valid(text))
		return text;
	ady_cbor_fail(c);
	return (struct ady_bytes){0};
}

bool ady_cbor_bool(struct ady_cbor *c)
{
	uint64_t v = take(c, SIMPLE);

	if (v == NULL_)
		ady_cbor_fail(c);
	return v == TRUE_;
}

bool ady_cbor_null(struct ady_cbor *c)
{
	if (ady_cbor_peek(c) != ADY_CBOR_NULL)
		return false;
	c->p++;
	return true;
}

/* A count of items that take at least size bytes each: more than can follow is refused here, so
 * that no caller loops or reserves by a number that only a liar can send. */
static size_t take_count(struct ady_cbor *c, enum major major, size_t size)
{
	uint64_t n = take(c, major);

	if (n <= left(c) / size)
		return (size_t)n;
	ady_cbor_fail(c);
	return 0;
}

size_t ady_cbor_array(struct ady_cbor *c)
{
	return take_count(c, ARRAY, 1);
}

size_t ady_cbor_map(struct ady_cbor *c)
{
	return take_count(c, MAP, 2);
}

uint64_t ady_cbor_tag(struct ady_cbor *c)
{
	return take(c, TAG);
}

uint64_t ady_cbor_key_uint(struct ady_cbor *c, int64_t *last)
{
	uint64_t key = take(c, UINT);

	if (c->err != ADY_OK || key > INT64_MAX || (int64_t)key <= *last) {
		ady_cbor_fail(c);
		return 0;
	}
	*last = (int64_t)key;
	return key;
}

/* Read one item that holds no other, or the head of one that does; returns how many items then
 * follow as its content. */
static size_t skip_one(struct ady_cbor *c)
{
	switch (ady_cbor_peek(c)) {
	case ADY_CBOR_BYTES:
		(void)ady_cbor_bytes(c);
		return 0;
	case ADY_CBOR_TEXT:
		(void)ady_cbor_text(c);
		return 0;
	case ADY_CBOR_ARRAY:
		return ady_cbor_array(c);
	case ADY_CBOR_MAP:
		return 2 * ady_cbor_map(c);
	case ADY_CBOR_TAG:
		(void)ady_cbor_tag(c);
		return 1;
	case ADY_CBOR_UINT:
	case ADY_CBOR_NINT:
	case ADY_CBOR_FALSE:
	case ADY_CBOR_TRUE:
	case ADY_CBOR_NULL:
		(void)take_head(c, &(struct head){0});
		return 0;
	case ADY_CBOR_NONE:
		break;
	}
	ady_cbor_fail(c);
	return 0;
}

/* Level 0 counts the item itself, level i what is still to come i containers deep. */
void ady_cbor_skip(struct ady_cbor *c)
{
	size_t todo[ADY_CBOR_DEPTH + 1] = {1}, deep = 0, items;

	while (c->err == ADY_OK) {
		while (deep > 0 && todo[deep] == 0)
			deep--;
		if (todo[deep] == 0)
			return;
		todo[deep]--;
		items = skip_one(c);
		if (items > 0 && deep == ADY_CBOR_DEPTH)
			ady_cbor_fail(c);
		else if (items > 0)
			todo[++deep] = items;
	}
}

enum ady_err ady_cbor_end(const struct ady_cbor *c)
{
	return c->err == ADY_OK && left(c) == 0 ? ADY_OK : ADY_E_CBOR;
}

/* The shortest head for an argument (RFC 8949 section 4.2.1). */
static void put_head(struct ady_buf *b, enum major major, uint64_t arg)
{
	unsigned size = arg < 24 ? 0 : arg <= UINT8_MAX ? 1 : arg <= UINT16_MAX ? 2 : 4;
	unsigned info = arg < 24 ? (unsigned)arg : size == 1 ? 24 : size == 2 ? 25 : 26;
	uint8_t out[9];

	if (arg > UINT32_MAX) {
		size = 8;
		info = 27;
	}
	out[0] = (uint8_t)((unsigned)major << 5 | info);
	for (unsigned i = 0; i < size; i++)
		out[1 + i] = (uint8_t)(arg >> (8 * (size - 1 - i)));
	ady_buf_put(b, out, 1 + size);
}

void ady_cbor_put_uint(struct ady_buf *b, uint64_t v)
{
	put_head(b, UINT, v);
}

void ady_cbor_put_int(struct ady_buf *b, int64_t v)
{
	if (v < 0)
		put_head(b, NINT, (uint64_t)(-1 - v));
	else
		put_head(b, UINT, (uint64_t)v);
}

void ady_cbor_put_bytes_head(struct ady_buf *b, size_t n)
{
	put_head(b, BYTES, n);
}

void ady_cbor_put_bytes(struct ady_buf *b, struct ady_bytes v)
{
	put_head(b, BYTES, v.n);
	ady_buf_view(b, v);
}

void ady_cbor_put_text(struct ady_buf *b, struct ady_bytes v)
{
	put_head(b, TEXT, v.n);
	ady_buf_view(b, v);
}

void ady_cbor_put_str(struct ady_buf *b, const char *s)
{
	ady_cbor_put_text(b, ady_bytes_str(s));
}

void ady_cbor_put_array(struct ady_buf *b, size_t n)
{
	put_head(b, ARRAY, n);
}

void ady_cbor_put_map(struct ady_buf *b, size_t n)
{
	put_head(b, MAP, n);
}

void ady_cbor_put_bool(struct ady_buf *b, bool v)
{
	put_head(b, SIMPLE, v ? TRUE_ : FALSE_);
}

void ady_cbor_put_null(struct ady_buf *b)
{
	put_head(b, SIMPLE, NULL_);
}
