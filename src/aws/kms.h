/* SPDX-License-Identifier: Apache-2.0
 *
 * KMS messages of the enclave: the body of Decrypt with a Recipient, and its replies. No I/O. */
#ifndef ADY_AWS_KMS_H
#define ADY_AWS_KMS_H

#include "base/bytes.h"
#include "signer/record.h"

struct ady_kms_decrypt {
	struct ady_bytes ciphertext;
	const char *key_arn;
	const struct ady_context_pair *context;
	size_t context_n;
	struct ady_bytes document; /* attestation document; empty: no Recipient */
};

/* Write the JSON body of a Decrypt request (AWS KMS API reference, Decrypt). */
void ady_kms_put_decrypt(struct ady_buf *b, const struct ady_kms_decrypt *request);

/* Read a Decrypt reply: KeyId must be key_arn exactly, EncryptionAlgorithm SYMMETRIC_DEFAULT when
 * given, CiphertextForRecipient there and Plaintext not. Unknown members are ignored.
 * Out:     cms[cap], *n: the decoded CiphertextForRecipient.
 * Returns: ADY_E_KMS_REPLY with the reason in f. */
enum ady_err ady_kms_read_decrypt(uint8_t *cms, size_t cap, size_t *n, struct ady_bytes body,
                                  const char *key_arn, struct ady_fault *f);

/* Read an error reply: f->cause becomes the error's name without namespace
 * ("AccessDeniedException";
 * "" when there is none), f->err ADY_E_KMS, ADY_E_CREDENTIALS (expired or unknown credentials) or
 * ADY_E_KMS_UNAVAILABLE (to be retried: throttling and the 5xx). Returns f->err. */
enum ady_err ady_kms_read_error(struct ady_fault *f, int status, struct ady_bytes body);

#endif
