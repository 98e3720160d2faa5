/* SPDX-License-Identifier: Apache-2.0
 *
 * WebSocket frames. The first byte chooses the side and the limit. The reader is held to its
 * promises: a frame read at once is the frame read after waiting for what it said it needs,
 * messages never exceed the limit, what is written is what is read. */
#include <stdlib.h>
#include <string.h>

#include "codec/ws.h"

/* See replay.c. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check_close(struct ady_bytes payload)
{
	struct ady_bytes reason;
	unsigned code;

	if (ady_ws_read_close(&code, &reason, payload) == ADY_OK)
		must(code >= 1000 && code < 5000 && reason.n + 2 <= payload.n + 2);
}

/* A frame whose head is written again is the same frame. */
static void check_head(const uint8_t *in, const struct ady_ws_frame *frame)
{
	uint8_t again[ADY_WS_HEAD_MAX];
	struct ady_ws_head head;
	struct ady_fault f;
	size_t n;

	must(ady_ws_parse_head(&head, ady_bytes(in, frame->used), &f) == ADY_OK);
	must(head.size + head.length == frame->used);
	if (!head.fin)
		return;
	n = ady_ws_put_head(again, head.op, head.length, head.masked ? head.mask : NULL);
	must(n == head.size && memcmp(again, in, n) == 0);
}

/* Fewer bytes than a frame has are never a frame, and are not touched. */
static void check_prefix(const struct ady_ws_reader *before, uint8_t *in, size_t n)
{
	struct ady_ws_reader r = *before;
	struct ady_ws_frame frame;
	struct ady_fault f;
	size_t need;

	must(ady_ws_read(&r, &frame, in, n, &need, &f) == ADY_E_AGAIN && need > n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ady_ws_reader r = {0};
	uint8_t *in;
	size_t n, need = 0;

	if (size < 1)
		return 0;
	r.from_client = data[0] & 1;
	r.max = (size_t)(data[0] >> 1) * 16;
	n = size - 1;
	in = malloc(n + 1);
	must(in != NULL);
	memcpy(in, data + 1, n);
	for (size_t at = 0; at < n;) {
		struct ady_ws_reader before = r;
		struct ady_ws_frame frame;
		struct ady_fault f = {0};
		enum ady_err err;

		if (n > at + 1)
			memcpy(in + at, data + 1 + at, n - at);
		err = ady_ws_read(&r, &frame, in + at, n - at, &need, &f);
		if (err != ADY_OK) {
			must(err == ADY_E_AGAIN ? need > n - at : f.detail[0] != '\0');
			break;
		}
		must(frame.used <= n - at && r.sum <= r.max && frame.payload.n <= frame.used);
		check_head(in + at, &frame);
		check_prefix(&before, in + at, frame.used - 1);
		if (frame.op == ADY_WS_CLOSE)
			check_close(frame.payload);
		at += frame.used;
	}
	free(in);
	return 0;
}
