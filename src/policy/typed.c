/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/typed.h"

#include <string.h>

static struct ady_typed *typed_of(struct ady_tree *tree)
{
	return (struct ady_typed *)tree;
}

/* The value of member name, as chain/eip712.c finds it: keys without escapes. */
static uint32_t find(const struct ady_json *doc, uint32_t object, struct ady_bytes name)
{
	if (ady_json_kind(doc, object) != ADY_JSON_OBJECT)
		return 0;
	for (uint32_t k = ady_json_first(doc, object); k; k = ady_json_after(doc, object, k))
		if (ady_bytes_eq(ady_json_raw(doc, k), name))
			return k + 1;
	return 0;
}

/* Items are asked for in their order: go on from the last. */
static uint32_t find_item(struct ady_typed *t, uint32_t array, uint32_t i)
{
	if (t->last_of != array || i < t->last_i) {
		t->last_of = array;
		t->last_i = 0;
		t->last_item = ady_json_first(t->doc, array);
	}
	for (; t->last_i < i; t->last_i++)
		t->last_item = ady_json_after(t->doc, array, t->last_item);
	return t->last_item;
}

static uint32_t count(struct ady_tree *tree, uint16_t type, ady_cursor at)
{
	(void)type;
	return typed_of(tree)->doc->toks[at].count;
}

static bool child(struct ady_tree *tree, ady_cursor *out, uint16_t type, uint32_t i, ady_cursor at)
{
	struct ady_typed *t = typed_of(tree);
	uint16_t member = ady_type_child(tree->types, type, i);

	if (tree->types->t[type].kind == ADY_T_TUPLE)
		*out = find(t->doc, at, tree->types->t[member].name);
	else
		*out = i < t->doc->toks[at].count ? find_item(t, at, i) : 0;
	return *out != 0;
}

static bool leaf(struct ady_tree *tree, struct ady_value *v, uint16_t type, ady_cursor at)
{
	struct ady_typed *t = typed_of(tree);
	const struct ady_type *is = &tree->types->t[type];
	struct ady_buf space = t->space;

	return !ady_value_read(v, t->doc, at, is->kind, is->size, &space);
}

void ady_typed_init(struct ady_typed *typed, const struct ady_types *types,
                    const struct ady_eip712_view *view, struct ady_buf space)
{
	*typed = (struct ady_typed){
	    .tree = {.types = types, .child = child, .count = count, .leaf = leaf},
	    .doc = view->doc,
	    .space = space,
	};
}

/* The type that the request gives a member of its domain; without EIP712Domain in types it is the
 * EIP's. */
static bool has_type(const struct ady_eip712_view *view, struct ady_bytes name, const char *type)
{
	const struct ady_json *doc = view->doc;
	uint32_t domain = ady_json_get(doc, view->types, "EIP712Domain");

	if (!domain)
		return true;
	for (uint32_t m = ady_json_first(doc, domain); m; m = ady_json_after(doc, domain, m))
		if (ady_bytes_eq(ady_json_raw(doc, ady_json_get(doc, m, "name")), name))
			return ady_bytes_is(ady_json_raw(doc, ady_json_get(doc, m, "type")), type);
	return false;
}

static enum ady_type_kind kind_of(const char *type)
{
	return *type == 's'   ? ADY_T_STRING
	       : *type == 'u' ? ADY_T_UINT
	       : *type == 'a' ? ADY_T_ADDRESS
	                      : ADY_T_FIXED;
}

enum ady_tri ady_typed_domain(struct ady_value *v, const struct ady_eip712_view *view,
                              const char *name, const char *type, struct ady_buf space)
{
	enum ady_type_kind kind = kind_of(type);
	uint32_t i = find(view->doc, view->domain, ady_bytes_str(name));

	if (!i)
		return ADY_NO;
	if (!has_type(view, ady_bytes_str(name), type))
		return ADY_UNDECIDED;
	return ady_value_read(v, view->doc, i, kind, kind == ADY_T_UINT ? 256 : 32, &space)
	           ? ADY_UNDECIDED
	           : ADY_YES;
}
