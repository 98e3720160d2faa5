/* SPDX-License-Identifier: Apache-2.0
 *
 * A strict JSON reader (RFC 8259) without heap: valid UTF-8, no duplicate keys (compared after
 * unescaping), no lone surrogates, no trailing bytes, at most ADY_JSON_DEPTH deep, and as many
 * tokens as the caller has room for. Numbers stay text, so that 256 bits stay exact. No recursion.
 * A document is an array of tokens in the order of the text; token 0 is the root. */
#ifndef ADY_CODEC_JSON_H
#define ADY_CODEC_JSON_H

#include "base/bytes.h"

enum { ADY_JSON_DEPTH = 16 };

enum ady_json_kind {
	ADY_JSON_NULL,
	ADY_JSON_FALSE,
	ADY_JSON_TRUE,
	ADY_JSON_NUMBER,
	ADY_JSON_STRING,
	ADY_JSON_ARRAY,
	ADY_JSON_OBJECT,
};

struct ady_json_tok {
	uint32_t at, len; /* the token's text; of a string, what stands between the quotes */
	uint32_t count;   /* items of an array, pairs of an object */
	uint32_t next;    /* index of the token behind this one and all it contains */
	uint8_t kind;     /* enum ady_json_kind */
	uint8_t escaped;  /* a string with escapes in it */
};

struct ady_json {
	struct ady_bytes text;
	const struct ady_json_tok *toks;
	uint32_t n;
};

/* Parse text (at most 4 GiB - 1) with room for cap tokens.
 * Returns: ADY_E_JSON; ADY_E_JSON_DUPLICATE for an object with a key twice (the key in f->where);
 * ADY_E_TOO_LARGE for more tokens or depth than there is room for. f says at which byte.
 * doc is usable on ADY_OK only and refers to text and toks.
 * Time: linear, and k log k comparisons for the k keys of an object. */
enum ady_err ady_json_parse(struct ady_json *doc, struct ady_json_tok *toks, size_t cap,
                            struct ady_bytes text, struct ady_fault *f);

/* The same without the search for duplicate keys, which RFC 8259 section 4 only advises against:
 * the grammar alone. ady_json_parse is this and that search; nothing that decides uses this one. */
enum ady_err ady_json_parse_syntax(struct ady_json *doc, struct ady_json_tok *toks, size_t cap,
                                   struct ady_bytes text, struct ady_fault *f);

/* The kind of token i. */
enum ady_json_kind ady_json_kind(const struct ady_json *doc, uint32_t i);

/* The raw text of token i (of a string: between the quotes, escapes as they stand). */
struct ady_bytes ady_json_raw(const struct ady_json *doc, uint32_t i);

/* Whether token i is a string that reads s after unescaping. */
bool ady_json_is(const struct ady_json *doc, uint32_t i, const char *s);

/* Unescape string token i to out[cap] with a NUL; *n is its length (it may hold NUL bytes).
 * Returns ADY_E_FIELD_INVALID when it is no string, ADY_E_TOO_LARGE. */
enum ady_err ady_json_string(const struct ady_json *doc, uint32_t i, char *out, size_t cap,
                             size_t *n);

/* Token i as a whole number without sign, fraction or exponent.
 * Returns ADY_E_FIELD_INVALID when it is none, ADY_E_FIELD_RANGE above 2^64 - 1; *v is 0 then. */
enum ady_err ady_json_u64(const struct ady_json *doc, uint32_t i, uint64_t *v);

/* The value of member name of object token i, or 0 when there is none (or i is no object): 0 is
 * the root and never a member. */
uint32_t ady_json_get(const struct ady_json *doc, uint32_t i, const char *name);

/* Iterate: the first child of array or object token i (of an object: its first key), or 0. */
uint32_t ady_json_first(const struct ady_json *doc, uint32_t i);

/* Iterate: the item of array i behind item at, or the key of object i behind key at, or 0 at the
 * end. The value of key k is token k + 1. */
uint32_t ady_json_after(const struct ady_json *doc, uint32_t i, uint32_t at);

/* Append s as a JSON string with quotes; s must be UTF-8, control characters are escaped. */
void ady_json_put_string(struct ady_buf *b, struct ady_bytes s);

/* Find the members of the object doc, whose root may be none, that names[n] has: value[i] is the
 * index of the value of names[i], 0 when it is not there.
 * Returns: ADY_E_FIELD_INVALID for what is no object; ADY_E_FIELD_UNKNOWN, with the member's name,
 * for any other. */
enum ady_err ady_json_members(uint32_t *value, const char *const *names, size_t n,
                              const struct ady_json *doc, struct ady_fault *f);

#endif
