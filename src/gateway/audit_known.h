/* SPDX-License-Identifier: Apache-2.0
 *
 * Which entries of which chains are in the log: a window of a million sequence numbers below the
 * highest of each of the last few chains. What is older counts as there. Thread rule: the caller's.
 */
#ifndef ADY_GATEWAY_AUDIT_KNOWN_H
#define ADY_GATEWAY_AUDIT_KNOWN_H

#include "base/bytes.h"

/* CHAINS: those of all enclaves that a gateway may have, twice: each may be started again. */
enum { ADY_AUDIT_CHAINS = 16, ADY_AUDIT_WINDOW = 1 << 20 };

struct ady_audit_chain {
	uint8_t public[32];
	uint64_t end;                        /* one more than the highest that is there */
	uint64_t used;                       /* when: the chain unused for longest gives way */
	uint8_t there[ADY_AUDIT_WINDOW / 8]; /* bit: sequence modulo the window */
};

struct ady_audit_known {
	uint64_t clock;
	struct ady_audit_chain chains[ADY_AUDIT_CHAINS];
};

/* Enter an entry. False: it is there already. */
bool ady_audit_known_add(struct ady_audit_known *k, const uint8_t public32[static 32],
                         uint64_t sequence);

/* The first entry of a chain that is not there: at most one more than the highest that is. */
uint64_t ady_audit_known_lacks(struct ady_audit_known *k, const uint8_t public32[static 32]);

#endif
