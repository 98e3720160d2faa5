/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole files in and out. */
#ifndef ADY_CLI_FILE_H
#define ADY_CLI_FILE_H

#include "base/bytes.h"

/* Append the content of path to out ("-": standard input), at most max bytes.
 * Returns ADY_E_IO or ADY_E_TOO_LARGE with the reason in f; what was read stays in out. */
enum ady_err ady_file_read(struct ady_dyn *out, const char *path, size_t max, struct ady_fault *f);

/* Replace path by content in one step, with mode. Returns ADY_E_IO with the reason in f. */
enum ady_err ady_file_write(const char *path, unsigned mode, struct ady_bytes content,
                            struct ady_fault *f);

/* Overwrite what was read and free it. */
void ady_file_wipe(struct ady_dyn *content);

#endif
