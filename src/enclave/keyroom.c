/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/keyroom.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "crypto/rng.h"
#include "enclave/host_calls.h"
#include "enclave/ledger.h"

enum ady_err ady_space_open(struct ady_space *space, struct ady_keyroom *room)
{
	space->config = room->config.config;
	space->data_key = ady_arena_take(room->arena);
	space->next_data_key = ady_arena_take(room->arena);
	space->policies = calloc(1, sizeof *space->policies);
	space->points = calloc(1, sizeof *space->points);
	space->toks = calloc(ADY_DUTY_TOKENS, sizeof *space->toks);
	if (!space->policies || !space->points || !space->toks)
		return ADY_E_MEMORY;
	return space->data_key ? ady_gcm_new(&space->gcm) : ADY_E_MEMORY;
}

static enum ady_err open_all(struct ady_keyroom *room)
{
	const struct ady_enclave_config *c = room->config.config;
	size_t threads = c->kms_connections;
	enum ady_err err = ady_secp_open(&room->secp);

	room->born_s = (uint64_t)(ady_wall_ms() / 1000);
	room->born_mono_ms = ady_mono_ms();
	pthread_mutex_init(&room->replay_lock, NULL);
	room->replay = calloc(1, sizeof *room->replay);
	if (!room->replay)
		return ADY_E_MEMORY;
	ady_random(room->replay->secret, sizeof room->replay->secret);

	if (err == ADY_OK)
		err = ady_host_calls_open(&room->host_calls);
	if (err == ADY_OK)
		err =
		    ady_ledger_open(&room->ledger, c->counters_keys, room->config.counters_memory);
	if (err == ADY_OK)
		err = ady_data_keys_open(&room->data_keys, c);
	if (err == ADY_OK)
		err = ady_import_key_open(&room->import_key);
	if (err == ADY_OK)
		err = ady_notary_open(&room->notary);
	if (err == ADY_OK)
		err = ady_arena_open(&room->arena, 2 * (threads + ADY_KEYROOM_LANES_MAX),
		                     ADY_DATA_KEY_SIZE);
	for (size_t i = 0; i < threads && err == ADY_OK; i++)
		err = ady_space_open(&room->spaces[i], room);
	if (err == ADY_OK)
		err = ady_keystores_open(&room->keystores, room->config.keystore_threads,
		                         room->config.keystore_memory, room->config.jobs_n);
	return err == ADY_OK ? ady_pool_open(&room->pool, threads, c->depth) : err;
}

enum ady_err ady_keyroom_open(struct ady_keyroom **out, const struct ady_keyroom_config *config)
{
	struct ady_keyroom *room = calloc(1, sizeof *room);
	enum ady_err err;

	*out = NULL;
	if (!room)
		return ADY_E_MEMORY;
	room->config = *config;
	room->counters = ady_status_counters(config->status);
	room->spaces = calloc(config->config->kms_connections, sizeof *room->spaces);
	err = room->spaces ? open_all(room) : ADY_E_MEMORY;
	if (err != ADY_OK) {
		ady_keyroom_close(room);
		return err;
	}
	*out = room;
	return ADY_OK;
}

void ady_keyroom_close(struct ady_keyroom *room)
{
	if (!room)
		return;
	ady_keystores_close(room->keystores);
	ady_pool_close(room->pool);
	for (size_t i = 0; room->spaces && i < room->config.config->kms_connections; i++) {
		ady_gcm_free(room->spaces[i].gcm);
		free(room->spaces[i].policies);
		free(room->spaces[i].points);
		free(room->spaces[i].toks);
	}
	ady_ledger_close(room->ledger);
	ady_host_calls_close(room->host_calls);
	ady_data_keys_close(room->data_keys);
	ady_import_key_close(room->import_key);
	ady_notary_close(room->notary);
	ady_arena_close(room->arena);
	ady_secp_close(room->secp);
	free(room->replay);
	free(room->spaces);
	free(room);
}

uint64_t ady_keyroom_now_s(const struct ady_keyroom *room)
{
	if (ady_time_watch_right(room->config.watch, NULL) != ADY_OK)
		return 0;
	return (uint64_t)(ady_wall_ms() / 1000);
}

struct ady_sign_setting ady_keyroom_setting(const struct ady_keyroom *room)
{
	return (struct ady_sign_setting){
	    .deployment = room->config.config->deployment,
	    .now_s = ady_keyroom_now_s(room),
	    .born_s = room->born_s,
	    .stamp_life_s = room->config.config->stamp_life_s,
	};
}

enum ady_err ady_keyroom_use_stamps(struct ady_keyroom *room, const struct ady_sign_job *job,
                                    struct ady_fault *f)
{
	enum ady_err err;
	bool again;

	if (job->stamps_n == 0)
		return ADY_OK;
	pthread_mutex_lock(&room->replay_lock);
	err = ady_replay_use(room->replay, job->stamps, job->stamps_n, job->request_hash,
	                     job->setting.now_s, &again, f);
	pthread_mutex_unlock(&room->replay_lock);
	return err;
}

static enum ady_err call(struct ady_keyroom *room, size_t worker, const struct ady_kms_ask *ask,
                         struct ady_bytes *plaintext, struct ady_fault *f)
{
	int64_t start = ady_mono_us();
	enum ady_err err = ady_kms_session_call(room->config.kms, worker, ask, plaintext, f);

	atomic_fetch_add(&room->counters->kms_us, (uint64_t)(ady_mono_us() - start));
	atomic_fetch_add(&room->counters->kms_calls, 1);
	if (err != ADY_OK)
		atomic_fetch_add(&room->counters->kms_failures, 1);
	ady_status_kms(room->config.status, err, f);
	return err;
}

enum ady_err ady_keyroom_open_record(struct ady_keyroom *room, size_t worker,
                                     const struct ady_record *record, int64_t deadline_ms,
                                     struct ady_bytes *plaintext, struct ady_fault *f)
{
	struct ady_kms_ask ask = {
	    .ciphertext = ady_bytes(record->ciphertext, record->ciphertext_n),
	    .context = record->context,
	    .context_n = record->context_n,
	    .deadline_ms = deadline_ms,
	};

	return call(room, worker, &ask, plaintext, f);
}

/* The worker's plaintext to its space, where nothing else is as long. */
static enum ady_err take_data_key(struct ady_keyroom *room, size_t worker,
                                  struct ady_bytes plaintext, struct ady_fault *f)
{
	enum ady_err err = ADY_OK;

	if (plaintext.n == ADY_DATA_KEY_SIZE)
		memcpy(room->spaces[worker].data_key, plaintext.p, ADY_DATA_KEY_SIZE);
	else
		err = ady_fail(f, ADY_E_KEY_FORM, "record.data_key", "is no key of 32 bytes");
	ady_kms_session_wipe(room->config.kms, worker);
	return err;
}

/* Call KMS for a data key and keep it under its name, which is known before or after. */
static enum ady_err fetch(struct ady_keyroom *room, size_t worker, const struct ady_kms_ask *ask,
                          const char *tenant, struct ady_fault *f)
{
	uint64_t epoch = ady_data_keys_epoch(room->data_keys);
	struct ady_data_key_name name;
	struct ady_bytes plaintext;
	enum ady_err err;

	err = call(room, worker, ask, &plaintext, f);
	if (err == ADY_OK)
		err = take_data_key(room, worker, plaintext, f);
	if (err != ADY_OK)
		return err;
	ady_data_key_name(&name, tenant, ask->blob ? ady_buf_bytes(ask->blob) : ask->ciphertext);
	ady_data_keys_put(room->data_keys, &name, tenant, room->spaces[worker].data_key, epoch);
	return ADY_OK;
}

enum ady_err ady_keyroom_open_data_key(struct ady_keyroom *room, size_t worker, const char *tenant,
                                       struct ady_bytes blob, int64_t deadline_ms,
                                       struct ady_fault *f)
{
	struct ady_context_pair context[ADY_DATA_KEY_CONTEXT];
	struct ady_kms_ask ask = {.ciphertext = blob,
	                          .context = context,
	                          .context_n = ADY_DATA_KEY_CONTEXT,
	                          .deadline_ms = deadline_ms};
	struct ady_data_key_name name;

	ady_data_key_name(&name, tenant, blob);
	if (ady_data_keys_get(room->data_keys, &name, room->spaces[worker].data_key))
		return ADY_OK;
	ady_record_data_key_context(context, room->config.config->deployment, tenant);
	return fetch(room, worker, &ask, tenant, f);
}

enum ady_err ady_keyroom_open_present(struct ady_keyroom *room, size_t worker,
                                      const struct ady_record *record, int64_t deadline_ms,
                                      struct ady_bytes *plaintext, struct ady_fault *f)
{
	enum ady_err err;

	if (!record->envelope)
		return ady_keyroom_open_record(room, worker, record, deadline_ms, plaintext, f);
	err = ady_keyroom_open_data_key(room, worker, record->tenant,
	                                ady_bytes(record->data_key, record->data_key_n),
	                                deadline_ms, f);
	*plaintext = ady_bytes(room->spaces[worker].data_key, ADY_DATA_KEY_SIZE);
	return err;
}

enum ady_err ady_keyroom_new_data_key(struct ady_keyroom *room, size_t worker, const char *tenant,
                                      const char *key_arn, struct ady_buf *blob,
                                      int64_t deadline_ms, struct ady_fault *f)
{
	struct ady_context_pair context[ADY_DATA_KEY_CONTEXT];
	struct ady_kms_ask ask = {.key_arn = key_arn,
	                          .blob = blob,
	                          .context = context,
	                          .context_n = ADY_DATA_KEY_CONTEXT,
	                          .deadline_ms = deadline_ms};

	ady_record_data_key_context(context, room->config.config->deployment, tenant);
	return fetch(room, worker, &ask, tenant, f);
}

void ady_keyroom_refuse(struct ady_keyroom *room, const struct ady_asker *to, enum ady_err err,
                        struct ady_fault *f)
{
	if (f->err != err)
		(void)ady_fail(f, err, "", "%s", ady_err_text(err));
	atomic_fetch_add(&room->counters->refused_n, 1);
	(void)ady_answer_fault(to, f);
}

struct ady_job *ady_keyroom_take(struct ady_keyroom *room, struct ady_space *space,
                                 struct ady_channel *ch, const struct ady_wire_head *head,
                                 struct ady_bytes body)
{
	struct ady_job *job = ady_jobs_take(room->config.jobs, space->desk, ch, head, body);
	struct ady_fault f = {0};

	if (!job) {
		ady_keyroom_refuse(room, &(struct ady_asker){.ch = ch, .id = head->id}, ADY_E_BUSY,
		                   &f);
		return NULL;
	}
	job->sign.toks = space->toks;
	job->sign.policies = space->policies;
	return job;
}
