/* SPDX-License-Identifier: Apache-2.0 */
#include "devcloud/db.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

enum { STATEMENTS_MAX = 128, SCHEMA_VERSION = 1 };

struct ady_dev_db {
	sqlite3 *sql;
	struct {
		const char *text;
		sqlite3_stmt *stmt;
	} kept[STATEMENTS_MAX];
	size_t kept_n;
};

/* Times are seconds since 1970. A key's material has a version, so that old ciphertexts open after
 * a rotation. stages of a secret's version is a JSON array. */
static const char SCHEMA[] =
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE identity (kind TEXT NOT NULL, name TEXT NOT NULL, unique_id TEXT NOT NULL,"
    " policy TEXT NOT NULL, PRIMARY KEY (kind, name)) WITHOUT ROWID;"
    "CREATE TABLE credential (access_key TEXT PRIMARY KEY, secret TEXT NOT NULL,"
    " token TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, session TEXT NOT NULL,"
    " session_policy TEXT, expires INTEGER NOT NULL, imds INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE kms_key (id TEXT PRIMARY KEY, description TEXT NOT NULL, state TEXT NOT NULL,"
    " created INTEGER NOT NULL, deletion INTEGER NOT NULL, policy TEXT NOT NULL,"
    " version INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE kms_material (key_id TEXT NOT NULL REFERENCES kms_key (id) ON DELETE CASCADE,"
    " version INTEGER NOT NULL, material BLOB NOT NULL, created INTEGER NOT NULL,"
    " PRIMARY KEY (key_id, version)) WITHOUT ROWID;"
    "CREATE TABLE kms_alias (name TEXT PRIMARY KEY, key_id TEXT NOT NULL REFERENCES kms_key (id)"
    " ON DELETE CASCADE, created INTEGER NOT NULL, updated INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE secret (name TEXT PRIMARY KEY, suffix TEXT NOT NULL,"
    " description TEXT NOT NULL, kms_key TEXT NOT NULL, created INTEGER NOT NULL,"
    " changed INTEGER NOT NULL, deletion INTEGER NOT NULL);"
    "CREATE TABLE secret_version (name TEXT NOT NULL REFERENCES secret (name) ON DELETE CASCADE,"
    " id TEXT NOT NULL, is_text INTEGER NOT NULL, value BLOB NOT NULL, stages TEXT NOT NULL,"
    " created INTEGER NOT NULL, PRIMARY KEY (name, id));"
    "PRAGMA user_version = 1;";

static enum ady_err sql_fault(struct ady_dev_db *db, struct ady_fault *f)
{
	return ady_fail(f, ADY_E_STORE, "dir", "devcloud.sqlite: %s", sqlite3_errmsg(db->sql));
}

static enum ady_err exec(struct ady_dev_db *db, const char *sql, struct ady_fault *f)
{
	return sqlite3_exec(db->sql, sql, NULL, NULL, NULL) == SQLITE_OK ? ADY_OK
	                                                                 : sql_fault(db, f);
}

static int schema_version(struct ady_dev_db *db)
{
	sqlite3_stmt *stmt = ady_dev_db_query(db, "PRAGMA user_version", "");
	int v = stmt && ady_dev_db_row(stmt) ? sqlite3_column_int(stmt, 0) : -1;

	ady_dev_db_done(stmt);
	return v;
}

static enum ady_err prepare_schema(struct ady_dev_db *db, struct ady_fault *f)
{
	enum ady_err err;
	int v;

	/* One process only: a second one on the same folder would hold stale caches. */
	if ((err = exec(db, "PRAGMA locking_mode = EXCLUSIVE", f)) != ADY_OK ||
	    (err = exec(db, "PRAGMA journal_mode = WAL", f)) != ADY_OK ||
	    (err = exec(db, "PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON", f)) != ADY_OK)
		return err;
	v = schema_version(db);
	if (v == SCHEMA_VERSION)
		return ADY_OK;
	if (v != 0)
		return ady_fail(f, ADY_E_STORE, "dir",
		                "devcloud.sqlite has schema %d; this program knows %d", v,
		                (int)SCHEMA_VERSION);
	if ((err = exec(db, "BEGIN IMMEDIATE", f)) != ADY_OK ||
	    (err = exec(db, SCHEMA, f)) != ADY_OK)
		return err;
	return exec(db, "COMMIT", f);
}

enum ady_err ady_dev_db_open(struct ady_dev_db **out, const char *path, struct ady_fault *f)
{
	struct ady_dev_db *db;
	enum ady_err err;
	int fd;

	*out = NULL;
	/* SQLite gives a new file the mode of the umask; ours holds key material. */
	if ((fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) < 0)
		return ady_fail(f, ADY_E_STORE, "dir", "cannot open %s: %m", path);
	close(fd);
	if (!(db = (struct ady_dev_db *)calloc(1, sizeof *db)))
		return ady_fail(f, ADY_E_MEMORY, NULL, "no memory");
	if (sqlite3_open_v2(path, &db->sql, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
	    SQLITE_OK)
		err = sql_fault(db, f);
	else
		err = prepare_schema(db, f);
	if (err != ADY_OK) {
		ady_dev_db_close(db);
		return err;
	}
	*out = db;
	return ADY_OK;
}

void ady_dev_db_close(struct ady_dev_db *db)
{
	if (!db)
		return;
	for (size_t i = 0; i < db->kept_n; i++)
		sqlite3_finalize(db->kept[i].stmt);
	sqlite3_close(db->sql);
	free(db);
}

/* The kept statement of sql, prepared at its first use. */
static sqlite3_stmt *statement(struct ady_dev_db *db, const char *sql)
{
	size_t i;

	for (i = 0; i < db->kept_n; i++)
		if (db->kept[i].text == sql)
			return db->kept[i].stmt;
	if (i == STATEMENTS_MAX)
		ADY_BUG("more SQL statements than STATEMENTS_MAX");
	if (sqlite3_prepare_v3(db->sql, sql, -1, SQLITE_PREPARE_PERSISTENT, &db->kept[i].stmt,
	                       NULL) == SQLITE_ERROR)
		ADY_BUG("SQL that does not compile");
	if (!db->kept[i].stmt) {
		ADY_ERROR("sqlite", "error=\"%s\"", sqlite3_errmsg(db->sql));
		return NULL;
	}
	db->kept[i].text = sql;
	db->kept_n++;
	return db->kept[i].stmt;
}

static void bind(sqlite3_stmt *stmt, const char *types, va_list ap)
{
	struct ady_bytes b;

	for (int i = 1; *types; i++, types++) {
		if (*types == 'i') {
			sqlite3_bind_int64(stmt, i, va_arg(ap, int64_t));
		} else if (*types == 's') {
			sqlite3_bind_text(stmt, i, va_arg(ap, const char *), -1, SQLITE_STATIC);
		} else {
			b = va_arg(ap, struct ady_bytes);
			sqlite3_bind_blob64(stmt, i, b.n ? (const void *)b.p : "", b.n,
			                    SQLITE_STATIC);
		}
	}
}

sqlite3_stmt *ady_dev_db_query(struct ady_dev_db *db, const char *sql, const char *types, ...)
{
	sqlite3_stmt *stmt = statement(db, sql);
	va_list ap;

	if (!stmt)
		return NULL;
	sqlite3_reset(stmt);
	va_start(ap, types);
	bind(stmt, types, ap);
	va_end(ap);
	return stmt;
}

bool ady_dev_db_row(sqlite3_stmt *stmt)
{
	if (!stmt)
		return false;
	if (sqlite3_step(stmt) == SQLITE_ROW)
		return true;
	ady_dev_db_done(stmt);
	return false;
}

void ady_dev_db_done(sqlite3_stmt *stmt)
{
	if (!stmt)
		return;
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
}

enum ady_err ady_dev_db_run(struct ady_dev_db *db, const char *sql, const char *types, ...)
{
	sqlite3_stmt *stmt = statement(db, sql);
	va_list ap;
	int rc;

	if (!stmt)
		return ADY_E_STORE;
	sqlite3_reset(stmt);
	va_start(ap, types);
	bind(stmt, types, ap);
	va_end(ap);
	rc = sqlite3_step(stmt);
	ady_dev_db_done(stmt);
	if (rc == SQLITE_DONE || rc == SQLITE_ROW)
		return ADY_OK;
	ADY_ERROR("sqlite", "error=\"%s\"", sqlite3_errmsg(db->sql));
	return ADY_E_STORE;
}

const char *ady_dev_db_text(sqlite3_stmt *stmt, int i)
{
	const char *s = (const char *)sqlite3_column_text(stmt, i);

	return s ? s : "";
}

struct ady_bytes ady_dev_db_blob(sqlite3_stmt *stmt, int i)
{
	const void *p = sqlite3_column_blob(stmt, i);

	return ady_bytes(p, (size_t)sqlite3_column_bytes(stmt, i));
}
