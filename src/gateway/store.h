/* SPDX-License-Identifier: Apache-2.0
 *
 * Key records from Secrets Manager, cached for a short time. A record is ciphertext: nothing here
 * is secret, and nothing is believed by the enclave. Fetches run on threads of their own; requests
 * for the same record share one fetch. Thread rule: any thread, but as said below. */
#ifndef ADY_GATEWAY_STORE_H
#define ADY_GATEWAY_STORE_H

#include <stdatomic.h>

#include "gateway/config.h"
#include "gateway/credentials.h"
#include "net/loop.h"

struct ady_store;

/* One record, shared by those who hold a reference; never changed. */
struct ady_stored {
	_Atomic uint32_t refs;
	int64_t fetched_ms;    /* ady_mono_ms */
	struct ady_bytes name; /* of the secret: the key id that the enclave checks */
	struct ady_bytes text; /* SecretString, or the bytes of SecretBinary */
};

/* Someone who waits for a record, on a loop. Storage of the caller until done is called. */
struct ady_store_wait {
	struct ady_task task;
	struct ady_loop *loop;
	/* On the loop, once: record is a reference of the waiter's, or NULL with the reason in
	 * fault. */
	void (*done)(struct ady_store_wait *w);
	struct ady_stored *record;
	struct ady_fault fault;
	struct ady_store_wait *next;
};

/* Counters and health. */
struct ady_store_report {
	uint64_t hits, misses, fetches, failures, entries, bytes, waiting;
	bool known,
	    ok; /* known: a fetch or probe has ended in the last half minute or is the newest */
	char why[160]; /* when not ok */
};

/* Start threads workers that fetch; config and credentials must outlive the store. */
enum ady_err ady_store_open(struct ady_store **store, const struct ady_gateway_config *config,
                            struct ady_credentials *credentials, struct ady_fault *f);

/* Get the record of a secret (name or ARN) that was fetched after newer_than_ms (0: any that is
 * fresh). w->loop and w->done must be set.
 * Returns: ADY_OK with a reference in *record; ADY_E_AGAIN when w->done will be called; else the
 * refusal, also in w->fault. */
enum ady_err ady_store_get(struct ady_store *store, struct ady_bytes secret_id,
                           int64_t newer_than_ms, struct ady_stored **record,
                           struct ady_store_wait *w);

/* Give a reference back. NULL is allowed. */
void ady_stored_unref(struct ady_stored *record);

/* Make a record of copies, with one reference. Out of memory ends the program. */
struct ady_stored *ady_stored_new(struct ady_bytes name, struct ady_bytes text);

/* Find out whether the store answers, when that is not known from recent fetches. Returns at once;
 * the report tells. */
void ady_store_probe(struct ady_store *store);

/* Fill the report. */
void ady_store_report(struct ady_store *store, struct ady_store_report *report);

/* Let fetches under way fail soon, and later ones at once. Any thread. */
void ady_store_stop(struct ady_store *store);

/* End the fetches under way (their waiters are told), free. Loops of waiters must still be there.
 * NULL is allowed. */
void ady_store_close(struct ady_store *store);

#endif
