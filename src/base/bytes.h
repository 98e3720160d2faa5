/* SPDX-License-Identifier: Apache-2.0
 *
 * Views of untrusted bytes, and writers into storage of the caller. A view owns nothing; a writer
 * never writes past its storage: it becomes full and stays so, and is asked once at the end.
 * ady_dyn is the growing writer of programs on the parent; nothing in the enclave uses it. */
#ifndef ADY_BASE_BYTES_H
#define ADY_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct ady_bytes {
	const uint8_t *p;
	size_t n;
};

struct ady_buf {
	uint8_t *p;
	size_t cap, n;
	bool full;
};

struct ady_dyn {
	uint8_t *p;
	size_t cap, n;
};

/* A view of n bytes at p. p may be NULL when n is 0. */
static inline struct ady_bytes ady_bytes(const void *p, size_t n)
{
	return (struct ady_bytes){.p = (const uint8_t *)p, .n = n};
}

/* A view of a NUL-terminated text, without the NUL. */
struct ady_bytes ady_bytes_str(const char *s);

/* Part [at, at + n) of b; empty when it does not lie within b. */
struct ady_bytes ady_bytes_sub(struct ady_bytes b, size_t at, size_t n);

/* Take what stands before the next byte at off the front of *text, and that byte. What is left has
 * a NULL p when there was no such byte; then all of it is returned. *text's p may be NULL. */
struct ady_bytes ady_bytes_cut(struct ady_bytes *text, uint8_t at);

/* Whether a and b are the same bytes. Time: variable; for public data only. */
bool ady_bytes_eq(struct ady_bytes a, struct ady_bytes b);

/* Whether b is exactly the text s. Time: variable. */
bool ady_bytes_is(struct ady_bytes b, const char *s);

/* Copy b as a NUL-terminated text to out[cap]. False (out is "") when it does not fit or holds a
 * NUL byte. */
bool ady_bytes_to_str(char *out, size_t cap, struct ady_bytes b);

/* Big-endian reads; the caller has checked that the bytes are there. */
static inline uint16_t ady_be16(const uint8_t *p)
{
	return (uint16_t)((uint16_t)p[0] << 8 | p[1]);
}

/* See ady_be16. */
static inline uint32_t ady_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* See ady_be16. */
static inline uint64_t ady_be64(const uint8_t *p)
{
	return (uint64_t)ady_be32(p) << 32 | ady_be32(p + 4);
}

/* A writer over p[cap], empty. */
static inline struct ady_buf ady_buf(void *p, size_t cap)
{
	return (struct ady_buf){.p = (uint8_t *)p, .cap = cap};
}

/* Append n bytes; when they do not fit, nothing is written and b becomes full. */
void ady_buf_put(struct ady_buf *b, const void *p, size_t n);

/* Append one byte. */
void ady_buf_u8(struct ady_buf *b, uint8_t v);

/* Append v big-endian. */
void ady_buf_be16(struct ady_buf *b, uint16_t v);

/* Append v big-endian. */
void ady_buf_be32(struct ady_buf *b, uint32_t v);

/* Append v big-endian. */
void ady_buf_be64(struct ady_buf *b, uint64_t v);

/* Append a view. */
void ady_buf_view(struct ady_buf *b, struct ady_bytes v);

/* Append a text without its NUL. */
void ady_buf_str(struct ady_buf *b, const char *s);

/* Append formatted text without a NUL. */
void ady_buf_printf(struct ady_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What was written so far. */
static inline struct ady_bytes ady_buf_bytes(const struct ady_buf *b)
{
	return ady_bytes(b->p, b->n);
}

/* Append n bytes; the storage grows. Out of memory ends the program (parent programs only). */
void ady_dyn_put(struct ady_dyn *d, const void *p, size_t n);

/* Append a text. See ady_dyn_put. */
void ady_dyn_str(struct ady_dyn *d, const char *s);

/* Append formatted text. See ady_dyn_put. */
void ady_dyn_printf(struct ady_dyn *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Make room for n more bytes behind d->n and return where they go. See ady_dyn_put. */
uint8_t *ady_dyn_room(struct ady_dyn *d, size_t n);

/* The content as a NUL-terminated text, valid until the next change. */
const char *ady_dyn_cstr(struct ady_dyn *d);

/* Drop the first n bytes (n <= d->n). */
void ady_dyn_drop(struct ady_dyn *d, size_t n);

/* Free the storage; d is empty and may be used again. */
void ady_dyn_free(struct ady_dyn *d);

/* What was written so far, valid until the next change. */
static inline struct ady_bytes ady_dyn_bytes(const struct ady_dyn *d)
{
	return ady_bytes(d->p, d->n);
}

#endif
