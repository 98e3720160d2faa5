/* SPDX-License-Identifier: Apache-2.0
 *
 * The enclave as the first process of its machine: /init of the image's ramdisk, and all of its
 * userspace. It sets the console up, asks the kernel what must be known, reads /enclave.json, and
 * then splits: a child serves, with every right given up; the first process waits for its end, says
 * the reason on the console and resets the machine. It never holds a key, so that the end of the
 * one that does, whatever its cause, is an end of the machine within moments. */
#ifndef ADY_ENCLAVE_INIT_H
#define ADY_ENCLAVE_INIT_H

#include <stdbool.h>

/* Whether this process is the first of a machine, started by the kernel as /init. */
bool ady_init_is(const char *argv0);

/* Boot, serve, and reset the machine. The last line on the console is
 *     adyton-enclave: stop NUMBER REASON
 * with a number of enum ady_enclave_exit. */
void ady_init_run(void) __attribute__((noreturn));

#endif
