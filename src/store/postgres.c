/* SPDX-License-Identifier: Apache-2.0 */
#include "store/postgres.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "store/postgres_job.h"

enum { RETRY_MS = 100, RETRIES = 30 };

struct postgres {
	struct ady_records records;
	size_t workers;
	struct ady_pg_conn conns[];
};

struct ady_pg_conn *ady_pg_conn_of(struct ady_records *r, size_t worker)
{
	return &((struct postgres *)r)->conns[worker];
}

static bool is_stopped(const struct postgres *s)
{
	return s->records.stop && atomic_load(s->records.stop);
}

static enum ady_err once(struct ady_pg_job *j, struct ady_pg_conn *c, struct ady_fault *f)
{
	enum ady_err err = ady_pg_connect(c, f);

	j->committing = false;
	return err == ADY_OK ? j->fn(j, c, f) : err;
}

/* A server that restarts is away for a second or two: it is waited for, up to 3 s. */
enum ady_err ady_pg_job_run(struct ady_records *r, size_t worker, struct ady_pg_job *j,
                            struct ady_fault *f)
{
	struct postgres *s = (struct postgres *)r;
	struct ady_pg_conn *c = &s->conns[worker];
	const struct timespec pause = {.tv_nsec = RETRY_MS * 1000000};
	enum ady_err err = once(j, c, f);

	for (int i = 0; i < RETRIES && err == ADY_E_STORE && ady_pg_is_broken(c) &&
	                !j->committing && !is_stopped(s);
	     i++) {
		if (i > 0)
			nanosleep(&pause, NULL);
		if (f)
			*f = (struct ady_fault){0};
		err = once(j, c, f);
	}
	return err;
}

static int64_t now_s(void)
{
	return ady_wall_ms() / 1000;
}

static enum ady_err not_there(struct ady_fault *f)
{
	return ady_fail(f, ADY_E_NOT_FOUND, NULL, "the store has no such key");
}

static enum ady_err get_in(struct ady_pg_conn *c, unsigned which, const char *id,
                           struct ady_entry *out, struct ady_fault *f)
{
	struct ady_pg_values v = {0};
	PGresult *r;
	enum ady_err err;

	ady_pg_text(&v, id);
	err = ady_pg_run(c, which, &v, &r, f);
	if (err != ADY_OK)
		return err;
	if (PQntuples(r) == 1)
		ady_pg_entry(out, r, 0, true);
	PQclear(r);
	if (out->id[0] && (out->deletion_s == 0 || out->deletion_s > now_s()))
		return ADY_OK;
	ady_entry_clear(out);
	return not_there(f);
}

static enum ady_err do_get(struct ady_pg_job *j, struct ady_pg_conn *c, struct ady_fault *f)
{
	return get_in(c, ADY_PG_GET, j->id, j->entry, f);
}

static enum ady_err postgres_get(struct ady_records *r, size_t worker, const char *id,
                                 struct ady_entry *out, struct ady_fault *f)
{
	struct ady_pg_job j = {.fn = do_get, .id = id, .entry = out};

	return ady_pg_job_run(r, worker, &j, f);
}

/* {"a","b"}: ids are of characters that need no escape there; what is no id is not asked for. */
static void put_ids(struct ady_dyn *ids, const struct ady_pg_job *j)
{
	ady_dyn_str(ids, "{");
	for (size_t i = 0; i < j->n; i++)
		if (ady_entry_is_name(j->gets[i].id, ADY_KEY_ID_MAX))
			ady_dyn_printf(ids, "%s\"%s\"", ids->n > 1 ? "," : "", j->gets[i].id);
	ady_dyn_str(ids, "}");
}

static void take_row(struct ady_pg_job *j, PGresult *r, int row)
{
	const char *id = PQgetvalue(r, row, 0);
	const size_t n = (size_t)PQgetlength(r, row, 0);

	for (size_t i = 0; i < j->n; i++) {
		struct ady_entry *out = j->gets[i].out;

		if (strlen(j->gets[i].id) != n || memcmp(j->gets[i].id, id, n) != 0)
			continue;
		ady_pg_entry(out, r, row, true);
		if (out->deletion_s == 0 || out->deletion_s > now_s())
			j->gets[i].fault = (struct ady_fault){0};
		else
			ady_entry_clear(out);
	}
}

static enum ady_err do_get_many(struct ady_pg_job *j, struct ady_pg_conn *c, struct ady_fault *f)
{
	struct ady_pg_values v = {0};
	struct ady_dyn ids = {0};
	PGresult *r;
	enum ady_err err;

	put_ids(&ids, j);
	for (size_t i = 0; i < j->n; i++)
		(void)not_there(&j->gets[i].fault);
	ady_pg_text(&v, ady_dyn_cstr(&ids));
	err = ady_pg_run(c, ADY_PG_GET_MANY, &v, &r, f);
	for (int row = 0; err == ADY_OK && row < PQntuples(r); row++)
		take_row(j, r, row);
	PQclear(r);
	ady_dyn_free(&ids);
	return err;
}

static enum ady_err postgres_get_many(struct ady_records *r, size_t worker,
                                      struct ady_records_get *all, size_t n, struct ady_fault *f)
{
	struct ady_pg_job j = {.fn = do_get_many, .gets = all, .n = n};

	return ady_pg_job_run(r, worker, &j, f);
}

enum ady_err ady_pg_job_end(struct ady_pg_job *j, struct ady_pg_conn *c, enum ady_err err,
                            struct ady_fault *f)
{
	if (err == ADY_OK) {
		j->committing = true;
		return ady_pg_exec(c, "COMMIT", f);
	}
	if (!ady_pg_is_broken(c))
		(void)ady_pg_exec(c, "ROLLBACK", NULL);
	return err;
}

static enum ady_err set_data_key(struct ady_pg_conn *c, struct ady_entry *e, struct ady_fault *f)
{
	struct ady_pg_values v = {0};

	if (e->data_key.n == 0)
		return ADY_OK;
	ady_pg_text(&v, e->tenant);
	ady_pg_text(&v, ady_dyn_cstr(&e->data_key));
	ady_pg_number(&v, e->created_s);
	return ady_pg_do(c, ADY_PG_SET_DATA_KEY, &v, f);
}

static enum ady_err insert(struct ady_pg_conn *c, struct ady_entry *e, struct ady_fault *f)
{
	struct ady_pg_values v = {0};
	PGresult *r;
	enum ady_err err;

	snprintf(e->revision, sizeof e->revision, "%lld", (long long)ady_wall_ms());
	ady_pg_text(&v, e->id);
	ady_pg_text(&v, e->tenant);
	ady_pg_text(&v, e->curve);
	ady_pg_bytes(&v, ady_bytes(e->public_key, e->public_key_n));
	ady_pg_bytes(&v, ady_bytes(e->address, e->has_address ? 20 : 0));
	ady_pg_text(&v, e->label);
	ady_pg_text(&v, e->disabled ? "t" : "f");
	ady_pg_text(&v, e->revision);
	ady_pg_number(&v, e->created_s);
	ady_pg_number(&v, e->deletion_s);
	ady_pg_bytes(&v, ady_dyn_bytes(&e->text));
	ady_pg_number(&v, now_s());
	err = ady_pg_run(c, ADY_PG_INSERT, &v, &r, f);
	if (err == ADY_OK && strcmp(PQcmdTuples(r), "1") != 0)
		err = ady_fail(f, ADY_E_EXISTS, "id", "the store has a key of this id");
	PQclear(r);
	return err;
}

/* Whether b's data key is that of a already. */
static bool same_data_key(const struct ady_entry *a, const struct ady_entry *b)
{
	return a->created_s >= b->created_s && strcmp(a->tenant, b->tenant) == 0 &&
	       ady_bytes_eq(ady_dyn_bytes(&a->data_key), ady_dyn_bytes(&b->data_key));
}

static enum ady_err do_create(struct ady_pg_job *j, struct ady_pg_conn *c, struct ady_fault *f)
{
	enum ady_err err = ady_pg_exec(c, "BEGIN", f);

	for (size_t i = 0; err == ADY_OK && i < j->n; i++) {
		err = insert(c, j->list[i], f);
		if (err == ADY_OK && (i == 0 || !same_data_key(j->list[i - 1], j->list[i])))
			err = set_data_key(c, j->list[i], f);
	}
	return ady_pg_job_end(j, c, err, f);
}

static enum ady_err postgres_create(struct ady_records *r, size_t worker,
                                    struct ady_entry *const *e, size_t n, struct ady_fault *f)
{
	struct ady_pg_job j = {.fn = do_create, .list = e, .n = n};

	return ady_pg_job_run(r, worker, &j, f);
}

static enum ady_err begin_with(struct ady_pg_conn *c, const char *id, const char *revision,
                               struct ady_entry *now, struct ady_fault *f)
{
	enum ady_err err = ady_pg_exec(c, "BEGIN", f);

	if (err == ADY_OK)
		err = get_in(c, ADY_PG_GET_LOCKED, id, now, f);
	if (err == ADY_OK && revision && strcmp(revision, now->revision) != 0)
		err = ady_fail(f, ADY_E_CONFLICT, "revision", "is %s by now", now->revision);
	return err;
}

static void next_revision(char out[static 40], const char *present)
{
	snprintf(out, 40, "%lld", strtoll(present, NULL, 10) + 1);
}

static enum ady_err do_replace(struct ady_pg_job *j, struct ady_pg_conn *c, struct ady_fault *f)
{
	struct ady_entry now = {0}, *e = j->entry;
	struct ady_pg_values v = {0};
	enum ady_err err = begin_with(c, e->id, j->revision, &now, f);

	next_revision(e->revision, now.revision);
	ady_entry_clear(&now);
	ady_pg_text(&v, e->id);
	ady_pg_text(&v, e->revision);
	ady_pg_text(&v, e->tenant);
	ady_pg_text(&v, e->curve);
	ady_pg_bytes(&v, ady_bytes(e->public_key, e->public_key_n));
	ady_pg_bytes(&v, ady_bytes(e->address, e->has_address ? 20 : 0));
	ady_pg_number(&v, e->created_s);
	ady_pg_bytes(&v, ady_dyn_bytes(&e->text));
	if (err == ADY_OK)
		err = ady_pg_do(c, ADY_PG_REPLACE, &v, f);
	if (err == ADY_OK)
		err = set_data_key(c, e, f);
	return ady_pg_job_end(j, c, err, f);
}

static enum ady_err postgres_replace(struct ady_records *r, size_t worker, struct ady_entry *e,
                                     const char *revision, struct ady_fault *f)
{
	struct ady_pg_job j = {.fn = do_replace, .entry = e, .revision = revision};

	return ady_pg_job_run(r, worker, &j, f);
}

static enum ady_err do_change(struct ady_pg_job *j, struct ady_pg_conn *c, struct ady_fault *f)
{
	struct ady_entry *out = j->entry;
	struct ady_pg_values v = {0};
	enum ady_err err = begin_with(c, j->id, j->revision, out, f);

	if (err == ADY_OK) {
		ady_records_apply(out, j->change);
		next_revision(out->revision, out->revision);
		ady_pg_text(&v, j->id);
		ady_pg_text(&v, out->revision);
		ady_pg_text(&v, out->label);
		ady_pg_text(&v, out->disabled ? "t" : "f");
		ady_pg_number(&v, out->deletion_s);
		err = ady_pg_do(c, ADY_PG_CHANGE, &v, f);
	}
	err = ady_pg_job_end(j, c, err, f);
	if (err != ADY_OK)
		ady_entry_clear(out);
	return err;
}

static enum ady_err postgres_change(struct ady_records *r, size_t worker, const char *id,
                                    const char *revision, const struct ady_records_change *change,
                                    struct ady_entry *out, struct ady_fault *f)
{
	struct ady_pg_job j = {
	    .fn = do_change, .id = id, .revision = revision, .change = change, .entry = out};

	return ady_pg_job_run(r, worker, &j, f);
}

/* In the order in which put_list numbers them. Returns the filters. */
static unsigned bind_list(struct ady_pg_values *v, const struct ady_records_query *q,
                          const char *low, const char *high)
{
	unsigned filters = q->texts ? ADY_PG_TEXTS : 0u;

	ady_pg_text(v, low);
	ady_pg_text(v, high);
	ady_pg_number(v, now_s());
	ady_pg_number(v, (int64_t)q->limit);
	if (q->tenant) {
		ady_pg_text(v, q->tenant);
		filters |= ADY_PG_TENANT;
	}
	if (q->label) {
		ady_pg_text(v, q->label);
		filters |= ADY_PG_LABEL;
	}
	if (q->curve) {
		ady_pg_text(v, q->curve);
		filters |= ADY_PG_CURVE;
	}
	if (q->enabled != ADY_ENABLED_ANY) {
		ady_pg_text(v, q->enabled == ADY_DISABLED_ONLY ? "t" : "f");
		filters |= ADY_PG_DISABLED;
	}
	if (q->address) {
		ady_pg_bytes(v, ady_bytes(q->address, 20));
		filters |= ADY_PG_ADDRESS;
	}
	if (q->public_key.n) {
		ady_pg_bytes(v, q->public_key);
		filters |= ADY_PG_PUBLIC_KEY;
	}
	return filters;
}

static enum ady_err do_list(struct ady_pg_job *j, struct ady_pg_conn *c, struct ady_fault *f)
{
	char low[ADY_KEY_ID_MAX + 1], high[ADY_KEY_ID_MAX + 1];
	struct ady_pg_values v = {0};
	unsigned filters;
	PGresult *r;
	enum ady_err err;

	ady_records_bounds(j->query, low, high);
	filters = bind_list(&v, j->query, low, high);
	err = ady_pg_run(c, ADY_PG_LISTS + filters, &v, &r, f);
	for (int i = 0; err == ADY_OK && i < PQntuples(r); i++) {
		struct ady_entry e = {0};

		ady_pg_entry(&e, r, i, j->query->texts);
		j->each(j->ctx, &e);
		ady_entry_clear(&e);
	}
	PQclear(r);
	return err;
}

static enum ady_err postgres_list(struct ady_records *r, size_t worker,
                                  const struct ady_records_query *q, ady_records_each each,
                                  void *ctx, struct ady_fault *f)
{
	struct ady_pg_job j = {.fn = do_list, .query = q, .each = each, .ctx = ctx};

	return ady_pg_job_run(r, worker, &j, f);
}

static enum ady_err do_data_key(struct ady_pg_job *j, struct ady_pg_conn *c, struct ady_fault *f)
{
	struct ady_pg_values v = {0};
	PGresult *r;
	enum ady_err err;

	ady_pg_text(&v, j->tenant);
	err = ady_pg_run(c, ADY_PG_DATA_KEY, &v, &r, f);
	if (err == ADY_OK && PQntuples(r) == 1)
		snprintf(j->out, ADY_DATA_KEY_MAX + 1, "%.*s", PQgetlength(r, 0, 0),
		         PQgetvalue(r, 0, 0));
	PQclear(r);
	return err;
}

static enum ady_err postgres_data_key(struct ady_records *r, size_t worker, const char *tenant,
                                      char out[static ADY_DATA_KEY_MAX + 1], struct ady_fault *f)
{
	struct ady_pg_job j = {.fn = do_data_key, .tenant = tenant, .out = out};

	*out = '\0';
	return ady_pg_job_run(r, worker, &j, f);
}

static enum ady_err do_probe(struct ady_pg_job *j, struct ady_pg_conn *c, struct ady_fault *f)
{
	(void)j;
	return ady_pg_exec(c, "SELECT 1 FROM adyton_record LIMIT 1", f);
}

/* Not tried for long: who asks wants to know whether the store works now. */
static enum ady_err postgres_probe(struct ady_records *r, size_t worker, struct ady_fault *f)
{
	struct postgres *s = (struct postgres *)r;
	struct ady_pg_job j = {.fn = do_probe};
	enum ady_err err = once(&j, &s->conns[worker], f);

	if (err == ADY_OK || !ady_pg_is_broken(&s->conns[worker]))
		return err;
	return once(&j, &s->conns[worker], f);
}

static enum ady_err do_purge(struct ady_pg_job *j, struct ady_pg_conn *c, struct ady_fault *f)
{
	struct ady_pg_values v = {0};

	ady_pg_number(&v, j->now_s);
	return ady_pg_do(c, ADY_PG_PURGE, &v, f);
}

static void postgres_purge(struct ady_records *r, size_t worker, int64_t until_s)
{
	struct postgres *s = (struct postgres *)r;
	struct ady_pg_job j = {.fn = do_purge, .now_s = until_s};

	(void)once(&j, &s->conns[worker], NULL);
}

static void postgres_close(struct ady_records *r)
{
	struct postgres *s = (struct postgres *)r;

	for (size_t i = 0; i < s->workers; i++)
		ady_pg_disconnect(&s->conns[i]);
	free(s);
}

static const struct ady_records_ops ops = {
    .kind = "postgres",
    .get = postgres_get,
    .get_many = postgres_get_many,
    .create = postgres_create,
    .replace = postgres_replace,
    .change = postgres_change,
    .list = postgres_list,
    .data_key = postgres_data_key,
    .retext = ady_pg_retext,
    .note = ady_pg_note,
    .set_note = ady_pg_set_note,
    .notes = ady_pg_notes,
    .watch = ady_pg_watch,
    .probe = postgres_probe,
    .purge = postgres_purge,
    .close = postgres_close,
};

/* A server that cannot be reached now may be later; what is wrong for good is told at once. */
enum ady_err ady_postgres_open(struct ady_records **r, const char *conninfo, size_t workers,
                               struct ady_fault *f)
{
	struct postgres *s = calloc(1, sizeof *s + workers * sizeof *s->conns);
	enum ady_err err;

	*r = NULL;
	if (!s)
		return ady_fail(f, ADY_E_MEMORY, NULL, "out of memory");
	s->records.ops = &ops;
	s->workers = workers;
	for (size_t i = 0; i < workers; i++)
		s->conns[i].conninfo = conninfo;
	err = ady_pg_connect(&s->conns[0], f);
	if (err == ADY_OK)
		*r = &s->records;
	else
		postgres_close(&s->records);
	return err;
}
