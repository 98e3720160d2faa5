/* SPDX-License-Identifier: Apache-2.0
 *
 * The key records, for those who must not block: a cache in front, threads of its own behind, which
 * call the store that is configured (store/records.h). A record is ciphertext: nothing here is
 * secret, and nothing is believed by the enclave. Requests for the same record share one fetch.
 * Thread rule: any thread, but as said below. */
#ifndef ADY_GATEWAY_STORE_H
#define ADY_GATEWAY_STORE_H

#include <stdatomic.h>

#include "base/pool.h"
#include "gateway/config.h"
#include "gateway/credentials.h"
#include "net/loop.h"
#include "store/records.h"

struct ady_store;

/* One record, shared by those who hold a reference; never changed. */
struct ady_stored {
	_Atomic uint32_t refs;
	bool disabled;
	int64_t fetched_ms;          /* ady_mono_ms */
	int64_t deletion_s;          /* since 1970; 0: none is planned */
	struct ady_bytes name;       /* the key id that the enclave checks */
	struct ady_bytes text;       /* the record */
	struct ady_bytes public_key; /* empty: the record does not say */
	const char *tenant;          /* "": not known, only for who may use every key */
	const char *curve;           /* "": not known */
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

/* Work with the store itself, on one of its threads. Storage of the caller until done is called.
 * loop, run and done must be set, the rest zero. */
struct ady_store_job {
	struct ady_work work;
	struct ady_task task;
	struct ady_loop *loop;
	struct ady_store *store;
	/* On a thread of the store: may block. Its outcome goes to fault (fault.err). */
	void (*run)(struct ady_store_job *job, struct ady_records *records, size_t worker);
	/* On the loop, once. */
	void (*done)(struct ady_store_job *job);
	struct ady_fault fault;
};

/* A page of keys. query's texts must live until done is called. */
struct ady_store_page {
	struct ady_store_job job;
	struct ady_records_query query;
	struct ady_entry *entries; /* heap */
	size_t n;
	bool more; /* the page was full: go on after the last id */
};

/* Counters and health. */
struct ady_store_report {
	const char *kind;
	uint64_t hits, misses, fetches, failures, entries, bytes, copies, copies_bytes, waiting;
	bool known,
	    ok; /* known: a fetch or probe has ended in the last half minute or is the newest */
	char why[160]; /* when not ok */
};

/* Open the store that config names, and start its threads; config and credentials must outlive it.
 * Returns: ADY_E_STORE when it cannot be opened, with the reason in f. */
enum ady_err ady_store_open(struct ady_store **store, const struct ady_gateway_config *config,
                            struct ady_credentials *credentials, struct ady_fault *f);

/* Get the record of a key id, or of a secret by its name or ARN, that was fetched after
 * newer_than_ms (0: any that is fresh). w->loop and w->done must be set.
 * Returns: ADY_OK with a reference in *record; ADY_E_AGAIN when w->done will be called; else the
 * refusal, also in w->fault. Whether the caller may use it is ady_store_permit's to say. */
enum ady_err ady_store_get(struct ady_store *store, struct ady_bytes secret_id,
                           int64_t newer_than_ms, struct ady_stored **record,
                           struct ady_store_wait *w);

/* The same for a key of a tenant (NULL: of any) by its Ethereum address; an enabled one before a
 * disabled one. */
enum ady_err ady_store_find_address(struct ady_store *store, const uint8_t address20[static 20],
                                    const char *tenant, int64_t newer_than_ms,
                                    struct ady_stored **record, struct ady_store_wait *w);

/* The same by its public key, as records have it. */
enum ady_err ady_store_find_public_key(struct ady_store *store, struct ady_bytes public_key,
                                       const char *tenant, int64_t newer_than_ms,
                                       struct ady_stored **record, struct ady_store_wait *w);

/* Give a reference back. NULL is allowed. */
void ady_stored_unref(struct ady_stored *record);

/* Take one more reference. */
struct ady_stored *ady_stored_ref(struct ady_stored *record);

/* Make a record of copies, with one reference. Out of memory ends the program. */
struct ady_stored *ady_stored_new(const struct ady_entry *entry);

/* The same of another record's members: name, text and all that is named there are copied. */
struct ady_stored *ady_stored_make(const struct ady_stored *like);

/* Do a job. Returns ADY_OK when job->done will be called, ADY_E_BUSY when too much waits. */
enum ady_err ady_store_run(struct ady_store *store, struct ady_store_job *job);

/* List keys: fills the page; page->job.loop, page->job.done and page->query must be set, the rest
 * zero. See ady_store_run. */
enum ady_err ady_store_list(struct ady_store *store, struct ady_store_page *page);

/* Free the entries of a page. */
void ady_store_page_clear(struct ady_store_page *page);

/* An entry was created or changed: what the cache has of it is old. Other gateways see the change
 * when their copies have aged (store.cache_ms). */
void ady_store_forget(struct ady_store *store, const struct ady_entry *entry);

/* Find out whether the store answers, when that is not known from recent fetches. Returns at once;
 * the report tells. */
void ady_store_probe(struct ady_store *store);

/* Fill the report. */
void ady_store_report(struct ady_store *store, struct ady_store_report *report);

/* Let fetches under way fail soon, and later ones at once. Any thread. */
void ady_store_stop(struct ady_store *store);

/* End the fetches and jobs under way (their waiters are told), free. Loops of waiters must still be
 * there. NULL is allowed. */
void ady_store_close(struct ady_store *store);

#endif
