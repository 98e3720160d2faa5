/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys of a wallet that count together. What the limits of a wallet's policy count is one row
 * (policy/tally.h), the wallet's, for all of its keys. Each of them names that row in its record,
 * and carries what authenticates it: the row's key, which is made of the wallet's seed, sealed
 * under the tenant's data key and bound to deployment, tenant and row. With "count": "key" in the
 * policy a key has a row of its own instead, whose name is made of the wallet's and of its public
 * key: the same key has the same row under whatever id it is derived. Heap: none. */
#ifndef ADY_SIGNER_SHARED_H
#define ADY_SIGNER_SHARED_H

#include "signer/envelope.h"

/* The row of a record that is bound: what the charges of a key, or of a wallet, are written to.
 * each_key: of its policy (policy/rulebook.h). */
void ady_shared_name(uint8_t name[static ADY_RECORD_COUNTERS], const struct ady_record *rec,
                     const char *deployment, bool each_key);

/* Seal the key of the row rec->counters into rec. Returns ADY_E_CRYPTO. */
enum ady_err ady_shared_seal(struct ady_record *rec, const struct ady_envelope *e,
                             const uint8_t data_key32[static 32], const struct ady_seckey *row_key);

/* Open it. Out: *row_key, all zero on error.
 * Returns: ADY_E_RECORD_MISMATCH when there is none, or it is of another row, tenant, deployment or
 * data key. Time: constant in the secrets. */
enum ady_err ady_shared_open(struct ady_seckey *row_key, const struct ady_record *rec,
                             const struct ady_envelope *e, const uint8_t data_key32[static 32],
                             struct ady_fault *f);

/* Seal it under another data key; nothing for a record that has none. As ady_shared_open; leaves
 * copies on the stack. */
enum ady_err ady_shared_reseal(struct ady_record *rec, const struct ady_envelope *e,
                               const uint8_t data_key32[static 32],
                               const uint8_t next_data_key32[static 32]);

#endif
