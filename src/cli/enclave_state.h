/* SPDX-License-Identifier: Apache-2.0
 *
 * The folder of a running enclave: DIR/enclave-run.json says what it is, DIR/enclave.lock whether
 * it still is, and which process looks after it. */
#ifndef ADY_CLI_ENCLAVE_STATE_H
#define ADY_CLI_ENCLAVE_STATE_H

#include <jansson.h>
#include <limits.h>
#include <sys/types.h>

#include "base/err.h"

/* Where an enclave's folder is when no other is named. */
#define ADY_ENCLAVE_DIR ".adyton-enclave"

/* Make the folder (mode 0700) or open it, write its absolute path to out, and lock it as ours; the
 * lock goes with this process. Returns ADY_E_CONFIG when an enclave runs in it, or ADY_E_IO, with
 * the reason in f. */
enum ady_err ady_enclave_dir_take(char out[static PATH_MAX], const char *dir, struct ady_fault *f);

/* The process that holds the lock of dir, or 0. */
pid_t ady_enclave_dir_owner(const char *dir);

/* Write the state. Returns ADY_E_IO with the reason in f. */
enum ady_err ady_enclave_state_save(const char *dir, const json_t *state, struct ady_fault *f);

/* Read it: *out is a new object, whose member "state" is "stopped" when nobody holds the lock.
 * Returns ADY_E_NOT_FOUND or ADY_E_JSON with the reason in f; *out is NULL then. */
enum ady_err ady_enclave_state_load(json_t **out, const char *dir, struct ady_fault *f);

#endif
