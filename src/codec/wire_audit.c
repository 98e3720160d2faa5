/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/wire_audit.h"

#include "codec/wire_body.h"

void ady_wire_put_audit(struct ady_buf *b, uint64_t from)
{
	ady_cbor_put_map(b, 1);
	put_uint(b, 0, from);
}

enum ady_err ady_wire_read_audit(uint64_t *from, struct ady_bytes body)
{
	struct ady_cbor c = open_body(body, 1);

	*from = take_uint(&c, 0, UINT64_MAX);
	return close_body(&c, from, sizeof *from);
}

void ady_wire_put_audited(struct ady_buf *b, const struct ady_wire_audited *m)
{
	ady_cbor_put_map(b, 4);
	put_bytes(b, 0, m->public);
	put_uint(b, 1, m->end);
	put_uint(b, 2, m->next);
	put_bytes(b, 3, m->proofs);
}

enum ady_err ady_wire_read_audited(struct ady_wire_audited *m, struct ady_bytes body)
{
	struct ady_cbor c = open_body(body, 4);

	m->public = take_bytes(&c, 0, 32, 32);
	m->end = take_uint(&c, 1, UINT64_MAX);
	m->next = take_uint(&c, 2, m->end);
	m->proofs = take_bytes(&c, 3, 0, ADY_WIRE_PROOFS_MAX);
	return close_body(&c, m, sizeof *m);
}
