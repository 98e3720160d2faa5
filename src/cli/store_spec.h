/* SPDX-License-Identifier: Apache-2.0
 *
 * Stores of key records as they are named on the command line: "sqlite:PATH", "folder:PATH",
 * "postgres:CONNINFO", "secrets-manager:" or "secrets-manager:PREFIX". */
#ifndef ADY_CLI_STORE_SPEC_H
#define ADY_CLI_STORE_SPEC_H

#include "cli/session.h"
#include "store/records.h"

#define ADY_STORE_SPECS "sqlite:PATH, folder:PATH, postgres:CONNINFO, secrets-manager:[PREFIX]"

struct ady_cli_store {
	struct ady_records *records; /* one worker: 0 */
	struct ady_session session;  /* of Secrets Manager */
};

/* Open the store that spec names. aws: options for Secrets Manager. Close it in any case.
 * Returns: ADY_E_CONFIG for what is no such name, else why it cannot be opened, in f. */
enum ady_err ady_cli_store_open(struct ady_cli_store *s, const char *spec,
                                const struct ady_session_options *aws, struct ady_fault *f);

/* Close. */
void ady_cli_store_close(struct ady_cli_store *s);

#endif
