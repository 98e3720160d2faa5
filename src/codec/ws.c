/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/ws.h"

#include <string.h>

#include "codec/utf8.h"

enum { FIN = 0x80, RESERVED = 0x70, OPCODE = 0x0f, MASKED = 0x80, LENGTH = 0x7f };
enum { LENGTH_16 = 126, LENGTH_64 = 127 };

static bool is_control(unsigned op)
{
	return op >= ADY_WS_CLOSE;
}

/* RFC 6455 5.2 and 5.5: what the first two bytes tell. */
static enum ady_err check_start(uint8_t first, struct ady_bytes in, struct ady_fault *f)
{
	unsigned op = first & OPCODE;

	if (first & RESERVED)
		return ady_fail(f, ADY_E_PROTOCOL, "frame", "has a reserved bit set");
	if (op > ADY_WS_PONG || (op > ADY_WS_BINARY && op < ADY_WS_CLOSE))
		return ady_fail(f, ADY_E_PROTOCOL, "frame", "has opcode %u, which means nothing",
		                op);
	if (is_control(op) && !(first & FIN))
		return ady_fail(f, ADY_E_PROTOCOL, "frame", "is a control frame in parts");
	if (in.n < 2)
		return ADY_E_AGAIN;
	if (is_control(op) && (in.p[1] & LENGTH) > ADY_WS_CONTROL_MAX)
		return ady_fail(f, ADY_E_PROTOCOL, "frame", "is a control frame of over %d bytes",
		                ADY_WS_CONTROL_MAX);
	return ADY_OK;
}

static enum ady_err take_length(struct ady_ws_head *head, struct ady_bytes in, struct ady_fault *f)
{
	uint8_t n = in.p[1] & LENGTH;

	head->size = 2;
	head->length = n;
	if (n == LENGTH_16) {
		head->size = 4;
		if (in.n < 4)
			return ADY_E_AGAIN;
		head->length = ady_be16(in.p + 2);
	} else if (n == LENGTH_64) {
		head->size = 10;
		if (in.n < 10)
			return ADY_E_AGAIN;
		head->length = ady_be64(in.p + 2);
		if (head->length >> 63)
			return ady_fail(f, ADY_E_PROTOCOL, "frame", "has a length with bit 63 set");
	}
	if ((n == LENGTH_16 && head->length < LENGTH_16) ||
	    (n == LENGTH_64 && head->length <= UINT16_MAX))
		return ady_fail(f, ADY_E_PROTOCOL, "frame", "has a length in a longer form");
	return ADY_OK;
}

enum ady_err ady_ws_parse_head(struct ady_ws_head *head, struct ady_bytes in, struct ady_fault *f)
{
	enum ady_err err;

	*head = (struct ady_ws_head){0};
	if (in.n == 0)
		return ADY_E_AGAIN;
	err = check_start(in.p[0], in, f);
	if (err == ADY_OK)
		err = take_length(head, in, f);
	if (err != ADY_OK)
		return err;
	head->fin = in.p[0] & FIN;
	head->op = (enum ady_ws_op)(in.p[0] & OPCODE);
	head->masked = in.p[1] & MASKED;
	if (!head->masked)
		return ADY_OK;
	if (in.n < head->size + sizeof head->mask)
		return ADY_E_AGAIN;
	memcpy(head->mask, in.p + head->size, sizeof head->mask);
	head->size += sizeof head->mask;
	return ADY_OK;
}

size_t ady_ws_put_head(uint8_t out[static ADY_WS_HEAD_MAX], enum ady_ws_op op, uint64_t length,
                       const uint8_t *mask)
{
	struct ady_buf b = ady_buf(out, ADY_WS_HEAD_MAX);
	uint8_t masked = mask ? MASKED : 0;

	ady_buf_u8(&b, (uint8_t)(FIN | op));
	if (length < LENGTH_16) {
		ady_buf_u8(&b, (uint8_t)(masked | length));
	} else if (length <= UINT16_MAX) {
		ady_buf_u8(&b, masked | LENGTH_16);
		ady_buf_be16(&b, (uint16_t)length);
	} else {
		ady_buf_u8(&b, masked | LENGTH_64);
		ady_buf_be64(&b, length);
	}
	if (mask)
		ady_buf_put(&b, mask, 4);
	return b.n;
}

void ady_ws_mask(uint8_t *p, size_t n, const uint8_t mask[static 4])
{
	for (size_t i = 0; i < n; i++)
		p[i] ^= mask[i % 4];
}

/* RFC 6455 5.4: where in a message a frame may stand. */
static enum ady_err check_order(struct ady_ws_reader *r, const struct ady_ws_head *head,
                                struct ady_fault *f)
{
	if (head->masked != r->from_client)
		return ady_fail(f, ADY_E_PROTOCOL, "frame", "%s",
		                r->from_client ? "is not masked" : "is masked by a server");
	if (is_control(head->op))
		return ADY_OK;
	if ((head->op == ADY_WS_CONTINUATION) != r->within)
		return ady_fail(f, ADY_E_PROTOCOL, "frame", "%s",
		                r->within ? "begins a message within another"
		                          : "continues a message that has not begun");
	if (head->length > r->max - r->sum)
		return ady_fail(f, ADY_E_TOO_LARGE, "message", "is longer than %zu bytes", r->max);
	return ADY_OK;
}

/* in must be null-safe for n == 0: no byte is looked at then. */
enum ady_err ady_ws_read(struct ady_ws_reader *r, struct ady_ws_frame *frame, uint8_t *in, size_t n,
                         size_t *need, struct ady_fault *f)
{
	struct ady_ws_head head;
	enum ady_err err = ady_ws_parse_head(&head, ady_bytes(in, n), f);

	*frame = (struct ady_ws_frame){0};
	*need = n + 1;
	if (err == ADY_OK)
		err = check_order(r, &head, f);
	if (err != ADY_OK)
		return err;
	*need = head.size + (size_t)head.length;
	if (n < *need)
		return ADY_E_AGAIN;
	if (head.masked)
		ady_ws_mask(in + head.size, (size_t)head.length, head.mask);
	frame->op = is_control(head.op) ? head.op : ADY_WS_TEXT;
	frame->fin = head.fin;
	frame->payload = ady_bytes(in + head.size, (size_t)head.length);
	frame->used = *need;
	if (is_control(head.op))
		return ADY_OK;
	r->within = !head.fin;
	r->sum = head.fin ? 0 : r->sum + (size_t)head.length;
	return ADY_OK;
}

/* RFC 6455 7.4: 1000-1003, 1007-1011 and what IANA added to 1014; 3000-4999 are free to use. */
static bool may_be_sent(unsigned code)
{
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
	       (code >= 3000 && code <= 4999);
}

enum ady_err ady_ws_read_close(unsigned *code, struct ady_bytes *reason, struct ady_bytes payload)
{
	*code = ADY_WS_NO_CODE;
	*reason = (struct ady_bytes){0};
	if (payload.n == 0)
		return ADY_OK;
	if (payload.n < 2)
		return ADY_E_PROTOCOL;
	*code = ady_be16(payload.p);
	*reason = ady_bytes_sub(payload, 2, payload.n - 2);
	return may_be_sent(*code) && ady_utf8_valid(*reason) ? ADY_OK : ADY_E_PROTOCOL;
}
