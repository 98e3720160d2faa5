/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the files of an audit log (doc/audit.md), line by line. */
#ifndef ADY_CLI_AUDIT_FILES_H
#define ADY_CLI_AUDIT_FILES_H

#include "cli/options.h"

/* Where a line stands. */
struct ady_audit_place {
	const char *file; /* lives as long as the files */
	size_t line;      /* from 1 */
};

struct ady_audit_files {
	char **names; /* heap: folders became their files */
	size_t n;
};

/* The files that paths name; a folder stands for its 00000001.log and so on, in order.
 * Returns ADY_E_IO with the reason in f; files is empty then. */
enum ady_err ady_audit_files_find(struct ady_audit_files *files, const struct ady_values *paths,
                                  struct ady_fault *f);

/* Free. */
void ady_audit_files_free(struct ady_audit_files *files);

/* Call line for every line: its kind ('P', 'L' or 'A') and what its base64url stands for; kind 0:
 * it is malformed; kind '-': the last line of a file has no end. Returns ADY_E_IO with the reason
 * in f. */
enum ady_err ady_audit_files_read(const struct ady_audit_files *files,
                                  void (*line)(void *ctx, const struct ady_audit_place *at,
                                               char kind, struct ady_bytes content),
                                  void *ctx, struct ady_fault *f);

#endif
