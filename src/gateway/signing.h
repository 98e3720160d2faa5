/* SPDX-License-Identifier: Apache-2.0
 *
 * One signature: the record from the store, then record and request to the enclave, as they are.
 * Every API of the gateway that signs comes through here. Two refusals are tried again, once each:
 * what an old copy of the record could explain, with a new copy if that differs; what old
 * credentials could explain, with fresh ones if they can be had. Thread rule: the shard's thread.
 */
#ifndef ADY_GATEWAY_SIGNING_H
#define ADY_GATEWAY_SIGNING_H

#include "codec/wire.h"
#include "gateway/caller.h"

/* The header whose stamps go to the enclave as they are. */
#define ADY_STAMP_FIELD "x-adyton-stamp"

struct ady_shard;
struct ady_signing;

/* How a key is named: the record's name in the store, its Ethereum address (20 bytes), or its
 * public key as records have it (33 bytes). */
enum ady_key_by { ADY_KEY_BY_ID, ADY_KEY_BY_ADDRESS, ADY_KEY_BY_PUBLIC_KEY };

struct ady_signing_ask {
	enum ady_wire_form form;
	struct ady_caller caller; /* whose key it must be */
	enum ady_key_by by;
	struct ady_bytes key;     /* copied */
	struct ady_bytes request; /* the body that the enclave reads; valid until done or drop */
	struct ady_bytes stamp;   /* the client's stamps on it, or empty; valid as long */
	int64_t due_ms;           /* ady_mono_ms: what is left of it is told to the enclave */
	/* The answer, valid during the call, when f is NULL; else why there is none. */
	void (*done)(void *ctx, const struct ady_wire_signed *m, const struct ady_fault *f);
	void *ctx;
};

/* Begin. ask->done is called once, never from inside this call, unless an error is returned, whose
 * reason is in f. The time after which nobody waits any more is the caller's to watch: it drops the
 * signing then.
 * Out:     *signing, for ady_signing_drop; gone once done is called; NULL on errors. */
enum ady_err ady_signing_start(struct ady_signing **signing, struct ady_shard *shard,
                               const struct ady_signing_ask *ask, struct ady_fault *f);

/* Let go of a signing that is not done: done is not called. NULL is allowed. */
void ady_signing_drop(struct ady_signing *signing);

/* Why a signing that took too long is not done yet: one clause. NULL is allowed. */
const char *ady_signing_late(const struct ady_signing *signing);

/* An attempt to refresh credentials has ended: try again what waits for it, or answer it. */
void ady_signing_refreshed(void *shard);

/* Free the storage of signings that are done. */
void ady_signing_free_all(struct ady_shard *shard);

#endif
