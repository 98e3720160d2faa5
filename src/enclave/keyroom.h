/* SPDX-License-Identifier: Apache-2.0
 *
 * Where keys are opened: the threads that may wait for KMS, the data keys that are kept, and what
 * each thread needs to hold one key at a time. Signing (enclave/signing.h) and making keys
 * (enclave/making.h) work here. Thread rule: a space belongs to one thread, all else to any. */
#ifndef ADY_ENCLAVE_KEYROOM_H
#define ADY_ENCLAVE_KEYROOM_H

#include <pthread.h>

#include "base/pool.h"
#include "crypto/aes.h"
#include "enclave/config.h"
#include "enclave/data_keys.h"
#include "enclave/import_key.h"
#include "enclave/jobs.h"
#include "enclave/keystores.h"
#include "enclave/kms_session.h"
#include "enclave/status.h"
#include "enclave/time_watch.h"
#include "signer/replay.h"

enum { ADY_KEYROOM_LANES_MAX = 64 };

struct ady_keyroom_config {
	const struct ady_enclave_config *config;
	struct ady_kms_session *kms; /* with kms_connections workers or more */
	struct ady_jobs *jobs;
	struct ady_status *status;
	const struct ady_time_watch *watch; /* NULL: nobody watches the clock, and it is right */
	size_t keystore_threads;            /* 0: no keystore is taken */
	uint64_t keystore_memory;           /* bytes */
	uint64_t counters_memory;           /* bytes */
	size_t jobs_n;                      /* of jobs */
};

/* What a thread has for itself. */
struct ady_space {
	const struct ady_enclave_config *config;
	uint8_t *data_key, *next_data_key; /* ADY_DATA_KEY_SIZE bytes of locked memory each */
	struct ady_gcm *gcm;
	struct ady_desk *desk;                 /* of a lane */
	struct ady_policies *policies;         /* of a lane: those that were read */
	struct ady_points *points;             /* of a lane: public keys that signed lately */
	struct ady_json_tok *toks;             /* of a lane: of what is prepared, ADY_DUTY_TOKENS */
	uint8_t bytes[ADY_WIRE_RAW_MAX + 256]; /* room for one answer */
};

struct ady_keyroom {
	struct ady_keyroom_config config;
	struct ady_status_counters *counters;
	struct ady_secp *secp;
	struct ady_data_keys *data_keys;
	struct ady_import_key *import_key;
	struct ady_notary *notary;
	struct ady_arena *arena;
	struct ady_space *spaces; /* one a KMS thread */
	struct ady_pool *pool;    /* the KMS threads; worker i calls KMS as worker i */
	struct ady_keystores *keystores;
	uint64_t born_s;      /* stamps of before are not known here: refused */
	int64_t born_mono_ms; /* the same by ady_mono_ms */
	struct ady_host_calls *host_calls;
	struct ady_ledger *ledger; /* of guarded keys */
	pthread_mutex_t replay_lock;
	struct ady_replay *replay;
};

/* Start the KMS threads. Returns ADY_E_MEMORY or ADY_E_CRYPTO. */
enum ady_err ady_keyroom_open(struct ady_keyroom **room, const struct ady_keyroom_config *config);

/* Finish what is queued, end the threads, wipe. NULL is allowed. */
void ady_keyroom_close(struct ady_keyroom *room);

/* Seconds since 1970; 0 when the clock is too far from the NSM's time to be relied on. */
uint64_t ady_keyroom_now_s(const struct ady_keyroom *room);

/* What the enclave knows of time and of itself, for a job that is prepared. */
struct ady_sign_setting ady_keyroom_setting(const struct ady_keyroom *room);

/* Use up the stamps of a request that is allowed. Returns what ady_replay_use returns. */
enum ady_err ady_keyroom_use_stamps(struct ady_keyroom *room, const struct ady_sign_job *job,
                                    struct ady_fault *f);

/* Equip a thread that is not one of the pool: a lane. Returns ADY_E_MEMORY. */
enum ady_err ady_space_open(struct ady_space *space, struct ady_keyroom *room);

/* Have KMS open a direct record. Out: *plaintext, secret, of the worker until it is wiped
 * (ady_kms_session_wipe). Returns what ady_kms_session_call returns. Blocks. */
enum ady_err ady_keyroom_open_record(struct ady_keyroom *room, size_t worker,
                                     const struct ady_record *record, int64_t deadline_ms,
                                     struct ady_bytes *plaintext, struct ady_fault *f);

/* Put the data key of a tenant, blob is its ciphertext, into the worker's space, from the cache or
 * from KMS. The space is the caller's to wipe.
 * Returns: ADY_E_KEY_FORM when KMS opened something else; what ady_kms_session_call returns.
 * Blocks. */
enum ady_err ady_keyroom_open_data_key(struct ady_keyroom *room, size_t worker, const char *tenant,
                                       struct ady_bytes blob, int64_t deadline_ms,
                                       struct ady_fault *f);

/* Open what opens a record: the data key of an envelope, in the worker's space, or a direct
 * record's private key, as ady_keyroom_open_record. Out: *plaintext, secret; space and worker are
 * the caller's to wipe. Returns what those two return. Blocks. */
enum ady_err ady_keyroom_open_present(struct ady_keyroom *room, size_t worker,
                                      const struct ady_record *record, int64_t deadline_ms,
                                      struct ady_bytes *plaintext, struct ady_fault *f);

/* Have KMS make a data key for a tenant under key_arn (NULL: the first configured key), which is
 * in the worker's space then, and kept. Out: blob, its ciphertext. As ady_keyroom_open_data_key. */
enum ady_err ady_keyroom_new_data_key(struct ady_keyroom *room, size_t worker, const char *tenant,
                                      const char *key_arn, struct ady_buf *blob,
                                      int64_t deadline_ms, struct ady_fault *f);

/* Count and answer a refusal; f is completed when it does not say err. */
void ady_keyroom_refuse(struct ady_keyroom *room, const struct ady_asker *to, enum ady_err err,
                        struct ady_fault *f);

/* A job for a question, as ady_jobs_take, to be prepared with what space, a lane's, has for that.
 * NULL: none is free, and the asker was told. */
struct ady_job *ady_keyroom_take(struct ady_keyroom *room, struct ady_space *space,
                                 struct ady_channel *ch, const struct ady_wire_head *head,
                                 struct ady_bytes body);

#endif
