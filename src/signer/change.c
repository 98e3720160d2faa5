/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/change.h"

#include <string.h>

#include "crypto/hash.h"
#include "signer/make.h"

static enum ady_err read_record(struct ady_sign_job *job, const struct ady_wire_policy_change *m,
                                struct ady_fault *f)
{
	struct ady_record *rec = &job->record;
	enum ady_err err =
	    ady_record_parse_in(rec, job->toks, ADY_SIGN_TOKENS, m->record, m->key_id, f);

	if (err != ADY_OK)
		return err;
	if (rec->sample || !rec->envelope)
		return ady_fail(
		    f, ADY_E_RECORD, "record.wrapping",
		    "is not envelope: only what was sealed here has a policy that can be "
		    "changed");
	if (rec->curve == ADY_CURVE_BLS12_381)
		return ady_fail(f, ADY_E_DENIED, "record.curve",
		                "is of validators' keys, whose policies are for good");
	if (rec->curve == ADY_CURVE_WALLET || rec->origin[0])
		return ady_fail(f, ADY_E_DENIED, "record.curve",
		                "is of a wallet or of its keys, whose policies are for good");
	return ADY_OK;
}

static enum ady_err check_stamps(struct ady_sign_job *job, const struct ady_wire_policy_change *m,
                                 struct ady_fault *f)
{
	struct ady_stamp_want want = {.aud = job->setting.deployment,
	                              .tenant = job->record.tenant,
	                              .key = m->key_id,
	                              .op = "policy",
	                              .now_s = job->setting.now_s,
	                              .life_s = ADY_CHANGE_LIFE_S};
	enum ady_err err;

	ady_sha256(want.body32, &m->change, 1);
	if ((err = ady_stamps_verify(job->stamps, &job->stamps_n, &want, m->stamp, f)) != ADY_OK)
		return err;
	for (size_t i = 0; i < job->stamps_n; i++)
		job->stamp_keys[i] = ady_bytes_str(job->stamps[i].by);
	job->object = (struct ady_object){.stamps = job->stamp_keys, .stamps_n = job->stamps_n};
	return ADY_OK;
}

/* Whether those who may have agreed. */
static enum ady_err check_quorum(struct ady_sign_job *job, struct ady_fault *f)
{
	struct ady_deciding *d = &job->policies->deciding;
	const struct ady_rulebook *book;
	enum ady_err err;
	uint16_t given;

	if (job->record.policy.n == 0)
		return ady_fail(f, ADY_E_DENIED, "policy", "there is none, and that is for good");
	err = ady_policies_get(job->policies, &book, job->record.policy, "record.policy", f);
	if (err != ADY_OK)
		return err;
	if (book->change.need == 0)
		return ady_fail(f, ADY_E_DENIED, "policy.change",
		                "names nobody who may change the policy: it is for good");
	*d = (struct ady_deciding){.book = book, .object = &job->object};
	given = ady_decide_approvals(d, &book->change);
	if (given >= book->change.need)
		return ADY_OK;
	return ady_fail(f, ADY_E_DENIED, "policy.change", "needs %u approvals and has %u",
	                (unsigned)book->change.need, (unsigned)given);
}

/* The two members of the request, and no others. Out: *policy, a view into it. */
static enum ady_err read_change(struct ady_sign_job *job, struct ady_bytes change,
                                struct ady_bytes *policy, struct ady_fault *f)
{
	struct ady_json *doc = &job->doc;
	uint32_t revision = 0, value = 0;
	uint64_t of;
	enum ady_err err = ady_json_parse(doc, job->toks, ADY_SIGN_TOKENS, change, f);

	if (err != ADY_OK)
		return err;
	if (ady_json_kind(doc, 0) != ADY_JSON_OBJECT)
		return ady_fail(f, ADY_E_FIELD_INVALID, NULL, "must be an object");
	for (uint32_t k = ady_json_first(doc, 0); k; k = ady_json_after(doc, 0, k)) {
		if (ady_json_is(doc, k, "revision"))
			revision = k + 1;
		else if (ady_json_is(doc, k, "policy"))
			value = k + 1;
		else
			return ady_fail(f, ADY_E_FIELD_UNKNOWN, NULL,
			                "has a member beside revision and policy");
	}
	if (!value || ady_json_kind(doc, value) != ADY_JSON_OBJECT)
		return ady_fail(f, ADY_E_FIELD_INVALID, "policy", "must be an object");
	if (!revision || ady_json_u64(doc, revision, &of) != ADY_OK)
		return ady_fail(f, ADY_E_FIELD_INVALID, "revision",
		                "must be the number of the policy's revision");
	if (of != job->record.revision)
		return ady_fail(f, ADY_E_CONFLICT, "revision", "the policy is at revision %llu",
		                (unsigned long long)job->record.revision);
	*policy = ady_json_raw(doc, value);
	return ADY_OK;
}

/* Keep the new policy beyond the message, if the enclave can read it. */
static enum ady_err keep_policy(struct ady_sign_job *job, struct ady_bytes policy,
                                struct ady_fault *f)
{
	const struct ady_rulebook *book;

	if (ady_policies_get(job->policies, &book, policy, "policy", f) != ADY_OK) {
		f->err = ADY_E_FIELD_INVALID;
		return ADY_E_FIELD_INVALID;
	}
	ady_charging_keep(&job->charging, book);
	job->raw = ady_buf(job->raw_space, sizeof job->raw_space);
	ady_buf_view(&job->raw, policy);
	return ADY_OK;
}

enum ady_err ady_change_prepare(struct ady_sign_job *job, const struct ady_wire_policy_change *m,
                                struct ady_fault *f)
{
	struct ady_bytes policy = {0};
	enum ady_err err;

	job->charging.guarded = true;
	job->charging.permitted = false;
	job->charging.plan.rules[0].n = 0; /* nothing is charged */
	if ((err = read_record(job, m, f)) != ADY_OK || (err = check_stamps(job, m, f)) != ADY_OK ||
	    (err = check_quorum(job, f)) != ADY_OK ||
	    (err = read_change(job, m->change, &policy, f)) != ADY_OK)
		return err;
	if ((err = keep_policy(job, policy, f)) != ADY_OK)
		return err;
	ady_charging_name(&job->charging, &job->record, job->setting.deployment);
	return ADY_OK;
}

/* Go on to the next revision. Counters of the same name go on; that of another period counts as of
 * now. */
static enum ady_err next_row(struct ady_sign_job *job, const uint8_t policy_hash[static 32],
                             const struct ady_seckey *row_key, struct ady_fault *f)
{
	struct ady_charging *c = &job->charging;
	enum ady_err err =
	    ady_tally_matches(&c->tally, job->record.revision, job->record.policy_hash, f);

	if (err != ADY_OK)
		return err;
	if (job->setting.now_s == 0)
		return ady_fail(f, ADY_E_CLOCK, NULL,
		                "the enclave's clock is not known to be right");
	if (ady_counters_read(&c->counters, c->info, c->counters_n, job->setting.now_s,
	                      c->tally.counters) != ADY_OK)
		return ady_fail(f, ADY_E_COUNTERS, "counters", "are no row of counters");
	c->tally.version++;
	c->tally.revision++;
	memcpy(c->tally.policy_hash, policy_hash, 32);
	ady_charging_seal(c, &c->counters, row_key);
	return ADY_E_AGAIN;
}

static __attribute__((noinline)) enum ady_err decide(struct ady_sign_job *job,
                                                     const struct ady_charging_memory *m,
                                                     const struct ady_secp *secp,
                                                     struct ady_bytes data_key, struct ady_fault *f)
{
	struct ady_charging *c = &job->charging;
	const struct ady_bytes policy = ady_buf_bytes(&job->raw);
	ADY_SECRET struct ady_seckey row_key = {0};
	enum ady_err err = ady_sign_row_key(&row_key, job, secp, data_key, f);
	uint8_t hash[32];

	if (err != ADY_OK || (err = ady_charging_open(c, m, &row_key, f)) != ADY_OK)
		return err;
	ady_sha256(hash, &policy, 1);
	c->permitted = c->tally.revision == job->record.revision + 1 &&
	               memcmp(c->tally.policy_hash, hash, 32) == 0;
	return c->permitted ? ADY_OK : next_row(job, hash, &row_key, f);
}

enum ady_err ady_change_decide(struct ady_sign_job *job, const struct ady_charging_memory *m,
                               const struct ady_secp *secp, struct ady_bytes data_key,
                               struct ady_fault *f)
{
	enum ady_err err = decide(job, m, secp, data_key, f);

	ady_stack_wipe();
	return err;
}

enum ady_err ady_change_finish(struct ady_sign_job *job, const struct ady_secp *secp,
                               struct ady_bytes data_key, struct ady_fault *f)
{
	if (!job->charging.permitted || data_key.n != 32)
		return ady_fail(f, ADY_E_COUNTERS, "counters", "are not of the new policy yet");
	return ady_rebind_key(&job->record, job->from, secp, &job->envelope, data_key.p,
	                      ady_buf_bytes(&job->raw), f);
}
