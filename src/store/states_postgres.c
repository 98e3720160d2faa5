/* SPDX-License-Identifier: Apache-2.0
 *
 * States in PostgreSQL, for several gateways and enclaves on the same keys. One transaction for all
 * writes that wait: the rows are locked in the order of their keys, so that two gateways do not
 * wait for each other in a circle; then they are compared here, and written in one statement. */
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "store/states.h"

enum { KEY_HEX = 2 * ADY_STATE_KEY };

/* A row of the batch: as it is stored, and as it will be; its bytes lie in the store's `bytes`, and
 * what is written anew lies behind what was there. */
struct row {
	uint8_t public_key[ADY_STATE_KEY];
	size_t key_n;
	uint64_t version;
	size_t at, n;
	bool stored, changed;
};

struct store {
	struct ady_states_store head;
	char *conninfo;
	PGconn *pg;
	struct row *rows; /* those of the batch, by key */
	size_t rows_n, rows_cap;
	struct ady_dyn bytes;                  /* of rows */
	struct ady_dyn keys, versions, states; /* arrays as PostgreSQL reads them */
};

static enum ady_err fault(struct store *s, struct ady_fault *f)
{
	char words[120];
	struct ady_buf b = ady_buf(words, sizeof words - 1);

	for (const char *w = PQerrorMessage(s->pg); *w && b.n < b.cap; w++)
		ady_buf_u8(&b, (uint8_t)(*w == '\n' ? ' ' : *w));
	words[b.n] = '\0';
	if (PQstatus(s->pg) != CONNECTION_OK) {
		PQfinish(s->pg);
		s->pg = NULL;
	}
	return ady_fail(f, ADY_E_STORE, NULL, "PostgreSQL, states: %s", words);
}

static enum ady_err exec(struct store *s, const char *sql, struct ady_fault *f)
{
	PGresult *r = PQexec(s->pg, sql);
	ExecStatusType status = PQresultStatus(r);

	PQclear(r);
	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ? ADY_OK : fault(s, f);
}

static enum ady_err connect(struct store *s, struct ady_fault *f)
{
	static const char *const names[] = {"dbname",           "connect_timeout",
	                                    "application_name", "keepalives_idle",
	                                    "tcp_user_timeout", NULL};
	const char *const values[] = {s->conninfo, "3", "adyton states", "5", "5000", NULL};

	if (s->pg)
		return ADY_OK;
	s->pg = PQconnectdbParams(names, values, 1);
	if (PQstatus(s->pg) != CONNECTION_OK)
		return fault(s, f);
	return exec(s,
	            "SET client_min_messages = warning; SET synchronous_commit = on;"
	            "SET statement_timeout = 5000; SET default_transaction_isolation ="
	            " 'read committed'; BEGIN; SELECT pg_advisory_xact_lock(107082411535215);"
	            "CREATE TABLE IF NOT EXISTS adyton_state (public_key bytea PRIMARY KEY,"
	            " version bigint NOT NULL, state bytea NOT NULL) WITH (fillfactor = 50);"
	            "COMMIT",
	            f);
}

/* --- the batch --- */

/* The order of bytea: a key before those that begin with it. What is behind a key is zero. */
static int by_key(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = memcmp(x->public_key, y->public_key, ADY_STATE_KEY);

	return order ? order : (x->key_n > y->key_n) - (x->key_n < y->key_n);
}

static struct row row_of(struct ady_bytes key)
{
	struct row row = {.key_n = key.n};

	memcpy(row.public_key, key.p, key.n);
	return row;
}

static struct row *find(struct store *s, struct ady_bytes key)
{
	struct row want = row_of(key);

	return bsearch(&want, s->rows, s->rows_n, sizeof *s->rows, by_key);
}

static void collect(struct store *s, struct ady_state_write *const *w, size_t n)
{
	size_t kept = 0;

	if (n > s->rows_cap) {
		free(s->rows);
		s->rows_cap = n;
		s->rows = malloc(n * sizeof *s->rows);
		if (!s->rows)
			ADY_BUG("out of memory");
	}
	s->bytes.n = 0;
	for (size_t i = 0; i < n; i++)
		s->rows[i] = row_of(ady_state_write_key(w[i]));
	qsort(s->rows, n, sizeof *s->rows, by_key);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || by_key(&s->rows[kept - 1], &s->rows[i]) != 0)
			s->rows[kept++] = s->rows[i];
	s->rows_n = kept;
}

static void put_item(struct ady_dyn *array, const char *text)
{
	ady_dyn_str(array, array->n ? "," : "{");
	ady_dyn_str(array, text);
}

static void put_hex(struct ady_dyn *array, const uint8_t *p, size_t n)
{
	char hex[2 * ADY_STATE_LARGE_MAX + 1];

	ady_hex_encode(hex, ady_bytes(p, n));
	put_item(array, hex);
}

/* The arrays of all rows, or of those that changed and were stored before, or were not. */
static size_t put_arrays(struct store *s, bool all, bool stored)
{
	size_t n = 0;
	char number[24];

	s->keys.n = s->versions.n = s->states.n = 0;
	for (size_t i = 0; i < s->rows_n; i++) {
		const struct row *r = &s->rows[i];

		if (!all && (!r->changed || r->stored != stored))
			continue;
		n++;
		put_hex(&s->keys, r->public_key, r->key_n);
		put_hex(&s->states, s->bytes.p + r->at, r->n);
		snprintf(number, sizeof number, "%llu", (unsigned long long)r->version);
		put_item(&s->versions, number);
	}
	ady_dyn_str(&s->keys, "}");
	ady_dyn_str(&s->versions, "}");
	ady_dyn_str(&s->states, "}");
	return n;
}

static bool take_row(struct store *s, const PGresult *r, int i)
{
	struct ady_bytes hex = ady_bytes_str(PQgetvalue(r, i, 2));
	uint8_t key[ADY_STATE_KEY];
	struct row *row;
	size_t n;

	if (ady_hex_decode(key, sizeof key, &n, ady_bytes_str(PQgetvalue(r, i, 0))) != ADY_OK ||
	    !(row = find(s, ady_bytes(key, n))) || hex.n > 2 * ADY_STATE_LARGE_MAX)
		return false;
	row->stored = true;
	row->version = strtoull(PQgetvalue(r, i, 1), NULL, 10);
	row->at = s->bytes.n;
	if (ady_hex_decode(ady_dyn_room(&s->bytes, hex.n / 2 + 1), hex.n / 2 + 1, &row->n, hex) !=
	    ADY_OK)
		return false;
	s->bytes.n += row->n;
	return true;
}

static enum ady_err lock_rows(struct store *s, struct ady_fault *f)
{
	const char *values[1];
	enum ady_err err = ADY_OK;
	PGresult *r;

	(void)put_arrays(s, true, false);
	values[0] = ady_dyn_cstr(&s->keys);
	r = PQexecParams(s->pg,
	                 "SELECT encode(public_key, 'hex'), version, encode(state, 'hex')"
	                 " FROM adyton_state WHERE public_key = ANY (ARRAY(SELECT decode(k, 'hex')"
	                 " FROM unnest($1::text[]) k)) ORDER BY public_key FOR UPDATE",
	                 1, NULL, values, NULL, NULL, 0);
	if (PQresultStatus(r) != PGRES_TUPLES_OK)
		err = fault(s, f);
	for (int i = 0; err == ADY_OK && i < PQntuples(r); i++)
		if (!take_row(s, r, i))
			err = ady_fail(f, ADY_E_STORE, NULL, "a stored state is malformed");
	PQclear(r);
	return err;
}

/* Rows are locked, so that what is compared here is what is written below. */
static void decide(struct store *s, struct ady_state_write *w)
{
	struct row *row = find(s, ady_state_write_key(w));
	struct ady_bytes next = ady_state_write_row(w);

	w->written = next.n > 0 && row->version == w->version;
	if (!w->written) {
		ady_state_write_take(w, ady_bytes(s->bytes.p + row->at, row->n));
		return;
	}
	row->at = s->bytes.n;
	row->n = next.n;
	ady_dyn_put(&s->bytes, next.p, next.n);
	row->version++;
	row->changed = true;
}

static enum ady_err write_rows(struct store *s, bool stored, struct ady_fault *f)
{
	static const char update[] =
	    "UPDATE adyton_state s SET version = x.v, state = decode(x.st, 'hex')"
	    " FROM unnest($1::text[], $2::bigint[], $3::text[]) AS x (k, v, st)"
	    " WHERE s.public_key = decode(x.k, 'hex')";
	static const char insert[] =
	    "INSERT INTO adyton_state SELECT decode(x.k, 'hex'), x.v, decode(x.st, 'hex')"
	    " FROM unnest($1::text[], $2::bigint[], $3::text[]) AS x (k, v, st)"
	    " ORDER BY 1 ON CONFLICT DO NOTHING";
	size_t n = put_arrays(s, false, stored);
	const char *values[3];
	enum ady_err err = ADY_OK;
	PGresult *r;

	if (n == 0)
		return ADY_OK;
	values[0] = ady_dyn_cstr(&s->keys);
	values[1] = ady_dyn_cstr(&s->versions);
	values[2] = ady_dyn_cstr(&s->states);
	r = PQexecParams(s->pg, stored ? update : insert, 3, NULL, values, NULL, NULL, 0);
	if (PQresultStatus(r) != PGRES_COMMAND_OK)
		err = fault(s, f);
	else if (strtoull(PQcmdTuples(r), NULL, 10) != n)
		err = ady_fail(f, ADY_E_STORE, NULL, "a state was made by another at this moment");
	PQclear(r);
	return err;
}

/* What is stored under the key of a write that was none, or of a read. */
static enum ady_err read_one(struct store *s, struct ady_state_write *w, struct ady_fault *f)
{
	const char *values[] = {ady_dyn_cstr(&s->keys)};
	enum ady_err err = ADY_OK;
	struct ady_bytes hex;
	PGresult *r;
	size_t n;

	ady_state_write_take(w, (struct ady_bytes){0});
	r = PQexecParams(s->pg,
	                 "SELECT encode(state, 'hex') FROM adyton_state"
	                 " WHERE public_key = decode($1, 'hex')",
	                 1, NULL, values, NULL, NULL, 0);
	if (PQresultStatus(r) != PGRES_TUPLES_OK) {
		err = fault(s, f);
	} else if (PQntuples(r) > 0) {
		hex = ady_bytes_str(PQgetvalue(r, 0, 0));
		s->bytes.n = 0;
		if (ady_hex_decode(ady_dyn_room(&s->bytes, hex.n / 2 + 1), hex.n / 2 + 1, &n,
		                   hex) == ADY_OK)
			ady_state_write_take(w, ady_bytes(s->bytes.p, n));
	}
	PQclear(r);
	return err;
}

/* One alone: its statement is its transaction. An update that waited for another looks at the
 * version again (READ COMMITTED). */
static enum ady_err write_one(struct store *s, struct ady_state_write *w, struct ady_fault *f)
{
	static const char update[] =
	    "UPDATE adyton_state SET version = version + 1, state = decode($3, 'hex')"
	    " WHERE public_key = decode($1, 'hex') AND version = $2::bigint";
	static const char insert[] =
	    "INSERT INTO adyton_state SELECT decode($1, 'hex'), $2::bigint + 1, decode($3, 'hex')"
	    " ON CONFLICT DO NOTHING";
	struct ady_bytes key = ady_state_write_key(w), row = ady_state_write_row(w);
	char hex[2 * ADY_STATE_LARGE_MAX + 1], version[24];
	const char *values[] = {NULL, version, hex};
	enum ady_err err = ADY_OK;
	PGresult *r;

	w->written = false;
	s->keys.n = 0;
	ady_hex_encode(hex, key);
	ady_dyn_str(&s->keys, hex);
	if (row.n == 0)
		return read_one(s, w, f);
	values[0] = ady_dyn_cstr(&s->keys);
	snprintf(version, sizeof version, "%llu", (unsigned long long)w->version);
	ady_hex_encode(hex, row);
	r = PQexecParams(s->pg, w->version ? update : insert, 3, NULL, values, NULL, NULL, 0);
	if (PQresultStatus(r) != PGRES_COMMAND_OK)
		err = fault(s, f);
	else
		w->written = strcmp(PQcmdTuples(r), "1") == 0;
	PQclear(r);
	return err == ADY_OK && !w->written ? read_one(s, w, f) : err;
}

static enum ady_err store_write(struct ady_states_store *head, struct ady_state_write *const *w,
                                size_t n, struct ady_fault *f)
{
	struct store *s = (struct store *)head;
	enum ady_err err = connect(s, f);

	if (err != ADY_OK)
		return err;
	if (n == 1) {
		err = write_one(s, w[0], f);
		if (err != ADY_OK && s->pg) /* ends a connection that is broken */
			(void)exec(s, "ROLLBACK", NULL);
		return err;
	}
	collect(s, w, n);
	if ((err = exec(s, "BEGIN", f)) == ADY_OK)
		err = lock_rows(s, f);
	for (size_t i = 0; i < n && err == ADY_OK; i++)
		decide(s, w[i]);
	if (err == ADY_OK)
		err = write_rows(s, true, f);
	if (err == ADY_OK)
		err = write_rows(s, false, f);
	if (err == ADY_OK)
		return exec(s, "COMMIT", f);
	if (s->pg)
		(void)exec(s, "ROLLBACK", NULL);
	return err;
}

static enum ady_err store_list(struct ady_states_store *head, ady_states_each each, void *ctx,
                               struct ady_fault *f)
{
	struct store *s = (struct store *)head;
	enum ady_err err = connect(s, f);
	struct ady_state_row row;
	uint8_t key[ADY_STATE_KEY];
	PGresult *r;
	size_t n;

	if (err != ADY_OK)
		return err;
	r = PQexec(s->pg, "SELECT encode(public_key, 'hex'), encode(state, 'hex')"
	                  " FROM adyton_state WHERE length(public_key) = 48 ORDER BY public_key");
	if (PQresultStatus(r) != PGRES_TUPLES_OK)
		err = fault(s, f);
	for (int i = 0; err == ADY_OK && i < PQntuples(r); i++)
		if (strlen(PQgetvalue(r, i, 0)) == KEY_HEX &&
		    ady_hex_decode(key, sizeof key, &n, ady_bytes_str(PQgetvalue(r, i, 0))) ==
		        ADY_OK &&
		    ady_hex_decode(row.bytes, sizeof row.bytes, &row.n,
		                   ady_bytes_str(PQgetvalue(r, i, 1))) == ADY_OK)
			each(ctx, key, &row);
	PQclear(r);
	return err;
}

static void store_close(struct ady_states_store *head)
{
	struct store *s = (struct store *)head;

	PQfinish(s->pg);
	ady_dyn_free(&s->bytes);
	ady_dyn_free(&s->keys);
	ady_dyn_free(&s->versions);
	ady_dyn_free(&s->states);
	free(s->rows);
	free(s->conninfo);
	free(s);
}

static const struct ady_states_ops ops = {
    .write = store_write, .list = store_list, .close = store_close};

enum ady_err ady_states_postgres_open(struct ady_states_store **out, const char *conninfo,
                                      struct ady_fault *f)
{
	struct store *s = calloc(1, sizeof *s);
	enum ady_err err;

	*out = NULL;
	if (s)
		s->conninfo = strdup(conninfo);
	if (!s || !s->conninfo) {
		free(s);
		return ady_fail(f, ADY_E_MEMORY, NULL, "out of memory");
	}
	s->head.ops = &ops;
	if ((err = connect(s, f)) != ADY_OK) {
		store_close(&s->head);
		return err;
	}
	*out = &s->head;
	return ADY_OK;
}
