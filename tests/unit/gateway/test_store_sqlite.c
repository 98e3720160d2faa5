/* SPDX-License-Identifier: Apache-2.0
 *
 * The store over SQLite, whose records threads read for themselves. */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/store.h"
#include "store/sqlite.h"

#include "test.h"

static char folder[] = "/tmp/ady-store-XXXXXX", path[64];
static struct ady_gateway_config config;
static struct ady_store *store;
static struct ady_records *records; /* as another program has it open */
static uint8_t address[20];

static void open_all(int threads)
{
	static const char record[] =
	    "{\"adyton\":1,\"wrapping\":\"direct\",\"id\":\"a\",\"tenant\":\"t\",\"curve\":"
	    "\"secp256k1\",\"public_key\":\"0x0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f"
	    "2815b16f81798\",\"ciphertext\":\"AAAA\"}";
	struct ady_entry e = {0};
	struct ady_fault f = {0};
	char text[512];

	snprintf(text, sizeof text,
	         "{\"listen\":[\"tcp:127.0.0.1:0\"],\"enclave\":\"unix:/e\",\"threads\":%d,"
	         "\"aws\":{\"region\":\"r\"},\"store\":{\"sqlite\":\"%s\"}}",
	         threads, path);
	CHECK_ERR(ady_gateway_config_parse(&config, ady_bytes_str(text), &f), ADY_OK);
	CHECK_ERR(ady_store_open(&store, &config, NULL, &f), ADY_OK);
	CHECK_ERR(ady_sqlite_open(&records, path, 1, &f), ADY_OK);
	CHECK_ERR(ady_entry_read(&e, "a", ady_bytes_str(record), &f), ADY_OK);
	memcpy(address, e.address, sizeof address);
	CHECK_ERR(ady_sqlite_upsert(records, 0, &e, &f), ADY_OK);
	ady_entry_clear(&e);
}

static void close_all(void)
{
	ady_store_close(store);
	ady_records_close(records);
	ady_gateway_config_clear(&config);
}

CASE(records_are_read_by_who_asks)
{
	struct ady_store_wait w = {0};
	struct ady_store_report report;
	struct ady_stored *r, *again;

	open_all(1);
	CHECK_ERR(ady_store_get(store, ady_bytes_str("a"), 0, &r, &w), ADY_OK);
	CHECK(r && ady_bytes_is(r->name, "a"));
	CHECK_STR(r->tenant, "t");
	CHECK_ERR(ady_store_get(store, ady_bytes_str("a"), 0, &again, &w), ADY_OK);
	CHECK(again == r);
	ady_stored_unref(r);
	ady_stored_unref(again);
	CHECK_ERR(ady_store_get(store, ady_bytes_str("arn:aws:secretsmanager:r:1:secret:a-AbCdEf"),
	                        0, &r, &w),
	          ADY_OK);
	ady_stored_unref(r);
	CHECK_ERR(ady_store_get(store, ady_bytes_str("b"), 0, &r, &w), ADY_E_NOT_FOUND);
	CHECK(!r);
	CHECK_ERR(w.fault.err, ADY_E_NOT_FOUND);
	ady_store_report(store, &report);
	CHECK_STR(report.kind, "sqlite");
	CHECK_INT(report.fetches, 2);
	CHECK(report.known && report.ok);
	close_all();
}

CASE(keys_are_found_by_address_and_public_key_of_a_tenant)
{
	struct ady_store_wait w = {0};
	struct ady_stored *r;
	uint8_t pub[33];

	open_all(1);
	CHECK_ERR(ady_store_find_address(store, address, NULL, 0, &r, &w), ADY_OK);
	memcpy(pub, r->public_key.p, sizeof pub);
	ady_stored_unref(r);
	CHECK_ERR(ady_store_find_address(store, address, "t", 0, &r, &w), ADY_OK);
	ady_stored_unref(r);
	CHECK_ERR(ady_store_find_address(store, address, "u", 0, &r, &w), ADY_E_NOT_FOUND);
	CHECK_ERR(ady_store_find_public_key(store, ady_bytes(pub, 33), "t", 0, &r, &w), ADY_OK);
	ady_stored_unref(r);
	CHECK_ERR(ady_store_find_public_key(store, ady_bytes(pub, 0), "t", 0, &r, &w),
	          ADY_E_NOT_FOUND);
	close_all();
}

CASE(what_was_changed_here_is_read_anew)
{
	const struct ady_records_change off = {.set_disabled = true, .disabled = true};
	struct ady_store_wait w = {0};
	struct ady_entry e = {0};
	struct ady_fault f = {0};
	struct ady_stored *r;

	open_all(1);
	CHECK_ERR(ady_store_find_address(store, address, "t", 0, &r, &w), ADY_OK);
	ady_stored_unref(r);
	CHECK_ERR(ady_records_change(records, 0, "a", NULL, &off, &e, &f), ADY_OK);
	CHECK_ERR(ady_store_find_address(store, address, "t", 0, &r, &w), ADY_OK);
	CHECK(!r->disabled); /* the copy has not aged */
	ady_stored_unref(r);
	ady_store_forget(store, &e);
	CHECK_ERR(ady_store_find_address(store, address, "t", 0, &r, &w), ADY_OK);
	CHECK(r->disabled);
	ady_stored_unref(r);
	ady_entry_clear(&e);
	close_all();
}

enum { THREADS = 4, ROUNDS = 20000 };

static struct ady_loop *loop;
static _Atomic int waited;

static void on_done(struct ady_store_wait *w)
{
	ady_stored_unref(w->record);
	free(w);
	atomic_fetch_add(&waited, 1);
}

/* Ask for one key and forget it, over and over: some wait for what others fetch. */
static void *asker(void *arg)
{
	struct ady_entry e = {.id = "a", .tenant = "t"};

	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		struct ady_store_wait *w = calloc(1, sizeof *w);
		struct ady_stored *r;
		enum ady_err err;

		w->loop = loop;
		w->done = on_done;
		err = ady_store_get(store, ady_bytes_str("a"), 0, &r, w);
		if (err == ADY_E_AGAIN)
			continue;
		if (err == ADY_E_BUSY) { /* as many wait as may */
			free(w);
			usleep(1000);
			i--;
			continue;
		}
		CHECK_ERR(err, ADY_OK);
		ady_stored_unref(r);
		free(w);
		if (i % 3 == 0)
			ady_store_forget(store, &e);
		atomic_fetch_add(&waited, 1);
	}
	return NULL;
}

static void *loop_main(void *arg)
{
	ady_loop_run(arg);
	return NULL;
}

CASE(several_threads_share_what_one_reads)
{
	pthread_t threads[THREADS], runner;

	open_all(3); /* one has no connection of its own */
	CHECK_ERR(ady_loop_open(&loop), ADY_OK);
	pthread_create(&runner, NULL, loop_main, loop);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, asker, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 2000 && atomic_load(&waited) < THREADS * ROUNDS; i++)
		usleep(5000);
	CHECK_INT(atomic_load(&waited), THREADS * ROUNDS);
	ady_store_close(store);
	store = NULL;
	ady_loop_stop(loop);
	pthread_join(runner, NULL);
	ady_loop_close(loop);
	close_all();
}

int main(void)
{
	char command[96];

	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof path, "%s/keys.sqlite", folder);
	RUN(records_are_read_by_who_asks);
	RUN(keys_are_found_by_address_and_public_key_of_a_tenant);
	RUN(what_was_changed_here_is_read_anew);
	RUN(several_threads_share_what_one_reads);
	snprintf(command, sizeof command, "rm -rf %s", folder);
	(void)!system(command); /* NOLINT(cert-env33-c): a folder of the test's own */
	return test_end();
}
