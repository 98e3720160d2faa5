/* SPDX-License-Identifier: Apache-2.0
 *
 * The AWS credentials that the parent hands in. They prove nothing to the enclave: they only let
 * its calls reach KMS, which decides by the attestation document. Thread rule: any thread. */
#ifndef ADY_ENCLAVE_CREDENTIALS_H
#define ADY_ENCLAVE_CREDENTIALS_H

#include "aws/sigv4.h"
#include "codec/wire.h"

struct ady_credentials;

/* An empty store. Returns ADY_E_MEMORY. */
enum ady_err ady_credentials_open(struct ady_credentials **c);

/* Wipe and free. NULL is allowed. */
void ady_credentials_close(struct ady_credentials *c);

/* Replace them by those of a message that ady_wire_read_credentials has accepted.
 * Out:     *changed, whether they are others than before.
 * Returns: ADY_E_FIELD_RANGE when one does not fit; the old ones stay then. */
enum ady_err ady_credentials_set(struct ady_credentials *c, const struct ady_wire_credentials *m,
                                 bool *changed, struct ady_fault *f);

/* Copy them out; the caller wipes the copy (ady_aws_credentials_wipe).
 * Returns ADY_E_CREDENTIALS when there are none or they have expired; *out is all zero then. */
enum ady_err ady_credentials_get(struct ady_credentials *c, struct ady_aws_credentials *out,
                                 struct ady_fault *f);

/* Whether there are any that have not expired. */
bool ady_credentials_valid(struct ady_credentials *c);

#endif
