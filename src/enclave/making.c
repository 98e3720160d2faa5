/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/making.h"

#include <string.h>

#include "base/clock.h"
#include "signer/make.h"

/* The data key that the record will name, in the worker's space. */
static enum ady_err data_key(struct ady_keyroom *room, struct ady_job *job, size_t worker,
                             struct ady_fault *f)
{
	struct ady_record *rec = &job->sign.record;
	struct ady_buf blob = ady_buf(rec->data_key, sizeof rec->data_key);
	enum ady_err err;

	if (ady_job_expired(job))
		return ady_fail(f, ADY_E_DEADLINE, "", "the time allowed passed before KMS");
	if (rec->data_key_n > 0)
		return ady_keyroom_open_data_key(room, worker, rec->tenant,
		                                 ady_bytes(rec->data_key, rec->data_key_n),
		                                 job->deadline_ms, f);
	err = ady_keyroom_new_data_key(room, worker, rec->tenant, NULL, &blob, job->deadline_ms, f);
	rec->data_key_n = blob.n;
	return err;
}

static void answer_created(struct ady_keyroom *room, struct ady_job *job, struct ady_space *space)
{
	const struct ady_record *rec = &job->sign.record;
	struct ady_buf text = ady_buf(job->sign.scratch, sizeof job->sign.scratch);
	struct ady_buf b = ady_buf(space->bytes, sizeof space->bytes);

	atomic_fetch_add(&room->counters->created, 1);
	ady_record_put(&text, rec);
	ady_wire_put_created(
	    &b, &(struct ady_wire_created){
	            .record = ady_buf_bytes(&text),
	            .public_key = ady_bytes(rec->pub, ady_curve_public_size(rec->curve)),
	            .address = ady_bytes(job->sign.from, sizeof job->sign.from),
	        });
	if (text.full || b.full)
		ADY_BUG("a record outgrew its answer");
	(void)ady_answer(&job->asker, ADY_WIRE_CREATE, ady_buf_bytes(&b));
}

/* A job on KMS thread `worker`. */
static void run(struct ady_work *work, size_t worker)
{
	struct ady_job *job = (struct ady_job *)work;
	struct ady_keyroom *room = job->owner;
	struct ady_space *space = &room->spaces[worker];
	const struct ady_envelope envelope = {.deployment = room->config.config->deployment,
	                                      .gcm = space->gcm};
	struct ady_fault f = {0};
	enum ady_err err = data_key(room, job, worker, &f);

	job->sign.record.created = (uint64_t)(ady_wall_ms() / 1000);
	if (err == ADY_OK)
		err = ady_make_key(&job->sign.record, job->sign.from, room->secp, &envelope,
		                   space->data_key, &f);
	ady_zero(space->data_key, ADY_DATA_KEY_SIZE);
	if (err == ADY_OK)
		answer_created(room, job, space);
	else
		ady_keyroom_refuse(room, &job->asker, err, &f);
	ady_jobs_give(room->config.jobs, job);
}

/* Keep the policy beyond the message that brought it, if it can be read. */
static enum ady_err keep_policy(struct ady_job *job, struct ady_space *space, struct ady_fault *f)
{
	struct ady_record *rec = &job->sign.record;
	const struct ady_rulebook *book;
	enum ady_err err;

	if (rec->policy.n == 0)
		return ADY_OK;
	err = ady_policies_get(space->policies, &book, rec->policy, "policy", f);
	if (err != ADY_OK) {
		f->err = ADY_E_FIELD_INVALID;
		return ADY_E_FIELD_INVALID;
	}
	memcpy(job->sign.raw_space, rec->policy.p, rec->policy.n);
	rec->policy.p = job->sign.raw_space;
	return ADY_OK;
}

static enum ady_err begin(struct ady_job *job, struct ady_space *space, struct ady_bytes body,
                          struct ady_fault *f)
{
	struct ady_record *rec = &job->sign.record;
	struct ady_wire_create m;
	enum ady_err err;

	if (ady_wire_read_create(&m, body) != ADY_OK)
		return ady_fail(f, ADY_E_PROTOCOL, "", "the CREATE message is malformed");
	err = ady_record_begin_in(rec, job->sign.toks, ADY_SIGN_TOKENS, (enum ady_curve)m.curve,
	                          m.tenant, m.options, f);
	if (err != ADY_OK || (err = keep_policy(job, space, f)) != ADY_OK)
		return err;
	if (rec->curve != ADY_CURVE_SECP256K1)
		return ady_fail(f, ADY_E_FIELD_INVALID, "curve", "cannot be made here");
	rec->data_key_n = m.data_key.n;
	if (m.data_key.n > 0)
		memcpy(rec->data_key, m.data_key.p, m.data_key.n);
	return ADY_OK;
}

void ady_making_take(struct ady_keyroom *room, struct ady_space *space, struct ady_channel *ch,
                     const struct ady_wire_head *head, struct ady_bytes body)
{
	struct ady_job *job = ady_jobs_take(room->config.jobs, ch, head);
	struct ady_fault f = {0};
	enum ady_err err;

	if (!job) {
		ady_keyroom_refuse(room, &(struct ady_asker){.ch = ch, .id = head->id}, ADY_E_BUSY,
		                   &f);
		return;
	}
	if ((err = begin(job, space, body, &f)) == ADY_OK) {
		job->owner = room;
		job->work = (struct ady_work){.fn = run};
		if ((err = ady_pool_submit(room->pool, &job->work)) == ADY_OK)
			return;
	}
	ady_keyroom_refuse(room, &job->asker, err, &f);
	ady_jobs_give(room->config.jobs, job);
}
