/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite_db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Each script takes the schema from its number to the next. created and deletion: seconds since
 * 1970. tenant_key holds the data key of each tenant's newest record. */
static const char *const migrations[] = {
    "CREATE TABLE record (id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, curve TEXT NOT NULL,"
    " public_key BLOB, address BLOB, label TEXT NOT NULL, disabled INTEGER NOT NULL,"
    " revision TEXT NOT NULL, created INTEGER NOT NULL, deletion INTEGER NOT NULL,"
    " text BLOB NOT NULL);"
    "CREATE INDEX record_tenant ON record (tenant, id);"
    "CREATE INDEX record_address ON record (address) WHERE address IS NOT NULL;"
    "CREATE INDEX record_public_key ON record (public_key) WHERE public_key IS NOT NULL;"
    "CREATE INDEX record_label ON record (label, id) WHERE label <> '';"
    "CREATE INDEX record_deletion ON record (deletion) WHERE deletion <> 0;"
    "CREATE TABLE tenant_key (tenant TEXT PRIMARY KEY, data_key TEXT NOT NULL,"
    " created INTEGER NOT NULL) WITHOUT ROWID;",
    "CREATE TABLE note (name TEXT PRIMARY KEY, text BLOB NOT NULL) WITHOUT ROWID;",
};

enum { SCHEMA_VERSION = sizeof migrations / sizeof *migrations, BUSY_MS = 5000 };

#define INSERT_RECORD                                                                            \
	"INSERT INTO record (id, tenant, curve, public_key, address, label, disabled, revision," \
	" created, deletion, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"

static const char *const statements[ADY_SQL_LISTS] = {
    [ADY_SQL_BEGIN] = "BEGIN IMMEDIATE",
    [ADY_SQL_COMMIT] = "COMMIT",
    [ADY_SQL_ROLLBACK] = "ROLLBACK",
    [ADY_SQL_GET] = "SELECT " ADY_RECORD_COLUMNS ", text FROM record WHERE id = ?1",
    [ADY_SQL_INSERT] = INSERT_RECORD,
    [ADY_SQL_UPSERT] = INSERT_RECORD
    " ON CONFLICT (id) DO UPDATE SET tenant = ?2, curve = ?3, public_key = ?4, address = ?5,"
    " label = ?6, disabled = ?7, revision = ?8, created = ?9, deletion = ?10, text = ?11",
    [ADY_SQL_REMOVE_DUE] = "DELETE FROM record WHERE id = ?1 AND deletion <> 0 AND deletion <= ?2",
    [ADY_SQL_PURGE] = "DELETE FROM record WHERE deletion <> 0 AND deletion <= ?1",
    [ADY_SQL_CHANGE] =
        "UPDATE record SET revision = ?2, label = ?3, disabled = ?4, deletion = ?5 WHERE id = ?1",
    [ADY_SQL_REPLACE] = "UPDATE record SET revision = ?2, tenant = ?3, curve = ?4,"
                        " public_key = ?5, address = ?6, created = ?7, text = ?8 WHERE id = ?1",
    [ADY_SQL_DATA_KEY] = "SELECT data_key FROM tenant_key WHERE tenant = ?1",
    /* Of two made in the same second the first stays. */
    [ADY_SQL_SET_DATA_KEY] =
        "INSERT INTO tenant_key (tenant, data_key, created) VALUES (?1, ?2, ?3)"
        " ON CONFLICT (tenant) DO UPDATE SET data_key = ?2, created = ?3 WHERE created < ?3",
    [ADY_SQL_RETEXT] = "UPDATE record SET revision = ?3, text = ?4 WHERE id = ?1 AND revision = ?2",
    [ADY_SQL_NOTE] = "SELECT text FROM note WHERE name = ?1",
    [ADY_SQL_SET_NOTE] = "INSERT INTO note (name, text) VALUES (?1, ?2)"
                         " ON CONFLICT (name) DO UPDATE SET text = ?2",
    [ADY_SQL_NOTES] = "SELECT name, text FROM note ORDER BY name",
    [ADY_SQL_PROBE] = "SELECT count(*) FROM (SELECT 1 FROM record LIMIT 1)",
};

static enum ady_err fault_of(struct ady_sqlite_conn *c, struct ady_fault *f)
{
	return ady_fail(f, ADY_E_STORE, NULL, "SQLite: %s",
	                c->sql ? sqlite3_errmsg(c->sql) : "out of memory");
}

static enum ady_err exec(struct ady_sqlite_conn *c, const char *sql, struct ady_fault *f)
{
	return sqlite3_exec(c->sql, sql, NULL, NULL, NULL) == SQLITE_OK ? ADY_OK : fault_of(c, f);
}

static int schema_version(struct ady_sqlite_conn *c)
{
	sqlite3_stmt *stmt = NULL;
	int v = -1;

	if (sqlite3_prepare_v2(c->sql, "PRAGMA user_version", -1, &stmt, NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW)
		v = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	return v;
}

/* In one transaction, so that of several programs that start at once one does it. */
static enum ady_err migrate(struct ady_sqlite_conn *c, struct ady_fault *f)
{
	enum ady_err err = exec(c, "BEGIN IMMEDIATE", f);
	char set[48];
	int v;

	if (err != ADY_OK)
		return err;
	v = schema_version(c);
	if (v < 0)
		err = fault_of(c, f);
	for (; err == ADY_OK && v >= 0 && v < SCHEMA_VERSION; v++)
		err = exec(c, migrations[v], f);
	snprintf(set, sizeof set, "PRAGMA user_version = %d", (int)SCHEMA_VERSION);
	if (err == ADY_OK)
		err = exec(c, set, f);
	if (err == ADY_OK)
		return exec(c, "COMMIT", f);
	(void)exec(c, "ROLLBACK", NULL);
	return err;
}

static enum ady_err prepare_schema(struct ady_sqlite_conn *c, struct ady_fault *f)
{
	enum ady_err err;
	int v;

	sqlite3_busy_timeout(c->sql, BUSY_MS);
	/* FULL: what was acknowledged is there after a power cut. */
	err = exec(c,
	           "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
	           "PRAGMA cache_size = -2048; PRAGMA temp_store = MEMORY",
	           f);
	if (err != ADY_OK)
		return err;
	v = schema_version(c);
	if (v == SCHEMA_VERSION)
		return ADY_OK;
	if (v > SCHEMA_VERSION)
		return ady_fail(f, ADY_E_STORE, "store.sqlite",
		                "the file has schema %d; this program knows %d", v,
		                (int)SCHEMA_VERSION);
	return migrate(c, f);
}

/* "+" keeps SQLite from walking the ids when an address or a public key leads there at once. */
static void put_list(struct ady_buf *b, unsigned filters)
{
	const bool exact = filters & (ADY_LIST_ADDRESS | ADY_LIST_PUBLIC_KEY);

	ady_buf_str(b, "SELECT " ADY_RECORD_COLUMNS);
	if (filters & ADY_LIST_TEXTS)
		ady_buf_str(b, ", text");
	ady_buf_str(b, " FROM record WHERE (deletion = 0 OR deletion > ?3)");
	ady_buf_str(b, exact ? " AND +id >= ?1 AND +id < ?2" : " AND id > ?1 AND id < ?2");
	if (filters & ADY_LIST_TENANT)
		ady_buf_str(b, exact ? " AND +tenant = ?4" : " AND tenant = ?4");
	if (filters & ADY_LIST_LABEL)
		ady_buf_str(b, " AND label = ?5 AND label <> ''");
	if (filters & ADY_LIST_CURVE)
		ady_buf_str(b, " AND curve = ?6");
	if (filters & ADY_LIST_DISABLED)
		ady_buf_str(b, " AND disabled = ?7");
	if (filters & ADY_LIST_ADDRESS)
		ady_buf_str(b, " AND address = ?8");
	if (filters & ADY_LIST_PUBLIC_KEY)
		ady_buf_str(b, " AND public_key = ?9");
	ady_buf_str(b, exact ? " ORDER BY disabled, +id LIMIT ?10" : " ORDER BY id LIMIT ?10");
}

static sqlite3_stmt *statement(struct ady_sqlite_conn *c, unsigned which)
{
	char list[512];
	struct ady_buf b = ady_buf(list, sizeof list);
	const char *text;

	if (c->kept[which])
		return c->kept[which];
	if (which >= ADY_SQL_LISTS)
		put_list(&b, which - ADY_SQL_LISTS);
	text = which >= ADY_SQL_LISTS ? list : statements[which];
	if (b.full)
		ADY_BUG("a list's text is cut");
	(void)sqlite3_prepare_v3(c->sql, text, which >= ADY_SQL_LISTS ? (int)b.n : -1,
	                         SQLITE_PREPARE_PERSISTENT, &c->kept[which], NULL);
	return c->kept[which]; /* NULL unless it was prepared */
}

/* Prepare what will be asked: a file whose tables are others is found at the start. */
static enum ady_err know_tables(struct ady_sqlite_conn *c, struct ady_fault *f)
{
	for (unsigned which = 0; which < ADY_SQL_LISTS; which++)
		if (!statement(c, which))
			return ady_fail(f, ADY_E_STORE, "store.sqlite",
			                "the file has not the tables of key records: %s",
			                sqlite3_errmsg(c->sql));
	return ADY_OK;
}

enum ady_err ady_sqlite_connect(struct ady_sqlite_conn *c, const char *path, struct ady_fault *f)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	enum ady_err err;
	int fd;

	*c = (struct ady_sqlite_conn){0};
	if (path) {
		/* SQLite gives a new file the mode of the umask; this one is nobody else's. A file
		 * that is there is not opened here: closing any descriptor of it would end the
		 * locks of this process's other connections (fcntl(2)), and another process would
		 * take away their WAL. */
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0 && errno != EEXIST)
			return ady_fail(f, ADY_E_STORE, "store.sqlite", "cannot open %.80s: %m",
			                path);
		if (fd >= 0)
			close(fd);
	}
	if (sqlite3_open_v2(path ? path : ":memory:", &c->sql, flags, NULL) != SQLITE_OK)
		return fault_of(c, f);
	err = prepare_schema(c, f);
	return err == ADY_OK ? know_tables(c, f) : err;
}

void ady_sqlite_disconnect(struct ady_sqlite_conn *c)
{
	for (size_t i = 0; i < ADY_SQL_LISTS + ADY_LISTS; i++)
		sqlite3_finalize(c->kept[i]);
	sqlite3_close(c->sql);
	*c = (struct ady_sqlite_conn){0};
}

sqlite3_stmt *ady_sqlite_query(struct ady_sqlite_conn *c, unsigned which, const char *types, ...)
{
	sqlite3_stmt *stmt = statement(c, which);
	struct ady_bytes b;
	va_list ap;

	va_start(ap, types);
	for (int i = 1; stmt && *types; i++, types++) {
		if (*types == 'i') {
			sqlite3_bind_int64(stmt, i, va_arg(ap, int64_t));
		} else if (*types == 's') {
			sqlite3_bind_text(stmt, i, va_arg(ap, const char *), -1, SQLITE_STATIC);
		} else if (*types == 'b') {
			b = va_arg(ap, struct ady_bytes);
			sqlite3_bind_blob64(stmt, i, b.n ? b.p : NULL, b.n, SQLITE_STATIC);
		} else if (*types == 't') {
			b = va_arg(ap, struct ady_bytes);
			sqlite3_bind_text64(stmt, i, (const char *)b.p, b.n, SQLITE_STATIC,
			                    SQLITE_UTF8);
		}
	}
	va_end(ap);
	return stmt;
}

static void done(sqlite3_stmt *stmt)
{
	if (!stmt)
		return;
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
}

enum ady_err ady_sqlite_run(struct ady_sqlite_conn *c, sqlite3_stmt *stmt, struct ady_fault *f)
{
	int rc = stmt ? sqlite3_step(stmt) : SQLITE_NOMEM;
	enum ady_err err = ADY_OK;

	if (rc == SQLITE_CONSTRAINT)
		err = ady_fail(f, ADY_E_EXISTS, "id", "the store has a key of this id");
	else if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		err = fault_of(c, f);
	done(stmt);
	return err;
}

enum ady_err ady_sqlite_row(struct ady_sqlite_conn *c, sqlite3_stmt *stmt, struct ady_fault *f)
{
	int rc = stmt ? sqlite3_step(stmt) : SQLITE_NOMEM;
	enum ady_err err;

	if (rc == SQLITE_ROW)
		return ADY_OK;
	err = rc == SQLITE_DONE ? ady_fail(f, ADY_E_NOT_FOUND, NULL, "the store has no such key")
	                        : fault_of(c, f);
	done(stmt);
	return err;
}

static void copy_text(char *out, size_t cap, sqlite3_stmt *stmt, int i)
{
	const char *s = (const char *)sqlite3_column_text(stmt, i);

	snprintf(out, cap, "%s", s ? s : "");
}

static size_t copy_bytes(uint8_t *out, size_t cap, sqlite3_stmt *stmt, int i)
{
	const void *p = sqlite3_column_blob(stmt, i);
	size_t n = (size_t)sqlite3_column_bytes(stmt, i);

	if (!p || n > cap)
		return 0;
	memcpy(out, p, n);
	return n;
}

void ady_sqlite_entry(struct ady_entry *e, sqlite3_stmt *s, bool text)
{
	copy_text(e->id, sizeof e->id, s, ADY_COL_ID);
	copy_text(e->tenant, sizeof e->tenant, s, ADY_COL_TENANT);
	copy_text(e->curve, sizeof e->curve, s, ADY_COL_CURVE);
	copy_text(e->label, sizeof e->label, s, ADY_COL_LABEL);
	copy_text(e->revision, sizeof e->revision, s, ADY_COL_REVISION);
	e->public_key_n = copy_bytes(e->public_key, sizeof e->public_key, s, ADY_COL_PUBLIC_KEY);
	e->has_address = copy_bytes(e->address, sizeof e->address, s, ADY_COL_ADDRESS) == 20;
	e->disabled = sqlite3_column_int(s, ADY_COL_DISABLED) != 0;
	e->created_s = sqlite3_column_int64(s, ADY_COL_CREATED);
	e->deletion_s = sqlite3_column_int64(s, ADY_COL_DELETION);
	if (text)
		ady_dyn_put(&e->text, sqlite3_column_blob(s, ADY_COL_TEXT),
		            (size_t)sqlite3_column_bytes(s, ADY_COL_TEXT));
}

enum ady_err ady_sqlite_begin(struct ady_sqlite_conn *c, struct ady_fault *f)
{
	return ady_sqlite_run(c, ady_sqlite_query(c, ADY_SQL_BEGIN, ""), f);
}

enum ady_err ady_sqlite_end(struct ady_sqlite_conn *c, enum ady_err err, struct ady_fault *f)
{
	if (err == ADY_OK)
		err = ady_sqlite_run(c, ady_sqlite_query(c, ADY_SQL_COMMIT, ""), f);
	if (err != ADY_OK && !sqlite3_get_autocommit(c->sql))
		(void)ady_sqlite_run(c, ady_sqlite_query(c, ADY_SQL_ROLLBACK, ""), NULL);
	return err;
}
