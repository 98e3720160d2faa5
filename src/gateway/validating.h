/* SPDX-License-Identifier: Apache-2.0
 *
 * One question about a validator's key: record and state from their stores, then both and the
 * request to the enclave. A duty is answered with a signature; a change of the state (WATERMARK)
 * with the new row, which is written here. Thread rule: the shard's thread. */
#ifndef ADY_GATEWAY_VALIDATING_H
#define ADY_GATEWAY_VALIDATING_H

#include "codec/wire_duty.h"
#include "gateway/caller.h"
#include "store/states.h"

struct ady_shard;
struct ady_validating;

struct ady_validating_ask {
	struct ady_caller caller; /* whose key it must be */
	struct ady_stored
	    *record;          /* not stored yet; the caller's until done or drop. NULL: find it */
	struct ady_bytes key; /* its id in the store, valid until done or drop; empty: find it by */
	uint8_t public_key[ADY_STATE_KEY];
	struct ady_bytes request; /* of a duty: the body; valid until done or drop */
	struct ady_bytes stamp;   /* of a duty: the X-Adyton-Stamp field, likewise; may be empty */
	/* Ids that its record's must begin with, and must not; NULL: any. Valid until done or drop.
	 */
	const char *within, *outside;
	bool by_address;      /* of a duty: of the secp256k1 key whose address is in public_key */
	bool no_state;        /* of a duty that has none */
	bool strict;          /* of a duty: see chain/beacon_duty.h */
	bool is_marks;        /* else it is a duty */
	bool though_disabled; /* of marks: also of a key that signs no more */
	struct ady_wire_watermark marks; /* op, genesis_root (valid as request), marks and so on */
	int64_t due_ms;                  /* ady_mono_ms */
	/* NULL, or where the proof of the enclave's answer is put, before done: that of a row comes
	 * before the row is written. Empty: what done tells is not the enclave's. */
	struct ady_dyn *proof;
	/* The signature or the row, valid during the call, when f is NULL; else why there is none.
	 */
	void (*done)(void *ctx, struct ady_bytes answer, const struct ady_fault *f);
	void *ctx;
};

/* Begin. ask->done is called once, never from inside this call, unless an error is returned, whose
 * reason is in f. The time is the caller's to watch.
 * Out:     *v, for ady_validating_drop; gone once done is called; NULL on errors. */
enum ady_err ady_validating_start(struct ady_validating **v, struct ady_shard *shard,
                                  const struct ady_validating_ask *ask, struct ady_fault *f);

/* Let go of one that is not done: done is not called. NULL is allowed. */
void ady_validating_drop(struct ady_validating *v);

/* Free the storage of those that are done. */
void ady_validating_free_all(struct ady_shard *shard);

#endif
