/* SPDX-License-Identifier: Apache-2.0
 *
 * States in a file of SQLite: WAL mode, full synchronisation, one transaction for all writes that
 * wait (group commit). Several gateways of one machine may use the file at once. */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/states.h"

enum statement { BEGIN, COMMIT, ROLLBACK, GET, INSERT, UPDATE, LIST, STATEMENTS };

enum { BUSY_MS = 5000 };

static const char *const texts[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [GET] = "SELECT state FROM adyton_state WHERE public_key = ?1",
    [INSERT] = "INSERT INTO adyton_state (public_key, version, state) VALUES (?1, ?2, ?3)"
               " ON CONFLICT DO NOTHING",
    [UPDATE] = "UPDATE adyton_state SET version = ?2, state = ?3"
               " WHERE public_key = ?1 AND version = ?2 - 1",
    [LIST] = "SELECT public_key, state FROM adyton_state WHERE length(public_key) = 48"
             " ORDER BY public_key",
};

struct store {
	struct ady_states_store head;
	sqlite3 *sql;
	sqlite3_stmt *kept[STATEMENTS];
};

static enum ady_err fault(struct store *s, struct ady_fault *f)
{
	return ady_fail(f, ADY_E_STORE, NULL, "SQLite, states: %s",
	                s->sql ? sqlite3_errmsg(s->sql) : "out of memory");
}

static void store_close(struct ady_states_store *head)
{
	struct store *s = (struct store *)head;

	for (unsigned k = 0; k < STATEMENTS; k++)
		sqlite3_finalize(s->kept[k]);
	sqlite3_close(s->sql);
	free(s);
}

/* Step once and reset; true when it gave the row or the end that was expected. */
static bool run(struct store *s, enum statement which)
{
	int rc = sqlite3_step(s->kept[which]);

	sqlite3_reset(s->kept[which]);
	return rc == SQLITE_DONE;
}

static void take_row(struct ady_state_row *row, sqlite3_stmt *stmt, int column)
{
	int n = sqlite3_column_bytes(stmt, column);

	row->n = n > 0 && n <= ADY_STATE_MAX ? (size_t)n : 0;
	if (row->n)
		memcpy(row->bytes, sqlite3_column_blob(stmt, column), row->n);
}

static bool get(struct store *s, struct ady_state_write *w)
{
	struct ady_bytes key = ady_state_write_key(w);
	sqlite3_stmt *stmt = s->kept[GET];
	int rc;

	ady_state_write_take(w, (struct ady_bytes){0});
	sqlite3_bind_blob(stmt, 1, key.p, (int)key.n, SQLITE_STATIC);
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		ady_state_write_take(w, ady_bytes(sqlite3_column_blob(stmt, 0),
		                                  (size_t)sqlite3_column_bytes(stmt, 0)));
	sqlite3_reset(stmt);
	return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

static bool write_one(struct store *s, struct ady_state_write *w)
{
	struct ady_bytes key = ady_state_write_key(w), row = ady_state_write_row(w);
	enum statement which = w->version == 0 ? INSERT : UPDATE;
	sqlite3_stmt *stmt = s->kept[which];

	w->written = false;
	if (row.n == 0)
		return get(s, w);
	sqlite3_bind_blob(stmt, 1, key.p, (int)key.n, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, (sqlite3_int64)w->version + 1);
	sqlite3_bind_blob(stmt, 3, row.p, (int)row.n, SQLITE_STATIC);
	if (!run(s, which))
		return false;
	w->written = sqlite3_changes(s->sql) == 1;
	return w->written || get(s, w);
}

static enum ady_err store_write(struct ady_states_store *head, struct ady_state_write *const *w,
                                size_t n, struct ady_fault *f)
{
	struct store *s = (struct store *)head;
	bool ok = run(s, BEGIN);

	if (!ok)
		return fault(s, f);
	for (size_t i = 0; i < n && ok; i++)
		ok = write_one(s, w[i]);
	if (ok && run(s, COMMIT))
		return ADY_OK;
	(void)fault(s, f);
	(void)run(s, ROLLBACK);
	return f->err;
}

static enum ady_err store_list(struct ady_states_store *head, ady_states_each each, void *ctx,
                               struct ady_fault *f)
{
	struct store *s = (struct store *)head;
	sqlite3_stmt *stmt = s->kept[LIST];
	struct ady_state_row row;
	int rc;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		take_row(&row, stmt, 1);
		if (sqlite3_column_bytes(stmt, 0) == ADY_STATE_KEY)
			each(ctx, sqlite3_column_blob(stmt, 0), &row);
	}
	sqlite3_reset(stmt);
	return rc == SQLITE_DONE ? ADY_OK : fault(s, f);
}

static bool prepare(struct store *s, const char *path)
{
	static const char setup[] =
	    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
	    "CREATE TABLE IF NOT EXISTS adyton_state (public_key BLOB PRIMARY KEY,"
	    " version INTEGER NOT NULL, state BLOB NOT NULL) WITHOUT ROWID";

	int fd = path ? open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;

	if (fd >= 0) /* a new file is nobody else's, as one of records (sqlite_db.c) */
		close(fd);
	if (sqlite3_open_v2(path ? path : ":memory:", &s->sql,
	                    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
	                    NULL) != SQLITE_OK)
		return false;
	sqlite3_busy_timeout(s->sql, BUSY_MS);
	if (sqlite3_exec(s->sql, setup, NULL, NULL, NULL) != SQLITE_OK)
		return false;
	for (unsigned k = 0; k < STATEMENTS; k++)
		if (sqlite3_prepare_v3(s->sql, texts[k], -1, SQLITE_PREPARE_PERSISTENT, &s->kept[k],
		                       NULL) != SQLITE_OK)
			return false;
	return true;
}

static const struct ady_states_ops ops = {
    .write = store_write, .list = store_list, .close = store_close};

enum ady_err ady_states_sqlite_open(struct ady_states_store **out, const char *path,
                                    struct ady_fault *f)
{
	struct store *s = calloc(1, sizeof *s);

	*out = NULL;
	if (!s)
		return ady_fail(f, ADY_E_MEMORY, NULL, "out of memory");
	s->head.ops = &ops;
	if (prepare(s, path)) {
		*out = &s->head;
		return ADY_OK;
	}
	(void)fault(s, f);
	store_close(&s->head);
	return f->err;
}
