/* SPDX-License-Identifier: Apache-2.0
 *
 * Where validators' slashing protection states are kept, and the counters of keys' policies: a row
 * of bytes and a version a key, which change by compare-and-set alone. Whoever owns the store can
 * lose rows or bring back old ones; it cannot make one (policy/slashing_row.h, policy/tally.h). All
 * calls block. Thread rule: one thread at a time. */
#ifndef ADY_STORE_STATES_H
#define ADY_STORE_STATES_H

#include "base/bytes.h"

enum { ADY_STATE_MAX = 256, ADY_STATE_KEY = 48, ADY_STATE_LARGE_MAX = 12 * 1024 };

struct ady_state_row {
	uint8_t bytes[ADY_STATE_MAX];
	size_t n; /* 0: there is none */
};

/* One conditional write, or a read when there is no new row. */
struct ady_state_write {
	uint8_t public_key[ADY_STATE_KEY];
	size_t key_n;             /* of counters: bytes of public_key, their name; 0: all */
	struct ady_dyn *large;    /* of counters: where their row is, instead of in row */
	uint64_t version;         /* that the stored row must have; 0: there must be none */
	struct ady_state_row row; /* the new one, of version + 1; after a read or when it was not
	                             written: what is stored */
	bool written;
};

/* The parts of a write, whatever it is of: its key, its new row (empty: a read), and what is stored
 * when it was not written. */
static inline struct ady_bytes ady_state_write_key(const struct ady_state_write *w)
{
	return ady_bytes(w->public_key, w->key_n ? w->key_n : ADY_STATE_KEY);
}

/* See ady_state_write_key. */
static inline struct ady_bytes ady_state_write_row(const struct ady_state_write *w)
{
	return w->large ? ady_dyn_bytes(w->large) : ady_bytes(w->row.bytes, w->row.n);
}

/* See ady_state_write_key. A row that does not fit is as none. */
void ady_state_write_take(struct ady_state_write *w, struct ady_bytes row);

/* Called for each validator's row of a list; both are valid during the call. */
typedef void (*ady_states_each)(void *ctx, const uint8_t public_key[static ADY_STATE_KEY],
                                const struct ady_state_row *row);

struct ady_states_store;

struct ady_states_ops {
	enum ady_err (*write)(struct ady_states_store *s, struct ady_state_write *const *w,
	                      size_t n, struct ady_fault *f);
	enum ady_err (*list)(struct ady_states_store *s, ady_states_each each, void *ctx,
	                     struct ady_fault *f);
	void (*close)(struct ady_states_store *s);
};

/* The head of every store's own structure. */
struct ady_states_store {
	const struct ady_states_ops *ops;
};

/* Open the store of a place: "memory", "sqlite:PATH" or "postgres:CONNINFO".
 * Returns ADY_E_STORE, or ADY_E_CONFIG for another place, with the reason in f. */
enum ady_err ady_states_store_open(struct ady_states_store **s, const char *place,
                                   struct ady_fault *f);

/* The places. See ady_states_store_open; path NULL: in memory. */
enum ady_err ady_states_sqlite_open(struct ady_states_store **s, const char *path,
                                    struct ady_fault *f);

/* See ady_states_sqlite_open. */
enum ady_err ady_states_postgres_open(struct ady_states_store **s, const char *conninfo,
                                      struct ady_fault *f);

/* Do n writes and reads in one transaction, durably: each has its outcome, and the writes that say
 * so are there after a crash, once this returns ADY_OK. Else none has an outcome: each may have
 * been written. */
static inline enum ady_err ady_states_store_write(struct ady_states_store *s,
                                                  struct ady_state_write *const *w, size_t n,
                                                  struct ady_fault *f)
{
	return s->ops->write(s, w, n, f);
}

/* Call each for all validators' rows, in the order of their keys. */
static inline enum ady_err ady_states_store_list(struct ady_states_store *s, ady_states_each each,
                                                 void *ctx, struct ady_fault *f)
{
	return s->ops->list(s, each, ctx, f);
}

/* Close. NULL is allowed. */
static inline void ady_states_store_close(struct ady_states_store *s)
{
	if (s)
		s->ops->close(s);
}

#endif
