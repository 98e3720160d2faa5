/* SPDX-License-Identifier: Apache-2.0
 *
 * KMS messages of the enclave: the bodies of Decrypt and GenerateDataKey with a Recipient, and
 * their replies. No I/O. */
#ifndef ADY_AWS_KMS_H
#define ADY_AWS_KMS_H

#include "base/bytes.h"
#include "signer/record.h"

struct ady_kms_request {
	struct ady_bytes ciphertext; /* Decrypt only */
	/* NULL: KeyId is left out, KMS finds the key in the ciphertext (Decrypt only) */
	const char *key_arn;
	const struct ady_context_pair *context;
	size_t context_n;
	struct ady_bytes document; /* attestation document; empty: no Recipient */
};

/* Write the JSON body of a Decrypt request (AWS KMS API reference, Decrypt). */
void ady_kms_put_decrypt(struct ady_buf *b, const struct ady_kms_request *request);

/* Write the JSON body of a GenerateDataKey request for 32 bytes (API reference, GenerateDataKey).
 */
void ady_kms_put_generate(struct ady_buf *b, const struct ady_kms_request *request);

/* Read a reply of Decrypt (blob NULL) or GenerateDataKey: KeyId must be one of the n texts of
 * key_arns exactly, EncryptionAlgorithm SYMMETRIC_DEFAULT when given, CiphertextForRecipient there
 * and Plaintext absent or null. Unknown members are ignored: AWS adds some over time. Out:     cms,
 * emptied first: the decoded CiphertextForRecipient; empty on error. blob, emptied first: the
 * decoded CiphertextBlob, which must be there. Returns: ADY_E_KMS_REPLY with the reason in f. */
enum ady_err ady_kms_read_reply(struct ady_buf *cms, struct ady_buf *blob, struct ady_bytes body,
                                const char *const *key_arns, size_t n, struct ady_fault *f);

/* Read an error reply. f->cause becomes the error's name without its namespace
 * ("AccessDeniedException"), at most 47 bytes of [A-Za-z0-9], "" when there is none; f->err
 * ADY_E_KMS, ADY_E_CREDENTIALS (expired or unknown credentials) or ADY_E_KMS_UNAVAILABLE (to be
 * retried: throttling and the 5xx). KMS's message is not kept. Returns f->err. */
enum ady_err ady_kms_read_error(struct ady_fault *f, int status, struct ady_bytes body);

#endif
