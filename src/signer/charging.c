/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/charging.h"

#include <string.h>

#include "signer/sign.h"

bool ady_charging_guards(const struct ady_record *rec, const struct ady_rulebook *book)
{
	if (rec->curve == ADY_CURVE_BLS12_381)
		return false;
	return rec->revision > 0 || (book && (book->counters_n > 0 || book->change.need > 0));
}

void ady_charging_keep(struct ady_charging *c, const struct ady_rulebook *book)
{
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

enum ady_err ady_charging_plan(struct ady_charging *c, struct ady_deciding *d, bool changed,
                               struct ady_fault *f)
{
	c->permitted = false;
	ady_charging_keep(c, d->book);
	ady_decide_plan(&c->plan, d);
	if (c->plan.rules_n == 0)
		return ady_decision_refuse(&c->plan.denial, d->book, "policy", f);
	c->guarded = changed || d->book->change.need > 0 || c->plan.rules[0].n > 0;
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
	const struct ady_tally_owner owner = {
	    .deployment = deployment,
	    .tenant = rec->tenant,
	    .id = rec->id,
	    .curve = ady_curve_name(rec->curve),
	    .pub = ady_bytes(rec->pub, ady_curve_public_size(rec->curve))};

	ady_tally_name(c->name, &owner);
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
static bool charged_before(const struct ady_sign_job *job, const struct ady_charging_memory *m)
{
	uint64_t now_s = job->setting.now_s, since_s = now_s - ADY_CHARGING_AGAIN_S;

	if (now_s < ADY_CHARGING_AGAIN_S)
		return false;
	if (m->known_s > 0 && since_s < m->known_s + ADY_PLAN_CLOCK_ERROR_S)
		since_s = m->known_s + ADY_PLAN_CLOCK_ERROR_S;
	return ady_tally_has(&job->charging.tally, job->digest, since_s);
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
	size_t charged;

	c->permitted = charged_before(job, m);
	if (c->permitted)
		return ADY_OK;
	charged = ady_plan_settle(&decision, &c->plan, &setting, &c->charged);
	if (decision.verdict != ADY_ALLOWED)
		return refuse(c, &decision, f);
	c->permitted = charged == 0 && c->tally.version > 0;
	if (c->permitted)
		return ADY_OK;
	ady_tally_charge(&c->tally, job->digest, job->setting.now_s);
	ady_charging_seal(c, &c->charged, row_key);
	return ADY_E_AGAIN;
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
	enum ady_err err = ady_sign_row_key(&row_key, job, secp, plaintext, f);

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
	enum ady_err err = ady_sign_row_key(&row_key, job, secp, plaintext, f);

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
