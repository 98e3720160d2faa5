/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/eip712_types.h"

#include <stdio.h>
#include <string.h>

#include "crypto/hash.h"

enum { PATH_STEPS = ADY_JSON_DEPTH + 4, INDEX_DIGITS = 9 };

enum ady_err ady_eip712_refuse(const struct ady_eth_reader *r, const struct ady_eip712_path *at,
                               enum ady_err err, const char *why)
{
	const struct ady_eip712_path *steps[PATH_STEPS];
	char where[256];
	struct ady_buf b = ady_buf(where, sizeof where - 1);
	size_t n = 0;

	for (; at && n < PATH_STEPS; at = at->up)
		steps[n++] = at;
	ady_buf_str(&b, r->at);
	while (n-- > 0) {
		if (!steps[n]->name.p) {
			ady_buf_printf(&b, "[%u]", steps[n]->index);
			continue;
		}
		ady_buf_u8(&b, '.');
		ady_buf_view(&b, steps[n]->name);
	}
	where[b.n] = '\0';
	return ady_fail(r->f, err, where, "%s", why);
}

/* Names stand in encodeType between these characters; one that holds them could pass off another
 * type as its own. Only ASCII, so that all implementations sort alike. */
static bool is_name(struct ady_bytes name)
{
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= 0x20 || name.p[i] > 0x7e || strchr("()[],\"\\", name.p[i]))
			return false;
	return name.n > 0;
}

static const char *const bad_name =
    "must be a name of printable ASCII without space, brackets, comma, quotes and escapes";

/* A number without sign or leading zero at the end of "uint256" or in "[2]"; 0 when there is none.
 */
static uint32_t number_of(struct ady_bytes digits)
{
	uint32_t v = 0;

	if (digits.n == 0 || digits.n > INDEX_DIGITS || digits.p[0] == '0')
		return 0;
	for (size_t i = 0; i < digits.n; i++) {
		if (digits.p[i] < '0' || digits.p[i] > '9')
			return 0;
		v = v * 10 + (uint32_t)(digits.p[i] - '0');
	}
	return v;
}

/* Whether text is word and a number behind it. */
static bool sized(struct ady_bytes text, const char *word, unsigned *size)
{
	size_t n = strlen(word);

	if (text.n <= n || memcmp(text.p, word, n) != 0)
		return false;
	*size = number_of(ady_bytes(text.p + n, text.n - n));
	return *size != 0;
}

/* The Solidity types that EIP-712 calls atomic and dynamic. */
static bool is_elementary(struct ady_eip712_ref *ref)
{
	static const struct {
		const char *name;
		enum ady_eip712_kind kind;
	} plain[] = {{"address", ADY_EIP712_ADDRESS},
	             {"bool", ADY_EIP712_BOOL},
	             {"bytes", ADY_EIP712_BYTES},
	             {"string", ADY_EIP712_STRING}};

	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
		ref->kind = plain[i].kind;
		if (ady_bytes_is(ref->base, plain[i].name))
			return true;
	}
	ref->kind = ADY_EIP712_FIXED_BYTES;
	if (sized(ref->base, "bytes", &ref->size))
		return ref->size <= 32;
	ref->kind = ref->base.n > 0 && ref->base.p[0] == 'u' ? ADY_EIP712_UINT : ADY_EIP712_INT;
	return sized(ref->base, ref->kind == ADY_EIP712_UINT ? "uint" : "int", &ref->size) &&
	       ref->size <= 256 && ref->size % 8 == 0;
}

/* "[]" and "[2]", any number of them. */
static bool are_dims(struct ady_bytes dims)
{
	while (dims.n > 0) {
		const uint8_t *end = memchr(dims.p, ']', dims.n);
		size_t n = end ? (size_t)(end - dims.p) : 0;

		if (n == 0 || dims.p[0] != '[' ||
		    (n > 1 && !number_of(ady_bytes(dims.p + 1, n - 1))))
			return false;
		dims = ady_bytes(end + 1, dims.n - n - 1);
	}
	return true;
}

const char *ady_eip712_ref_read(struct ady_eip712_ref *ref, const struct ady_eip712_types *types,
                                struct ady_bytes text)
{
	const uint8_t *open = text.n > 0 ? memchr(text.p, '[', text.n) : NULL;
	size_t n = open ? (size_t)(open - text.p) : text.n, number;

	*ref = (struct ady_eip712_ref){.base = ady_bytes(text.p, n),
	                               .dims = ady_bytes(text.p + n, text.n - n)};
	if (!are_dims(ref->dims))
		return "is no type: an array is written T[] or T[n], n from 1";
	if (is_elementary(ref))
		return NULL;
	if (ady_bytes_is(ref->base, "uint") || ady_bytes_is(ref->base, "int"))
		return "needs its size, as in uint256 (EIP-712 has no aliases)";
	number = ady_eip712_find(types, ref->base);
	if (number == types->n)
		return "is neither a Solidity type nor one of types";
	ref->kind = ADY_EIP712_STRUCT;
	ref->size = (unsigned)number;
	return NULL;
}

size_t ady_eip712_find(const struct ady_eip712_types *types, struct ady_bytes name)
{
	size_t n = 0;

	while (n < types->n && !ady_bytes_eq(types->s[n].name, name))
		n++;
	return n;
}

static enum ady_err read_names(struct ady_eip712_types *types, const struct ady_eip712_path *at,
                               uint32_t i)
{
	const struct ady_eth_reader *r = types->r;

	if (ady_json_kind(r->doc, i) != ADY_JSON_OBJECT)
		return ady_eip712_refuse(r, at, ADY_E_FIELD_INVALID, "must be an object");
	if (r->doc->toks[i].count > ADY_EIP712_TYPES)
		return ady_eip712_refuse(r, at, ADY_E_TOO_LARGE, "has more than 64 types");
	for (uint32_t k = ady_json_first(r->doc, i); k; k = ady_json_after(r->doc, i, k)) {
		struct ady_eip712_path here = {.up = at, .name = ady_json_raw(r->doc, k)};
		struct ady_eip712_ref ref = {.base = here.name};

		if (!is_name(here.name))
			return ady_eip712_refuse(r, &here, ADY_E_FIELD_INVALID, bad_name);
		if (is_elementary(&ref))
			return ady_eip712_refuse(r, &here, ADY_E_FIELD_INVALID,
			                         "is the name of a Solidity type");
		if (ady_json_kind(r->doc, k + 1) != ADY_JSON_ARRAY)
			return ady_eip712_refuse(r, &here, ADY_E_FIELD_INVALID,
			                         "must be an array of members");
		types->s[types->n++] =
		    (struct ady_eip712_struct){.name = here.name, .members = k + 1};
	}
	return ADY_OK;
}

/* {"name": "..", "type": ".."} and nothing else. */
static enum ady_err check_member(const struct ady_eip712_types *types, struct ady_eip712_struct *s,
                                 const struct ady_eip712_path *at, uint32_t i)
{
	const struct ady_eth_reader *r = types->r;
	uint32_t name = ady_json_get(r->doc, i, "name"), type = ady_json_get(r->doc, i, "type");
	struct ady_eip712_path name_at = {.up = at, .name = ady_bytes_str("name")};
	struct ady_eip712_path type_at = {.up = at, .name = ady_bytes_str("type")};
	struct ady_eip712_ref ref;
	const char *why;

	if (!name || !type || r->doc->toks[i].count != 2)
		return ady_eip712_refuse(r, at, ADY_E_FIELD_INVALID,
		                         "must be an object of name and type, no more");
	if (ady_json_kind(r->doc, name) != ADY_JSON_STRING || !is_name(ady_json_raw(r->doc, name)))
		return ady_eip712_refuse(r, &name_at, ADY_E_FIELD_INVALID, bad_name);
	if (ady_json_kind(r->doc, type) != ADY_JSON_STRING || r->doc->toks[type].escaped)
		return ady_eip712_refuse(r, &type_at, ADY_E_FIELD_INVALID, "must be a type's name");
	if ((why = ady_eip712_ref_read(&ref, types, ady_json_raw(r->doc, type))))
		return ady_eip712_refuse(r, &type_at, ADY_E_FIELD_INVALID, why);
	if (r->doc->toks[i + 1].escaped || r->doc->toks[i + 3].escaped)
		return ady_eip712_refuse(r, at, ADY_E_FIELD_INVALID,
		                         "must have name and type written without escapes");
	if (ref.kind == ADY_EIP712_STRUCT)
		s->uses |= (uint64_t)1 << ref.size;
	return ADY_OK;
}

/* Two keys without escapes and two strings, a token each: the first value is at 2, the second at 4.
 */
static bool name_is_first(const struct ady_json *doc, uint32_t member)
{
	return doc->text.p[doc->toks[member + 1].at] == 'n';
}

struct ady_bytes ady_eip712_member_name(const struct ady_json *doc, uint32_t member)
{
	const struct ady_json_tok *t = &doc->toks[member + (name_is_first(doc, member) ? 2 : 4)];

	return ady_bytes(doc->text.p + t->at, t->len);
}

struct ady_bytes ady_eip712_member_type(const struct ady_json *doc, uint32_t member)
{
	return ady_json_raw(doc, member + (name_is_first(doc, member) ? 4 : 2));
}

static bool repeats(const struct ady_json *doc, uint32_t array, uint32_t i)
{
	struct ady_bytes name = ady_eip712_member_name(doc, i);

	for (uint32_t k = ady_json_first(doc, array); k != i; k = ady_json_after(doc, array, k))
		if (ady_bytes_eq(name, ady_eip712_member_name(doc, k)))
			return true;
	return false;
}

static enum ady_err check_members(const struct ady_eip712_types *types, struct ady_eip712_struct *s,
                                  const struct ady_eip712_path *at)
{
	const struct ady_json *doc = types->r->doc;
	struct ady_eip712_path type = {.up = at, .name = s->name};
	struct ady_eip712_path here = {.up = &type};
	enum ady_err err;

	for (uint32_t k = ady_json_first(doc, s->members); k;
	     k = ady_json_after(doc, s->members, k)) {
		if ((err = check_member(types, s, &here, k)) != ADY_OK)
			return err;
		if (repeats(doc, s->members, k))
			return ady_eip712_refuse(types->r, &here, ADY_E_FIELD_INVALID,
			                         "has the name of an earlier member");
		here.index++;
	}
	return ADY_OK;
}

enum ady_err ady_eip712_types_read(struct ady_eip712_types *types, const struct ady_eth_reader *r,
                                   const struct ady_eip712_path *at, uint32_t i)
{
	enum ady_err err;

	types->r = r;
	types->n = types->text = 0;
	err = read_names(types, at, i);
	for (size_t n = 0; err == ADY_OK && n < types->n; n++)
		err = check_members(types, &types->s[n], at);
	return err;
}

static void hash_text(struct ady_eip712_types *types, struct ady_keccak *k, struct ady_bytes text)
{
	ady_keccak_update(k, text);
	types->text += text.n;
}

/* Name "(" type " " name "," .. ")" */
static void hash_struct_text(struct ady_eip712_types *types, struct ady_keccak *k,
                             const struct ady_eip712_struct *s)
{
	const struct ady_json *doc = types->r->doc;
	const char *between = "(";

	hash_text(types, k, s->name);
	for (uint32_t i = ady_json_first(doc, s->members); i;
	     i = ady_json_after(doc, s->members, i)) {
		hash_text(types, k, ady_bytes_str(between));
		hash_text(types, k, ady_eip712_member_type(doc, i));
		hash_text(types, k, ady_bytes_str(" "));
		hash_text(types, k, ady_eip712_member_name(doc, i));
		between = ",";
	}
	hash_text(types, k, ady_bytes_str(*between == '(' ? "()" : ")"));
}

/* All structs that struct n needs, itself not counted: a fixed point, so recursion does no harm. */
static uint64_t needs_of(const struct ady_eip712_types *types, size_t n)
{
	uint64_t needs = types->s[n].uses, before;

	do {
		before = needs;
		for (size_t i = 0; i < types->n; i++)
			if (needs >> i & 1)
				needs |= types->s[i].uses;
	} while (needs != before);
	return needs & ~((uint64_t)1 << n);
}

static bool sorts_before(struct ady_bytes a, struct ady_bytes b)
{
	int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return order ? order < 0 : a.n < b.n;
}

const uint8_t *ady_eip712_type_hash(struct ady_eip712_types *types, size_t n)
{
	struct ady_eip712_struct *s = &types->s[n];
	uint64_t needs;
	struct ady_keccak k;

	if (s->hashed)
		return s->hash;
	ady_keccak_init(&k);
	hash_struct_text(types, &k, s);
	for (needs = needs_of(types, n); needs && types->text <= ADY_EIP712_TYPE_TEXT;) {
		size_t first = types->n;

		for (size_t i = 0; i < types->n; i++)
			if (needs >> i & 1 &&
			    (first == types->n ||
			     sorts_before(types->s[i].name, types->s[first].name)))
				first = i;
		hash_struct_text(types, &k, &types->s[first]);
		needs &= ~((uint64_t)1 << first);
	}
	if (types->text > ADY_EIP712_TYPE_TEXT)
		return NULL;
	ady_keccak_final(&k, s->hash);
	s->hashed = true;
	return s->hash;
}
