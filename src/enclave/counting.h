/* SPDX-License-Identifier: Apache-2.0
 *
 * How guarded keys are counted (signer/charging.h): a job waits for its key's turn, gets the row
 * from memory or from the parent, and when it is charged the parent writes the new row before the
 * key is used. No answer in time counts as written: nothing is signed. The same for the first row
 * of a key that is made. Thread rule: any thread. */
#ifndef ADY_ENCLAVE_COUNTING_H
#define ADY_ENCLAVE_COUNTING_H

#include "enclave/keyroom.h"

/* How a job goes on: with the row, to open its key; or why it does not, in which case the job is to
 * be answered and given back (ady_counting_give). */
typedef void ady_counting_go(struct ady_job *job, struct ady_space *space);

/* See ady_counting_go. */
typedef void ady_counting_stop(struct ady_job *job, enum ady_err err, struct ady_fault *f);

/* Take on a prepared job of a guarded key: go or stop is called, now or later, maybe again after
 * each ady_counting_decide. */
void ady_counting_start(struct ady_keyroom *room, struct ady_job *job, struct ady_space *space,
                        ady_counting_go *go, ady_counting_stop *stop);

/* With the key's plaintext: ADY_OK, it may sign now; ADY_E_AGAIN, the job is not the caller's any
 * more, and go or stop will be called; else the refusal. */
enum ady_err ady_counting_decide(struct ady_keyroom *room, struct ady_job *job,
                                 struct ady_bytes plaintext, struct ady_fault *f);

/* Whether what was permitted may still be used: it was counted in a period, and must be signed in
 * it. Returns ADY_E_DEADLINE. */
enum ady_err ady_counting_in_time(const struct ady_job *job, struct ady_fault *f);

/* The same for a change of the policy (signer/change.h): ADY_OK, the record may be sealed. */
enum ady_err ady_counting_change(struct ady_keyroom *room, struct ady_job *job,
                                 struct ady_bytes data_key, struct ady_fault *f);

/* Write the first row of a key that was made, which ady_charging_create has made: go, or stop. */
void ady_counting_create(struct ady_keyroom *room, struct ady_job *job, ady_counting_go *go,
                         ady_counting_stop *stop);

/* Give a job back, and its turn to the next if it has one. */
void ady_counting_give(struct ady_keyroom *room, struct ady_job *job);

#endif
