/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/sqlite_db.h"

struct sqlite {
	struct ady_records records;
	bool shared; /* one connection under lock: a database in memory */
	pthread_mutex_t lock;
	size_t workers;
	struct ady_sqlite_conn conns[];
};

/* The worker's connection; give it back with leave. */
static struct ady_sqlite_conn *enter(struct ady_records *r, size_t worker)
{
	struct sqlite *s = (struct sqlite *)r;

	if (s->shared)
		pthread_mutex_lock(&s->lock);
	return &s->conns[s->shared ? 0 : worker];
}

static void leave(struct ady_records *r)
{
	struct sqlite *s = (struct sqlite *)r;

	if (s->shared)
		pthread_mutex_unlock(&s->lock);
}

static int64_t now_s(void)
{
	return ady_wall_ms() / 1000;
}

static enum ady_err get_in(struct ady_sqlite_conn *c, const char *id, struct ady_entry *out,
                           struct ady_fault *f)
{
	sqlite3_stmt *stmt = ady_sqlite_query(c, ADY_SQL_GET, "s", id);
	enum ady_err err = ady_sqlite_row(c, stmt, f);

	if (err != ADY_OK)
		return err;
	ady_sqlite_entry(out, stmt, true);
	sqlite3_reset(stmt);
	if (out->deletion_s == 0 || out->deletion_s > now_s())
		return ADY_OK;
	ady_entry_clear(out);
	return ady_fail(f, ADY_E_NOT_FOUND, NULL, "the store has no such key");
}

static enum ady_err sqlite_get(struct ady_records *r, size_t worker, const char *id,
                               struct ady_entry *out, struct ady_fault *f)
{
	struct ady_sqlite_conn *c = enter(r, worker);
	enum ady_err err = get_in(c, id, out, f);

	leave(r);
	return err;
}

static enum ady_err set_data_key(struct ady_sqlite_conn *c, const struct ady_entry *e,
                                 struct ady_fault *f)
{
	if (e->data_key.n == 0)
		return ADY_OK;
	return ady_sqlite_run(c,
	                      ady_sqlite_query(c, ADY_SQL_SET_DATA_KEY, "sti", e->tenant,
	                                       ady_dyn_bytes(&e->data_key), e->created_s),
	                      f);
}

static enum ady_err insert(struct ady_sqlite_conn *c, unsigned which, const struct ady_entry *e,
                           struct ady_fault *f)
{
	sqlite3_stmt *stmt =
	    ady_sqlite_query(c, which, "sssbbsisiib", e->id, e->tenant, e->curve,
	                     ady_bytes(e->public_key, e->public_key_n),
	                     ady_bytes(e->address, e->has_address ? 20 : 0), e->label,
	                     (int64_t)e->disabled, e->revision, e->created_s, e->deletion_s,
	                     e->text.n ? ady_dyn_bytes(&e->text) : ady_bytes_str(" "));
	enum ady_err err = ady_sqlite_run(c, stmt, f);

	return err == ADY_OK ? set_data_key(c, e, f) : err;
}

/* Revisions of one id never repeat, not even when it is deleted and made again. */
static void first_revision(struct ady_entry *e)
{
	snprintf(e->revision, sizeof e->revision, "%lld", (long long)ady_wall_ms());
}

static void next_revision(char out[static 40], const char *present)
{
	snprintf(out, 40, "%lld", strtoll(present, NULL, 10) + 1);
}

static enum ady_err create_one(struct ady_sqlite_conn *c, struct ady_entry *e, struct ady_fault *f)
{
	enum ady_err err =
	    ady_sqlite_run(c, ady_sqlite_query(c, ADY_SQL_REMOVE_DUE, "si", e->id, now_s()), f);

	first_revision(e);
	return err == ADY_OK ? insert(c, ADY_SQL_INSERT, e, f) : err;
}

static enum ady_err sqlite_create(struct ady_records *r, size_t worker, struct ady_entry *const *e,
                                  size_t n, struct ady_fault *f)
{
	struct ady_sqlite_conn *c = enter(r, worker);
	enum ady_err err = ady_sqlite_begin(c, f);

	for (size_t i = 0; err == ADY_OK && i < n; i++)
		err = create_one(c, e[i], f);
	err = ady_sqlite_end(c, err, f);
	leave(r);
	return err;
}

/* Begin, get the entry of id, and compare its revision. */
static enum ady_err begin_with(struct ady_sqlite_conn *c, const char *id, const char *revision,
                               struct ady_entry *now, struct ady_fault *f)
{
	enum ady_err err = ady_sqlite_begin(c, f);

	if (err == ADY_OK)
		err = get_in(c, id, now, f);
	if (err == ADY_OK && revision && strcmp(revision, now->revision) != 0)
		err = ady_fail(f, ADY_E_CONFLICT, "revision", "is %s by now", now->revision);
	return err;
}

static enum ady_err sqlite_replace(struct ady_records *r, size_t worker, struct ady_entry *e,
                                   const char *revision, struct ady_fault *f)
{
	struct ady_sqlite_conn *c = enter(r, worker);
	struct ady_entry now = {0};
	enum ady_err err = begin_with(c, e->id, revision, &now, f);

	next_revision(e->revision, now.revision);
	if (err == ADY_OK)
		err = ady_sqlite_run(
		    c,
		    ady_sqlite_query(c, ADY_SQL_REPLACE, "ssssbbib", e->id, e->revision, e->tenant,
		                     e->curve, ady_bytes(e->public_key, e->public_key_n),
		                     ady_bytes(e->address, e->has_address ? 20 : 0), e->created_s,
		                     ady_dyn_bytes(&e->text)),
		    f);
	if (err == ADY_OK)
		err = set_data_key(c, e, f);
	err = ady_sqlite_end(c, err, f);
	leave(r);
	ady_entry_clear(&now);
	return err;
}

static enum ady_err sqlite_change(struct ady_records *r, size_t worker, const char *id,
                                  const char *revision, const struct ady_records_change *change,
                                  struct ady_entry *out, struct ady_fault *f)
{
	struct ady_sqlite_conn *c = enter(r, worker);
	enum ady_err err = begin_with(c, id, revision, out, f);

	if (err == ADY_OK) {
		ady_records_apply(out, change);
		next_revision(out->revision, out->revision);
		err = ady_sqlite_run(c,
		                     ady_sqlite_query(c, ADY_SQL_CHANGE, "sssii", id, out->revision,
		                                      out->label, (int64_t)out->disabled,
		                                      out->deletion_s),
		                     f);
	}
	err = ady_sqlite_end(c, err, f);
	leave(r);
	if (err != ADY_OK)
		ady_entry_clear(out);
	return err;
}

/* That there is no further row is no fault. */
static enum ady_err at_end(enum ady_err err, struct ady_fault *f)
{
	if (err != ADY_E_NOT_FOUND)
		return err;
	if (f)
		*f = (struct ady_fault){0};
	return ADY_OK;
}

static unsigned filters_of(const struct ady_records_query *q)
{
	return (q->tenant ? ADY_LIST_TENANT : 0u) | (q->label ? ADY_LIST_LABEL : 0u) |
	       (q->curve ? ADY_LIST_CURVE : 0u) |
	       (q->enabled != ADY_ENABLED_ANY ? ADY_LIST_DISABLED : 0u) |
	       (q->address ? ADY_LIST_ADDRESS : 0u) | (q->public_key.n ? ADY_LIST_PUBLIC_KEY : 0u) |
	       (q->texts ? ADY_LIST_TEXTS : 0u);
}

static enum ady_err list_in(struct ady_sqlite_conn *c, const struct ady_records_query *q,
                            ady_records_each each, void *ctx, struct ady_fault *f)
{
	char low[ADY_KEY_ID_MAX + 1], high[ADY_KEY_ID_MAX + 1];
	struct ady_entry e = {0};
	sqlite3_stmt *stmt;
	enum ady_err err;

	ady_records_bounds(q, low, high);
	stmt = ady_sqlite_query(
	    c, ADY_SQL_LISTS + filters_of(q), "ssisssibbi", low, high, now_s(), q->tenant, q->label,
	    q->curve, (int64_t)(q->enabled == ADY_DISABLED_ONLY),
	    ady_bytes(q->address, q->address ? 20 : 0), q->public_key, (int64_t)q->limit);
	while ((err = ady_sqlite_row(c, stmt, f)) == ADY_OK) {
		ady_sqlite_entry(&e, stmt, q->texts);
		each(ctx, &e);
		ady_entry_clear(&e);
	}
	return at_end(err, f);
}

static enum ady_err sqlite_list(struct ady_records *r, size_t worker,
                                const struct ady_records_query *q, ady_records_each each, void *ctx,
                                struct ady_fault *f)
{
	enum ady_err err = list_in(enter(r, worker), q, each, ctx, f);

	leave(r);
	return err;
}

static enum ady_err sqlite_data_key(struct ady_records *r, size_t worker, const char *tenant,
                                    char out[static ADY_DATA_KEY_MAX + 1], struct ady_fault *f)
{
	struct ady_sqlite_conn *c = enter(r, worker);
	sqlite3_stmt *stmt = ady_sqlite_query(c, ADY_SQL_DATA_KEY, "s", tenant);
	enum ady_err err = ady_sqlite_row(c, stmt, f);

	*out = '\0';
	if (err == ADY_OK) {
		snprintf(out, ADY_DATA_KEY_MAX + 1, "%s",
		         (const char *)sqlite3_column_text(stmt, 0));
		sqlite3_reset(stmt);
	}
	leave(r);
	return at_end(err, f);
}

static enum ady_err retext_in(struct ady_sqlite_conn *c, struct ady_records_text *t,
                              struct ady_fault *f)
{
	char next[40];
	sqlite3_stmt *stmt;
	enum ady_err err;

	next_revision(next, t->revision);
	stmt = ady_sqlite_query(c, ADY_SQL_RETEXT, "sssb", t->id, t->revision, next, t->text);
	err = ady_sqlite_run(c, stmt, f);
	t->err = sqlite3_changes(c->sql) == 1 ? ADY_OK : ADY_E_CONFLICT;
	return err;
}

static enum ady_err sqlite_retext(struct ady_records *r, size_t worker,
                                  struct ady_records_text *all, size_t n, struct ady_fault *f)
{
	struct ady_sqlite_conn *c = enter(r, worker);
	enum ady_err err = ady_sqlite_begin(c, f);

	for (size_t i = 0; err == ADY_OK && i < n; i++)
		err = retext_in(c, &all[i], f);
	err = ady_sqlite_end(c, err, f);
	leave(r);
	return err;
}

static void put_column(struct ady_dyn *out, sqlite3_stmt *stmt, int column)
{
	const void *p = sqlite3_column_blob(stmt, column);

	if (p)
		ady_dyn_put(out, p, (size_t)sqlite3_column_bytes(stmt, column));
}

static enum ady_err sqlite_note(struct ady_records *r, size_t worker, const char *name,
                                struct ady_dyn *out, struct ady_fault *f)
{
	struct ady_sqlite_conn *c = enter(r, worker);
	sqlite3_stmt *stmt = ady_sqlite_query(c, ADY_SQL_NOTE, "s", name);
	enum ady_err err = ady_sqlite_row(c, stmt, f);

	if (err == ADY_OK) {
		put_column(out, stmt, 0);
		sqlite3_reset(stmt);
	}
	leave(r);
	return err;
}

static enum ady_err sqlite_set_note(struct ady_records *r, size_t worker, const char *name,
                                    struct ady_bytes text, struct ady_fault *f)
{
	struct ady_sqlite_conn *c = enter(r, worker);
	enum ady_err err =
	    ady_sqlite_run(c, ady_sqlite_query(c, ADY_SQL_SET_NOTE, "sb", name, text), f);

	leave(r);
	return err;
}

static enum ady_err sqlite_notes(struct ady_records *r, size_t worker, ady_records_each_note each,
                                 void *ctx, struct ady_fault *f)
{
	struct ady_sqlite_conn *c = enter(r, worker);
	sqlite3_stmt *stmt = ady_sqlite_query(c, ADY_SQL_NOTES, "");
	enum ady_err err;

	while ((err = ady_sqlite_row(c, stmt, f)) == ADY_OK) {
		struct ady_dyn text = {0};

		put_column(&text, stmt, 1);
		each(ctx, (const char *)sqlite3_column_text(stmt, 0), ady_dyn_bytes(&text));
		ady_dyn_free(&text);
	}
	leave(r);
	return at_end(err, f);
}

static enum ady_err sqlite_probe(struct ady_records *r, size_t worker, struct ady_fault *f)
{
	struct ady_sqlite_conn *c = enter(r, worker);
	enum ady_err err = ady_sqlite_run(c, ady_sqlite_query(c, ADY_SQL_PROBE, ""), f);

	leave(r);
	return err;
}

static void sqlite_purge(struct ady_records *r, size_t worker, int64_t until_s)
{
	struct ady_sqlite_conn *c = enter(r, worker);

	(void)ady_sqlite_run(c, ady_sqlite_query(c, ADY_SQL_PURGE, "i", until_s), NULL);
	leave(r);
}

static void sqlite_close(struct ady_records *r)
{
	struct sqlite *s = (struct sqlite *)r;

	for (size_t i = 0; i < s->workers; i++)
		ady_sqlite_disconnect(&s->conns[i]);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static const struct ady_records_ops ops = {
    .kind = "sqlite",
    .quick = true,
    .get = sqlite_get,
    .create = sqlite_create,
    .replace = sqlite_replace,
    .change = sqlite_change,
    .list = sqlite_list,
    .data_key = sqlite_data_key,
    .retext = sqlite_retext,
    .note = sqlite_note,
    .set_note = sqlite_set_note,
    .notes = sqlite_notes,
    .probe = sqlite_probe,
    .purge = sqlite_purge,
    .close = sqlite_close,
};

enum ady_err ady_sqlite_open(struct ady_records **r, const char *path, size_t workers,
                             struct ady_fault *f)
{
	const size_t n = path ? workers : 1;
	struct sqlite *s = calloc(1, sizeof *s + n * sizeof *s->conns);
	enum ady_err err = ADY_OK;

	*r = NULL;
	if (!s)
		return ady_fail(f, ADY_E_MEMORY, NULL, "out of memory");
	s->records.ops = &ops;
	s->shared = !path;
	pthread_mutex_init(&s->lock, NULL);
	for (; err == ADY_OK && s->workers < n; s->workers++)
		err = ady_sqlite_connect(&s->conns[s->workers], path, f);
	if (err == ADY_OK)
		*r = &s->records;
	else
		sqlite_close(&s->records);
	return err;
}

enum ady_err ady_sqlite_upsert(struct ady_records *r, size_t worker, const struct ady_entry *e,
                               struct ady_fault *f)
{
	struct ady_sqlite_conn *c = enter(r, worker);
	enum ady_err err = ady_sqlite_begin(c, f);

	if (err == ADY_OK)
		err = insert(c, ADY_SQL_UPSERT, e, f);
	err = ady_sqlite_end(c, err, f);
	leave(r);
	return err;
}
