/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/making_job.h"

#include <string.h>

#include "crypto/hash.h"
#include "enclave/counting.h"
#include "signer/decision.h"

/* The data key that the record will name, in the worker's space. */
enum ady_err ady_making_data_key(struct ady_keyroom *room, struct ady_job *job, size_t worker,
                                 struct ady_fault *f)
{
	struct ady_record *rec = &job->sign.record;
	struct ady_buf blob = ady_buf(rec->data_key, sizeof rec->data_key);
	enum ady_err err = ady_job_in_time(job, "KMS", f);

	if (err != ADY_OK)
		return err;
	if (rec->data_key_n > 0)
		return ady_keyroom_open_data_key(room, worker, rec->tenant,
		                                 ady_bytes(rec->data_key, rec->data_key_n),
		                                 job->deadline_ms, f);
	err = ady_keyroom_new_data_key(room, worker, rec->tenant, NULL, &blob, job->deadline_ms, f);
	rec->data_key_n = blob.n;
	return err;
}

void ady_making_answer_keys(struct ady_keyroom *room, struct ady_job *job, enum ady_wire_type type,
                            struct ady_bytes body, struct ady_buf *keys, size_t public_n,
                            size_t sealed_n)
{
	struct ady_bytes publics = {.p = keys->p};
	uint8_t result[32];

	for (size_t at = 0; at < keys->n; at += public_n + sealed_n, publics.n += public_n)
		memmove(keys->p + publics.n, keys->p + at, public_n);
	ady_sha256(result, &publics, 1);
	job->asker.result = result;
	(void)ady_answer(&job->asker, type, body);
	ady_counting_give(room, job);
}

void ady_making_answer(struct ady_keyroom *room, struct ady_job *job, struct ady_space *space,
                       enum ady_wire_type type)
{
	const struct ady_record *rec = &job->sign.record;
	struct ady_buf text = ady_buf(job->sign.scratch, sizeof job->sign.scratch);
	struct ady_buf b = ady_buf(space->bytes, sizeof space->bytes);

	if (type != ADY_WIRE_POLICY_CHANGE)
		atomic_fetch_add(&room->counters->created, 1);
	ady_record_put(&text, rec);
	ady_wire_put_created(
	    &b,
	    &(struct ady_wire_created){
	        .record = ady_buf_bytes(&text),
	        .public_key = ady_bytes(rec->pub, ady_curve_public_size(rec->curve)),
	        .address = ady_bytes(job->sign.from,
	                             rec->curve == ADY_CURVE_SECP256K1 ? sizeof job->sign.from : 0),
	    });
	if (text.full || b.full)
		ADY_BUG("a record outgrew its answer");
	(void)ady_answer(&job->asker, type, ady_buf_bytes(&b));
}

struct ady_envelope ady_making_envelope(struct ady_keyroom *room, size_t worker)
{
	return (struct ady_envelope){.deployment = room->config.config->deployment,
	                             .gcm = room->spaces[worker].gcm};
}

static void made(struct ady_job *job, struct ady_space *space)
{
	ady_making_answer(job->room, job, space, job->made);
	ady_jobs_give(job->room->config.jobs, job);
}

void ady_making_stop(struct ady_job *job, enum ady_err err, struct ady_fault *f)
{
	ady_keyroom_refuse(job->room, &job->asker, err, f);
	ady_jobs_give(job->room->config.jobs, job);
}

/* The first row of a key that is counted is written before there is a record of it. */
enum ady_err ady_making_row(struct ady_keyroom *room, struct ady_job *job, size_t worker,
                            struct ady_fault *f)
{
	const struct ady_space *space = &room->spaces[worker];

	job->sign.envelope = ady_making_envelope(room, worker);
	ady_charging_name(&job->sign.charging, &job->sign.record, room->config.config->deployment);
	return ady_charging_create(&job->sign, room->secp,
	                           ady_bytes(space->data_key, ADY_DATA_KEY_SIZE), f);
}

void ady_making_settle(struct ady_keyroom *room, struct ady_job *job, size_t worker,
                       enum ady_wire_type type, enum ady_err err, struct ady_fault *f)
{
	struct ady_space *space = &room->spaces[worker];
	bool counted = job->sign.charging.guarded && type != ADY_WIRE_REWRAP;

	if (err == ADY_OK && counted)
		err = ady_making_row(room, job, worker, f);
	ady_zero(space->data_key, ADY_DATA_KEY_SIZE);
	ady_zero(space->next_data_key, ADY_DATA_KEY_SIZE);
	job->made = type;
	if (err == ADY_OK && counted) {
		ady_counting_create(room, job, made, ady_making_stop);
		return;
	}
	if (err == ADY_OK)
		ady_making_answer(room, job, space, type);
	else
		ady_keyroom_refuse(room, &job->asker, err, f);
	ady_jobs_give(room->config.jobs, job);
}

/* Keep the policy beyond the message that brought it, if it can be read. */
enum ady_err ady_making_keep_policy(struct ady_job *job, struct ady_space *space,
                                    struct ady_fault *f)
{
	struct ady_record *rec = &job->sign.record;
	const struct ady_rulebook *book;
	enum ady_err err;

	job->sign.charging.guarded = false;
	if (rec->policy.n == 0)
		return ADY_OK;
	err = ady_policies_get(space->policies, &book, rec->policy, "policy", f);
	if (err != ADY_OK) {
		f->err = ADY_E_FIELD_INVALID;
		return ADY_E_FIELD_INVALID;
	}
	if (rec->curve == ADY_CURVE_WALLET && book->change.need > 0)
		return ady_fail(f, ADY_E_FIELD_INVALID, "policy.change",
		                "is not for wallets, whose keys have their policy for good");
	job->sign.charging.guarded = ady_charging_guards(rec, book);
	ady_charging_keep(&job->sign.charging, book);
	memcpy(job->sign.raw_space, rec->policy.p, rec->policy.n);
	rec->policy.p = job->sign.raw_space;
	return ADY_OK;
}

enum ady_err ady_making_begin(struct ady_job *job, struct ady_space *space,
                              const struct ady_wire_create *m, struct ady_fault *f)
{
	struct ady_record *rec = &job->sign.record;
	enum ady_err err;

	ady_asker_request(&job->asker, m->options);
	err = ady_record_begin_in(rec, job->sign.toks, ADY_SIGN_TOKENS, (enum ady_curve)m->curve,
	                          m->tenant, m->options, f);
	if (err != ADY_OK || (err = ady_making_keep_policy(job, space, f)) != ADY_OK)
		return err;
	rec->data_key_n = m->data_key.n;
	if (m->data_key.n > 0)
		memcpy(rec->data_key, m->data_key.p, m->data_key.n);
	return ADY_OK;
}

/* A keystore is opened before KMS is asked for anything. */
static enum ady_err submit(struct ady_keyroom *room, struct ady_job *job, struct ady_fault *f)
{
	if (job->before)
		return ady_keystores_submit(room->keystores, job, f);
	return ady_pool_submit(room->pool, &job->work);
}

void ady_making_start(struct ady_keyroom *room, struct ady_space *space, struct ady_channel *ch,
                      const struct ady_wire_head *head, struct ady_bytes body,
                      ady_making_begin_fn *start, void (*run)(struct ady_work *, size_t))
{
	struct ady_job *job = ady_keyroom_take(room, space, ch, head, body);
	struct ady_fault f = {0};
	enum ady_err err;

	if (!job)
		return;
	job->before = NULL;
	job->owner = job->room = room;
	if ((err = start(job, space, body, &f)) == ADY_OK &&
	    (err = ady_jobs_share(room->config.jobs, job, &f)) == ADY_OK) {
		job->work = (struct ady_work){.fn = job->before ? job->before : run};
		if ((err = submit(room, job, &f)) == ADY_OK)
			return;
	}
	ady_keyroom_refuse(room, &job->asker, err, &f);
	ady_jobs_give(room->config.jobs, job);
}
