/* SPDX-License-Identifier: Apache-2.0
 *
 * One secret of Secrets Manager, fetched. */
#ifndef ADY_GATEWAY_SECRET_H
#define ADY_GATEWAY_SECRET_H

#include "aws/client.h"
#include "gateway/store.h"

/* Fetch the current version of a secret by name or ARN (GetSecretValue).
 * Out:     *record, a new one on ADY_OK, else NULL.
 * Returns: ADY_E_NOT_FOUND, ADY_E_DENIED (the gateway's role may not read it), ADY_E_RECORD (no
 * value, or none that can be used), ADY_E_CREDENTIALS, ADY_E_STORE; AWS's name in f->cause.
 * Blocks. */
enum ady_err ady_secret_fetch(struct ady_aws *aws, const struct ady_aws_credentials *credentials,
                              const char *secret_id, struct ady_stored **record,
                              struct ady_fault *f);

/* Whether err says that the store itself does not work, not that one secret is missing. */
bool ady_secret_is_outage(enum ady_err err);

#endif
