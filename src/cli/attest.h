/* SPDX-License-Identifier: Apache-2.0
 *
 * Attestation documents on the command line: reading them, comparing them with what is expected,
 * showing them. Verification itself is aws/attestation.h. */
#ifndef ADY_CLI_ATTEST_H
#define ADY_CLI_ATTEST_H

#include <jansson.h>

#include "aws/attestation.h"
#include "cli/options.h"

enum { ADY_ATTEST_PCRS = 9 };

/* What the caller expects: a nonce (hex) or NULL; for each PCR the values allowed (hex), none: any.
 */
struct ady_attest_expected {
	const char *nonce;
	struct ady_values pcrs[ADY_ATTEST_PCRS];
};

/* Turn the content of a file into a document in place: base64 text (white space ignored) is
 * decoded, anything else stays. Returns ADY_E_ATTESTATION with the reason in f. */
enum ady_err ady_attest_decode(struct ady_dyn *content, struct ady_fault *f);

/* Compare a verified document. Returns ADY_E_ATTESTATION, or ADY_E_FIELD_INVALID for what the
 * caller gave, with field and reason in f. */
enum ady_err ady_attest_check(const struct ady_attestation *att,
                              const struct ady_attest_expected *expected, struct ady_fault *f);

/* Append a table for people. */
void ady_attest_describe(struct ady_dyn *out, const struct ady_attestation *att);

/* The same as a new JSON object; absent fields are null, bytes are hex. */
json_t *ady_attest_json(const struct ady_attestation *att);

#endif
