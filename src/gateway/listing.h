/* SPDX-License-Identifier: Apache-2.0
 *
 * All accounts that a caller may use: pages of the store gathered into one sorted list. Thread
 * rule: the shard's thread. */
#ifndef ADY_GATEWAY_LISTING_H
#define ADY_GATEWAY_LISTING_H

#include "gateway/caller.h"

struct ady_listing;
struct ady_op;
struct ady_shard;

/* Items one behind the other, ascending, none twice, when f is NULL. */
typedef void ady_listing_fn(void *ctx, struct ady_bytes items, const struct ady_fault *f);

/* Of more than these, the first in the order of their keys' ids are listed. All can be used.
 * Public keys: what validator clients do their duties for is what they were listed. */
enum { ADY_LISTING_ADDRESSES_MAX = 10000, ADY_LISTING_PUBLIC_KEYS_MAX = 100000 };

/* What is listed: addresses of 20 bytes, or public keys as records have them. */
enum ady_listed { ADY_LIST_ADDRESSES, ADY_LIST_PUBLIC_KEYS };

struct ady_listing_ask {
	struct ady_caller caller;
	enum ady_listed what;
	const char *curve;    /* "secp256k1", ..; NULL: any */
	size_t width;         /* bytes of an item */
	ady_listing_fn *done; /* given the items of enabled keys */
	void *ctx;
};

/* Begin. ask->done is called once, never from inside this call, unless an error is returned, whose
 * reason is in f.
 * Out:     *listing, for ady_listing_drop; gone once done is called; NULL on errors. */
enum ady_err ady_listing_start(struct ady_listing **listing, struct ady_shard *shard,
                               const struct ady_listing_ask *ask, struct ady_fault *f);

/* Begin to list the validators' public keys of op's caller for op, into op->listing. */
enum ady_err ady_listing_validators(struct ady_op *op, ady_listing_fn *done, struct ady_fault *f);

/* Let go of a listing that is not done: done is not called. NULL is allowed. */
void ady_listing_drop(struct ady_listing *listing);

#endif
