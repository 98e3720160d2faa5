/* SPDX-License-Identifier: Apache-2.0
 *
 * The store over a PostgreSQL of this test's own, which another gateway and an administrator change
 * meanwhile. */
#include <stdio.h>
#include <unistd.h>

#include "gateway/store.h"
#include "pg_server.h"
#include "store/postgres.h"

#include "fakes.h"

enum { KEYS = 600, HOUR_MS = 3600000 };

static struct ady_gateway_config config;
static struct ady_store *store;
static struct ady_records *other; /* another gateway's */
static struct ady_loop *loop;
static pthread_t loop_thread;

/* An entry of the public key 0x02 79be.., whose ciphertext is version. */
static struct ady_entry entry(const char *id, int version)
{
	struct ady_entry e = {0};
	struct ady_fault f = {0};
	char text[512];

	snprintf(
	    text, sizeof text,
	    "{\"adyton\":1,\"wrapping\":\"direct\",\"id\":\"%s\",\"tenant\":\"t\",\"curve\":"
	    "\"secp256k1\",\"public_key\":\"0x0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f"
	    "2815b16f81798\",\"ciphertext\":\"%04d\",\"created\":1000}",
	    id, version);
	CHECK_ERR(ady_entry_read(&e, id, ady_bytes_str(text), &f), ADY_OK);
	return e;
}

static void create(const char *id, int version)
{
	struct ady_entry e = entry(id, version), *list = &e;
	struct ady_fault f = {0};

	if (!CHECK_ERR(ady_records_create(other, 0, &list, 1, &f), ADY_OK))
		fprintf(stderr, "    %s\n", f.detail);
	ady_entry_clear(&e);
}

/* An empty database, with n keys; the store follows it. */
static void begin(int n, const char *members)
{
	struct ady_fault f = {0};
	char text[512], id[32];

	(void)pg_ask("SET client_min_messages = error; DROP TABLE IF EXISTS adyton_record,"
	             " adyton_tenant_key, adyton_note, adyton_schema");
	CHECK_ERR(ady_postgres_open(&other, pg_conninfo, 1, &f), ADY_OK);
	for (int i = 0; i < n; i++) {
		snprintf(id, sizeof id, "key-%d", i);
		create(id, 1);
	}
	snprintf(text, sizeof text,
	         "{\"listen\":[\"tcp:127.0.0.1:0\"],\"enclave\":\"unix:/e\",\"aws\":{\"region\":"
	         "\"r\"},\"store\":{\"postgres\":\"%s\",%s}}",
	         pg_conninfo, members);
	CHECK_ERR(ady_gateway_config_parse(&config, ady_bytes_str(text), &f), ADY_OK);
	CHECK_ERR(ady_loop_open(&loop), ADY_OK);
	CHECK_ERR(ady_store_open(&store, &config, NULL, &f), ADY_OK);
	pthread_create(&loop_thread, NULL, fake_loop_main, loop);
}

static void end(void)
{
	ady_store_close(store);
	ady_loop_stop(loop);
	pthread_join(loop_thread, NULL);
	ady_loop_close(loop);
	ady_records_close(other);
	ady_gateway_config_clear(&config);
}

struct wait {
	struct ady_store_wait w;
	_Atomic bool done;
};

static void on_done(struct ady_store_wait *w)
{
	atomic_store(&((struct wait *)w)->done, true);
}

/* What a key is: its version, -1 disabled, else the negative error. */
static int ask(const char *id)
{
	struct wait wait = {.w.loop = loop, .w.done = on_done};
	struct ady_stored *r;
	int version = -1;

	if (ady_store_get(store, ady_bytes_str(id), 0, &r, &wait.w) == ADY_E_AGAIN) {
		WAIT_FOR(atomic_load(&wait.done));
		r = wait.w.record;
	}
	if (!r)
		return -(int)wait.w.fault.err;
	if (!r->disabled)
		CHECK(sscanf(strstr((const char *)r->text.p, "ciphertext") + 13, "%4d", &version) ==
		      1);
	ady_stored_unref(r);
	return version;
}

static struct ady_store_report report(void)
{
	struct ady_store_report r;

	ady_store_report(store, &r);
	return r;
}

#define LONG "\"cache_ms\":3600000"

CASE(all_records_are_copied_and_nothing_is_asked_any_more)
{
	char id[32];

	begin(KEYS, LONG);
	WAIT_FOR(report().copies == KEYS);
	for (int i = 0; i < KEYS; i++) {
		snprintf(id, sizeof id, "key-%d", i);
		CHECK_INT(ask(id), 1);
	}
	CHECK_INT(report().fetches, 0);
	CHECK_INT(report().hits, KEYS);
	CHECK_INT(ask("none"), -ADY_E_NOT_FOUND);
	CHECK_INT(report().fetches, 1);
	end();
}

/* Within an hour's cache_ms: only what is told can make the difference. */
CASE(what_another_gateway_changes_is_served_as_it_is)
{
	const struct ady_records_change off = {.set_disabled = true, .disabled = true};
	const struct ady_records_change on = {.set_disabled = true};
	const struct ady_records_change bin = {.set_deletion = true, .deletion_s = 1};
	struct ady_entry out = {0}, e = entry("key-1", 2);
	struct ady_fault f = {0};

	begin(3, LONG);
	WAIT_FOR(report().copies == 3);
	CHECK_ERR(ady_records_change(other, 0, "key-0", NULL, &off, &out, &f), ADY_OK);
	WAIT_FOR(ask("key-0") == -1);
	ady_entry_clear(&out);
	CHECK_ERR(ady_records_change(other, 0, "key-0", NULL, &on, &out, &f), ADY_OK);
	WAIT_FOR(ask("key-0") == 1);
	ady_entry_clear(&out);
	CHECK_ERR(ady_records_replace(other, 0, &e, NULL, &f), ADY_OK);
	WAIT_FOR(ask("key-1") == 2);
	CHECK_ERR(ady_records_change(other, 0, "key-2", NULL, &bin, &out, &f), ADY_OK);
	WAIT_FOR(ask("key-2") == -ADY_E_NOT_FOUND);
	create("new", 7);
	WAIT_FOR(ask("new") == 7);
	ady_entry_clear(&out);
	ady_entry_clear(&e);
	end();
}

/* Hex in capitals is not packed: the cache has that record, for an hour if nothing is told. */
CASE(a_record_that_is_not_copied_is_told_of_as_well)
{
	begin(2, LONG);
	WAIT_FOR(report().copies == 2);
	(void)pg_ask("UPDATE adyton_record SET text = replace(convert_from(text, 'UTF8'),"
	             " '79be667ef9dcbbac', '79BE667EF9DCBBAC')::bytea WHERE id = 'key-0'");
	WAIT_FOR(report().copies == 1);
	CHECK_INT(ask("key-0"), 1);
	CHECK_INT(ask("key-0"), 1);
	CHECK_INT(report().fetches, 1);
	(void)pg_ask("UPDATE adyton_record SET disabled = true WHERE id = 'key-0'");
	WAIT_FOR(ask("key-0") == -1);
	end();
}

/* No key was asked for before: none of them is in the cache. */
CASE(a_table_that_is_emptied_is_told_as_well)
{
	begin(3, LONG);
	WAIT_FOR(report().copies == 3);
	(void)pg_ask("TRUNCATE adyton_record");
	WAIT_FOR(report().copies == 0);
	CHECK_INT(ask("key-1"), -ADY_E_NOT_FOUND);
	end();
}

/* A copy is as good as new after a change: it is read again, and not asked for. */
CASE(what_was_changed_or_made_is_copied_again)
{
	uint64_t before;

	begin(1, LONG);
	WAIT_FOR(report().copies == 1);
	for (int i = 0; i < 5000; i++) {
		char id[32];

		snprintf(id, sizeof id, "more-%d", i);
		if (i == 0)
			(void)pg_ask(
			    "INSERT INTO adyton_record SELECT 'other-' || n, tenant, curve,"
			    " public_key, address, label, disabled, revision, created,"
			    " deletion, replace(convert_from(text, 'UTF8'), 'key-0',"
			    " 'other-' || n)::bytea FROM adyton_record,"
			    " generate_series(0, 4999) n WHERE id = 'key-0'");
		if (i % 500 == 0)
			create(id, i % 9999);
	}
	WAIT_FOR(report().copies == 1 + 5000 + 10);
	before = report().fetches;
	CHECK_INT(ask("other-4999"), 1);
	CHECK_INT(ask("more-4500"), 4500);
	CHECK_INT(report().fetches, before);
	end();
}

CASE(a_change_of_ones_own_is_served_at_once)
{
	struct ady_entry e = entry("key-0", 2);
	struct ady_fault f = {0};

	begin(1, LONG);
	for (int i = 2; i < 30; i++) {
		WAIT_FOR(report().copies == 1);
		snprintf(strstr((char *)e.text.p, "ciphertext") + 13, 5, "%04d", i);
		*(strstr((char *)e.text.p, "ciphertext") + 17) = '"';
		CHECK_ERR(ady_records_replace(other, 0, &e, NULL, &f), ADY_OK);
		ady_store_forget(store, &e);
		CHECK_INT(ask("key-0"), i);
	}
	ady_entry_clear(&e);
	end();
}

/* The database is changed while nobody listens. */
CASE(a_connection_that_was_cut_is_made_anew_and_all_is_read_again)
{
	begin(3, LONG);
	WAIT_FOR(report().copies == 3);
	(void)pg_ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
	             " WHERE application_name = 'adyton';"
	             "SET session_replication_role = replica;"
	             "ALTER TABLE adyton_record DISABLE TRIGGER adyton_record_changed;"
	             "UPDATE adyton_record SET disabled = true WHERE id = 'key-0';"
	             "DELETE FROM adyton_record WHERE id = 'key-2';"
	             "ALTER TABLE adyton_record ENABLE ALWAYS TRIGGER adyton_record_changed");
	WAIT_FOR(ask("key-0") == -1);
	WAIT_FOR(ask("key-2") == -ADY_E_NOT_FOUND);
	CHECK_INT(ask("key-1"), 1);
	end();
}

CASE(where_nothing_is_told_no_copy_is_older_than_cache_ms)
{
	begin(1, "\"cache_ms\":1000");
	WAIT_FOR(report().copies == 1);
	CHECK_INT(ask("key-0"), 1);
	CHECK_INT(pg_server("stop", "immediate"), 0);
	sleep_ms(1000);
	CHECK_INT(ask("key-0"), -ADY_E_STORE);
	CHECK_INT(pg_server("start", ""), 0);
	WAIT_FOR(ask("key-0") == 1);
	WAIT_FOR(report().copies >= 1);
	end();
}

CASE(what_was_fetched_before_a_reload_is_not_served)
{
	struct wait wait = {.w.loop = loop, .w.done = on_done};
	struct ady_stored *r = NULL;
	int64_t now;

	begin(1, LONG);
	wait.w.loop = loop;
	WAIT_FOR(report().copies == 1);
	now = ady_mono_ms();
	if (ady_store_get(store, ady_bytes_str("key-0"), now, &r, &wait.w) == ADY_E_AGAIN) {
		WAIT_FOR(atomic_load(&wait.done));
		r = wait.w.record;
	}
	CHECK(r && r->fetched_ms >= now);
	ady_stored_unref(r);
	end();
}

CASE(where_nothing_may_be_kept_nothing_is_copied)
{
	static const char *const members[] = {"\"cache_ms\":0", LONG ",\"copy_mib\":0"};

	for (size_t i = 0; i < 2; i++) {
		begin(1, members[i]);
		CHECK_INT(ask("key-0"), 1);
		CHECK_INT(report().fetches, 1);
		CHECK_STR(pg_ask("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%NOTIFY%'"
		                 " AND application_name = 'adyton'"),
		          "0");
		end();
	}
}

CASE(a_store_that_is_followed)
{
	test_skip("PostgreSQL is not installed; left out: copies of its records");
}

int main(void)
{
	int status;

	if (!mkdtemp(pg_folder))
		return 1;
	status = pg_server("start", "");
	if (status == 77) {
		RUN(a_store_that_is_followed);
		return test_end();
	}
	if (!CHECK_INT(status, 0))
		return 1;
	RUN(all_records_are_copied_and_nothing_is_asked_any_more);
	RUN(what_another_gateway_changes_is_served_as_it_is);
	RUN(a_record_that_is_not_copied_is_told_of_as_well);
	RUN(a_table_that_is_emptied_is_told_as_well);
	RUN(what_was_changed_or_made_is_copied_again);
	RUN(a_change_of_ones_own_is_served_at_once);
	RUN(a_connection_that_was_cut_is_made_anew_and_all_is_read_again);
	RUN(where_nothing_is_told_no_copy_is_older_than_cache_ms);
	RUN(what_was_fetched_before_a_reload_is_not_served);
	RUN(where_nothing_may_be_kept_nothing_is_copied);
	pg_end();
	return test_end();
}
