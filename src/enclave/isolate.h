/* SPDX-License-Identifier: Apache-2.0
 *
 * For an enclave that runs as an ordinary process: namespaces of its own (user, when it is not
 * root; mount, network, IPC, host name) and a root directory that is empty but for the directory
 * of the relay's socket. A help to development machines, not a boundary that the design rests on:
 * what the kernel does not allow is left out and said. Thread rule: before the first thread. */
#ifndef ADY_ENCLAVE_ISOLATE_H
#define ADY_ENCLAVE_ISOLATE_H

#include <stdbool.h>

struct ady_isolation {
	bool namespaces, root; /* what was reached */
	char why_not[96];      /* the first thing that was refused, or "" */
};

/* Isolate the process. keep_dir: the absolute path of the one directory that stays reachable, or
 * NULL. network: also leave the network namespace (not with vsock, which belongs to one). */
void ady_isolate(struct ady_isolation *done, const char *keep_dir, bool network);

#endif
