/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json.h"

#include <string.h>

enum { FEW_KEYS = 16 };

/* The text of a string token, byte by byte without its escapes. The parser has checked them. */
struct plain {
	const uint8_t *p, *end;
	uint8_t char_bytes[4]; /* of a \u escape, those still to give */
	unsigned at, n;
};

static struct plain plain(const struct ady_json *doc, uint32_t i)
{
	struct ady_bytes raw = ady_json_raw(doc, i);

	return (struct plain){.p = raw.p, .end = raw.p + raw.n};
}

static uint32_t hex4(const uint8_t *p)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++)
		v = v << 4 | (uint32_t)(p[i] <= '9' ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
	return v;
}

/* Fill s->char_bytes with the UTF-8 of c (RFC 3629 section 3). */
static void encode(struct plain *s, uint32_t c)
{
	static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};

	s->at = 0;
	s->n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (unsigned i = s->n - 1; i > 0; i--) {
		s->char_bytes[i] = (uint8_t)(0x80 | (c & 0x3f));
		c >>= 6;
	}
	s->char_bytes[0] = (uint8_t)(lead[s->n] | c);
}

/* The cursor is behind "\u". */
static void take_unicode(struct plain *s)
{
	uint32_t c = hex4(s->p);

	s->p += 4;
	if (c >= 0xd800 && c <= 0xdbff) {
		c = 0x10000 + ((c - 0xd800) << 10) + (hex4(s->p + 2) - 0xdc00);
		s->p += 6;
	}
	encode(s, c);
}

static uint8_t simple_escape(uint8_t c)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *at = strchr(from, c);

	return at ? (uint8_t)to[at - from] : c;
}

/* The next byte, -1 at the end. */
static int next_byte(struct plain *s)
{
	if (s->at < s->n)
		return s->char_bytes[s->at++];
	if (s->p == s->end)
		return -1;
	if (*s->p != '\\')
		return *s->p++;
	s->p += 2;
	if (s->p[-1] != 'u')
		return simple_escape(s->p[-1]);
	take_unicode(s);
	return s->char_bytes[s->at++];
}

/* Below, at or above 0 as string token a sorts before, like or behind b. */
static int compare(const struct ady_json *doc, uint32_t a, uint32_t b)
{
	const struct ady_json_tok *ta = &doc->toks[a], *tb = &doc->toks[b];
	struct plain pa = plain(doc, a), pb = plain(doc, b);
	int ca, cb;

	if (!ta->escaped && !tb->escaped) {
		int order = memcmp(pa.p, pb.p, ta->len < tb->len ? ta->len : tb->len);

		return order ? order : (ta->len > tb->len) - (ta->len < tb->len);
	}
	do {
		ca = next_byte(&pa);
		cb = next_byte(&pb);
	} while (ca == cb && ca >= 0);
	return ca - cb;
}

/* The keys of an object are sorted as a linked list, by merging: no memory but the tokens, and no
 * input for which it becomes slow. The link is the count of a key's token, which is 0 otherwise;
 * 0 ends a list, as token 0 is never a key. */
static uint32_t merge(const struct ady_json *doc, struct ady_json_tok *toks, uint32_t a, uint32_t b)
{
	uint32_t first = 0, *link = &first;

	while (a && b) {
		uint32_t *from = compare(doc, a, b) <= 0 ? &a : &b;

		*link = *from;
		link = &toks[*from].count;
		*from = *link;
	}
	*link = a ? a : b;
	return first;
}

/* Sort the keys of object i. runs[k] is empty or a sorted list of 2^k keys, as in a binary counter
 * that is counted up by each key. */
static uint32_t sort_keys(const struct ady_json *doc, struct ady_json_tok *toks, uint32_t i)
{
	uint32_t runs[32] = {0}, sorted = 0;
	uint32_t key = ady_json_first(doc, i);

	while (key) {
		uint32_t list = key, k = 0;

		key = ady_json_after(doc, i, key);
		for (; runs[k]; k++) {
			list = merge(doc, toks, runs[k], list);
			runs[k] = 0;
		}
		runs[k] = list;
	}
	for (unsigned k = 0; k < 32; k++)
		sorted = merge(doc, toks, runs[k], sorted);
	return sorted;
}

static bool same_text(const struct ady_json *doc, uint32_t a, uint32_t b)
{
	const struct ady_json_tok *ta = &doc->toks[a], *tb = &doc->toks[b];

	if (!ta->escaped && !tb->escaped && ta->len != tb->len)
		return false;
	return compare(doc, a, b) == 0;
}

/* As find_duplicate, for few keys: nearly all pairs already differ in length. */
static uint32_t find_duplicate_of_few(const struct ady_json *doc, uint32_t i)
{
	for (uint32_t a = ady_json_first(doc, i); a; a = ady_json_after(doc, i, a))
		for (uint32_t b = ady_json_after(doc, i, a); b; b = ady_json_after(doc, i, b))
			if (same_text(doc, a, b))
				return b;
	return 0;
}

/* A key of object i that an earlier one equals, or 0. */
static uint32_t find_duplicate(const struct ady_json *doc, struct ady_json_tok *toks, uint32_t i)
{
	uint32_t key, twice = 0;

	if (toks[i].count <= FEW_KEYS)
		return find_duplicate_of_few(doc, i);
	key = sort_keys(doc, toks, i);
	while (key) {
		uint32_t behind = toks[key].count;

		toks[key].count = 0;
		if (behind && !twice && compare(doc, key, behind) == 0)
			twice = behind;
		key = behind;
	}
	return twice;
}

static enum ady_err refuse_duplicate(const struct ady_json *doc, uint32_t key, struct ady_fault *f)
{
	struct ady_bytes raw = ady_json_raw(doc, key);
	char name[64];

	if (raw.n >= sizeof name)
		raw.n = sizeof name - 1;
	(void)ady_bytes_to_str(name, sizeof name, raw);
	return ady_fail(f, ADY_E_JSON_DUPLICATE, name, "the key is there twice, again at byte %u",
	                (unsigned)doc->toks[key].at);
}

enum ady_err ady_json_parse(struct ady_json *doc, struct ady_json_tok *toks, size_t cap,
                            struct ady_bytes text, struct ady_fault *f)
{
	enum ady_err err = ady_json_parse_syntax(doc, toks, cap, text, f);

	for (uint32_t i = 0; err == ADY_OK && i < doc->n; i++) {
		uint32_t twice = 0;

		if (toks[i].kind == ADY_JSON_OBJECT && toks[i].count > 1)
			twice = find_duplicate(doc, toks, i);
		if (twice)
			err = refuse_duplicate(doc, twice, f);
	}
	return err;
}

enum ady_json_kind ady_json_kind(const struct ady_json *doc, uint32_t i)
{
	return (enum ady_json_kind)doc->toks[i].kind;
}

struct ady_bytes ady_json_raw(const struct ady_json *doc, uint32_t i)
{
	return ady_bytes(doc->text.p + doc->toks[i].at, doc->toks[i].len);
}

bool ady_json_is(const struct ady_json *doc, uint32_t i, const char *s)
{
	struct plain text;

	if (doc->toks[i].kind != ADY_JSON_STRING)
		return false;
	if (!doc->toks[i].escaped)
		return ady_bytes_is(ady_json_raw(doc, i), s);
	text = plain(doc, i);
	while (*s)
		if (next_byte(&text) != (uint8_t)*s++)
			return false;
	return next_byte(&text) < 0;
}

enum ady_err ady_json_string(const struct ady_json *doc, uint32_t i, char *out, size_t cap,
                             size_t *n)
{
	struct plain text;
	int c;

	*n = 0;
	if (cap > 0)
		out[0] = '\0';
	if (doc->toks[i].kind != ADY_JSON_STRING)
		return ADY_E_FIELD_INVALID;
	if (!doc->toks[i].escaped && doc->toks[i].len < cap) {
		*n = doc->toks[i].len;
		memcpy(out, ady_json_raw(doc, i).p, *n);
		out[*n] = '\0';
		return ADY_OK;
	}
	text = plain(doc, i);
	for (size_t at = 0; at < cap; at++) {
		c = next_byte(&text);
		out[at] = (char)c;
		if (c >= 0)
			continue;
		out[at] = '\0';
		*n = at;
		return ADY_OK;
	}
	if (cap > 0)
		out[0] = '\0';
	return ADY_E_TOO_LARGE;
}

enum ady_err ady_json_u64(const struct ady_json *doc, uint32_t i, uint64_t *v)
{
	struct ady_bytes text = ady_json_raw(doc, i);
	uint64_t sum = 0;

	*v = 0;
	if (doc->toks[i].kind != ADY_JSON_NUMBER)
		return ADY_E_FIELD_INVALID;
	for (size_t k = 0; k < text.n; k++) {
		if (text.p[k] < '0' || text.p[k] > '9')
			return ADY_E_FIELD_INVALID;
		if (__builtin_mul_overflow(sum, 10, &sum) ||
		    __builtin_add_overflow(sum, (uint64_t)(text.p[k] - '0'), &sum))
			return ADY_E_FIELD_RANGE;
	}
	*v = sum;
	return ADY_OK;
}

uint32_t ady_json_get(const struct ady_json *doc, uint32_t i, const char *name)
{
	if (doc->toks[i].kind != ADY_JSON_OBJECT)
		return 0;
	for (uint32_t key = ady_json_first(doc, i); key; key = ady_json_after(doc, i, key))
		if (ady_json_is(doc, key, name))
			return key + 1;
	return 0;
}

uint32_t ady_json_first(const struct ady_json *doc, uint32_t i)
{
	const struct ady_json_tok *t = &doc->toks[i];

	return t->next > i + 1 ? i + 1 : 0;
}

uint32_t ady_json_after(const struct ady_json *doc, uint32_t i, uint32_t at)
{
	const struct ady_json_tok *t = &doc->toks[i];
	uint32_t last = t->kind == ADY_JSON_OBJECT ? at + 1 : at;
	uint32_t behind = doc->toks[last].next;

	return behind < t->next ? behind : 0;
}

void ady_json_put_string(struct ady_buf *b, struct ady_bytes s)
{
	static const char digits[] = "0123456789abcdef";

	ady_buf_u8(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (c == '"' || c == '\\')
			ady_buf_u8(b, '\\');
		if (c >= 0x20) {
			ady_buf_u8(b, c);
			continue;
		}
		ady_buf_str(b, "\\u00");
		ady_buf_u8(b, (uint8_t)digits[c >> 4]);
		ady_buf_u8(b, (uint8_t)digits[c & 15]);
	}
	ady_buf_u8(b, '"');
}

enum ady_err ady_json_members(uint32_t *value, const char *const *names, size_t n,
                              const struct ady_json *doc, struct ady_fault *f)
{
	memset(value, 0, n * sizeof *value);
	if (ady_json_kind(doc, 0) != ADY_JSON_OBJECT)
		return ady_fail(f, ADY_E_FIELD_INVALID, NULL, "the body must be a JSON object");
	for (uint32_t k = ady_json_first(doc, 0); k; k = ady_json_after(doc, 0, k)) {
		struct ady_bytes raw = ady_json_raw(doc, k);
		char name[48] = "";
		size_t i = 0;

		while (i < n && !ady_json_is(doc, k, names[i]))
			i++;
		raw.n = raw.n < sizeof name ? raw.n : sizeof name - 1;
		(void)ady_bytes_to_str(name, sizeof name, raw);
		if (i == n)
			return ady_fail(f, ADY_E_FIELD_UNKNOWN, name, "is not known");
		value[i] = k + 1;
	}
	return ADY_OK;
}
