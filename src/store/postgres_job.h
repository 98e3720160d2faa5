/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the PostgreSQL store share: one call as a job. Internal to postgres.c,
 * postgres_notes.c and postgres_watch.c. */
#ifndef ADY_STORE_POSTGRES_JOB_H
#define ADY_STORE_POSTGRES_JOB_H

#include "store/postgres_db.h"

/* One call, done again on a new connection when the old one had broken before anything was changed.
 */
struct ady_pg_job {
	enum ady_err (*fn)(struct ady_pg_job *j, struct ady_pg_conn *c, struct ady_fault *f);
	bool committing; /* whether the change was made is not known if the connection breaks now */
	const char *id, *revision, *tenant;
	struct ady_entry *entry;
	struct ady_entry *const *list;
	size_t n;
	const struct ady_records_change *change;
	const struct ady_records_query *query;
	ady_records_each each;
	void *ctx;
	char *out;
	int64_t now_s;
	struct ady_records_text *texts;
	struct ady_dyn *note;
	struct ady_bytes text;
	ady_records_each_note each_note;
	struct ady_records_get *gets;
};

/* Do it. Blocks. Returns what fn returns, or ADY_E_STORE. */
enum ady_err ady_pg_job_run(struct ady_records *r, size_t worker, struct ady_pg_job *j,
                            struct ady_fault *f);

/* End a transaction of a job: commit when err is ADY_OK. Returns err, or why that failed. */
enum ady_err ady_pg_job_end(struct ady_pg_job *j, struct ady_pg_conn *c, enum ady_err err,
                            struct ady_fault *f);

/* The connection of a worker. */
struct ady_pg_conn *ady_pg_conn_of(struct ady_records *r, size_t worker);

/* The functions of the store that are in postgres_notes.c and postgres_watch.c; see struct
 * ady_records_ops. */
enum ady_err ady_pg_retext(struct ady_records *r, size_t worker, struct ady_records_text *all,
                           size_t n, struct ady_fault *f);

/* See ady_pg_retext. */
enum ady_err ady_pg_note(struct ady_records *r, size_t worker, const char *name,
                         struct ady_dyn *out, struct ady_fault *f);

/* See ady_pg_retext. */
enum ady_err ady_pg_set_note(struct ady_records *r, size_t worker, const char *name,
                             struct ady_bytes text, struct ady_fault *f);

/* See ady_pg_retext. */
enum ady_err ady_pg_notes(struct ady_records *r, size_t worker, ady_records_each_note each,
                          void *ctx, struct ady_fault *f);

/* See ady_pg_retext. */
enum ady_err ady_pg_watch(struct ady_records *r, size_t worker, const struct ady_records_watcher *w,
                          struct ady_fault *f);

#endif
