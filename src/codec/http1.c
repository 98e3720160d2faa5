/* SPDX-License-Identifier: Apache-2.0
 *
 * One cursor walks the head once. Every step either takes what the grammar allows, or stands at the
 * end of the input (more is needed), or sees a byte that no valid head has there. So a head is
 * refused at its first wrong byte, and a prefix of a valid head never is. */
#include "codec/http1.h"

#include <string.h>
#include <strings.h>

enum {
	METHOD_MAX = 32,
	CHUNK_DIGITS_MAX = 8,
	CHUNK_MAX = 16 * 1024 * 1024,
	LENGTH_DIGITS_MAX = 18,
};

/* Classes of bytes. */
enum {
	TOKEN = 1,  /* RFC 9110 5.6.2 tchar */
	TARGET = 2, /* RFC 3986: pchar, '%', '/', '?' */
	VALUE = 4,  /* RFC 9110 5.5: VCHAR, obs-text, SP, HTAB */
	HOST = 8,   /* RFC 3986 3.2.2 and 3.2.3 without user information: host and port */
};

#define ALNUM (TOKEN | TARGET | VALUE | HOST)

static const uint8_t class_of[256] = {
    ['\t'] = VALUE,
    [' '] = VALUE,
    ['!'] = TOKEN | TARGET | VALUE | HOST,
    ['"'] = VALUE,
    ['#'] = TOKEN | VALUE,
    ['$'] = TOKEN | TARGET | VALUE | HOST,
    ['%'] = TOKEN | TARGET | VALUE | HOST,
    ['&'] = TOKEN | TARGET | VALUE | HOST,
    ['\''] = TOKEN | TARGET | VALUE | HOST,
    ['('] = TARGET | VALUE | HOST,
    [')'] = TARGET | VALUE | HOST,
    ['*'] = TOKEN | TARGET | VALUE | HOST,
    ['+'] = TOKEN | TARGET | VALUE | HOST,
    [','] = TARGET | VALUE,
    ['-'] = TOKEN | TARGET | VALUE | HOST,
    ['.'] = TOKEN | TARGET | VALUE | HOST,
    ['/'] = TARGET | VALUE,
    ['0' ... '9'] = ALNUM,
    [':'] = TARGET | VALUE | HOST,
    [';'] = TARGET | VALUE | HOST,
    ['<'] = VALUE,
    ['='] = TARGET | VALUE | HOST,
    ['>'] = VALUE,
    ['?'] = TARGET | VALUE,
    ['@'] = TARGET | VALUE,
    ['A' ... 'Z'] = ALNUM,
    ['['] = VALUE | HOST,
    ['\\'] = VALUE,
    [']'] = VALUE | HOST,
    ['^'] = TOKEN | VALUE,
    ['_'] = TOKEN | TARGET | VALUE | HOST,
    ['`'] = TOKEN | VALUE,
    ['a' ... 'z'] = ALNUM,
    ['{'] = VALUE,
    ['|'] = TOKEN | VALUE,
    ['}'] = VALUE,
    ['~'] = TOKEN | TARGET | VALUE | HOST,
    [0x80 ... 0xff] = VALUE,
};

struct cursor {
	const uint8_t *p, *end;
};

/* --- steps --- */

static struct ady_bytes take_class(struct cursor *c, uint8_t class)
{
	const uint8_t *from = c->p;

	while (c->p < c->end && class_of[*c->p] & class)
		c->p++;
	return ady_bytes(from, (size_t)(c->p - from));
}

/* Take exactly text. */
static enum ady_err take_text(struct cursor *c, const char *text, struct ady_fault *f,
                              const char *where)
{
	for (; *text; text++, c->p++) {
		if (c->p == c->end)
			return ADY_E_AGAIN;
		if (*c->p == (uint8_t)*text)
			continue;
		if (*c->p == '\n')
			return ady_fail(f, ADY_E_HTTP, where, "has a line feed without CR");
		return ady_fail(f, ADY_E_HTTP, where, "has a byte that is not allowed there");
	}
	return ADY_OK;
}

static enum ady_err take_digit(struct cursor *c, int *out, struct ady_fault *f, const char *where)
{
	if (c->p == c->end)
		return ADY_E_AGAIN;
	if (*c->p < '0' || *c->p > '9')
		return ady_fail(f, ADY_E_HTTP, where, "is no digit");
	*out = *c->p++ - '0';
	return ADY_OK;
}

/* where: of the line, so that "version" is left to say that a version is not spoken here. */
static enum ady_err take_version(struct cursor *c, int *minor, struct ady_fault *f,
                                 const char *where)
{
	static const char other[] = "is not HTTP/1.1 or HTTP/1.0";
	enum ady_err err = take_text(c, "HTTP/", f, where);

	if (err != ADY_OK)
		return err;
	if (c->p < c->end && *c->p != '1' && *c->p >= '0' && *c->p <= '9')
		return ady_fail(f, ADY_E_HTTP, "version", "%s", other);
	err = take_text(c, "1.", f, where);
	if (err == ADY_OK)
		err = take_digit(c, minor, f, where);
	if (err == ADY_OK && *minor > 1)
		return ady_fail(f, ADY_E_HTTP, "version", "%s", other);
	return err;
}

/* --- the fields that decide framing --- */

static bool is_any_case(struct ady_bytes b, const char *s)
{
	return b.n == strlen(s) && strncasecmp((const char *)b.p, s, b.n) == 0;
}

static bool blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static struct ady_bytes trim(struct ady_bytes b)
{
	while (b.n > 0 && blank(b.p[0]))
		b = ady_bytes(b.p + 1, b.n - 1);
	while (b.n > 0 && blank(b.p[b.n - 1]))
		b.n--;
	return b;
}

struct framing {
	bool host, coding, close, keep;
};

/* RFC 9112 6.3: one plain number; a list of equal numbers is refused as well. */
static enum ady_err see_length(struct ady_http_head *head, struct ady_bytes v, struct ady_fault *f)
{
	if (head->has_length)
		return ady_fail(f, ADY_E_HTTP, "content-length", "is there twice");
	if (v.n == 0 || v.n > LENGTH_DIGITS_MAX)
		return ady_fail(f, ADY_E_HTTP, "content-length", "is not a decimal number");
	head->has_length = true;
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return ady_fail(f, ADY_E_HTTP, "content-length", "is not a decimal number");
		head->length = head->length * 10 + (uint64_t)(v.p[i] - '0');
	}
	return ADY_OK;
}

static enum ady_err see_coding(struct ady_http_head *head, struct framing *fr, struct ady_bytes v,
                               struct ady_fault *f)
{
	if (fr->coding)
		return ady_fail(f, ADY_E_HTTP, "transfer-encoding", "is there twice");
	if (!is_any_case(v, "chunked"))
		return ady_fail(f, ADY_E_HTTP, "transfer-encoding", "is not chunked");
	fr->coding = head->chunked = true;
	return ADY_OK;
}

static enum ady_err see_host(struct framing *fr, struct ady_bytes v, struct ady_fault *f)
{
	if (fr->host)
		return ady_fail(f, ADY_E_HTTP, "host", "is there twice");
	if (v.n == 0)
		return ady_fail(f, ADY_E_HTTP, "host", "is empty");
	for (size_t i = 0; i < v.n; i++)
		if (!(class_of[v.p[i]] & HOST))
			return ady_fail(f, ADY_E_HTTP, "host", "is no host and port");
	fr->host = true;
	return ADY_OK;
}

/* RFC 9110 7.6.1: a list of tokens, of which two concern us. */
static enum ady_err see_connection(struct framing *fr, struct ady_bytes v)
{
	while (v.n > 0) {
		const uint8_t *comma = memchr(v.p, ',', v.n);
		size_t n = comma ? (size_t)(comma - v.p) : v.n;
		struct ady_bytes item = trim(ady_bytes(v.p, n));

		fr->close = fr->close || is_any_case(item, "close");
		fr->keep = fr->keep || is_any_case(item, "keep-alive");
		v = ady_bytes(v.p + n, v.n - n);
		if (comma)
			v = ady_bytes(v.p + 1, v.n - 1);
	}
	return ADY_OK;
}

static enum ady_err see_expect(struct ady_http_head *head, struct ady_bytes v, struct ady_fault *f)
{
	if (!is_any_case(v, "100-continue"))
		return ady_fail(f, ADY_E_HTTP, "expect", "is not 100-continue");
	head->expect_continue = true;
	return ADY_OK;
}

static enum ady_err see_field(struct ady_http_head *head, struct framing *fr,
                              const struct ady_http_field *field, struct ady_fault *f)
{
	struct ady_bytes name = field->name, value = field->value;

	switch (name.n) {
	case 4:
		return is_any_case(name, "host") ? see_host(fr, value, f) : ADY_OK;
	case 6:
		return is_any_case(name, "expect") ? see_expect(head, value, f) : ADY_OK;
	case 10:
		return is_any_case(name, "connection") ? see_connection(fr, value) : ADY_OK;
	case 14:
		return is_any_case(name, "content-length") ? see_length(head, value, f) : ADY_OK;
	case 17:
		return is_any_case(name, "transfer-encoding") ? see_coding(head, fr, value, f)
		                                              : ADY_OK;
	default:
		return ADY_OK;
	}
}

/* --- fields --- */

/* RFC 9112 5.1: no blank between name and colon; 5.2: no line folding. */
static enum ady_err take_field(struct cursor *c, struct ady_http_field *field, struct ady_fault *f)
{
	if (c->p < c->end && blank(*c->p))
		return ady_fail(f, ADY_E_HTTP, "field", "is folded over two lines");
	field->name = take_class(c, TOKEN);
	if (c->p == c->end)
		return ADY_E_AGAIN;
	if (blank(*c->p))
		return ady_fail(f, ADY_E_HTTP, "field", "has a blank before its colon");
	if (field->name.n == 0 || *c->p != ':')
		return ady_fail(f, ADY_E_HTTP, "field", "has a name that is no token");
	c->p++;
	field->value = trim(take_class(c, VALUE));
	if (c->p < c->end && *c->p != '\r' && *c->p != '\n')
		return ady_fail(f, ADY_E_HTTP, "field", "has a control character in its value");
	return take_text(c, "\r\n", f, "field");
}

static enum ady_err take_fields(struct cursor *c, struct ady_http_head *head, struct framing *fr,
                                struct ady_fault *f)
{
	enum ady_err err;

	for (;;) {
		if (c->p == c->end)
			return ADY_E_AGAIN;
		if (*c->p == '\r')
			return take_text(c, "\r\n", f, "head");
		if (head->fields_n == ADY_HTTP_FIELDS_MAX)
			return ady_fail(f, ADY_E_TOO_LARGE, "head", "has more than %d fields",
			                ADY_HTTP_FIELDS_MAX);
		err = take_field(c, &head->fields[head->fields_n], f);
		if (err == ADY_OK)
			err = see_field(head, fr, &head->fields[head->fields_n++], f);
		if (err != ADY_OK)
			return err;
	}
}

/* RFC 9112 6.3 and 11.2: a message whose length could be read in two ways is an attack. */
static enum ady_err check_framing(struct ady_http_head *head, const struct framing *fr,
                                  struct ady_fault *f)
{
	if (head->chunked && head->has_length)
		return ady_fail(f, ADY_E_HTTP, "transfer-encoding",
		                "stands together with Content-Length");
	if (head->chunked && head->minor == 0)
		return ady_fail(f, ADY_E_HTTP, "transfer-encoding", "stands in HTTP/1.0");
	head->keep_alive = !fr->close && (head->minor == 1 || fr->keep);
	return ADY_OK;
}

/* --- first lines --- */

static enum ady_err take_method(struct cursor *c, struct ady_http_head *head, struct ady_fault *f)
{
	head->method = take_class(c, TOKEN);
	if (head->method.n > METHOD_MAX)
		return ady_fail(f, ADY_E_HTTP, "method", "is longer than %d bytes", METHOD_MAX);
	if (c->p < c->end && head->method.n == 0)
		return ady_fail(f, ADY_E_HTTP, "method", "is no token");
	return take_text(c, " ", f, "method");
}

/* RFC 9112 3.2: origin-form, and "*" of OPTIONS. Absolute-form would give a request two hosts. */
static enum ady_err take_target(struct cursor *c, struct ady_http_head *head, struct ady_fault *f)
{
	const uint8_t *mark;
	struct ady_bytes t;

	if (c->p == c->end)
		return ADY_E_AGAIN;
	if (*c->p == '*' && ady_bytes_is(head->method, "PRI"))
		return ady_fail(f, ADY_E_HTTP, "version", "is HTTP/2, which is not spoken here");
	if (*c->p == '*' && ady_bytes_is(head->method, "OPTIONS"))
		t = ady_bytes(c->p++, 1);
	else if (*c->p == '/')
		t = take_class(c, TARGET);
	else
		return ady_fail(f, ADY_E_HTTP, "target", "does not begin with a slash");
	if (t.n > ADY_HTTP_TARGET_MAX)
		return ady_fail(f, ADY_E_TOO_LARGE, "target", "is longer than %d bytes",
		                ADY_HTTP_TARGET_MAX);
	mark = memchr(t.p, '?', t.n);
	head->target = t;
	head->path = mark ? ady_bytes(t.p, (size_t)(mark - t.p)) : t;
	head->query = mark ? ady_bytes(mark + 1, t.n - head->path.n - 1) : (struct ady_bytes){0};
	return take_text(c, " ", f, "target");
}

static enum ady_err take_request_line(struct cursor *c, struct ady_http_head *head,
                                      struct ady_fault *f)
{
	enum ady_err err = take_method(c, head, f);

	if (err == ADY_OK)
		err = take_target(c, head, f);
	if (err == ADY_OK)
		err = take_version(c, &head->minor, f, "request line");
	return err == ADY_OK ? take_text(c, "\r\n", f, "request line") : err;
}

static enum ady_err take_status_line(struct cursor *c, struct ady_http_head *head,
                                     struct ady_fault *f)
{
	enum ady_err err = take_version(c, &head->minor, f, "status line");

	if (err == ADY_OK)
		err = take_text(c, " ", f, "status");
	for (int i = 0, digit = 0; i < 3 && err == ADY_OK; i++) {
		err = take_digit(c, &digit, f, "status");
		head->status = head->status * 10 + digit;
	}
	if (err != ADY_OK)
		return err;
	if (head->status < 100 || head->status > 599)
		return ady_fail(f, ADY_E_HTTP, "status", "is not within 100 and 599");
	err = take_text(c, " ", f, "status");
	if (err != ADY_OK)
		return err;
	(void)take_class(c, VALUE);
	return take_text(c, "\r\n", f, "status");
}

/* --- heads --- */

typedef enum ady_err first_line(struct cursor *c, struct ady_http_head *head, struct ady_fault *f);

/* All but the array of fields, of which only fields_n count. */
static void clear(struct ady_http_head *head)
{
	const struct ady_bytes none = {0};

	head->method = head->target = head->path = head->query = none;
	head->status = head->minor = 0;
	head->fields_n = head->size = 0;
	head->has_length = head->chunked = head->keep_alive = head->expect_continue = false;
	head->length = 0;
}

static enum ady_err parse(struct ady_http_head *head, struct framing *fr, struct ady_bytes in,
                          first_line *first, struct ady_fault *f)
{
	/* More than the limit is not looked at. */
	size_t n = in.n < ADY_HTTP_HEAD_MAX ? in.n : ADY_HTTP_HEAD_MAX;
	struct cursor c = {.p = in.p, .end = n ? in.p + n : in.p};
	enum ady_err err;

	clear(head);
	if (n == 0)
		return ADY_E_AGAIN;
	err = first(&c, head, f);
	if (err == ADY_OK)
		err = take_fields(&c, head, fr, f);
	if (err == ADY_E_AGAIN && n == ADY_HTTP_HEAD_MAX)
		return ady_fail(f, ADY_E_TOO_LARGE, "head", "is longer than %d bytes",
		                ADY_HTTP_HEAD_MAX);
	if (err != ADY_OK)
		return err;
	head->size = (size_t)(c.p - in.p);
	return check_framing(head, fr, f);
}

enum ady_err ady_http_parse_request(struct ady_http_head *head, struct ady_bytes in,
                                    struct ady_fault *f)
{
	struct framing fr = {0};
	enum ady_err err = parse(head, &fr, in, take_request_line, f);

	/* RFC 9112 3.2 */
	if (err == ADY_OK && head->minor == 1 && !fr.host)
		return ady_fail(f, ADY_E_HTTP, "host", "is missing");
	return err;
}

enum ady_err ady_http_parse_reply(struct ady_http_head *head, struct ady_bytes in,
                                  struct ady_fault *f)
{
	struct framing fr = {0};

	return parse(head, &fr, in, take_status_line, f);
}

struct ady_bytes ady_http_field(const struct ady_http_head *head, const char *name)
{
	for (size_t i = 0; i < head->fields_n; i++)
		if (is_any_case(head->fields[i].name, name))
			return head->fields[i].value;
	return (struct ady_bytes){0};
}

/* --- bodies and targets --- */

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum ady_err ady_http_chunk(size_t *size, size_t *used, struct ady_bytes in)
{
	struct cursor c = {.p = in.p, .end = in.n ? in.p + in.n : in.p};
	enum ady_err err;
	size_t n = 0;
	int digits = 0;

	*size = *used = 0;
	if (in.n == 0)
		return ADY_E_AGAIN;
	for (; c.p < c.end && hex_digit(*c.p) >= 0; c.p++, digits++) {
		if (digits == CHUNK_DIGITS_MAX)
			return ADY_E_TOO_LARGE;
		n = n * 16 + (size_t)hex_digit(*c.p);
	}
	if (n > CHUNK_MAX)
		return ADY_E_TOO_LARGE;
	if (c.p < c.end && digits == 0)
		return ADY_E_HTTP;
	err = take_text(&c, "\r\n", NULL, "chunk");
	if (err != ADY_OK)
		return err;
	*size = n;
	*used = (size_t)(c.p - in.p);
	return ADY_OK;
}

enum ady_err ady_http_unescape(char *out, size_t cap, struct ady_bytes text)
{
	size_t n = 0;

	if (cap == 0)
		return ADY_E_TOO_LARGE;
	out[0] = '\0';
	for (size_t i = 0; i < text.n; i++) {
		int c = text.p[i];

		if (c == '%') {
			int hi = i + 2 < text.n ? hex_digit(text.p[i + 1]) : -1;
			int lo = i + 2 < text.n ? hex_digit(text.p[i + 2]) : -1;

			c = hi < 0 || lo < 0 ? 0 : hi * 16 + lo;
			i += 2;
		}
		if (c == 0 || n + 1 >= cap) {
			out[0] = '\0';
			return c == 0 ? ADY_E_HTTP : ADY_E_TOO_LARGE;
		}
		out[n++] = (char)c;
	}
	out[n] = '\0';
	return ADY_OK;
}

enum ady_err ady_http_query(char *out, size_t cap, struct ady_bytes query, const char *name)
{
	size_t want = strlen(name);
	bool found = false;
	enum ady_err err;

	if (cap > 0)
		out[0] = '\0';
	while (query.n > 0) {
		const uint8_t *amp = memchr(query.p, '&', query.n);
		size_t n = amp ? (size_t)(amp - query.p) : query.n;
		struct ady_bytes item = ady_bytes(query.p, n);

		query = ady_bytes(query.p + n, query.n - n);
		if (amp)
			query = ady_bytes(query.p + 1, query.n - 1);
		if (n < want || memcmp(item.p, name, want) != 0 ||
		    (n > want && item.p[want] != '='))
			continue;
		if (found) {
			out[0] = '\0'; /* two values could be read in two ways */
			return ADY_E_HTTP;
		}
		found = true;
		item =
		    n > want ? ady_bytes_sub(item, want + 1, n - want - 1) : (struct ady_bytes){0};
		err = ady_http_unescape(out, cap, item);
		if (err != ADY_OK)
			return err;
	}
	return found ? ADY_OK : ADY_E_NOT_FOUND;
}
