/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/abi.h"

#include <string.h>

enum { WORD = 32 };

struct check {
	const struct ady_types *types;
	struct ady_bytes data; /* a multiple of 32 bytes */
};

static bool check_value(const struct check *c, uint16_t type, size_t *at);

static bool all_are(const uint8_t *p, size_t n, uint8_t value)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != value)
			return false;
	return true;
}

/* A length or an offset; false when it is beyond the data anyway. */
static bool read_size(const struct check *c, size_t *v, size_t at)
{
	const uint8_t *p = c->data.p + at;

	if (at >= c->data.n || !all_are(p, WORD - 4, 0))
		return false;
	*v = ady_be32(p + WORD - 4);
	return *v <= c->data.n;
}

/* The sign, and the bits above the number's own, are alike. */
static bool is_int(const uint8_t *p, size_t bytes)
{
	uint8_t sign = p[WORD - bytes] & 0x80 ? 0xff : 0;

	return all_are(p, WORD - bytes, sign);
}

static bool is_clean(const struct ady_type *t, const uint8_t *p)
{
	if (t->kind == ADY_T_UINT)
		return all_are(p, WORD - t->size / 8u, 0);
	if (t->kind == ADY_T_INT)
		return is_int(p, t->size / 8u);
	if (t->kind == ADY_T_ADDRESS)
		return all_are(p, WORD - 20, 0);
	if (t->kind == ADY_T_BOOL)
		return all_are(p, WORD - 1, 0) && p[WORD - 1] <= 1;
	return all_are(p + t->size, WORD - t->size, 0);
}

static bool check_word(const struct check *c, const struct ady_type *t, size_t *at)
{
	if (*at >= c->data.n || !is_clean(t, c->data.p + *at))
		return false;
	*at += WORD;
	return true;
}

/* Length, bytes, zeros up to a whole word. */
static bool check_bytes(const struct check *c, size_t *at)
{
	size_t n, padded;

	if (!read_size(c, &n, *at))
		return false;
	*at += WORD;
	padded = (n + WORD - 1) / WORD * WORD;
	if (padded > c->data.n - *at || !all_are(c->data.p + *at + n, padded - n, 0))
		return false;
	*at += padded;
	return true;
}

static size_t head_of(const struct ady_type *t)
{
	return t->words > 0 ? t->words * (size_t)WORD : WORD;
}

/* The bytes of the heads of n components of tuple or array `of`. */
static size_t heads_of(const struct check *c, uint16_t of, size_t n)
{
	const struct ady_type *t = &c->types->t[of];
	size_t sum = 0;

	if (t->kind == ADY_T_ARRAY)
		return n * head_of(&c->types->t[t->first]);
	for (uint16_t k = t->first; k; k = c->types->t[k].next)
		sum += head_of(&c->types->t[k]);
	return sum;
}

/* The value of a component whose head is at *head; the tail goes on behind what was read last. */
static bool check_component(const struct check *c, uint16_t type, size_t base, size_t *head,
                            size_t *tail)
{
	size_t offset;

	if (c->types->t[type].words > 0)
		return check_value(c, type, head);
	if (!read_size(c, &offset, *head) || offset != *tail - base)
		return false;
	*head += WORD;
	return check_value(c, type, tail);
}

/* n components: their heads, then the tails in the same order. */
static bool check_components(const struct check *c, uint16_t of, size_t n, size_t *at)
{
	const struct ady_type *t = &c->types->t[of];
	size_t base = *at, head = base, tail = base + heads_of(c, of, n);
	uint16_t type = t->first;

	for (size_t i = 0; i < n; i++) {
		if (!check_component(c, type, base, &head, &tail))
			return false;
		if (t->kind == ADY_T_TUPLE)
			type = c->types->t[type].next;
	}
	*at = tail;
	return true;
}

static bool check_list(const struct check *c, uint16_t type, size_t *at)
{
	size_t n = c->types->t[type].size;

	if (n == 0) {
		if (!read_size(c, &n, *at))
			return false;
		*at += WORD;
	}
	return check_components(c, type, n, at);
}

/* The recursion is as deep as the type, which ADY_TYPE_DEPTH bounds. Each step takes data or fails:
 * no component is of size 0. */
static bool check_value(const struct check *c, uint16_t type, size_t *at)
{
	const struct ady_type *t = &c->types->t[type];

	if (t->kind == ADY_T_TUPLE)
		return check_components(c, type, t->count, at);
	if (t->kind == ADY_T_ARRAY)
		return check_list(c, type, at);
	if (ady_kind_is_bytes(t->kind))
		return check_bytes(c, at);
	return check_word(c, t, at);
}

bool ady_abi_check(const struct ady_types *types, uint16_t root, struct ady_bytes data)
{
	const struct check c = {.types = types, .data = data};
	size_t at = 0;

	return data.n % WORD == 0 && check_value(&c, root, &at) && at == data.n;
}

static const struct ady_abi *abi_of(const struct ady_tree *tree)
{
	return (const struct ady_abi *)tree;
}

static uint32_t size_at(const struct ady_abi *abi, ady_cursor at)
{
	return ady_be32(abi->data.p + at + WORD - 4);
}

static uint32_t count(struct ady_tree *tree, uint16_t type, ady_cursor at)
{
	const struct ady_type *t = &tree->types->t[type];

	return t->size > 0 ? t->size : size_at(abi_of(tree), at);
}

/* Where the head of item i of a list is. */
static bool find_item(struct ady_tree *tree, ady_cursor *head, uint16_t type, uint32_t i,
                      ady_cursor at)
{
	const struct ady_type *t = &tree->types->t[type];

	if (i >= count(tree, type, at))
		return false;
	*head = at + (t->size == 0 ? WORD : 0) + i * (ady_cursor)head_of(&tree->types->t[t->first]);
	return true;
}

/* Where the head of component i of a tuple is. */
static ady_cursor find_component(const struct ady_tree *tree, uint16_t type, uint32_t i,
                                 ady_cursor at)
{
	uint16_t c = tree->types->t[type].first;

	for (; i > 0; i--) {
		at += (ady_cursor)head_of(&tree->types->t[c]);
		c = tree->types->t[c].next;
	}
	return at;
}

/* Offsets count from the first head: in a list of any length that is behind the length. */
static bool child(struct ady_tree *tree, ady_cursor *out, uint16_t type, uint32_t i, ady_cursor at)
{
	const struct ady_type *t = &tree->types->t[type];
	bool list = t->kind == ADY_T_ARRAY;
	ady_cursor head;

	if (!list)
		head = find_component(tree, type, i, at);
	else if (!find_item(tree, &head, type, i, at))
		return false;
	if (list && t->size == 0)
		at += WORD;
	if (tree->types->t[ady_type_child(tree->types, type, i)].words > 0)
		*out = head;
	else
		*out = at + size_at(abi_of(tree), head);
	return true;
}

static bool leaf(struct ady_tree *tree, struct ady_value *v, uint16_t type, ady_cursor at)
{
	const struct ady_abi *abi = abi_of(tree);

	v->kind = tree->types->t[type].kind;
	if (ady_kind_is_bytes(v->kind)) {
		v->bytes = ady_bytes_sub(abi->data, at + WORD, size_at(abi, at));
		return true;
	}
	memcpy(v->word, abi->data.p + at, WORD);
	if (v->kind == ADY_T_INT)
		v->word[0] ^= 0x80;
	return true;
}

void ady_abi_init(struct ady_abi *abi, const struct ady_types *types, struct ady_bytes data)
{
	*abi = (struct ady_abi){
	    .tree = {.types = types, .child = child, .count = count, .leaf = leaf}, .data = data};
}
