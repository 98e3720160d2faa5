/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/type.h"

#include <string.h>

#include "chain/eip712_types.h"
#include "crypto/hash.h"

enum { STRUCTS_MAX = 16, SIGNATURE_MAX = 1024, SIZE_MAX_DIGITS = 4 };

/* "Person" and "address wallet)" of Person(address wallet). */
struct definition {
	struct ady_bytes name, members;
	bool used;
};

struct parser {
	struct ady_types *types;
	struct ady_bytes rest;
	struct ady_buf canonical; /* of a signature: without names and spaces */
	struct definition s[STRUCTS_MAX];
	unsigned structs; /* 0: a signature is read */
	unsigned depth;
	const char *why; /* the first thing that is wrong */
};

static bool read_type(struct parser *p, uint16_t *type);

static bool wrong(struct parser *p, const char *why)
{
	p->why = why;
	return false;
}

static bool take(struct parser *p, char c)
{
	if (p->rest.n == 0 || p->rest.p[0] != (uint8_t)c)
		return false;
	p->rest = ady_bytes_sub(p->rest, 1, p->rest.n - 1);
	return true;
}

static bool is_word_char(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '$';
}

/* A name or the word of a type; may be empty. */
static struct ady_bytes take_word(struct parser *p)
{
	struct ady_bytes word = {.p = p->rest.p};

	while (word.n < p->rest.n && is_word_char(word.p[word.n]))
		word.n++;
	p->rest = ady_bytes_sub(p->rest, word.n, p->rest.n - word.n);
	return word;
}

static bool add(struct parser *p, uint16_t *index, struct ady_type type)
{
	if (p->types->n == ADY_TYPES_MAX)
		return wrong(p, "brings more types than a policy may have (511)");
	*index = p->types->n++;
	p->types->t[*index] = type;
	return true;
}

static bool elementary(struct parser *p, uint16_t *type, struct ady_bytes word)
{
	static const enum ady_type_kind kinds[] = {
	    [ADY_EIP712_ADDRESS] = ADY_T_ADDRESS,   [ADY_EIP712_BOOL] = ADY_T_BOOL,
	    [ADY_EIP712_UINT] = ADY_T_UINT,         [ADY_EIP712_INT] = ADY_T_INT,
	    [ADY_EIP712_FIXED_BYTES] = ADY_T_FIXED, [ADY_EIP712_BYTES] = ADY_T_BYTES,
	    [ADY_EIP712_STRING] = ADY_T_STRING,
	};
	static const struct ady_eip712_types none = {0};
	struct ady_eip712_ref ref;
	const char *why = ady_eip712_ref_read(&ref, &none, word);
	bool dynamic = ref.kind == ADY_EIP712_BYTES || ref.kind == ADY_EIP712_STRING;

	if (why)
		return wrong(p, "names a type that is neither a Solidity type nor defined");
	return add(p, type,
	           (struct ady_type){.kind = kinds[ref.kind],
	                             .size = (uint16_t)ref.size,
	                             .words = dynamic ? 0 : 1});
}

/* Link a component behind the last one of its tuple. */
static void append(struct ady_types *types, uint16_t tuple, uint16_t *last, uint16_t type)
{
	if (*last)
		types->t[*last].next = type;
	else
		types->t[tuple].first = type;
	*last = type;
	types->t[tuple].count++;
}

/* How many words all components take together; 0 when one of them has no fixed size. */
static bool measure(struct parser *p, uint16_t tuple)
{
	struct ady_type *t = &p->types->t[tuple];

	for (uint16_t c = t->first; c; c = p->types->t[c].next) {
		if (p->types->t[c].words == 0) {
			t->words = 0;
			return true;
		}
		t->words += p->types->t[c].words;
	}
	if (t->words > ADY_TYPE_WORDS_MAX)
		return wrong(p, "names a type that is too large");
	return true;
}

/* "TYPE" or "TYPE NAME"; of a struct's member the name is there. */
static bool read_component(struct parser *p, uint16_t *type)
{
	struct ady_bytes name = {0};

	if (!read_type(p, type))
		return false;
	if (take(p, ' ')) {
		name = take_word(p);
		if (name.n == 0)
			return wrong(p, "has a space without a name behind it");
	} else if (p->structs > 0) {
		return wrong(p, "has a member without a name");
	}
	p->types->t[*type].name = name;
	return true;
}

/* What stands between the parentheses, and the one that closes. */
static bool read_components(struct parser *p, uint16_t tuple)
{
	uint16_t last = 0, type;

	if (take(p, ')')) {
		ady_buf_u8(&p->canonical, ')');
		return true;
	}
	do {
		if (last)
			ady_buf_u8(&p->canonical, ',');
		/* Between the arguments of a signature one space is usual. */
		if (last && p->structs == 0)
			(void)take(p, ' ');
		if (!read_component(p, &type))
			return false;
		append(p->types, tuple, &last, type);
	} while (take(p, ','));
	ady_buf_u8(&p->canonical, ')');
	if (!take(p, ')'))
		return wrong(p, "is not of the form name(type name,type name)");
	return measure(p, tuple);
}

static bool read_tuple(struct parser *p, uint16_t *type)
{
	ady_buf_u8(&p->canonical, '(');
	if (!add(p, type, (struct ady_type){.kind = ADY_T_TUPLE}) || !read_components(p, *type))
		return false;
	if (p->types->t[*type].count == 0)
		return wrong(p, "has an empty tuple");
	return true;
}

static struct definition *find_struct(struct parser *p, struct ady_bytes name)
{
	for (unsigned i = 0; i < p->structs; i++)
		if (ady_bytes_eq(p->s[i].name, name))
			return &p->s[i];
	return NULL;
}

/* The members of a struct, read where it is used. */
static bool read_struct(struct parser *p, uint16_t *type, struct definition *d)
{
	struct ady_bytes behind = p->rest;

	d->used = true;
	p->rest = d->members;
	if (!read_tuple(p, type))
		return false;
	p->rest = behind;
	return true;
}

static bool read_base(struct parser *p, uint16_t *type)
{
	struct definition *d;
	struct ady_bytes word;

	if (p->structs == 0 && take(p, '('))
		return read_tuple(p, type);
	word = take_word(p);
	d = find_struct(p, word);
	if (d)
		return read_struct(p, type, d);
	ady_buf_view(&p->canonical, word);
	return elementary(p, type, word);
}

/* The digits of "[2]"; 0 for "[]". */
static bool take_size(struct parser *p, uint16_t *size)
{
	struct ady_bytes digits = take_word(p);

	*size = 0;
	if (digits.n > SIZE_MAX_DIGITS || (digits.n > 0 && digits.p[0] == '0'))
		return wrong(p, "has an array of a size that is not from 1 to 9999");
	for (size_t i = 0; i < digits.n; i++) {
		if (digits.p[i] < '0' || digits.p[i] > '9')
			return wrong(p, "has an array of a size that is no number");
		*size = (uint16_t)(*size * 10 + digits.p[i] - '0');
	}
	ady_buf_u8(&p->canonical, '[');
	ady_buf_view(&p->canonical, digits);
	ady_buf_u8(&p->canonical, ']');
	if (!take(p, ']'))
		return wrong(p, "has an array without its closing bracket");
	return true;
}

static bool read_array(struct parser *p, uint16_t *type)
{
	struct ady_type array = {.kind = ADY_T_ARRAY, .first = *type, .count = 1};

	if (!take_size(p, &array.size))
		return false;
	array.words = array.size * p->types->t[*type].words;
	if (array.words > ADY_TYPE_WORDS_MAX)
		return wrong(p, "names a type that is too large");
	return add(p, type, array);
}

/* Each array of arrays is a level as well. */
static bool read_type(struct parser *p, uint16_t *type)
{
	unsigned depth = p->depth;
	bool good;

	if (++p->depth > ADY_TYPE_DEPTH)
		return wrong(p, "is nested more than 8 deep, or recursive");
	good = read_base(p, type);
	while (good && take(p, '[')) {
		if (++p->depth > ADY_TYPE_DEPTH)
			return wrong(p, "is nested more than 8 deep, or recursive");
		good = read_array(p, type);
	}
	p->depth = depth;
	return good;
}

const char *ady_types_read_function(struct ady_types *types, uint16_t *root,
                                    uint8_t selector4[static 4], struct ady_bytes text)
{
	uint8_t space[SIGNATURE_MAX], hash[32];
	struct parser p = {.types = types, .rest = text, .canonical = ady_buf(space, sizeof space)};
	struct ady_bytes name = take_word(&p);

	if (name.n == 0 || !take(&p, '('))
		return "is not of the form name(type name,type name)";
	ady_buf_view(&p.canonical, name);
	ady_buf_u8(&p.canonical, '(');
	if (!add(&p, root, (struct ady_type){.kind = ADY_T_TUPLE}) || !read_components(&p, *root))
		return p.why;
	if (p.rest.n > 0)
		return "has something behind its closing parenthesis";
	if (p.canonical.full)
		return "is longer than 1024 bytes";
	ady_keccak256(hash, ady_buf_bytes(&p.canonical));
	memcpy(selector4, hash, 4);
	return NULL;
}

/* Find where each struct is defined, without looking into it. */
static const char *find_definitions(struct parser *p)
{
	while (p->rest.n > 0) {
		struct ady_bytes name = take_word(p);
		const uint8_t *end = p->rest.n > 0 ? memchr(p->rest.p, ')', p->rest.n) : NULL;
		size_t n;

		if (name.n == 0 || !take(p, '(') || !end)
			return "is not of the form Name(type name,type name)";
		if (p->structs == STRUCTS_MAX)
			return "has more than 16 structs";
		n = (size_t)(end + 1 - p->rest.p);
		p->s[p->structs++] =
		    (struct definition){.name = name, .members = ady_bytes(p->rest.p, n)};
		p->rest = ady_bytes_sub(p->rest, n, p->rest.n - n);
	}
	return p->structs > 0 ? NULL : "is empty";
}

static bool sorts_before(struct ady_bytes a, struct ady_bytes b)
{
	int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return order ? order < 0 : a.n < b.n;
}

const char *ady_types_read_struct(struct ady_types *types, uint16_t *root,
                                  uint8_t hash32[static 32], struct ady_bytes text)
{
	struct parser p = {.types = types, .rest = text};
	const char *why = find_definitions(&p);

	if (why)
		return why;
	if (!read_struct(&p, root, &p.s[0]))
		return p.why;
	for (unsigned i = 1; i < p.structs; i++) {
		if (!p.s[i].used)
			return "defines a struct that is not used";
		if (i > 1 && !sorts_before(p.s[i - 1].name, p.s[i].name))
			return "must have its structs in the order of their names";
	}
	ady_keccak256(hash32, text);
	return NULL;
}

uint16_t ady_type_child(const struct ady_types *types, uint16_t of, uint32_t i)
{
	uint16_t c = types->t[of].first;

	if (types->t[of].kind == ADY_T_ARRAY)
		return c;
	while (i-- > 0)
		c = types->t[c].next;
	return c;
}
