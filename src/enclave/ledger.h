/* SPDX-License-Identifier: Apache-2.0
 *
 * What this enclave knows of each guarded key since its start (signer/charging.h): the newest row
 * that it has seen. And whose turn it is: jobs of one key follow each other, so that they do not
 * write over each other's rows. As many keys as the configuration says; one for which there is no
 * place is refused, never forgotten. Thread rule: any thread. */
#ifndef ADY_ENCLAVE_LEDGER_H
#define ADY_ENCLAVE_LEDGER_H

#include "enclave/jobs.h"

struct ady_ledger;

/* Make it, for so many keys. Returns ADY_E_MEMORY. */
enum ady_err ady_ledger_open(struct ady_ledger **l, size_t keys);

/* Free. NULL is allowed. */
void ady_ledger_close(struct ady_ledger *l);

/* Give a job the turn of its key's row (job->sign.charging.name).
 * Returns: ADY_OK: it has it; ADY_E_AGAIN: it waits, and ady_ledger_leave will return it;
 *          ADY_E_BUSY: there is no place for another key. */
enum ady_err ady_ledger_enter(struct ady_ledger *l, struct ady_job *job);

/* End the turn of a job. Returns the next, which has it now, or NULL. */
struct ady_job *ady_ledger_leave(struct ady_ledger *l, const struct ady_job *job);

/* The newest row of a key whose turn the caller has, valid until ady_ledger_learn or the end of the
 * turn; empty: none was seen. *born: the key was made here, since the start. */
struct ady_bytes ady_ledger_row(struct ady_ledger *l, const uint8_t name[static ADY_TALLY_NAME],
                                bool *born);

/* Remember an authentic row, if it is newer than what is known. The caller has the turn.
 * Returns ADY_E_MEMORY. */
enum ady_err ady_ledger_learn(struct ady_ledger *l, const uint8_t name[static ADY_TALLY_NAME],
                              struct ady_bytes row);

/* Remember the first row of a key that was made here.
 * Returns: ADY_E_EXISTS when there was one; ADY_E_BUSY, ADY_E_MEMORY. */
enum ady_err ady_ledger_born(struct ady_ledger *l, const uint8_t name[static ADY_TALLY_NAME],
                             struct ady_bytes row);

#endif
