/* SPDX-License-Identifier: Apache-2.0
 *
 * The system calls that a serving enclave may make: about forty, some with their arguments. Any
 * other ends the process. No file can be opened, no program run, no thread made, no memory made
 * executable, no socket of another family than AF_UNIX and AF_VSOCK. */
#ifndef ADY_ENCLAVE_SECCOMP_H
#define ADY_ENCLAVE_SECCOMP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Filter all threads of the process from now on. To be called when all threads are there and
 * everything is open. nsm_device: allow the one ioctl of /dev/nsm.
 * Returns ADY_E_INTERNAL with the reason in f. */
enum ady_err ady_seccomp_enter(bool nsm_device, struct ady_fault *f);

/* Filter a process that has nothing left to do but to wait for another, write a line and reset the
 * machine. Returns ADY_E_INTERNAL with the reason in f. */
enum ady_err ady_seccomp_enter_init(struct ady_fault *f);

/* How many system calls are allowed. */
size_t ady_seccomp_count(bool nsm_device);

#endif
