/* SPDX-License-Identifier: Apache-2.0
 *
 * What the ways of CREATE, CREATE_BATCH, IMPORT and REWRAP have in common. Used by
 * enclave/making.c, enclave/bringing.c and enclave/changing.c alone. Thread rule: a job belongs to
 * one thread at a time. */
#ifndef ADY_ENCLAVE_MAKING_JOB_H
#define ADY_ENCLAVE_MAKING_JOB_H

#include "enclave/keyroom.h"

/* Read a message into job, whose owner is the room, on the lane. Returns the refusal with its
 * reason in f. */
typedef enum ady_err ady_making_begin_fn(struct ady_job *job, struct ady_space *space,
                                         struct ady_bytes body, struct ady_fault *f);

/* Take on a message: start reads it, run works on a KMS thread, ends in ady_making_settle. What is
 * refused is answered here. */
void ady_making_start(struct ady_keyroom *room, struct ady_space *space, struct ady_channel *ch,
                      const struct ady_wire_head *head, struct ady_bytes body,
                      ady_making_begin_fn *start, void (*run)(struct ady_work *, size_t));

/* Begin the record of a new key. Returns what ady_record_begin_in returns, and ADY_E_FIELD_INVALID
 * for a policy that cannot be read. */
enum ady_err ady_making_begin(struct ady_job *job, struct ady_space *space,
                              const struct ady_wire_create *m, struct ady_fault *f);

/* Keep the policy of the job's record, a view into the message, at the beginning of raw_space, if
 * it can be read. Returns ADY_E_FIELD_INVALID. */
enum ady_err ady_making_keep_policy(struct ady_job *job, struct ady_space *space,
                                    struct ady_fault *f);

/* Put the data key that the record names into the worker's space; a new one when it names none.
 * Blocks. Returns what ady_keyroom_open_data_key returns. */
enum ady_err ady_making_data_key(struct ady_keyroom *room, struct ady_job *job, size_t worker,
                                 struct ady_fault *f);

/* What the worker seals with. */
struct ady_envelope ady_making_envelope(struct ady_keyroom *room, size_t worker);

/* Make the first row of the job's key, whose record is complete, with the worker's data key: in
 * charging.new_row, to be written by ady_counting_create. Returns what ady_charging_create does. */
enum ady_err ady_making_row(struct ady_keyroom *room, struct ady_job *job, size_t worker,
                            struct ady_fault *f);

/* Refuse, and give the job back: as ady_counting_stop has it. */
void ady_making_stop(struct ady_job *job, enum ady_err err, struct ady_fault *f);

/* Wipe the worker's data keys; answer with the job's record when err is ADY_OK, else refuse; give
 * the job back. */
void ady_making_settle(struct ady_keyroom *room, struct ady_job *job, size_t worker,
                       enum ady_wire_type type, enum ady_err err, struct ady_fault *f);

/* Answer a question about many keys with body, and give the job back. keys, which body has copied:
 * of each its public key, public_n bytes, and sealed_n bytes behind it. What the answer's proof has
 * as the result is the public keys alone, one behind the other: that is what a client can see. The
 * keys are overwritten. */
void ady_making_answer_keys(struct ady_keyroom *room, struct ady_job *job, enum ady_wire_type type,
                            struct ady_bytes body, struct ady_buf *keys, size_t public_n,
                            size_t sealed_n);

/* Answer a question of type with the job's record. */
void ady_making_answer(struct ady_keyroom *room, struct ady_job *job, struct ady_space *space,
                       enum ady_wire_type type);

#endif
