/* SPDX-License-Identifier: Apache-2.0
 *
 * The clock held against the NSM's time, which comes from the hypervisor in every attestation
 * document. A difference beyond 2 s is said; beyond 30 s nothing may rest on the clock, for the
 * signatures and credentials of KMS calls do. Thread rule: check from one thread, the rest from
 * any. */
#ifndef ADY_ENCLAVE_TIME_WATCH_H
#define ADY_ENCLAVE_TIME_WATCH_H

#include "enclave/nsm.h"

struct ady_time_watch;

/* A watch that has compared once, and does so again every pause_s seconds. nsm is borrowed for
 * good. Returns: ADY_E_NSM when the module gives no document, ADY_E_MEMORY. */
enum ady_err ady_time_watch_open(struct ady_time_watch **w, struct ady_nsm *nsm, unsigned pause_s,
                                 struct ady_fault *f);

/* Free. NULL is allowed. */
void ady_time_watch_close(struct ady_time_watch *w);

/* Compare when it is time again: after the pause, after 10 s at most while the clock is wrong. Logs
 * what is beyond 2 s, and the return from it. Blocks for a round trip to the module then. */
void ady_time_watch_check(struct ady_time_watch *w);

/* By how many milliseconds clock and NSM differed when last compared. */
uint64_t ady_time_watch_drift_ms(const struct ady_time_watch *w);

/* Whether the clock may be relied on; NULL: nobody watches, and it may.
 * Returns ADY_E_CLOCK with the reason in f. */
enum ady_err ady_time_watch_right(const struct ady_time_watch *w, struct ady_fault *f);

#endif
