/* SPDX-License-Identifier: Apache-2.0
 *
 * Connections to PostgreSQL: schema, prepared statements, reconnecting. Internal to the store
 * (postgres.c says what is asked, postgres_db.c how). */
#ifndef ADY_STORE_POSTGRES_DB_H
#define ADY_STORE_POSTGRES_DB_H

#include <libpq-fe.h>

#include "store/records.h"

enum { ADY_PG_PARAMETERS = 12 };

enum ady_pg_statement {
	ADY_PG_GET,
	ADY_PG_GET_MANY,   /* by an array of ids */
	ADY_PG_GET_LOCKED, /* until the transaction ends */
	ADY_PG_INSERT,
	ADY_PG_PURGE,
	ADY_PG_CHANGE,
	ADY_PG_REPLACE,
	ADY_PG_DATA_KEY,
	ADY_PG_SET_DATA_KEY,
	ADY_PG_RETEXT,
	ADY_PG_NOTE,
	ADY_PG_SET_NOTE,
	ADY_PG_NOTES,
	ADY_PG_LISTS, /* and behind it the lists by the filters they have */
};

/* Filters of a list, a bit each. */
enum {
	ADY_PG_TENANT = 1,
	ADY_PG_LABEL = 2,
	ADY_PG_CURVE = 4,
	ADY_PG_DISABLED = 8,
	ADY_PG_ADDRESS = 16,
	ADY_PG_PUBLIC_KEY = 32,
	ADY_PG_TEXTS = 64,
	ADY_PG_FILTERS = 128,
};

struct ady_pg_conn {
	const char *conninfo;
	PGconn *pg;    /* NULL: not connected */
	unsigned made; /* how often it was connected */
	bool prepared[ADY_PG_LISTS + ADY_PG_FILTERS];
	int64_t tried_ms; /* when connecting failed last */
	char why[160];    /* and why */
};

/* The parameters of a statement, gathered one by one; texts and bytes must stay. */
struct ady_pg_values {
	const char *value[ADY_PG_PARAMETERS];
	int length[ADY_PG_PARAMETERS], format[ADY_PG_PARAMETERS], n;
	char numbers[ADY_PG_PARAMETERS][24];
};

/* Add a text, a number, bytes (none: NULL). */
void ady_pg_text(struct ady_pg_values *v, const char *s);

/* See ady_pg_text. */
void ady_pg_number(struct ady_pg_values *v, int64_t n);

/* See ady_pg_text. */
void ady_pg_bytes(struct ady_pg_values *v, struct ady_bytes b);

/* Make sure that there is a connection with the schema of this version. Returns ADY_E_STORE. */
enum ady_err ady_pg_connect(struct ady_pg_conn *c, struct ady_fault *f);

/* End the connection. */
void ady_pg_disconnect(struct ady_pg_conn *c);

/* End a connection that turned out to be broken: returns ADY_E_STORE with libpq's reason. */
enum ady_err ady_pg_lost(struct ady_pg_conn *c, struct ady_fault *f);

/* Whether a call failed for the connection: it was ended, and the next call makes another. */
bool ady_pg_is_broken(const struct ady_pg_conn *c);

/* Run a statement; results in binary. Out: *result, to be cleared, on ADY_OK.
 * Returns ADY_E_EXISTS for a key that is there already, else ADY_E_STORE. */
enum ady_err ady_pg_run(struct ady_pg_conn *c, unsigned which, const struct ady_pg_values *v,
                        PGresult **result, struct ady_fault *f);

/* The same when the result is of no interest. */
enum ady_err ady_pg_do(struct ady_pg_conn *c, unsigned which, const struct ady_pg_values *v,
                       struct ady_fault *f);

/* Run SQL without parameters: "BEGIN". */
enum ady_err ady_pg_exec(struct ady_pg_conn *c, const char *sql, struct ady_fault *f);

/* Fill the entry (zero or cleared before) from a row of a result with the record's columns. */
void ady_pg_entry(struct ady_entry *e, const PGresult *r, int row, bool text);

#endif
