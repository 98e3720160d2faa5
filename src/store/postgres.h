/* SPDX-License-Identifier: Apache-2.0
 *
 * Records in PostgreSQL (9.5 or later): several gateways on one database. The schema is made and
 * migrated by the program, one at a time under an advisory lock. Each worker has a connection, made
 * when it is needed and again when it has broken: a restart or failover of the server costs the
 * calls of that moment, some of which are tried again, and nothing that was acknowledged. */
#ifndef ADY_STORE_POSTGRES_H
#define ADY_STORE_POSTGRES_H

#include "store/records.h"

/* Connect by conninfo (libpq's keywords or URI; it must outlive the store) and bring the schema to
 * this version.
 * Returns ADY_E_STORE with the reason in f, also for a schema of a later version. */
enum ady_err ady_postgres_open(struct ady_records **r, const char *conninfo, size_t workers,
                               struct ady_fault *f);

#endif
