/* SPDX-License-Identifier: Apache-2.0
 *
 * What the entry of an answer says: the hash of what its client gets, and whose key it was. No
 * state; any thread. */
#ifndef ADY_ENCLAVE_OUTCOME_H
#define ADY_ENCLAVE_OUTCOME_H

#include "enclave/answer.h"

/* An entry and what it points to, beside the asker, the body and the fault. */
struct ady_outcome {
	struct ady_audit_entry entry;
	uint8_t result[32];
};

/* The outcome of an answer, or of a fault when f is not NULL. Views into to, body and f. */
void ady_outcome(struct ady_outcome *out, const struct ady_asker *to, enum ady_wire_type type,
                 struct ady_bytes body, const struct ady_fault *f);

#endif
