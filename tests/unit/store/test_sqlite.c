/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "suite.h"

static char folder[] = "/tmp/ady-sqlite-XXXXXX", path[64];

static void remove_files(void)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	char name[80];

	for (size_t i = 0; i < 3; i++) {
		snprintf(name, sizeof name, "%s%s", path, ends[i]);
		(void)unlink(name);
	}
}

static struct ady_records *open_file(bool fresh)
{
	struct ady_fault f = {0};
	struct ady_records *r;

	if (fresh)
		remove_files();
	if (!CHECK_ERR(ady_sqlite_open(&r, path, SUITE_WORKERS, &f), ADY_OK))
		fprintf(stderr, "    %s\n", f.detail);
	return r;
}

CASE(the_file_is_its_owners_alone)
{
	struct stat st;

	records = open_file(true);
	CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
	suite_end();
}

CASE(many_are_created_all_or_none)
{
	struct ady_entry e[3] = {suite_entry("a", "t", 0, 1, NULL),
	                         suite_entry("b", "t", 1, 1, NULL),
	                         suite_entry("a", "t", 2, 1, NULL)};
	struct ady_entry *list[3] = {&e[0], &e[1], &e[2]};
	struct ady_fault f = {0};

	records = open_file(true);
	CHECK_ERR(ady_records_create(records, 0, list, 3, &f), ADY_E_EXISTS);
	CHECK_STR(suite_list((struct ady_records_query){0}), "");
	CHECK_ERR(ady_records_create(records, 0, list, 2, &f), ADY_OK);
	CHECK_STR(suite_list((struct ady_records_query){0}), "a b ");
	for (size_t i = 0; i < 3; i++)
		ady_entry_clear(&e[i]);
	suite_end();
}

/* Another process comes and goes while this one has the file open: whoever closes last takes the
 * WAL away, and must see that others are there. */
CASE(other_processes_come_and_go)
{
	struct ady_records *other;
	struct ady_fault f = {0};
	struct ady_entry e = {0};
	int status = -1;

	records = open_file(true);
	suite_put("ours", "t", 0);
	if (fork() == 0) {
		execl("/proc/self/exe", "test_sqlite", path, (char *)NULL);
		_exit(2);
	}
	CHECK(wait(&status) > 0 && status == 0);
	suite_put("ours2", "t", 2);
	CHECK_ERR(ady_records_get(records, 1, "theirs", &e, &f), ADY_OK);
	ady_entry_clear(&e);
	CHECK_ERR(ady_sqlite_open(&other, path, 1, &f), ADY_OK);
	CHECK_ERR(ady_records_get(other, 0, "ours2", &e, &f), ADY_OK);
	ady_entry_clear(&e);
	ady_records_close(other);
	suite_end();
}

CASE(a_file_of_a_later_version_is_refused)
{
	struct ady_records *r;
	struct ady_fault f = {0};
	sqlite3 *db;

	records = open_file(true);
	suite_end();
	CHECK(sqlite3_open(path, &db) == SQLITE_OK);
	CHECK(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL) == SQLITE_OK);
	sqlite3_close(db);
	CHECK_ERR(ady_sqlite_open(&r, path, 1, &f), ADY_E_STORE);
	CHECK_STR(f.where, "store.sqlite");
	CHECK(strstr(f.detail, "schema 99") != NULL);
}

CASE(what_is_no_database_is_refused)
{
	struct ady_records *r;
	struct ady_fault f = {0};
	FILE *file;

	remove_files();
	file = fopen(path, "w");
	fputs("this is a text of more than sixteen bytes, and no database of any kind\n", file);
	fclose(file);
	CHECK_ERR(ady_sqlite_open(&r, path, 1, &f), ADY_E_STORE);
	CHECK(strstr(f.detail, "not a database") != NULL);
	CHECK_ERR(ady_sqlite_open(&r, "/nowhere/x", 1, &f), ADY_E_STORE);
	CHECK(strstr(f.detail, "/nowhere/x") != NULL);
}

static void change_file(const char *sql)
{
	sqlite3 *db;

	CHECK(sqlite3_open(path, &db) == SQLITE_OK);
	CHECK(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
	sqlite3_close(db);
}

/* Another program counts its versions, too. */
CASE(a_file_with_other_tables_is_refused)
{
	struct ady_records *r;
	struct ady_fault f = {0};

	remove_files();
	change_file("CREATE TABLE record (name TEXT); PRAGMA user_version = 2");
	CHECK_ERR(ady_sqlite_open(&r, path, 1, &f), ADY_E_STORE);
	CHECK_STR(f.where, "store.sqlite");
	CHECK(strstr(f.detail, "no such column") || strstr(f.detail, "no such table"));
}

CASE(tables_that_go_while_the_file_is_open_are_an_error)
{
	struct ady_records_query q = {.limit = 1};
	struct ady_fault f = {0};
	struct ady_entry e = {0};

	records = open_file(true);
	suite_put("a", "t", 0);
	change_file("DROP TABLE record");
	CHECK_ERR(ady_records_get(records, 0, "a", &e, &f), ADY_E_STORE);
	CHECK(strstr(f.detail, "no such table: record") != NULL);
	CHECK_ERR(ady_records_list(records, 0, &q, suite_each, NULL, &f), ADY_E_STORE);
	CHECK(strstr(f.detail, "no such table: record") != NULL);
	suite_end();
}

/* The first version had no notes. */
CASE(a_file_of_an_earlier_version_becomes_this_one)
{
	struct ady_entry e = {0};
	struct ady_fault f = {0};
	struct ady_dyn note = {0};
	sqlite3_stmt *stmt = NULL;
	sqlite3 *db;

	records = open_file(true);
	suite_put("old", "acme", 3);
	suite_end();
	change_file("DROP TABLE note; PRAGMA user_version = 1");
	records = open_file(false);
	CHECK_ERR(ady_records_get(records, 0, "old", &e, &f), ADY_OK);
	CHECK_STR(e.tenant, "acme");
	ady_entry_clear(&e);
	CHECK_ERR(ady_records_set_note(records, 0, "n", ady_bytes_str("{}"), &f), ADY_OK);
	CHECK_ERR(ady_records_note(records, 0, "n", &note, &f), ADY_OK);
	CHECK_STR(ady_dyn_cstr(&note), "{}");
	ady_dyn_free(&note);
	suite_end();
	CHECK(sqlite3_open(path, &db) == SQLITE_OK);
	CHECK(sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &stmt, NULL) == SQLITE_OK);
	CHECK(sqlite3_step(stmt) == SQLITE_ROW);
	CHECK_INT(sqlite3_column_int(stmt, 0), 2);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
}

CASE(a_migration_that_fails_changes_nothing)
{
	struct ady_fault f = {0};
	struct ady_records *r;

	records = open_file(true);
	suite_end();
	change_file("PRAGMA user_version = 1"); /* the table of version 2 is there already */
	CHECK_ERR(ady_sqlite_open(&r, path, 1, &f), ADY_E_STORE);
	CHECK(strstr(f.detail, "note already exists") != NULL);
	change_file("DROP TABLE note");
	records = open_file(false);
	suite_end();
}

/* What the other process does. */
static int visit(const char *file)
{
	struct ady_entry made = suite_entry("theirs", "t", 1, 1, NULL), *list = &made;
	struct ady_records *r;
	struct ady_fault f = {0};
	bool ok = ady_sqlite_open(&r, file, 2, &f) == ADY_OK &&
	          ady_records_create(r, 0, &list, 1, &f) == ADY_OK;

	ady_records_close(r);
	ady_entry_clear(&made);
	return ok ? 0 : 1;
}

int main(int argc, char **argv)
{
	static const struct suite s = {.open = open_file, .keeps_deletion = true};

	if (argc > 1)
		return visit(argv[1]);
	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof path, "%s/keys.sqlite", folder);
	suite_run(&s);
	RUN(the_file_is_its_owners_alone);
	RUN(many_are_created_all_or_none);
	RUN(other_processes_come_and_go);
	RUN(a_file_of_a_later_version_is_refused);
	RUN(a_file_of_an_earlier_version_becomes_this_one);
	RUN(a_migration_that_fails_changes_nothing);
	RUN(what_is_no_database_is_refused);
	RUN(a_file_with_other_tables_is_refused);
	RUN(tables_that_go_while_the_file_is_open_are_an_error);
	remove_files();
	(void)rmdir(folder);
	return test_end();
}
