/* SPDX-License-Identifier: Apache-2.0
 *
 * Slashing protection: the minimal form of EIP-3076 (highest block slot, source and target epochs)
 * with the roots of what was signed last, so that the very same message may be signed again. Pure
 * functions: no clock, no storage, no switch to turn it off.
 *
 * A key's state is one row that the enclave authenticates (slashing_row.h) and a store keeps. The
 * store may be lost, rolled back, or lie. Against that each enclave has for each key a memory that
 * begins with a floor in time (struct ady_slash_memory); tests/proof/slashing_model.c goes
 * through what these functions allow, with everything around them failing. */
#ifndef ADY_POLICY_SLASHING_H
#define ADY_POLICY_SLASHING_H

#include "base/bytes.h"

struct ady_slash_state {
	uint64_t version; /* counts what was written; 0: no state */
	bool retired;     /* exported or deleted: never signs again */
	bool has_block, has_block_root;
	bool has_attestation, has_attestation_root;
	uint64_t slot;           /* of the highest block */
	uint64_t source, target; /* highest epochs of attestations */
	uint8_t block_root[32], attestation_root[32];
	uint64_t from_epoch; /* quarantine: nothing before it */
};

/* What is asked to be signed. */
struct ady_slash_ask {
	bool is_block;
	uint64_t slot;           /* of a block */
	uint64_t source, target; /* of an attestation */
	uint8_t root[32];        /* the signing root */
};

/* What time allows. floor_slot: nothing at or before it, nor in its epoch, nor with a source
 * before the epoch before that, unless lagging_source is set. last_slot: nothing beyond it. */
struct ady_slash_time {
	bool has_floor;
	uint64_t floor_slot, last_slot;
	uint32_t slots_per_epoch;
	bool lagging_source;
};

/* What one enclave knows of one key since it first used it. */
struct ady_slash_memory {
	uint64_t floor_slot;
	struct ady_slash_state last; /* the newest that was seen or written */
};

/* What a store says to a conditional write. */
enum ady_slash_outcome {
	ADY_SLASH_WRITTEN,
	ADY_SLASH_CONFLICT, /* nothing was written, the row is another */
	ADY_SLASH_UNKNOWN,  /* counts as written: nothing is signed */
};

/* The place in faults of what only this enclave refuses: one that has used the key for longer may
 * sign it. */
#define ADY_SLASH_FLOOR "floor"

/* Whether ask may be signed after what state says.
 * Out:     repeat: it is what was signed last; nothing is to be written.
 * Returns: ADY_OK or ADY_E_SLASHING with the reason in f. */
enum ady_err ady_slash_check(const struct ady_slash_state *state, const struct ady_slash_ask *ask,
                             const struct ady_slash_time *time, bool *repeat, struct ady_fault *f);

/* Raise state by ask, which was checked, and count one version. */
void ady_slash_raise(struct ady_slash_state *state, const struct ady_slash_ask *ask);

/* Raise state to the maxima of both, as an import does; a root that is not that of the state's own
 * last message is forgotten. Counts one version. Never lowers anything. */
void ady_slash_merge(struct ady_slash_state *state, const struct ady_slash_state *other);

/* Begin memory of a key: everything up to floor_slot may have been signed elsewhere. */
void ady_slash_remember(struct ady_slash_memory *m, uint64_t floor_slot);

/* The first half of a signature: check ask against row (authentic; it may be old) and memory.
 * Out:     next: what must be written over version next->version - 1 before the key is used;
 *          repeat: nothing needs to be written, sign.
 * Returns: ADY_E_SLASHING. time->floor_slot is taken from m. */
enum ady_err ady_slash_begin(struct ady_slash_memory *m, const struct ady_slash_state *row,
                             const struct ady_slash_ask *ask, struct ady_slash_time time,
                             struct ady_slash_state *next, bool *repeat, struct ady_fault *f);

/* The second half: what the store said to next. ADY_OK: the key may be used now, once.
 * Returns: ADY_E_AGAIN when the row was another, or this enclave has seen as new a one meanwhile:
 * begin again with the present row; ADY_E_SLASHING when the outcome is not known. */
enum ady_err ady_slash_end(struct ady_slash_memory *m, const struct ady_slash_state *next,
                           enum ady_slash_outcome outcome, struct ady_fault *f);

#endif
