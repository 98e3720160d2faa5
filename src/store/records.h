/* SPDX-License-Identifier: Apache-2.0
 *
 * Stores of key records behind one table of functions: SQLite, PostgreSQL, Secrets Manager, a
 * folder of files. Whoever owns a store can withhold records or bring back old ones; it cannot pass
 * one key off as another, nor change what a record allows: the enclave checks that
 * (signer/record.h).
 *
 * All calls block. Thread rule: a handle is made for a number of workers; calls with different
 * worker numbers may run at once, those with one number follow one another. */
#ifndef ADY_STORE_RECORDS_H
#define ADY_STORE_RECORDS_H

#include <stdatomic.h>

#include "store/entry.h"

enum { ADY_RECORDS_PAGE_MAX = 1000, ADY_DELETION_DAYS_MIN = 7, ADY_DELETION_DAYS_MAX = 30 };

/* Which keys. NULL, empty and 0 do not restrict, but for limit (1..ADY_RECORDS_PAGE_MAX). */
struct ady_records_query {
	const char *after; /* ids behind this one, in the order of their bytes */
	size_t limit;
	const char *prefix; /* of ids */
	const char *tenant, *label, *curve;
	enum { ADY_ENABLED_ANY, ADY_ENABLED_ONLY, ADY_DISABLED_ONLY } enabled;
	const uint8_t *address; /* 20 bytes */
	struct ady_bytes public_key;
	bool texts; /* fill the entries' texts */
};

/* What changes beside the record. */
struct ady_records_change {
	bool set_label, set_disabled, set_deletion;
	const char *label;
	bool disabled;
	int64_t deletion_s; /* 0: restore */
};

/* A text that is to take the place of that of a record, of the same key and curve, if its revision
 * is still this one. */
struct ady_records_text {
	const char *id, *revision;
	struct ady_bytes text;
	enum ady_err err; /* out: ADY_OK, ADY_E_CONFLICT, ADY_E_NOT_FOUND */
};

/* One of several records that are asked for together. */
struct ady_records_get {
	const char *id;
	struct ady_entry *out;  /* zero or cleared */
	struct ady_fault fault; /* out: why there is none; fault.err ADY_OK: there is */
};

/* Called for each note. */
typedef void (*ady_records_each_note)(void *ctx, const char *name, struct ady_bytes text);

/* Called for each entry of a page, in order; the entry is valid during the call. */
typedef void (*ady_records_each)(void *ctx, const struct ady_entry *e);

/* Who is told of changes; all on the thread that watches. */
struct ady_records_watcher {
	void *ctx;
	/* From now on each change that is committed will be told. */
	void (*begun)(void *ctx);
	/* The record of this id was made, changed or removed, by whomever; "": any may have been.
	 * Told in the order of commits, some more often than need be. */
	void (*changed)(void *ctx, const char *id);
	/* All changes that were committed before this time (ady_mono_ms) have been told. */
	void (*sure)(void *ctx, int64_t until_ms);
	/* There is time: may work for some ms. Returns after how many it wants to be called again.
	 */
	int64_t (*idle)(void *ctx);
	int64_t sure_every_ms; /* how often the store is asked for that */
};

struct ady_records;

/* One store. Every function returns ADY_OK or fills f. ADY_E_STORE: the store does not work now. */
struct ady_records_ops {
	const char *kind; /* "sqlite", ... */
	bool quick;       /* get and list of one key take no longer than a thread to be woken */
	enum ady_err (*get)(struct ady_records *r, size_t worker, const char *id,
	                    struct ady_entry *out, struct ady_fault *f);
	enum ady_err (*create)(struct ady_records *r, size_t worker, struct ady_entry *const *e,
	                       size_t n, struct ady_fault *f);
	enum ady_err (*replace)(struct ady_records *r, size_t worker, struct ady_entry *e,
	                        const char *revision, struct ady_fault *f);
	enum ady_err (*change)(struct ady_records *r, size_t worker, const char *id,
	                       const char *revision, const struct ady_records_change *change,
	                       struct ady_entry *out, struct ady_fault *f);
	enum ady_err (*list)(struct ady_records *r, size_t worker,
	                     const struct ady_records_query *q, ady_records_each each, void *ctx,
	                     struct ady_fault *f);
	enum ady_err (*data_key)(struct ady_records *r, size_t worker, const char *tenant,
	                         char out[static ADY_DATA_KEY_MAX + 1], struct ady_fault *f);
	/* NULL: one by one, which is no slower. Else of each its outcome, or ADY_E_STORE. */
	enum ady_err (*get_many)(struct ady_records *r, size_t worker, struct ady_records_get *all,
	                         size_t n, struct ady_fault *f);
	enum ady_err (*retext)(struct ady_records *r, size_t worker, struct ady_records_text *all,
	                       size_t n, struct ady_fault *f); /* NULL: by replace */
	enum ady_err (*note)(struct ady_records *r, size_t worker, const char *name,
	                     struct ady_dyn *out, struct ady_fault *f);
	enum ady_err (*set_note)(struct ady_records *r, size_t worker, const char *name,
	                         struct ady_bytes text, struct ady_fault *f);
	enum ady_err (*notes)(struct ady_records *r, size_t worker, ady_records_each_note each,
	                      void *ctx, struct ady_fault *f);
	enum ady_err (*watch)(struct ady_records *r, size_t worker,
	                      const struct ady_records_watcher *w,
	                      struct ady_fault *f); /* NULL: changes are not told */
	enum ady_err (*probe)(struct ady_records *r, size_t worker, struct ady_fault *f);
	void (*purge)(struct ady_records *r, size_t worker, int64_t now_s);
	void (*close)(struct ady_records *r);
};

/* The head of every store's own structure. */
struct ady_records {
	const struct ady_records_ops *ops;
	const atomic_bool *stop; /* NULL, or: once it is true, calls end within a second or so */
};

/* Whether err says that the store itself does not work, not that one record is missing. */
bool ady_records_is_outage(enum ady_err err);

/* A fault that was overcome on the way (credentials that had expired) is no fault any more. */
static inline enum ady_err ady_records_settle(enum ady_err err, struct ady_fault *f)
{
	if (err == ADY_OK && f)
		f->err = ADY_OK;
	return err;
}

/* What a change does to an entry. For stores. */
void ady_records_apply(struct ady_entry *e, const struct ady_records_change *change);

/* The ids of a query as bounds: ids of the page are above low and below high; with address or
 * public key low is itself allowed. For stores. */
void ady_records_bounds(const struct ady_records_query *q, char low[static ADY_KEY_ID_MAX + 1],
                        char high[static ADY_KEY_ID_MAX + 1]);

/* Get a record by its id, or, where secrets have ARNs, by those. out must be zero or cleared.
 * Returns: ADY_E_NOT_FOUND, also once its deletion is due; ADY_E_DENIED, ADY_E_RECORD,
 * ADY_E_CREDENTIALS, ADY_E_STORE. */
static inline enum ady_err ady_records_get(struct ady_records *r, size_t worker, const char *id,
                                           struct ady_entry *out, struct ady_fault *f)
{
	return ady_records_settle(r->ops->get(r, worker, id, out, f), f);
}

enum { ADY_RECORDS_GET_MAX = 32 };

/* Get up to ADY_RECORDS_GET_MAX records of different ids, in one call where the store can: each as
 * ady_records_get would. */
void ady_records_get_many(struct ady_records *r, size_t worker, struct ady_records_get *all,
                          size_t n);

/* Store n new records, all or none (Secrets Manager and a folder: in order, until one fails), and
 * durably: they are there after a crash once this returns ADY_OK. Fills their revisions.
 * Returns: ADY_E_EXISTS when there is one of that id, ADY_E_STORE. */
static inline enum ady_err ady_records_create(struct ady_records *r, size_t worker,
                                              struct ady_entry *const *e, size_t n,
                                              struct ady_fault *f)
{
	return ady_records_settle(r->ops->create(r, worker, e, n, f), f);
}

/* Replace a record's text and what is read out of it, if its revision is still this one (NULL: in
 * any case). Label, disabled and deletion stay. Fills e->revision.
 * Returns: ADY_E_NOT_FOUND, ADY_E_CONFLICT, ADY_E_STORE. */
static inline enum ady_err ady_records_replace(struct ady_records *r, size_t worker,
                                               struct ady_entry *e, const char *revision,
                                               struct ady_fault *f)
{
	return ady_records_settle(r->ops->replace(r, worker, e, revision, f), f);
}

/* Change label, disabled or deletion, if the revision is still this one (NULL: in any case).
 * Out:     *out, the entry after the change (zero or cleared before).
 * Returns: ADY_E_NOT_FOUND, ADY_E_CONFLICT, ADY_E_STORE. */
static inline enum ady_err ady_records_change(struct ady_records *r, size_t worker, const char *id,
                                              const char *revision,
                                              const struct ady_records_change *change,
                                              struct ady_entry *out, struct ady_fault *f)
{
	return ady_records_settle(r->ops->change(r, worker, id, revision, change, out, f), f);
}

/* Call each for the entries of a page. Those whose deletion is due are not there. With address or
 * public_key, enabled ones come before disabled ones, and after is not minded. */
static inline enum ady_err ady_records_list(struct ady_records *r, size_t worker,
                                            const struct ady_records_query *q,
                                            ady_records_each each, void *ctx, struct ady_fault *f)
{
	return ady_records_settle(r->ops->list(r, worker, q, each, ctx, f), f);
}

/* The present data key of a tenant (base64 as in its newest record), or "" when it has none yet.
 * Two who create a tenant's first key at once may make two data keys: each record carries its own,
 * and none is lost. */
static inline enum ady_err ady_records_data_key(struct ady_records *r, size_t worker,
                                                const char *tenant,
                                                char out[static ADY_DATA_KEY_MAX + 1],
                                                struct ady_fault *f)
{
	return ady_records_settle(r->ops->data_key(r, worker, tenant, out, f), f);
}

/* Put new texts of n records in the place of the old, durably, each if nobody changed it since.
 * Returns: ADY_OK when it is said of each what became of it; else of none, and the store's fault.
 */
enum ady_err ady_records_retext(struct ady_records *r, size_t worker, struct ady_records_text *all,
                                size_t n, struct ady_fault *f);

/* A note: a small text of the gateways', kept beside the records, by a name of 1..100 bytes (as of
 * keys). It is in no list of keys. Appended to out.
 * Returns: ADY_E_NOT_FOUND, ADY_E_STORE and so on. */
static inline enum ady_err ady_records_note(struct ady_records *r, size_t worker, const char *name,
                                            struct ady_dyn *out, struct ady_fault *f)
{
	return ady_records_settle(r->ops->note(r, worker, name, out, f), f);
}

/* Write a note, over the one that is there; of two at once the later stays. */
static inline enum ady_err ady_records_set_note(struct ady_records *r, size_t worker,
                                                const char *name, struct ady_bytes text,
                                                struct ady_fault *f)
{
	return ady_records_settle(r->ops->set_note(r, worker, name, text, f), f);
}

/* Call each for all notes. */
static inline enum ady_err ady_records_notes(struct ady_records *r, size_t worker,
                                             ady_records_each_note each, void *ctx,
                                             struct ady_fault *f)
{
	return ady_records_settle(r->ops->notes(r, worker, each, ctx, f), f);
}

/* Watch for changes; the store's watch must not be NULL. Blocks until *stop is true (ADY_OK) or the
 * store does not tell any more (ADY_E_STORE). What the watcher asks the store for as the same
 * worker meanwhile is no older than what it was told. */
static inline enum ady_err ady_records_watch(struct ady_records *r, size_t worker,
                                             const struct ady_records_watcher *w,
                                             struct ady_fault *f)
{
	return ady_records_settle(r->ops->watch(r, worker, w, f), f);
}

/* Find out whether the store works: ADY_OK, or why not. */
static inline enum ady_err ady_records_probe(struct ady_records *r, size_t worker,
                                             struct ady_fault *f)
{
	return ady_records_settle(r->ops->probe(r, worker, f), f);
}

/* Remove what was to be deleted by now_s. */
static inline void ady_records_purge(struct ady_records *r, size_t worker, int64_t now_s)
{
	r->ops->purge(r, worker, now_s);
}

/* Free. No call may be under way. NULL is allowed. */
static inline void ady_records_close(struct ady_records *r)
{
	if (r)
		r->ops->close(r);
}

#endif
