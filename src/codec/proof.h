/* SPDX-License-Identifier: Apache-2.0
 *
 * The proof of an answer (doc/audit.md): its entry of the audit log, what is needed to reach the
 * head of the chain that was signed, and the signature. One CBOR map:
 *
 *   0 bytes 32       public half of the enclave's response key, Ed25519
 *   1 bytes 32       the chain's hash before the entry
 *   2 bytes 1..640   the entry (codec/audit_entry.h)
 *   3 bytes 32*k     the digests of the entries between it and the head, k at most 15
 *   4 bytes 64       signature of "adyton head 1" || head
 *
 * Heap: none. Thread rule: no state. */
#ifndef ADY_CODEC_PROOF_H
#define ADY_CODEC_PROOF_H

#include "codec/audit_entry.h"

enum {
	ADY_PROOF_LATER_MAX = 15,
	ADY_PROOF_MAX = 1280, /* a proof with every member at its longest */
	ADY_PROOF_SIGNED = 13 + 32,
};

struct ady_proof {
	struct ady_bytes public;    /* 32 bytes */
	struct ady_bytes before;    /* 32 bytes */
	struct ady_bytes entry;     /* its bytes */
	struct ady_bytes later;     /* 0..480 bytes, a multiple of 32 */
	struct ady_bytes signature; /* 64 bytes */
};

/* Append a proof. */
void ady_proof_put(struct ady_buf *b, const struct ady_proof *p);

/* Read a proof, and the entry in it: views into text. Nothing is verified. Returns ADY_E_CBOR;
 * *p and *e are zero then. */
enum ady_err ady_proof_read(struct ady_proof *p, struct ady_audit_entry *e, struct ady_bytes text);

/* How many bytes the first of several proofs behind each other has; 0: there is none. */
size_t ady_proof_length(struct ady_bytes proofs);

/* The chain's hash after the entry of a proof, and the head that its signature is of. */
void ady_proof_heads(uint8_t after32[static 32], uint8_t head32[static 32],
                     const struct ady_proof *p);

/* What is signed for a head. */
void ady_proof_message(uint8_t out[static ADY_PROOF_SIGNED], const uint8_t head32[static 32]);

/* Whether the proof's signature is of its key over its head. Whose the key is, is the caller's to
 * know. Time: variable. */
bool ady_proof_verify(const struct ady_proof *p);

#endif
