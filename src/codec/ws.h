/* SPDX-License-Identifier: Apache-2.0
 *
 * WebSocket frames (RFC 6455), strict: no reserved bits and opcodes, shortest lengths only, control
 * frames whole and at most 125 bytes, masks from clients and never from servers, close codes that
 * may be sent, texts in UTF-8. No extensions. Heap: none. */
#ifndef ADY_CODEC_WS_H
#define ADY_CODEC_WS_H

#include "base/bytes.h"

enum { ADY_WS_HEAD_MAX = 14, ADY_WS_CONTROL_MAX = 125 };

enum ady_ws_op {
	ADY_WS_CONTINUATION = 0,
	ADY_WS_TEXT = 1,
	ADY_WS_BINARY = 2,
	ADY_WS_CLOSE = 8,
	ADY_WS_PING = 9,
	ADY_WS_PONG = 10,
};

/* Close codes (RFC 6455 7.4.1, and 1012, 1013 of IANA's list). */
enum ady_ws_code {
	ADY_WS_NORMAL = 1000,
	ADY_WS_GOING_AWAY = 1001,
	ADY_WS_PROTOCOL = 1002,
	ADY_WS_NO_CODE = 1005, /* never sent: a close frame without a code */
	ADY_WS_CUT = 1006,     /* never sent: the connection ended without a close frame */
	ADY_WS_NO_UTF8 = 1007,
	ADY_WS_POLICY = 1008,
	ADY_WS_TOO_BIG = 1009,
	ADY_WS_RESTART = 1012,
	ADY_WS_TRY_LATER = 1013,
};

struct ady_ws_head {
	bool fin, masked;
	enum ady_ws_op op;
	uint64_t length;
	uint8_t mask[4];
	size_t size; /* bytes of the head */
};

/* Parse a frame's head at the start of in.
 * Returns: ADY_E_AGAIN when it is not complete yet, ADY_E_PROTOCOL with the reason in f; refused as
 * soon as it cannot become valid. */
enum ady_err ady_ws_parse_head(struct ady_ws_head *head, struct ady_bytes in, struct ady_fault *f);

/* Write the head of a final frame. mask: 4 bytes, or NULL for none. Returns its size. */
size_t ady_ws_put_head(uint8_t out[static ADY_WS_HEAD_MAX], enum ady_ws_op op, uint64_t length,
                       const uint8_t *mask);

/* Mask or unmask n bytes in place (RFC 6455 5.3). */
void ady_ws_mask(uint8_t *p, size_t n, const uint8_t mask[static 4]);

/* What frames have come so far in the message that is being read. */
struct ady_ws_reader {
	bool from_client; /* frames must be masked; else they must not */
	size_t max;       /* of a message */
	size_t sum;       /* bytes of the message so far */
	bool within;      /* a message has begun */
};

/* One frame, whole. */
struct ady_ws_frame {
	enum ady_ws_op op; /* TEXT for any frame of a message */
	bool fin;          /* the message ends with it */
	struct ady_bytes payload;
	size_t used; /* bytes of in that the frame is */
};

/* Read the frame at the start of in[n]; its payload is unmasked in place.
 * Returns: ADY_E_AGAIN when it is not complete (*need: how many bytes it has, as far as known),
 * ADY_E_TOO_LARGE when the message is longer than max, ADY_E_PROTOCOL; the reason in f. A message's
 * text is not checked for UTF-8: that takes all its frames. */
enum ady_err ady_ws_read(struct ady_ws_reader *r, struct ady_ws_frame *frame, uint8_t *in, size_t n,
                         size_t *need, struct ady_fault *f);

/* Read the payload of a close frame: *code is ADY_WS_NO_CODE when it is empty. Returns
 * ADY_E_PROTOCOL for half a code, a code that may not be sent, or a reason that is no UTF-8. */
enum ady_err ady_ws_read_close(unsigned *code, struct ady_bytes *reason, struct ady_bytes payload);

#endif
