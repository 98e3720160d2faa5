/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/deriving.h"

#include <string.h>

#include "base/clock.h"
#include "codec/wire_wallet.h"
#include "crypto/hash.h"
#include "enclave/counting.h"
#include "enclave/making_job.h"
#include "signer/decision.h"
#include "signer/shared.h"
#include "signer/stamped.h"
#include "signer/wallet.h"

/* The same again within the row's memory is counted once. */
static void hash_request(struct ady_job *job, const struct ady_wire_derive *m)
{
	const struct ady_bytes parts[] = {ady_bytes_str("adyton derive 1"), m->request};

	ady_sha256(job->sign.digest, parts, 2);
}

/* Whether the wallet's callers have asked, and its policy lets them; its limits count later. */
static enum ady_err may_derive(struct ady_job *job, struct ady_space *space,
                               const struct ady_wire_derive *m, struct ady_fault *f)
{
	struct ady_sign_job *j = &job->sign;
	enum ady_err err;

	j->setting = ady_keyroom_setting(job->room);
	j->object = (struct ady_object){.kind = ADY_OBJECT_DERIVE, .now_s = j->setting.now_s};
	err = ady_stamped_check(j, ADY_FORM_DERIVE, m->key_id, m->request, m->stamp, f);
	if (err == ADY_OK)
		err = ady_policies_decide(space->policies, &j->record, &j->object, &j->charging, f);
	if (err != ADY_OK || !j->charging.guarded)
		return err;
	hash_request(job, m);
	ady_charging_name(&j->charging, &j->record, j->setting.deployment);
	return ADY_OK;
}

/* Let the keys count where their policy says. The wallet's row is of the wallet's policy: keys with
 * another one count each by itself. */
static enum ady_err count_keys(struct ady_job *job, const struct ady_rulebook *book,
                               struct ady_fault *f)
{
	const struct ady_record *wallet = &job->sign.record;
	struct ady_record *rec = &job->child;
	bool own = memcmp(rec->policy_hash, wallet->policy_hash, sizeof rec->policy_hash) != 0;

	if (book->change.need > 0)
		return ady_fail(f, ADY_E_FIELD_INVALID, "options.policy.change",
		                "is not for keys of a wallet, which have their policy for good");
	if (!ady_charging_guards(rec, book))
		return ADY_OK;
	if (own && !book->each_key)
		return ady_fail(
		    f, ADY_E_FIELD_INVALID, "options.policy.count",
		    "must be \"key\": only the wallet's own policy counts for all of it");
	job->shares = !book->each_key;
	ady_shared_name(rec->counters, wallet, job->room->config.config->deployment, false);
	rec->counted = true;
	return ADY_OK;
}

/* The policy of the keys, the wallet's or another, must be one that can be read. */
static enum ady_err check_policy(struct ady_job *job, struct ady_space *space, struct ady_fault *f)
{
	const struct ady_record *rec = &job->child;
	const struct ady_rulebook *book = NULL;

	job->shares = false;
	if (rec->policy.n == 0)
		return ADY_OK;
	if (ady_policies_get(space->policies, &book, rec->policy, "options.policy", f) != ADY_OK) {
		f->err = ADY_E_FIELD_INVALID;
		return ADY_E_FIELD_INVALID;
	}
	return count_keys(job, book, f);
}

static enum ady_err read_request(struct ady_job *job, struct ady_space *space,
                                 const struct ady_wire_derive *m, struct ady_fault *f)
{
	struct ady_sign_job *j = &job->sign;
	enum ady_err err =
	    ady_derive_read(&job->derive, &j->doc, j->toks, ADY_SIGN_TOKENS, m->request, f);

	if (err != ADY_OK || job->derive.options.n == 0)
		return err;
	err = ady_derive_record(&job->child, &job->derive, &j->record, j->toks, ADY_SIGN_TOKENS, f);
	return err == ADY_OK ? check_policy(job, space, f) : err;
}

/* On the lane. What is a view into the message is not looked at any more after this: of a policy
 * the hash is enough. */
static enum ady_err begin_derive(struct ady_job *job, struct ady_space *space,
                                 struct ady_bytes body, struct ady_fault *f)
{
	struct ady_sign_job *j = &job->sign;
	struct ady_wire_derive m;
	enum ady_err err;

	if (ady_wire_read_derive(&m, body) != ADY_OK)
		return ady_fail(f, ADY_E_PROTOCOL, "", "the DERIVE message is malformed");
	ady_asker_request(&job->asker, m.request);
	ady_asker_key(&job->asker, m.key_id);
	err = ady_record_parse_in(&j->record, j->toks, ADY_SIGN_TOKENS, m.record, m.key_id, f);
	if (err != ADY_OK)
		return err;
	if (j->record.sample || j->record.curve != ADY_CURVE_WALLET)
		return ady_fail(f, ADY_E_RECORD, "record.curve",
		                "is not that of a wallet: keys are derived of wallets");
	if ((err = read_request(job, space, &m, f)) != ADY_OK ||
	    (err = may_derive(job, space, &m, f)) != ADY_OK)
		return err;
	return ady_keyroom_use_stamps(job->room, j, f);
}

/* One key behind the others. */
static enum ady_err put_key(struct ady_keyroom *room, struct ady_job *job, size_t worker,
                            const struct ady_wallet_walk *walk, uint64_t number,
                            struct ady_buf *keys, struct ady_fault *f)
{
	const struct ady_envelope envelope = ady_making_envelope(room, worker);
	struct ady_record *rec = &job->child;
	enum ady_err err;

	if (job->derive.options.n == 0) {
		err = ady_wallet_public(rec->pub, walk, room->secp, (uint32_t)number);
		ady_buf_put(keys, rec->pub, ady_curve_public_size(walk->curve));
		return err;
	}
	ady_derive_number(rec, &job->derive, &job->sign.record, number);
	err = ady_wallet_child(rec, walk, room->secp, &envelope, room->spaces[worker].data_key,
	                       (uint32_t)number, f);
	ady_buf_put(keys, rec->pub, ady_curve_public_size(rec->curve));
	ady_buf_put(keys, rec->ciphertext, rec->ciphertext_n);
	return err;
}

/* Keys that count in their wallet's row carry its key, sealed under the data key that seals them.
 */
static enum ady_err share(struct ady_job *job, const struct ady_envelope *envelope,
                          const uint8_t *data_key, struct ady_fault *f)
{
	ADY_SECRET struct ady_seckey row_key = {0};
	enum ady_err err = ady_wallet_row_key(&row_key, &job->sign.record, envelope, data_key, f);

	if (err == ADY_OK)
		err = ady_shared_seal(&job->child, envelope, data_key, &row_key);
	ady_stack_wipe();
	return err;
}

static enum ady_err derive_all(struct ady_keyroom *room, struct ady_job *job, size_t worker,
                               struct ady_buf *keys, struct ady_fault *f)
{
	__attribute__((cleanup(ady_wallet_walk_wipe))) struct ady_wallet_walk walk = {0};
	const struct ady_envelope envelope = ady_making_envelope(room, worker);
	const struct ady_derive *d = &job->derive;
	enum ady_err err =
	    ady_wallet_walk_begin(&walk, d->curve, &d->path, &job->sign.record, room->secp,
	                          &envelope, room->spaces[worker].data_key, f);

	if (err == ADY_OK && d->options.n > 0 && job->shares)
		err = share(job, &envelope, room->spaces[worker].data_key, f);
	for (uint64_t i = 0; i < d->count && err == ADY_OK; i++) {
		if (ady_job_expired(job))
			return ady_fail(f, ADY_E_DEADLINE, "",
			                "the time allowed passed after %llu keys",
			                (unsigned long long)i);
		err = put_key(room, job, worker, &walk, d->first + i, keys, f);
	}
	return err;
}

static void answer(struct ady_keyroom *room, struct ady_job *job, size_t worker,
                   struct ady_buf *keys)
{
	struct ady_space *space = &room->spaces[worker];
	struct ady_buf b = ady_buf(space->bytes, sizeof space->bytes);
	uint8_t counters_space[ADY_RECORD_COUNTERS + ADY_RECORD_SEALED];
	struct ady_buf counters = ady_buf(counters_space, sizeof counters_space);
	bool made = job->derive.options.n > 0;

	if (made) {
		atomic_fetch_add(&room->counters->created, job->derive.count);
		ady_record_put_counters(&counters, &job->child);
	}
	ady_wire_put_derived(&b,
	                     &(struct ady_wire_derived){.created = made ? job->child.created : 0,
	                                                .counters = ady_buf_bytes(&counters),
	                                                .keys = ady_buf_bytes(keys)});
	if (keys->full || b.full)
		ADY_BUG("derived keys outgrew their answer");
	ady_making_answer_keys(room, job, ADY_WIRE_DERIVE, ady_buf_bytes(&b), keys,
	                       ady_curve_public_size(job->derive.curve),
	                       made ? ADY_WIRE_SEALED_KEY : 0);
}

static void stop(struct ady_job *job, enum ady_err err, struct ady_fault *f)
{
	ady_keyroom_refuse(job->room, &job->asker, err, f);
	ady_counting_give(job->room, job);
}

/* With the data key in the worker's space: a request that is counted may be counted now, or in time
 * before. ADY_E_AGAIN: its row is written first. */
static enum ady_err count(struct ady_keyroom *room, struct ady_job *job, size_t worker,
                          struct ady_fault *f)
{
	if (!job->sign.charging.guarded)
		return ADY_OK;
	if (job->sign.charging.permitted)
		return ady_counting_in_time(job, f);
	job->sign.envelope = ady_making_envelope(room, worker);
	return ady_counting_decide(room, job,
	                           ady_bytes(room->spaces[worker].data_key, ADY_DATA_KEY_SIZE), f);
}

/* A DERIVE on KMS thread `worker`. */
static void run_derive(struct ady_work *work, size_t worker)
{
	struct ady_job *job = (struct ady_job *)work;
	struct ady_keyroom *room = job->room;
	struct ady_buf keys = ady_buf(job->sign.scratch, sizeof job->sign.scratch);
	struct ady_fault f = {0};
	enum ady_err err = ady_making_data_key(room, job, worker, &f);

	if (err == ADY_OK)
		err = count(room, job, worker, &f);
	if (err == ADY_OK) {
		job->child.created = (uint64_t)(ady_wall_ms() / 1000);
		err = derive_all(room, job, worker, &keys, &f);
	}
	ady_zero(room->spaces[worker].data_key, ADY_DATA_KEY_SIZE);
	if (err == ADY_OK)
		answer(room, job, worker, &keys);
	else if (err != ADY_E_AGAIN)
		stop(job, err, &f);
}

static void go(struct ady_job *job, struct ady_space *space)
{
	struct ady_fault f = {0};

	(void)space;
	job->work = (struct ady_work){.fn = run_derive};
	if (ady_pool_submit(job->room->pool, &job->work) != ADY_OK)
		stop(job, ADY_E_BUSY, &f);
}

void ady_deriving_take(struct ady_keyroom *room, struct ady_space *space, struct ady_channel *ch,
                       const struct ady_wire_head *head, struct ady_bytes body)
{
	struct ady_job *job = ady_keyroom_take(room, space, ch, head, body);
	struct ady_fault f = {0};
	enum ady_err err;

	if (!job)
		return;
	job->room = room;
	if ((err = begin_derive(job, space, body, &f)) != ADY_OK ||
	    (err = ady_jobs_share(room->config.jobs, job, &f)) != ADY_OK)
		stop(job, err, &f);
	else if (job->sign.charging.guarded)
		ady_counting_start(room, job, space, go, stop);
	else
		go(job, space);
}
