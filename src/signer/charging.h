/* SPDX-License-Identifier: Apache-2.0
 *
 * What a signature costs the key's counters (policy/tally.h). A key is *guarded* when its policy
 * has limits, names who may change it, or was changed: then its row decides with the policy, and is
 * written anew before the key is used. Three steps: the plan is made with the request
 * (ady_charging_plan), the row is opened with the key and settles it (ady_charging_decide), and
 * after the new row was written the key may sign (ady_charging_permit). Keys that are not guarded
 * have none of this. Heap: that of an HMAC. Thread rule: as the job. */
#ifndef ADY_SIGNER_CHARGING_H
#define ADY_SIGNER_CHARGING_H

#include "policy/decide.h"
#include "policy/tally.h"
#include "signer/record.h"

/* Seconds for which what was charged may be asked for again. */
enum { ADY_CHARGING_AGAIN_S = 30 };

struct ady_sign_job;
struct ady_secp;

struct ady_charging {
	bool guarded;   /* of a job: the row has a say */
	bool permitted; /* what was to be written is written */
	bool each_key;  /* of the policy: a wallet's key counts by itself */
	bool shared;    /* the row is that of the key's wallet (signer/shared.h) */
	bool late;      /* the row is made when the key is used first */
	struct ady_plan plan;
	struct ady_counter_info info[ADY_COUNTERS_MAX]; /* of the policy; names in `names` */
	size_t counters_n;
	char names[ADY_COUNTERS_MAX][ADY_COUNTER_NAME_MAX];
	char rule[ADY_RULE_NAME_MAX + 1]; /* the first of the plan, for refusals */
	struct ady_fault denial; /* why the plan's denial; err ADY_OK: the first rule says it */
	uint8_t name[ADY_TALLY_NAME];
	uint8_t row[ADY_TALLY_ROW_MAX]; /* as it is stored */
	size_t row_n;
	uint8_t new_row[ADY_TALLY_ROW_MAX]; /* what is to be written */
	size_t new_row_n;
	struct ady_tally tally;
	struct ady_counters counters, charged;
};

/* What the enclave knows of the key's row. */
struct ady_charging_memory {
	struct ady_bytes known; /* the newest row that was seen; empty: none */
	uint64_t known_s;       /* what was counted before is not known; 0: all is */
	bool fresh;             /* a missing row is an empty one */
};

/* Whether a key of this record, whose policy is book (NULL: it has none), is guarded. The policies
 * of validators' keys are for good: of these only limits count. */
bool ady_charging_guards(const struct ady_record *rec, const struct ady_rulebook *book);

/* Keep what of a policy is needed later: its counters' names and periods. */
void ady_charging_keep(struct ady_charging *c, const struct ady_rulebook *book);

/* Make the plan of a guarded key's request; d is ready to decide.
 * Out:     c->guarded, false when the row has no say: the first rule that is met has no limits, and
 *          the policy is for good.
 * Returns: ADY_E_DENIED when no counters could make it allowed. */
enum ady_err ady_charging_plan(struct ady_charging *c, struct ady_deciding *d,
                               const struct ady_record *rec, struct ady_fault *f);

/* Keep the row that is stored now (empty: there is none). Returns ADY_E_COUNTERS when it is too
 * long. */
enum ady_err ady_charging_set_row(struct ady_charging *c, struct ady_bytes row,
                                  struct ady_fault *f);

/* The name of the row of a record, which is bound; the policy was kept. */
void ady_charging_name(struct ady_charging *c, const struct ady_record *rec,
                       const char *deployment);

/* Open the row with the key and settle the plan. plaintext: as in ady_sign_finish. What was charged
 * for the same digest of the same key within the last ADY_CHARGING_AGAIN_S, and is known to be, is
 * not charged again: its signature is the same. Longer ago it may never have been signed, and would
 * come at a time that it was not counted for. Returns: ADY_OK when nothing is to be written, and
 * the key may sign; ADY_E_AGAIN when c->new_row must be written over the version before it first;
 * ADY_E_DENIED, ADY_E_COUNTERS; what ady_sign_finish says of a key that does not open. Time:
 * constant in the key. */
enum ady_err ady_charging_decide(struct ady_sign_job *job, const struct ady_charging_memory *m,
                                 const struct ady_secp *secp, struct ady_bytes plaintext,
                                 struct ady_fault *f);

/* The row key, row and memory of a change of the policy (signer/change.h): what ady_charging_decide
 * does before it settles, but that the policy need not be the record's. Out: c->tally. */
enum ady_err ady_charging_open(struct ady_charging *c, const struct ady_charging_memory *m,
                               const struct ady_seckey *row_key, struct ady_fault *f);

/* Write c->tally and these counters as c->new_row. */
void ady_charging_seal(struct ady_charging *c, const struct ady_counters *counters,
                       const struct ady_seckey *row_key);

/* The new row is written: the key may sign. */
void ady_charging_permit(struct ady_charging *c);

/* Make the first row of a new key, whose record is complete, in c->new_row: version 1, nothing
 * counted. As ady_charging_decide, but for the refusals. */
enum ady_err ady_charging_create(struct ady_sign_job *job, const struct ady_secp *secp,
                                 struct ady_bytes plaintext, struct ady_fault *f);

#endif
