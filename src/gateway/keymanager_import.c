/* SPDX-License-Identifier: Apache-2.0
 *
 * POST /eth/v1/keystores. The request is checked whole first. Then for each keystore, some at once:
 *
 *   1. the enclave opens it and seals the key anew (gateway/importing.h): a record, not yet stored;
 *   2. its state is made, or raised by the history that came along, and written;
 *   3. the record is stored, or the one that was there before is enabled again.
 *
 * So a key that can be asked to sign has its history, whenever this is cut off, and what was cut
 * off may be sent again. */
#include "gateway/keymanager_import.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "gateway/answer.h"
#include "gateway/proofs.h"
#include "gateway/quota_keys.h"

enum { WIDTH = 4 };

static const char *const words[] = {
    [ADY_KM_OPEN] = "error",
    [ADY_KM_IMPORTED] = "imported",
    [ADY_KM_DUPLICATE] = "duplicate",
    [ADY_KM_ERROR] = "error",
};

static void go_on(struct ady_km_import *im);

/* --- the end --- */

static void end(struct ady_km_import *im)
{
	struct ady_shard *shard = im->shard;

	ady_km_import_clear(im);
	free(im);
	ady_shard_let(shard);
}

/* The gateway ends: what is under way is let go of, but for the store's jobs. */
static void abandon(struct ady_op *op)
{
	struct ady_km_import *im = op->waiting;

	im->op = NULL;
	for (size_t i = 0; i < im->n; i++) {
		ady_importing_free(im->items[i].importing);
		im->items[i].importing = NULL;
		ady_validating_drop(im->items[i].validating);
		im->items[i].validating = NULL;
	}
	if (im->jobs == 0)
		end(im);
}

static void answer(struct ady_km_import *im)
{
	struct ady_op *op = im->op;
	struct ady_dyn *out = &im->shard->out;

	out->n = 0;
	ady_dyn_str(out, "{\"data\":[");
	for (size_t i = 0; i < im->n; i++) {
		const struct ady_km_item *it = &im->items[i];

		ady_dyn_str(out, i ? "," : "");
		ady_keymanager_put_status(out, words[it->outcome],
		                          it->outcome == ADY_KM_ERROR ? &it->fault : NULL);
	}
	ady_dyn_str(out, "]}\n");
	op->abandon = NULL;
	ady_op_answer(op);
	end(im);
}

static void settle(struct ady_km_item *it, enum ady_km_outcome outcome, const struct ady_fault *f)
{
	it->outcome = outcome;
	if (f)
		it->fault = *f;
	it->owner->left--;
	go_on(it->owner);
}

/* --- 3. the record --- */

static void run_store(struct ady_store_job *job, struct ady_records *records, size_t worker)
{
	const struct ady_records_change enable = {.set_disabled = true, .set_deletion = true};
	struct ady_km_item *it = (struct ady_km_item *)job;
	struct ady_entry *e = &it->entry, now = {0};
	enum ady_err err;

	err = it->exists
	          ? ady_records_change(records, worker, e->id, NULL, &enable, &now, &job->fault)
	          : ady_quota_keys_create(it->owner->shard->gateway->quota_keys, records, worker,
	                                  &e, 1, &job->fault);
	if (err == ADY_OK) {
		ady_store_forget(job->store, &it->entry);
		ADY_INFO("key changed", "key=%s tenant=%s what=%s by=keymanager", it->entry.id,
		         it->entry.tenant, it->exists ? "enabled" : "imported");
	}
	ady_entry_clear(&now);
}

static void on_stored(struct ady_store_job *job)
{
	struct ady_km_item *it = (struct ady_km_item *)job;
	struct ady_km_import *im = it->owner;

	im->jobs--;
	if (!im->op) {
		if (im->jobs == 0)
			end(im);
		return;
	}
	if (job->fault.err == ADY_OK)
		settle(it, ADY_KM_IMPORTED, NULL);
	else if (job->fault.err == ADY_E_EXISTS)
		settle(it, ADY_KM_DUPLICATE, NULL);
	else
		settle(it, ADY_KM_ERROR, &job->fault);
}

static void store(struct ady_km_item *it)
{
	struct ady_km_import *im = it->owner;
	struct ady_fault f;

	it->job =
	    (struct ady_store_job){.loop = im->shard->loop, .run = run_store, .done = on_stored};
	im->jobs++;
	if (ady_store_run(im->shard->gateway->store, &it->job) == ADY_OK)
		return;
	im->jobs--;
	(void)ady_fail(&f, ADY_E_BUSY, NULL, "too much is asked of the store");
	settle(it, ADY_KM_ERROR, &f);
}

/* --- 2. the state --- */

static void on_marked(void *ctx, struct ady_bytes row, const struct ady_fault *f)
{
	struct ady_km_item *it = ctx;

	(void)row;
	it->validating = NULL;
	ady_proofs_add(&it->owner->op->proofs, ady_dyn_bytes(&it->proof), ady_bytes(NULL, 0));
	if (f)
		settle(it, ADY_KM_ERROR, f);
	else if (it->enabled)
		settle(it, ADY_KM_DUPLICATE, NULL);
	else
		store(it);
}

/* record NULL: of a key that is stored and enabled, whose marks may rise. */
static void mark(struct ady_km_item *it, struct ady_stored *record)
{
	struct ady_km_import *im = it->owner;
	struct ady_validating_ask ask = {.caller = im->caller,
	                                 .record = record,
	                                 .is_marks = true,
	                                 .marks = it->marks,
	                                 .proof = im->op->wants_proofs ? &it->proof : NULL,
	                                 .due_ms = im->due_ms,
	                                 .done = on_marked,
	                                 .ctx = it};
	struct ady_fault f = {0};

	ask.marks.op = record ? ADY_WATERMARK_REVIVE : ADY_WATERMARK_RAISE;
	memcpy(ask.public_key, it->public_key, ADY_STATE_KEY);
	if (ady_validating_start(&it->validating, im->shard, &ask, &f) != ADY_OK)
		settle(it, ADY_KM_ERROR, &f);
}

/* --- 1. the key --- */

static enum ady_err take_record(struct ady_km_item *it, const struct ady_wire_created *m,
                                struct ady_fault *f)
{
	struct ady_entry e = {0};
	char id[ADY_KEY_ID_MAX + 1];
	enum ady_err err;

	if (!ady_bytes_eq(m->public_key, ady_bytes(it->public_key, ADY_STATE_KEY)))
		return ady_fail(f, ADY_E_KEYSTORE_OTHER, "keystore.pubkey",
		                "is not that of the key inside");
	memcpy(id, it->entry.id, sizeof id);
	err = ady_entry_read(&e, id, m->record, f);
	if (err == ADY_OK)
		it->record = ady_stored_new(&e);
	if (err == ADY_OK && !it->exists) {
		ady_entry_clear(&it->entry);
		it->entry = e;
	} else {
		ady_entry_clear(&e);
	}
	return err;
}

static void on_imported(struct ady_importing *i, const struct ady_wire_created *m,
                        const struct ady_fault *f)
{
	struct ady_km_item *it = i->ctx;
	struct ady_fault why = f ? *f : (struct ady_fault){0};
	struct ady_op *op = it->owner->op;

	it->importing = NULL;
	if (op->wants_proofs)
		ady_proofs_add(&op->proofs, op->shard->proof, ady_bytes(NULL, 0));
	if (!f)
		(void)take_record(it, m, &why);
	ady_importing_free(i);
	if (why.err == ADY_OK)
		mark(it, it->record);
	else
		settle(it, ADY_KM_ERROR, &why);
}

/* New keys are found by tenant and public key. */
static void name_key(struct ady_km_item *it)
{
	const char *prefix = it->owner->shard->gateway->config->store.prefix;
	char hex[2 * ADY_STATE_KEY + 1];

	if (it->exists)
		return;
	ady_hex_encode(hex, ady_bytes(it->public_key, ADY_STATE_KEY));
	snprintf(it->entry.id, sizeof it->entry.id, "%s%s/%s", prefix, it->owner->caller.tenant,
	         hex);
}

static void import(struct ady_km_item *it)
{
	struct ady_km_import *im = it->owner;
	int64_t left = im->due_ms - ady_mono_ms();
	struct ady_dyn options = {0};
	struct ady_fault f = {0};

	name_key(it);
	ady_dyn_str(&options, "{\"id\":");
	ady_answer_string(&options, it->entry.id);
	ady_dyn_str(&options, im->shard->gateway->config->keymanager.commitments
	                          ? ",\"allow\":[\"commitment\"]}"
	                          : "}");
	it->importing =
	    ady_importing_new(im->shard, im->caller.tenant, ady_dyn_bytes(&options),
	                      ady_dyn_bytes(&it->keystore), ady_dyn_bytes(&it->password));
	ady_dyn_free(&options);
	it->importing->done = on_imported;
	it->importing->ctx = it;
	if (ady_importing_start(it->importing, left > 1 ? (uint32_t)left : 1, &f) == ADY_OK)
		return;
	ady_importing_free(it->importing);
	it->importing = NULL;
	settle(it, ADY_KM_ERROR, &f);
}

/* --- one after the other, some at once --- */

static void go_on(struct ady_km_import *im)
{
	if (im->starting)
		return;
	im->starting = true;
	while (im->next < im->n && im->left < WIDTH) {
		struct ady_km_item *it = &im->items[im->next++];

		if (it->outcome != ADY_KM_OPEN)
			continue;
		im->left++;
		if (!it->enabled)
			import(it);
		else if (it->in_history)
			mark(it, NULL);
		else
			settle(it, ADY_KM_DUPLICATE, NULL);
	}
	im->starting = false;
	if (im->left == 0 && im->next == im->n)
		answer(im);
}

/* --- what is stored already --- */

static void take(void *ctx, const struct ady_entry *e)
{
	struct ady_km_item *it = ctx;

	if (it->exists)
		return;
	it->exists = true;
	it->enabled = !e->disabled && !e->deletion_s;
	ady_entry_copy(&it->entry, e);
}

static void run_find(struct ady_store_job *job, struct ady_records *records, size_t worker)
{
	struct ady_km_import *im = (struct ady_km_import *)job;

	for (size_t i = 0; i < im->n; i++) {
		struct ady_km_item *it = &im->items[i];
		const struct ady_records_query q = {.limit = 1,
		                                    .tenant = im->caller.tenant,
		                                    .public_key =
		                                        ady_bytes(it->public_key, ADY_STATE_KEY)};

		if (it->outcome == ADY_KM_OPEN &&
		    ady_records_list(records, worker, &q, take, it, &job->fault) != ADY_OK)
			return;
	}
}

static void on_found(struct ady_store_job *job)
{
	struct ady_km_import *im = (struct ady_km_import *)job;

	im->jobs--;
	if (!im->op) {
		end(im);
	} else if (job->fault.err != ADY_OK) {
		im->op->abandon = NULL;
		ady_keymanager_fail(im->op, &job->fault);
		end(im);
	} else {
		go_on(im);
	}
}

static enum ady_err find(struct ady_km_import *im, struct ady_fault *f)
{
	struct ady_shard *shard = im->shard;

	im->job = (struct ady_store_job){.loop = shard->loop, .run = run_find, .done = on_found};
	im->jobs = 1;
	if (ady_store_run(shard->gateway->store, &im->job) == ADY_OK)
		return ADY_OK;
	im->jobs = 0;
	return ady_fail(f, ADY_E_BUSY, NULL, "too much is asked of the store");
}

void ady_keymanager_import(struct ady_shard *shard, struct ady_http_request *req)
{
	struct ady_op *op = ady_keymanager_begin(shard, req, true);
	struct ady_km_import *im;
	struct ady_fault f = {0};

	if (!op)
		return;
	im = calloc(1, sizeof *im);
	if (!im)
		ADY_BUG("out of memory");
	im->shard = shard;
	im->op = op;
	op->unproved = true;
	im->caller = op->caller;
	im->due_ms = op->due_ms;
	ady_shard_hold(shard);
	if (ady_km_import_read(im, op, &f) != ADY_OK || find(im, &f) != ADY_OK) {
		ady_keymanager_fail(op, &f);
		end(im);
		return;
	}
	op->waiting = im;
	op->abandon = abandon;
}
