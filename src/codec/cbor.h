/* SPDX-License-Identifier: Apache-2.0
 *
 * A strict subset of deterministic CBOR (RFC 8949 section 4.2.1): unsigned and negative integers,
 * byte and text strings, arrays, maps, tag, false, true, null; definite lengths in shortest form
 * only; text is valid UTF-8. Floats and indefinite lengths are refused. Reading copies nothing.
 * Heap: none. Time: linear in the bytes read.
 *
 * The reader is a cursor with a sticky error: calls after the first error do nothing and give
 * zero values, so that a message is read straight down and asked once by ady_cbor_end. */
#ifndef ADY_CODEC_CBOR_H
#define ADY_CODEC_CBOR_H

#include "base/bytes.h"

enum { ADY_CBOR_DEPTH = 16 };

enum ady_cbor_kind {
	ADY_CBOR_NONE, /* end of input, or an error before */
	ADY_CBOR_UINT,
	ADY_CBOR_NINT,
	ADY_CBOR_BYTES,
	ADY_CBOR_TEXT,
	ADY_CBOR_ARRAY,
	ADY_CBOR_MAP,
	ADY_CBOR_TAG,
	ADY_CBOR_FALSE,
	ADY_CBOR_TRUE,
	ADY_CBOR_NULL,
};

struct ady_cbor {
	const uint8_t *p, *end;
	enum ady_err err;
};

/* A reader at the start of b. */
struct ady_cbor ady_cbor(struct ady_bytes b);

/* What comes next, without moving. ADY_CBOR_NONE at the end, after an error, or when the next item
 * is not of the subset. */
enum ady_cbor_kind ady_cbor_peek(const struct ady_cbor *c);

/* Read an unsigned integer. */
uint64_t ady_cbor_uint(struct ady_cbor *c);

/* Read an integer of either sign that fits int64_t. */
int64_t ady_cbor_int(struct ady_cbor *c);

/* Read a byte string: a view into the input. */
struct ady_bytes ady_cbor_bytes(struct ady_cbor *c);

/* Read a text string: a view into the input, valid UTF-8. */
struct ady_bytes ady_cbor_text(struct ady_cbor *c);

/* Read true or false. */
bool ady_cbor_bool(struct ady_cbor *c);

/* Read null if it is next, and say whether it was. */
bool ady_cbor_null(struct ady_cbor *c);

/* Read the head of an array; its items follow. The number is at most the bytes that remain. */
size_t ady_cbor_array(struct ady_cbor *c);

/* Read the head of a map: the number of pairs, at most half the bytes that remain; keys and values
 * follow in turn. The order and uniqueness of keys are the caller's to check (NSM documents are
 * not sorted); see ady_cbor_key_uint for maps of ours. */
size_t ady_cbor_map(struct ady_cbor *c);

/* Read a tag's number; the tagged item follows. */
uint64_t ady_cbor_tag(struct ady_cbor *c);

/* Read an integer key of a map of ours: it must exceed *last (start with -1), which it replaces.
 * An unsorted or duplicate key is an error. */
uint64_t ady_cbor_key_uint(struct ady_cbor *c, int64_t *last);

/* Skip one item of the subset with all it contains, at most ADY_CBOR_DEPTH arrays, maps and tags
 * deep; strings are checked as when they are read. */
void ady_cbor_skip(struct ady_cbor *c);

/* Record an error of the caller's, unless there is one already. */
void ady_cbor_fail(struct ady_cbor *c);

/* ADY_OK when nothing failed and every byte was read, else ADY_E_CBOR. */
enum ady_err ady_cbor_end(const struct ady_cbor *c);

/* Write an unsigned integer. */
void ady_cbor_put_uint(struct ady_buf *b, uint64_t v);

/* Write an integer. */
void ady_cbor_put_int(struct ady_buf *b, int64_t v);

/* Write a byte string. */
void ady_cbor_put_bytes(struct ady_buf *b, struct ady_bytes v);

/* Write the head of a byte string of n bytes, which the caller writes or hashes. */
void ady_cbor_put_bytes_head(struct ady_buf *b, size_t n);

/* Write a text string; the caller vouches for its UTF-8. */
void ady_cbor_put_text(struct ady_buf *b, struct ady_bytes v);

/* Write a text string. */
void ady_cbor_put_str(struct ady_buf *b, const char *s);

/* Write the head of an array of n items. */
void ady_cbor_put_array(struct ady_buf *b, size_t n);

/* Write the head of a map of n pairs; the caller writes them in ascending order of their keys. */
void ady_cbor_put_map(struct ady_buf *b, size_t n);

/* Write true or false. */
void ady_cbor_put_bool(struct ady_buf *b, bool v);

/* Write null. */
void ady_cbor_put_null(struct ady_buf *b);

#endif
