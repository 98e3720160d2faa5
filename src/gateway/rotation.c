/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/rotation.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "gateway/answer.h"
#include "gateway/rotation_work.h"

enum {
	WIDTH = 4,   /* records with the enclave at once */
	FIRSTS = 16, /* that are tried for the first to come under a new data key */
	ASK_MS = 10000,
	ROOM_MS = 10,   /* until it is asked again whether the enclave has room */
	PAUSE_MS = 1000 /* after store or enclave did not work */
};

#define OWNER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static bool is_ending(const struct ady_rotation *t)
{
	return t->shard->draining > 0 || t->shard->stopping;
}

/* --- life --- */

static struct ady_rotation *new (struct ady_shard *shard)
{
	struct ady_rotation *t = calloc(1, sizeof *t);

	if (!t)
		ADY_BUG("out of memory");
	t->shard = shard;
	t->next = shard->rotations;
	shard->rotations = t;
	for (size_t i = 0; i < ADY_ROTATION_PAGE; i++)
		t->items[i].all = t;
	return t;
}

static void free_one(struct ady_rotation *t)
{
	for (size_t i = 0; i < ADY_ROTATION_PAGE; i++)
		ady_dyn_free(&t->items[i].text);
	free(t);
}

/* Nothing may be still to come back to it. */
static void end(struct ady_rotation *t)
{
	struct ady_rotation **at = &t->shard->rotations;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	ady_timer_cancel(t->shard->loop, &t->timer);
	free_one(t);
}

void ady_rotation_free_all(struct ady_shard *shard)
{
	while (shard->rotations) {
		struct ady_rotation *t = shard->rotations;

		shard->rotations = t->next;
		free_one(t);
	}
}

bool ady_rotation_is_here(const struct ady_shard *shard, const char *tenant)
{
	for (const struct ady_rotation *t = shard->rotations; t; t = t->next)
		if (strcmp(t->note.tenant, tenant) == 0)
			return true;
	return false;
}

static void abandon(struct ady_op *op)
{
	struct ady_rotation *t = op->waiting;

	t->op = NULL;
}

/* It could not begin. */
static void refuse(struct ady_rotation *t, const struct ady_fault *f)
{
	struct ady_op *op = t->op;
	const struct ady_fault why = *f;

	end(t);
	if (!op)
		return;
	op->abandon = NULL;
	ady_op_fail(op, &why);
}

static void answer(struct ady_rotation *t)
{
	struct ady_op *op = t->op;
	struct ady_dyn out = {0};

	t->op = NULL;
	if (!op)
		return;
	op->abandon = NULL;
	ady_rotation_note_put(&out, &t->note, false);
	ady_op_answer_with(op, 202, ADY_JSON_TYPE, ady_dyn_bytes(&out));
	ady_dyn_free(&out);
}

/* --- steps --- */

static void on_stored(struct ady_store_job *job);
static void on_timer(struct ady_timer *timer);

static void wait_ms(struct ady_rotation *t, int64_t ms)
{
	t->timer.fn = on_timer;
	ady_timer_set(t->shard->loop, &t->timer, ms);
}

static void store(struct ady_rotation *t, enum ady_rotation_step step)
{
	if (t->stored)
		ADY_BUG("a rotation takes two steps at once");
	ady_timer_cancel(t->shard->loop, &t->timer);
	t->stored = true;
	t->step = step;
	t->job = (struct ady_store_job){
	    .loop = t->shard->loop, .run = ady_rotation_work, .done = on_stored};
	t->again = false;
	ady_shard_hold(t->shard);
	if (ady_store_run(t->shard->gateway->store, &t->job) == ADY_OK)
		return;
	ady_shard_let(t->shard);
	t->stored = false;
	t->again = true;
	wait_ms(t, PAUSE_MS);
}

static void say_problem(struct ady_rotation *t, const char *id, const struct ady_fault *f)
{
	snprintf(t->note.problem, sizeof t->note.problem, "%.100s%s%s: %.80s", id, *id ? ": " : "",
	         ady_err_code(f->err), f->detail);
}

static void begin_pass(struct ady_rotation *t)
{
	t->pass_clean = true;
	t->pass_ms = ady_mono_ms();
	t->skipped = t->failed = 0;
	t->note.problem[0] = '\0';
	store(t, ADY_ROTATION_READ);
}

/* --- the enclave --- */

/* What may be well in a moment, of a record or of all. */
static bool passes(enum ady_err err)
{
	return err == ADY_E_BUSY || err == ADY_E_ENCLAVE || err == ADY_E_DEADLINE ||
	       err == ADY_E_CREDENTIALS || err == ADY_E_KMS_UNAVAILABLE || err == ADY_E_CLOCK ||
	       err == ADY_E_TLS || err == ADY_E_NSM || err == ADY_E_MEMORY;
}

static void ask(struct ady_rotation *t);
static void ask_first(struct ady_rotation *t);

/* The first record has come back under a data key that is new: that is the one for all. */
static void take_data_key(struct ady_rotation *t, const struct ady_wire_created *m)
{
	struct ady_entry e = {0};
	struct ady_fault f = {0};
	uint8_t blob[ADY_WIRE_DATA_KEY_MAX];
	size_t n;

	if (ady_entry_read(&e, t->items[t->asked].id, m->record, &f) == ADY_OK &&
	    e.data_key.n > 0 &&
	    ady_base64_decode(blob, sizeof blob, &n, ady_dyn_bytes(&e.data_key)) == ADY_OK) {
		snprintf(t->note.data_key, sizeof t->note.data_key, "%s",
		         ady_dyn_cstr(&e.data_key));
		t->note.started_s = ady_wall_ms() / 1000;
		ady_tenant_keys_set(t->shard->gateway->tenant_keys, t->note.tenant,
		                    ady_bytes(blob, n));
		store(t, ADY_ROTATION_NOTE);
	} else {
		(void)ady_fail(&f, ADY_E_PROTOCOL, NULL, "the answer of the enclave is malformed");
		refuse(t, &f);
	}
	ady_entry_clear(&e);
}

static void take_record(struct ady_rotation_item *item, const struct ady_wire_created *m,
                        const struct ady_fault *f)
{
	struct ady_rotation *t = item->all;

	if (!f) {
		item->text.n = 0;
		ady_dyn_put(&item->text, m->record.p, m->record.n);
		item->ready = true;
		t->pass_clean = false;
	} else if (passes(f->err)) {
		t->pass_clean = false;
		say_problem(t, "", f);
	} else {
		t->failed++;
		say_problem(t, item->id, f);
	}
}

/* One record that does not open keeps the others from nothing: they are tried in its place. */
static void refuse_first(struct ady_rotation *t, const struct ady_fault *f)
{
	if (passes(f->err) || f->err == ADY_E_FIELD_INVALID || ++t->asked == t->n ||
	    t->asked == FIRSTS)
		refuse(t, f);
	else
		ask_first(t);
}

static void on_answer(struct ady_call *call, struct ady_bytes body, const struct ady_fault *f)
{
	struct ady_rotation_item *item = (struct ady_rotation_item *)call;
	struct ady_rotation *t = item->all;
	struct ady_wire_created m = {0};
	struct ady_fault bad;

	t->in_flight--;
	if (!f && ady_wire_read_created(&m, body) != ADY_OK) {
		(void)ady_fail(&bad, ADY_E_PROTOCOL, NULL,
		               "the answer of the enclave is malformed");
		f = &bad;
	}
	if (!t->begun && f) {
		refuse_first(t, f);
	} else if (!t->begun) {
		take_data_key(t, &m);
	} else {
		take_record(item, &m, f);
		ask(t);
	}
}

static enum ady_err ask_one(struct ady_rotation *t, struct ady_rotation_item *item)
{
	struct ady_shard *shard = t->shard;
	struct ady_buf b = ady_buf(shard->frame, sizeof shard->frame);
	uint8_t blob[ADY_WIRE_DATA_KEY_MAX];
	size_t n = 0;
	struct ady_wire_rewrap m = {.key_id = ady_bytes_str(item->id),
	                            .record = ady_dyn_bytes(&item->text),
	                            .kms_key = ady_bytes_str(t->note.kms_key)};

	if (t->begun &&
	    ady_base64_decode(blob, sizeof blob, &n, ady_bytes_str(t->note.data_key)) != ADY_OK)
		return ADY_E_RECORD;
	m.data_key = ady_bytes(blob, n);
	ady_wire_put_rewrap(&b, &m);
	item->call.done = on_answer;
	return b.full ? ADY_E_TOO_LARGE
	              : ady_enclaves_ask(shard->enclaves, &item->call, ADY_WIRE_REWRAP,
	                                 ady_buf_bytes(&b), ASK_MS);
}

/* Signatures come first: nothing is asked while the enclave has as much as it works on and holds
 * waiting, and no more than store.rewrap_rate a second. Returns the milliseconds to wait, 0: none.
 */
static int64_t pace(struct ady_rotation *t)
{
	const int64_t now = ady_mono_us(),
	              step = 1000000 / t->shard->gateway->config->store.rewrap_rate;

	if (!ady_enclaves_have_room(t->shard->enclaves))
		return ROOM_MS;
	if (t->due_us > now + 1000)
		return (t->due_us - now) / 1000;
	t->due_us = (t->due_us > now - 10000 ? t->due_us : now) + step;
	return 0;
}

static void fail_item(struct ady_rotation_item *item, enum ady_err err)
{
	struct ady_fault f;

	(void)ady_fail(&f, err, NULL, "%s", ady_err_text(err));
	take_record(item, NULL, &f);
}

/* Ask for what may be asked now; when the page has come back, write it. */
static void ask(struct ady_rotation *t)
{
	ady_timer_cancel(t->shard->loop, &t->timer); /* it may be an answer that comes before */
	while (!is_ending(t) && t->asked < t->n && t->in_flight < WIDTH) {
		struct ady_rotation_item *item = &t->items[t->asked];
		int64_t wait = pace(t);
		enum ady_err err;

		if (wait > 0) {
			wait_ms(t, wait);
			return;
		}
		err = ask_one(t, item);
		t->asked++;
		t->in_flight += err == ADY_OK;
		if (err != ADY_OK)
			fail_item(item, err);
	}
	if (t->in_flight > 0)
		return;
	if (is_ending(t))
		end(t);
	else
		store(t, ADY_ROTATION_WRITE);
}

/* --- the store --- */

static void ask_first(struct ady_rotation *t)
{
	struct ady_fault f;
	enum ady_err err = ask_one(t, &t->items[t->asked]);

	if (err == ADY_OK) {
		t->in_flight = 1;
		return;
	}
	(void)ady_fail(&f, err, NULL, "%s", ady_err_text(err));
	refuse(t, &f);
}

/* It ends with a pass that found nothing to do, and that began when every gateway knew the new data
 * key and what had been begun under the old was over. */
static void end_pass(struct ady_rotation *t)
{
	int64_t settled = t->begun_ms + ady_rotations_seen_ms(t->shard);
	int64_t left = settled - ady_mono_ms();

	t->note.after[0] = '\0';
	t->note.skipped = t->skipped;
	t->note.failed = t->failed;
	if (t->pass_clean && t->pass_ms >= settled) {
		t->note.state = t->failed > 0 ? ADY_ROTATION_INCOMPLETE : ADY_ROTATION_DONE;
		ADY_INFO("data key rotated", "tenant=%s rewrapped=%llu failed=%llu", t->note.tenant,
		         (unsigned long long)t->note.rewrapped, (unsigned long long)t->failed);
		store(t, ADY_ROTATION_NOTE);
	} else {
		t->asked = t->n = 0;
		wait_ms(t, t->pass_clean && left > 0 ? left : t->note.problem[0] ? PAUSE_MS : 1);
	}
}

static void on_page(struct ady_rotation *t)
{
	if (t->superseded) {
		ADY_WARN("rotation is over: another has begun", "tenant=%s", t->note.tenant);
		end(t);
		return;
	}
	t->asked = 0;
	ask(t);
}

static void on_written(struct ady_rotation *t)
{
	if (t->full)
		store(t, ADY_ROTATION_READ);
	else
		end_pass(t);
}

static void on_noted(struct ady_rotation *t)
{
	if (t->note.state != ADY_ROTATION_RUNNING) {
		end(t);
		return;
	}
	t->begun = true;
	t->begun_ms = ady_mono_ms();
	ADY_INFO("data key is being rotated", "tenant=%s", t->note.tenant);
	answer(t);
	begin_pass(t);
}

static void on_stored(struct ady_store_job *job)
{
	struct ady_rotation *t = (struct ady_rotation *)job;
	struct ady_shard *shard = t->shard;

	t->stored = false;
	if (is_ending(t) && !t->op) {
		end(t);
	} else if (job->fault.err != ADY_OK && !t->begun) {
		refuse(t, &job->fault);
	} else if (job->fault.err != ADY_OK) {
		say_problem(t, "", &job->fault);
		t->again = true;
		wait_ms(t, PAUSE_MS);
	} else if (t->step == ADY_ROTATION_FIND) {
		ask_first(t);
	} else if (t->step == ADY_ROTATION_NOTE) {
		on_noted(t);
	} else if (t->step == ADY_ROTATION_READ) {
		on_page(t);
	} else {
		on_written(t);
	}
	ady_shard_let(shard);
}

/* After a pause: on with the page, or the next pass, or what the store could not do. */
static void on_timer(struct ady_timer *timer)
{
	struct ady_rotation *t = OWNER(timer, struct ady_rotation, timer);

	if (is_ending(t) && t->in_flight == 0)
		end(t);
	else if (t->again)
		store(t, t->step);
	else if (t->step == ADY_ROTATION_READ)
		ask(t);
	else
		begin_pass(t);
}

void ady_rotation_begin(struct ady_op *op, const char *tenant, const char *kms_key)
{
	struct ady_rotation *t = new (op->shard);

	t->op = op;
	op->waiting = t;
	op->abandon = abandon;
	snprintf(t->note.tenant, sizeof t->note.tenant, "%s", tenant);
	snprintf(t->note.kms_key, sizeof t->note.kms_key, "%s", kms_key);
	store(t, ADY_ROTATION_FIND);
}

void ady_rotation_adopt(struct ady_shard *shard, const struct ady_rotation_note *note)
{
	struct ady_rotation *t = new (shard);

	t->note = *note;
	t->begun = true;
	t->begun_ms = ady_mono_ms();
	ADY_INFO("a rotation is gone on with", "tenant=%s rewrapped=%llu", note->tenant,
	         (unsigned long long)note->rewrapped);
	begin_pass(t);
}
