/* SPDX-License-Identifier: Apache-2.0
 *
 * The enclave's import key, which keys on their way in are sealed to. */
#ifndef ADY_CLI_IMPORT_KEY_H
#define ADY_CLI_IMPORT_KEY_H

#include "cli/attest.h"
#include "cli/gateway.h"
#include "crypto/hpke.h"

/* What to try when the document is not trusted. */
#define ADY_KEY_IMPORT_ROOT                                                                    \
	"The root of a local stack is --root \"$ADYTON_NSM_ROOT\"; adyton dev measure prints " \
	"PCR0."

/* Fetch a document of the import key with a nonce of our own, and verify it: root_file (PEM; NULL:
 * AWS's) and what is wanted of its registers. Out: public, the import key.
 * Returns: ADY_E_ATTESTATION; ADY_E_IO; ADY_E_STORE without an answer; what the gateway refused. */
enum ady_err ady_import_key_fetch(uint8_t public[static ADY_HPKE_KEY],
                                  const struct ady_gateway *gateway, const char *root_file,
                                  const struct ady_attest_expected *wanted, struct ady_fault *f);

#endif
