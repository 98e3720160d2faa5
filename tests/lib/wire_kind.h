/* SPDX-License-Identifier: Apache-2.0
 *
 * What every body of the wire is held to, whatever its message: each test of them has its own
 * kinds.
 */
#ifndef ADY_TEST_WIRE_KIND_H
#define ADY_TEST_WIRE_KIND_H

#include "codec/cbor.h"
#include "codec/wire.h"
#include "test.h"

static uint8_t space[ADY_WIRE_BODY_MAX], filler[ADY_WIRE_BODY_MAX];

/* A kind of body with plausible values in all fields; read says what its reader thinks. */
struct kind {
	const char *name;
	void (*put)(struct ady_buf *b, const void *m);
	enum ady_err (*read)(struct ady_bytes body);
	const void *m; /* of size bytes */
	size_t size;
};

/* The body of kind k with its plausible values, in space. */
static inline struct ady_buf body_of(const struct kind *k)
{
	struct ady_buf b = ady_buf(space, sizeof space);

	k->put(&b, k->m);
	return b;
}

/* What a reader must say of a body. */
static inline void expect(const struct kind *k, struct ady_bytes body, enum ady_err want, int line)
{
	test_check_err(k->read(body), want, __FILE__, line, k->name);
}

/* Every truncation of the kinds' bodies, and any byte more, is refused. */
static inline void check_truncations(const struct kind *kinds, size_t count)
{
	for (size_t k = 0; k < count; k++) {
		struct ady_buf b = body_of(&kinds[k]);

		expect(&kinds[k], ady_buf_bytes(&b), ADY_OK, __LINE__);
		for (size_t n = 0; n < b.n; n++)
			expect(&kinds[k], ady_bytes(space, n), ADY_E_PROTOCOL, __LINE__);
		ady_buf_u8(&b, 0);
		expect(&kinds[k], ady_buf_bytes(&b), ADY_E_PROTOCOL, __LINE__);
	}
}

/* Where the pairs of a body are: pair i is [at[i], at[i + 1]). */
static inline size_t pairs_of(struct ady_bytes body, size_t at[static 32])
{
	struct ady_cbor c = ady_cbor(body);
	size_t n = ady_cbor_map(&c);

	for (size_t i = 0; i <= n; i++) {
		at[i] = (size_t)(c.p - body.p);
		if (i == n)
			break;
		ady_cbor_skip(&c);
		ady_cbor_skip(&c);
	}
	return n;
}

/* Each body again with one pair left out, repeated, swapped with the next, or one of an unknown key
 * behind them; its value replaced by one of every other type. */
static inline void mutate_pair(const struct kind *k, struct ady_bytes body, const size_t *at,
                               size_t n, size_t i)
{
	static const char *const values[] = {"00", "20", "40", "60",   "80",
	                                     "a0", "f4", "f6", "c000", "f90000"};
	static uint8_t out[4096];
	struct ady_buf b = ady_buf(out, sizeof out);

	ady_cbor_put_map(&b, n - 1);
	ady_buf_put(&b, body.p + at[0], at[i] - at[0]);
	ady_buf_put(&b, body.p + at[i + 1], at[n] - at[i + 1]);
	expect(k, ady_buf_bytes(&b), ADY_E_PROTOCOL, __LINE__);
	b.n = 0;
	ady_cbor_put_map(&b, n + 1);
	ady_buf_put(&b, body.p + at[0], at[i + 1] - at[0]);
	ady_buf_put(&b, body.p + at[i], at[n] - at[i]);
	expect(k, ady_buf_bytes(&b), ADY_E_PROTOCOL, __LINE__);
	if (i + 1 < n) {
		b.n = 0;
		ady_cbor_put_map(&b, n);
		ady_buf_put(&b, body.p + at[0], at[i] - at[0]);
		ady_buf_put(&b, body.p + at[i + 1], at[i + 2] - at[i + 1]);
		ady_buf_put(&b, body.p + at[i], at[i + 1] - at[i]);
		ady_buf_put(&b, body.p + at[i + 2], at[n] - at[i + 2]);
		expect(k, ady_buf_bytes(&b), ADY_E_PROTOCOL, __LINE__);
	}
	for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
		if (test_hex(values[v]).p[0] >> 5 == body.p[at[i] + 1] >> 5)
			continue;
		b.n = 0;
		ady_buf_put(&b, body.p, at[i] + 1);
		ady_buf_view(&b, test_hex(values[v]));
		ady_buf_put(&b, body.p + at[i + 1], at[n] - at[i + 1]);
		expect(k, ady_buf_bytes(&b), ADY_E_PROTOCOL, __LINE__);
	}
}

/* Missing, repeated, unsorted, unknown and mistyped fields are refused. */
static inline void check_fields(const struct kind *kinds, size_t count)
{
	for (size_t k = 0; k < count; k++) {
		struct ady_buf b = body_of(&kinds[k]);
		size_t at[32], n;

		n = pairs_of(ady_buf_bytes(&b), at);
		for (size_t i = 0; i < n; i++)
			mutate_pair(&kinds[k], ady_buf_bytes(&b), at, n, i);
		ady_cbor_put_uint(&b, n);
		ady_cbor_put_uint(&b, 0);
		space[0]++; /* one pair more, of the next key */
		expect(&kinds[k], ady_buf_bytes(&b), ADY_E_PROTOCOL, __LINE__);
		expect(&kinds[k], test_hex("80"), ADY_E_PROTOCOL, __LINE__);
		expect(&kinds[k], test_hex("bfff"), ADY_E_PROTOCOL, __LINE__);
		expect(&kinds[k], test_hex("b800"), ADY_E_PROTOCOL, __LINE__);
	}
}

/* Whether the reader takes the body of a kind with one field changed: a view of n bytes, or the
 * number n, as the size of the field says. */
static inline bool takes(const struct kind *k, size_t offset, size_t field, size_t n)
{
	const struct ady_bytes view = ady_bytes(filler, n);
	struct ady_buf b = ady_buf(space, sizeof space);
	_Alignas(max_align_t) uint8_t m[512];
	uint32_t n32 = (uint32_t)n;

	if (!CHECK(k->size <= sizeof m))
		return false;
	memcpy(m, k->m, k->size);
	memcpy(m + offset,
	       field == sizeof view ? (const void *)&view
	       : field == sizeof n  ? (const void *)&n
	                            : &n32,
	       field);
	k->put(&b, m);
	return !b.full && k->read(ady_buf_bytes(&b)) == ADY_OK;
}

/* One field of a kind, and its least and greatest size or value. */
struct bound {
	unsigned kind;
	size_t offset, field;
	size_t min, max;
};

#define FIELD(type, member) offsetof(type, member), sizeof(((type *)0)->member)

/* Each bound of the header: taken at both ends, refused one beyond. */
static inline void check_bounds(const struct kind *kinds, const struct bound *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct bound *r = &rows[i];
		const struct kind *k = &kinds[r->kind];
		bool ok = takes(k, r->offset, r->field, r->min) &&
		          takes(k, r->offset, r->field, r->max) &&
		          !takes(k, r->offset, r->field, r->max + 1) &&
		          (r->min == 0 || !takes(k, r->offset, r->field, r->min - 1));
		char what[32];

		snprintf(what, sizeof what, "%s, row %zu", k->name, i);
		test_check(ok, __FILE__, __LINE__, what);
	}
}

/* A body that does not fit leaves its buffer full. */
static inline void check_full(const struct kind *kinds, size_t count)
{
	for (size_t k = 0; k < count; k++) {
		struct ady_buf whole = body_of(&kinds[k]);

		for (size_t n = 0; n < whole.n; n++) {
			struct ady_buf b = ady_buf(space, n);

			kinds[k].put(&b, kinds[k].m);
			test_check(b.full, __FILE__, __LINE__, kinds[k].name);
		}
	}
}

#endif
