/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/wire_duty.h"

#include "codec/wire_body.h"

void ady_wire_put_duty(struct ady_buf *b, const struct ady_wire_duty *m)
{
	ady_cbor_put_map(b, 8);
	put_text(b, 0, m->key_id);
	put_bytes(b, 1, m->record);
	put_bytes(b, 2, m->state);
	put_uint(b, 3, m->strict);
	put_bytes(b, 4, m->request);
	put_bytes(b, 5, m->stamp);
	put_uint(b, 6, m->until_slot);
	put_uint(b, 7, m->until_epoch);
}

enum ady_err ady_wire_read_duty(struct ady_wire_duty *m, struct ady_bytes body)
{
	struct ady_cbor c = open_body(body, 8);

	m->key_id = take_text(&c, 0, 1, ADY_WIRE_KEY_ID_MAX);
	m->record = take_bytes(&c, 1, 1, ADY_WIRE_RECORD_MAX);
	m->state = take_bytes(&c, 2, 0, ADY_WIRE_STATE_MAX);
	m->strict = take_uint(&c, 3, 1);
	m->request = take_bytes(&c, 4, 0, ADY_WIRE_DUTY_MAX);
	m->stamp = take_bytes(&c, 5, 0, ADY_WIRE_STAMP_MAX);
	m->until_slot = take_uint(&c, 6, UINT64_MAX);
	m->until_epoch = take_uint(&c, 7, UINT64_MAX);
	return close_body(&c, m, sizeof *m);
}

void ady_wire_put_watermark(struct ady_buf *b, const struct ady_wire_watermark *m)
{
	ady_cbor_put_map(b, 9);
	put_uint(b, 0, m->op);
	put_text(b, 1, m->key_id);
	put_bytes(b, 2, m->record);
	put_bytes(b, 3, m->state);
	put_bytes(b, 4, m->genesis_root);
	put_uint(b, 5, m->marks);
	put_uint(b, 6, m->slot);
	put_uint(b, 7, m->source);
	put_uint(b, 8, m->target);
}

enum ady_err ady_wire_read_watermark(struct ady_wire_watermark *m, struct ady_bytes body)
{
	struct ady_cbor c = open_body(body, 9);

	m->op = take_uint(&c, 0, ADY_WATERMARK_REVIVE);
	m->key_id = take_text(&c, 1, 1, ADY_WIRE_KEY_ID_MAX);
	m->record = take_bytes(&c, 2, 1, ADY_WIRE_RECORD_MAX);
	m->state = take_bytes(&c, 3, 0, ADY_WIRE_STATE_MAX);
	m->genesis_root = take_bytes(&c, 4, 0, 32);
	m->marks = take_uint(&c, 5, 3);
	if (m->genesis_root.n != 32 && (m->genesis_root.n > 0 || m->marks != 0))
		return ADY_E_PROTOCOL;
	m->slot = take_uint(&c, 6, m->marks & 1 ? UINT64_MAX : 0);
	m->source = take_uint(&c, 7, m->marks & 2 ? UINT64_MAX : 0);
	m->target = take_uint(&c, 8, m->marks & 2 ? UINT64_MAX : 0);
	return close_body(&c, m, sizeof *m);
}

void ady_wire_put_state_cas(struct ady_buf *b, const struct ady_wire_state_cas *m)
{
	ady_cbor_put_map(b, 3);
	put_bytes(b, 0, m->key);
	put_uint(b, 1, m->version);
	put_bytes(b, 2, m->state);
}

enum ady_err ady_wire_read_state_cas(struct ady_wire_state_cas *m, struct ady_bytes body)
{
	struct ady_cbor c = open_body(body, 3);

	m->key = take_bytes(&c, 0, 32, 48);
	m->version = take_uint(&c, 1, UINT64_MAX - 1);
	m->state = take_bytes(&c, 2, 0, ADY_WIRE_ROW_MAX);
	return close_body(&c, m, sizeof *m);
}

void ady_wire_put_state_outcome(struct ady_buf *b, const struct ady_wire_state_outcome *m)
{
	ady_cbor_put_map(b, 2);
	put_uint(b, 0, m->written);
	put_bytes(b, 1, m->state);
}

enum ady_err ady_wire_read_state_outcome(struct ady_wire_state_outcome *m, struct ady_bytes body)
{
	struct ady_cbor c = open_body(body, 2);

	m->written = take_uint(&c, 0, 1);
	m->state = take_bytes(&c, 1, 0, ADY_WIRE_ROW_MAX);
	return close_body(&c, m, sizeof *m);
}
