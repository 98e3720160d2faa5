/* SPDX-License-Identifier: Apache-2.0
 *
 * Connections to a file of records: schema, prepared statements, transactions. Internal to the
 * store (sqlite.c says what is asked, sqlite_db.c how). */
#ifndef ADY_STORE_SQLITE_DB_H
#define ADY_STORE_SQLITE_DB_H

#include <pthread.h>
#include <sqlite3.h>

#include "store/records.h"

/* The columns of every SELECT, in this order; a list without texts leaves the last out. */
enum {
	ADY_COL_ID,
	ADY_COL_TENANT,
	ADY_COL_CURVE,
	ADY_COL_PUBLIC_KEY,
	ADY_COL_ADDRESS,
	ADY_COL_LABEL,
	ADY_COL_DISABLED,
	ADY_COL_REVISION,
	ADY_COL_CREATED,
	ADY_COL_DELETION,
	ADY_COL_TEXT,
};
#define ADY_RECORD_COLUMNS \
	"id, tenant, curve, public_key, address, label, disabled, revision, created, deletion"

/* Statements, and behind them the lists by the filters they have. */
enum ady_sqlite_statement {
	ADY_SQL_BEGIN,
	ADY_SQL_COMMIT,
	ADY_SQL_ROLLBACK,
	ADY_SQL_GET,
	ADY_SQL_INSERT,
	ADY_SQL_UPSERT,
	ADY_SQL_REMOVE_DUE,
	ADY_SQL_PURGE,
	ADY_SQL_CHANGE,
	ADY_SQL_REPLACE,
	ADY_SQL_DATA_KEY,
	ADY_SQL_SET_DATA_KEY,
	ADY_SQL_PROBE,
	ADY_SQL_RETEXT,
	ADY_SQL_NOTE,
	ADY_SQL_SET_NOTE,
	ADY_SQL_NOTES,
	ADY_SQL_LISTS,
};

/* Filters of a list, a bit each. */
enum {
	ADY_LIST_TENANT = 1,
	ADY_LIST_LABEL = 2,
	ADY_LIST_CURVE = 4,
	ADY_LIST_DISABLED = 8,
	ADY_LIST_ADDRESS = 16,
	ADY_LIST_PUBLIC_KEY = 32,
	ADY_LIST_TEXTS = 64,
	ADY_LISTS = 128,
};

struct ady_sqlite_conn {
	sqlite3 *sql;
	sqlite3_stmt *kept[ADY_SQL_LISTS + ADY_LISTS]; /* lists: prepared at their first use */
};

/* Connect to path (NULL: a database in memory of its own), bring the schema to this version, and
 * prepare all statements but the lists: a file with other tables is refused.
 * Returns ADY_E_STORE with the reason in f; end conn with ady_sqlite_disconnect in any case. */
enum ady_err ady_sqlite_connect(struct ady_sqlite_conn *conn, const char *path,
                                struct ady_fault *f);

/* Close. */
void ady_sqlite_disconnect(struct ady_sqlite_conn *conn);

/* Statement which (ADY_SQL_LISTS + filters for lists), with its parameters ?1, ?2, ... bound by
 * types: 's' const char *, 'i' int64_t, 'b' struct ady_bytes (without bytes: NULL), 't' struct
 * ady_bytes that is a text. They must stay until the last step. NULL when SQLite fails. */
sqlite3_stmt *ady_sqlite_query(struct ady_sqlite_conn *conn, unsigned which, const char *types,
                               ...);

/* Step a statement that gives no rows, and reset it. Returns ADY_E_EXISTS for a key that is there
 * already, else ADY_E_STORE, with the reason in f. */
enum ady_err ady_sqlite_run(struct ady_sqlite_conn *conn, sqlite3_stmt *stmt, struct ady_fault *f);

/* Step to the next row: ADY_OK, or ADY_E_NOT_FOUND at the end, or ADY_E_STORE; other than on ADY_OK
 * the statement is reset. */
enum ady_err ady_sqlite_row(struct ady_sqlite_conn *conn, sqlite3_stmt *stmt, struct ady_fault *f);

/* Fill the entry (zero or cleared before) from a row. */
void ady_sqlite_entry(struct ady_entry *e, sqlite3_stmt *stmt, bool text);

/* Begin a transaction that writes; waits up to 5 s for others. Returns ADY_E_STORE. */
enum ady_err ady_sqlite_begin(struct ady_sqlite_conn *conn, struct ady_fault *f);

/* Commit when err is ADY_OK, else roll back; returns err, or why the commit failed. */
enum ady_err ady_sqlite_end(struct ady_sqlite_conn *conn, enum ady_err err, struct ady_fault *f);

#endif
