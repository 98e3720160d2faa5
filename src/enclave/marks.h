/* SPDX-License-Identifier: Apache-2.0
 *
 * What this enclave knows of each validator since its start: a table of struct ady_slash_memory by
 * public key. A key that is used for the first time gets its floor in time then. The table is as
 * large as the configuration says; a key for which there is no place is refused, never forgotten.
 * Thread rule: any thread. */
#ifndef ADY_ENCLAVE_MARKS_H
#define ADY_ENCLAVE_MARKS_H

#include "enclave/config_validators.h"
#include "policy/slashing.h"

struct ady_marks;

/* Make a table; config is borrowed. Memory is touched as keys are used. Returns ADY_E_MEMORY. */
enum ady_err ady_marks_open(struct ady_marks **m, const struct ady_config_validators *config);

/* Free. NULL is allowed. */
void ady_marks_close(struct ady_marks *m);

/* ady_slash_begin for a key, at unix_s by this enclave's clock.
 * Returns: as that, or ADY_E_BUSY when there is no place for another key. */
enum ady_err ady_marks_begin(struct ady_marks *m, const uint8_t pub48[static 48], int64_t unix_s,
                             const struct ady_slash_state *row, const struct ady_slash_ask *ask,
                             struct ady_slash_state *next, bool *repeat, struct ady_fault *f);

/* ady_slash_end for a key that was begun. */
enum ady_err ady_marks_end(struct ady_marks *m, const uint8_t pub48[static 48],
                           const struct ady_slash_state *next, enum ady_slash_outcome outcome,
                           struct ady_fault *f);

/* The epoch before which a key that is new at unix_s signs nothing. */
uint64_t ady_marks_quarantine(const struct ady_marks *m, int64_t unix_s);

/* The first epoch in which a key that is revived at unix_s may sign. */
uint64_t ady_marks_revival(const struct ady_marks *m, int64_t unix_s);

/* A key that was retired signs again: everything up to now may have been signed elsewhere
 * meanwhile. */
void ady_marks_renew(struct ady_marks *m, const uint8_t pub48[static 48], int64_t unix_s);

#endif
