/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests that need the same data key while KMS is being asked for it: the first asks, the others
 * wait behind it in the order in which they came. When the first is done the next leads, and finds
 * the key there. Thread rule: any thread. */
#ifndef ADY_ENCLAVE_FLIGHTS_H
#define ADY_ENCLAVE_FLIGHTS_H

#include "enclave/jobs.h"

struct ady_flights;

/* Make it, empty. Returns ADY_E_MEMORY. */
enum ady_err ady_flights_open(struct ady_flights **fl);

/* Free; nobody may wait. NULL is allowed. */
void ady_flights_close(struct ady_flights *fl);

/* Let job, whose flight.name is set, lead or wait. Returns true: it leads, its owner runs it. */
bool ady_flights_join(struct ady_flights *fl, struct ady_job *job);

/* The leader is done: the next one leads, and is the caller's to run. NULL: nobody waits, and the
 * flight has ended. leader is no longer looked at. */
struct ady_job *ady_flights_next(struct ady_flights *fl, struct ady_job *leader);

/* Take out those that wait and whose time is over, linked by their next. */
struct ady_job *ady_flights_expired(struct ady_flights *fl);

/* How many wait behind a leader. */
size_t ady_flights_waiting(struct ady_flights *fl);

#endif
