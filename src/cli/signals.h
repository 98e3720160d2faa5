/* SPDX-License-Identifier: Apache-2.0
 *
 * Signals of a command that runs until it is stopped, as a descriptor. Thread rule: main thread,
 * once a process; children start with no signal blocked (cli/child.h). */
#ifndef ADY_CLI_SIGNALS_H
#define ADY_CLI_SIGNALS_H

#include <stdbool.h>

#include "base/err.h"

struct ady_signals {
	int fd;
	bool stopping, again; /* again: a second signal, no more waiting */
};

/* Take SIGINT, SIGTERM, SIGHUP and SIGCHLD over. Returns ADY_E_IO. */
enum ady_err ady_signals_open(struct ady_signals *s);

/* Wait at most ms for a signal, or until fd (-1: none) can be read or hangs up, and take what
 * signals are there: the first three set stopping, SIGCHLD just ends the wait. Returns whether fd
 * is ready. */
bool ady_signals_wait(struct ady_signals *s, int fd, int ms);

#endif
