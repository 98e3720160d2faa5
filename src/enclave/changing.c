/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/changing.h"

#include "enclave/counting.h"
#include "enclave/making_job.h"
#include "signer/change.h"

static void stop(struct ady_job *job, enum ady_err err, struct ady_fault *f)
{
	ady_keyroom_refuse(job->room, &job->asker, err, f);
	ady_counting_give(job->room, job);
}

/* Go on with the data key in hand: the row first, then the record. */
static void settle(struct ady_job *job, struct ady_space *space, struct ady_fault *f)
{
	struct ady_keyroom *room = job->room;
	const struct ady_bytes data_key = ady_bytes(space->data_key, ADY_DATA_KEY_SIZE);
	enum ady_err err = ADY_OK;

	job->sign.envelope =
	    (struct ady_envelope){.deployment = room->config.config->deployment, .gcm = space->gcm};
	if (!job->sign.charging.permitted)
		err = ady_counting_change(room, job, data_key, f);
	if (err == ADY_E_AGAIN)
		return;
	if (err == ADY_OK)
		err = ady_change_finish(&job->sign, room->secp, data_key, f);
	if (err != ADY_OK) {
		stop(job, err, f);
		return;
	}
	ady_making_answer(room, job, space, ADY_WIRE_POLICY_CHANGE);
	ady_counting_give(room, job);
}

static void run(struct ady_work *work, size_t worker)
{
	struct ady_job *job = (struct ady_job *)work;
	struct ady_keyroom *room = job->room;
	struct ady_space *space = &room->spaces[worker];
	const struct ady_record *rec = &job->sign.record;
	struct ady_fault f = {0};
	enum ady_err err = ady_keyroom_open_data_key(room, worker, rec->tenant,
	                                             ady_bytes(rec->data_key, rec->data_key_n),
	                                             job->deadline_ms, &f);

	if (err == ADY_OK)
		settle(job, space, &f);
	else
		stop(job, err, &f);
	ady_zero(space->data_key, ADY_DATA_KEY_SIZE);
}

static void go(struct ady_job *job, struct ady_space *space)
{
	struct ady_keyroom *room = job->room;
	const struct ady_record *rec = &job->sign.record;
	struct ady_data_key_name name;
	struct ady_fault f = {0};

	ady_data_key_name(&name, rec->tenant, ady_bytes(rec->data_key, rec->data_key_n));
	if (ady_data_keys_get(room->data_keys, &name, space->data_key)) {
		settle(job, space, &f);
		ady_zero(space->data_key, ADY_DATA_KEY_SIZE);
		return;
	}
	job->work = (struct ady_work){.fn = run};
	if (ady_pool_submit(room->pool, &job->work) != ADY_OK)
		stop(job, ADY_E_BUSY, &f);
}

static enum ady_err prepare(struct ady_keyroom *room, struct ady_job *job, struct ady_bytes body,
                            struct ady_fault *f)
{
	struct ady_wire_policy_change m;

	if (ady_wire_read_policy_change(&m, body) != ADY_OK)
		return ady_fail(f, ADY_E_PROTOCOL, "", "the POLICY_CHANGE message is malformed");
	ady_asker_key(&job->asker, m.key_id);
	ady_asker_request(&job->asker, m.change);
	job->sign.setting = ady_keyroom_setting(room);
	return ady_change_prepare(&job->sign, &m, f);
}

void ady_changing_take(struct ady_keyroom *room, struct ady_space *space, struct ady_channel *ch,
                       const struct ady_wire_head *head, struct ady_bytes body)
{
	struct ady_job *job = ady_keyroom_take(room, space, ch, head, body);
	struct ady_fault f = {0};
	enum ady_err err;

	if (!job)
		return;
	job->room = room;
	if ((err = prepare(room, job, body, &f)) == ADY_OK &&
	    (err = ady_jobs_share(room->config.jobs, job, &f)) == ADY_OK)
		ady_counting_start(room, job, space, go, stop);
	else
		stop(job, err, &f);
}
