/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/signing.h"

#include <stdlib.h>

#include "base/clock.h"
#include "enclave/held.h"

struct ady_signing {
	struct ady_signing_config config;
	struct ady_status_counters *counters;
	struct ady_secp *secp;
	struct ady_pool *pool;
	struct ady_signing_space *spaces; /* one a KMS thread */
};

/* Count and answer a refusal. */
static void refuse(struct ady_signing *s, const struct ady_asker *to, enum ady_err err,
                   struct ady_fault *f)
{
	if (f->err != err)
		(void)ady_fail(f, err, "", "%s", ady_err_text(err));
	atomic_fetch_add(&s->counters->refused_n, 1);
	(void)ady_answer_fault(to, f);
}

static void answer_signed(struct ady_signing *s, const struct ady_asker *to,
                          const struct ady_wire_signed *m, struct ady_signing_space *space)
{
	struct ady_buf b = ady_buf(space->bytes, sizeof space->bytes);

	ady_wire_put_signed(&b, m);
	if (b.full)
		ADY_BUG("a signed transaction outgrew its answer");
	atomic_fetch_add(&s->counters->signed_n, 1);
	(void)ady_answer(to, ADY_WIRE_SIGN, ady_buf_bytes(&b));
}

/* Sign with the plaintext of the job's key. */
static enum ady_err finish(struct ady_signing *s, struct ady_job *job, struct ady_bytes plaintext,
                           struct ady_wire_signed *answer, struct ady_fault *f)
{
	int64_t start = ady_mono_us();
	enum ady_err err;

	if (ady_job_expired(job))
		return ady_fail(f, ADY_E_DEADLINE, "", "the time allowed passed before signing");
	err = ady_sign_finish(&job->sign, s->secp, plaintext, answer, f);
	atomic_fetch_add(&s->counters->sign_us, (uint64_t)(ady_mono_us() - start));
	return err;
}

static enum ady_err decrypt(struct ady_signing *s, struct ady_job *job, size_t worker,
                            struct ady_bytes *plaintext, struct ady_fault *f)
{
	const struct ady_record *record = &job->sign.record;
	struct ady_kms_ask ask = {
	    .ciphertext = ady_bytes(record->ciphertext, record->ciphertext_n),
	    .context = record->context,
	    .context_n = record->context_n,
	    .deadline_ms = job->deadline_ms,
	};
	int64_t start = ady_mono_us();
	enum ady_err err = ady_kms_session_decrypt(s->config.kms, worker, &ask, plaintext, f);

	atomic_fetch_add(&s->counters->kms_us, (uint64_t)(ady_mono_us() - start));
	atomic_fetch_add(&s->counters->kms_calls, 1);
	if (err != ADY_OK)
		atomic_fetch_add(&s->counters->kms_failures, 1);
	ady_status_kms(s->config.status, err, f);
	return err;
}

/* A job on KMS thread `worker`. */
static void run(struct ady_work *work, size_t worker)
{
	struct ady_job *job = (struct ady_job *)work;
	struct ady_signing *s = job->owner;
	struct ady_wire_signed answer = {0};
	struct ady_fault f = {0};
	struct ady_bytes plaintext = {0};
	enum ady_err err;

	if (ady_job_expired(job))
		err = ady_fail(&f, ADY_E_DEADLINE, "", "the time allowed passed before KMS");
	else
		err = decrypt(s, job, worker, &plaintext, &f);
	if (err == ADY_OK) {
		ady_held_keep(&job->sign.record, plaintext);
		err = finish(s, job, plaintext, &answer, &f);
	}
	ady_kms_session_wipe(s->config.kms, worker);
	if (err == ADY_OK)
		answer_signed(s, &job->asker, &answer, &s->spaces[worker]);
	else
		refuse(s, &job->asker, err, &f);
	ady_jobs_give(s->config.jobs, job);
}

enum ady_err ady_signing_open(struct ady_signing **out, const struct ady_signing_config *config)
{
	struct ady_signing *s = calloc(1, sizeof *s);
	size_t threads = config->config->kms_connections;
	enum ady_err err;

	*out = NULL;
	if (!s)
		return ADY_E_MEMORY;
	s->config = *config;
	s->counters = ady_status_counters(config->status);
	s->spaces = calloc(threads, sizeof *s->spaces);
	err = s->spaces ? ady_secp_open(&s->secp) : ADY_E_MEMORY;
	if (err == ADY_OK)
		err = ady_pool_open(&s->pool, threads, config->config->depth);
	if (err != ADY_OK) {
		ady_signing_close(s);
		return err;
	}
	*out = s;
	return ADY_OK;
}

void ady_signing_close(struct ady_signing *s)
{
	if (!s)
		return;
	ady_pool_close(s->pool);
	ady_secp_close(s->secp);
	free(s->spaces);
	free(s);
}

/* Check the message and compute what will be signed. */
static enum ady_err prepare(struct ady_signing *s, struct ady_job *job, struct ady_bytes body,
                            struct ady_fault *f)
{
	int64_t start = ady_mono_us();
	struct ady_wire_sign m;
	enum ady_err err;

	if (ady_wire_read_sign(&m, body) != ADY_OK)
		return ady_fail(f, ADY_E_PROTOCOL, "", "the SIGN message is malformed");
	job->sign.skip_verify = !s->config.config->verify_signatures;
	err = ady_sign_prepare(&job->sign, &m, f);
	atomic_fetch_add(&s->counters->prepare_us, (uint64_t)(ady_mono_us() - start));
	return err;
}

/* Sign here and now when a benchmark build holds the key. */
static bool sign_held(struct ady_signing *s, struct ady_job *job, struct ady_signing_space *space)
{
	struct ady_bytes plaintext = ady_held_find(&job->sign.record);
	struct ady_wire_signed answer = {0};
	struct ady_fault f = {0};
	enum ady_err err;

	if (plaintext.n == 0)
		return false;
	if ((err = finish(s, job, plaintext, &answer, &f)) == ADY_OK)
		answer_signed(s, &job->asker, &answer, space);
	else
		refuse(s, &job->asker, err, &f);
	return true;
}

void ady_signing_take(struct ady_signing *s, struct ady_signing_space *space,
                      struct ady_channel *ch, const struct ady_wire_head *head,
                      struct ady_bytes body)
{
	struct ady_job *job = ady_jobs_take(s->config.jobs, ch, head);
	struct ady_fault f = {0};
	enum ady_err err;

	if (!job) {
		refuse(s, &(struct ady_asker){.ch = ch, .id = head->id}, ADY_E_BUSY, &f);
		return;
	}
	if ((err = prepare(s, job, body, &f)) == ADY_OK && !sign_held(s, job, space)) {
		job->owner = s;
		job->work = (struct ady_work){.fn = run};
		if ((err = ady_pool_submit(s->pool, &job->work)) == ADY_OK)
			return;
	}
	if (err != ADY_OK)
		refuse(s, &job->asker, err, &f);
	ady_jobs_give(s->config.jobs, job);
}

size_t ady_signing_waiting(struct ady_signing *s)
{
	return ady_pool_waiting(s->pool);
}
