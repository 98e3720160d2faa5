/* SPDX-License-Identifier: Apache-2.0
 *
 * Who vouches for answers: the enclave's response key, made at the start and attested, and the
 * chain of what was decided since (codec/audit_entry.h). Entries get their places under a lock; the
 * head is signed outside of it, once for all entries that were placed together. The proofs of the
 * last entries are kept, for whom they did not reach. Thread rule: any thread. */
#ifndef ADY_ENCLAVE_NOTARY_H
#define ADY_ENCLAVE_NOTARY_H

#include "codec/proof.h"

enum {
	ADY_NOTARY_TOGETHER = ADY_PROOF_LATER_MAX + 1, /* entries under one signature */
	ADY_NOTARY_PROOFS = ADY_NOTARY_TOGETHER * ADY_PROOF_MAX,
	ADY_NOTARY_SPKI = 44,
};

struct ady_notary;

/* Make key and chain, and the first entry, which says that it began.
 * Returns ADY_E_MEMORY. */
enum ady_err ady_notary_open(struct ady_notary **notary);

/* Wipe and free. NULL is allowed. */
void ady_notary_close(struct ady_notary *notary);

/* The public half of the response key: its SubjectPublicKeyInfo (RFC 8410), 44 bytes. */
struct ady_bytes ady_notary_public(const struct ady_notary *notary);

/* Give count entries (1 to ADY_NOTARY_TOGETHER) the next places of the chain and prove them.
 * tails:   of each, what ady_audit_put_tail has written.
 * Out:     proofs: theirs, behind each other; ends[i]: where that of entry i ends in it. Room:
 *          ADY_NOTARY_PROOFS.
 * Time:    constant in the key; one signature. Heap: none. */
void ady_notary_prove(struct ady_notary *notary, const struct ady_bytes *tails, size_t count,
                      struct ady_buf *proofs, size_t *ends);

/* Append the proofs of the entries from sequence `from` on that are still there, as many as fit.
 * Out: *end: how many entries the chain has; *next: where to go on, *end when there is no more. */
void ady_notary_again(struct ady_notary *notary, uint64_t from, struct ady_buf *proofs,
                      uint64_t *end, uint64_t *next);

#endif
