/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/validating.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "gateway/shard.h"
#include "policy/slashing.h"

/* LARGE: of a request, that waits where a small one would be refused. */
enum { VERSION_AT = 16, AGAIN_MAX = 16, LARGE = 128 * 1024, LATER_MS = 5 };

#define OWNER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

struct ady_validating {
	struct ady_shard *shard;
	struct ady_validating_ask ask; /* done NULL: nobody waits any more */
	struct ady_call call;
	struct ady_store_wait fetch;
	struct ady_state_call state;
	struct ady_timer later;
	bool fetching, stating; /* what is still to come back */
	bool enclave_retried;
	unsigned tried; /* enclaves, a bit each */
	unsigned again;
	struct ady_stored *record;
	struct ady_state_row row;
	struct ady_validating *next; /* of the free ones */
};

static void go_on(struct ady_validating *v);

/* --- life --- */

static struct ady_validating *take(struct ady_shard *shard)
{
	struct ady_validating *v = shard->free_validatings;

	if (v)
		shard->free_validatings = v->next;
	else
		v = malloc(sizeof *v);
	if (!v)
		ADY_BUG("out of memory");
	memset(v, 0, sizeof *v);
	v->shard = shard;
	ady_shard_hold(shard);
	return v;
}

/* Nothing may be still to come back to it. */
static void give_back(struct ady_validating *v)
{
	struct ady_shard *shard = v->shard;

	ady_stored_unref(v->record);
	v->next = shard->free_validatings;
	shard->free_validatings = v;
	ady_shard_let(shard);
}

static void finish(struct ady_validating *v, struct ady_bytes answer, const struct ady_fault *f)
{
	const struct ady_validating_ask ask = v->ask;
	struct ady_fault why;

	if (f)
		why = *f; /* it may lie in v */
	give_back(v);
	ask.done(ask.ctx, answer, f ? &why : NULL);
}

/* The gateway's own reason, of which the enclave knows nothing. */
static void finish_own(struct ady_validating *v, const struct ady_fault *f)
{
	if (v->ask.proof)
		v->ask.proof->n = 0;
	finish(v, (struct ady_bytes){0}, f);
}

static void fail(struct ady_validating *v, enum ady_err err, const char *detail)
{
	struct ady_fault f;

	(void)ady_fail(&f, err, NULL, "%s", detail);
	finish_own(v, &f);
}

void ady_validating_drop(struct ady_validating *v)
{
	if (!v)
		return;
	ady_timer_cancel(v->shard->loop, &v->later);
	ady_enclaves_forget(v->shard->enclaves, &v->call);
	v->ask.done = NULL;
	if (!v->fetching && !v->stating)
		give_back(v);
}

void ady_validating_free_all(struct ady_shard *shard)
{
	while (shard->free_validatings) {
		struct ady_validating *v = shard->free_validatings;

		shard->free_validatings = v->next;
		free(v);
	}
}

/* --- the state --- */

static void on_state(struct ady_state_call *call)
{
	struct ady_validating *v = OWNER(call, struct ady_validating, state);

	v->stating = false;
	if (!v->ask.done) {
		give_back(v);
		return;
	}
	if (call->err != ADY_OK) {
		finish_own(v, &call->fault);
		return;
	}
	if (call->w.written) {
		finish(v, ady_bytes(call->w.row.bytes, call->w.row.n), NULL);
		return;
	}
	v->row = call->w.row;
	if (++v->again > AGAIN_MAX)
		fail(v, ADY_E_BUSY, "the state changes too fast");
	else
		go_on(v);
}

/* Read the state, or write row over the one that is known. */
static void do_state(struct ady_validating *v, struct ady_bytes row)
{
	struct ady_state_call *call = &v->state;

	*call = (struct ady_state_call){.loop = v->shard->loop, .done = on_state};
	memcpy(call->w.public_key, v->ask.public_key, ADY_STATE_KEY);
	call->w.version = row.n && v->row.n ? ady_be64(v->row.bytes + VERSION_AT) : 0;
	call->w.row.n = row.n;
	if (row.n)
		memcpy(call->w.row.bytes, row.p, row.n);
	v->stating = true;
	ady_states_do(v->shard->gateway->states, call);
}

/* --- the enclave --- */

static enum ady_err ask_now(struct ady_validating *v, struct ady_fault *f);

/* Whether it is worth asking another enclave: this one has ended, and the state says what may be
 * signed yet; or it has begun to use the key too short a time ago. */
static bool elsewhere(struct ady_validating *v, const struct ady_fault *f)
{
	if (f->err == ADY_E_ENCLAVE && !v->enclave_retried) {
		v->enclave_retried = true;
		v->tried = 0; /* the one that has ended is not up */
		return ady_enclaves_up(v->shard->enclaves);
	}
	return f->err == ADY_E_SLASHING && strcmp(f->where, ADY_SLASH_FLOOR) == 0;
}

static void on_answer(struct ady_call *call, struct ady_bytes body, const struct ady_fault *f)
{
	struct ady_validating *v = OWNER(call, struct ady_validating, call);
	struct ady_bytes blob, proof = v->shard->proof;

	if (v->ask.proof) {
		v->ask.proof->n = 0;
		ady_dyn_put(v->ask.proof, proof.p, proof.n);
	}
	if (f) {
		struct ady_fault other;

		if (!elsewhere(v, f) || ask_now(v, &other) != ADY_OK)
			finish(v, (struct ady_bytes){0}, f);
		return;
	}
	if (ady_wire_read_blob(&blob, ADY_WIRE_STATE_MAX, body) != ADY_OK ||
	    (v->ask.is_marks ? blob.n == 0 : blob.n != (v->ask.by_address ? 65 : 96))) {
		fail(v, ADY_E_PROTOCOL, "the answer of the enclave is malformed");
		return;
	}
	if (v->ask.is_marks)
		do_state(v, blob);
	else
		finish(v, blob, NULL);
}

static void put_question(struct ady_buf *b, const struct ady_validating *v)
{
	struct ady_bytes state = ady_bytes(v->row.bytes, v->row.n);
	struct ady_wire_watermark marks = v->ask.marks;
	const struct ady_config_validators *limits = &v->shard->gateway->config->validators;
	const struct ady_wire_duty duty = {.key_id = v->record->name,
	                                   .record = v->record->text,
	                                   .state = state,
	                                   .strict = v->ask.strict,
	                                   .request = v->ask.request,
	                                   .stamp = v->ask.stamp,
	                                   .until_slot = limits->until_slot,
	                                   .until_epoch = limits->until_epoch};

	if (!v->ask.is_marks) {
		ady_wire_put_duty(b, &duty);
		return;
	}
	marks.key_id = v->record->name;
	marks.record = v->record->text;
	marks.state = state;
	ady_wire_put_watermark(b, &marks);
}

/* A block's payload may be larger than the shard's own buffer. */
static struct ady_buf room_for(const struct ady_validating *v, struct ady_dyn *large)
{
	size_t n = v->ask.request.n + v->record->text.n + v->record->name.n + v->ask.stamp.n +
	           ADY_WIRE_STATE_MAX + 256;

	if (n <= sizeof v->shard->frame)
		return ady_buf(v->shard->frame, sizeof v->shard->frame);
	return ady_buf(ady_dyn_room(large, n), n);
}

/* There was no room for it on the connection. */
static void on_later(struct ady_timer *timer)
{
	go_on(OWNER(timer, struct ady_validating, later));
}

static enum ady_err ask_now(struct ady_validating *v, struct ady_fault *f)
{
	struct ady_shard *shard = v->shard;
	struct ady_dyn large = {0};
	struct ady_buf b = room_for(v, &large);
	int64_t left = v->ask.due_ms - ady_mono_ms();
	uint8_t type = v->ask.is_marks ? ADY_WIRE_WATERMARK : ADY_WIRE_DUTY;
	enum ady_err err;

	put_question(&b, v);
	v->call.done = on_answer;
	err = b.full ? ADY_E_TOO_LARGE
	             : ady_enclaves_ask_other(shard->enclaves, &v->call, type, ady_buf_bytes(&b),
	                                      left < 1 ? 1 : (uint32_t)left, &v->tried);
	ady_dyn_free(&large);
	if (err == ADY_E_BUSY && v->ask.request.n > LARGE && left > LATER_MS) {
		v->later.fn = on_later;
		ady_timer_set(shard->loop, &v->later, LATER_MS);
		return ADY_OK;
	}
	if (err == ADY_OK)
		return ADY_OK;
	return ady_fail(f, err, NULL, "%s",
	                err == ADY_E_ENCLAVE ? "there is no connection to the enclave"
	                                     : ady_err_text(err));
}

static void go_on(struct ady_validating *v)
{
	struct ady_fault f;

	v->tried = 0;
	if (ask_now(v, &f) != ADY_OK)
		finish_own(v, &f);
}

/* --- the record --- */

/* What is elsewhere does not exist for who asks. */
static enum ady_err check_place(const struct ady_validating *v, const struct ady_stored *record,
                                struct ady_fault *f)
{
	const char *in = v->ask.within, *out = v->ask.outside;
	size_t n = record->name.n;

	if ((in && (n < strlen(in) || memcmp(record->name.p, in, strlen(in)) != 0)) ||
	    (out && n >= strlen(out) && memcmp(record->name.p, out, strlen(out)) == 0))
		return ady_fail(f, ADY_E_NOT_FOUND, NULL, "the store has no such key");
	return ADY_OK;
}

static enum ady_err take_record(struct ady_validating *v, struct ady_stored *record,
                                struct ady_fault *f)
{
	enum ady_err err;

	v->record = record;
	err = ady_caller_permits(&v->ask.caller, record, f);
	if (err == ADY_E_DENIED && v->ask.is_marks && v->ask.though_disabled) {
		*f = (struct ady_fault){0};
		err = ADY_OK;
	}
	if (err == ADY_OK)
		err = check_place(v, record, f);
	if (err != ADY_OK || v->ask.key.n == 0)
		return err;
	if (record->public_key.n != ADY_STATE_KEY)
		return ady_fail(f, ADY_E_DENIED, "record.curve", "is not that of a validator");
	memcpy(v->ask.public_key, record->public_key.p, ADY_STATE_KEY);
	return ADY_OK;
}

static void find_state(struct ady_validating *v)
{
	if (v->ask.no_state ||
	    ady_states_peek(v->shard->gateway->states, v->ask.public_key, &v->row))
		go_on(v);
	else
		do_state(v, (struct ady_bytes){0});
}

static void on_fetched(struct ady_store_wait *w)
{
	struct ady_validating *v = OWNER(w, struct ady_validating, fetch);
	struct ady_fault f = w->fault;

	v->fetching = false;
	if (!v->ask.done) {
		ady_stored_unref(w->record);
		give_back(v);
		return;
	}
	ady_caller_hide(&v->ask.caller, &f);
	if (!w->record || take_record(v, w->record, &f) != ADY_OK)
		finish(v, (struct ady_bytes){0}, &f);
	else
		find_state(v);
}

/* As ady_store_get. */
static enum ady_err find(struct ady_validating *v, struct ady_stored **record)
{
	struct ady_store *store = v->shard->gateway->store;

	if (v->ask.key.n > 0)
		return ady_store_get(store, v->ask.key, 0, record, &v->fetch);
	if (v->ask.by_address)
		return ady_store_find_address(store, v->ask.public_key,
		                              ady_caller_scope(&v->ask.caller), 0, record,
		                              &v->fetch);
	return ady_store_find_public_key(store, ady_bytes(v->ask.public_key, ADY_STATE_KEY),
	                                 ady_caller_scope(&v->ask.caller), 0, record, &v->fetch);
}

static enum ady_err begin(struct ady_validating *v, struct ady_fault *f)
{
	struct ady_stored *record;
	enum ady_err err;

	if (!v->shard->gateway->config->validators.on)
		return ady_fail(f, ADY_E_NOT_FOUND, NULL, "the gateway serves no validators");
	if (v->ask.record)
		return take_record(v, ady_stored_ref(v->ask.record), f);
	v->fetch.loop = v->shard->loop;
	v->fetch.done = on_fetched;
	err = find(v, &record);
	v->fetching = err == ADY_E_AGAIN;
	if (v->fetching)
		return ADY_OK;
	if (err != ADY_OK) {
		*f = v->fetch.fault;
		ady_caller_hide(&v->ask.caller, f);
		return f->err;
	}
	return take_record(v, record, f);
}

enum ady_err ady_validating_start(struct ady_validating **out, struct ady_shard *shard,
                                  const struct ady_validating_ask *ask, struct ady_fault *f)
{
	struct ady_validating *v = take(shard);
	enum ady_err err;

	*out = v;
	v->ask = *ask;
	if ((err = begin(v, f)) == ADY_OK && v->record) {
		if (v->ask.no_state ||
		    ady_states_peek(shard->gateway->states, v->ask.public_key, &v->row))
			err = ask_now(v, f);
		else
			do_state(v, (struct ady_bytes){0});
	}
	if (err == ADY_OK)
		return ADY_OK;
	give_back(v);
	*out = NULL;
	return err;
}
