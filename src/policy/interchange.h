/* SPDX-License-Identifier: Apache-2.0
 *
 * The slashing protection interchange format, EIP-3076 version 5: a file is checked whole, then
 * gives the maxima of each validator. Roots are not taken over: a message that somebody else has
 * signed is not signed again here. Heap: none; the tokens are the caller's. */
#ifndef ADY_POLICY_INTERCHANGE_H
#define ADY_POLICY_INTERCHANGE_H

#include "codec/json.h"
#include "policy/slashing.h"

struct ady_interchange {
	const struct ady_json *doc;
	uint32_t data; /* the array of validators */
	uint8_t genesis_validators_root[32];
	uint32_t validators; /* entries; a key may have several */
	uint64_t blocks, attestations;
};

/* One entry of a file. state: maxima, version 0. */
struct ady_interchange_entry {
	uint8_t pubkey[48];
	struct ady_slash_state state;
	uint32_t blocks, attestations;
};

/* Check all of doc. Returns: the ADY_E_FIELD_* with the path in f; nothing may then be imported. */
enum ady_err ady_interchange_open(struct ady_interchange *ix, const struct ady_json *doc,
                                  struct ady_fault *f);

/* The entry behind *at (0: the first) of a file that was checked, in which each can be read; false
 * at the end. */
bool ady_interchange_next(const struct ady_interchange *ix, uint32_t *at,
                          struct ady_interchange_entry *entry);

/* Append the head of a file, up to the bracket that opens its data. */
void ady_interchange_put_head(struct ady_buf *b,
                              const uint8_t genesis_validators_root32[static 32]);

/* Append one entry: the highest block and attestation, with their roots where they are known. */
void ady_interchange_put_entry(struct ady_buf *b, const uint8_t pubkey48[static 48],
                               const struct ady_slash_state *state);

/* Append the end of a file. */
void ady_interchange_put_end(struct ady_buf *b);

#endif
