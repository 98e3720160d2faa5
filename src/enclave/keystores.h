/* SPDX-License-Identifier: Apache-2.0
 *
 * Where keystores are opened (signer/keystore.h): threads of their own that give way to the lanes,
 * because one password costs a second of a core and 256 MiB, and a bound on how much memory they
 * take together (enclave/memory.h). Those that wait have their turns by tenant: however many one
 * brings, the next of another comes after one of his. And a tenant has its share of the places to
 * wait (base/budget.h). What waits for memory waits in the order in which it came. Thread rule: any
 * thread, but for what says otherwise. */
#ifndef ADY_ENCLAVE_KEYSTORES_H
#define ADY_ENCLAVE_KEYSTORES_H

#include "base/pool.h"
#include "enclave/import_key.h"
#include "enclave/jobs.h"

struct ady_keystores;

/* Start threads that share memory bytes; keys: how many keys may be on their way from there to a
 * record. With 0 threads or 0 bytes none is started, and *ks refuses all work.
 * Returns ADY_E_MEMORY. */
enum ady_err ady_keystores_open(struct ady_keystores **ks, size_t threads, uint64_t memory,
                                size_t keys);

/* Finish what is queued, end the threads, wipe. NULL is allowed. */
void ady_keystores_close(struct ady_keystores *ks);

/* Queue a job, whose work is done on one of the threads. Returns ADY_E_BUSY, or ADY_E_DENIED when
 * there are none. */
enum ady_err ady_keystores_submit(struct ady_keystores *ks, struct ady_job *job,
                                  struct ady_fault *f);

/* On thread worker of ours: open what lies sealed in job->sign.raw (HPKE's encapsulated key before
 * it) for job->sign.digest, read the keystore and open it.
 * Out:     job->keystore and job->taken, its key, to be given back by ady_keystores_give.
 * Returns: ADY_E_FIELD_INVALID when it was not sealed for this; what ady_keystore_read and
 *          ady_keystore_open return; ADY_E_TOO_LARGE for one that needs more memory than there is
 *          for all of them; ADY_E_DEADLINE. Blocks. */
enum ady_err ady_keystores_derive(struct ady_keystores *ks, size_t worker,
                                  const struct ady_import_key *import_key, struct ady_job *job,
                                  struct ady_fault *f);

/* Wipe a key and give its place back. NULL is allowed. */
void ady_keystores_give(struct ady_keystores *ks, struct ady_seckey *key);

#endif
