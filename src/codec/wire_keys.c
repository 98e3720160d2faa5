/* SPDX-License-Identifier: Apache-2.0
 *
 * The messages that make keys or bring them in. */
#include "codec/wire.h"
#include "codec/wire_body.h"

static void put_create(struct ady_buf *b, const struct ady_wire_create *m)
{
	put_uint(b, 0, m->curve);
	put_text(b, 1, m->tenant);
	put_bytes(b, 2, m->options);
	put_bytes(b, 3, m->data_key);
}

static void take_create(struct ady_cbor *c, struct ady_wire_create *m)
{
	m->curve = take_uint(c, 0, ADY_WIRE_CURVE_MAX);
	m->tenant = take_text(c, 1, 1, ADY_WIRE_TENANT_MAX);
	m->options = take_bytes(c, 2, 1, ADY_WIRE_REQUEST_MAX);
	m->data_key = take_bytes(c, 3, 0, ADY_WIRE_DATA_KEY_MAX);
}

void ady_wire_put_create(struct ady_buf *b, const struct ady_wire_create *m)
{
	ady_cbor_put_map(b, 4);
	put_create(b, m);
}

enum ady_err ady_wire_read_create(struct ady_wire_create *m, struct ady_bytes body)
{
	struct ady_cbor c = open_body(body, 4);

	take_create(&c, m);
	return close_body(&c, m, sizeof *m);
}

void ady_wire_put_policy_change(struct ady_buf *b, const struct ady_wire_policy_change *m)
{
	ady_cbor_put_map(b, 4);
	put_text(b, 0, m->key_id);
	put_bytes(b, 1, m->record);
	put_bytes(b, 2, m->change);
	put_bytes(b, 3, m->stamp);
}

enum ady_err ady_wire_read_policy_change(struct ady_wire_policy_change *m, struct ady_bytes body)
{
	struct ady_cbor c = open_body(body, 4);

	m->key_id = take_text(&c, 0, 1, ADY_WIRE_KEY_ID_MAX);
	m->record = take_bytes(&c, 1, 1, ADY_WIRE_RECORD_MAX);
	m->change = take_bytes(&c, 2, 1, ADY_WIRE_REQUEST_MAX);
	m->stamp = take_bytes(&c, 3, 0, ADY_WIRE_STAMP_MAX);
	return close_body(&c, m, sizeof *m);
}

void ady_wire_put_import(struct ady_buf *b, const struct ady_wire_import *m)
{
	ady_cbor_put_map(b, 7);
	put_create(b, &m->create);
	put_uint(b, 4, m->form);
	put_bytes(b, 5, m->enc);
	put_bytes(b, 6, m->sealed);
}

size_t ady_wire_sealed_max(uint64_t form)
{
	if (form == ADY_IMPORT_V3 || form == ADY_IMPORT_EIP2335)
		return ADY_WIRE_KEYSTORE_MAX;
	return form == ADY_IMPORT_SAMPLE ? ADY_WIRE_KMS_MAX : ADY_WIRE_SEALED_MAX;
}

enum ady_err ady_wire_read_import(struct ady_wire_import *m, struct ady_bytes body)
{
	struct ady_cbor c = open_body(body, 7);
	size_t enc_n;

	take_create(&c, &m->create);
	m->form = take_uint(&c, 4, ADY_IMPORT_WALLET);
	enc_n = m->form == ADY_IMPORT_SAMPLE ? 0 : 32;
	m->enc = take_bytes(&c, 5, enc_n, enc_n);
	m->sealed = take_bytes(&c, 6, 1, ady_wire_sealed_max(m->form));
	return close_body(&c, m, sizeof *m);
}

void ady_wire_put_batch(struct ady_buf *b, const struct ady_wire_batch *m)
{
	ady_cbor_put_map(b, 6);
	put_create(b, &m->create);
	put_uint(b, 4, m->first);
	put_uint(b, 5, m->count);
}

enum ady_err ady_wire_read_batch(struct ady_wire_batch *m, struct ady_bytes body)
{
	struct ady_cbor c = open_body(body, 6);

	take_create(&c, &m->create);
	m->first = take_uint(&c, 4, 999999999);
	m->count = take_uint(&c, 5, ADY_WIRE_BATCH_MAX);
	if (m->count == 0)
		ady_cbor_fail(&c);
	return close_body(&c, m, sizeof *m);
}

void ady_wire_put_batched(struct ady_buf *b, const struct ady_wire_batched *m)
{
	ady_cbor_put_map(b, 3);
	put_uint(b, 0, m->created);
	put_bytes(b, 1, m->data_key);
	put_bytes(b, 2, m->keys);
}

enum ady_err ady_wire_read_batched(struct ady_wire_batched *m, struct ady_bytes body)
{
	struct ady_cbor c = open_body(body, 3);

	m->created = take_uint(&c, 0, ADY_WIRE_EXPIRY_MAX);
	m->data_key = take_bytes(&c, 1, 1, ADY_WIRE_DATA_KEY_MAX);
	m->keys = take_bytes(&c, 2, 32 + ADY_WIRE_SEALED_KEY,
	                     (48 + ADY_WIRE_SEALED_KEY) * ADY_WIRE_BATCH_MAX);
	return close_body(&c, m, sizeof *m);
}

void ady_wire_put_rewrap(struct ady_buf *b, const struct ady_wire_rewrap *m)
{
	ady_cbor_put_map(b, 4);
	put_text(b, 0, m->key_id);
	put_bytes(b, 1, m->record);
	put_bytes(b, 2, m->data_key);
	put_text(b, 3, m->kms_key);
}

enum ady_err ady_wire_read_rewrap(struct ady_wire_rewrap *m, struct ady_bytes body)
{
	struct ady_cbor c = open_body(body, 4);

	m->key_id = take_text(&c, 0, 1, ADY_WIRE_KEY_ID_MAX);
	m->record = take_bytes(&c, 1, 1, ADY_WIRE_RECORD_MAX);
	m->data_key = take_bytes(&c, 2, 0, ADY_WIRE_DATA_KEY_MAX);
	m->kms_key = take_text(&c, 3, 0, ADY_WIRE_ARN_MAX);
	return close_body(&c, m, sizeof *m);
}

void ady_wire_put_backup(struct ady_buf *b, const struct ady_wire_backup *m)
{
	ady_cbor_put_map(b, 4);
	put_text(b, 0, m->key_id);
	put_bytes(b, 1, m->record);
	put_bytes(b, 2, m->request);
	put_bytes(b, 3, m->stamp);
}

enum ady_err ady_wire_read_backup(struct ady_wire_backup *m, struct ady_bytes body)
{
	struct ady_cbor c = open_body(body, 4);

	m->key_id = take_text(&c, 0, 1, ADY_WIRE_KEY_ID_MAX);
	m->record = take_bytes(&c, 1, 1, ADY_WIRE_RECORD_MAX);
	m->request = take_bytes(&c, 2, 0, ADY_WIRE_BACKUP_BODY_MAX);
	m->stamp = take_bytes(&c, 3, 0, ADY_WIRE_STAMP_MAX);
	return close_body(&c, m, sizeof *m);
}

void ady_wire_put_backed_up(struct ady_buf *b, const struct ady_wire_backed_up *m)
{
	ady_cbor_put_map(b, 2);
	put_bytes(b, 0, m->enc);
	put_bytes(b, 1, m->sealed);
}

enum ady_err ady_wire_read_backed_up(struct ady_wire_backed_up *m, struct ady_bytes body)
{
	struct ady_cbor c = open_body(body, 2);

	m->enc = take_bytes(&c, 0, 32, 32);
	m->sealed = take_bytes(&c, 1, 48, 113);
	if (m->sealed.n != 48 && m->sealed.n != 113)
		ady_cbor_fail(&c);
	return close_body(&c, m, sizeof *m);
}

void ady_wire_put_created(struct ady_buf *b, const struct ady_wire_created *m)
{
	ady_cbor_put_map(b, 3);
	put_bytes(b, 0, m->record);
	put_bytes(b, 1, m->public_key);
	put_bytes(b, 2, m->address);
}

enum ady_err ady_wire_read_created(struct ady_wire_created *m, struct ady_bytes body)
{
	struct ady_cbor c = open_body(body, 3);

	m->record = take_bytes(&c, 0, 1, ADY_WIRE_RECORD_MAX);
	m->public_key = take_bytes(&c, 1, 32, 48);
	m->address = take_bytes(&c, 2, 0, 20);
	if (m->address.n % 20 != 0)
		ady_cbor_fail(&c);
	return close_body(&c, m, sizeof *m);
}
