/* SPDX-License-Identifier: Apache-2.0 */
#include "net/duplex_inner.h"

#include <stdio.h>
#include <string.h>

#include "codec/utf8.h"
#include "crypto/rng.h"

/* --- writing --- */

/* RFC 6455 5.3: what a client sends is masked, so that no proxy takes it for something else. */
static void put_frame(struct ady_duplex *d, enum ady_ws_op op, struct ady_bytes payload)
{
	bool masked = d->config.framing == ADY_FRAMING_WS_CLIENT;
	uint8_t head[ADY_WS_HEAD_MAX], mask[4];

	if (masked)
		ady_random(mask, sizeof mask);
	ady_dyn_put(&d->out, head, ady_ws_put_head(head, op, payload.n, masked ? mask : NULL));
	ady_dyn_put(&d->out, payload.p, payload.n);
	if (masked)
		ady_ws_mask(d->out.p + d->out.n - payload.n, payload.n, mask);
}

void ady_duplex_put_text(struct ady_duplex *d, struct ady_bytes text)
{
	if (d->config.framing != ADY_FRAMING_JSON) {
		put_frame(d, ADY_WS_TEXT, text);
		return;
	}
	ady_dyn_put(&d->out, text.p, text.n);
	if (text.n == 0 || text.p[text.n - 1] != '\n')
		ady_dyn_put(&d->out, "\n", 1);
}

void ady_duplex_put_ping(struct ady_duplex *d)
{
	if (d->config.framing != ADY_FRAMING_JSON)
		put_frame(d, ADY_WS_PING, (struct ady_bytes){0});
}

void ady_duplex_put_close(struct ady_duplex *d, unsigned code, const char *why)
{
	uint8_t payload[ADY_WS_CONTROL_MAX];
	struct ady_buf b = ady_buf(payload, sizeof payload);

	if (d->config.framing == ADY_FRAMING_JSON)
		return;
	if (code != ADY_WS_NO_CODE) {
		ady_buf_be16(&b, (uint16_t)code);
		ady_buf_str(&b, why);
	}
	put_frame(d, ADY_WS_CLOSE, ady_buf_bytes(&b));
}

/* --- reading --- */

static void take_message_part(struct ady_duplex *d, const struct ady_ws_frame *frame)
{
	struct ady_bytes text = frame->payload;

	if (!frame->fin || d->text.n > 0) {
		ady_dyn_put(&d->text, text.p, text.n);
		text = ady_dyn_bytes(&d->text);
	}
	if (!frame->fin)
		return;
	if (ady_utf8_valid(text))
		ady_duplex_deliver(d, text);
	else
		ady_duplex_fault(d, ADY_WS_NO_UTF8, "a text is no UTF-8");
	d->text.n = 0;
}

static void take_close(struct ady_duplex *d, struct ady_bytes payload)
{
	struct ady_bytes reason;
	unsigned code;

	if (ady_ws_read_close(&code, &reason, payload) != ADY_OK)
		ady_duplex_fault(d, ADY_WS_PROTOCOL, "a close frame is malformed");
	else
		ady_duplex_peer_closes(d, code, reason);
}

/* Once this side has said that it closes, only the peer's close counts. */
static void take_frame(struct ady_duplex *d, const struct ady_ws_frame *frame)
{
	if (frame->op == ADY_WS_CLOSE)
		take_close(d, frame->payload);
	else if (d->stage != ADY_DUPLEX_OPEN)
		return;
	else if (frame->op == ADY_WS_TEXT)
		take_message_part(d, frame);
	else if (frame->op == ADY_WS_PING)
		put_frame(d, ADY_WS_PONG, frame->payload);
}

static bool take_ws(struct ady_duplex *d)
{
	struct ady_ws_frame frame;
	struct ady_fault f;
	char why[ADY_WS_CONTROL_MAX - 2];
	enum ady_err err =
	    ady_ws_read(&d->ws, &frame, d->in.p + d->in_at, d->in.n - d->in_at, &d->need, &f);

	if (err == ADY_E_AGAIN)
		return false;
	if (err != ADY_OK) {
		snprintf(why, sizeof why, "a %.16s %.100s", f.where, f.detail);
		ady_duplex_fault(d, err == ADY_E_TOO_LARGE ? ADY_WS_TOO_BIG : ADY_WS_PROTOCOL, why);
		return false;
	}
	d->in_at += frame.used;
	d->need = 0;
	take_frame(d, &frame);
	return true;
}

static bool take_json(struct ady_duplex *d)
{
	struct ady_bytes value, in = ady_bytes(d->in.p + d->in_at, d->in.n - d->in_at);
	size_t used;
	enum ady_err err = ady_json_stream_next(&d->json, &value, &used, in);

	d->in_at += used;
	if (err == ADY_E_JSON)
		ady_duplex_fault(d, ADY_WS_PROTOCOL, "what came is no JSON object or array");
	else if ((err == ADY_OK ? value.n : d->json.at) > d->config.limits.text_max)
		ady_duplex_fault(d, ADY_WS_TOO_BIG, "a text is too long");
	else if (err == ADY_OK)
		ady_duplex_deliver(d, value);
	return err == ADY_OK;
}

bool ady_duplex_take(struct ady_duplex *d)
{
	if (d->deaf)
		d->in_at = d->in.n;
	if (d->in.n - d->in_at < d->need || d->in.n == d->in_at)
		return false;
	if (d->config.framing != ADY_FRAMING_JSON)
		return take_ws(d);
	return d->stage == ADY_DUPLEX_OPEN && take_json(d);
}
