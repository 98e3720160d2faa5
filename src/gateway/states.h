/* SPDX-License-Identifier: Apache-2.0
 *
 * Validators' states and keys' counters for those who must not block: one thread does what waits in
 * one transaction after the other, and what was read or written last is remembered. What is
 * remembered may be old where several gateways share a store; a write over it fails then, and
 * brings the present row. Thread rule: any thread. */
#ifndef ADY_GATEWAY_STATES_H
#define ADY_GATEWAY_STATES_H

#include "net/loop.h"
#include "store/states.h"

struct ady_states;

/* A read or write under way. Storage of the caller until done is called. loop, done and w must be
 * set, the rest zero. */
struct ady_state_call {
	struct ady_task task;
	struct ady_loop *loop;
	void (*done)(struct ady_state_call *call); /* on the loop, once */
	struct ady_state_write w;
	enum ady_err err; /* not ADY_OK: what was to be written may have been */
	struct ady_fault fault;
	struct ady_state_call *next;
};

/* A list of all rows, likewise. */
struct ady_state_list {
	struct ady_state_call call; /* w is not used */
	struct ady_dyn keys, rows;  /* of ADY_STATE_KEY and sizeof(struct ady_state_row) bytes each;
	                               the caller's to free */
};

/* Open a store (store/states.h) and start the thread. Returns as ady_states_store_open. */
enum ady_err ady_states_open(struct ady_states **s, const char *place, struct ady_fault *f);

/* Finish what waits, end the thread, close. NULL is allowed. */
void ady_states_close(struct ady_states *s);

struct ady_states_report {
	bool known, ok; /* of the last transaction */
	uint64_t transactions, us;
	char why[160]; /* when not ok */
};

/* Fill the report. */
void ady_states_report(struct ady_states *s, struct ady_states_report *report);

/* Find out whether the store answers, when nothing was asked of it for half a minute, or it failed.
 * Returns at once; the report tells. */
void ady_states_probe(struct ady_states *s);

/* A validator's row that was seen last. False: none was, ask the store. */
bool ady_states_peek(struct ady_states *s, const uint8_t public_key[static ADY_STATE_KEY],
                     struct ady_state_row *row);

/* Begin a read (w.row.n is 0) or a write. */
void ady_states_do(struct ady_states *s, struct ady_state_call *call);

/* Begin a list. */
void ady_states_list(struct ady_states *s, struct ady_state_list *list);

#endif
