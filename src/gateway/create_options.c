/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/create_options.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "gateway/keys_call.h"

enum member { OPTIONS, ENC, SEALED, FORM, KMS, COUNT, FIRST, TENANT, CURVE, LABEL, MEMBERS };

static const char *const names[MEMBERS] = {"options", "enc",   "sealed", "form",  "kms_ciphertext",
                                           "count",   "first", "tenant", "curve", "label"};

struct body {
	struct ady_json doc;
	uint32_t value[MEMBERS];
};

static enum ady_err read_body(struct ady_op *op, struct body *b, struct ady_fault *f)
{
	const struct ady_json *doc = &b->doc;
	enum ady_err err =
	    ady_json_parse(&b->doc, op->shard->toks, ADY_SHARD_TOKENS, op->req->body, f);

	return err == ADY_OK ? ady_json_members(b->value, names, MEMBERS, doc, f) : err;
}

/* A text member as it reads, on the heap. */
static enum ady_err text_of(const struct body *b, enum member m, struct ady_dyn *out,
                            struct ady_fault *f)
{
	size_t cap = b->value[m] ? b->doc.toks[b->value[m]].len + 1 : 1, n = 0;

	if (!b->value[m])
		return ady_fail(f, ADY_E_FIELD_MISSING, names[m], "is required");
	if (ady_json_string(&b->doc, b->value[m], (char *)ady_dyn_room(out, cap), cap, &n) !=
	    ADY_OK)
		return ady_fail(f, ADY_E_FIELD_INVALID, names[m], "must be a string");
	out->n = n;
	return ADY_OK;
}

/* A member in base64 as bytes, in place. */
static enum ady_err bytes_of(const struct body *b, enum member m, struct ady_dyn *out,
                             struct ady_fault *f)
{
	enum ady_err err = text_of(b, m, out, f);
	size_t n;

	if (err != ADY_OK)
		return err;
	if (ady_base64_decode(out->p, out->cap, &n, ady_dyn_bytes(out)) != ADY_OK || n == 0)
		return ady_fail(f, ADY_E_FIELD_INVALID, names[m], "must be base64");
	out->n = n;
	return ADY_OK;
}

static enum ady_err number_of(const struct body *b, enum member m, uint64_t min, uint64_t max,
                              uint64_t *v, struct ady_fault *f)
{
	if (b->value[m] &&
	    (ady_json_u64(&b->doc, b->value[m], v) != ADY_OK || *v < min || *v > max))
		return ady_fail(f, ADY_E_FIELD_RANGE, names[m],
		                "must be a number from %llu to %llu", (unsigned long long)min,
		                (unsigned long long)max);
	return ADY_OK;
}

/* --- a key that is brought in --- */

/* What was sealed: by "form", or a key without it. */
static enum ady_err form_of(const struct body *b, uint64_t *form, struct ady_fault *f)
{
	static const struct {
		const char *name;
		uint64_t form;
	} forms[] = {{"key", ADY_IMPORT_SEALED},
	             {"v3", ADY_IMPORT_V3},
	             {"eip2335", ADY_IMPORT_EIP2335},
	             {"bip39", ADY_IMPORT_WALLET}};

	*form = b->value[KMS] ? ADY_IMPORT_SAMPLE : ADY_IMPORT_SEALED;
	if (!b->value[FORM])
		return ADY_OK;
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		if (!b->value[KMS] && ady_json_is(&b->doc, b->value[FORM], forms[i].name)) {
			*form = forms[i].form;
			return ADY_OK;
		}
	return ady_fail(f, ADY_E_FIELD_INVALID, names[FORM], "is not known, or not with this");
}

static enum ady_err import(struct ady_op *op, const struct body *b, struct ady_wire_create create,
                           struct ady_fault *f)
{
	struct ady_wire_import m = {.create = create};
	struct ady_dyn enc = {0}, sealed = {0};
	enum ady_err err = bytes_of(b, b->value[KMS] ? KMS : SEALED, &sealed, f);
	size_t max;

	if (err == ADY_OK)
		err = form_of(b, &m.form, f);
	max = ady_wire_sealed_max(m.form);
	if (err == ADY_OK && !b->value[KMS])
		err = bytes_of(b, ENC, &enc, f);
	if (err == ADY_OK && !b->value[KMS] && enc.n != 32)
		err = ady_fail(f, ADY_E_FIELD_INVALID, "enc", "must be 32 bytes");
	if (err == ADY_OK && sealed.n > max)
		err = ady_fail(f, ADY_E_TOO_LARGE, b->value[KMS] ? names[KMS] : names[SEALED],
		               "exceeds %zu bytes", max);
	m.enc = ady_dyn_bytes(&enc);
	m.sealed = ady_dyn_bytes(&sealed);
	op->creating.done = ady_create_store;
	if (err == ADY_OK &&
	    (err = ady_creating_import(&op->creating, op->shard, &m, ady_op_left_ms(op))) != ADY_OK)
		(void)ady_fail(f, err, NULL, "%s", "");
	ady_dyn_free(&enc);
	ady_dyn_free(&sealed);
	return err;
}

/* --- many keys --- */

/* What the answer to a batch is made into records with. */
struct batch {
	struct ady_record rec;
	enum ady_curve curve;
	uint64_t first;
	size_t id_n;
	struct ady_json_tok toks[ADY_SHARD_TOKENS];
};

/* Append the record of key number i, and a line's end. */
static enum ady_err put_record(struct batch *b, const struct ady_wire_batched *m, size_t i,
                               struct ady_dyn *out)
{
	const size_t pub_n = ady_curve_public_size(b->curve);
	const uint8_t *at = m->keys.p + i * (pub_n + ADY_WIRE_SEALED_KEY);
	unsigned long long number = b->first + i;
	struct ady_buf text;

	snprintf(b->rec.id + b->id_n, sizeof b->rec.id - b->id_n, "%llu", number);
	memcpy(b->rec.pub, at, pub_n);
	memcpy(b->rec.ciphertext, at + pub_n, ADY_WIRE_SEALED_KEY);
	b->rec.ciphertext_n = ADY_WIRE_SEALED_KEY;
	ady_record_bind(&b->rec);
	text = ady_buf(ady_dyn_room(out, ADY_WIRE_RECORD_MAX), ADY_WIRE_RECORD_MAX);
	ady_record_put(&text, &b->rec);
	if (text.full)
		return ADY_E_TOO_LARGE;
	out->n += text.n;
	ady_dyn_str(out, "\n");
	return ADY_OK;
}

/* The records of an answer, each on a line: a record has no line's end in it. */
static enum ady_err put_records(struct ady_op *op, const struct ady_wire_batched *m,
                                struct ady_dyn *out)
{
	struct batch *b = calloc(1, sizeof *b);
	struct ady_fault f;
	struct body body = {0};
	struct ady_dyn options = {0};
	enum ady_err err = b ? read_body(op, &body, &f) : ADY_E_MEMORY;
	size_t each = 1;

	if (err == ADY_OK)
		err = text_of(&body, OPTIONS, &options, &f);
	if (err == ADY_OK)
		err = number_of(&body, FIRST, 0, 999999999, &b->first, &f);
	if (err == ADY_OK) {
		b->curve = op->creating.curve;
		each = ady_curve_public_size(b->curve) + ADY_WIRE_SEALED_KEY;
		err = ady_record_begin_in(&b->rec, b->toks, ADY_SHARD_TOKENS, b->curve,
		                          ady_bytes_str(op->creating.tenant),
		                          ady_dyn_bytes(&options), &f);
	}
	if (err == ADY_OK && m->keys.n % each != 0)
		err = ADY_E_PROTOCOL;
	if (err == ADY_OK) {
		b->id_n = strlen(b->rec.id);
		b->rec.created = m->created;
		memcpy(b->rec.data_key, m->data_key.p, m->data_key.n);
		b->rec.data_key_n = m->data_key.n;
	}
	for (size_t i = 0; err == ADY_OK && i < m->keys.n / each; i++)
		err = put_record(b, m, i, out);
	ady_dyn_free(&options);
	free(b);
	return err;
}

static void on_batched(struct ady_creating *c, const struct ady_wire_batched *m,
                       const struct ady_fault *f)
{
	struct ady_op *op = (struct ady_op *)((char *)c - offsetof(struct ady_op, creating));
	struct ady_keys_call *call;
	enum ady_err err;

	if (f) {
		ady_op_fail(op, f);
		return;
	}
	ady_op_keep_proof(op);
	call = ady_keys_call_new(op, ADY_KEYS_PUT_MANY);
	call->what = "created";
	if (op->labelled)
		memcpy(call->label, op->label, sizeof call->label);
	err = put_records(op, m, &call->record);
	if (err == ADY_OK) {
		ady_keys_call_submit(call);
		return;
	}
	ady_keys_call_free(call);
	ady_op_refuse(op, err, NULL, "the answer of the enclave is malformed");
}

static enum ady_err batch(struct ady_op *op, const struct body *b, struct ady_wire_create create,
                          struct ady_fault *f)
{
	struct ady_wire_batch m = {.create = create, .count = 1};
	enum ady_err err;

	if ((err = number_of(b, COUNT, 1, ADY_WIRE_BATCH_MAX, &m.count, f)) != ADY_OK ||
	    (err = number_of(b, FIRST, 0, 999999999, &m.first, f)) != ADY_OK)
		return err;
	op->creating.batched = on_batched;
	op->creating.curve = (enum ady_curve)create.curve;
	err = ady_creating_batch(&op->creating, op->shard, &m, ady_op_left_ms(op));
	return err == ADY_OK ? ADY_OK : ady_fail(f, err, NULL, "%s", "");
}

void ady_create_options(struct ady_op *op, enum ady_curve curve, const char *tenant)
{
	struct ady_wire_create create = {.curve = (uint64_t)curve, .tenant = ady_bytes_str(tenant)};
	struct ady_dyn options = {0};
	struct ady_fault f = {0};
	struct body b = {0};
	enum ady_err err = read_body(op, &b, &f);

	if (err == ADY_OK)
		err = text_of(&b, OPTIONS, &options, &f);
	create.options = ady_dyn_bytes(&options);
	if (err == ADY_OK &&
	    (b.value[SEALED] != 0) + (b.value[KMS] != 0) + (b.value[COUNT] != 0) != 1)
		err = ady_fail(&f, ADY_E_FIELD_INVALID, "options",
		               "go with one of sealed, kms_ciphertext and count");
	if (err == ADY_OK)
		err = b.value[COUNT] ? batch(op, &b, create, &f) : import(op, &b, create, &f);
	ady_dyn_free(&options);
	if (err != ADY_OK)
		ady_op_fail(op, &f);
}
