/* SPDX-License-Identifier: Apache-2.0
 *
 * What rotations ask of PostgreSQL: texts that take the place of others, and notes. */
#include <stdio.h>
#include <string.h>

#include "store/postgres_job.h"

static enum ady_err retext_in(struct ady_pg_conn *c, struct ady_records_text *t,
                              struct ady_fault *f)
{
	struct ady_pg_values v = {0};
	PGresult *r;
	enum ady_err err;

	ady_pg_text(&v, t->id);
	ady_pg_text(&v, t->revision);
	ady_pg_bytes(&v, t->text);
	err = ady_pg_run(c, ADY_PG_RETEXT, &v, &r, f);
	if (err == ADY_OK)
		t->err = strcmp(PQcmdTuples(r), "1") == 0 ? ADY_OK : ADY_E_CONFLICT;
	PQclear(r);
	return err;
}

static enum ady_err do_retext(struct ady_pg_job *j, struct ady_pg_conn *c, struct ady_fault *f)
{
	enum ady_err err = ady_pg_exec(c, "BEGIN", f);

	for (size_t i = 0; err == ADY_OK && i < j->n; i++)
		err = retext_in(c, &j->texts[i], f);
	return ady_pg_job_end(j, c, err, f);
}

enum ady_err ady_pg_retext(struct ady_records *r, size_t worker, struct ady_records_text *all,
                           size_t n, struct ady_fault *f)
{
	struct ady_pg_job j = {.fn = do_retext, .texts = all, .n = n};

	return ady_pg_job_run(r, worker, &j, f);
}

static enum ady_err do_note(struct ady_pg_job *j, struct ady_pg_conn *c, struct ady_fault *f)
{
	struct ady_pg_values v = {0};
	PGresult *r;
	enum ady_err err;

	ady_pg_text(&v, j->id);
	err = ady_pg_run(c, ADY_PG_NOTE, &v, &r, f);
	if (err == ADY_OK && PQntuples(r) == 1)
		ady_dyn_put(j->note, PQgetvalue(r, 0, 0), (size_t)PQgetlength(r, 0, 0));
	else if (err == ADY_OK)
		err = ady_fail(f, ADY_E_NOT_FOUND, NULL, "there is no such note");
	PQclear(r);
	return err;
}

enum ady_err ady_pg_note(struct ady_records *r, size_t worker, const char *name,
                         struct ady_dyn *out, struct ady_fault *f)
{
	struct ady_pg_job j = {.fn = do_note, .id = name, .note = out};

	return ady_pg_job_run(r, worker, &j, f);
}

static enum ady_err do_set_note(struct ady_pg_job *j, struct ady_pg_conn *c, struct ady_fault *f)
{
	struct ady_pg_values v = {0};

	ady_pg_text(&v, j->id);
	ady_pg_bytes(&v, j->text);
	return ady_pg_do(c, ADY_PG_SET_NOTE, &v, f);
}

enum ady_err ady_pg_set_note(struct ady_records *r, size_t worker, const char *name,
                             struct ady_bytes text, struct ady_fault *f)
{
	struct ady_pg_job j = {.fn = do_set_note, .id = name, .text = text};

	return ady_pg_job_run(r, worker, &j, f);
}

static enum ady_err do_notes(struct ady_pg_job *j, struct ady_pg_conn *c, struct ady_fault *f)
{
	struct ady_pg_values v = {0};
	PGresult *r;
	enum ady_err err = ady_pg_run(c, ADY_PG_NOTES, &v, &r, f);

	for (int i = 0; err == ADY_OK && i < PQntuples(r); i++) {
		char name[ADY_KEY_ID_MAX + 1];

		snprintf(name, sizeof name, "%.*s", PQgetlength(r, i, 0), PQgetvalue(r, i, 0));
		j->each_note(j->ctx, name,
		             ady_bytes(PQgetvalue(r, i, 1), (size_t)PQgetlength(r, i, 1)));
	}
	PQclear(r);
	return err;
}

enum ady_err ady_pg_notes(struct ady_records *r, size_t worker, ady_records_each_note each,
                          void *ctx, struct ady_fault *f)
{
	struct ady_pg_job j = {.fn = do_notes, .each_note = each, .ctx = ctx};

	return ady_pg_job_run(r, worker, &j, f);
}
