/* SPDX-License-Identifier: Apache-2.0
 *
 * A word on standard error when the program waits for longer than two seconds. Thread rule: one
 * thread, one wait at a time; uses SIGALRM. */
#ifndef ADY_CLI_PROGRESS_H
#define ADY_CLI_PROGRESS_H

/* From now on, after two seconds and then every five, say that what ("an answer of KMS") is waited
 * for. The text must stay until ady_progress_end. */
void ady_progress_begin(const char *what);

/* Stop saying so. */
void ady_progress_end(void);

#endif
