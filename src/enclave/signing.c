/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/signing.h"

#include <stdlib.h>

#include "base/clock.h"
#include "enclave/counting.h"
#include "enclave/flights.h"
#include "enclave/held.h"

struct ady_signing {
	struct ady_keyroom *room;
	struct ady_flights *flights;
};

static void answer_signed(struct ady_signing *s, const struct ady_asker *to,
                          const struct ady_wire_signed *m, struct ady_space *space)
{
	struct ady_buf b = ady_buf(space->bytes, sizeof space->bytes);

	ady_wire_put_signed(&b, m);
	if (b.full)
		ADY_BUG("a signed transaction outgrew its answer");
	atomic_fetch_add(&s->room->counters->signed_n, 1);
	(void)ady_answer(to, ADY_WIRE_SIGN, ady_buf_bytes(&b));
}

static enum ady_err finish(struct ady_signing *s, struct ady_job *job, struct ady_space *space,
                           struct ady_bytes plaintext, struct ady_wire_signed *answer,
                           struct ady_fault *f)
{
	int64_t start = ady_mono_us();
	enum ady_err err = ady_job_in_time(job, "signing", f);

	if (err != ADY_OK)
		return err;
	job->sign.envelope = (struct ady_envelope){.deployment = s->room->config.config->deployment,
	                                           .gcm = space->gcm};
	if (job->sign.charging.guarded)
		err = job->sign.charging.permitted
		          ? ady_counting_in_time(job, f)
		          : ady_counting_decide(s->room, job, plaintext, f);
	if (err == ADY_OK)
		err = ady_sign_finish(&job->sign, s->room->secp, plaintext, answer, f);
	atomic_fetch_add(&s->room->counters->sign_us, (uint64_t)(ady_mono_us() - start));
	return err;
}

static void refuse(struct ady_signing *s, struct ady_job *job, enum ady_err err,
                   struct ady_fault *f)
{
	ady_keyroom_refuse(s->room, &job->asker, err, f);
	ady_counting_give(s->room, job);
}

/* Sign with what KMS opened for the job when err is ADY_OK, else refuse; answer, and give the job
 * back. A guarded key's may first have its row written: then it comes again. */
static void settle(struct ady_signing *s, struct ady_job *job, struct ady_space *space,
                   struct ady_bytes plaintext, enum ady_err err, struct ady_fault *f)
{
	struct ady_wire_signed answer = {0};

	if (err == ADY_OK)
		err = finish(s, job, space, plaintext, &answer, f);
	if (err == ADY_E_AGAIN)
		return;
	if (err != ADY_OK) {
		refuse(s, job, err, f);
		return;
	}
	answer_signed(s, &job->asker, &answer, space);
	ady_counting_give(s->room, job);
}

/* A direct record on KMS thread `worker`. */
static void run_direct(struct ady_work *work, size_t worker)
{
	struct ady_job *job = (struct ady_job *)work;
	struct ady_signing *s = job->owner;
	struct ady_fault f = {0};
	struct ady_bytes plaintext = {0};
	enum ady_err err = ady_job_in_time(job, "KMS", &f);

	if (err == ADY_OK)
		err = ady_keyroom_open_record(s->room, worker, &job->sign.record, job->deadline_ms,
		                              &plaintext, &f);
	if (err == ADY_OK)
		ady_held_keep(&job->sign.record, plaintext);
	settle(s, job, &s->room->spaces[worker], plaintext, err, &f);
	ady_kms_session_wipe(s->room->config.kms, worker);
}

/* The data key of the job's record, in the worker's space. */
static enum ady_err open_data_key(struct ady_signing *s, struct ady_job *job, size_t worker,
                                  struct ady_fault *f)
{
	const struct ady_record *rec = &job->sign.record;
	enum ady_err err = ady_job_in_time(job, "KMS", f);

	if (err != ADY_OK)
		return err;
	return ady_keyroom_open_data_key(s->room, worker, rec->tenant,
	                                 ady_bytes(rec->data_key, rec->data_key_n),
	                                 job->deadline_ms, f);
}

/* What KMS refused for one it would refuse for the next; that a time is over is one job's affair.
 */
static void refuse_flight(struct ady_signing *s, struct ady_job *job, enum ady_err err,
                          const struct ady_fault *f)
{
	struct ady_job *next;

	for (; job; job = next) {
		struct ady_fault copy = *f;

		next = ady_flights_next(s->flights, job);
		refuse(s, job, err, &copy);
	}
}

/* An envelope and those that wait behind it, on KMS thread `worker`. Each takes the data key by
 * itself: from the cache after the first, or from KMS again when its uses are used up. */
static void run_flight(struct ady_work *work, size_t worker)
{
	struct ady_job *job = (struct ady_job *)work, *next;
	struct ady_signing *s = job->owner;
	struct ady_space *space = &s->room->spaces[worker];

	for (; job; job = next) {
		struct ady_fault f = {0};
		enum ady_err err = open_data_key(s, job, worker, &f);

		if (err != ADY_OK && err != ADY_E_DEADLINE) {
			refuse_flight(s, job, err, &f);
			break;
		}
		next = ady_flights_next(s->flights, job);
		settle(s, job, space, ady_bytes(space->data_key, ADY_DATA_KEY_SIZE), err, &f);
	}
	ady_zero(space->data_key, ADY_DATA_KEY_SIZE);
}

/* An envelope where no data key is kept: each asks KMS for its own. */
static void run_alone(struct ady_work *work, size_t worker)
{
	struct ady_job *job = (struct ady_job *)work;
	struct ady_signing *s = job->owner;
	struct ady_space *space = &s->room->spaces[worker];
	struct ady_fault f = {0};
	enum ady_err err = open_data_key(s, job, worker, &f);

	settle(s, job, space, ady_bytes(space->data_key, ADY_DATA_KEY_SIZE), err, &f);
	ady_zero(space->data_key, ADY_DATA_KEY_SIZE);
}

enum ady_err ady_signing_open(struct ady_signing **out, struct ady_keyroom *room)
{
	struct ady_signing *s = calloc(1, sizeof *s);
	enum ady_err err;

	*out = NULL;
	if (!s)
		return ADY_E_MEMORY;
	s->room = room;
	if ((err = ady_flights_open(&s->flights)) != ADY_OK) {
		free(s);
		return err;
	}
	*out = s;
	return ADY_OK;
}

void ady_signing_close(struct ady_signing *s)
{
	if (!s)
		return;
	ady_flights_close(s->flights);
	free(s);
}

/* Check the message and compute what will be signed. */
static enum ady_err prepare(struct ady_signing *s, struct ady_space *space, struct ady_job *job,
                            struct ady_bytes body, struct ady_fault *f)
{
	int64_t start = ady_mono_us();
	struct ady_wire_sign m;
	enum ady_err err;

	if (ady_wire_read_sign(&m, body) != ADY_OK) {
		ady_asker_request(&job->asker, body);
		return ady_fail(f, ADY_E_PROTOCOL, "", "the SIGN message is malformed");
	}
	ady_asker_request(&job->asker, m.request);
	ady_asker_key(&job->asker, m.key_id);
	job->sign.skip_verify = !s->room->config.config->verify_signatures;
	job->sign.points = space->points;
	job->sign.setting = ady_keyroom_setting(s->room);
	if ((err = ady_sign_prepare(&job->sign, &m, f)) == ADY_OK)
		err = ady_keyroom_use_stamps(s->room, &job->sign, f);
	atomic_fetch_add(&s->room->counters->prepare_us, (uint64_t)(ady_mono_us() - start));
	return err;
}

/* Queue the job for a KMS thread. */
static enum ady_err submit(struct ady_signing *s, struct ady_job *job,
                           void (*run)(struct ady_work *, size_t))
{
	job->work = (struct ady_work){.fn = run};
	return ady_pool_submit(s->room->pool, &job->work);
}

/* Sign here and now, or find somebody who will. */
static void take_envelope(struct ady_signing *s, struct ady_space *space, struct ady_job *job)
{
	const struct ady_record *rec = &job->sign.record;
	struct ady_data_keys *keys = s->room->data_keys;
	struct ady_fault f = {0};

	ady_data_key_name(&job->flight.name, rec->tenant,
	                  ady_bytes(rec->data_key, rec->data_key_n));
	if (ady_data_keys_get(keys, &job->flight.name, space->data_key)) {
		settle(s, job, space, ady_bytes(space->data_key, ADY_DATA_KEY_SIZE), ADY_OK, &f);
		ady_zero(space->data_key, ADY_DATA_KEY_SIZE);
	} else if (!ady_data_keys_enabled(keys)) {
		if (submit(s, job, run_alone) != ADY_OK)
			settle(s, job, space, (struct ady_bytes){0}, ADY_E_BUSY, &f);
	} else if (ady_flights_join(s->flights, job) && submit(s, job, run_flight) != ADY_OK) {
		refuse_flight(s, job, ADY_E_BUSY, &f);
	}
}

/* A benchmark build may hold the key itself. */
static void take_direct(struct ady_signing *s, struct ady_space *space, struct ady_job *job)
{
	struct ady_bytes held = ady_held_find(&job->sign.record);
	struct ady_fault f = {0};

	if (held.n > 0)
		settle(s, job, space, held, ADY_OK, &f);
	else if (submit(s, job, run_direct) != ADY_OK)
		settle(s, job, space, held, ADY_E_BUSY, &f);
}

static void go(struct ady_job *job, struct ady_space *space)
{
	struct ady_signing *s = job->owner;

	if (job->sign.record.envelope)
		take_envelope(s, space, job);
	else
		take_direct(s, space, job);
}

static void stop(struct ady_job *job, enum ady_err err, struct ady_fault *f)
{
	refuse(job->owner, job, err, f);
}

void ady_signing_take(struct ady_signing *s, struct ady_space *space, struct ady_channel *ch,
                      const struct ady_wire_head *head, struct ady_bytes body)
{
	struct ady_job *job = ady_keyroom_take(s->room, space, ch, head, body);
	struct ady_fault f = {0};
	enum ady_err err;

	if (!job)
		return;
	job->owner = s;
	if ((err = prepare(s, space, job, body, &f)) != ADY_OK)
		refuse(s, job, err, &f);
	else if (job->sign.charging.guarded)
		ady_counting_start(s->room, job, space, go, stop);
	else
		go(job, space);
}

void ady_signing_sweep(struct ady_signing *s)
{
	struct ady_job *job = ady_flights_expired(s->flights), *next;

	for (; job; job = next) {
		struct ady_fault f = {0};

		next = job->next;
		(void)ady_job_in_time(job, "KMS", &f);
		refuse(s, job, ADY_E_DEADLINE, &f);
	}
}

size_t ady_signing_waiting(struct ady_signing *s)
{
	return ady_pool_waiting(s->room->pool) + ady_flights_waiting(s->flights);
}
