/* SPDX-License-Identifier: Apache-2.0 */
#include "store/postgres_db.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

/* Keep in step with the order of columns below. */
#define COLUMNS \
	"id, tenant, curve, public_key, address, label, disabled, revision, created, deletion"

/* "C": ids are ordered by their bytes, as in the other stores. */
static const char *const migrations[] = {
    "CREATE TABLE adyton_record (id text COLLATE \"C\" PRIMARY KEY, tenant text COLLATE \"C\" NOT"
    " NULL, curve text NOT NULL, public_key bytea, address bytea, label text NOT NULL,"
    " disabled boolean NOT NULL, revision bigint NOT NULL, created bigint NOT NULL,"
    " deletion bigint NOT NULL, text bytea NOT NULL);"
    /* What is compressed already, or random, is not worth trying. */
    "ALTER TABLE adyton_record ALTER COLUMN text SET STORAGE EXTERNAL;"
    "CREATE INDEX adyton_record_tenant ON adyton_record (tenant, id);"
    "CREATE INDEX adyton_record_address ON adyton_record (address) WHERE address IS NOT NULL;"
    "CREATE INDEX adyton_record_public_key ON adyton_record (public_key)"
    " WHERE public_key IS NOT NULL;"
    "CREATE INDEX adyton_record_label ON adyton_record (label, id) WHERE label <> '';"
    "CREATE INDEX adyton_record_deletion ON adyton_record (deletion) WHERE deletion <> 0;"
    "CREATE TABLE adyton_tenant_key (tenant text COLLATE \"C\" PRIMARY KEY,"
    " data_key text NOT NULL, created bigint NOT NULL);",
    "CREATE TABLE adyton_note (name text COLLATE \"C\" PRIMARY KEY, text bytea NOT NULL);",
    /* Each change is told by the id, whoever makes it; all at once by no id (postgres_watch.c). */
    "CREATE OR REPLACE FUNCTION adyton_record_changed() RETURNS trigger LANGUAGE plpgsql AS $$"
    " BEGIN"
    " IF TG_OP = 'TRUNCATE' THEN PERFORM pg_notify('adyton_record', '');"
    " ELSIF TG_OP = 'INSERT' THEN PERFORM pg_notify('adyton_record', NEW.id);"
    " ELSE PERFORM pg_notify('adyton_record', OLD.id); END IF;"
    " RETURN NULL; END $$;"
    "CREATE TRIGGER adyton_record_changed AFTER INSERT OR UPDATE OR DELETE ON adyton_record"
    " FOR EACH ROW EXECUTE FUNCTION adyton_record_changed();"
    "CREATE TRIGGER adyton_record_emptied AFTER TRUNCATE ON adyton_record"
    " FOR EACH STATEMENT EXECUTE FUNCTION adyton_record_changed();"
    "ALTER TABLE adyton_record ENABLE ALWAYS TRIGGER adyton_record_changed;"
    "ALTER TABLE adyton_record ENABLE ALWAYS TRIGGER adyton_record_emptied;",
};

enum {
	SCHEMA_VERSION = sizeof migrations / sizeof *migrations,
	CONNECT_S = 3,
	GIVE_UP_MS = 500, /* after a failure to connect, others fail for so long without trying */
};

/* Statements are planned once a connection: planning costs more than to get a record, and for an
 * array PostgreSQL would do it each time. Pages are planned each time: which index is best depends
 * on how many keys a tenant or a label has. */
#define PLAN_ONCE "SET plan_cache_mode = force_generic_plan"
#define PLAN_EACH "SET plan_cache_mode = auto"

#define GET "SELECT " COLUMNS ", text FROM adyton_record WHERE id = $1"

static const char *const statements[ADY_PG_LISTS] = {
    [ADY_PG_GET] = GET,
    [ADY_PG_GET_MANY] = "SELECT " COLUMNS ", text FROM adyton_record WHERE id = ANY($1::text[])",
    [ADY_PG_GET_LOCKED] = GET " FOR UPDATE",
    /* Over one whose deletion is due, and no other. */
    [ADY_PG_INSERT] =
        "INSERT INTO adyton_record (" COLUMNS ", text) VALUES"
        " ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO UPDATE SET"
        " tenant = $2, curve = $3, public_key = $4, address = $5, label = $6, disabled = $7,"
        " revision = $8, created = $9, deletion = $10, text = $11"
        " WHERE adyton_record.deletion <> 0 AND adyton_record.deletion <= $12",
    [ADY_PG_PURGE] = "DELETE FROM adyton_record WHERE deletion <> 0 AND deletion <= $1",
    [ADY_PG_CHANGE] = "UPDATE adyton_record SET revision = $2, label = $3, disabled = $4,"
                      " deletion = $5 WHERE id = $1",
    [ADY_PG_REPLACE] = "UPDATE adyton_record SET revision = $2, tenant = $3, curve = $4,"
                       " public_key = $5, address = $6, created = $7, text = $8 WHERE id = $1",
    [ADY_PG_DATA_KEY] = "SELECT data_key FROM adyton_tenant_key WHERE tenant = $1",
    /* Of two made in the same second the first stays. */
    [ADY_PG_SET_DATA_KEY] =
        "INSERT INTO adyton_tenant_key (tenant, data_key, created) VALUES ($1, $2, $3)"
        " ON CONFLICT (tenant) DO UPDATE SET data_key = $2, created = $3"
        " WHERE adyton_tenant_key.created < $3",
    [ADY_PG_RETEXT] = "UPDATE adyton_record SET revision = revision + 1, text = $3"
                      " WHERE id = $1 AND revision = $2",
    [ADY_PG_NOTE] = "SELECT text FROM adyton_note WHERE name = $1",
    [ADY_PG_SET_NOTE] = "INSERT INTO adyton_note (name, text) VALUES ($1, $2)"
                        " ON CONFLICT (name) DO UPDATE SET text = $2",
    [ADY_PG_NOTES] = "SELECT name, text FROM adyton_note ORDER BY name",
};

/* --- parameters --- */

void ady_pg_text(struct ady_pg_values *v, const char *s)
{
	v->value[v->n] = s;
	v->format[v->n] = 0;
	v->n++;
}

void ady_pg_number(struct ady_pg_values *v, int64_t n)
{
	snprintf(v->numbers[v->n], sizeof v->numbers[0], "%lld", (long long)n);
	ady_pg_text(v, v->numbers[v->n]);
}

void ady_pg_bytes(struct ady_pg_values *v, struct ady_bytes b)
{
	v->value[v->n] = b.n ? (const char *)b.p : NULL;
	v->length[v->n] = (int)b.n;
	v->format[v->n] = 1;
	v->n++;
}

/* --- connections --- */

/* libpq's words, on one line. */
static enum ady_err fault_of(const char *words, struct ady_fault *f)
{
	char line[140];
	size_t n = 0;

	for (; words && *words && n < sizeof line - 1; words++)
		line[n++] = *words == '\n' ? ' ' : *words;
	while (n > 0 && line[n - 1] == ' ')
		n--;
	line[n] = '\0';
	return ady_fail(f, ADY_E_STORE, NULL, "PostgreSQL: %s", line);
}

void ady_pg_disconnect(struct ady_pg_conn *c)
{
	PQfinish(c->pg);
	c->pg = NULL;
	memset(c->prepared, 0, sizeof c->prepared);
}

enum ady_err ady_pg_lost(struct ady_pg_conn *c, struct ady_fault *f)
{
	enum ady_err err = fault_of(PQerrorMessage(c->pg), f);

	ady_pg_disconnect(c);
	return err;
}

bool ady_pg_is_broken(const struct ady_pg_conn *c)
{
	return !c->pg;
}

/* Look at a result; a connection that has broken is ended. */
static enum ady_err check(struct ady_pg_conn *c, const PGresult *r, struct ady_fault *f)
{
	ExecStatusType status = PQresultStatus(r);
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	enum ady_err err;

	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
		return ADY_OK;
	if (state && strcmp(state, "23505") == 0)
		return ady_fail(f, ADY_E_EXISTS, "id", "the store has a key of this id");
	err = fault_of(PQresultErrorMessage(r)[0] ? PQresultErrorMessage(r) : PQerrorMessage(c->pg),
	               f);
	/* Without a state libpq itself failed: the connection is gone, though its status may not
	 * say so yet. 57P: the server is told to stop, or starts. 25006: it has become a standby.
	 */
	if (PQstatus(c->pg) != CONNECTION_OK ||
	    (!state || (strncmp(state, "57P", 3) == 0 || strcmp(state, "25006") == 0)))
		ady_pg_disconnect(c);
	return err;
}

enum ady_err ady_pg_exec(struct ady_pg_conn *c, const char *sql, struct ady_fault *f)
{
	PGresult *r;
	enum ady_err err;

	if (!c->pg)
		return ady_fail(f, ADY_E_STORE, NULL, "PostgreSQL: the connection was lost");
	r = PQexec(c->pg, sql);
	err = check(c, r, f);
	PQclear(r);
	return err;
}

/* The number of the schema; 0: there is none yet; -1: it cannot be told. */
static int schema_version(struct ady_pg_conn *c)
{
	PGresult *r = PQexec(c->pg, "SELECT version FROM adyton_schema");
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	int v = -1;

	if (PQresultStatus(r) == PGRES_TUPLES_OK)
		v = PQntuples(r) == 1 ? (int)strtol(PQgetvalue(r, 0, 0), NULL, 10) : 0;
	else if (state && strcmp(state, "42P01") == 0) /* no such table */
		v = 0;
	PQclear(r);
	return v;
}

/* One program at a time: "adyton" as a number is the lock's name. */
static enum ady_err migrate(struct ady_pg_conn *c, struct ady_fault *f)
{
	enum ady_err err = ady_pg_exec(c,
	                               "BEGIN; SELECT pg_advisory_xact_lock(107082411535214);"
	                               "CREATE TABLE IF NOT EXISTS adyton_schema"
	                               " (version integer NOT NULL)",
	                               f);
	char set[96];
	int v;

	if (err != ADY_OK)
		return err;
	v = schema_version(c);
	for (; err == ADY_OK && v >= 0 && v < SCHEMA_VERSION; v++)
		err = ady_pg_exec(c, migrations[v], f);
	snprintf(set, sizeof set,
	         "DELETE FROM adyton_schema; INSERT INTO adyton_schema VALUES (%d)",
	         (int)SCHEMA_VERSION);
	if (err == ADY_OK && v == SCHEMA_VERSION)
		err = ady_pg_exec(c, set, f);
	if (err == ADY_OK)
		err = ady_pg_exec(c, "COMMIT", f);
	else if (c->pg)
		(void)ady_pg_exec(c, "ROLLBACK", NULL);
	return err;
}

static enum ady_err check_schema(struct ady_pg_conn *c, struct ady_fault *f)
{
	int v = schema_version(c);

	if (v == SCHEMA_VERSION)
		return ADY_OK;
	if (v > SCHEMA_VERSION)
		return ady_fail(f, ADY_E_STORE, "store.postgres",
		                "the database has schema %d; this program knows %d", v,
		                (int)SCHEMA_VERSION);
	if (v < 0)
		return fault_of(PQerrorMessage(c->pg), f);
	return migrate(c, f);
}

static void quiet(void *ctx, const char *message)
{
	(void)ctx, (void)message; /* notices are of no interest */
}

static PGconn *dial(const char *conninfo)
{
	const char *const names[] = {"dbname",          "connect_timeout",  "application_name",
	                             "keepalives_idle", "tcp_user_timeout", NULL};
	const char *const values[] = {conninfo, "3", "adyton", "5", "5000", NULL};

	return PQconnectdbParams(names, values, 1);
}

enum ady_err ady_pg_connect(struct ady_pg_conn *c, struct ady_fault *f)
{
	int64_t now = ady_mono_ms();
	enum ady_err err;

	if (c->pg)
		return ADY_OK;
	if (c->tried_ms && now - c->tried_ms < GIVE_UP_MS)
		return ady_fail(f, ADY_E_STORE, NULL, "%s", c->why);
	c->pg = dial(c->conninfo);
	if (PQstatus(c->pg) == CONNECTION_OK) {
		PQsetNoticeProcessor(c->pg, quiet, NULL);
		err = ady_pg_exec(c,
		                  "SET client_encoding = 'UTF8'; SET synchronous_commit = on;"
		                  "SET statement_timeout = 5000;" PLAN_ONCE,
		                  f);
		if (err == ADY_OK)
			err = check_schema(c, f);
	} else {
		err = fault_of(PQerrorMessage(c->pg), f);
	}
	if (err == ADY_OK) {
		c->tried_ms = 0;
		c->made++;
		return ADY_OK;
	}
	ady_pg_disconnect(c);
	c->tried_ms = now;
	snprintf(c->why, sizeof c->why, "%s", f ? f->detail : "PostgreSQL cannot be reached");
	return err;
}

/* --- statements --- */

static void put_list(struct ady_buf *b, unsigned filters)
{
	const bool exact = filters & (ADY_PG_ADDRESS | ADY_PG_PUBLIC_KEY);
	int n = 4; /* $1 low, $2 high, $3 now, $4 limit */

	ady_buf_str(b, "SELECT " COLUMNS);
	if (filters & ADY_PG_TEXTS)
		ady_buf_str(b, ", text");
	ady_buf_str(b, " FROM adyton_record WHERE (deletion = 0 OR deletion > $3) AND id < $2");
	ady_buf_str(b, exact ? " AND id >= $1" : " AND id > $1");
	if (filters & ADY_PG_TENANT)
		ady_buf_printf(b, " AND tenant = $%d", ++n);
	if (filters & ADY_PG_LABEL)
		ady_buf_printf(b, " AND label = $%d AND label <> ''", ++n);
	if (filters & ADY_PG_CURVE)
		ady_buf_printf(b, " AND curve = $%d", ++n);
	if (filters & ADY_PG_DISABLED)
		ady_buf_printf(b, " AND disabled = $%d", ++n);
	if (filters & ADY_PG_ADDRESS)
		ady_buf_printf(b, " AND address = $%d", ++n);
	if (filters & ADY_PG_PUBLIC_KEY)
		ady_buf_printf(b, " AND public_key = $%d", ++n);
	ady_buf_str(b, exact ? " ORDER BY disabled, id LIMIT $4" : " ORDER BY id LIMIT $4");
	ady_buf_u8(b, 0);
}

static enum ady_err prepare(struct ady_pg_conn *c, unsigned which, const char *name,
                            struct ady_fault *f)
{
	char list[640];
	struct ady_buf b = ady_buf(list, sizeof list);
	PGresult *r;
	enum ady_err err;

	if (c->prepared[which])
		return ADY_OK;
	if (which >= ADY_PG_LISTS)
		put_list(&b, which - ADY_PG_LISTS);
	r = PQprepare(c->pg, name, which >= ADY_PG_LISTS ? list : statements[which], 0, NULL);
	err = check(c, r, f);
	PQclear(r);
	c->prepared[which] = err == ADY_OK;
	return err;
}

static enum ady_err run(struct ady_pg_conn *c, unsigned which, const struct ady_pg_values *v,
                        PGresult **result, struct ady_fault *f)
{
	char name[16];
	enum ady_err err;

	if (!c->pg)
		return ady_fail(f, ADY_E_STORE, NULL, "PostgreSQL: the connection was lost");
	snprintf(name, sizeof name, "adyton%u", which);
	err = prepare(c, which, name, f);
	if (err != ADY_OK)
		return err;
	*result = PQexecPrepared(c->pg, name, v->n, v->value, v->length, v->format, 1);
	err = check(c, *result, f);
	if (err != ADY_OK) {
		PQclear(*result);
		*result = NULL;
	}
	return err;
}

static bool is_page(unsigned which)
{
	return which >= ADY_PG_LISTS &&
	       ((which - ADY_PG_LISTS) & (ADY_PG_ADDRESS | ADY_PG_PUBLIC_KEY)) == 0;
}

enum ady_err ady_pg_run(struct ady_pg_conn *c, unsigned which, const struct ady_pg_values *v,
                        PGresult **result, struct ady_fault *f)
{
	enum ady_err err;

	*result = NULL;
	if (!is_page(which))
		return run(c, which, v, result, f);
	err = ady_pg_exec(c, PLAN_EACH, f);
	if (err == ADY_OK)
		err = run(c, which, v, result, f);
	if (!ady_pg_is_broken(c))
		(void)ady_pg_exec(c, PLAN_ONCE, NULL);
	return err;
}

enum ady_err ady_pg_do(struct ady_pg_conn *c, unsigned which, const struct ady_pg_values *v,
                       struct ady_fault *f)
{
	PGresult *r;
	enum ady_err err = ady_pg_run(c, which, v, &r, f);

	PQclear(r);
	return err;
}

/* --- rows --- */

static void copy_text(char *out, size_t cap, const PGresult *r, int row, int i)
{
	if (!ady_bytes_to_str(out, cap,
	                      ady_bytes(PQgetvalue(r, row, i), (size_t)PQgetlength(r, row, i))))
		*out = '\0';
}

static size_t copy_bytes(uint8_t *out, size_t cap, const PGresult *r, int row, int i)
{
	size_t n = (size_t)PQgetlength(r, row, i);

	if (PQgetisnull(r, row, i) || n > cap)
		return 0;
	memcpy(out, PQgetvalue(r, row, i), n);
	return n;
}

static int64_t number(const PGresult *r, int row, int i)
{
	return PQgetlength(r, row, i) == 8
	           ? (int64_t)ady_be64((const uint8_t *)PQgetvalue(r, row, i))
	           : 0;
}

void ady_pg_entry(struct ady_entry *e, const PGresult *r, int row, bool text)
{
	copy_text(e->id, sizeof e->id, r, row, 0);
	copy_text(e->tenant, sizeof e->tenant, r, row, 1);
	copy_text(e->curve, sizeof e->curve, r, row, 2);
	e->public_key_n = copy_bytes(e->public_key, sizeof e->public_key, r, row, 3);
	e->has_address = copy_bytes(e->address, sizeof e->address, r, row, 4) == 20;
	copy_text(e->label, sizeof e->label, r, row, 5);
	e->disabled = PQgetlength(r, row, 6) == 1 && *PQgetvalue(r, row, 6) != 0;
	snprintf(e->revision, sizeof e->revision, "%lld", (long long)number(r, row, 7));
	e->created_s = number(r, row, 8);
	e->deletion_s = number(r, row, 9);
	if (text)
		ady_dyn_put(&e->text, PQgetvalue(r, row, 10), (size_t)PQgetlength(r, row, 10));
}
