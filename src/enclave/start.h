/* SPDX-License-Identifier: Apache-2.0
 *
 * From a configuration to a serving enclave, in the order that matters: open what must be open,
 * isolate, drop rights, check the measurement, make the keys, start the threads, filter system
 * calls, and only then accept. Separate from argv, so that an init can call it. */
#ifndef ADY_ENCLAVE_START_H
#define ADY_ENCLAVE_START_H

#include "enclave/config.h"
#include "enclave/exit.h"

struct ady_enclave_start {
	const struct ady_enclave_config *config; /* must stay */
	int config_fd;       /* the file it was read from, for the development NSM; taken over */
	bool machine;        /* all of a machine's userspace is this process and its parent */
	uint32_t parent_cid; /* of a machine: who waits for the heartbeat */
};

/* Start and serve, after ady_harden_process. Returns the exit status: a refusal, after one line in
 * the log, or 0 after SIGTERM or SIGINT. */
enum ady_enclave_exit ady_enclave_run(const struct ady_enclave_start *start);

#endif
