/* SPDX-License-Identifier: Apache-2.0
 *
 * POST /v1/keys/{id}/backup: the enclave seals a key or wallet to the public key that its record
 * names; the answer is the file that `adyton backup open` reads. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "gateway/answer.h"
#include "gateway/keys_call.h"

enum { BLOB_TEXT = ADY_BASE64_SIZE(113), TOKENS = 8192 };

static const char *const members[] = {"id", "tenant", "curve", "public_key", "backup"};

/* What the record says of itself, while the enclave is asked. The key's id is the record's. */
struct backing {
	struct ady_op *op;
	struct ady_dyn head; /* the answer's members so far */
};

static void end(struct backing *b)
{
	b->op->abandon = NULL;
	ady_dyn_free(&b->head);
	free(b);
}

static void abandon(struct ady_op *op)
{
	struct backing *b = op->waiting;

	ady_dyn_free(&b->head);
	free(b);
}

static void put_blob(struct ady_dyn *out, const char *name, struct ady_bytes blob)
{
	char text[BLOB_TEXT];

	ady_base64_encode(text, blob);
	ady_dyn_printf(out, ",\"%s\":\"%s\"", name, text);
}

static void on_answer(struct ady_call *call, struct ady_bytes body, const struct ady_fault *f)
{
	struct ady_op *op = (struct ady_op *)((char *)call - offsetof(struct ady_op, call));
	struct backing *b = op->waiting;
	struct ady_dyn *out = &op->shard->out;
	struct ady_wire_backed_up m;

	if (f) {
		end(b);
		ady_op_fail(op, f);
		return;
	}
	if (ady_wire_read_backed_up(&m, body) != ADY_OK) {
		end(b);
		ady_op_refuse(op, ADY_E_PROTOCOL, NULL, "the answer of the enclave is malformed");
		return;
	}
	out->n = 0;
	ady_dyn_put(out, b->head.p, b->head.n);
	put_blob(out, "enc", m.enc);
	put_blob(out, "sealed", m.sealed);
	ady_dyn_str(out, "}\n");
	end(b);
	ady_op_answer(op);
}

/* {"adyton_backup":1,"id":"..",..,"backup":"..": texts of the record, as they stand in it. */
static bool put_head(struct ady_dyn *head, struct ady_bytes record, struct ady_bytes *id)
{
	struct ady_json_tok *toks = calloc(TOKENS, sizeof *toks);
	struct ady_json doc;
	bool ok = toks && ady_json_parse(&doc, toks, TOKENS, record, NULL) == ADY_OK &&
	          ady_json_kind(&doc, 0) == ADY_JSON_OBJECT;

	ady_dyn_str(head, "{\"adyton_backup\":1");
	for (size_t i = 0; ok && i < sizeof members / sizeof *members; i++) {
		uint32_t at = ady_json_get(&doc, 0, members[i]);
		struct ady_bytes raw = ady_json_raw(&doc, at);

		if (!at)
			continue; /* the enclave says what is wrong with that */
		ok = ady_json_kind(&doc, at) == ADY_JSON_STRING;
		if (i == 0)
			*id = raw;
		ady_dyn_printf(head, ",\"%s\":\"%.*s\"", members[i], (int)raw.n,
		               (const char *)raw.p);
	}
	free(toks);
	return ok && id->n > 0;
}

static enum ady_err ask(struct ady_op *op, struct ady_bytes record, struct ady_bytes id)
{
	struct ady_shard *shard = op->shard;
	struct ady_buf b = ady_buf(shard->frame, sizeof shard->frame);
	const struct ady_wire_backup m = {.key_id = id,
	                                  .record = record,
	                                  .request = op->req->body,
	                                  .stamp =
	                                      ady_http_field(&op->req->head, "x-adyton-stamp")};

	if (m.stamp.n > ADY_WIRE_STAMP_MAX)
		return ADY_E_TOO_LARGE;
	op->call.done = on_answer;
	ady_wire_put_backup(&b, &m);
	return b.full ? ADY_E_TOO_LARGE
	              : ady_enclaves_ask(shard->enclaves, &op->call, ADY_WIRE_BACKUP,
	                                 ady_buf_bytes(&b), ady_op_left_ms(op));
}

void ady_keys_on_backup(struct ady_op *op, struct ady_keys_call *call)
{
	struct ady_bytes record = ady_dyn_bytes(&call->out), id = {0};
	struct backing *b;
	enum ady_err err;

	if (call->job.fault.err != ADY_OK) {
		ady_op_fail(op, &call->job.fault);
		return;
	}
	b = calloc(1, sizeof *b);
	if (!b)
		ADY_BUG("out of memory");
	b->op = op;
	op->waiting = b;
	op->abandon = abandon;
	if (!put_head(&b->head, record, &id)) {
		end(b);
		ady_op_refuse(op, ADY_E_DENIED, "record.backup",
		              "the key was made without a key to back it up to");
		return;
	}
	err = ask(op, record, id);
	if (err == ADY_OK)
		return;
	end(b);
	ady_op_refuse(op, err, NULL, NULL);
}
