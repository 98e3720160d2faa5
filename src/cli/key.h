/* SPDX-License-Identifier: Apache-2.0
 *
 * Import of private keys: what is a key id, and what is a key in a file. */
#ifndef ADY_CLI_KEY_H
#define ADY_CLI_KEY_H

#include "cli/options.h"
#include "crypto/secp.h"
#include "signer/record.h"

/* Whether id may name a key: 1 to 255 of the characters that Secrets Manager allows in names. */
bool ady_key_id_valid(const char *id);

/* The key in the content of a file: 64 hex digits ("0x" allowed, white space at the end) or 32 raw
 * bytes; what could be either is refused.
 * Returns ADY_E_KEY_FORM or ADY_E_KEY_RANGE with the reason in f, which never holds any of it. */
enum ady_err ady_key_read(struct ady_seckey *key, const struct ady_secp *secp,
                          struct ady_bytes content, struct ady_fault *f);

#define ADY_CALLERS_USAGE \
	"up to 16 different callers: \"gateway\", or keys as adyton stamp keygen prints them"

/* Add the callers of an option that may be given several times to r.
 * Returns ADY_E_RECORD for another form, the same caller twice, or more than 16. */
enum ady_err ady_key_callers(struct ady_record *r, const struct ady_values *values);

/* Add the chain ids of an option that may be given several times, in any order, to r.
 * Returns ADY_E_RECORD for what is no chain id, stands there twice, or is one too many. */
enum ady_err ady_key_chains(struct ady_record *r, const struct ady_values *values);

#endif
