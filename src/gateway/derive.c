/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/derive.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "chain/eth_tx.h"
#include "codec/wire_wallet.h"
#include "crypto/secp.h"
#include "gateway/answer.h"
#include "gateway/keys_call.h"
#include "signer/derive.h"

/* What the answer of the enclave is made into records and an answer with. */
struct making {
	struct ady_derive d;
	struct ady_record wallet, rec;
	struct ady_dyn *out; /* the answer's list */
	size_t prefix_n;     /* of ids in the store */
	struct ady_json doc;
	struct ady_json_tok toks[ADY_SHARD_TOKENS];
};

/* --- the answer --- */

static void put_hex(struct ady_dyn *out, const char *head, struct ady_bytes b)
{
	ady_dyn_str(out, head);
	ady_dyn_hex(out, b);
	ady_dyn_str(out, "\"");
}

/* {"id": .., "path": .., "public_key": .., "address": ..}: id of a key that was made, address of
 * one that has it. */
static enum ady_err put_key(const struct making *m, const uint8_t *pub, uint64_t number)
{
	char path[ADY_HD_PATH_TEXT + 1] = "", address[43];
	struct ady_buf b = ady_buf(path, sizeof path - 1);
	uint8_t pub65[65], address20[20];

	ady_hd_path_put(&b, &m->d.path, (uint32_t)number);
	ady_dyn_str(m->out, "{");
	if (m->d.options.n > 0) {
		ady_dyn_str(m->out, "\"id\":");
		ady_answer_string(m->out, m->rec.id + m->prefix_n);
		ady_dyn_str(m->out, ",");
	}
	ady_dyn_printf(m->out, "\"path\":\"%s\"", path);
	put_hex(m->out, ",\"public_key\":\"0x", ady_bytes(pub, ady_curve_public_size(m->d.curve)));
	if (m->d.curve == ADY_CURVE_SECP256K1) {
		if (ady_secp_expand(pub65, pub) != ADY_OK)
			return ADY_E_PROTOCOL;
		ady_eth_address(address20, pub65);
		ady_eth_address_format(address, address20);
		ady_dyn_printf(m->out, ",\"address\":\"%s\"", address);
	}
	ady_dyn_str(m->out, "}");
	return ADY_OK;
}

/* Append the record of a key, and a line's end. */
static enum ady_err put_record(struct making *m, const uint8_t *at, uint64_t number,
                               struct ady_dyn *records)
{
	const size_t pub_n = ady_curve_public_size(m->d.curve);
	struct ady_buf text;

	ady_derive_number(&m->rec, &m->d, &m->wallet, number);
	memcpy(m->rec.pub, at, pub_n);
	memcpy(m->rec.ciphertext, at + pub_n, ADY_WIRE_SEALED_KEY);
	m->rec.ciphertext_n = ADY_WIRE_SEALED_KEY;
	ady_record_bind(&m->rec);
	text = ady_buf(ady_dyn_room(records, ADY_WIRE_RECORD_MAX), ADY_WIRE_RECORD_MAX);
	ady_record_put(&text, &m->rec);
	if (text.full || strlen(m->rec.id) < m->prefix_n)
		return ADY_E_TOO_LARGE;
	records->n += text.n;
	ady_dyn_str(records, "\n");
	return ADY_OK;
}

static enum ady_err put_all(struct making *m, struct ady_bytes keys, struct ady_dyn *records)
{
	const bool made = m->d.options.n > 0;
	const size_t each = ady_curve_public_size(m->d.curve) + (made ? ADY_WIRE_SEALED_KEY : 0);
	enum ady_err err = keys.n == each * m->d.count ? ADY_OK : ADY_E_PROTOCOL;

	if (made)
		ady_dyn_printf(m->out, "{\"created\":%llu,\"keys\":[",
		               (unsigned long long)m->d.count);
	else
		ady_dyn_str(m->out, "{\"keys\":[");
	for (uint64_t i = 0; i < m->d.count && err == ADY_OK; i++) {
		const uint8_t *at = keys.p + i * each;

		ady_dyn_str(m->out, i > 0 ? ",\n" : "");
		if (made)
			err = put_record(m, at, m->d.first + i, records);
		if (err == ADY_OK)
			err = put_key(m, at, m->d.first + i);
	}
	ady_dyn_str(m->out, "]}\n");
	return err;
}

/* The wallet's id, NUL, and its record: what op keeps while the enclave works. */
static struct ady_bytes kept_id(const struct ady_op *op)
{
	return ady_bytes_str((const char *)op->body.p);
}

static struct ady_bytes kept_record(const struct ady_op *op)
{
	size_t n = kept_id(op).n + 1;

	return ady_bytes(op->body.p + n, op->body.n - n);
}

/* Read again what the enclave has read. The record needs tokens only until it is read. */
static enum ady_err begin(struct making *m, struct ady_op *op, const struct ady_wire_derived *a,
                          struct ady_fault *f)
{
	struct ady_json_tok *toks = op->shard->toks;
	enum ady_err err = ady_record_parse_in(&m->wallet, toks, ADY_SHARD_TOKENS, kept_record(op),
	                                       kept_id(op), f);

	if (err == ADY_OK)
		err = ady_derive_read(&m->d, &m->doc, m->toks, ADY_SHARD_TOKENS, op->req->body, f);
	if (err == ADY_OK && m->d.options.n > 0)
		err = ady_derive_record(&m->rec, &m->d, &m->wallet, toks, ADY_SHARD_TOKENS, f);
	if (err == ADY_OK && a->counters.n > 0)
		err = ady_record_set_counters(&m->rec, a->counters);
	m->rec.created = a->created;
	m->prefix_n = strlen(op->shard->gateway->config->store.prefix);
	return err;
}

static void on_stored(struct ady_op *op, struct ady_keys_call *call)
{
	if (call->job.fault.err == ADY_OK) {
		ady_dyn_free(&op->body);
		op->body = call->note;
		call->note = (struct ady_dyn){0};
		op->shard->out.n = 0;
		ady_dyn_put(&op->shard->out, op->body.p, op->body.n);
		ady_op_answer_with(op, 201, ADY_JSON_TYPE, ady_dyn_bytes(&op->shard->out));
	} else {
		ady_op_fail(op, &call->job.fault);
	}
}

static void finish(struct ady_op *op, const struct ady_wire_derived *a)
{
	struct making *m = calloc(1, sizeof *m);
	struct ady_keys_call *call = ady_keys_call_new(op, ADY_KEYS_PUT_MANY);
	struct ady_fault f = {0};
	enum ady_err err = m ? begin(m, op, a, &f) : ADY_E_MEMORY;
	bool made = m && m->d.options.n > 0;

	call->what = "derived";
	call->then = on_stored;
	if (err == ADY_OK) {
		m->out = &call->note;
		err = put_all(m, a->keys, &call->record);
	}
	if (err != ADY_OK) {
		ady_op_refuse(op, err, NULL, "the answer of the enclave is malformed");
	} else if (made) {
		ady_keys_call_submit(call);
		call = NULL;
	} else {
		ady_op_answer_with(op, 200, ADY_JSON_TYPE, ady_dyn_bytes(&call->note));
	}
	if (call)
		ady_keys_call_free(call);
	free(m);
}

static void on_derived(struct ady_call *call, struct ady_bytes body, const struct ady_fault *f)
{
	struct ady_op *op = (struct ady_op *)((char *)call - offsetof(struct ady_op, call));
	struct ady_wire_derived m;

	ady_op_keep_proof(op);
	if (f)
		ady_op_fail(op, f);
	else if (ady_wire_read_derived(&m, body) != ADY_OK)
		ady_op_refuse(op, ADY_E_PROTOCOL, NULL, "the answer of the enclave is malformed");
	else
		finish(op, &m);
}

/* --- the question --- */

static enum ady_err ask(struct ady_op *op)
{
	struct ady_shard *shard = op->shard;
	struct ady_buf b = ady_buf(shard->frame, sizeof shard->frame);
	struct ady_wire_derive m = {.key_id = kept_id(op),
	                            .record = kept_record(op),
	                            .request = op->req->body,
	                            .stamp = ady_http_field(&op->req->head, ADY_STAMP_FIELD)};

	ady_wire_put_derive(&b, &m);
	if (b.full || m.stamp.n > ADY_WIRE_STAMP_MAX)
		return ADY_E_TOO_LARGE;
	op->call = (struct ady_call){.done = on_derived};
	return ady_enclaves_ask(shard->enclaves, &op->call, ADY_WIRE_DERIVE, ady_buf_bytes(&b),
	                        ady_op_left_ms(op));
}

static void on_wallet(struct ady_op *op, struct ady_keys_call *call)
{
	enum ady_err err = call->job.fault.err;

	if (err != ADY_OK) {
		ady_op_fail(op, &call->job.fault);
		return;
	}
	ady_dyn_put(&op->body, call->id, strlen(call->id) + 1);
	ady_dyn_put(&op->body, call->out.p, call->out.n);
	if ((err = ask(op)) != ADY_OK)
		ady_op_refuse(op, err, NULL, NULL);
}

/* Whoever may use a wallet is told its public keys; who may make keys has them made. Each key is
 * one of what the tenant may have signed. */
static enum ady_err check(struct ady_op *op, struct ady_fault *f)
{
	struct ady_derive d;
	struct ady_json doc;
	enum ady_err err =
	    ady_derive_read(&d, &doc, op->shard->toks, ADY_SHARD_TOKENS, op->req->body, f);

	if (err == ADY_OK && d.options.n > 0 && !op->caller.everyone && !op->caller.admin &&
	    !op->caller.manage)
		return ady_fail(f, ADY_E_DENIED, "options", "the caller makes no keys");
	return err == ADY_OK ? ady_quota_take(op->shard->gateway->quotas, &op->caller, d.count,
	                                      ady_mono_us(), f)
	                     : err;
}

void ady_derive_page(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id)
{
	struct ady_keys_call *call;
	struct ady_fault f = {0};
	struct ady_op *op;
	size_t n;

	op = ady_op_begin(shard, req, ADY_ROUTE_KEYS);
	if (!op)
		return;
	if (check(op, &f) != ADY_OK) {
		ady_op_fail(op, &f);
		return;
	}
	call = ady_keys_call_new(op, ADY_KEYS_WALLET);
	n = strlen(call->prefix);
	memcpy(call->id, call->prefix, n);
	call->then = on_wallet;
	if (ady_http_unescape(call->id + n, sizeof call->id - n, id) == ADY_OK &&
	    ady_entry_is_name(call->id, ADY_KEY_ID_MAX)) {
		ady_keys_call_submit(call);
		return;
	}
	ady_keys_call_free(call);
	ady_op_refuse(op, ADY_E_FIELD_INVALID, "id", "is no name of a key");
}
