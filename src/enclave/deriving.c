/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/deriving.h"

#include <string.h>

#include "base/clock.h"
#include "codec/wire_wallet.h"
#include "enclave/making_job.h"
#include "signer/decision.h"
#include "signer/stamped.h"
#include "signer/wallet.h"

/* Whether the wallet's callers have asked, and its policy lets them. */
static enum ady_err may_derive(struct ady_job *job, struct ady_space *space,
                               const struct ady_wire_derive *m, struct ady_fault *f)
{
	struct ady_sign_job *j = &job->sign;
	enum ady_err err;

	j->setting = ady_keyroom_setting(job->owner);
	j->object = (struct ady_object){.kind = ADY_OBJECT_DERIVE, .now_s = j->setting.now_s};
	err = ady_stamped_check(j, ADY_FORM_DERIVE, m->key_id, m->request, m->stamp, f);
	if (err != ADY_OK)
		return err;
	return ady_policies_decide(space->policies, &j->record, &j->object, NULL, f);
}

/* The policy of the keys, the wallet's or another, must be one that can be read, and that needs no
 * row of counters: rows are made with their keys, one by one. */
static enum ady_err check_policy(const struct ady_job *job, struct ady_space *space,
                                 struct ady_fault *f)
{
	const struct ady_record *rec = &job->child;
	const struct ady_rulebook *book = NULL;

	if (rec->policy.n > 0 &&
	    ady_policies_get(space->policies, &book, rec->policy, "options.policy", f) != ADY_OK) {
		f->err = ADY_E_FIELD_INVALID;
		return ADY_E_FIELD_INVALID;
	}
	if (rec->curve != ADY_CURVE_BLS12_381 && ady_charging_guards(rec, book))
		return ady_fail(f, ADY_E_FIELD_INVALID, "options.policy",
		                "has limits or names who may change it, which keys of a wallet do "
		                "not take");
	return ADY_OK;
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
	return ady_keyroom_use_stamps(job->owner, j, f);
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

static enum ady_err derive_all(struct ady_keyroom *room, struct ady_job *job, size_t worker,
                               struct ady_buf *keys, struct ady_fault *f)
{
	__attribute__((cleanup(ady_wallet_walk_wipe))) struct ady_wallet_walk walk = {0};
	const struct ady_envelope envelope = ady_making_envelope(room, worker);
	const struct ady_derive *d = &job->derive;
	enum ady_err err =
	    ady_wallet_walk_begin(&walk, d->curve, &d->path, &job->sign.record, room->secp,
	                          &envelope, room->spaces[worker].data_key, f);

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
	bool made = job->derive.options.n > 0;

	if (made)
		atomic_fetch_add(&room->counters->created, job->derive.count);
	ady_wire_put_derived(&b,
	                     &(struct ady_wire_derived){.created = made ? job->child.created : 0,
	                                                .keys = ady_buf_bytes(keys)});
	if (keys->full || b.full)
		ADY_BUG("derived keys outgrew their answer");
	ady_making_answer_keys(room, job, ADY_WIRE_DERIVE, ady_buf_bytes(&b), keys,
	                       ady_curve_public_size(job->derive.curve),
	                       made ? ADY_WIRE_SEALED_KEY : 0);
}

/* A DERIVE on KMS thread `worker`. */
static void run_derive(struct ady_work *work, size_t worker)
{
	struct ady_job *job = (struct ady_job *)work;
	struct ady_keyroom *room = job->owner;
	struct ady_buf keys = ady_buf(job->sign.scratch, sizeof job->sign.scratch);
	struct ady_fault f = {0};
	enum ady_err err = ady_making_data_key(room, job, worker, &f);

	job->child.created = (uint64_t)(ady_wall_ms() / 1000);
	if (err == ADY_OK)
		err = derive_all(room, job, worker, &keys, &f);
	if (err != ADY_OK) {
		ady_making_settle(room, job, worker, ADY_WIRE_DERIVE, err, &f);
		return;
	}
	ady_zero(room->spaces[worker].data_key, ADY_DATA_KEY_SIZE);
	answer(room, job, worker, &keys);
}

void ady_deriving_take(struct ady_keyroom *room, struct ady_space *space, struct ady_channel *ch,
                       const struct ady_wire_head *head, struct ady_bytes body)
{
	ady_making_start(room, space, ch, head, body, begin_derive, run_derive);
}
