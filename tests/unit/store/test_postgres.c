/* SPDX-License-Identifier: Apache-2.0
 *
 * Against a real server of this test's own (tests/lib/postgres.sh). */
#include "store/postgres.h"

#include "pg_server.h"
#include "suite.h"

static struct ady_records *open_server(bool fresh)
{
	struct ady_fault f = {0};
	struct ady_records *r;

	if (fresh)
		(void)pg_ask("SET client_min_messages = error; DROP TABLE IF EXISTS adyton_record,"
		             " adyton_tenant_key, adyton_note, adyton_schema");
	if (!CHECK_ERR(ady_postgres_open(&r, pg_conninfo, SUITE_WORKERS, &f), ADY_OK))
		fprintf(stderr, "    %s\n", f.detail);
	return r;
}

static void *opener(void *arg)
{
	struct ady_fault f = {0};
	struct ady_records *r;

	(void)arg;
	if (!CHECK_ERR(ady_postgres_open(&r, pg_conninfo, 1, &f), ADY_OK))
		fprintf(stderr, "    %s\n", f.detail);
	ady_records_close(r);
	return NULL;
}

CASE(of_several_who_start_at_once_one_makes_the_schema)
{
	pthread_t threads[8];

	records = open_server(true);
	suite_end();
	(void)pg_ask("DROP TABLE adyton_record, adyton_tenant_key, adyton_note, adyton_schema");
	for (size_t i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, opener, NULL);
	for (size_t i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
}

CASE(a_schema_of_a_later_version_is_refused)
{
	struct ady_fault f = {0};
	struct ady_records *r = open_server(true);

	ady_records_close(r);
	(void)pg_ask("UPDATE adyton_schema SET version = 99");
	CHECK_ERR(ady_postgres_open(&r, pg_conninfo, 1, &f), ADY_E_STORE);
	CHECK_STR(f.where, "store.postgres");
	CHECK(strstr(f.detail, "schema 99") != NULL);
}

/* Version 2 told nothing of changes, and the first version had no notes. */
#define TO_VERSION_2                       \
	"SET client_min_messages = error;" \
	"DROP FUNCTION adyton_record_changed CASCADE; UPDATE adyton_schema SET version = 2;"
#define TO_VERSION_1 TO_VERSION_2 "DROP TABLE adyton_note; UPDATE adyton_schema SET version = 1"

/* What is in the tables stays; the programs that know the old
 * schema only, and start later, are refused by the case above. */
CASE(a_schema_of_an_earlier_version_becomes_this_one)
{
	struct ady_entry e = {0};
	struct ady_fault f = {0};
	struct ady_dyn note = {0};
	pthread_t threads[4];

	records = open_server(true);
	suite_put("old", "acme", 3);
	suite_end();
	(void)pg_ask(TO_VERSION_1);
	for (size_t i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, opener, NULL);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	records = open_server(false);
	CHECK_ERR(ady_records_get(records, 0, "old", &e, &f), ADY_OK);
	CHECK_STR(e.tenant, "acme");
	ady_entry_clear(&e);
	CHECK_ERR(ady_records_set_note(records, 0, "n", ady_bytes_str("{}"), &f), ADY_OK);
	CHECK_ERR(ady_records_note(records, 0, "n", &note, &f), ADY_OK);
	CHECK_STR(ady_dyn_cstr(&note), "{}");
	ady_dyn_free(&note);
	CHECK_STR(pg_ask("SELECT version FROM adyton_schema"), "3");
	suite_end();
}

/* What cannot be migrated is left as it was: here a table of that name is there already. */
CASE(a_migration_that_fails_changes_nothing)
{
	struct ady_fault f = {0};
	struct ady_records *r = open_server(true);

	ady_records_close(r);
	(void)pg_ask(TO_VERSION_2 "UPDATE adyton_schema SET version = 1");
	CHECK_ERR(ady_postgres_open(&r, pg_conninfo, 1, &f), ADY_E_STORE);
	CHECK(strstr(f.detail, "adyton_note") != NULL);
	(void)pg_ask("DROP TABLE adyton_note");
	CHECK_ERR(ady_postgres_open(&r, pg_conninfo, 1, &f), ADY_OK);
	ady_records_close(r);
}

CASE(a_crash_of_the_server_loses_nothing_that_was_acknowledged)
{
	struct ady_entry e = {0};
	struct ady_fault f = {0};

	records = open_server(true);
	suite_put("before", "acme", 0);
	CHECK_INT(pg_server("stop", "immediate"), 0);
	CHECK_INT(pg_server("start", ""), 0);
	if (!CHECK_ERR(ady_records_get(records, 0, "before", &e, &f), ADY_OK))
		fprintf(stderr, "    %s\n", f.detail);
	ady_entry_clear(&e);
	suite_put("after", "acme", 1);
	CHECK_STR(suite_list((struct ady_records_query){0}), "after before ");
	suite_end();
}

CASE(while_the_server_is_away_calls_fail_with_the_reason_and_work_when_it_is_back)
{
	struct ady_entry e = {0};
	struct ady_fault f = {0};
	int64_t began;

	records = open_server(true);
	suite_put("a", "acme", 0);
	CHECK_INT(pg_server("stop", "fast"), 0);
	CHECK_ERR(ady_records_probe(records, 1, &f), ADY_E_STORE);
	CHECK(strstr(f.detail, "PostgreSQL: ") != NULL);
	began = ady_mono_ms();
	CHECK_ERR(ady_records_get(records, 0, "a", &e, &f), ADY_E_STORE);
	CHECK(ady_mono_ms() - began < 30000);
	CHECK_INT(pg_server("start", ""), 0);
	for (int i = 0; i < 600 && ady_records_get(records, 0, "a", &e, &f) != ADY_OK; i++)
		usleep(50000);
	CHECK_STR(e.id, "a");
	ady_entry_clear(&e);
	suite_end();
}

CASE(what_cannot_be_reached_is_refused)
{
	struct ady_records *r;
	struct ady_fault f = {0};

	CHECK_ERR(ady_postgres_open(&r, "host=/nowhere port=1", 1, &f), ADY_E_STORE);
	CHECK(strstr(f.detail, "/nowhere") != NULL);
	CHECK_ERR(ady_postgres_open(&r, "nonsense=1", 1, &f), ADY_E_STORE);
	CHECK(strstr(f.detail, "nonsense") != NULL);
}

/* Without a server there is nothing to test. */
/* What a watcher was told. */
struct told {
	char ids[512];
	int begun, sure;
	const char *const *steps; /* SQL, one after another */
	atomic_bool stop;
};

static void on_begun(void *ctx)
{
	((struct told *)ctx)->begun++;
}

static void on_changed(void *ctx, const char *id)
{
	struct told *t = ctx;
	size_t n = strlen(t->ids);

	snprintf(t->ids + n, sizeof t->ids - n, "%s,", id);
}

/* What was committed before is told by now: a step further, or the end. */
static void on_sure(void *ctx, int64_t until_ms)
{
	struct told *t = ctx;

	CHECK(until_ms <= ady_mono_ms() && ady_mono_ms() - until_ms < 60000);
	if (++t->sure > 1 && *t->steps)
		(void)pg_ask(*t->steps++);
	else if (t->sure > 1)
		atomic_store(&t->stop, true);
}

static int64_t on_idle(void *ctx)
{
	(void)ctx;
	return 1000;
}

static enum ady_err watch(struct told *t, const char *const *steps, struct ady_fault *f)
{
	const struct ady_records_watcher w = {.ctx = t,
	                                      .begun = on_begun,
	                                      .changed = on_changed,
	                                      .sure = on_sure,
	                                      .idle = on_idle,
	                                      .sure_every_ms = 20};

	*t = (struct told){.steps = steps};
	records->stop = &t->stop;
	return ady_records_watch(records, 0, &w, f);
}

/* Each step waits until the store says that all was told: the last is told as well then. */
CASE(changes_are_told_in_their_order_whoever_makes_them)
{
	static const char *const steps[] = {
	    "UPDATE adyton_record SET disabled = true WHERE id = 'b'",
	    "UPDATE adyton_record SET revision = revision + 1",
	    "DELETE FROM adyton_record WHERE id = 'a'",
	    "BEGIN; UPDATE adyton_record SET label = 'x'; ROLLBACK",
	    "INSERT INTO adyton_record SELECT 'c', tenant, curve, public_key, address, label,"
	    " disabled, revision, created, deletion, text FROM adyton_record WHERE id = 'b'",
	    "SET session_replication_role = replica; DELETE FROM adyton_record WHERE id = 'b'",
	    "TRUNCATE adyton_record",
	    NULL,
	};
	struct ady_fault f = {0};
	struct told t;

	records = open_server(true);
	suite_put("a", "acme", 0);
	suite_put("b", "acme", 1);
	CHECK_ERR(watch(&t, steps, &f), ADY_OK);
	CHECK_INT(t.begun, 1);
	CHECK_STR(t.ids, "b,a,b,a,c,b,,");
	suite_end();
}

/* Whether the server ends it or another connection has taken its place meanwhile. */
CASE(what_is_told_no_more_is_an_error)
{
	static const char *const steps[] = {
	    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ="
	    " 'adyton'",
	    NULL,
	};
	struct ady_fault f = {0};
	struct told t;

	records = open_server(true);
	CHECK_ERR(watch(&t, steps, &f), ADY_E_STORE);
	CHECK(strstr(f.detail, "PostgreSQL: ") != NULL);
	CHECK_ERR(watch(&t, steps + 1, &f), ADY_OK);
	suite_end();
}

CASE(a_schema_that_told_nothing_is_brought_to_this_version)
{
	static const char *const steps[] = {"DELETE FROM adyton_record WHERE id = 'old'", NULL};
	struct ady_fault f = {0};
	struct told t;

	records = open_server(true);
	suite_put("old", "acme", 0);
	suite_end();
	(void)pg_ask(TO_VERSION_2);
	records = open_server(false);
	CHECK_STR(pg_ask("SELECT version FROM adyton_schema"), "3");
	CHECK_ERR(watch(&t, steps, &f), ADY_OK);
	CHECK_STR(t.ids, "old,");
	suite_end();
}

CASE(records_in_postgresql)
{
	test_skip("PostgreSQL is not installed; left out: the store's whole suite on it");
}

int main(void)
{
	static const struct suite s = {.open = open_server, .keeps_deletion = true};
	int status;

	if (!mkdtemp(pg_folder))
		return 1;
	status = pg_server("start", "");
	if (status == 77) {
		RUN(records_in_postgresql);
		return test_end();
	}
	if (!CHECK_INT(status, 0))
		return 1;
	suite_run(&s);
	RUN(changes_are_told_in_their_order_whoever_makes_them);
	RUN(what_is_told_no_more_is_an_error);
	RUN(a_schema_that_told_nothing_is_brought_to_this_version);
	RUN(of_several_who_start_at_once_one_makes_the_schema);
	RUN(a_schema_of_a_later_version_is_refused);
	RUN(a_schema_of_an_earlier_version_becomes_this_one);
	RUN(a_migration_that_fails_changes_nothing);
	RUN(a_crash_of_the_server_loses_nothing_that_was_acknowledged);
	RUN(while_the_server_is_away_calls_fail_with_the_reason_and_work_when_it_is_back);
	RUN(what_cannot_be_reached_is_refused);
	pg_end();
	return test_end();
}
