/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/making.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "enclave/counting.h"
#include "enclave/making_job.h"
#include "signer/make.h"
#include "signer/wallet.h"

/* A CREATE on KMS thread `worker`. */
static void run_create(struct ady_work *work, size_t worker)
{
	struct ady_job *job = (struct ady_job *)work;
	struct ady_keyroom *room = job->owner;
	const struct ady_envelope envelope = ady_making_envelope(room, worker);
	struct ady_fault f = {0};
	enum ady_err err = ady_making_data_key(room, job, worker, &f);

	job->sign.record.created = (uint64_t)(ady_wall_ms() / 1000);
	if (err == ADY_OK && job->sign.record.curve == ADY_CURVE_WALLET)
		err = ady_wallet_make(&job->sign.record, room->secp, &envelope,
		                      room->spaces[worker].data_key, &f);
	else if (err == ADY_OK)
		err = ady_make_key(&job->sign.record, job->sign.from, room->secp, &envelope,
		                   room->spaces[worker].data_key, &f);
	ady_making_settle(room, job, worker, ADY_WIRE_CREATE, err, &f);
}

/* The record of key number n: its id is that of the options and the number. */
static void number(struct ady_job *job, uint64_t n)
{
	struct ady_record *rec = &job->sign.record;

	snprintf(rec->id + job->id_n, sizeof rec->id - job->id_n, "%llu", (unsigned long long)n);
}

/* Make the next key of the batch, and its row where it has one; what is sealed goes behind what the
 * others have. */
static enum ady_err make_next(struct ady_keyroom *room, struct ady_job *job, size_t worker,
                              struct ady_fault *f)
{
	const struct ady_envelope envelope = ady_making_envelope(room, worker);
	struct ady_record *rec = &job->sign.record;
	struct ady_buf *keys = &job->sign.raw;
	enum ady_err err;

	if (ady_job_expired(job))
		return ady_fail(f, ADY_E_DEADLINE, "", "the time allowed passed after %llu keys",
		                (unsigned long long)job->done);
	number(job, job->first + job->done);
	err = ady_make_key(rec, job->sign.from, room->secp, &envelope,
	                   room->spaces[worker].data_key, f);
	ady_buf_put(keys, rec->pub, ady_curve_public_size(rec->curve));
	ady_buf_put(keys, rec->ciphertext, rec->ciphertext_n);
	return err == ADY_OK && job->sign.charging.guarded ? ady_making_row(room, job, worker, f)
	                                                   : err;
}

static void answer_batch(struct ady_keyroom *room, struct ady_job *job, struct ady_space *space)
{
	const struct ady_record *rec = &job->sign.record;
	struct ady_buf *keys = &job->sign.raw;
	struct ady_buf b = ady_buf(space->bytes, sizeof space->bytes);

	atomic_fetch_add(&room->counters->created, job->count);
	ady_wire_put_batched(
	    &b, &(struct ady_wire_batched){.created = rec->created,
	                                   .data_key = ady_bytes(rec->data_key, rec->data_key_n),
	                                   .keys = ady_buf_bytes(keys)});
	if (keys->full || b.full)
		ADY_BUG("a batch outgrew its answer");
	ady_making_answer_keys(room, job, ADY_WIRE_CREATE_BATCH, ady_buf_bytes(&b), keys,
	                       ady_curve_public_size(rec->curve), rec->ciphertext_n);
}

static void run_batch(struct ady_work *work, size_t worker);

/* The row of a key is written: go on behind it, on a thread that may ask KMS again. */
static void on_row(struct ady_job *job, struct ady_space *space)
{
	struct ady_keyroom *room = job->room;
	struct ady_fault f = {0};

	if (++job->done == job->count) {
		answer_batch(room, job, space);
		return;
	}
	job->work = (struct ady_work){.fn = run_batch};
	if (ady_pool_submit(room->pool, &job->work) != ADY_OK)
		ady_making_stop(job, ADY_E_BUSY, &f);
}

/* A CREATE_BATCH on KMS thread `worker`: all of it, or up to the next row that must be written. */
static void run_batch(struct ady_work *work, size_t worker)
{
	struct ady_job *job = (struct ady_job *)work;
	struct ady_keyroom *room = job->owner;
	struct ady_space *space = &room->spaces[worker];
	const bool counted = job->sign.charging.guarded;
	struct ady_fault f = {0};
	enum ady_err err = ady_making_data_key(room, job, worker, &f);

	if (job->done == 0)
		job->sign.record.created = (uint64_t)(ady_wall_ms() / 1000);
	while (err == ADY_OK && job->done < job->count) {
		err = make_next(room, job, worker, &f);
		if (counted)
			break;
		job->done += err == ADY_OK;
	}
	ady_zero(space->data_key, ADY_DATA_KEY_SIZE);
	if (err != ADY_OK)
		ady_making_stop(job, err, &f);
	else if (counted)
		ady_counting_create(room, job, on_row, ady_making_stop);
	else
		answer_batch(room, job, space);
}

/* The parent asks for keys, and would have one backed up to itself. What an owner has sealed may
 * name any key: the options are sealed with it. */
static enum ady_err check_backup(const struct ady_job *job, const struct ady_space *space,
                                 struct ady_fault *f)
{
	const struct ady_record *rec = &job->sign.record;
	const struct ady_enclave_config *c = space->config;

	if (!rec->has_backup)
		return ADY_OK;
	for (size_t i = 0; i < c->backup_keys_n; i++)
		if (memcmp(c->backup_keys[i], rec->backup, sizeof rec->backup) == 0)
			return ADY_OK;
	return ady_fail(f, ADY_E_DENIED, "backup",
	                "is not among the backup_keys of the enclave's configuration");
}

static enum ady_err begin_create(struct ady_job *job, struct ady_space *space,
                                 struct ady_bytes body, struct ady_fault *f)
{
	struct ady_wire_create m;
	enum ady_err err;

	if (ady_wire_read_create(&m, body) != ADY_OK)
		return ady_fail(f, ADY_E_PROTOCOL, "", "the CREATE message is malformed");
	err = ady_making_begin(job, space, &m, f);
	return err == ADY_OK ? check_backup(job, space, f) : err;
}

static enum ady_err begin_batch(struct ady_job *job, struct ady_space *space, struct ady_bytes body,
                                struct ady_fault *f)
{
	enum { DIGITS = 10 };
	struct ady_wire_batch m;
	enum ady_err err;

	if (ady_wire_read_batch(&m, body) != ADY_OK)
		return ady_fail(f, ADY_E_PROTOCOL, "", "the CREATE_BATCH message is malformed");
	if ((err = ady_making_begin(job, space, &m.create, f)) != ADY_OK ||
	    (err = check_backup(job, space, f)) != ADY_OK)
		return err;
	if (job->sign.record.curve == ADY_CURVE_WALLET)
		return ady_fail(f, ADY_E_FIELD_INVALID, "curve",
		                "is not made by the hundred: a wallet has any number of keys");
	job->first = m.first;
	job->count = m.count;
	job->done = 0;
	job->sign.raw = ady_buf(job->sign.scratch, sizeof job->sign.scratch);
	job->id_n = strlen(job->sign.record.id);
	if (job->id_n + DIGITS >= sizeof job->sign.record.id)
		return ady_fail(f, ADY_E_FIELD_INVALID, "id", "has no room for a number behind it");
	return ADY_OK;
}

void ady_making_take(struct ady_keyroom *room, struct ady_space *space, struct ady_channel *ch,
                     const struct ady_wire_head *head, struct ady_bytes body)
{
	ady_making_start(room, space, ch, head, body, begin_create, run_create);
}

void ady_making_batch(struct ady_keyroom *room, struct ady_space *space, struct ady_channel *ch,
                      const struct ady_wire_head *head, struct ady_bytes body)
{
	ady_making_start(room, space, ch, head, body, begin_batch, run_batch);
}
