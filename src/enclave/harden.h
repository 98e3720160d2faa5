/* SPDX-License-Identifier: Apache-2.0
 *
 * What the process gives up before it reads its first outside byte. Thread rule: all before the
 * first thread is made. */
#ifndef ADY_ENCLAVE_HARDEN_H
#define ADY_ENCLAVE_HARDEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* The first thing main does: no core files, no new privileges, no environment, no descriptors but
 * the standard three, no signals from broken pipes, no files read by the C library later on.
 * Returns ADY_E_INTERNAL with the reason in f. */
enum ady_err ady_harden_process(struct ady_fault *f);

/* Lock all memory, present and future, as it is touched, so that nothing of it reaches a swap
 * device. Out: *by_capability, whether that rests on CAP_IPC_LOCK, because the limit could not be
 * lifted: it must then be kept. Returns ADY_E_MEMORY with the reason in f. */
enum ady_err ady_harden_memory(bool *by_capability, struct ady_fault *f);

/* Last, once the process is isolated: drop all capabilities but those of keep (bit c: capability
 * c, 0 to 31) and forbid others to trace it or to read its memory.
 * Returns ADY_E_INTERNAL with the reason in f. */
enum ady_err ady_harden_privileges(uint32_t keep, struct ady_fault *f);

#endif
