/* SPDX-License-Identifier: Apache-2.0
 *
 * The ways of IMPORT, REWRAP and BACKUP: a key that exists already is sealed as a record of ours.
 */
#include <string.h>

#include "base/clock.h"
#include "enclave/making.h"
#include "enclave/making_job.h"
#include "signer/backup.h"
#include "signer/import.h"
#include "signer/make.h"
#include "signer/wallet.h"

/* A secret of the AWS sample, opened by KMS. */
static enum ady_err open_sample(struct ady_keyroom *room, struct ady_job *job, size_t worker,
                                struct ady_bytes *plaintext, struct ady_fault *f)
{
	struct ady_record sample = {.sample = true, .ciphertext_n = job->sign.raw.n};

	memcpy(sample.ciphertext, job->sign.raw.p, job->sign.raw.n);
	return ady_keyroom_open_record(room, worker, &sample, job->deadline_ms, plaintext, f);
}

static enum ady_err open_import(struct ady_keyroom *room, struct ady_job *job, size_t worker,
                                struct ady_bytes *plaintext, struct ady_fault *f)
{
	if (job->import_form == ADY_IMPORT_SEALED || job->import_form == ADY_IMPORT_WALLET)
		return ady_import_key_unseal(
		    room->import_key, ady_kms_session_room(room->config.kms, worker),
		    ady_buf_bytes(&job->sign.raw), job->sign.digest, plaintext, f);
	if (job->import_form == ADY_IMPORT_SAMPLE)
		return open_sample(room, job, worker, plaintext, f);
	*plaintext = ady_bytes(job->taken->b, sizeof job->taken->b);
	return ADY_OK;
}

/* An IMPORT on KMS thread `worker`. */
static void run_import(struct ady_work *work, size_t worker)
{
	struct ady_job *job = (struct ady_job *)work;
	struct ady_keyroom *room = job->owner;
	const struct ady_envelope envelope = ady_making_envelope(room, worker);
	struct ady_bytes plaintext = {0};
	struct ady_fault f = {0};
	enum ady_err err = ady_making_data_key(room, job, worker, &f);

	job->sign.record.created = (uint64_t)(ady_wall_ms() / 1000);
	if (err == ADY_OK)
		err = open_import(room, job, worker, &plaintext, &f);
	if (err == ADY_OK && job->import_form == ADY_IMPORT_WALLET)
		err = ady_wallet_take(&job->sign.record, room->secp, &envelope,
		                      room->spaces[worker].data_key, plaintext, &f);
	else if (err == ADY_OK)
		err = ady_take_key(&job->sign.record, job->sign.from, room->secp, &envelope,
		                   room->spaces[worker].data_key, plaintext, &f);
	if (err == ADY_OK && job->taken)
		err = ady_keystore_check(&job->keystore, job->sign.record.pub, job->sign.from, &f);
	ady_kms_session_wipe(room->config.kms, worker);
	ady_keystores_give(room->keystores, job->taken);
	job->taken = NULL;
	ady_making_settle(room, job, worker, ADY_WIRE_IMPORT, err, &f);
}

/* The first half of an IMPORT of a keystore, on a thread for them: the KMS threads must not wait
 * for passwords, nor may what is told to give way hold a lock of theirs. */
static void run_keystore(struct ady_work *work, size_t worker)
{
	struct ady_job *job = (struct ady_job *)work;
	struct ady_keyroom *room = job->owner;
	struct ady_fault f = {0};
	enum ady_err err = ady_keystores_derive(room->keystores, worker, room->import_key, job, &f);

	if (err == ADY_OK) {
		job->work = (struct ady_work){.fn = run_import};
		if ((err = ady_pool_submit(room->pool, &job->work)) == ADY_OK)
			return;
	}
	ady_keystores_give(room->keystores, job->taken);
	job->taken = NULL;
	ady_keyroom_refuse(room, &job->asker, err, &f);
	ady_jobs_give(room->config.jobs, job);
}

/* Which curve what has a form is of. */
static bool is_curve_of(uint64_t form, enum ady_curve curve)
{
	return form == ADY_IMPORT_V3 ? curve == ADY_CURVE_SECP256K1
	       : form == ADY_IMPORT_EIP2335
	           ? curve == ADY_CURVE_BLS12_381
	           : (form == ADY_IMPORT_WALLET) == (curve == ADY_CURVE_WALLET);
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
	if ((err = ady_making_begin(job, space, &m.create, f)) != ADY_OK)
		return err;
	job->import_form = m.form;
	if (m.form == ADY_IMPORT_V3 || m.form == ADY_IMPORT_EIP2335)
		job->before = run_keystore;
	if (!is_curve_of(m.form, j->record.curve))
		return ady_fail(f, ADY_E_FIELD_INVALID, "curve",
		                "is not that of what is sealed in this form");
	if (m.form == ADY_IMPORT_SAMPLE && j->record.allow)
		return ady_fail(f, ADY_E_DENIED, "allow",
		                "may not be given to a key that was not sealed for it");
	if (m.form == ADY_IMPORT_SAMPLE && j->record.has_backup)
		return ady_fail(f, ADY_E_DENIED, "backup",
		                "may not be given to a key that was not sealed for it");
	ady_import_bind(j->digest, ady_curve_name(j->record.curve), m.create.tenant,
	                m.create.options);
	j->raw =
	    ady_buf(j->raw_space + j->record.policy.n, sizeof j->raw_space - j->record.policy.n);
	ady_buf_view(&j->raw, m.enc);
	ady_buf_view(&j->raw, m.sealed);
	return ADY_OK;
}

/* Let the worker's second slot have the data key to seal under: the one that was named, or a new
 * one. Its ciphertext goes behind the policy in raw_space. */
static enum ady_err next_data_key(struct ady_keyroom *room, struct ady_job *job, size_t worker,
                                  struct ady_fault *f)
{
	struct ady_space *space = &room->spaces[worker];
	struct ady_buf *blob = &job->sign.raw;
	const char *tenant = job->sign.record.tenant;
	enum ady_err err = ady_job_in_time(job, "KMS", f);

	if (err != ADY_OK)
		return err;
	err = blob->n > 0 ? ady_keyroom_open_data_key(room, worker, tenant, ady_buf_bytes(blob),
	                                              job->deadline_ms, f)
	                  : ady_keyroom_new_data_key(room, worker, tenant, job->kms_key, blob,
	                                             job->deadline_ms, f);
	if (err == ADY_OK)
		memcpy(space->next_data_key, space->data_key, ADY_DATA_KEY_SIZE);
	return err;
}

/* A REWRAP on KMS thread `worker`. */
static void run_rewrap(struct ady_work *work, size_t worker)
{
	struct ady_job *job = (struct ady_job *)work;
	struct ady_keyroom *room = job->owner;
	const struct ady_envelope envelope = ady_making_envelope(room, worker);
	struct ady_bytes plaintext = {0};
	struct ady_fault f = {0};
	enum ady_err err = next_data_key(room, job, worker, &f);

	if (err == ADY_OK)
		err = ady_keyroom_open_present(room, worker, &job->sign.record, job->deadline_ms,
		                               &plaintext, &f);
	if (err == ADY_OK)
		err = ady_reseal_key(&job->sign.record, job->sign.from, room->secp, &envelope,
		                     plaintext, room->spaces[worker].next_data_key,
		                     ady_buf_bytes(&job->sign.raw), &f);
	ady_kms_session_wipe(room->config.kms, worker);
	ady_making_settle(room, job, worker, ADY_WIRE_REWRAP, err, &f);
}

/* The configured KMS key of that ARN; NULL for an empty text, which means the first. */
static bool find_kms_key(const struct ady_enclave_config *config, struct ady_bytes arn,
                         const char **key)
{
	*key = NULL;
	for (size_t i = 0; i < config->kms.keys_n && arn.n > 0 && !*key; i++)
		if (ady_bytes_is(arn, config->kms.keys[i]))
			*key = config->kms.keys[i];
	return arn.n == 0 || *key;
}

static enum ady_err begin_rewrap(struct ady_job *job, struct ady_space *space,
                                 struct ady_bytes body, struct ady_fault *f)
{
	struct ady_sign_job *j = &job->sign;
	struct ady_wire_rewrap m;
	enum ady_err err;

	if (ady_wire_read_rewrap(&m, body) != ADY_OK)
		return ady_fail(f, ADY_E_PROTOCOL, "", "the REWRAP message is malformed");
	err = ady_record_parse_in(&j->record, j->toks, ADY_SIGN_TOKENS, m.record, m.key_id, f);
	if (err != ADY_OK || (err = ady_making_keep_policy(job, space, f)) != ADY_OK)
		return err;
	if (j->record.sample)
		return ady_fail(f, ADY_E_RECORD, "record",
		                "is in the form of the AWS sample: import it");
	if (!find_kms_key(space->config, m.kms_key, &job->kms_key))
		return ady_fail(f, ADY_E_FIELD_INVALID, "kms_key",
		                "is not one of the configured keys");
	j->raw = ady_buf(j->raw_space + j->record.policy.n, ADY_RECORD_DATA_KEY_MAX);
	ady_buf_view(&j->raw, m.data_key);
	return ADY_OK;
}

/* A BACKUP on KMS thread `worker`. */
static void run_backup(struct ady_work *work, size_t worker)
{
	struct ady_job *job = (struct ady_job *)work;
	struct ady_keyroom *room = job->owner;
	struct ady_space *space = &room->spaces[worker];
	const struct ady_envelope envelope = ady_making_envelope(room, worker);
	struct ady_buf b = ady_buf(space->bytes, sizeof space->bytes);
	struct ady_bytes plaintext = {0};
	struct ady_backup out;
	struct ady_fault f = {0};
	enum ady_err err = ady_job_in_time(job, "KMS", &f);

	if (err == ADY_OK)
		err = ady_keyroom_open_present(room, worker, &job->sign.record, job->deadline_ms,
		                               &plaintext, &f);
	if (err == ADY_OK)
		err =
		    ady_backup_seal(&out, &job->sign.record, room->secp, &envelope, plaintext, &f);
	ady_kms_session_wipe(room->config.kms, worker);
	ady_zero(space->data_key, ADY_DATA_KEY_SIZE);
	if (err == ADY_OK) {
		ady_wire_put_backed_up(&b, &(struct ady_wire_backed_up){
		                               .enc = ady_bytes(out.enc, sizeof out.enc),
		                               .sealed = ady_bytes(out.sealed, out.sealed_n)});
		(void)ady_answer(&job->asker, ADY_WIRE_BACKUP, ady_buf_bytes(&b));
	} else {
		ady_keyroom_refuse(room, &job->asker, err, &f);
	}
	ady_jobs_give(room->config.jobs, job);
}

static enum ady_err begin_backup(struct ady_job *job, struct ady_space *space,
                                 struct ady_bytes body, struct ady_fault *f)
{
	struct ady_sign_job *j = &job->sign;
	struct ady_wire_backup m;
	enum ady_err err;

	if (ady_wire_read_backup(&m, body) != ADY_OK)
		return ady_fail(f, ADY_E_PROTOCOL, "", "the BACKUP message is malformed");
	ady_asker_request(&job->asker, m.request);
	err = ady_record_parse_in(&j->record, j->toks, ADY_SIGN_TOKENS, m.record, m.key_id, f);
	if (err != ADY_OK || (err = ady_making_keep_policy(job, space, f)) != ADY_OK)
		return err;
	j->setting = ady_keyroom_setting(job->owner);
	return ady_backup_permit(j, m.key_id, m.request, m.stamp, f);
}

void ady_making_backup(struct ady_keyroom *room, struct ady_space *space, struct ady_channel *ch,
                       const struct ady_wire_head *head, struct ady_bytes body)
{
	ady_making_start(room, space, ch, head, body, begin_backup, run_backup);
}

void ady_making_import(struct ady_keyroom *room, struct ady_space *space, struct ady_channel *ch,
                       const struct ady_wire_head *head, struct ady_bytes body)
{
	ady_making_start(room, space, ch, head, body, begin_import, run_import);
}

void ady_making_rewrap(struct ady_keyroom *room, struct ady_space *space, struct ady_channel *ch,
                       const struct ady_wire_head *head, struct ady_bytes body)
{
	ady_making_start(room, space, ch, head, body, begin_rewrap, run_rewrap);
}
