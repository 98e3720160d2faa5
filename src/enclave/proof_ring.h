/* SPDX-License-Identifier: Apache-2.0
 *
 * The proofs of the last entries, about 16000 of them: new ones take the place of the oldest. Pages
 * that were never needed are never touched. Thread rule: any thread. */
#ifndef ADY_ENCLAVE_PROOF_RING_H
#define ADY_ENCLAVE_PROOF_RING_H

#include "base/bytes.h"

enum { ADY_PROOF_RING_BYTES = 8 << 20, ADY_PROOF_RING_PLACES = 1 << 14 };

struct ady_proof_ring;

/* Returns ADY_E_MEMORY. */
enum ady_err ady_proof_ring_open(struct ady_proof_ring **ring);

/* Free. NULL is allowed. */
void ady_proof_ring_close(struct ady_proof_ring *ring);

/* Keep the proof of an entry. */
void ady_proof_ring_keep(struct ady_proof_ring *ring, uint64_t sequence, struct ady_bytes proof);

/* Append the proof of an entry to out: true, or it is not there. When it does not fit, out is
 * full. */
bool ady_proof_ring_get(struct ady_proof_ring *ring, uint64_t sequence, struct ady_buf *out);

#endif
