/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/making.h"

#include <string.h>

#include "base/clock.h"
#include "signer/import.h"
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

/* type: what is answered, a CREATE or an IMPORT. */
static void answer_created(struct ady_keyroom *room, struct ady_job *job, struct ady_space *space,
                           enum ady_wire_type type)
{
	const struct ady_record *rec = &job->sign.record;
	struct ady_buf text = ady_buf(job->sign.scratch, sizeof job->sign.scratch);
	struct ady_buf b = ady_buf(space->bytes, sizeof space->bytes);

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

static struct ady_envelope envelope_of(struct ady_keyroom *room, size_t worker)
{
	return (struct ady_envelope){.deployment = room->config.config->deployment,
	                             .gcm = room->spaces[worker].gcm};
}

/* The end of both ways. */
static void settle(struct ady_keyroom *room, struct ady_job *job, size_t worker,
                   enum ady_wire_type type, enum ady_err err, struct ady_fault *f)
{
	struct ady_space *space = &room->spaces[worker];

	ady_zero(space->data_key, ADY_DATA_KEY_SIZE);
	if (err == ADY_OK)
		answer_created(room, job, space, type);
	else
		ady_keyroom_refuse(room, &job->asker, err, f);
	ady_jobs_give(room->config.jobs, job);
}

/* A CREATE on KMS thread `worker`. */
static void run_create(struct ady_work *work, size_t worker)
{
	struct ady_job *job = (struct ady_job *)work;
	struct ady_keyroom *room = job->owner;
	const struct ady_envelope envelope = envelope_of(room, worker);
	struct ady_fault f = {0};
	enum ady_err err = data_key(room, job, worker, &f);

	job->sign.record.created = (uint64_t)(ady_wall_ms() / 1000);
	if (err == ADY_OK)
		err = ady_make_key(&job->sign.record, job->sign.from, room->secp, &envelope,
		                   room->spaces[worker].data_key, &f);
	settle(room, job, worker, ADY_WIRE_CREATE, err, &f);
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

/* What lies sealed in the job, enc before it, to the worker's locked memory. */
static enum ady_err unseal(struct ady_keyroom *room, struct ady_job *job, size_t worker,
                           struct ady_bytes *plaintext, struct ady_fault *f)
{
	struct ady_bytes whole = ady_buf_bytes(&job->sign.raw);
	struct ady_bytes ct = ady_bytes_sub(whole, ADY_HPKE_KEY, whole.n - ADY_HPKE_KEY);
	uint8_t *out = ady_kms_session_room(room->config.kms, worker);

	if (ct.n < ADY_HPKE_TAG ||
	    ady_import_key_unseal(room->import_key, out, whole.p, job->sign.digest, ct) != ADY_OK)
		return ady_fail(f, ADY_E_CRYPTO, "sealed",
		                "was not sealed to this enclave's import key for this tenant, "
		                "curve and options");
	*plaintext = ady_bytes(out, ct.n - ADY_HPKE_TAG);
	return ADY_OK;
}

/* A secret of the AWS sample, opened by KMS. */
static enum ady_err open_sample(struct ady_keyroom *room, struct ady_job *job, size_t worker,
                                struct ady_bytes *plaintext, struct ady_fault *f)
{
	struct ady_record sample = {.sample = true, .ciphertext_n = job->sign.raw.n};

	memcpy(sample.ciphertext, job->sign.raw.p, job->sign.raw.n);
	return ady_keyroom_open_record(room, worker, &sample, job->deadline_ms, plaintext, f);
}

/* An IMPORT on KMS thread `worker`. */
static void run_import(struct ady_work *work, size_t worker)
{
	struct ady_job *job = (struct ady_job *)work;
	struct ady_keyroom *room = job->owner;
	const struct ady_envelope envelope = envelope_of(room, worker);
	struct ady_bytes plaintext = {0};
	struct ady_fault f = {0};
	enum ady_err err = data_key(room, job, worker, &f);

	job->sign.record.created = (uint64_t)(ady_wall_ms() / 1000);
	if (err == ADY_OK)
		err = job->import_sealed ? unseal(room, job, worker, &plaintext, &f)
		                         : open_sample(room, job, worker, &plaintext, &f);
	if (err == ADY_OK)
		err = ady_take_key(&job->sign.record, job->sign.from, room->secp, &envelope,
		                   room->spaces[worker].data_key, plaintext, &f);
	ady_kms_session_wipe(room->config.kms, worker);
	settle(room, job, worker, ADY_WIRE_IMPORT, err, &f);
}

static enum ady_err begin(struct ady_job *job, struct ady_space *space,
                          const struct ady_wire_create *m, struct ady_fault *f)
{
	struct ady_record *rec = &job->sign.record;
	enum ady_err err = ady_record_begin_in(rec, job->sign.toks, ADY_SIGN_TOKENS,
	                                       (enum ady_curve)m->curve, m->tenant, m->options, f);

	if (err != ADY_OK || (err = keep_policy(job, space, f)) != ADY_OK)
		return err;
	if (rec->curve != ADY_CURVE_SECP256K1 && rec->curve != ADY_CURVE_BLS12_381)
		return ady_fail(f, ADY_E_FIELD_INVALID, "curve", "cannot be made here");
	rec->data_key_n = m->data_key.n;
	if (m->data_key.n > 0)
		memcpy(rec->data_key, m->data_key.p, m->data_key.n);
	return ADY_OK;
}

static enum ady_err begin_create(struct ady_job *job, struct ady_space *space,
                                 struct ady_bytes body, struct ady_fault *f)
{
	struct ady_wire_create m;

	if (ady_wire_read_create(&m, body) != ADY_OK)
		return ady_fail(f, ADY_E_PROTOCOL, "", "the CREATE message is malformed");
	return begin(job, space, &m, f);
}

/* Whoever has a ciphertext of the sample may have it signed with; nothing more may come of it. */
static enum ady_err begin_import(struct ady_job *job, struct ady_space *space,
                                 struct ady_bytes body, struct ady_fault *f)
{
	struct ady_sign_job *j = &job->sign;
	struct ady_wire_import m;
	enum ady_err err;

	if (ady_wire_read_import(&m, body) != ADY_OK)
		return ady_fail(f, ADY_E_PROTOCOL, "", "the IMPORT message is malformed");
	if ((err = begin(job, space, &m.create, f)) != ADY_OK)
		return err;
	job->import_sealed = m.form == ADY_IMPORT_SEALED;
	if (!job->import_sealed && j->record.allow)
		return ady_fail(f, ADY_E_DENIED, "allow",
		                "may not be given to a key that was not sealed for it");
	ady_import_bind(j->digest, ady_curve_name(j->record.curve), m.create.tenant,
	                m.create.options);
	j->raw =
	    ady_buf(j->raw_space + j->record.policy.n, sizeof j->raw_space - j->record.policy.n);
	ady_buf_view(&j->raw, m.enc);
	ady_buf_view(&j->raw, m.sealed);
	return ADY_OK;
}

typedef enum ady_err begin_fn(struct ady_job *job, struct ady_space *space, struct ady_bytes body,
                              struct ady_fault *f);

static void take(struct ady_keyroom *room, struct ady_space *space, struct ady_channel *ch,
                 const struct ady_wire_head *head, struct ady_bytes body, begin_fn *start,
                 void (*run)(struct ady_work *, size_t))
{
	struct ady_job *job = ady_jobs_take(room->config.jobs, ch, head);
	struct ady_fault f = {0};
	enum ady_err err;

	if (!job) {
		ady_keyroom_refuse(room, &(struct ady_asker){.ch = ch, .id = head->id}, ADY_E_BUSY,
		                   &f);
		return;
	}
	if ((err = start(job, space, body, &f)) == ADY_OK) {
		job->owner = room;
		job->work = (struct ady_work){.fn = run};
		if ((err = ady_pool_submit(room->pool, &job->work)) == ADY_OK)
			return;
	}
	ady_keyroom_refuse(room, &job->asker, err, &f);
	ady_jobs_give(room->config.jobs, job);
}

void ady_making_take(struct ady_keyroom *room, struct ady_space *space, struct ady_channel *ch,
                     const struct ady_wire_head *head, struct ady_bytes body)
{
	take(room, space, ch, head, body, begin_create, run_create);
}

void ady_making_import(struct ady_keyroom *room, struct ady_space *space, struct ady_channel *ch,
                       const struct ady_wire_head *head, struct ady_bytes body)
{
	take(room, space, ch, head, body, begin_import, run_import);
}
