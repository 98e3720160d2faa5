/* SPDX-License-Identifier: Apache-2.0
 *
 * One child process: its own process group (a Ctrl-C reaches only us), killed by the kernel when we
 * die, errors into a log file. Thread rule: the thread that started it must live as long as it. */
#ifndef ADY_CLI_CHILD_H
#define ADY_CLI_CHILD_H

#include <limits.h>
#include <sys/types.h>

#include "base/bytes.h"

enum { ADY_CHILD_ARGS = 96 };

struct ady_child {
	const char *name; /* "enclave" */
	char *argv[ADY_CHILD_ARGS + 1];
	size_t argc;
	char log[PATH_MAX];
	pid_t pid;                      /* 0: does not run */
	int out;                        /* what it prints, or -1 */
	off_t log_at;                   /* where its log began at the last start */
	int64_t started_ms, restart_ms; /* restart_ms: when to start it again, 0: not waiting */
	int backoff_ms;
};

/* Begin with a program and no arguments. */
void ady_child_init(struct ady_child *c, const char *name, const char *program, const char *log);

/* Append an argument (copied). Returns ADY_E_TOO_LARGE. */
enum ady_err ady_child_arg(struct ady_child *c, const char *arg);

/* Start it. want_out: its standard output is read by ady_child_line, else it goes to the log.
 * Returns ADY_E_IO with the reason in f. */
enum ady_err ady_child_start(struct ady_child *c, bool want_out, struct ady_fault *f);

/* Read one line of its standard output within timeout_ms, and drop the rest.
 * Returns ADY_E_DEADLINE, or ADY_E_IO when it ended first. */
enum ady_err ady_child_line(struct ady_child *c, struct ady_dyn *line, int timeout_ms);

/* Append all of its standard output, until it closes it, at most a mebibyte and for timeout_ms.
 * Returns ADY_E_DEADLINE or ADY_E_IO. */
enum ady_err ady_child_output(struct ady_child *c, struct ady_dyn *out, int timeout_ms);

/* Whether it does not run, without waiting. */
bool ady_child_ended(struct ady_child *c);

/* Ask it to end, wait at most ms, then kill it. *hurry: true kills at once. */
void ady_child_stop(struct ady_child *c, int ms, bool hurry);

/* Append the end of its log, at most n bytes and only of the last start, to show why it ended. */
void ady_child_last_words(const struct ady_child *c, struct ady_dyn *out, size_t n);

/* Free the arguments; it does not run any more. */
void ady_child_clear(struct ady_child *c);

/* How long to wait before something that lived for lived_ms is started again: 200 ms at first,
 * doubled each time up to 5 s; a life of 30 s begins anew. *backoff_ms: 0 at the beginning. */
int ady_backoff_ms(int *backoff_ms, int64_t lived_ms);

#endif
