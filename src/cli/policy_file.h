/* SPDX-License-Identifier: Apache-2.0
 *
 * Policies of keys (doc/policy.md), from files. (cli/policy.h is about KMS key policies.) */
#ifndef ADY_CLI_POLICY_FILE_H
#define ADY_CLI_POLICY_FILE_H

#include "base/bytes.h"

/* Read the policy in a file ("-": standard input) and check that the enclave can read it.
 * Out:     text, without white space between its tokens; freed by the caller.
 * Returns: ADY_E_IO, ADY_E_JSON, ADY_E_RECORD and others, with the path in the policy in f. */
enum ady_err ady_policy_load(struct ady_dyn *text, const char *path, struct ady_fault *f);

#endif
