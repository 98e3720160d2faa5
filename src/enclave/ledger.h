/* SPDX-License-Identifier: Apache-2.0
 *
 * What this enclave knows of each guarded key since its start (signer/charging.h): the newest row
 * that it has seen. And whose turn it is: jobs of one key follow each other, so that they do not
 * write over each other's rows.
 *
 * Rows lie in a bounded part of memory, of which each tenant has its share (base/budget.h). A key
 * for which there is no room is refused, and one that was seen is never forgotten: a row that was
 * could be brought back in an older form, with less counted. Room is taken before anything is
 * written for a key, so that what was counted is never lost for want of it. Thread rule: any
 * thread. */
#ifndef ADY_ENCLAVE_LEDGER_H
#define ADY_ENCLAVE_LEDGER_H

#include "enclave/jobs.h"

struct ady_ledger;

/* What a key takes at most: its row and what leads to it. */
enum { ADY_LEDGER_KEY_BYTES = ADY_TALLY_ROW_MAX + 256 };

/* Make it, for so many keys, one or more, in so many bytes. A key counts as what it takes, but no
 * less than bytes / keys. Returns ADY_E_MEMORY. */
enum ady_err ady_ledger_open(struct ady_ledger **l, size_t keys, uint64_t bytes);

/* Free. NULL is allowed. */
void ady_ledger_close(struct ady_ledger *l);

/* Give a job the turn of its key's row (job->sign.charging.name).
 * Returns: ADY_OK: it has it; ADY_E_AGAIN: it waits, and ady_ledger_leave will return it;
 *          ADY_E_BUSY: its tenant has no room for another key; ADY_E_MEMORY. */
enum ady_err ady_ledger_enter(struct ady_ledger *l, struct ady_job *job);

/* End the turn of a job. Returns the next, which has it now, or NULL. */
struct ady_job *ady_ledger_leave(struct ady_ledger *l, const struct ady_job *job);

/* The newest row of a key whose turn the caller has, valid until ady_ledger_learn or the end of the
 * turn; empty: none was seen. *born: the key was made here, since the start. */
struct ady_bytes ady_ledger_row(struct ady_ledger *l, const uint8_t name[static ADY_TALLY_NAME],
                                bool *born);

/* Have room for a row of n bytes of job's key, which is known or new. To be called before such a
 * row is written: what remembers it does not fail then. A job that has not the turn makes the key:
 * the room is there until ady_ledger_born or ady_ledger_drop, one for each call.
 * Returns: ADY_E_EXISTS when such a key has a row already; ADY_E_BUSY, ADY_E_MEMORY. */
enum ady_err ady_ledger_room(struct ady_ledger *l, const struct ady_job *job, size_t n);

/* Give up the room of a key that was not made; it is free when no row was seen, nobody has the turn
 * and nobody else makes the key. */
void ady_ledger_drop(struct ady_ledger *l, const uint8_t name[static ADY_TALLY_NAME]);

/* Whether the key of that row was made here, since the start. The turn may be another's. */
bool ady_ledger_is_born(struct ady_ledger *l, const uint8_t name[static ADY_TALLY_NAME]);

/* Remember an authentic row, if it is newer than what is known. The caller has the turn.
 * Returns: ADY_E_BUSY, ADY_E_MEMORY when there was no room, and nothing is remembered. */
enum ady_err ady_ledger_learn(struct ady_ledger *l, const uint8_t name[static ADY_TALLY_NAME],
                              struct ady_bytes row);

/* Remember the first row of a key that was made here, for which there is room.
 * Returns: ADY_E_EXISTS when there was one. */
enum ady_err ady_ledger_born(struct ady_ledger *l, const uint8_t name[static ADY_TALLY_NAME],
                             struct ady_bytes row);

#endif
