/* SPDX-License-Identifier: Apache-2.0
 *
 * Verifying the proof of an answer (doc/audit.md): that an enclave has given it, to this request,
 * now. */
#ifndef ADY_CLI_PROOF_H
#define ADY_CLI_PROOF_H

#include "cli/attest.h"
#include "cli/gateway.h"
#include "codec/proof.h"

enum { ADY_PROOF_AGE_S = 60 };

/* What an answer must be of. */
struct ady_proof_want {
	uint8_t public[32];       /* the response key */
	struct ady_bytes request; /* the body, as it was sent; p NULL: it is not compared */
	struct ady_bytes
	    answer;           /* the body that came, or one of its objects; empty: not compared */
	const char *key;      /* id; NULL: any */
	int64_t now_s, age_s; /* the longest ago; age_s 0: any time */
};

/* How to know the response key: from a document of the gateway. */
struct ady_proof_trust {
	struct ady_attest_expected expected;
	const char *root;
};

/* Verify the proof in a header's text. Out: *e, views into space.
 * Returns: ADY_E_ATTESTATION with field and reason in f. */
enum ady_err ady_proof_check(struct ady_audit_entry *e, uint8_t space[static ADY_PROOF_MAX],
                             const struct ady_proof_want *want, struct ady_bytes header,
                             struct ady_fault *f);

/* The response key in a verified document. Returns ADY_E_ATTESTATION. */
enum ady_err ady_proof_key_of(uint8_t public32[static 32], const struct ady_attestation *att,
                              struct ady_fault *f);

/* Say on standard error that an answer is not proved. Returns the exit status. */
int ady_proof_refused(const struct ady_fault *f);

/* Fetch a document of the response key with a nonce of our own, and verify it. header: the proof
 * that is to be verified by it; behind a gateway with several enclaves, each of which has a key of
 * its own, documents are fetched until one is of the proof's, or the last is taken. Returns what
 * ady_gateway_call and ady_attestation_verify return. */
enum ady_err ady_proof_fetch_key(uint8_t public32[static 32], const struct ady_gateway *gateway,
                                 const struct ady_proof_trust *trust, struct ady_bytes header,
                                 struct ady_fault *f);

/* Fetch that key, and verify that the enclave behind it has just derived, of this wallet and by
 * this request, the keys of an answer: their public keys, in this order, and the addresses that are
 * computed from them. As ady_proof_check_made. */
enum ady_err ady_proof_check_derived(const struct ady_gateway *gateway,
                                     const struct ady_proof_trust *trust, const char *wallet,
                                     struct ady_bytes request,
                                     const struct ady_gateway_reply *reply, struct ady_fault *f);

/* Fetch that key, and verify that the enclave behind it has just made the key of an answer, by this
 * request (the body without its label): its id and tenant, its public key, and the address that is
 * computed from that. reply: with its proof.
 * Returns: ADY_E_ATTESTATION with field and reason in f; what ady_proof_fetch_key returns. */
enum ady_err ady_proof_check_made(const struct ady_gateway *gateway,
                                  const struct ady_proof_trust *trust, const char *id,
                                  const char *tenant, struct ady_bytes request,
                                  const struct ady_gateway_reply *reply, struct ady_fault *f);

#endif
