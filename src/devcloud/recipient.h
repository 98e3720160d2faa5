/* SPDX-License-Identifier: Apache-2.0
 *
 * The Recipient of a KMS request: its attestation document verified in full, its PCRs as condition
 * keys, and the CMS for its public key. */
#ifndef ADY_DEVCLOUD_RECIPIENT_H
#define ADY_DEVCLOUD_RECIPIENT_H

#include "devcloud/authorize.h"

struct ady_dev_document;

/* Trust the certificate in root_file (PEM) as root of all documents. Returns ADY_E_CONFIG with the
 * reason in f. */
enum ady_err ady_dev_documents_open(struct ady_dev_cloud *cloud, const char *root_file,
                                    struct ady_fault *f);

/* Free cloud->documents. */
void ady_dev_documents_close(struct ady_dev_cloud *cloud);

/* Read member Recipient of the call and verify its document; *doc is NULL when there is none. A
 * document that was verified less than five minutes ago, and whose leaf certificate is still valid,
 * is not verified again. With cloud->accept_unsigned one that is not signed is read without proof,
 * and each use is warned about. Adds kms:RecipientAttestation:ImageSha384 and :PCR<n> to facts.
 * Returns ADY_E_DENIED with ValidationException in the call. *doc lives as long as the call. */
enum ady_err ady_dev_recipient(struct ady_dev_call *c, const struct ady_dev_document **doc,
                               struct ady_dev_facts *facts);

/* The CMS EnvelopedData of pt for doc's public key, as KMS writes it. Out: a view into the call's
 * scratch. Returns ADY_E_CRYPTO. */
enum ady_err ady_dev_recipient_seal(struct ady_dev_call *c, struct ady_bytes *cms,
                                    const struct ady_dev_document *doc, struct ady_bytes pt);

#endif
