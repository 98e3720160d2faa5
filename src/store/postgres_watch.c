/* SPDX-License-Identifier: Apache-2.0
 *
 * Changes of records as PostgreSQL tells them (NOTIFY by triggers of the table, in the order of
 * their commits). That all were heard until some time is known when a notice of one's own comes
 * back, asked for at that time: a server that is away does not bring that back either. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "crypto/rng.h"
#include "store/postgres_job.h"

enum { PAUSE_MS = 200 }; /* how long it takes at most to see that an end is wanted */

struct watching {
	struct ady_pg_conn *conn;
	unsigned made; /* the connection that listens, and no later one of conn */
	const struct ady_records_watcher *w;
	char channel[40]; /* of our own */
	uint64_t asked;   /* how often it was asked for */
	int64_t asked_ms, due_ms;
};

static enum ady_err listen_to(struct watching *t, struct ady_fault *f)
{
	char sql[128];
	uint8_t name[8];

	ady_random(name, sizeof name);
	snprintf(t->channel, sizeof t->channel, "adyton_sure_%016llx",
	         (unsigned long long)ady_be64(name));
	snprintf(sql, sizeof sql, "LISTEN adyton_record; LISTEN %s", t->channel);
	return ady_pg_exec(t->conn, sql, f);
}

static enum ady_err ask(struct watching *t, struct ady_fault *f)
{
	char sql[128];

	t->asked_ms = ady_mono_ms();
	t->due_ms = t->asked_ms + t->w->sure_every_ms;
	snprintf(sql, sizeof sql, "NOTIFY %s, '%llu'", t->channel, (unsigned long long)++t->asked);
	return ady_pg_exec(t->conn, sql, f);
}

static void hear(struct watching *t, const PGnotify *notice)
{
	if (strcmp(notice->relname, t->channel) != 0)
		t->w->changed(t->w->ctx, notice->extra);
	else if (strtoull(notice->extra, NULL, 10) == t->asked)
		t->w->sure(t->w->ctx, t->asked_ms);
}

static enum ady_err hear_all(struct watching *t, struct ady_fault *f)
{
	PGnotify *notice;

	if (!PQconsumeInput(t->conn->pg))
		return ady_pg_lost(t->conn, f);
	while ((notice = PQnotifies(t->conn->pg)) != NULL) {
		hear(t, notice);
		PQfreemem(notice);
	}
	return ADY_OK;
}

/* What the watcher does meanwhile may have found the connection broken, and made another. */
static enum ady_err rest(const struct watching *t, struct ady_fault *f)
{
	int64_t ms = t->w->idle(t->w->ctx), left = t->due_ms - ady_mono_ms();
	struct pollfd fd = {.events = POLLIN};

	if (ady_pg_is_broken(t->conn) || t->conn->made != t->made)
		return ady_fail(f, ADY_E_STORE, NULL, "PostgreSQL: the connection was lost");
	if (ms > left)
		ms = left;
	if (ms > PAUSE_MS)
		ms = PAUSE_MS;
	fd.fd = PQsocket(t->conn->pg);
	if (ms > 0)
		(void)poll(&fd, 1, (int)ms);
	return ADY_OK;
}

enum ady_err ady_pg_watch(struct ady_records *r, size_t worker, const struct ady_records_watcher *w,
                          struct ady_fault *f)
{
	struct watching t = {.conn = ady_pg_conn_of(r, worker), .w = w};
	enum ady_err err = ady_pg_connect(t.conn, f);

	if (err == ADY_OK)
		err = listen_to(&t, f);
	t.made = t.conn->made;
	if (err == ADY_OK)
		w->begun(w->ctx);
	while (err == ADY_OK && !(r->stop && atomic_load(r->stop))) {
		if (ady_mono_ms() >= t.due_ms)
			err = ask(&t, f);
		if (err == ADY_OK)
			err = hear_all(&t, f);
		if (err == ADY_OK)
			err = rest(&t, f);
	}
	ady_pg_disconnect(t.conn);
	return err;
}
