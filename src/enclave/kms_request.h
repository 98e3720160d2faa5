/* SPDX-License-Identifier: Apache-2.0
 *
 * The HTTP request of a call to KMS: head, SigV4, body. No I/O. */
#ifndef ADY_ENCLAVE_KMS_REQUEST_H
#define ADY_ENCLAVE_KMS_REQUEST_H

#include "aws/sigv4.h"
#include "enclave/config.h"

/* Write the request for the body of an operation ("Decrypt"), signed now with credentials (KMS API
 * reference: JSON 1.1 protocol). Every field that says anything is signed. Returns ADY_E_TOO_LARGE
 * when it does not fit out. */
enum ady_err ady_kms_request_put(struct ady_buf *out, const struct ady_enclave_config *config,
                                 const struct ady_aws_credentials *credentials,
                                 const char *operation, struct ady_bytes body);

#endif
