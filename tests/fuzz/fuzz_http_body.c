/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies of replies: chunked, by length, to the end; the content is the same however the bytes are
 * cut. The first byte chooses the framing, the second the length of the pieces. */
#include <stdlib.h>
#include <string.h>

#include "codec/http_body.h"

/* See replay.c. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

struct result {
	struct ady_dyn content;
	enum ady_err err;
	size_t used;
	bool done;
};

static struct result decode(const struct ady_http_head *head, struct ady_bytes in, size_t step)
{
	struct result r = {.err = ADY_E_AGAIN};
	struct ady_http_body b;
	size_t have = step < in.n ? step : in.n;

	ady_http_body_begin(&b, head);
	while (b.stage != ADY_BODY_DONE) {
		struct ady_bytes piece;
		size_t used;

		r.err =
		    ady_http_body_next(&b, &piece, &used, ady_bytes_sub(in, r.used, have - r.used));
		must(used <= have - r.used && piece.n <= used);
		if (r.err == ADY_OK) {
			must(used > 0);
			ady_dyn_put(&r.content, piece.p, piece.n);
			r.used += used;
			continue;
		}
		if (r.err != ADY_E_AGAIN || have == in.n)
			break;
		have = have + step < in.n ? have + step : in.n;
	}
	r.done = b.stage == ADY_BODY_DONE;
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ady_http_head head = {.status = 200};
	struct result whole, pieces;
	struct ady_bytes in;

	if (size < 2)
		return 0;
	in = ady_bytes(data + 2, size - 2);
	head.chunked = data[0] % 3 == 0;
	head.has_length = data[0] % 3 == 1;
	head.length = data[0] / 3;
	whole = decode(&head, in, in.n);
	pieces = decode(&head, in, 1U + data[1]);
	must(whole.err == pieces.err && whole.done == pieces.done && whole.used == pieces.used);
	must(ady_bytes_eq(ady_dyn_bytes(&whole.content), ady_dyn_bytes(&pieces.content)));
	ady_dyn_free(&whole.content);
	ady_dyn_free(&pieces.content);
	return 0;
}
