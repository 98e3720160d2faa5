/* SPDX-License-Identifier: Apache-2.0
 *
 * DELETE /eth/v1/keystores: each key is retired first, durably, in the row that the enclave
 * authenticates; from then on it signs nothing more that can be slashed for. Then its record is
 * disabled, and what the retired rows say is the answer: nothing was signed that is not in it. A
 * record stays where it is, so that the same request may be sent again. */
#include <stdlib.h>
#include <string.h>

#include "gateway/answer.h"
#include "gateway/eth2.h"
#include "gateway/keymanager.h"
#include "policy/interchange.h"
#include "policy/slashing_row.h"

enum { WIDTH = 64, ENTRY_MAX = 640 };

enum outcome { NOT_FOUND, DELETED, NOT_ACTIVE, FAILED };

static const char *const words[] = {"not_found", "deleted", "not_active", "error"};

struct item {
	uint8_t public_key[ADY_STATE_KEY];
	bool again; /* the same key stands before it */
	bool has_row;
	struct ady_state_row row; /* the retired one */
	enum outcome outcome;
	struct ady_fault fault;
};

struct deletion {
	struct ady_store_job job; /* first */
	struct ady_shard *shard;
	struct ady_op *op; /* NULL: nobody waits any more */
	const char *tenant;
	struct item *items;
	size_t n;
};

static void end(struct deletion *d)
{
	struct ady_shard *shard = d->shard;

	free(d->items);
	free(d);
	ady_shard_let(shard);
}

static void abandon(struct ady_op *op)
{
	struct deletion *d = op->waiting;

	d->op = NULL;
	if (op->duties) /* retiring: nothing else comes back to it */
		end(d);
}

/* --- the answer --- */

static void put_entries(const struct deletion *d, struct ady_dyn *file)
{
	uint8_t space[ENTRY_MAX], network[32];
	struct ady_slash_state s;
	const char *between = "";

	for (size_t i = 0; i < d->n; i++) {
		const struct item *it = &d->items[i];
		struct ady_buf b = ady_buf(space, sizeof space);

		if (it->again || (it->outcome != DELETED && it->outcome != NOT_ACTIVE) ||
		    ady_slash_row_peek(&s, network, ady_bytes(it->row.bytes, it->row.n), NULL) !=
		        ADY_OK)
			continue;
		ady_interchange_put_entry(&b, it->public_key, &s);
		ady_dyn_str(file, between);
		ady_dyn_put(file, b.p, b.n);
		between = ",";
	}
}

/* The network is in every row; without one there is nothing to say of any. */
static void put_file(const struct deletion *d, struct ady_dyn *file)
{
	uint8_t space[ENTRY_MAX], network[32] = {0};
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_slash_state s;

	for (size_t i = 0; i < d->n; i++)
		if (d->items[i].has_row &&
		    ady_slash_row_peek(&s, network,
		                       ady_bytes(d->items[i].row.bytes, d->items[i].row.n),
		                       NULL) == ADY_OK)
			break;
	ady_interchange_put_head(&b, network);
	ady_dyn_put(file, b.p, b.n);
	put_entries(d, file);
	b = ady_buf(space, sizeof space);
	ady_interchange_put_end(&b);
	ady_dyn_put(file, b.p, b.n);
}

static void answer(struct deletion *d)
{
	struct ady_op *op = d->op;
	struct ady_dyn *out = &d->shard->out, file = {0};

	out->n = 0;
	ady_dyn_str(out, "{\"data\":[");
	for (size_t i = 0; i < d->n; i++) {
		const struct item *it = &d->items[i];

		ady_dyn_str(out, i ? "," : "");
		ady_keymanager_put_status(out, words[it->outcome],
		                          it->outcome == FAILED ? &it->fault : NULL);
	}
	ady_dyn_str(out, "],\"slashing_protection\":");
	put_file(d, &file);
	ady_answer_string(out, ady_dyn_cstr(&file));
	ady_dyn_str(out, "}\n");
	ady_dyn_free(&file);
	op->abandon = NULL;
	ady_op_answer(op);
}

static void on_disabled(struct ady_store_job *job)
{
	struct deletion *d = (struct deletion *)job;

	if (d->op && job->fault.err == ADY_OK)
		answer(d);
	else if (d->op) {
		d->op->abandon = NULL;
		ady_keymanager_fail(d->op, &job->fault);
	}
	end(d);
}

/* --- disabling, on a thread of the store --- */

struct found {
	struct ady_entry e[2];
	size_t n;
};

static void take(void *ctx, const struct ady_entry *e)
{
	struct found *f = ctx;

	if (f->n < 2)
		ady_entry_copy(&f->e[f->n], e);
	f->n++;
}

/* All records of the key: enabled ones come first, and an enabled one is another the next time. */
static void disable(struct deletion *d, struct item *it, struct ady_records *r, size_t worker)
{
	const struct ady_records_change change = {.set_disabled = true, .disabled = true};
	const struct ady_records_query q = {.limit = 2,
	                                    .tenant = d->tenant,
	                                    .public_key = ady_bytes(it->public_key, ADY_STATE_KEY)};
	bool more = true;

	it->outcome = NOT_ACTIVE;
	while (more) {
		struct found found = {0};
		struct ady_entry now = {0};
		enum ady_err err = ady_records_list(r, worker, &q, take, &found, &it->fault);

		more =
		    err == ADY_OK && found.n > 0 && !found.e[0].disabled && !found.e[0].deletion_s;
		if (more)
			err = ady_records_change(r, worker, found.e[0].id, NULL, &change, &now,
			                         &it->fault);
		if (err == ADY_OK && more) {
			it->outcome = DELETED;
			ady_store_forget(d->job.store, &now);
		} else if (err != ADY_OK) {
			it->outcome = FAILED;
			more = false;
		}
		ady_entry_clear(&found.e[0]);
		ady_entry_clear(&found.e[1]);
		ady_entry_clear(&now);
	}
}

static void run(struct ady_store_job *job, struct ady_records *records, size_t worker)
{
	struct deletion *d = (struct deletion *)job;

	for (size_t i = 0; i < d->n; i++) {
		if (d->items[i].has_row)
			disable(d, &d->items[i], records, worker);
		if (d->items[i].again) { /* as the one before it said, who was first */
			size_t k = 0;

			while (memcmp(d->items[k].public_key, d->items[i].public_key,
			              ADY_STATE_KEY) != 0)
				k++;
			d->items[i].outcome =
			    d->items[k].outcome == DELETED ? NOT_ACTIVE : d->items[k].outcome;
			d->items[i].fault = d->items[k].fault;
		}
	}
	job->fault.err = ADY_OK;
}

/* --- retiring --- */

static void on_retired(struct ady_duties *duties)
{
	struct ady_op *op = duties->ctx;
	struct deletion *d = op->waiting;
	struct ady_shard *shard = d->shard;

	for (size_t i = 0, k = 0; i < d->n; i++) {
		struct item *it = &d->items[i];
		const struct ady_duties_item *got;

		if (it->again)
			continue;
		got = &duties->items[k++];
		if (got->fault.err == ADY_OK) {
			it->has_row = true;
			it->row.n = got->answer_n;
			memcpy(it->row.bytes, got->answer, got->answer_n);
		} else {
			it->fault = got->fault;
			it->outcome = got->fault.err == ADY_E_NOT_FOUND ? NOT_FOUND : FAILED;
		}
	}
	op->unproved = true;
	ady_duties_put_proofs(duties, &op->proofs);
	ady_duties_free(duties);
	op->duties = NULL;
	d->job = (struct ady_store_job){.loop = shard->loop, .run = run, .done = on_disabled};
	if (ady_store_run(shard->gateway->store, &d->job) == ADY_OK)
		return;
	(void)ady_fail(&d->job.fault, ADY_E_BUSY, NULL, "too much is asked of the store");
	on_disabled(&d->job);
}

static void retire(struct deletion *d, size_t different)
{
	struct ady_op *op = d->op;
	size_t k = 0;

	op->duties = ady_duties_new(d->shard, different);
	op->duties->ctx = op;
	op->duties->proofs = op->wants_proofs;
	op->duties->done = on_retired;
	for (size_t i = 0; i < d->n; i++) {
		struct ady_validating_ask *ask;

		if (d->items[i].again)
			continue;
		ask = &op->duties->items[k++].ask;
		ask->caller = op->caller;
		ask->due_ms = op->due_ms;
		ask->is_marks = ask->though_disabled = true;
		memcpy(ask->public_key, d->items[i].public_key, ADY_STATE_KEY);
		ask->marks.op = ADY_WATERMARK_RETIRE;
	}
	ady_duties_start(op->duties, WIDTH);
}

/* Fill the items; returns how many are no repetition. */
static size_t fill(struct deletion *d, const uint8_t *keys)
{
	size_t different = 0;

	for (size_t i = 0; i < d->n; i++) {
		memcpy(d->items[i].public_key, keys + i * ADY_STATE_KEY, ADY_STATE_KEY);
		for (size_t k = 0; k < i && !d->items[i].again; k++)
			d->items[i].again = memcmp(d->items[k].public_key, d->items[i].public_key,
			                           ADY_STATE_KEY) == 0;
		different += !d->items[i].again;
	}
	return different;
}

void ady_keymanager_delete(struct ady_shard *shard, struct ady_http_request *req)
{
	struct ady_op *op = ady_keymanager_begin(shard, req, true);
	struct ady_fault f = {0};
	struct deletion *d;
	uint8_t *keys;
	size_t n;

	if (!op)
		return;
	if (ady_keymanager_read_keys(op, "pubkeys", &keys, &n, &f) != ADY_OK) {
		ady_keymanager_fail(op, &f);
		return;
	}
	d = calloc(1, sizeof *d);
	if (d)
		d->items = calloc(n + 1, sizeof *d->items);
	if (!d || !d->items)
		ADY_BUG("out of memory");
	d->shard = shard;
	d->op = op;
	d->n = n;
	d->tenant = op->caller.tenant;
	op->waiting = d;
	op->abandon = abandon;
	ady_shard_hold(shard);
	n = fill(d, keys);
	free(keys);
	retire(d, n);
}
