/* SPDX-License-Identifier: Apache-2.0
 *
 * The enclave's own questions to the parent: write this row if the stored one is still of that
 * version (STATE_CAS). The job waits here, nobody else does; the answer, on the connection that the
 * job came by, goes on with it. No answer in time counts as written. Thread rule: any thread;
 * _answer on a lane. */
#ifndef ADY_ENCLAVE_HOST_CALLS_H
#define ADY_ENCLAVE_HOST_CALLS_H

#include "enclave/jobs.h"

struct ady_host_calls;
struct ady_space;

/* Go on with a job. space: of the lane; NULL when the outcome is not known. row: what is stored,
 * when it was not written; valid during the call. */
typedef void ady_host_done(struct ady_job *job, struct ady_space *space,
                           enum ady_slash_outcome outcome, struct ady_bytes row);

/* Make it. Returns ADY_E_MEMORY. */
enum ady_err ady_host_calls_open(struct ady_host_calls **h);

/* Free. NULL is allowed. */
void ady_host_calls_close(struct ady_host_calls *h);

/* Ask. done is called once, maybe before this returns and on another thread: the job is its from
 * now on. m's views need not outlive the call. */
void ady_host_calls_ask(struct ady_host_calls *h, struct ady_job *job,
                        const struct ady_wire_state_cas *m, ady_host_done *done);

/* An answer of the parent. One that nobody waits for any more is dropped; one that nobody ever
 * asked for ends the connection. */
void ady_host_calls_answer(struct ady_host_calls *h, struct ady_space *space,
                           struct ady_channel *ch, const struct ady_wire_head *head,
                           struct ady_bytes body);

/* Go on with those that were not answered in time. To be called from time to time. */
void ady_host_calls_sweep(struct ady_host_calls *h);

#endif
