/* SPDX-License-Identifier: Apache-2.0
 *
 * What KMS encrypts its replies to: an RSA key made in this process, and the attestation document
 * that carries its public half. Both are renewed by age; a reply that is on its way keeps the key
 * it was encrypted to. Thread rule: any thread. */
#ifndef ADY_ENCLAVE_RECIPIENT_H
#define ADY_ENCLAVE_RECIPIENT_H

#include "crypto/rsa.h"
#include "enclave/nsm.h"

struct ady_recipient;
struct ady_recipient_key;

struct ady_recipient_config {
	struct ady_nsm *nsm;
	unsigned rsa_bits, rsa_max_age_s;
	unsigned attestation_max_age_s; /* 0: a new document for every call */
	const uint8_t *config_hash; /* 48 bytes; the documents' user data, so that it is attested */
};

/* Make the first key and document. Returns ADY_E_NSM, ADY_E_CRYPTO or ADY_E_MEMORY. Takes as long
 * as ady_rsa_new. */
enum ady_err ady_recipient_open(struct ady_recipient **r, const struct ady_recipient_config *config,
                                struct ady_fault *f);

/* Free; every key must have been given back. NULL is allowed. */
void ady_recipient_close(struct ady_recipient *r);

/* Borrow the current key and append its document to out (room: ADY_NSM_ANSWER_MAX).
 * Out:     *key, to be given back; NULL on error.
 * Returns: ADY_E_NSM when a document is due and the NSM gives none. */
enum ady_err ady_recipient_get(struct ady_recipient *r, struct ady_recipient_key **key,
                               struct ady_buf *out, struct ady_fault *f);

/* Give a key back. NULL is allowed. */
void ady_recipient_put(struct ady_recipient_key *key);

/* The private key of key, for as long as key is borrowed. */
const struct ady_rsa *ady_recipient_rsa(const struct ady_recipient_key *key);

/* A document of its own for a client: its nonce (0..512 bytes), the current public key, the
 * configuration's hash. Appended to out. Returns ADY_E_NSM. */
enum ady_err ady_recipient_attest(struct ady_recipient *r, struct ady_bytes nonce,
                                  struct ady_buf *out, struct ady_fault *f);

/* The same with another public key of this enclave in it (1..1024 bytes). Returns ADY_E_NSM. */
enum ady_err ady_recipient_attest_key(struct ady_recipient *r, struct ady_bytes public_key,
                                      struct ady_bytes nonce, struct ady_buf *out,
                                      struct ady_fault *f);

/* Renew what has come of age: the key at rsa_max_age_s, the document at three quarters of its
 * age. For the background thread; everything else goes on meanwhile.
 * Returns ADY_E_NSM, ADY_E_CRYPTO or ADY_E_MEMORY; the old key stays in use then. */
enum ady_err ady_recipient_renew(struct ady_recipient *r, struct ady_fault *f);

#endif
