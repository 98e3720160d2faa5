/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/charging.h"

#include <string.h>

#include "crypto/hash.h"
#include "signer/duty.h"
#include "signer/shared.h"
#include "signer/wallet.h"

bool ady_charging_guards(const struct ady_record *rec, const struct ady_rulebook *book)
{
	if (rec->curve == ADY_CURVE_BLS12_381)
		return book && book->counters_n > 0;
	return rec->revision > 0 || (book && (book->counters_n > 0 || book->change.need > 0));
}

void ady_charging_keep(struct ady_charging *c, const struct ady_rulebook *book)
{
	c->each_key = book->each_key;
	c->counters_n = book->counters_n;
	for (size_t i = 0; i < c->counters_n; i++) {
		struct ady_bytes name = book->counters[i].name;

		memcpy(c->names[i], name.p, name.n);
		c->info[i] = book->counters[i];
		c->info[i].name = ady_bytes(c->names[i], name.n);
	}
}

/* The words for a denial that the counters do not change, while there is the policy to name. */
static void keep_denial(struct ady_charging *c, const struct ady_rulebook *book)
{
	c->denial = (struct ady_fault){0};
	if (c->plan.denial.verdict != ADY_DENIED_BY_DEFAULT)
		(void)ady_decision_refuse(&c->plan.denial, book, "policy", &c->denial);
}

/* Whether the policy may have been changed since the record was made. */
static bool may_change(const struct ady_record *rec, const struct ady_rulebook *book)
{
	return rec->curve != ADY_CURVE_BLS12_381 && (rec->revision > 0 || book->change.need > 0);
}

enum ady_err ady_charging_plan(struct ady_charging *c, struct ady_deciding *d,
                               const struct ady_record *rec, struct ady_fault *f)
{
	c->permitted = false;
	ady_charging_keep(c, d->book);
	ady_decide_plan(&c->plan, d);
	if (c->plan.rules_n == 0)
		return ady_decision_refuse(&c->plan.denial, d->book, "policy", f);
	c->guarded = may_change(rec, d->book) || c->plan.rules[0].n > 0;
	keep_denial(c, d->book);
	(void)ady_bytes_to_str(c->rule, sizeof c->rule, d->book->rules[c->plan.rules[0].rule].name);
	return ADY_OK;
}

enum ady_err ady_charging_set_row(struct ady_charging *c, struct ady_bytes row, struct ady_fault *f)
{
	c->row_n = 0;
	if (row.n > sizeof c->row)
		return ady_fail(f, ADY_E_COUNTERS, "counters", "are no row of counters");
	c->row_n = row.n;
	if (row.n)
		memcpy(c->row, row.p, row.n);
	return ADY_OK;
}

void ady_charging_name(struct ady_charging *c, const struct ady_record *rec, const char *deployment)
{
	c->shared = rec->counted && !c->each_key;
	c->late = rec->counted && c->each_key;
	ady_shared_name(c->name, rec, deployment, c->each_key);
}

void ady_charging_seal(struct ady_charging *c, const struct ady_counters *counters,
                       const struct ady_seckey *row_key)
{
	struct ady_buf b = ady_buf(c->new_row, sizeof c->new_row);

	ady_tally_seal(&b, &c->tally, counters, c->info, c->counters_n, c->name, row_key);
	if (b.full)
		ADY_BUG("a row of counters outgrew its room");
	c->new_row_n = b.n;
}

enum ady_err ady_charging_open(struct ady_charging *c, const struct ady_charging_memory *m,
                               const struct ady_seckey *row_key, struct ady_fault *f)
{
	struct ady_bytes row = ady_bytes(c->row, c->row_n);
	enum ady_err err = ady_tally_open(&c->tally, row, c->name, row_key, f);

	return err == ADY_OK ? ady_tally_follows(m->known, row, f) : err;
}

/* Read the row, or begin one for a key that can have none yet. */
static enum ady_err open_row(struct ady_sign_job *job, const struct ady_charging_memory *m,
                             const struct ady_seckey *row_key, struct ady_fault *f)
{
	struct ady_charging *c = &job->charging;
	enum ady_err err;

	if (c->row_n == 0 && m->fresh && m->known.n == 0) {
		c->tally = (struct ady_tally){.revision = job->record.revision};
		memcpy(c->tally.policy_hash, job->record.policy_hash, 32);
		return ADY_OK;
	}
	if ((err = ady_charging_open(c, m, row_key, f)) != ADY_OK)
		return err;
	return ady_tally_matches(&c->tally, job->record.revision, job->record.policy_hash, f);
}

/* What the row remembers of a charge. Two keys may sign the same digest, each for its own account:
 * in a row that they share it is not the same thing again. */
static void what_of(uint8_t what[static 32], const struct ady_sign_job *job)
{
	const struct ady_record *rec = &job->record;
	const struct ady_bytes parts[] = {ady_bytes(job->digest, 32),
	                                  ady_bytes(rec->pub, ady_curve_public_size(rec->curve))};

	if (job->charging.shared)
		ady_sha256(what, parts, 2);
	else
		memcpy(what, job->digest, 32);
}

static const struct ady_counter_info *counter_of(const struct ady_charging *c, uint16_t limit)
{
	uint16_t i = 0;

	while (c->plan.charges[i].limit != limit)
		i++;
	return &c->info[c->plan.charges[i].counter];
}

static enum ady_err refuse(const struct ady_charging *c, const struct ady_decision *decision,
                           struct ady_fault *f)
{
	if (decision->verdict == ADY_DENIED_LIMIT || decision->verdict == ADY_DENIED_WAIT)
		return ady_decision_refuse_limit(decision, ady_bytes_str(c->rule),
		                                 counter_of(c, decision->limit)->name, "policy", f);
	*f = c->denial;
	return c->denial.err;
}

/* Whether this was charged a moment ago, in a row that is known to be the newest: of another
 * history, and of long ago, a charge says nothing about the period that runs. */
static bool charged_before(const struct ady_sign_job *job, const struct ady_charging_memory *m,
                           const uint8_t what[static 32])
{
	uint64_t now_s = job->setting.now_s, since_s = now_s - ADY_CHARGING_AGAIN_S;

	if (now_s < ADY_CHARGING_AGAIN_S)
		return false;
	if (m->known_s > 0 && since_s < m->known_s + ADY_PLAN_CLOCK_ERROR_S)
		since_s = m->known_s + ADY_PLAN_CLOCK_ERROR_S;
	return ady_tally_has(&job->charging.tally, what, since_s);
}

static enum ady_err settle(struct ady_sign_job *job, const struct ady_charging_memory *m,
                           const struct ady_seckey *row_key, struct ady_fault *f)
{
	struct ady_charging *c = &job->charging;
	const struct ady_plan_setting setting = {.counters = &c->counters,
	                                         .info = c->info,
	                                         .now_s = job->setting.now_s,
	                                         .known_s = m->known_s};
	struct ady_decision decision;
	uint8_t what[32];
	size_t charged;

	what_of(what, job);
	c->permitted = charged_before(job, m, what);
	if (c->permitted)
		return ADY_OK;
	charged = ady_plan_settle(&decision, &c->plan, &setting, &c->charged);
	if (decision.verdict != ADY_ALLOWED)
		return refuse(c, &decision, f);
	c->permitted = charged == 0 && c->tally.version > 0;
	if (c->permitted)
		return ADY_OK;
	ady_tally_charge(&c->tally, what, job->setting.now_s);
	ady_charging_seal(c, &c->charged, row_key);
	return ADY_E_AGAIN;
}

/* The record must open before anything is counted by what it says. */
static enum ady_err open_shared(struct ady_seckey *row_key, const struct ady_sign_job *job,
                                const uint8_t *data_key32, struct ady_fault *f)
{
	ADY_SECRET struct ady_seckey key = {0};
	enum ady_err err = ady_envelope_open(&key, &job->record, &job->envelope, data_key32, f);

	return err == ADY_OK ? ady_shared_open(row_key, &job->record, &job->envelope, data_key32, f)
	                     : err;
}

/* The key of the row, out of what opens the record. */
static enum ady_err row_key_of(struct ady_seckey *row_key, struct ady_sign_job *job,
                               const struct ady_secp *secp, struct ady_bytes plaintext,
                               struct ady_fault *f)
{
	const struct ady_record *rec = &job->record;

	if ((job->charging.shared || rec->curve == ADY_CURVE_WALLET) && plaintext.n != 32)
		return ady_fail(f, ADY_E_KEY_FORM, "record.data_key", "is no key of 32 bytes");
	if (job->charging.shared)
		return open_shared(row_key, job, plaintext.p, f);
	if (rec->curve == ADY_CURVE_WALLET)
		return ady_wallet_row_key(row_key, rec, &job->envelope, plaintext.p, f);
	if (rec->curve == ADY_CURVE_BLS12_381)
		return ady_duty_row_key(row_key, job, plaintext, f);
	return ady_sign_row_key(row_key, job, secp, plaintext, f);
}

/* Everything with a secret: not inlined, see signer/sign.c. */
static __attribute__((noinline)) enum ady_err decide(struct ady_sign_job *job,
                                                     const struct ady_charging_memory *m,
                                                     const struct ady_secp *secp,
                                                     struct ady_bytes plaintext,
                                                     struct ady_fault *f)
{
	struct ady_charging *c = &job->charging;
	ADY_SECRET struct ady_seckey row_key = {0};
	enum ady_err err = row_key_of(&row_key, job, secp, plaintext, f);

	if (err != ADY_OK || (err = open_row(job, m, &row_key, f)) != ADY_OK)
		return err;
	if (ady_counters_read(&c->counters, c->info, c->counters_n, job->setting.now_s,
	                      c->tally.counters) != ADY_OK)
		return ady_fail(f, ADY_E_COUNTERS, "counters", "are no row of counters");
	return settle(job, m, &row_key, f);
}

enum ady_err ady_charging_decide(struct ady_sign_job *job, const struct ady_charging_memory *m,
                                 const struct ady_secp *secp, struct ady_bytes plaintext,
                                 struct ady_fault *f)
{
	enum ady_err err = decide(job, m, secp, plaintext, f);

	ady_stack_wipe();
	return err;
}

void ady_charging_permit(struct ady_charging *c)
{
	c->permitted = true;
}

static __attribute__((noinline)) enum ady_err create(struct ady_sign_job *job,
                                                     const struct ady_secp *secp,
                                                     struct ady_bytes plaintext,
                                                     struct ady_fault *f)
{
	struct ady_charging *c = &job->charging;
	ADY_SECRET struct ady_seckey row_key = {0};
	enum ady_err err = row_key_of(&row_key, job, secp, plaintext, f);

	if (err != ADY_OK)
		return err;
	c->counters = (struct ady_counters){0};
	c->tally = (struct ady_tally){.version = 1, .revision = job->record.revision};
	memcpy(c->tally.policy_hash, job->record.policy_hash, 32);
	ady_charging_seal(c, &c->counters, &row_key);
	return ADY_OK;
}

enum ady_err ady_charging_create(struct ady_sign_job *job, const struct ady_secp *secp,
                                 struct ady_bytes plaintext, struct ady_fault *f)
{
	enum ady_err err = create(job, secp, plaintext, f);

	ady_stack_wipe();
	return err;
}
