/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/creating.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "codec/json.h"
#include "gateway/shard.h"

enum { RECORD_TOKENS = 8192 }; /* a policy has many */

/* The next key of the tenant is sealed under the data key of this record. */
static void remember(struct ady_creating *c, struct ady_bytes record)
{
	struct ady_json_tok toks[RECORD_TOKENS];
	char text[ADY_BASE64_SIZE(ADY_WIRE_DATA_KEY_MAX)];
	uint8_t blob[ADY_WIRE_DATA_KEY_MAX];
	struct ady_json doc;
	uint32_t i;
	size_t n;

	if (ady_json_parse(&doc, toks, RECORD_TOKENS, record, NULL) == ADY_OK &&
	    (i = ady_json_get(&doc, 0, "data_key")) != 0 &&
	    ady_json_string(&doc, i, text, sizeof text, &n) == ADY_OK &&
	    ady_base64_decode(blob, sizeof blob, &n, ady_bytes(text, n)) == ADY_OK)
		ady_tenant_keys_set(c->shard->gateway->tenant_keys, c->tenant, ady_bytes(blob, n));
}

static const struct ady_fault *malformed(struct ady_fault *f)
{
	(void)ady_fail(f, ADY_E_PROTOCOL, NULL, "the answer of the enclave is malformed");
	return f;
}

static void on_batched(struct ady_creating *c, struct ady_bytes body, const struct ady_fault *f)
{
	struct ady_wire_batched m;
	struct ady_fault space;

	if (!f && ady_wire_read_batched(&m, body) != ADY_OK)
		f = malformed(&space);
	if (!f)
		ady_tenant_keys_set(c->shard->gateway->tenant_keys, c->tenant, m.data_key);
	c->batched(c, f ? NULL : &m, f);
}

static void on_created(struct ady_creating *c, struct ady_bytes body, const struct ady_fault *f)
{
	struct ady_wire_created m;
	struct ady_fault space;

	if (!f && ady_wire_read_created(&m, body) != ADY_OK)
		f = malformed(&space);
	if (!f)
		remember(c, m.record);
	c->done(c, f ? NULL : &m, f);
}

static bool is_sealed_to_another(const struct ady_creating *c, const struct ady_fault *f)
{
	return c->import.n > 0 && (f->err == ADY_E_ENCLAVE || (f->err == ADY_E_FIELD_INVALID &&
	                                                       strcmp(f->where, "sealed") == 0));
}

/* Ask the next enclave that can be asked to take a key in. */
static enum ady_err ask_next(struct ady_creating *c)
{
	struct ady_enclaves *all = c->shard->enclaves;
	int64_t left = c->due_ms - ady_mono_ms();
	enum ady_err err = ADY_E_ENCLAVE;

	while (err != ADY_OK && c->tried < ady_enclaves_n(all))
		err = ady_enclaves_ask_at(all, c->tried++, &c->call, c->type,
		                          ady_dyn_bytes(&c->import), left < 1 ? 1 : (uint32_t)left);
	return err;
}

void ady_creating_drop(struct ady_creating *c)
{
	if (!c->shard)
		return;
	ady_enclaves_forget(c->shard->enclaves, &c->call);
	ady_dyn_free(&c->import);
}

static void on_answer(struct ady_call *call, struct ady_bytes body, const struct ady_fault *f)
{
	struct ady_creating *c =
	    (struct ady_creating *)((char *)call - offsetof(struct ady_creating, call));

	if (f && is_sealed_to_another(c, f) && ask_next(c) == ADY_OK)
		return;
	ady_dyn_free(&c->import);
	/* A data key that KMS no longer opens is no use to the next key. */
	if (f && f->err == ADY_E_KMS && c->reused)
		ady_tenant_keys_set(c->shard->gateway->tenant_keys, c->tenant,
		                    (struct ady_bytes){0});
	if (c->type == ADY_WIRE_CREATE_BATCH)
		on_batched(c, body, f);
	else
		on_created(c, body, f);
}

/* Begin a call: the tenant's data key goes to blob, and its view to m. */
static enum ady_err begin(struct ady_creating *c, struct ady_shard *shard, uint8_t type,
                          struct ady_wire_create *m, struct ady_buf *blob)
{
	if (!ady_bytes_to_str(c->tenant, sizeof c->tenant, m->tenant))
		return ADY_E_FIELD_INVALID;
	c->shard = shard;
	c->type = type;
	c->call = (struct ady_call){.done = on_answer};
	ady_tenant_keys_get(shard->gateway->tenant_keys, c->tenant, blob);
	c->reused = blob->n > 0;
	m->data_key = ady_buf_bytes(blob);
	return ADY_OK;
}

static enum ady_err send(struct ady_creating *c, const struct ady_buf *b, uint32_t deadline_ms)
{
	if (b->full)
		return ADY_E_TOO_LARGE;
	return ady_enclaves_ask(c->shard->enclaves, &c->call, c->type, ady_buf_bytes(b),
	                        deadline_ms);
}

enum ady_err ady_creating_ask(struct ady_creating *c, struct ady_shard *shard, enum ady_curve curve,
                              struct ady_bytes tenant, struct ady_bytes options,
                              uint32_t deadline_ms)
{
	struct ady_wire_create m = {.curve = (uint64_t)curve, .tenant = tenant, .options = options};
	struct ady_buf b = ady_buf(shard->frame, sizeof shard->frame);
	uint8_t space[ADY_WIRE_DATA_KEY_MAX];
	struct ady_buf blob = ady_buf(space, sizeof space);
	enum ady_err err = begin(c, shard, ADY_WIRE_CREATE, &m, &blob);

	if (err != ADY_OK)
		return err;
	ady_wire_put_create(&b, &m);
	return send(c, &b, deadline_ms);
}

enum ady_err ady_creating_import(struct ady_creating *c, struct ady_shard *shard,
                                 struct ady_wire_import *m, uint32_t deadline_ms)
{
	struct ady_buf b = ady_buf(shard->frame, sizeof shard->frame);
	uint8_t space[ADY_WIRE_DATA_KEY_MAX];
	struct ady_buf blob = ady_buf(space, sizeof space);
	enum ady_err err = begin(c, shard, ADY_WIRE_IMPORT, &m->create, &blob);

	if (err != ADY_OK)
		return err;
	ady_wire_put_import(&b, m);
	if (b.full || ady_enclaves_n(shard->enclaves) == 1)
		return send(c, &b, deadline_ms);
	c->import.n = 0;
	ady_dyn_put(&c->import, b.p, b.n);
	c->tried = 0;
	c->due_ms = ady_mono_ms() + deadline_ms;
	err = ask_next(c);
	if (err != ADY_OK)
		ady_dyn_free(&c->import);
	return err;
}

enum ady_err ady_creating_batch(struct ady_creating *c, struct ady_shard *shard,
                                struct ady_wire_batch *m, uint32_t deadline_ms)
{
	struct ady_buf b = ady_buf(shard->frame, sizeof shard->frame);
	uint8_t space[ADY_WIRE_DATA_KEY_MAX];
	struct ady_buf blob = ady_buf(space, sizeof space);
	enum ady_err err = begin(c, shard, ADY_WIRE_CREATE_BATCH, &m->create, &blob);

	if (err != ADY_OK)
		return err;
	ady_wire_put_batch(&b, m);
	return send(c, &b, deadline_ms);
}
