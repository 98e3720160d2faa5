/* SPDX-License-Identifier: Apache-2.0
 *
 * The grammar of RFC 8259 in one pass. The parser alternates between two states, before a value and
 * behind one; what encloses them is a small stack of open tokens. */
#include "codec/json.h"

#include <string.h>

#include "codec/utf8.h"

enum next { VALUE, BEHIND, END, BAD };

struct parser {
	struct ady_bytes text;
	size_t at;
	struct ady_json_tok *toks;
	size_t cap, n;
	uint32_t open[ADY_JSON_DEPTH]; /* tokens of the arrays and objects we are in */
	unsigned depth;
	enum ady_err err;
	const char *why;
};

/* Record the first refusal; gives the state that ends the loop. */
static enum next refuse(struct parser *p, enum ady_err err, const char *why)
{
	if (p->err == ADY_OK) {
		p->err = err;
		p->why = why;
	}
	return BAD;
}

static bool bad(struct parser *p, const char *why)
{
	(void)refuse(p, ADY_E_JSON, why);
	return false;
}

/* The byte at the cursor, -1 at the end. */
static int peek(const struct parser *p)
{
	return p->at < p->text.n ? p->text.p[p->at] : -1;
}

static int peek_behind_space(struct parser *p)
{
	int c = peek(p);

	while (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
		p->at++;
		c = peek(p);
	}
	return c;
}

/* A token that begins at the cursor, or NULL when there is no room. */
static struct ady_json_tok *push(struct parser *p, enum ady_json_kind kind)
{
	struct ady_json_tok *t;

	if (p->n == p->cap) {
		(void)refuse(p, ADY_E_TOO_LARGE, "too many values");
		return NULL;
	}
	t = &p->toks[p->n++];
	*t = (struct ady_json_tok){
	    .at = (uint32_t)p->at, .next = (uint32_t)p->n, .kind = (uint8_t)kind};
	return t;
}

/* Whether any of 8 bytes ends or interrupts the plain part of a string: below 0x20, '"', '\\' or
 * above 0x7f. A borrow between bytes may say so wrongly, which only sends them the slow way. */
static bool special8(const uint8_t *p)
{
	const uint64_t ones = 0x0101010101010101;
	uint64_t v, quote, slash;

	memcpy(&v, p, sizeof v);
	quote = v ^ ones * '"';
	slash = v ^ ones * '\\';
	return ((v | (v - ones * 0x20) | (quote - ones) | (slash - ones)) & ones * 0x80) != 0;
}

/* Four hex digits at p[i], or -1. */
static int hex4(const struct parser *p, size_t i)
{
	int v = 0;

	if (p->text.n < 4 || i > p->text.n - 4)
		return -1;
	for (size_t end = i + 4; i < end; i++) {
		int c = p->text.p[i], lower = c | 0x20;

		if (c >= '0' && c <= '9')
			v = v << 4 | (c - '0');
		else if (lower >= 'a' && lower <= 'f')
			v = v << 4 | (lower - 'a' + 10);
		else
			return -1;
	}
	return v;
}

/* Behind "\u": four digits, and for a high surrogate its low one (RFC 8259 section 7). */
static bool unicode_escape(struct parser *p)
{
	int hi = hex4(p, p->at), lo;

	if (hi < 0)
		return bad(p, "\\u needs four hex digits");
	p->at += 4;
	if (hi < 0xd800 || hi > 0xdfff)
		return true;
	lo = peek(p) == '\\' ? hex4(p, p->at + 2) : -1;
	if (hi > 0xdbff || lo < 0xdc00 || lo > 0xdfff || p->text.p[p->at + 1] != 'u')
		return bad(p, "half of a surrogate pair");
	p->at += 6;
	return true;
}

static bool escape(struct parser *p)
{
	int c;

	p->at++;
	c = peek(p);
	p->at += c >= 0;
	if (c == 'u')
		return unicode_escape(p);
	if (c > 0 && strchr("\"\\/bfnrt", c))
		return true;
	return bad(p, "an unknown escape");
}

/* One character of a string that special8 does not pass over. */
static bool string_char(struct parser *p, struct ady_json_tok *t)
{
	int c = peek(p);
	size_t n;

	if (c < 0)
		return bad(p, "a string has no end");
	if (c < 0x20)
		return bad(p, "a control character in a string");
	if (c == '\\') {
		t->escaped = 1;
		return escape(p);
	}
	n = ady_utf8_char(p->text.p + p->at, p->text.n - p->at);
	if (n == 0)
		return bad(p, "not UTF-8");
	p->at += n;
	return true;
}

static bool is_plain(int c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static bool string(struct parser *p)
{
	struct ady_json_tok *t;

	p->at++;
	t = push(p, ADY_JSON_STRING);
	if (!t)
		return false;
	for (;;) {
		while (p->text.n - p->at >= 8 && !special8(p->text.p + p->at))
			p->at += 8;
		while (is_plain(peek(p)))
			p->at++;
		if (peek(p) == '"')
			break;
		if (!string_char(p, t))
			return false;
	}
	t->len = (uint32_t)p->at - t->at;
	p->at++;
	return true;
}

/* One or more digits. */
static bool digits(struct parser *p)
{
	size_t start = p->at;

	while (peek(p) >= '0' && peek(p) <= '9')
		p->at++;
	return p->at > start;
}

/* number = [ minus ] int [ frac ] [ exp ] (RFC 8259 section 6) */
static bool number(struct parser *p)
{
	struct ady_json_tok *t = push(p, ADY_JSON_NUMBER);

	if (!t)
		return false;
	p->at += peek(p) == '-';
	if (peek(p) == '0')
		p->at++;
	else if (!digits(p))
		return bad(p, "not a value");
	if (peek(p) == '.') {
		p->at++;
		if (!digits(p))
			return bad(p, "a fraction without digits");
	}
	if (peek(p) == 'e' || peek(p) == 'E') {
		p->at++;
		p->at += peek(p) == '+' || peek(p) == '-';
		if (!digits(p))
			return bad(p, "an exponent without digits");
	}
	t->len = (uint32_t)p->at - t->at;
	return true;
}

static bool literal(struct parser *p, const char *word, enum ady_json_kind kind)
{
	size_t n = strlen(word);
	struct ady_json_tok *t = push(p, kind);

	if (!t)
		return false;
	if (p->text.n - p->at < n || memcmp(p->text.p + p->at, word, n) != 0)
		return bad(p, "not a value");
	t->len = (uint32_t)n;
	p->at += n;
	return true;
}

static bool scalar(struct parser *p, int c)
{
	switch (c) {
	case '"':
		return string(p);
	case 't':
		return literal(p, "true", ADY_JSON_TRUE);
	case 'f':
		return literal(p, "false", ADY_JSON_FALSE);
	case 'n':
		return literal(p, "null", ADY_JSON_NULL);
	case -1:
		return bad(p, "the text ends too early");
	default:
		return number(p);
	}
}

/* A key and its colon. */
static enum next member(struct parser *p)
{
	if (peek_behind_space(p) != '"') {
		(void)bad(p, "a key is expected");
		return BAD;
	}
	if (!string(p))
		return BAD;
	if (peek_behind_space(p) != ':') {
		(void)bad(p, "a colon is expected");
		return BAD;
	}
	p->at++;
	return VALUE;
}

static enum next close_top(struct parser *p)
{
	struct ady_json_tok *t = &p->toks[p->open[--p->depth]];

	p->at++;
	t->len = (uint32_t)p->at - t->at;
	t->next = (uint32_t)p->n;
	return BEHIND;
}

static enum next open_container(struct parser *p, enum ady_json_kind kind)
{
	if (p->depth == ADY_JSON_DEPTH)
		return refuse(p, ADY_E_TOO_LARGE, "nested too deep");
	if (!push(p, kind))
		return BAD;
	p->open[p->depth++] = (uint32_t)(p->n - 1);
	p->at++;
	if (peek_behind_space(p) == (kind == ADY_JSON_OBJECT ? '}' : ']'))
		return close_top(p);
	return kind == ADY_JSON_OBJECT ? member(p) : VALUE;
}

static enum next before_value(struct parser *p)
{
	int c = peek_behind_space(p);

	if (c == '{')
		return open_container(p, ADY_JSON_OBJECT);
	if (c == '[')
		return open_container(p, ADY_JSON_ARRAY);
	return scalar(p, c) ? BEHIND : BAD;
}

static enum next behind_value(struct parser *p)
{
	int c = peek_behind_space(p);
	struct ady_json_tok *top;
	bool object;

	if (p->depth == 0)
		return c < 0 ? END : refuse(p, ADY_E_JSON, "more than one value");
	top = &p->toks[p->open[p->depth - 1]];
	object = top->kind == ADY_JSON_OBJECT;
	top->count++;
	if (c == (object ? '}' : ']'))
		return close_top(p);
	if (c != ',')
		return refuse(p, ADY_E_JSON, "a comma or the end is expected");
	p->at++;
	return object ? member(p) : VALUE;
}

enum ady_err ady_json_parse_syntax(struct ady_json *doc, struct ady_json_tok *toks, size_t cap,
                                   struct ady_bytes text, struct ady_fault *f)
{
	struct parser p = {.text = text, .toks = toks, .cap = cap};
	enum next next = VALUE;

	*doc = (struct ady_json){0};
	if (text.n > UINT32_MAX)
		return ady_fail(f, ADY_E_TOO_LARGE, NULL, "the text is longer than 4 GiB");
	while (next == VALUE || next == BEHIND)
		next = next == VALUE ? before_value(&p) : behind_value(&p);
	if (next == BAD)
		return ady_fail(f, p.err, NULL, "%s at byte %zu", p.why, p.at);
	*doc = (struct ady_json){.text = text, .toks = toks, .n = (uint32_t)p.n};
	return ADY_OK;
}
