/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON values on a stream: however the bytes are cut, the same values are found; what the reader of
 * JSON accepts as an object or array is found whole. The first byte is the length of the pieces. */
#include <stdlib.h>
#include <string.h>

#include "codec/json.h"
#include "codec/json_stream.h"

/* See replay.c. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

enum { VALUES = 64 };

struct found {
	size_t end[VALUES], n;
	enum ady_err err;
};

static void split(struct found *out, struct ady_bytes in, size_t step)
{
	struct ady_json_stream s = {0};
	size_t begin = 0, have = step < in.n ? step : in.n;

	out->n = 0;
	for (;;) {
		struct ady_bytes value;
		size_t used;

		out->err =
		    ady_json_stream_next(&s, &value, &used, ady_bytes_sub(in, begin, have - begin));
		must(used <= have - begin);
		begin += used;
		if (out->err == ADY_OK) {
			must(value.n >= 2 && value.p + value.n == in.p + begin);
			if (out->n == VALUES)
				return;
			out->end[out->n++] = begin;
			continue;
		}
		if (out->err != ADY_E_AGAIN || have == in.n)
			return;
		have = have + step < in.n ? have + step : in.n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ady_json_tok toks[1024];
	struct found whole, pieces;
	struct ady_json doc;
	struct ady_fault f;
	struct ady_bytes in;

	if (size < 2)
		return 0;
	in = ady_bytes(data + 1, size - 1);
	split(&whole, in, in.n);
	split(&pieces, in, 1U + data[0]);
	must(whole.n == pieces.n && whole.err == pieces.err &&
	     memcmp(whole.end, pieces.end, whole.n * sizeof *whole.end) == 0);
	if (ady_json_parse_syntax(&doc, toks, 1024, in, &f) == ADY_OK &&
	    (ady_json_kind(&doc, 0) == ADY_JSON_OBJECT || ady_json_kind(&doc, 0) == ADY_JSON_ARRAY))
		must(whole.n == 1 && whole.err == ADY_E_AGAIN);
	return 0;
}
