/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/audit_entry.h"

#include "codec/wire_body.h"
#include "crypto/hash.h"

#define CHAIN_TAG "adyton audit 1"
#define ENTRY_TAG "adyton entry 1"

enum { MEMBERS = 11 };

void ady_audit_put_tail(struct ady_buf *b, const struct ady_audit_entry *e)
{
	put_uint(b, 2, e->op);
	put_text(b, 3, e->key);
	put_text(b, 4, e->tenant);
	put_bytes(b, 5, e->request);
	put_bytes(b, 6, e->result);
	put_text(b, 7, e->code);
	put_text(b, 8, e->where);
	put_bytes(b, 9, e->public);
	put_bytes(b, 10, e->digest);
}

void ady_audit_put_placed(struct ady_buf *b, uint64_t sequence, uint64_t time_ms,
                          struct ady_bytes tail)
{
	ady_cbor_put_map(b, MEMBERS);
	put_uint(b, 0, sequence);
	put_uint(b, 1, time_ms);
	ady_buf_view(b, tail);
}

void ady_audit_put(struct ady_buf *b, const struct ady_audit_entry *e)
{
	ady_audit_put_placed(b, e->sequence, e->time_ms, ady_bytes(NULL, 0));
	ady_audit_put_tail(b, e);
}

/* A hash, or nothing. */
static struct ady_bytes take_hash(struct ady_cbor *c, uint64_t key)
{
	struct ady_bytes b = take_bytes(c, key, 0, ADY_AUDIT_HASH);

	if (b.n != 0 && b.n != ADY_AUDIT_HASH)
		ady_cbor_fail(c);
	return b;
}

/* What an entry may say at once. */
static bool is_sound(const struct ady_audit_entry *e)
{
	const bool first = e->sequence == 0;

	if (first)
		return e->op == 0 && e->request.n == 0 && e->result.n == 0 && e->code.n == 0;
	return e->op != 0 && e->request.n > 0 && (e->result.n == 0) == (e->code.n > 0);
}

enum ady_err ady_audit_read(struct ady_audit_entry *e, struct ady_bytes text)
{
	struct ady_cbor c = open_body(text, MEMBERS);

	e->sequence = take_uint(&c, 0, UINT64_MAX);
	e->time_ms = take_uint(&c, 1, INT64_MAX);
	e->op = take_uint(&c, 2, UINT8_MAX);
	e->key = take_text(&c, 3, 0, ADY_AUDIT_KEY_MAX);
	e->tenant = take_text(&c, 4, 0, ADY_AUDIT_TENANT_MAX);
	e->request = take_hash(&c, 5);
	e->result = take_hash(&c, 6);
	e->code = take_text(&c, 7, 0, ADY_AUDIT_CODE_MAX);
	e->where = take_text(&c, 8, 0, ADY_AUDIT_WHERE_MAX);
	e->public = take_bytes(&c, 9, 0, ADY_AUDIT_PUBLIC_MAX);
	e->digest = take_hash(&c, 10);
	if (!is_sound(e))
		ady_cbor_fail(&c);
	return close_body(&c, e, sizeof *e) == ADY_OK ? ADY_OK : ADY_E_CBOR;
}

void ady_audit_chain_start(uint8_t head32[static 32], const uint8_t public32[static 32])
{
	const struct ady_bytes parts[] = {ady_bytes(CHAIN_TAG, sizeof CHAIN_TAG - 1),
	                                  ady_bytes(public32, 32)};

	ady_sha256(head32, parts, 2);
}

void ady_audit_digest(uint8_t digest32[static 32], struct ady_bytes entry)
{
	const struct ady_bytes parts[] = {ady_bytes(ENTRY_TAG, sizeof ENTRY_TAG - 1), entry};

	ady_sha256(digest32, parts, 2);
}

void ady_audit_chain(uint8_t head32[static 32], const uint8_t digest32[static 32])
{
	ady_sha256_pair(head32, head32, digest32);
}
