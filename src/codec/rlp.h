/* SPDX-License-Identifier: Apache-2.0
 *
 * RLP (Ethereum yellow paper, appendix B): a writer in one pass from a sized plan, and a reader
 * that accepts canonical encodings only. Heap: none; no recursion. */
#ifndef ADY_CODEC_RLP_H
#define ADY_CODEC_RLP_H

#include "base/bytes.h"

enum { ADY_RLP_DEPTH = 64 };

/* Bytes that the encoding of string v takes. */
size_t ady_rlp_size_string(struct ady_bytes v);

/* Bytes that a list with a payload of n bytes takes. */
size_t ady_rlp_size_list(size_t n);

/* Write a string. Integers are strings without leading zero bytes; 0 is empty. */
void ady_rlp_put_string(struct ady_buf *b, struct ady_bytes v);

/* Write the head of a list whose items take n bytes; the caller writes them behind it. */
void ady_rlp_put_list(struct ady_buf *b, size_t n);

struct ady_rlp_item {
	bool list;
	struct ady_bytes payload;
};

/* Take the first item off *in. Returns ADY_E_RLP for a truncated or non-canonical one (a single
 * byte below 0x80 with a head, a length in more bytes than needed, a length past the end). */
enum ady_err ady_rlp_next(struct ady_rlp_item *item, struct ady_bytes *in);

/* Whether b is exactly one item, canonical all through, at most ADY_RLP_DEPTH lists deep. Returns
 * ADY_E_RLP otherwise. */
enum ady_err ady_rlp_check(struct ady_bytes b);

#endif
