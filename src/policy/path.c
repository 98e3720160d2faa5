/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/path.h"

#include <string.h>

enum { INDEX_DIGITS = 4 };

struct parser {
	struct ady_path *path;
	const struct ady_types *types;
	struct ady_bytes rest;
	uint16_t type;
};

static const char *step(struct parser *p, enum ady_step_kind kind, uint32_t index, uint16_t type)
{
	if (p->path->n == ADY_STEPS_MAX)
		return "has more than 16 steps";
	p->path->step[p->path->n++] =
	    (struct ady_step){.kind = kind, .index = (uint16_t)index, .type = type};
	p->type = type;
	return NULL;
}

/* The part of the text before the next '.' or '['. */
static struct ady_bytes take_name(struct parser *p)
{
	struct ady_bytes name = {.p = p->rest.p};

	while (name.n < p->rest.n && name.p[name.n] != '.' && name.p[name.n] != '[')
		name.n++;
	p->rest = ady_bytes_sub(p->rest, name.n, p->rest.n - name.n);
	return name;
}

static const char *read_length(struct parser *p)
{
	if (p->rest.n > 0)
		return "has something behind the length";
	return step(p, ADY_STEP_LENGTH, 0, p->type);
}

static const char *read_name(struct parser *p)
{
	const struct ady_type *t = &p->types->t[p->type];
	struct ady_bytes name = take_name(p);
	uint32_t i = 0;

	if (t->kind == ADY_T_ARRAY || ady_kind_is_bytes(t->kind))
		return ady_bytes_is(name, "length")
		           ? read_length(p)
		           : "asks a list or text for something else than its length";
	if (t->kind != ADY_T_TUPLE)
		return "goes into a value that has no parts";
	for (uint16_t c = t->first; c; c = p->types->t[c].next, i++)
		if (name.n > 0 && ady_bytes_eq(p->types->t[c].name, name))
			return step(p, ADY_STEP_CHILD, i, c);
	return "names a part that is not there";
}

/* "[2]": a number without leading zeros. */
static bool read_index(uint32_t *index, struct ady_bytes digits)
{
	*index = 0;
	if (digits.n == 0 || digits.n > INDEX_DIGITS || (digits.n > 1 && digits.p[0] == '0'))
		return false;
	for (size_t i = 0; i < digits.n; i++) {
		if (digits.p[i] < '0' || digits.p[i] > '9')
			return false;
		*index = *index * 10 + (uint32_t)(digits.p[i] - '0');
	}
	return true;
}

static const char *read_items(struct parser *p, enum ady_step_kind kind)
{
	const struct ady_type *t = &p->types->t[p->type];

	if (t->kind != ADY_T_ARRAY)
		return "goes over the items of what is no list";
	p->path->many = true;
	return step(p, kind, 0, t->first);
}

static const char *read_item(struct parser *p, struct ady_bytes digits)
{
	const struct ady_type *t = &p->types->t[p->type];
	uint32_t index;

	if (t->kind != ADY_T_ARRAY && t->kind != ADY_T_TUPLE)
		return "goes into a value that has no parts";
	if (!read_index(&index, digits))
		return "must have [*], [?] or a number between the brackets";
	if ((t->kind == ADY_T_TUPLE && index >= t->count) || (t->size > 0 && index >= t->size))
		return "names a part that is not there";
	return step(p, ADY_STEP_CHILD, index, ady_type_child(p->types, p->type, index));
}

static const char *read_brackets(struct parser *p)
{
	const uint8_t *end = memchr(p->rest.p, ']', p->rest.n);
	struct ady_bytes inner = p->rest;

	if (!end)
		return "has no closing bracket";
	inner.n = (size_t)(end - inner.p);
	p->rest = ady_bytes_sub(p->rest, inner.n + 1, p->rest.n - inner.n - 1);
	if (ady_bytes_is(inner, "*"))
		return read_items(p, ADY_STEP_EVERY);
	if (ady_bytes_is(inner, "?"))
		return read_items(p, ADY_STEP_ANY);
	return read_item(p, inner);
}

const char *ady_path_read(struct ady_path *path, const struct ady_types *types, uint16_t root,
                          struct ady_bytes text)
{
	struct parser p = {.path = path, .types = types, .rest = text, .type = root};
	const struct ady_type *t;
	const char *why = NULL;

	*path = (struct ady_path){0};
	while (!why && p.rest.n > 0) {
		uint8_t c = p.rest.p[0];

		p.rest = ady_bytes_sub(p.rest, 1, p.rest.n - 1);
		if (c == '.')
			why = read_name(&p);
		else if (c == '[')
			why = read_brackets(&p);
		else
			why = "must go on with . or [";
	}
	if (why)
		return why;
	t = &types->t[p.type];
	path->kind = t->kind;
	path->size = t->size;
	if (path->n > 0 && path->step[path->n - 1].kind == ADY_STEP_LENGTH) {
		path->kind = ADY_T_UINT;
		path->size = 256;
	}
	if (path->kind == ADY_T_TUPLE || path->kind == ADY_T_ARRAY)
		return "leads to a list or a structure: go on to a value in it";
	return NULL;
}

struct walk {
	struct ady_tree *tree;
	const struct ady_path *path;
	ady_ask *ask;
	void *arg;
};

static enum ady_tri go(const struct walk *w, uint16_t n, uint16_t type, ady_cursor at);

static enum ady_tri go_child(const struct walk *w, uint16_t n, uint16_t type, uint32_t i,
                             ady_cursor at)
{
	ady_cursor child;

	if (!w->tree->child(w->tree, &child, type, i, at))
		return w->ask(w->arg, NULL);
	return go(w, (uint16_t)(n + 1), w->path->step[n].type, child);
}

/* "every" is the least of what the items come to, "any" the greatest; of no items they are yes and
 * no. */
static enum ady_tri go_items(const struct walk *w, uint16_t n, uint16_t type, ady_cursor at)
{
	bool every = w->path->step[n].kind == ADY_STEP_EVERY;
	enum ady_tri all = every ? ADY_YES : ADY_NO;
	uint32_t items = w->tree->count(w->tree, type, at);

	for (uint32_t i = 0; i < items; i++) {
		enum ady_tri one = go_child(w, n, type, i, at);

		if (every ? one < all : one > all)
			all = one;
	}
	return all;
}

/* Items of a list, bytes of a text. */
static enum ady_tri go_length(const struct walk *w, uint16_t type, ady_cursor at)
{
	struct ady_value v;
	uint64_t n;

	if (w->tree->types->t[type].kind == ADY_T_ARRAY) {
		n = w->tree->count(w->tree, type, at);
	} else {
		if (!w->tree->leaf(w->tree, &v, type, at))
			return ADY_UNDECIDED;
		n = v.bytes.n;
	}
	ady_value_small(&v, ADY_T_UINT, n);
	return w->ask(w->arg, &v);
}

/* Step n of the path, at a value. A path has few steps: so deep is the recursion. */
static enum ady_tri go(const struct walk *w, uint16_t n, uint16_t type, ady_cursor at)
{
	struct ady_value v;

	if (n == w->path->n)
		return w->tree->leaf(w->tree, &v, type, at) ? w->ask(w->arg, &v) : ADY_UNDECIDED;
	if (w->path->step[n].kind == ADY_STEP_CHILD)
		return go_child(w, n, type, w->path->step[n].index, at);
	if (w->path->step[n].kind == ADY_STEP_LENGTH)
		return go_length(w, type, at);
	return go_items(w, n, type, at);
}

enum ady_tri ady_path_walk(struct ady_tree *tree, const struct ady_path *path, uint16_t root,
                           ady_cursor at, ady_ask *ask, void *arg)
{
	const struct walk w = {.tree = tree, .path = path, .ask = ask, .arg = arg};

	return go(&w, 0, root, at);
}
