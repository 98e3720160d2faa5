/* SPDX-License-Identifier: Apache-2.0
 *
 * Against a real server of this test's own (tests/lib/postgres.sh). */
#include "store/postgres.h"

#include <libpq-fe.h>

#include "suite.h"

static char folder[] = "/tmp/ady-pg-XXXXXX", conninfo[128];

/* Run the script; its output, if any is wanted, goes to out. */
static int script(const char *arguments, char *out, size_t cap)
{
	char command[256];
	FILE *p;
	size_t n;

	snprintf(command, sizeof command, "exec tests/lib/postgres.sh %s", arguments);
	p = popen(command, "r"); /* NOLINT(cert-env33-c): a test starts its server */
	if (!p)
		return -1;
	n = out ? fread(out, 1, cap - 1, p) : 0;
	if (out)
		out[n > 0 && out[n - 1] == '\n' ? n - 1 : n] = '\0';
	return pclose(p) >> 8;
}

static int server(const char *what, const char *mode)
{
	char arguments[96];

	snprintf(arguments, sizeof arguments, "%s %s %s", what, folder, mode);
	return script(arguments, strcmp(what, "start") == 0 ? conninfo : NULL, sizeof conninfo);
}

static void sql(const char *text)
{
	PGconn *pg = PQconnectdb(conninfo);
	PGresult *r = PQexec(pg, text);

	if (!CHECK(PQresultStatus(r) == PGRES_COMMAND_OK || PQresultStatus(r) == PGRES_TUPLES_OK))
		fprintf(stderr, "    %s\n", PQerrorMessage(pg));
	PQclear(r);
	PQfinish(pg);
}

static struct ady_records *open_server(bool fresh)
{
	struct ady_fault f = {0};
	struct ady_records *r;

	if (fresh)
		sql("SET client_min_messages = error; DROP TABLE IF EXISTS adyton_record,"
		    " adyton_tenant_key, adyton_note, adyton_schema");
	if (!CHECK_ERR(ady_postgres_open(&r, conninfo, SUITE_WORKERS, &f), ADY_OK))
		fprintf(stderr, "    %s\n", f.detail);
	return r;
}

static void *opener(void *arg)
{
	struct ady_fault f = {0};
	struct ady_records *r;

	(void)arg;
	if (!CHECK_ERR(ady_postgres_open(&r, conninfo, 1, &f), ADY_OK))
		fprintf(stderr, "    %s\n", f.detail);
	ady_records_close(r);
	return NULL;
}

CASE(of_several_who_start_at_once_one_makes_the_schema)
{
	pthread_t threads[8];

	records = open_server(true);
	suite_end();
	sql("DROP TABLE adyton_record, adyton_tenant_key, adyton_note, adyton_schema");
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
	sql("UPDATE adyton_schema SET version = 99");
	CHECK_ERR(ady_postgres_open(&r, conninfo, 1, &f), ADY_E_STORE);
	CHECK_STR(f.where, "store.postgres");
	CHECK(strstr(f.detail, "schema 99") != NULL);
}

/* The first version had no notes. What is in the tables stays; the programs that know the old
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
	sql("DROP TABLE adyton_note; UPDATE adyton_schema SET version = 1");
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
	sql("DO $$ BEGIN IF (SELECT version FROM adyton_schema) <> 2 THEN RAISE 'version'; END IF; "
	    "END $$");
	suite_end();
}

/* What cannot be migrated is left as it was: here a table of that name is there already. */
CASE(a_migration_that_fails_changes_nothing)
{
	struct ady_fault f = {0};
	struct ady_records *r = open_server(true);

	ady_records_close(r);
	sql("UPDATE adyton_schema SET version = 1");
	CHECK_ERR(ady_postgres_open(&r, conninfo, 1, &f), ADY_E_STORE);
	CHECK(strstr(f.detail, "adyton_note") != NULL);
	sql("DROP TABLE adyton_note");
	CHECK_ERR(ady_postgres_open(&r, conninfo, 1, &f), ADY_OK);
	ady_records_close(r);
}

CASE(a_crash_of_the_server_loses_nothing_that_was_acknowledged)
{
	struct ady_entry e = {0};
	struct ady_fault f = {0};

	records = open_server(true);
	suite_put("before", "acme", 0);
	CHECK_INT(server("stop", "immediate"), 0);
	CHECK_INT(server("start", ""), 0);
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
	CHECK_INT(server("stop", "fast"), 0);
	CHECK_ERR(ady_records_probe(records, 1, &f), ADY_E_STORE);
	CHECK(strstr(f.detail, "PostgreSQL: ") != NULL);
	began = ady_mono_ms();
	CHECK_ERR(ady_records_get(records, 0, "a", &e, &f), ADY_E_STORE);
	CHECK(ady_mono_ms() - began < 30000);
	CHECK_INT(server("start", ""), 0);
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
CASE(records_in_postgresql)
{
	test_skip("PostgreSQL is not installed; left out: the store's whole suite on it");
}

int main(void)
{
	static const struct suite s = {.open = open_server, .keeps_deletion = true};
	int status;

	if (!mkdtemp(folder))
		return 1;
	status = server("start", "");
	if (status == 77) {
		RUN(records_in_postgresql);
		return test_end();
	}
	if (!CHECK_INT(status, 0))
		return 1;
	suite_run(&s);
	RUN(of_several_who_start_at_once_one_makes_the_schema);
	RUN(a_schema_of_a_later_version_is_refused);
	RUN(a_schema_of_an_earlier_version_becomes_this_one);
	RUN(a_migration_that_fails_changes_nothing);
	RUN(a_crash_of_the_server_loses_nothing_that_was_acknowledged);
	RUN(while_the_server_is_away_calls_fail_with_the_reason_and_work_when_it_is_back);
	RUN(what_cannot_be_reached_is_refused);
	(void)server("stop", "immediate");
	snprintf(conninfo, sizeof conninfo, "rm -rf %s", folder);
	(void)!system(conninfo); /* NOLINT(cert-env33-c): a folder of the test's own */
	return test_end();
}
