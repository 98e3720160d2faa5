/* SPDX-License-Identifier: Apache-2.0
 *
 * The transaction of `adyton sign`: from flags or from a file. */
#ifndef ADY_CLI_SIGN_H
#define ADY_CLI_SIGN_H

#include "base/bytes.h"

/* As given on the command line, or NULL. */
struct ady_sign_flags {
	const char *type, *chain, *nonce, *to, *value, *gas, *gas_price, *max_fee,
	    *max_priority_fee, *data, *from;
};

/* Append the JSON object of a transaction given by flags; amounts become wei. What the fields mean
 * is the enclave's to check.
 * Returns ADY_E_FIELD_INVALID with the flag and the reason in f. */
enum ady_err ady_sign_flags_put(struct ady_dyn *out, const struct ady_sign_flags *flags,
                                struct ady_fault *f);

/* Append the text of the JSON object in a file ("-": standard input), byte for byte.
 * Returns ADY_E_IO, ADY_E_TOO_LARGE or ADY_E_JSON with the reason in f. */
enum ady_err ady_sign_file_put(struct ady_dyn *out, const char *path, struct ady_fault *f);

#endif
