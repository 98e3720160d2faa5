/* SPDX-License-Identifier: Apache-2.0
 *
 * The bodies of DERIVE (doc/protocol.md). As codec/wire.h. */
#ifndef ADY_CODEC_WIRE_WALLET_H
#define ADY_CODEC_WIRE_WALLET_H

#include "codec/wire.h"

struct ady_wire_derive {
	struct ady_bytes key_id;  /* text, 1..2048: the wallet's */
	struct ady_bytes record;  /* 1..65536 bytes */
	struct ady_bytes request; /* 0..131072 bytes: the body, as it came (signer/derive.h) */
	struct ady_bytes stamp;   /* 0..16384 bytes: the X-Adyton-Stamp header, as it came */
};

/* What differs between the keys: the rest of each record follows from request and wallet. */
struct ady_wire_derived {
	uint64_t created; /* seconds since 1970; 0: no keys were made */
	/* 0, 32 or 92 bytes: "counters" of each key's record (signer/record.h); empty: none has it
	 */
	struct ady_bytes counters;
	struct ady_bytes keys; /* of each: public key of its curve; where they were made its
	                          ciphertext (60 bytes) */
};

/* See ady_wire_put_empty. */
void ady_wire_put_derive(struct ady_buf *b, const struct ady_wire_derive *m);

/* See ady_wire_put_empty. */
enum ady_err ady_wire_read_derive(struct ady_wire_derive *m, struct ady_bytes body);

/* See ady_wire_put_empty. */
void ady_wire_put_derived(struct ady_buf *b, const struct ady_wire_derived *m);

/* See ady_wire_put_empty. How many keys it are, their curve tells. */
enum ady_err ady_wire_read_derived(struct ady_wire_derived *m, struct ady_bytes body);

#endif
