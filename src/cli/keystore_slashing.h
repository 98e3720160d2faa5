/* SPDX-License-Identifier: Apache-2.0
 *
 * The histories of validators whose keystores were imported: a key has no slashing protection state
 * after its import, and signs nothing that can be slashed for until it is given one. */
#ifndef ADY_CLI_KEYSTORE_SLASHING_H
#define ADY_CLI_KEYSTORE_SLASHING_H

#include "cli/gateway.h"
#include "cli/keystore_files.h"

struct ady_keystore_history {
	const char *file; /* an interchange of EIP-3076; NULL: none */
	bool fresh;       /* keys that are not in it have never signed anywhere */
	const char *root; /* genesis validators root, "0x" and hex, when there is no file */
};

/* Check the file whole, before anything is imported. Returns the errors of ady_interchange_open,
 * or ADY_E_IO, with the reason in f. NULL is allowed for file. */
enum ady_err ady_keystore_history_check(const struct ady_keystore_history *h, struct ady_fault *f);

/* Give each imported key its state: what the file says of it or, with fresh, an empty one. Keys of
 * the file that were not imported are left out.
 * Out:     given, how many have one; bare, how many validators were left without.
 * Returns: the refusal with its reason in f: nothing was given then, or some; again does no harm.
 */
enum ady_err ady_keystore_history_give(const struct ady_keystore_history *h,
                                       const struct ady_gateway *gateway,
                                       const struct ady_keystore_files *files, size_t *given,
                                       size_t *bare, struct ady_fault *f);

#endif
