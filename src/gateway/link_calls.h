/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls in flight, found by the id of their frames without searching: the low half of an id is a
 * place in the table, the high half counts the uses of that place, so that a late answer does not
 * find a later call. Thread rule: one thread. */
#ifndef ADY_GATEWAY_LINK_CALLS_H
#define ADY_GATEWAY_LINK_CALLS_H

#include "gateway/link.h"

struct ady_call_slot {
	struct ady_call *call; /* NULL: free */
	uint32_t uses, next;   /* next: the free place behind this one */
	uint8_t type;
	bool counted; /* against the gate */
};

struct ady_calls {
	struct ady_call_slot *slots;
	uint32_t cap, free, n; /* free: the first free place, cap when none is */
};

/* Enter a call and set call->id. */
void ady_calls_add(struct ady_calls *c, struct ady_call *call, uint8_t type, bool counted);

/* The slot of a call in flight; NULL when there is none of that id. */
struct ady_call_slot *ady_calls_find(struct ady_calls *c, uint64_t id);

/* Take a call out and clear its id. */
struct ady_call *ady_calls_take(struct ady_calls *c, struct ady_call_slot *slot);

/* Free the table. */
void ady_calls_free(struct ady_calls *c);

#endif
