/* SPDX-License-Identifier: Apache-2.0
 *
 * What the readers and writers of bodies share. Used by codec/wire*.c, audit_entry.c and proof.c.
 */
#ifndef ADY_CODEC_WIRE_BODY_H
#define ADY_CODEC_WIRE_BODY_H

#include <string.h>

#include "codec/cbor.h"

/* A body is a map with the keys 0 to n - 1. The readers below ask for each key in turn, which
 * refuses missing, unknown, repeated and unsorted ones by one comparison. */
static inline struct ady_cbor open_body(struct ady_bytes body, size_t n)
{
	struct ady_cbor c = ady_cbor(body);

	if (ady_cbor_map(&c) != n)
		ady_cbor_fail(&c);
	return c;
}

/* The next key must be this one. */
static inline void take_key(struct ady_cbor *c, uint64_t key)
{
	if (ady_cbor_uint(c) != key)
		ady_cbor_fail(c);
}

/* The value of the next key: a number of at most max. */
static inline uint64_t take_uint(struct ady_cbor *c, uint64_t key, uint64_t max)
{
	uint64_t v;

	take_key(c, key);
	v = ady_cbor_uint(c);
	if (v > max)
		ady_cbor_fail(c);
	return v;
}

/* The value of the next key: min to max bytes. */
static inline struct ady_bytes take_bytes(struct ady_cbor *c, uint64_t key, size_t min, size_t max)
{
	struct ady_bytes b;

	take_key(c, key);
	b = ady_cbor_bytes(c);
	if (b.n < min || b.n > max)
		ady_cbor_fail(c);
	return b;
}

/* The value of the next key: a text of min to max bytes without control characters. */
static inline struct ady_bytes take_text(struct ady_cbor *c, uint64_t key, size_t min, size_t max)
{
	struct ady_bytes b;

	take_key(c, key);
	b = ady_cbor_text(c);
	if (b.n < min || b.n > max)
		ady_cbor_fail(c);
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] < 0x20 || b.p[i] == 0x7f)
			ady_cbor_fail(c);
	return b;
}

/* Credentials go into header fields of a request that the enclave signs: a space or a line's end in
 * one would let the parent write fields of its own. */
static inline struct ady_bytes take_visible(struct ady_cbor *c, uint64_t key, size_t min,
                                            size_t max)
{
	struct ady_bytes b = take_text(c, key, min, max);

	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] <= 0x20 || b.p[i] > 0x7e)
			ady_cbor_fail(c);
	return b;
}

/* End a body; what was read of a bad one is cleared. */
static inline enum ady_err close_body(const struct ady_cbor *c, void *m, size_t n)
{
	if (ady_cbor_end(c) == ADY_OK)
		return ADY_OK;
	memset(m, 0, n);
	return ADY_E_PROTOCOL;
}

/* Append a key and its value. */
static inline void put_uint(struct ady_buf *b, uint64_t key, uint64_t v)
{
	ady_cbor_put_uint(b, key);
	ady_cbor_put_uint(b, v);
}

/* See put_uint. */
static inline void put_bytes(struct ady_buf *b, uint64_t key, struct ady_bytes v)
{
	ady_cbor_put_uint(b, key);
	ady_cbor_put_bytes(b, v);
}

/* See put_uint. */
static inline void put_text(struct ady_buf *b, uint64_t key, struct ady_bytes v)
{
	ady_cbor_put_uint(b, key);
	ady_cbor_put_text(b, v);
}

#endif
