/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/validators.h"

#include <stdlib.h>

#include "base/clock.h"
#include "enclave/counting.h"
#include "enclave/host_calls.h"
#include "enclave/marks.h"

enum { AGAIN_MAX = 32 /* states that others were faster to write */ };

struct ady_validators {
	struct ady_keyroom *room;
	const struct ady_time_watch *watch;
	const struct ady_config_validators *config;
	struct ady_marks *marks;
};

static void refuse(struct ady_validators *v, struct ady_job *job, enum ady_err err,
                   struct ady_fault *f)
{
	ady_keyroom_refuse(v->room, &job->asker, err, f);
	ady_counting_give(v->room, job);
}

static void answer(struct ady_validators *v, struct ady_job *job, enum ady_wire_type type,
                   struct ady_bytes blob)
{
	uint8_t space[ADY_WIRE_STATE_MAX + 16];
	struct ady_buf b = ady_buf(space, sizeof space);

	ady_wire_put_blob(&b, blob);
	atomic_fetch_add(&v->room->counters->signed_n, 1);
	(void)ady_answer(&job->asker, type, ady_buf_bytes(&b));
	ady_counting_give(v->room, job);
}

static void on_written(struct ady_job *job, struct ady_space *space, enum ady_slash_outcome outcome,
                       struct ady_bytes row);

/* Once it is asked the job is its answer's: another thread may already be at work on it. */
static void ask_parent(struct ady_validators *v, struct ady_job *job)
{
	const struct ady_wire_state_cas m = {.key = ady_bytes(job->sign.record.pub, ADY_BLS_PUBLIC),
	                                     .version = job->duty.next.version - 1,
	                                     .state = ady_bytes(job->duty.new_row, ADY_SLASH_ROW)};

	job->owner = v;
	ady_host_calls_ask(v->room->host_calls, job, &m, on_written);
}

/* --- with the key --- */

static enum ady_err begin_marks(void *ctx, const uint8_t pub48[static 48],
                                const struct ady_slash_state *row, const struct ady_slash_ask *ask,
                                struct ady_slash_state *next, bool *repeat, struct ady_fault *f)
{
	struct ady_validators *v = ctx;
	enum ady_err err = ady_time_watch_right(v->watch, f);

	if (err != ADY_OK)
		return err;
	return ady_marks_begin(v->marks, pub48, ady_wall_ms() / 1000, row, ask, next, repeat, f);
}

static enum ady_err make_marks(struct ady_validators *v, struct ady_job *job,
                               struct ady_bytes plaintext, struct ady_fault *f)
{
	int64_t now_s = ady_wall_ms() / 1000;
	const struct ady_watermark_from from = {.made = ady_marks_quarantine(v->marks, now_s),
	                                        .revived = ady_marks_revival(v->marks, now_s)};
	enum ady_err err = ady_time_watch_right(v->watch, f);

	if (err == ADY_OK)
		err = ady_watermark_make(&job->sign, &job->duty, &v->config->network, &from,
		                         plaintext, f);
	if (err == ADY_OK && job->duty.marks.op == ADY_WATERMARK_REVIVE)
		ady_marks_renew(v->marks, job->sign.record.pub, now_s);
	return err;
}

/* A duty that is counted may be counted now, or in time before. ADY_E_AGAIN: its row is written
 * first. */
static enum ady_err count(struct ady_validators *v, struct ady_job *job, struct ady_bytes plaintext,
                          struct ady_fault *f)
{
	if (job->stage == ADY_JOB_WATERMARK || !job->sign.charging.guarded)
		return ADY_OK;
	return job->sign.charging.permitted ? ady_counting_in_time(job, f)
	                                    : ady_counting_decide(v->room, job, plaintext, f);
}

static enum ady_err work(struct ady_validators *v, struct ady_job *job, struct ady_bytes plaintext,
                         struct ady_fault *f)
{
	const struct ady_duty_host host = {.ctx = v, .begin = begin_marks};
	const struct ady_beacon_network *net = &v->config->network;

	switch (job->stage) {
	case ADY_JOB_DUTY:
		return ady_duty_begin(&job->sign, &job->duty, &host, net, plaintext, f);
	case ADY_JOB_WRITTEN:
		return ady_duty_sign(&job->sign, &job->duty, plaintext, f);
	case ADY_JOB_WATERMARK:
		break;
	}
	return make_marks(v, job, plaintext, f);
}

/* Go on with the key in hand, or answer why there is none. */
static void settle(struct ady_validators *v, struct ady_job *job, struct ady_space *space,
                   struct ady_bytes plaintext, enum ady_err err, struct ady_fault *f)
{
	int64_t start = ady_mono_us();

	if (err == ADY_OK)
		err = ady_job_in_time(job, "signing", f);
	job->sign.envelope = (struct ady_envelope){.deployment = v->room->config.config->deployment,
	                                           .gcm = space->gcm};
	if (err == ADY_OK && (err = count(v, job, plaintext, f)) == ADY_E_AGAIN)
		return;
	if (err == ADY_OK)
		err = work(v, job, plaintext, f);
	atomic_fetch_add(&v->room->counters->sign_us, (uint64_t)(ady_mono_us() - start));
	if (err == ADY_E_AGAIN)
		ask_parent(v, job);
	else if (err != ADY_OK)
		refuse(v, job, err, f);
	else if (job->stage == ADY_JOB_WATERMARK)
		answer(v, job, ADY_WIRE_WATERMARK, ady_bytes(job->duty.new_row, ADY_SLASH_ROW));
	else
		answer(v, job, ADY_WIRE_DUTY,
		       ady_bytes(job->duty.signature, job->duty.signature_n));
}

/* On KMS thread `worker`: the data key or the key itself from KMS. */
static void run(struct ady_work *work_, size_t worker)
{
	struct ady_job *job = (struct ady_job *)work_;
	struct ady_validators *v = job->owner;
	struct ady_space *space = &v->room->spaces[worker];
	struct ady_bytes plaintext = {0};
	struct ady_fault f = {0};
	enum ady_err err = ady_keyroom_open_present(v->room, worker, &job->sign.record,
	                                            job->deadline_ms, &plaintext, &f);

	settle(v, job, space, plaintext, err, &f);
	ady_zero(space->data_key, ADY_DATA_KEY_SIZE);
	ady_kms_session_wipe(v->room->config.kms, worker);
}

/* Find the key's key: here, or on a thread that may wait for KMS. */
static void enter(struct ady_validators *v, struct ady_job *job, struct ady_space *space)
{
	const struct ady_record *rec = &job->sign.record;
	struct ady_fault f = {0};

	if (rec->envelope) {
		ady_data_key_name(&job->flight.name, rec->tenant,
		                  ady_bytes(rec->data_key, rec->data_key_n));
		if (ady_data_keys_get(v->room->data_keys, &job->flight.name, space->data_key)) {
			settle(v, job, space, ady_bytes(space->data_key, ADY_DATA_KEY_SIZE), ADY_OK,
			       &f);
			ady_zero(space->data_key, ADY_DATA_KEY_SIZE);
			return;
		}
	}
	job->owner = v;
	job->work = (struct ady_work){.fn = run};
	if (ady_pool_submit(v->room->pool, &job->work) != ADY_OK)
		refuse(v, job, ADY_E_BUSY, &f);
}

/* --- what is counted --- */

static void go(struct ady_job *job, struct ady_space *space)
{
	enter(job->owner, job, space);
}

static void stop(struct ady_job *job, enum ady_err err, struct ady_fault *f)
{
	refuse(job->owner, job, err, f);
}

/* --- messages --- */

/* A stamp is used up by what is allowed, and before its key is opened. */
static enum ady_err prepare_duty(struct ady_validators *v, struct ady_job *job,
                                 const struct ady_wire_duty *duty, struct ady_fault *f)
{
	enum ady_err err;

	ady_asker_request(&job->asker, duty->request);
	ady_asker_key(&job->asker, duty->key_id);
	err = ady_duty_prepare(&job->sign, &job->duty, duty, &v->config->network, f);
	if (err == ADY_OK)
		job->asker.digest = job->duty.duty.root;
	return err == ADY_OK ? ady_keyroom_use_stamps(v->room, &job->sign, f) : err;
}

static enum ady_err prepare(struct ady_validators *v, struct ady_job *job, uint8_t type,
                            struct ady_bytes body, struct ady_fault *f)
{
	struct ady_wire_watermark marks;
	struct ady_wire_duty duty;

	if (!v->config->enabled)
		return ady_fail(f, ADY_E_DENIED, "validators",
		                "the enclave's configuration has no validators");
	job->sign.setting = ady_keyroom_setting(v->room);
	job->duty.secp = v->room->secp;
	job->stage = type == ADY_WIRE_DUTY ? ADY_JOB_DUTY : ADY_JOB_WATERMARK;
	job->again = 0;
	if (type == ADY_WIRE_DUTY && ady_wire_read_duty(&duty, body) == ADY_OK)
		return prepare_duty(v, job, &duty, f);
	if (type == ADY_WIRE_WATERMARK && ady_wire_read_watermark(&marks, body) == ADY_OK)
		return ady_watermark_prepare(&job->sign, &job->duty, &marks, &v->config->network,
		                             f);
	return ady_fail(f, ADY_E_PROTOCOL, "", "the body of the message is malformed");
}

void ady_validators_take(struct ady_validators *v, struct ady_space *space, struct ady_channel *ch,
                         const struct ady_wire_head *head, struct ady_bytes body)
{
	struct ady_job *job = ady_keyroom_take(v->room, space, ch, head, body);
	int64_t start = ady_mono_us();
	struct ady_fault f = {0};
	enum ady_err err;

	if (!job)
		return;
	err = prepare(v, job, head->type, body, &f);
	atomic_fetch_add(&v->room->counters->prepare_us, (uint64_t)(ady_mono_us() - start));
	job->owner = v;
	if (err != ADY_OK)
		refuse(v, job, err, &f);
	else if (job->stage == ADY_JOB_DUTY && job->sign.charging.guarded)
		ady_counting_start(v->room, job, space, go, stop);
	else
		enter(v, job, space);
}

/* Go on with the row that the store has now. One that keeps what it is given is never behind the
 * version that was to be written over, for that was read from it. */
static enum ady_err take_present(struct ady_job *job, struct ady_bytes row, struct ady_fault *f)
{
	struct ady_slash_state now = {0};
	uint8_t network[32];
	enum ady_err err;

	if (row.n && (err = ady_slash_row_peek(&now, network, row, f)) != ADY_OK)
		return err;
	if (now.version + 1 < job->duty.next.version)
		return ady_fail(f, ADY_E_SLASHING, NULL,
		                "the store's state is older than one that this enclave has seen: "
		                "the store was rolled back");
	return ady_duty_set_row(&job->duty, row, f);
}

static void on_written(struct ady_job *job, struct ady_space *space, enum ady_slash_outcome outcome,
                       struct ady_bytes row)
{
	struct ady_validators *v = job->owner;
	struct ady_fault f = {0};
	enum ady_err err =
	    ady_marks_end(v->marks, job->sign.record.pub, &job->duty.next, outcome, &f);

	if (err == ADY_OK) {
		job->stage = ADY_JOB_WRITTEN;
	} else if (err == ADY_E_AGAIN) {
		err = ++job->again > AGAIN_MAX ? ADY_E_BUSY : ADY_OK;
		if (err == ADY_OK && outcome == ADY_SLASH_CONFLICT)
			err = take_present(job, row, &f);
	}
	if (err == ADY_OK)
		enter(v, job, space);
	else
		refuse(v, job, err, &f);
}

enum ady_err ady_validators_open(struct ady_validators **out, struct ady_keyroom *room,
                                 const struct ady_time_watch *watch)
{
	struct ady_validators *v = calloc(1, sizeof *v);
	enum ady_err err;

	*out = NULL;
	if (!v)
		return ADY_E_MEMORY;
	v->room = room;
	v->watch = watch;
	v->config = &room->config.config->validators;
	err = ady_marks_open(&v->marks, v->config);
	if (err != ADY_OK) {
		free(v);
		return err;
	}
	*out = v;
	return ADY_OK;
}
