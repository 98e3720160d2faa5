/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ady_bytes ady_bytes_str(const char *s)
{
	return ady_bytes(s, strlen(s));
}

struct ady_bytes ady_bytes_sub(struct ady_bytes b, size_t at, size_t n)
{
	if (n == 0 || at > b.n || n > b.n - at)
		return (struct ady_bytes){0};
	return ady_bytes(b.p + at, n);
}

struct ady_bytes ady_bytes_cut(struct ady_bytes *text, uint8_t at)
{
	const uint8_t *end = text->p ? memchr(text->p, at, text->n) : NULL;
	struct ady_bytes one = *text;

	if (end)
		one.n = (size_t)(end - text->p);
	*text = end ? ady_bytes(end + 1, text->n - one.n - 1) : (struct ady_bytes){0};
	return one;
}

bool ady_bytes_eq(struct ady_bytes a, struct ady_bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool ady_bytes_is(struct ady_bytes b, const char *s)
{
	return ady_bytes_eq(b, ady_bytes_str(s));
}

bool ady_bytes_to_str(char *out, size_t cap, struct ady_bytes b)
{
	if (cap == 0)
		return false;
	out[0] = '\0';
	if (b.n >= cap || (b.n > 0 && memchr(b.p, 0, b.n)))
		return false;
	if (b.n > 0)
		memcpy(out, b.p, b.n);
	out[b.n] = '\0';
	return true;
}

void ady_buf_put(struct ady_buf *b, const void *p, size_t n)
{
	if (b->full || n > b->cap - b->n) {
		b->full = true;
		return;
	}
	if (n > 0)
		memcpy(b->p + b->n, p, n);
	b->n += n;
}

void ady_buf_u8(struct ady_buf *b, uint8_t v)
{
	ady_buf_put(b, &v, 1);
}

void ady_buf_be16(struct ady_buf *b, uint16_t v)
{
	const uint8_t be[2] = {(uint8_t)(v >> 8), (uint8_t)v};

	ady_buf_put(b, be, sizeof be);
}

void ady_buf_be32(struct ady_buf *b, uint32_t v)
{
	const uint8_t be[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8),
	                       (uint8_t)v};

	ady_buf_put(b, be, sizeof be);
}

void ady_buf_be64(struct ady_buf *b, uint64_t v)
{
	uint8_t be[8];

	for (int i = 0; i < 8; i++)
		be[i] = (uint8_t)(v >> (56 - 8 * i));
	ady_buf_put(b, be, sizeof be);
}

void ady_buf_view(struct ady_buf *b, struct ady_bytes v)
{
	ady_buf_put(b, v.p, v.n);
}

void ady_buf_str(struct ady_buf *b, const char *s)
{
	ady_buf_put(b, s, strlen(s));
}

/* vsnprintf needs room for its NUL: one byte of the storage stays unused for text. */
void ady_buf_printf(struct ady_buf *b, const char *fmt, ...)
{
	size_t room = b->full ? 0 : b->cap - b->n;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(room ? (char *)b->p + b->n : NULL, room, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= room)
		b->full = true;
	else
		b->n += (size_t)n;
}

uint8_t *ady_dyn_room(struct ady_dyn *d, size_t n)
{
	size_t need = d->n + n + 1, cap = d->cap ? d->cap : 64;

	if (need <= d->cap)
		return d->p + d->n;
	while (cap < need)
		cap *= 2;
	d->p = realloc(d->p, cap);
	if (!d->p)
		ADY_BUG("out of memory");
	d->cap = cap;
	return d->p + d->n;
}

void ady_dyn_put(struct ady_dyn *d, const void *p, size_t n)
{
	uint8_t *to = ady_dyn_room(d, n);

	if (n > 0)
		memcpy(to, p, n);
	d->n += n;
}

void ady_dyn_str(struct ady_dyn *d, const char *s)
{
	ady_dyn_put(d, s, strlen(s));
}

void ady_dyn_printf(struct ady_dyn *d, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n > 0) {
		vsnprintf((char *)ady_dyn_room(d, (size_t)n), (size_t)n + 1, fmt, again);
		d->n += (size_t)n;
	}
	va_end(again);
}

const char *ady_dyn_cstr(struct ady_dyn *d)
{
	*ady_dyn_room(d, 0) = 0;
	return (const char *)d->p;
}

void ady_dyn_drop(struct ady_dyn *d, size_t n)
{
	if (n > 0 && n < d->n)
		memmove(d->p, d->p + n, d->n - n);
	d->n -= n;
}

void ady_dyn_free(struct ady_dyn *d)
{
	free(d->p);
	*d = (struct ady_dyn){0};
}
