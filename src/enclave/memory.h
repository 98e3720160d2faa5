/* SPDX-License-Identifier: Apache-2.0
 *
 * How the memory of the machine is divided, once, at the start: so that whatever is asked of the
 * enclave, its kernel never has to end it. What a request needs is there before any request is: the
 * jobs (enclave/jobs.h), the buffers of connections (net/channel.h) and what the process has for
 * itself. What can be asked for in any amount has a bounded part: keystores (enclave/keystores.h)
 * and rows of counters (enclave/ledger.h). Each part is shared by the rule of base/budget.h or by
 * turns, and nothing moves between parts. Thread rule: the start's. */
#ifndef ADY_ENCLAVE_MEMORY_H
#define ADY_ENCLAVE_MEMORY_H

#include "enclave/config.h"

#include <stddef.h>

enum {
	/* The buffers of all connections: four large frames on their way in, and as much as one
	 * beside them. */
	ADY_MEMORY_FRAMES = 40 * 1024 * 1024,
	/* The least that must be left to divide: for 27 requests. */
	ADY_MEMORY_LEAST = 64 * 1024 * 1024,
};

/* Bytes. */
struct ady_memory {
	uint64_t total; /* what is divided: of the configuration, or what was free at first */
	uint64_t own;   /* of the process: program, threads, connections to KMS, tables */
	uint64_t frames;
	uint64_t jobs, keystores, counters;
	size_t jobs_n; /* requests that may be in work or wait */
	size_t depth;  /* those of them that may wait for KMS */
	bool less;     /* some part is smaller than the configuration would have it */
};

/* Bytes that this machine could still give; in a machine of its own that is what the kernel left.
 * To be asked before anything of our own was made. */
uint64_t ady_memory_free(void);

/* Divide. there: of ady_memory_free; lanes: threads that sign.
 * Returns: ADY_E_MEMORY, with the least that would do, when requests would have no room. */
enum ady_err ady_memory_divide(struct ady_memory *m, const struct ady_enclave_config *c,
                               uint64_t there, size_t lanes, struct ady_fault *f);

#endif
