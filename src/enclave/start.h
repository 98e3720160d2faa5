/* SPDX-License-Identifier: Apache-2.0
 *
 * From a configuration to a serving enclave, in the order that matters: open what must be open,
 * isolate, drop rights, check the measurement, make the keys, start the threads, filter system
 * calls, and only then accept. Separate from argv, so that an init can call it. */
#ifndef ADY_ENCLAVE_START_H
#define ADY_ENCLAVE_START_H

#include "enclave/config.h"

/* Exit statuses, one for each kind of refusal to start. */
enum ady_enclave_exit {
	ADY_EXIT_OK = 0,
	ADY_EXIT_USAGE = 2,
	ADY_EXIT_CONFIG = 3,      /* the configuration cannot be read or is refused */
	ADY_EXIT_HARDEN = 4,      /* a protection could not be put in place */
	ADY_EXIT_NSM = 5,         /* there is no NSM, or it does not answer */
	ADY_EXIT_MEASUREMENT = 6, /* the NSM's measurement is not acceptable */
	ADY_EXIT_LISTEN = 7,      /* the endpoint cannot be listened on */
	ADY_EXIT_RESOURCES = 8,   /* memory, threads or keys could not be made */
};

/* Check what ady_enclave_config_read does not: that the roots are certificates of a CA.
 * Returns ADY_E_CONFIG with the reason in f. */
enum ady_err ady_enclave_check(const struct ady_enclave_config *config, struct ady_fault *f);

/* Start and serve, after ady_harden_process. config must stay; config_fd: the file it was read
 * from, for the development NSM to measure. Returns the exit status: a refusal, after one line in
 * the log, or 0 after SIGTERM or SIGINT. */
enum ady_enclave_exit ady_enclave_run(const struct ady_enclave_config *config, int config_fd);

#endif
