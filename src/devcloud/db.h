/* SPDX-License-Identifier: Apache-2.0
 *
 * The one SQLite file of devcloud: schema, prepared statements, transactions. Thread rule: the
 * loop's thread only. */
#ifndef ADY_DEVCLOUD_DB_H
#define ADY_DEVCLOUD_DB_H

#include <sqlite3.h>

#include "base/bytes.h"

struct ady_dev_db;

/* Open or create path (mode 0600, WAL) and bring its schema to this version. Returns ADY_E_STORE
 * with the reason in f, also for a file of a later version. */
enum ady_err ady_dev_db_open(struct ady_dev_db **db, const char *path, struct ady_fault *f);

/* Finish. NULL is allowed. */
void ady_dev_db_close(struct ady_dev_db *db);

/* A statement for sql, ready to step, with its parameters bound by types: 's' const char * (NULL
 * becomes SQL NULL), 'i' int64_t, 'b' struct ady_bytes. sql must be a string constant: statements
 * are kept by its address. Texts must live until the last step. NULL when SQLite fails. */
sqlite3_stmt *ady_dev_db_query(struct ady_dev_db *db, const char *sql, const char *types, ...);

/* Step to the next row; false at the end, where the statement is reset for its next use. */
bool ady_dev_db_row(sqlite3_stmt *stmt);

/* End a statement before its last row. */
void ady_dev_db_done(sqlite3_stmt *stmt);

/* Run a statement that gives no rows; parameters as ady_dev_db_query. Returns ADY_E_STORE. */
enum ady_err ady_dev_db_run(struct ady_dev_db *db, const char *sql, const char *types, ...);

/* Column i as a text, "" for NULL; valid until the next step. */
const char *ady_dev_db_text(sqlite3_stmt *stmt, int i);

/* Column i as bytes; valid until the next step. */
struct ady_bytes ady_dev_db_blob(sqlite3_stmt *stmt, int i);

#endif
