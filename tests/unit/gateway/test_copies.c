/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/copies.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "test.h"

enum { MANY = 20000 };

static struct ady_copies *copies;
static struct ady_copies_mark mark;

/* An entry whose ciphertext begins with version. */
static struct ady_entry entry(const char *id, unsigned version)
{
	struct ady_entry e = {0};

	snprintf(e.id, sizeof e.id, "%s", id);
	snprintf(e.tenant, sizeof e.tenant, "%s", "acme");
	snprintf(e.curve, sizeof e.curve, "%s", "ed25519");
	e.public_key_n = 32;
	ady_dyn_printf(&e.text,
	               "{\"adyton\":1,\"wrapping\":\"envelope\",\"id\":\"%s\",\"tenant\":\"acme\","
	               "\"curve\":\"ed25519\",\"public_key\":\"0x%064d\",\"data_key\":\"BQYH\","
	               "\"ciphertext\":\"%08u%072d\"}",
	               id, 0, version, 0);
	return e;
}

static enum ady_err put(const char *id, unsigned version)
{
	struct ady_entry e = entry(id, version);
	enum ady_err err = ady_copies_put(copies, &e, &mark);

	ady_entry_clear(&e);
	return err;
}

/* The version of the copy of an id, which must be whole; -1: there is none. */
static int version_of(const char *id)
{
	struct ady_stored *r = ady_copies_get(copies, ady_bytes_str(id), 77);
	unsigned version = 0;
	struct ady_entry e;

	if (!r)
		return -1;
	CHECK(sscanf(strstr((const char *)r->text.p, "\"ciphertext\":\"") + 14, "%8u", &version) ==
	      1);
	e = entry(id, version);
	CHECK(ady_bytes_eq(r->text, ady_dyn_bytes(&e.text)));
	CHECK(ady_bytes_is(r->name, id) && r->public_key.n == 32);
	CHECK_STR(r->tenant, "acme");
	CHECK_STR(r->curve, "ed25519");
	CHECK(r->fetched_ms == 77 && !r->disabled && r->deletion_s == 0);
	ady_stored_unref(r);
	ady_entry_clear(&e);
	return (int)version;
}

static uint64_t count(void)
{
	uint64_t n, bytes;

	ady_copies_size(copies, &n, &bytes);
	return n;
}

static void begin(size_t bytes)
{
	CHECK_ERR(ady_copies_open(&copies, bytes), ADY_OK);
	ady_copies_mark(copies, &mark);
}

CASE(a_copy_is_there_until_it_is_removed_or_replaced)
{
	begin(1 << 20);
	CHECK_INT(version_of("a"), -1);
	CHECK_ERR(put("a", 1), ADY_OK);
	CHECK_ERR(put("b", 1), ADY_OK);
	CHECK_INT(version_of("a"), 1);
	CHECK_ERR(put("a", 2), ADY_OK);
	CHECK_INT(version_of("a"), 2);
	CHECK_INT(count(), 2);
	ady_copies_remove(copies, ady_bytes_str("a"));
	ady_copies_remove(copies, ady_bytes_str("none"));
	CHECK_INT(version_of("a"), -1);
	CHECK_INT(version_of("b"), 1);
	ady_copies_clear(copies);
	CHECK_INT(version_of("b"), -1);
	CHECK_INT(count(), 0);
	ady_copies_close(copies);
}

/* It was read before the change that removed it, perhaps: it must not come back. */
CASE(what_was_read_before_a_removal_is_not_put)
{
	begin(1 << 20);
	CHECK_ERR(put("a", 1), ADY_OK);
	ady_copies_remove(copies, ady_bytes_str("a"));
	CHECK_ERR(put("a", 1), ADY_E_AGAIN);
	CHECK_INT(version_of("a"), -1);
	ady_copies_mark(copies, &mark);
	CHECK_ERR(put("a", 2), ADY_OK);
	CHECK_INT(version_of("a"), 2);
	ady_copies_clear(copies);
	CHECK_ERR(put("a", 2), ADY_E_AGAIN);
	CHECK_INT(version_of("a"), -1);
	ady_copies_close(copies);
}

CASE(a_copy_goes_when_its_key_is_disabled_or_to_be_deleted)
{
	struct ady_entry e = entry("a", 2);

	begin(1 << 20);
	CHECK_ERR(put("a", 1), ADY_OK);
	e.disabled = true;
	CHECK_ERR(ady_copies_put(copies, &e, &mark), ADY_OK);
	CHECK_INT(version_of("a"), -1);
	CHECK_ERR(put("a", 3), ADY_OK);
	e.disabled = false;
	e.deletion_s = 1;
	CHECK_ERR(ady_copies_put(copies, &e, &mark), ADY_OK);
	CHECK_INT(version_of("a"), -1);
	e.deletion_s = 0;
	CHECK_ERR(ady_copies_put(copies, &e, &mark), ADY_OK);
	CHECK_INT(version_of("a"), 2);
	e.text.n--; /* what cannot be packed any more */
	e.text.p[e.text.n - 1] = 'x';
	memmove(e.text.p, e.text.p + 8, e.text.n -= 8);
	memset(strstr((char *)e.text.p, "ciphertext"), 'x', 10);
	CHECK_ERR(ady_copies_put(copies, &e, &mark), ADY_OK);
	CHECK_INT(version_of("a"), -1);
	CHECK_INT(count(), 0);
	ady_entry_clear(&e);
	ady_copies_close(copies);
}

static const char *name(unsigned i)
{
	static char id[32];

	snprintf(id, sizeof id, "key-%u", i);
	return id;
}

/* Blocks and slots grow, and what was removed or replaced makes room. */
CASE(many_are_found_and_replaced_over_and_over)
{
	uint64_t n, bytes;

	begin(8 << 20);
	for (unsigned i = 0; i < MANY; i++)
		CHECK_ERR(put(name(i), i), ADY_OK);
	for (unsigned round = 1; round < 8; round++) {
		for (unsigned i = 0; i < MANY; i += 3)
			ady_copies_remove(copies, ady_bytes_str(name(i)));
		ady_copies_mark(copies, &mark);
		for (unsigned i = 1; i < MANY; i += 2)
			CHECK_ERR(put(name(i), i + round), ADY_OK);
	}
	for (unsigned i = 0; i < MANY; i++)
		CHECK_INT(version_of(name(i)), i % 2 ? (int)i + 7 : i % 3 ? (int)i : -1);
	ady_copies_size(copies, &n, &bytes);
	CHECK_INT(n, MANY - (MANY + 5) / 6);
	CHECK(bytes <= 8 << 20);
	ady_copies_close(copies);
}

CASE(a_full_table_takes_no_more_and_keeps_what_it_has)
{
	uint64_t n, bytes;
	size_t refused = 0;

	begin(1 << 20);
	for (unsigned i = 0; i < MANY; i++)
		refused += put(name(i), i) == ADY_E_TOO_LARGE;
	ady_copies_size(copies, &n, &bytes);
	CHECK_INT(n + refused, MANY);
	CHECK(refused > 0 && bytes <= 1 << 20 && n > 5000);
	for (unsigned i = 0; i < MANY; i++) {
		n -= version_of(name(i)) == (int)i;
		ady_copies_remove(copies, ady_bytes_str(name(i)));
	}
	CHECK_INT(n, 0);
	CHECK_INT(count(), 0);
	ady_copies_mark(copies, &mark);
	CHECK_ERR(put("after", 1), ADY_OK);
	CHECK_INT(version_of("after"), 1);
	for (unsigned i = 0; i < MANY; i++) /* as many as before, where what was removed lay */
		(void)put(name(i), i);
	CHECK(count() >= MANY - refused);
	ady_copies_close(copies);
}

static atomic_bool ends;

static void *reader(void *arg)
{
	size_t *found = arg;
	char id[32];

	for (unsigned i = 0; !atomic_load(&ends); i++) {
		snprintf(id, sizeof id, "key-%u", i % 500);
		*found += version_of(id) >= 0;
		if (i % 50 == 0)
			ady_copies_remove(copies, ady_bytes_str(id));
	}
	return NULL;
}

CASE(threads_read_and_remove_while_one_writes)
{
	size_t found[2] = {0};
	pthread_t threads[2];

	begin(1 << 20);
	for (size_t i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, reader, &found[i]);
	for (unsigned i = 0; i < 50000; i++) {
		if (i % 64 == 0)
			ady_copies_mark(copies, &mark);
		(void)put(name(i % 500), i);
		if (i % 10000 == 0)
			ady_copies_clear(copies);
	}
	atomic_store(&ends, true);
	for (size_t i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	ady_copies_close(copies);
}

int main(void)
{
	RUN(a_copy_is_there_until_it_is_removed_or_replaced);
	RUN(what_was_read_before_a_removal_is_not_put);
	RUN(a_copy_goes_when_its_key_is_disabled_or_to_be_deleted);
	RUN(many_are_found_and_replaced_over_and_over);
	RUN(a_full_table_takes_no_more_and_keeps_what_it_has);
	RUN(threads_read_and_remove_while_one_writes);
	return test_end();
}
