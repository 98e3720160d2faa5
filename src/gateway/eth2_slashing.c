/* SPDX-License-Identifier: Apache-2.0
 *
 * The slashing protection interchange over HTTP, for administrators. POST /v1/slashing imports a
 * file: it is checked whole first, then each key's state is made or raised by the enclave;
 * ?check=1 only checks. GET exports what is stored; with ?retire=1 the keys of the export sign
 * no more, durably, before the answer leaves. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "gateway/answer.h"
#include "gateway/eth2.h"
#include "gateway/history.h"
#include "gateway/keymanager.h"
#include "gateway/settings.h"
#include "policy/slashing_row.h"

enum { WIDTH = 64, TIMEOUT_MS = 600000, ENTRY_MAX = 640 };

static bool is_admin(const struct ady_caller *caller)
{
	return caller->everyone || caller->admin;
}

static bool flag(const struct ady_http_request *req, const char *name)
{
	char value[8];

	return ady_http_query(value, sizeof value, req->head.query, name) == ADY_OK &&
	       strcmp(value, "1") == 0;
}

static struct ady_op *open_op(struct ady_shard *shard, struct ady_http_request *req)
{
	struct ady_caller caller;
	struct ady_fault f;
	struct ady_op *op;

	if (!ady_op_from_client(shard, req, ADY_ROUTE_SLASHING, &caller))
		return NULL;
	op = ady_op_open_untimed(shard, req, ADY_ROUTE_SLASHING);
	op->caller = caller;
	op->due_ms = ady_mono_ms() + TIMEOUT_MS;
	if (!is_admin(&caller))
		(void)ady_fail(&f, ADY_E_DENIED, NULL, "only administrators may do this");
	else if (!shard->gateway->config->validators.on)
		(void)ady_fail(&f, ADY_E_NOT_FOUND, NULL, "the gateway serves no validators");
	else
		return op;
	ady_op_fail(op, &f);
	return NULL;
}

/* --- import --- */

static void on_imported(struct ady_duties *d)
{
	struct ady_op *op = d->ctx;
	struct ady_dyn *out = &op->shard->out;
	size_t ok = 0, failed = 0;

	for (size_t i = 0; i < d->n; i++)
		ok += d->items[i].fault.err == ADY_OK;
	out->n = 0;
	ady_dyn_printf(out, "{\"imported\":%zu,\"failed\":[", ok);
	for (size_t i = 0; i < d->n; i++) {
		const struct ady_fault *f = &d->items[i].fault;

		if (f->err == ADY_OK)
			continue;
		ady_dyn_str(out, failed++ ? ",{\"pubkey\":" : "{\"pubkey\":");
		ady_keymanager_put_key(out, d->items[i].ask.public_key);
		ady_dyn_printf(out, ",\"code\":\"%s\",\"message\":", ady_err_code(f->err));
		ady_answer_string(out, f->detail[0] ? f->detail : ady_err_text(f->err));
		ady_dyn_str(out, "}");
	}
	ady_dyn_str(out, "]}\n");
	ady_duties_put_proofs(d, &op->proofs);
	ady_op_answer(op);
}

static void fill(struct ady_op *op, const struct ady_interchange *ix)
{
	struct ady_interchange_entry e;
	uint32_t at = 0;

	for (size_t i = 0; ady_interchange_next(ix, &at, &e); i++) {
		struct ady_validating_ask *ask = &op->duties->items[i].ask;

		ask->caller = op->caller;
		ask->due_ms = op->due_ms;
		ask->is_marks = true;
		memcpy(ask->public_key, e.pubkey, ADY_STATE_KEY);
		memcpy(op->gvr, ix->genesis_validators_root, sizeof op->gvr);
		ask->marks = (struct ady_wire_watermark){
		    .op = ADY_WATERMARK_RAISE,
		    .genesis_root = ady_bytes(op->gvr, sizeof op->gvr),
		    .marks = (e.state.has_block ? 1U : 0U) | (e.state.has_attestation ? 2U : 0U),
		    .slot = e.state.slot,
		    .source = e.state.source,
		    .target = e.state.target};
	}
}

void ady_slashing_import(struct ady_shard *shard, struct ady_http_request *req)
{
	struct ady_op *op = open_op(shard, req);
	struct ady_history h = {0};
	struct ady_fault f = {0};

	if (!op)
		return;
	if (ady_history_open(&h, req->body, &f) != ADY_OK) {
		ady_op_fail(op, &f);
	} else if (flag(req, "check")) {
		shard->out.n = 0;
		ady_dyn_printf(&shard->out,
		               "{\"validators\":%u,\"blocks\":%llu,\"attestations\":%llu}\n",
		               h.ix.validators, (unsigned long long)h.ix.blocks,
		               (unsigned long long)h.ix.attestations);
		ady_op_answer(op);
	} else {
		op->duties = ady_duties_new(shard, h.ix.validators);
		op->duties->ctx = op;
		op->duties->proofs = op->wants_proofs;
		op->duties->done = on_imported;
		fill(op, &h.ix);
		ady_duties_start(op->duties, WIDTH);
	}
	ady_history_close(&h);
}

/* --- export --- */

struct export
{
	struct ady_state_list list; /* first */
	struct ady_shard *shard;
	struct ady_op *op; /* NULL: it has ended meanwhile */
	bool retire;
};

static void export_end(struct export *e)
{
	struct ady_shard *shard = e->shard;

	ady_dyn_free(&e->list.keys);
	ady_dyn_free(&e->list.rows);
	free(e);
	ady_shard_let(shard);
}

static bool row_at(const struct export *e, size_t i, struct ady_slash_state *s, uint8_t gvr[32])
{
	const struct ady_state_row *row = (const struct ady_state_row *)(e->list.rows.p) + i;

	return ady_slash_row_peek(s, gvr, ady_bytes(row->bytes, row->n), NULL) == ADY_OK;
}

static void put_file(const struct export *e, struct ady_dyn *out)
{
	size_t n = e->list.keys.n / ADY_STATE_KEY;
	struct ady_slash_state s;
	uint8_t gvr[32] = {0}, space[ENTRY_MAX];
	struct ady_buf b;
	bool first = true;

	for (size_t i = 0; i < n && !row_at(e, i, &s, gvr); i++)
		;
	b = ady_buf(space, sizeof space);
	ady_interchange_put_head(&b, gvr);
	ady_dyn_put(out, b.p, b.n);
	for (size_t i = 0; i < n; i++) {
		if (!row_at(e, i, &s, gvr))
			continue;
		b = ady_buf(space, sizeof space);
		ady_interchange_put_entry(&b, e->list.keys.p + i * ADY_STATE_KEY, &s);
		if (!first)
			ady_dyn_str(out, ",");
		ady_dyn_put(out, b.p, b.n);
		first = false;
	}
	b = ady_buf(space, sizeof space);
	ady_interchange_put_end(&b);
	ady_dyn_put(out, b.p, b.n);
	ady_dyn_str(out, "\n");
}

static void start_list(struct ady_op *op, bool retire);

/* Once all are retired what is stored is what may be taken elsewhere. */
static void on_retired(struct ady_duties *d)
{
	struct ady_op *op = d->ctx;

	ady_duties_put_proofs(d, &op->proofs);
	for (size_t i = 0; i < d->n; i++)
		if (d->items[i].fault.err != ADY_OK) {
			ady_op_fail(op, &d->items[i].fault);
			return;
		}
	start_list(op, false);
}

static void retire(struct export *e)
{
	struct ady_op *op = e->op;
	size_t n = e->list.keys.n / ADY_STATE_KEY;
	struct ady_slash_state s;

	op->duties = ady_duties_new(e->shard, n);
	op->duties->ctx = op;
	op->duties->proofs = op->wants_proofs;
	op->duties->done = on_retired;
	for (size_t i = 0; i < n; i++) {
		struct ady_validating_ask *ask = &op->duties->items[i].ask;

		(void)row_at(e, i, &s, op->gvr);
		ask->caller = op->caller;
		ask->due_ms = op->due_ms;
		ask->is_marks = true;
		memcpy(ask->public_key, e->list.keys.p + i * ADY_STATE_KEY, ADY_STATE_KEY);
		ask->marks = (struct ady_wire_watermark){
		    .op = ADY_WATERMARK_RETIRE, .genesis_root = ady_bytes(op->gvr, sizeof op->gvr)};
	}
	export_end(e);
	ady_duties_start(op->duties, WIDTH);
}

/* The store keeps validators' settings too (gateway/settings.h): no part of a history. */
static void drop_settings(struct export *e)
{
	struct ady_state_row *rows = (struct ady_state_row *)e->list.rows.p;
	size_t n = e->list.keys.n / ADY_STATE_KEY, kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (ady_settings_is_row(&rows[i]))
			continue;
		rows[kept] = rows[i];
		memmove(e->list.keys.p + kept++ * ADY_STATE_KEY, e->list.keys.p + i * ADY_STATE_KEY,
		        ADY_STATE_KEY);
	}
	e->list.keys.n = kept * ADY_STATE_KEY;
	e->list.rows.n = kept * sizeof *rows;
}

static void on_list(struct ady_state_call *call)
{
	struct export *e = (struct export *)call;
	struct ady_op *op = e->op;

	if (!op) {
		export_end(e);
		return;
	}
	op->exporting = NULL;
	drop_settings(e);
	if (call->err != ADY_OK) {
		ady_op_fail(op, &call->fault);
	} else if (e->retire) {
		retire(e);
		return;
	} else {
		op->shard->out.n = 0;
		put_file(e, &op->shard->out);
		ady_op_answer(op);
	}
	export_end(e);
}

static void start_list(struct ady_op *op, bool retire_them)
{
	struct export *e = calloc(1, sizeof *e);

	if (!e)
		ADY_BUG("out of memory");
	e->shard = op->shard;
	e->op = op;
	e->retire = retire_them;
	op->exporting = &e->op;
	e->list.call.loop = op->shard->loop;
	e->list.call.done = on_list;
	ady_shard_hold(op->shard);
	ady_states_list(op->shard->gateway->states, &e->list);
}

void ady_slashing_export(struct ady_shard *shard, struct ady_http_request *req)
{
	struct ady_op *op = open_op(shard, req);

	if (op)
		start_list(op, flag(req, "retire"));
}
