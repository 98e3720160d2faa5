/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/wire.h"

#include <string.h>

#include "codec/wire_body.h"

bool ady_wire_decides(uint8_t type)
{
	static const uint8_t tells[] = {ADY_WIRE_HELLO,     ADY_WIRE_CREDENTIALS,  ADY_WIRE_ATTEST,
	                                ADY_WIRE_STATUS,    ADY_WIRE_IMPORT_KEY,   ADY_WIRE_RELAY,
	                                ADY_WIRE_STATE_CAS, ADY_WIRE_RESPONSE_KEY, ADY_WIRE_AUDIT};

	return type != 0 && !memchr(tells, type, sizeof tells);
}

static void store_be(uint8_t *out, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
}

void ady_wire_put_head(uint8_t out[static ADY_WIRE_HEAD], const struct ady_wire_head *head)
{
	memset(out, 0, ADY_WIRE_HEAD);
	store_be(out, head->length, 4);
	out[4] = ADY_WIRE_VERSION;
	out[5] = head->type;
	store_be(out + 8, head->id, 8);
	store_be(out + 16, head->deadline_ms, 4);
	store_be(out + 20, head->proof, 4);
}

/* Only a question has a deadline. */
static bool deadline_fits(uint8_t type, uint32_t ms)
{
	if (type & ADY_WIRE_ANSWER)
		return ms == 0;
	return ms >= 1 && ms <= ADY_WIRE_DEADLINE_MAX_MS;
}

size_t ady_wire_body_max(uint8_t type)
{
	return type == ADY_WIRE_DUTY ? ADY_WIRE_LARGE_MAX : ADY_WIRE_BODY_MAX;
}

/* Only an answer has a proof. */
static bool proof_fits(const struct ady_wire_head *h)
{
	return h->proof == 0 || (h->type & ADY_WIRE_ANSWER && h->proof < h->length);
}

enum ady_err ady_wire_read_head(struct ady_wire_head *head, const uint8_t in[static ADY_WIRE_HEAD])
{
	struct ady_wire_head h = {.length = ady_be32(in),
	                          .type = in[5],
	                          .id = ady_be64(in + 8),
	                          .deadline_ms = ady_be32(in + 16),
	                          .proof = ady_be32(in + 20)};

	*head = (struct ady_wire_head){0};
	if (in[4] != ADY_WIRE_VERSION || h.length > ady_wire_body_max(h.type))
		return ADY_E_PROTOCOL;
	if (ady_be16(in + 6) != 0 || !proof_fits(&h) || !deadline_fits(h.type, h.deadline_ms))
		return ADY_E_PROTOCOL;
	*head = h;
	return ADY_OK;
}

void ady_wire_put_empty(struct ady_buf *b)
{
	ady_cbor_put_map(b, 0);
}

enum ady_err ady_wire_read_empty(struct ady_bytes body)
{
	struct ady_cbor c = open_body(body, 0);

	return ady_cbor_end(&c) == ADY_OK ? ADY_OK : ADY_E_PROTOCOL;
}

void ady_wire_put_hello(struct ady_buf *b, const struct ady_wire_hello *m)
{
	ady_cbor_put_map(b, 5);
	put_text(b, 0, m->version);
	put_text(b, 1, m->module_id);
	put_bytes(b, 2, m->config_hash);
	put_uint(b, 3, m->lanes);
	put_uint(b, 4, m->depth);
}

enum ady_err ady_wire_read_hello(struct ady_wire_hello *m, struct ady_bytes body)
{
	struct ady_cbor c = open_body(body, 5);

	m->version = take_text(&c, 0, 1, ADY_WIRE_NAME_MAX);
	m->module_id = take_text(&c, 1, 0, ADY_WIRE_NAME_MAX);
	m->config_hash = take_bytes(&c, 2, 48, 48);
	m->lanes = take_uint(&c, 3, UINT64_MAX);
	m->depth = take_uint(&c, 4, UINT64_MAX);
	return close_body(&c, m, sizeof *m);
}

void ady_wire_put_credentials(struct ady_buf *b, const struct ady_wire_credentials *m)
{
	ady_cbor_put_map(b, 4);
	put_text(b, 0, m->access_key);
	put_text(b, 1, m->secret_key);
	put_text(b, 2, m->token);
	put_uint(b, 3, m->expires_unix_s);
}

enum ady_err ady_wire_read_credentials(struct ady_wire_credentials *m, struct ady_bytes body)
{
	struct ady_cbor c = open_body(body, 4);

	m->access_key = take_visible(&c, 0, 1, ADY_WIRE_NAME_MAX);
	m->secret_key = take_visible(&c, 1, 1, ADY_WIRE_NAME_MAX);
	m->token = take_visible(&c, 2, 0, ADY_WIRE_TOKEN_MAX);
	m->expires_unix_s = take_uint(&c, 3, ADY_WIRE_EXPIRY_MAX);
	return close_body(&c, m, sizeof *m);
}

void ady_wire_put_sign(struct ady_buf *b, const struct ady_wire_sign *m)
{
	ady_cbor_put_map(b, 5);
	put_uint(b, 0, (uint64_t)m->form);
	put_text(b, 1, m->key_id);
	put_bytes(b, 2, m->record);
	put_bytes(b, 3, m->request);
	put_bytes(b, 4, m->stamp);
}

enum ady_err ady_wire_read_sign(struct ady_wire_sign *m, struct ady_bytes body)
{
	struct ady_cbor c = open_body(body, 5);

	m->form = (enum ady_wire_form)take_uint(&c, 0, ADY_FORM_SAMPLE);
	m->key_id = take_text(&c, 1, 1, ADY_WIRE_KEY_ID_MAX);
	m->record = take_bytes(&c, 2, 1, ADY_WIRE_RECORD_MAX);
	m->request = take_bytes(&c, 3, 0, ADY_WIRE_REQUEST_MAX);
	m->stamp = take_bytes(&c, 4, 0, ADY_WIRE_STAMP_MAX);
	return close_body(&c, m, sizeof *m);
}

void ady_wire_put_signed(struct ady_buf *b, const struct ady_wire_signed *m)
{
	ady_cbor_put_map(b, 6);
	put_bytes(b, 0, m->raw);
	put_bytes(b, 1, m->hash);
	put_bytes(b, 2, m->from);
	put_bytes(b, 3, m->r);
	put_bytes(b, 4, m->s);
	put_uint(b, 5, m->y_parity);
}

enum ady_err ady_wire_read_signed(struct ady_wire_signed *m, struct ady_bytes body)
{
	struct ady_cbor c = open_body(body, 6);

	m->raw = take_bytes(&c, 0, 0, ADY_WIRE_RAW_MAX);
	m->hash = take_bytes(&c, 1, 32, 32);
	m->from = take_bytes(&c, 2, 0, 20);
	if (m->from.n % 20 != 0)
		ady_cbor_fail(&c);
	m->r = take_bytes(&c, 3, 32, 32);
	m->s = take_bytes(&c, 4, 32, 32);
	m->y_parity = take_uint(&c, 5, 1);
	return close_body(&c, m, sizeof *m);
}

void ady_wire_put_blob(struct ady_buf *b, struct ady_bytes blob)
{
	ady_cbor_put_map(b, 1);
	put_bytes(b, 0, blob);
}

enum ady_err ady_wire_read_blob(struct ady_bytes *blob, size_t max, struct ady_bytes body)
{
	struct ady_cbor c = open_body(body, 1);

	*blob = take_bytes(&c, 0, 0, max);
	return close_body(&c, blob, sizeof *blob);
}

void ady_wire_put_lock(struct ady_buf *b, struct ady_bytes tenant)
{
	ady_cbor_put_map(b, 1);
	put_text(b, 0, tenant);
}

enum ady_err ady_wire_read_lock(struct ady_bytes *tenant, struct ady_bytes body)
{
	struct ady_cbor c = open_body(body, 1);

	*tenant = take_text(&c, 0, 0, ADY_WIRE_TENANT_MAX);
	return close_body(&c, tenant, sizeof *tenant);
}

void ady_wire_put_locked(struct ady_buf *b, uint64_t n)
{
	ady_cbor_put_map(b, 1);
	put_uint(b, 0, n);
}

enum ady_err ady_wire_read_locked(uint64_t *n, struct ady_bytes body)
{
	struct ady_cbor c = open_body(body, 1);

	*n = take_uint(&c, 0, UINT64_MAX);
	return close_body(&c, n, sizeof *n);
}

void ady_wire_put_status(struct ady_buf *b, const struct ady_wire_status *m)
{
	ady_cbor_put_map(b, 18);
	put_uint(b, 0, m->kms);
	put_text(b, 1, m->kms_text);
	put_uint(b, 2, m->has_credentials);
	put_uint(b, 3, m->waiting);
	put_uint(b, 4, m->signed_n);
	put_uint(b, 5, m->refused_n);
	put_uint(b, 6, m->kms_calls);
	put_uint(b, 7, m->kms_failures);
	put_uint(b, 8, m->prepare_us);
	put_uint(b, 9, m->kms_us);
	put_uint(b, 10, m->sign_us);
	put_uint(b, 11, m->drift_ms);
	put_uint(b, 12, m->created);
	put_uint(b, 13, m->data_keys);
	put_uint(b, 14, m->data_key_hits);
	put_uint(b, 15, m->data_key_misses);
	put_uint(b, 16, m->data_keys_expired);
	put_uint(b, 17, m->data_keys_locked);
}

enum ady_err ady_wire_read_status(struct ady_wire_status *m, struct ady_bytes body)
{
	struct ady_cbor c = open_body(body, 18);

	m->kms = take_uint(&c, 0, ADY_KMS_FAILING);
	m->kms_text = take_text(&c, 1, 0, sizeof((struct ady_fault *)0)->detail - 1);
	m->has_credentials = take_uint(&c, 2, 1);
	m->waiting = take_uint(&c, 3, UINT64_MAX);
	m->signed_n = take_uint(&c, 4, UINT64_MAX);
	m->refused_n = take_uint(&c, 5, UINT64_MAX);
	m->kms_calls = take_uint(&c, 6, UINT64_MAX);
	m->kms_failures = take_uint(&c, 7, UINT64_MAX);
	m->prepare_us = take_uint(&c, 8, UINT64_MAX);
	m->kms_us = take_uint(&c, 9, UINT64_MAX);
	m->sign_us = take_uint(&c, 10, UINT64_MAX);
	m->drift_ms = take_uint(&c, 11, UINT64_MAX);
	m->created = take_uint(&c, 12, UINT64_MAX);
	m->data_keys = take_uint(&c, 13, UINT64_MAX);
	m->data_key_hits = take_uint(&c, 14, UINT64_MAX);
	m->data_key_misses = take_uint(&c, 15, UINT64_MAX);
	m->data_keys_expired = take_uint(&c, 16, UINT64_MAX);
	m->data_keys_locked = take_uint(&c, 17, UINT64_MAX);
	return close_body(&c, m, sizeof *m);
}

void ady_wire_put_relay(struct ady_buf *b, struct ady_bytes host, uint16_t port)
{
	ady_cbor_put_map(b, 2);
	put_text(b, 0, host);
	put_uint(b, 1, port);
}

static bool host_char(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
}

enum ady_err ady_wire_read_relay(struct ady_bytes *host, uint16_t *port, struct ady_bytes body)
{
	struct ady_cbor c = open_body(body, 2);

	*host = take_text(&c, 0, 1, ADY_WIRE_HOST_MAX);
	for (size_t i = 0; i < host->n; i++)
		if (!host_char(host->p[i]))
			ady_cbor_fail(&c);
	*port = (uint16_t)take_uint(&c, 1, UINT16_MAX);
	if (*port == 0)
		ady_cbor_fail(&c);
	if (ady_cbor_end(&c) == ADY_OK)
		return ADY_OK;
	*host = (struct ady_bytes){0};
	*port = 0;
	return ADY_E_PROTOCOL;
}

static void put_printable(struct ady_buf *b, uint64_t key, const char *s)
{
	size_t n = strlen(s);

	ady_cbor_put_uint(b, key);
	ady_cbor_put_text(b, ady_bytes(s, n));
	for (size_t i = b->n - n; !b->full && i < b->n; i++)
		if (b->p[i] < 0x20 || b->p[i] > 0x7e)
			b->p[i] = '?';
}

void ady_wire_put_fault(struct ady_buf *b, const struct ady_fault *f)
{
	ady_cbor_put_map(b, 4);
	put_printable(b, 0, ady_err_code(f->err));
	put_printable(b, 1, f->where);
	put_printable(b, 2, f->detail);
	put_printable(b, 3, f->cause);
}

/* Copy a text field to out[cap]. */
static void copy_text(struct ady_cbor *c, uint64_t key, char *out, size_t cap)
{
	struct ady_bytes b = take_text(c, key, 0, cap - 1);

	if (!ady_bytes_to_str(out, cap, b))
		ady_cbor_fail(c);
}

enum ady_err ady_wire_read_fault(struct ady_fault *f, struct ady_bytes body)
{
	struct ady_cbor c = open_body(body, 4);
	char code[64];

	*f = (struct ady_fault){0};
	copy_text(&c, 0, code, sizeof code);
	copy_text(&c, 1, f->where, sizeof f->where);
	copy_text(&c, 2, f->detail, sizeof f->detail);
	copy_text(&c, 3, f->cause, sizeof f->cause);
	f->err = ady_err_from_code(code);
	if (f->err == ADY_OK)
		f->err = ADY_E_INTERNAL;
	if (close_body(&c, f, sizeof *f) == ADY_OK)
		return ADY_OK;
	f->err = ADY_E_PROTOCOL;
	return ADY_E_PROTOCOL;
}
