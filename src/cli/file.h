/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole files in and out. */
#ifndef ADY_CLI_FILE_H
#define ADY_CLI_FILE_H

#include "base/bytes.h"

/* Append the content of path to out ("-": standard input), at most max bytes.
 * Returns ADY_E_IO or ADY_E_TOO_LARGE with the reason in f; what was read stays in out. */
enum ady_err ady_file_read(struct ady_dyn *out, const char *path, size_t max, struct ady_fault *f);

/* Append a line that is asked for at a terminal by prompt and not shown while it is typed; without
 * a terminal all of standard input. Errors as ady_file_read. */
enum ady_err ady_file_read_hidden(struct ady_dyn *out, const char *prompt, size_t max,
                                  struct ady_fault *f);

/* Turn what is typed at the terminal of standard input visible, or not. */
void ady_file_echo(bool on);

/* Replace path by content in one step, with mode. Returns ADY_E_IO with the reason in f. */
enum ady_err ady_file_write(const char *path, unsigned mode, struct ady_bytes content,
                            struct ady_fault *f);

/* Overwrite what was read and free it. */
void ady_file_wipe(struct ady_dyn *content);

#endif
