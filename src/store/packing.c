/* SPDX-License-Identifier: Apache-2.0 */
#include "store/packing.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "crypto/rng.h"

/* Bytes that stand in a shape for what differs. No record has them: JSON has no such characters. */
enum { ID = 1, PUBLIC_KEY, CIPHERTEXT, CREATED, MARKS };
enum { SLOTS = 2 * ADY_PACKED_SHAPES_MAX };

struct shape {
	char tenant[ADY_TENANT_MAX + 1], curve[16];
	size_t public_key_n, n;
	uint8_t text[];
};

struct ady_packing {
	uint8_t key[crypto_shorthash_KEYBYTES];
	size_t n;
	uint16_t slots[SLOTS]; /* number of a shape + 1, by hash */
	struct shape *shapes[ADY_PACKED_SHAPES_MAX];
};

/* What a record has in the places of the marks. */
struct parts {
	bool found[MARKS];
	uint8_t ciphertext[255];
	size_t ciphertext_n;
	uint32_t created;
};

enum ady_err ady_packing_open(struct ady_packing **packing)
{
	struct ady_packing *p = calloc(1, sizeof *p);

	*packing = p;
	if (!p)
		return ADY_E_MEMORY;
	ady_random(p->key, sizeof p->key);
	return ADY_OK;
}

void ady_packing_close(struct ady_packing *p)
{
	for (size_t i = 0; p && i < p->n; i++)
		free(p->shapes[i]);
	free(p);
}

/* --- a text apart --- */

static const char *const heads[MARKS] = {
    [ID] = "\"id\":\"",
    [PUBLIC_KEY] = "\"public_key\":\"0x",
    [CIPHERTEXT] = "\"ciphertext\":\"",
    [CREATED] = "\"created\":",
};

static bool take_created(struct parts *parts, struct ady_bytes value)
{
	char digits[11];

	if (value.n == 0 || value.n >= sizeof digits)
		return false;
	(void)ady_bytes_to_str(digits, sizeof digits, value);
	parts->created = (uint32_t)strtoul(digits, NULL, 10);
	return true;
}

/* Whether the value can be left out, for it is known or is kept in parts. That it comes back as it
 * was is looked at in the end. */
static bool take_part(struct parts *parts, int mark, struct ady_bytes value,
                      const struct ady_entry *e)
{
	switch (mark) {
	case ID:
		return ady_bytes_is(value, e->id);
	case PUBLIC_KEY:
		return value.n > 0 && value.n == 2 * e->public_key_n;
	case CIPHERTEXT:
		return ady_base64_decode(parts->ciphertext, sizeof parts->ciphertext,
		                         &parts->ciphertext_n, value) == ADY_OK;
	default:
		return take_created(parts, value);
	}
}

/* The value that begins at text: up to the quote behind it, or as far as its digits go. */
static struct ady_bytes value_at(struct ady_bytes text, int mark)
{
	size_t n = 0;

	if (mark == CREATED)
		while (n < text.n && text.p[n] >= '0' && text.p[n] <= '9')
			n++;
	else
		while (n < text.n && text.p[n] != '"')
			n++;
	return ady_bytes(text.p, n);
}

/* The mark whose head stands at text; 0: none that was not found before. */
static int mark_at(const struct parts *parts, struct ady_bytes text)
{
	for (int m = ID; m < MARKS; m++)
		if (!parts->found[m] && text.n > strlen(heads[m]) &&
		    memcmp(text.p, heads[m], strlen(heads[m])) == 0)
			return m;
	return 0;
}

/* Write the text's shape and gather its parts. */
static bool take_apart(struct ady_buf *shape, struct parts *parts, const struct ady_entry *e)
{
	struct ady_bytes left = ady_dyn_bytes(&e->text);

	while (left.n > 0) {
		int m = left.p[0] == '"' ? mark_at(parts, left) : 0;
		size_t n = m ? strlen(heads[m]) : 1;
		struct ady_bytes value = {0};

		if (left.p[0] < MARKS)
			return false;
		ady_buf_put(shape, left.p, n);
		left = ady_bytes(left.p + n, left.n - n);
		if (m)
			value = value_at(left, m);
		if (m && take_part(parts, m, value, e)) {
			parts->found[m] = true;
			ady_buf_u8(shape, (uint8_t)m);
			left = ady_bytes(left.p + value.n, left.n - value.n);
		}
	}
	return parts->found[CIPHERTEXT] && !shape->full; /* else no two would have one shape */
}

/* --- shapes --- */

static bool is_shape(const struct shape *s, const struct ady_entry *e, struct ady_bytes text)
{
	return ady_bytes_eq(ady_bytes(s->text, s->n), text) && s->public_key_n == e->public_key_n &&
	       strcmp(s->tenant, e->tenant) == 0 && strcmp(s->curve, e->curve) == 0;
}

static struct shape *new_shape(const struct ady_entry *e, struct ady_bytes text)
{
	struct shape *s = malloc(sizeof *s + text.n);

	if (!s)
		ADY_BUG("out of memory");
	snprintf(s->tenant, sizeof s->tenant, "%s", e->tenant);
	snprintf(s->curve, sizeof s->curve, "%s", e->curve);
	s->public_key_n = e->public_key_n;
	s->n = text.n;
	memcpy(s->text, text.p, text.n);
	return s;
}

/* The number of the entry's shape, which is made when it is new; SHAPES_MAX: there is no room. */
static size_t shape_of(struct ady_packing *p, const struct ady_entry *e, struct ady_bytes text)
{
	uint64_t hash;
	size_t at;

	crypto_shorthash((unsigned char *)&hash, text.p, text.n, p->key);
	for (at = hash % SLOTS; p->slots[at]; at = (at + 1) % SLOTS)
		if (is_shape(p->shapes[p->slots[at] - 1], e, text))
			return p->slots[at] - 1u;
	if (p->n == ADY_PACKED_SHAPES_MAX)
		return ADY_PACKED_SHAPES_MAX;
	p->shapes[p->n] = new_shape(e, text);
	p->slots[at] = (uint16_t)++p->n;
	return p->n - 1;
}

/* --- in and out --- */

static bool comes_back(const struct ady_packing *p, const struct ady_entry *e,
                       struct ady_bytes packed)
{
	struct ady_unpacked back;

	ady_unpack(p, ady_bytes_str(e->id), packed, &back);
	return ady_bytes_eq(ady_bytes(back.text, back.text_n), ady_dyn_bytes(&e->text));
}

size_t ady_pack(struct ady_packing *p, const struct ady_entry *e,
                uint8_t out[static ADY_PACKED_MAX])
{
	uint8_t space[ADY_PACKED_TEXT_MAX + MARKS];
	struct ady_buf text = ady_buf(space, sizeof space), b = ady_buf(out, ADY_PACKED_MAX);
	struct parts parts = {0};
	size_t shape;

	if (e->text.n > ADY_PACKED_TEXT_MAX || !take_apart(&text, &parts, e))
		return 0;
	shape = shape_of(p, e, ady_buf_bytes(&text));
	if (shape == ADY_PACKED_SHAPES_MAX)
		return 0;
	ady_buf_be16(&b, (uint16_t)shape);
	ady_buf_put(&b, e->public_key, e->public_key_n);
	ady_buf_u8(&b, (uint8_t)parts.ciphertext_n);
	ady_buf_put(&b, parts.ciphertext, parts.ciphertext_n);
	ady_buf_be32(&b, parts.created);
	return comes_back(p, e, ady_buf_bytes(&b)) ? b.n : 0;
}

static void put_mark(struct ady_buf *b, int mark, struct ady_bytes id, const struct parts *parts,
                     const struct ady_unpacked *out)
{
	char text[ADY_BASE64_SIZE(255)];

	if (mark == ID) {
		ady_buf_view(b, id);
	} else if (mark == PUBLIC_KEY) {
		ady_hex_encode(text, ady_bytes(out->public_key, out->public_key_n));
		ady_buf_str(b, text);
	} else if (mark == CIPHERTEXT) {
		ady_base64_encode(text, ady_bytes(parts->ciphertext, parts->ciphertext_n));
		ady_buf_str(b, text);
	} else {
		ady_buf_printf(b, "%u", parts->created);
	}
}

void ady_unpack(const struct ady_packing *p, struct ady_bytes id, struct ady_bytes packed,
                struct ady_unpacked *out)
{
	const struct shape *s = p->shapes[ady_be16(packed.p)];
	const uint8_t *at = packed.p + 2;
	struct ady_buf b = ady_buf(out->text, sizeof out->text);
	struct parts parts;
	const uint8_t *from = s->text, *end = s->text + s->n;

	out->tenant = s->tenant;
	out->curve = s->curve;
	out->public_key_n = s->public_key_n;
	memcpy(out->public_key, at, s->public_key_n);
	at += s->public_key_n;
	parts.ciphertext_n = *at++;
	memcpy(parts.ciphertext, at, parts.ciphertext_n);
	parts.created = ady_be32(at + parts.ciphertext_n);
	while (from < end) {
		const uint8_t *mark = from;

		while (mark < end && *mark >= MARKS)
			mark++;
		ady_buf_put(&b, from, (size_t)(mark - from));
		if (mark < end)
			put_mark(&b, *mark, id, &parts, out);
		from = mark + 1;
	}
	out->text_n = b.n;
}
