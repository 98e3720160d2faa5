/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/counting.h"

#include "base/clock.h"
#include "enclave/host_calls.h"
#include "enclave/ledger.h"
#include "signer/change.h"

enum {
	AGAIN_MAX = 64,     /* rows that others were faster to write */
	CLOCK_ERROR_S = 60, /* of whoever made a direct key, and of this enclave */
	USE_MS = 30000      /* how long after it was written a charge may be used */
};

enum ady_err ady_counting_in_time(const struct ady_job *job, struct ady_fault *f)
{
	if (ady_mono_ms() <= job->use_due_ms)
		return ADY_OK;
	return ady_fail(f, ADY_E_DEADLINE, "", "too much time passed since it was counted");
}

/* Seconds since 1970 when the enclave started, by the clock as it is now: what it showed then may
 * have been wrong. */
static uint64_t start_s(const struct ady_keyroom *room, const struct ady_job *job)
{
	uint64_t up_s = (uint64_t)(ady_mono_ms() - room->born_mono_ms) / 1000;

	return job->sign.setting.now_s > up_s ? job->sign.setting.now_s - up_s : 0;
}

/* By the clock of now: the job may have waited for as long as the parent likes, and a start that
 * many seconds too early would be known to be after what was not seen. */
static struct ady_charging_memory memory_of(struct ady_keyroom *room, struct ady_job *job)
{
	const struct ady_record *rec = &job->sign.record;
	const uint64_t now_s = job->sign.setting.now_s = ady_keyroom_now_s(room);
	struct ady_charging_memory m;
	bool born;

	m.known = ady_ledger_row(room->ledger, job->sign.charging.name, &born);
	/* A key of a wallet may be derived again, and is as old as its wallet. */
	born = born || (rec->counted && ady_ledger_is_born(room->ledger, rec->counters));
	m.known_s = born || room->config.config->counters_after_start == ADY_COUNTERS_STORE
	                ? 0
	                : start_s(room, job);
	/* Nobody could make the row of a key that did not come into being in an enclave. */
	m.fresh = !rec->envelope && now_s > 0 && rec->created <= now_s + CLOCK_ERROR_S &&
	          rec->created >= start_s(room, job) + CLOCK_ERROR_S;
	if (m.fresh)
		m.known_s = 0;
	/* A row that is made late could as well be shown as it was made: it is waited for alike. */
	m.fresh = m.fresh || job->sign.charging.late;
	return m;
}

void ady_counting_give(struct ady_keyroom *room, struct ady_job *job)
{
	struct ady_job *next = job->has_turn ? ady_ledger_leave(room->ledger, job) : NULL;

	ady_jobs_give(room->config.jobs, job);
	while ((job = next)) {
		struct ady_fault f = {0};

		if (ady_pool_submit(room->pool, &job->work) == ADY_OK)
			return;
		next = ady_ledger_leave(room->ledger, job);
		ady_keyroom_refuse(room, &job->asker, ADY_E_BUSY, &f);
		ady_jobs_give(room->config.jobs, job);
	}
}

static const char no_room[] = "of more keys than the tenant has room for in this enclave";

static void stop(struct ady_job *job, enum ady_err err, const char *why)
{
	struct ady_fault f = {0};

	if (why)
		(void)ady_fail(&f, err, "counters", "%s", why);
	job->stop(job, err, &f);
}

/* --- the row --- */

static void go_on(struct ady_job *job, struct ady_space *space, struct ady_bytes row)
{
	struct ady_fault f = {0};
	enum ady_err err = ady_charging_set_row(&job->sign.charging, row, &f);

	if (err == ADY_OK)
		job->go(job, space);
	else
		job->stop(job, err, &f);
}

static void on_read(struct ady_job *job, struct ady_space *space, enum ady_slash_outcome outcome,
                    struct ady_bytes row)
{
	if (outcome == ADY_SLASH_CONFLICT)
		go_on(job, space, row);
	else
		stop(job, ADY_E_COUNTERS,
		     "could not be read: the gateway did not give them, its log says why");
}

static void read_row(struct ady_keyroom *room, struct ady_job *job)
{
	const struct ady_wire_state_cas m = {
	    .key = ady_bytes(job->sign.charging.name, ADY_TALLY_NAME)};

	job->row_known = false;
	ady_host_calls_ask(room->host_calls, job, &m, on_read);
}

/* A policy that only may be changed, and charges nothing, is looked up each time: another enclave
 * may have changed it. One that charges finds out when it writes. */
static void begin_turn(struct ady_keyroom *room, struct ady_job *job, struct ady_space *space)
{
	struct ady_charging_memory m;

	if (ady_job_expired(job)) {
		stop(job, ADY_E_DEADLINE, NULL);
		return;
	}
	m = memory_of(room, job);
	job->row_known = m.known.n > 0 && job->sign.charging.plan.rules[0].n > 0;
	if (job->row_known)
		go_on(job, space, m.known);
	else
		read_row(room, job);
}

static void run_turn(struct ady_work *work, size_t worker)
{
	struct ady_job *job = (struct ady_job *)work;
	struct ady_keyroom *room = job->room;

	begin_turn(room, job, &room->spaces[worker]);
}

void ady_counting_start(struct ady_keyroom *room, struct ady_job *job, struct ady_space *space,
                        ady_counting_go *go, ady_counting_stop *halt)
{
	enum ady_err err;

	job->room = room;
	job->go = go;
	job->stop = halt;
	job->again = 0;
	job->work = (struct ady_work){.fn = run_turn};
	err = ady_ledger_enter(room->ledger, job);
	if (err == ADY_OK)
		begin_turn(room, job, space);
	else if (err != ADY_E_AGAIN)
		stop(job, err, no_room);
}

/* --- the write --- */

static void on_write(struct ady_job *job, struct ady_space *space, enum ady_slash_outcome outcome,
                     struct ady_bytes row)
{
	struct ady_charging *c = &job->sign.charging;

	if (outcome == ADY_SLASH_UNKNOWN) {
		stop(job, ADY_E_COUNTERS,
		     "were sent to be written, and whether they were is not known: the gateway's "
		     "log says why");
	} else if (outcome == ADY_SLASH_CONFLICT) {
		if (++job->again > AGAIN_MAX)
			stop(job, ADY_E_BUSY, "change too fast");
		else
			go_on(job, space, row);
	} else if (ady_ledger_learn(job->room->ledger, c->name,
	                            ady_bytes(c->new_row, c->new_row_n)) != ADY_OK) {
		stop(job, ADY_E_MEMORY, NULL);
	} else {
		job->use_due_ms = job->write_due_ms + USE_MS;
		job->again = 0; /* of what else is written for the job */
		ady_charging_permit(c);
		job->go(job, space);
	}
}

static void write_row(struct ady_keyroom *room, struct ady_job *job)
{
	struct ady_charging *c = &job->sign.charging;
	struct ady_bytes row = ady_bytes(c->new_row, c->new_row_n);
	const struct ady_wire_state_cas m = {.key = ady_bytes(c->name, ADY_TALLY_NAME),
	                                     .version = ady_tally_version(row) - 1,
	                                     .state = row};

	job->row_known = false;
	ady_host_calls_ask(room->host_calls, job, &m, on_write);
}

/* Remember the row, which was authentic and not too old, and have the next one written. */
static enum ady_err go_on_writing(struct ady_keyroom *room, struct ady_job *job, enum ady_err err,
                                  struct ady_fault *f)
{
	struct ady_charging *c = &job->sign.charging;
	enum ady_err kept = ADY_OK;

	if (err != ADY_OK && err != ADY_E_AGAIN && err != ADY_E_DENIED)
		return err;
	if (c->row_n > 0)
		kept = ady_ledger_learn(room->ledger, c->name, ady_bytes(c->row, c->row_n));
	if (kept == ADY_OK && err == ADY_E_AGAIN)
		kept = ady_ledger_room(room->ledger, job, c->new_row_n);
	if (kept != ADY_OK)
		return ady_fail(f, kept, "counters", "%s", no_room);
	if (err == ADY_E_AGAIN)
		write_row(room, job);
	return err;
}

enum ady_err ady_counting_decide(struct ady_keyroom *room, struct ady_job *job,
                                 struct ady_bytes plaintext, struct ady_fault *f)
{
	/* It is counted when it is signed, not when it came: the parent may let it wait. */
	const struct ady_charging_memory m = memory_of(room, job);
	enum ady_err err;

	err = ady_charging_decide(&job->sign, &m, room->secp, plaintext, f);
	job->use_due_ms = ady_mono_ms() + USE_MS;
	/* What is remembered may be older than the record: another enclave has changed the policy.
	 */
	if (err == ADY_E_COUNTERS && job->row_known) {
		read_row(room, job);
		return ADY_E_AGAIN;
	}
	return go_on_writing(room, job, err, f);
}

enum ady_err ady_counting_change(struct ady_keyroom *room, struct ady_job *job,
                                 struct ady_bytes data_key, struct ady_fault *f)
{
	const struct ady_charging_memory m = memory_of(room, job);

	return go_on_writing(room, job, ady_change_decide(&job->sign, &m, room->secp, data_key, f),
	                     f);
}

/* --- a new key --- */

static const char there_already[] = "of this key are there already";

static void on_born(struct ady_job *job, struct ady_space *space, enum ady_slash_outcome outcome,
                    struct ady_bytes row)
{
	struct ady_charging *c = &job->sign.charging;
	enum ady_err err;

	(void)row;
	if (outcome != ADY_SLASH_WRITTEN) {
		ady_ledger_drop(job->room->ledger, c->name);
		stop(job, ADY_E_COUNTERS,
		     outcome == ADY_SLASH_CONFLICT ? there_already
		                                   : "were sent to be written, and whether they "
		                                     "were is not known: the gateway's "
		                                     "log says why");
		return;
	}
	err = ady_ledger_born(job->room->ledger, c->name, ady_bytes(c->new_row, c->new_row_n));
	if (err == ADY_OK)
		job->go(job, space);
	else
		stop(job, err == ADY_E_EXISTS ? ADY_E_COUNTERS : err,
		     err == ADY_E_EXISTS ? there_already : NULL);
}

void ady_counting_create(struct ady_keyroom *room, struct ady_job *job, ady_counting_go *go,
                         ady_counting_stop *halt)
{
	struct ady_charging *c = &job->sign.charging;
	const struct ady_wire_state_cas m = {.key = ady_bytes(c->name, ADY_TALLY_NAME),
	                                     .state = ady_bytes(c->new_row, c->new_row_n)};

	enum ady_err err = ady_ledger_room(room->ledger, job, c->new_row_n);

	job->room = room;
	job->go = go;
	job->stop = halt;
	if (err == ADY_OK)
		ady_host_calls_ask(room->host_calls, job, &m, on_born);
	else if (err == ADY_E_EXISTS)
		stop(job, ADY_E_COUNTERS, there_already);
	else
		stop(job, err, no_room);
}
