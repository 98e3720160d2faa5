/* SPDX-License-Identifier: Apache-2.0
 *
 * The jobs of the enclave, all made at start: what is being worked on is bounded by their number,
 * and the signing path needs no heap. A job takes 28 KiB once it has been used, 140 after a request
 * of 128 KiB, 340 at most; those used last are used first, so that a quiet enclave touches few.
 * Whatever makes keys or changes them is counted to its tenant and has half of the jobs at most, so
 * that signatures and duties always find one. Thread rule: any thread. */
#ifndef ADY_ENCLAVE_JOBS_H
#define ADY_ENCLAVE_JOBS_H

#include "base/budget.h"
#include "base/pool.h"
#include "codec/wire.h"
#include "enclave/answer.h"
#include "enclave/data_keys.h"
#include "signer/derive.h"
#include "signer/duty.h"
#include "signer/keystore.h"

struct ady_job;
struct ady_space;
struct ady_keyroom;

/* Its place among those that need the same data key (enclave/flights.h). */
struct ady_job_flight {
	struct ady_data_key_name name;
	struct ady_job *first, *last; /* of a leader: who waits behind it, by next */
	struct ady_job *other;        /* of a leader: that of another data key */
};

/* Of a validator's job (enclave/validators.h). */
enum ady_job_stage { ADY_JOB_DUTY, ADY_JOB_WRITTEN, ADY_JOB_WATERMARK };

struct ady_job {
	struct ady_work work; /* first: the pool gives it back as this */
	struct ady_job *next;
	void *owner; /* of whoever runs it */
	struct ady_asker asker;
	int64_t deadline_ms; /* ady_mono_ms */
	struct ady_job_flight flight;
	uint64_t first, count; /* of a batch */
	uint64_t done;         /* how many of it are made, their rows of counters too */
	size_t id_n;           /* of its id without the number */
	const char *kms_key;   /* to make a data key under; NULL: the first */
	uint64_t import_form;  /* enum ady_wire_import_form */
	/* Of an import: what the threads for keystores do first; NULL: nothing. */
	void (*before)(struct ady_work *work, size_t worker);
	struct ady_keystore keystore;   /* of an import, once it was read */
	struct ady_seckey *taken;       /* its key, in locked memory (enclave/keystores.h) */
	struct ady_share *place;        /* of its tenant, where keystores wait */
	uint64_t turn;                  /* its place in the order there */
	enum ady_wire_type attest_type; /* ATTEST or IMPORT_KEY */
	size_t nonce_n;
	uint8_t nonce[ADY_WIRE_NONCE_MAX];
	enum ady_job_stage stage;
	unsigned again;     /* how often another has written the state first */
	uint64_t host_call; /* id of the question to the parent */
	void (*host_done)(struct ady_job *job, struct ady_space *space,
	                  enum ady_slash_outcome outcome, struct ady_bytes row);
	int64_t write_due_ms; /* ady_mono_ms */
	/* Of a guarded key's job (enclave/counting.h). */
	struct ady_keyroom *room;
	enum ady_wire_type made; /* what a new key's row is written for */
	struct ady_share *share; /* what it is counted to; NULL: nothing */
	bool has_turn;           /* of its key */
	bool row_known;          /* its row is the one that is remembered */
	int64_t use_due_ms;      /* ady_mono_ms: what is permitted is used until then */
	void (*go)(struct ady_job *job, struct ady_space *space);
	void (*stop)(struct ady_job *job, enum ady_err err, struct ady_fault *f);
	struct ady_derive derive; /* of a DERIVE, whose wallet is sign.record */
	struct ady_record child;  /* the record of its keys */
	bool shares;              /* which count in their wallet's row */
	struct ady_duty_job duty;
	struct ady_sign_job sign;
};

/* What a job takes at most, and what is mapped for it. */
enum { ADY_JOB_BYTES = (sizeof(struct ady_job) + 4095) / 4096 * 4096 };

struct ady_jobs;

/* Map n jobs. Returns ADY_E_MEMORY. */
enum ady_err ady_jobs_open(struct ady_jobs **jobs, size_t n);

/* Unmap; all jobs must be back. NULL is allowed. */
void ady_jobs_close(struct ady_jobs *jobs);

/* A job for a question, with a reference on its connection and its deadline from now; NULL when
 * none is free. desk: of the lane, where its answer gets its proof if it is a decision. */
struct ady_job *ady_jobs_take(struct ady_jobs *jobs, struct ady_desk *desk, struct ady_channel *ch,
                              const struct ady_wire_head *head, struct ady_bytes body);

/* Count a job, of which the record's tenant is known, to the tenant's share of those that make or
 * change keys, until it is given back. Returns ADY_E_BUSY when the tenant has its share. */
enum ady_err ady_jobs_share(struct ady_jobs *jobs, struct ady_job *job, struct ady_fault *f);

/* Give a job back, and its reference. */
void ady_jobs_give(struct ady_jobs *jobs, struct ady_job *job);

/* Whether the job's asker has stopped waiting. */
bool ady_job_expired(const struct ady_job *job);

/* Returns ADY_E_DEADLINE, with words in f, when the job's asker has stopped waiting before that. */
enum ady_err ady_job_in_time(const struct ady_job *job, const char *before, struct ady_fault *f);

#endif
