/* SPDX-License-Identifier: Apache-2.0
 *
 * Records in a file of SQLite, in WAL mode with full synchronisation: several processes of one
 * machine may use the file at once. Each worker has a connection of its own. */
#ifndef ADY_STORE_SQLITE_H
#define ADY_STORE_SQLITE_H

#include "store/records.h"

/* Open or create path (mode 0600) for workers 0..workers-1 and bring its schema to this version.
 * path NULL: in memory, one connection that the workers share under a lock.
 * Returns ADY_E_STORE with the reason in f, also for a file of a later version. */
enum ady_err ady_sqlite_open(struct ady_records **r, const char *path, size_t workers,
                             struct ady_fault *f);

/* Insert e or replace what is there under its id, all of it, revision included: for copies. */
enum ady_err ady_sqlite_upsert(struct ady_records *r, size_t worker, const struct ady_entry *e,
                               struct ady_fault *f);

#endif
