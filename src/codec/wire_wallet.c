/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/wire_wallet.h"

#include "codec/wire_body.h"

void ady_wire_put_derive(struct ady_buf *b, const struct ady_wire_derive *m)
{
	ady_cbor_put_map(b, 4);
	put_text(b, 0, m->key_id);
	put_bytes(b, 1, m->record);
	put_bytes(b, 2, m->request);
	put_bytes(b, 3, m->stamp);
}

enum ady_err ady_wire_read_derive(struct ady_wire_derive *m, struct ady_bytes body)
{
	struct ady_cbor c = open_body(body, 4);

	m->key_id = take_text(&c, 0, 1, ADY_WIRE_KEY_ID_MAX);
	m->record = take_bytes(&c, 1, 1, ADY_WIRE_RECORD_MAX);
	m->request = take_bytes(&c, 2, 0, ADY_WIRE_REQUEST_MAX);
	m->stamp = take_bytes(&c, 3, 0, ADY_WIRE_STAMP_MAX);
	return close_body(&c, m, sizeof *m);
}

void ady_wire_put_derived(struct ady_buf *b, const struct ady_wire_derived *m)
{
	ady_cbor_put_map(b, 3);
	put_uint(b, 0, m->created);
	put_bytes(b, 1, m->keys);
	put_bytes(b, 2, m->counters);
}

enum ady_err ady_wire_read_derived(struct ady_wire_derived *m, struct ady_bytes body)
{
	struct ady_cbor c = open_body(body, 3);

	m->created = take_uint(&c, 0, ADY_WIRE_EXPIRY_MAX);
	m->keys = take_bytes(&c, 1, 32, (48 + ADY_WIRE_SEALED_KEY) * ADY_WIRE_BATCH_MAX);
	m->counters = take_bytes(&c, 2, 0, 32 + ADY_WIRE_SEALED_KEY);
	if (m->counters.n != 0 && m->counters.n != 32 && m->counters.n != 32 + ADY_WIRE_SEALED_KEY)
		ady_cbor_fail(&c);
	return close_body(&c, m, sizeof *m);
}
