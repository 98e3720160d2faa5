/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON values back to back on a stream, as geth's IPC has them: no length goes before a value, and
 * nothing but blanks stands between two. This finds where an object or array ends by counting
 * brackets outside strings; whether it is JSON the reader of the value decides. Heap: none. */
#ifndef ADY_CODEC_JSON_STREAM_H
#define ADY_CODEC_JSON_STREAM_H

#include "base/bytes.h"

/* All zero at first, and after each value. */
struct ady_json_stream {
	size_t at;    /* bytes looked at */
	size_t depth; /* open brackets */
	bool within_string, escaped;
};

/* Look for the value at the start of in, which holds what it held at the last call and maybe more:
 * each byte is looked at once. On ADY_OK *value is the value, *used the bytes up to its end, and s
 * is ready for the next value, which begins at in.p + *used.
 * Returns: ADY_E_AGAIN when it has not ended (*used: blanks that may be dropped; s is then as if
 * they had never been there); ADY_E_JSON when something else than an object or array begins. */
enum ady_err ady_json_stream_next(struct ady_json_stream *s, struct ady_bytes *value, size_t *used,
                                  struct ady_bytes in);

#endif
