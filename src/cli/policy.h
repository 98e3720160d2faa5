/* SPDX-License-Identifier: Apache-2.0
 *
 * The key policy of a wallet's KMS key: only the measured enclave decrypts, whoever administers the
 * key cannot, and neither can another statement or an IAM policy that is added later. Data keys are
 * made and opened there only, and nobody can encrypt a known one into their form. */
#ifndef ADY_CLI_POLICY_H
#define ADY_CLI_POLICY_H

#include <jansson.h>

#include "aws/measure.h"

struct ady_policy {
	const char *account;               /* 12 digits */
	const char *role_arn;              /* of the instance; may decrypt, attested */
	const struct ady_measurement *pcr; /* NULL: nobody decrypts yet */
};

/* The policy as a new JSON object, or NULL when memory is exhausted. */
json_t *ady_policy_json(const struct ady_policy *policy);

#endif
