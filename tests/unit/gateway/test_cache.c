/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cache.h"

#include "test.h"

static struct ady_bytes id_of(char *space, size_t i)
{
	snprintf(space, 32, "key-%zu", i);
	return ady_bytes_str(space);
}

static struct ady_stored *stored(struct ady_bytes id, const char *text)
{
	struct ady_entry e = {0};
	struct ady_stored *r;

	ady_bytes_to_str(e.id, sizeof e.id, id);
	ady_dyn_str(&e.text, text);
	r = ady_stored_new(&e);
	ady_entry_clear(&e);
	return r;
}

static void put(struct ady_cache *c, size_t i, const char *text)
{
	char space[32];
	struct ady_bytes id = id_of(space, i);
	struct ady_cache_entry *e = ady_cache_lock(c, id);

	ady_cache_fill(c, e, stored(id, text), NULL, 1);
	ady_cache_unlock(c, e);
}

static bool has(struct ady_cache *c, size_t i)
{
	char space[32];
	struct ady_cache_entry *e = ady_cache_lock(c, id_of(space, i));
	bool found = e->record != NULL;

	ady_cache_unlock(c, e);
	return found;
}

CASE(records_are_found_and_replaced)
{
	struct ady_cache *c;
	uint64_t entries, bytes;

	CHECK_ERR(ady_cache_open(&c, 0, 0), ADY_OK);
	put(c, 1, "one");
	put(c, 2, "two");
	put(c, 1, "other");
	CHECK(has(c, 1) && has(c, 2));
	ady_cache_size(c, &entries, &bytes);
	CHECK_INT(entries, 2);
	/* Two entries with their ids, records, names, texts and two empty texts. */
	CHECK_INT(bytes, 2 * (sizeof(struct ady_cache_entry) + sizeof(struct ady_stored)) +
	                     2 * (6 + 5 + 2) + 3 + 5);
	CHECK(!has(c, 3));
	ady_cache_close(c);
}

CASE(the_number_of_entries_is_bounded)
{
	struct ady_cache *c;
	uint64_t entries, bytes;

	CHECK_ERR(ady_cache_open(&c, 160, 0), ADY_OK);
	for (size_t i = 0; i < 5000; i++)
		put(c, i, "x");
	ady_cache_size(c, &entries, &bytes);
	CHECK(entries <= 160 && entries >= 100);
	CHECK(bytes >= entries * (sizeof(struct ady_cache_entry) + sizeof(struct ady_stored)));
	CHECK(has(c, 4999) && !has(c, 0));
	ady_cache_close(c);
}

CASE(the_bytes_are_bounded)
{
	struct ady_cache *c;
	uint64_t entries, bytes;
	char text[101] = {0};

	memset(text, 'x', 100);
	CHECK_ERR(ady_cache_open(&c, 0, 64000), ADY_OK);
	for (size_t i = 0; i < 1000; i++)
		put(c, i, text);
	ady_cache_size(c, &entries, &bytes);
	CHECK(bytes <= 64000 && bytes >= 40000);
	ady_cache_close(c);
}

CASE(what_is_used_stays_and_what_is_fetched_is_pinned)
{
	struct ady_cache *c;
	char space[32];
	struct ady_cache_entry *pinned;

	CHECK_ERR(ady_cache_open(&c, 160, 0), ADY_OK);
	put(c, 0, "used");
	pinned = ady_cache_lock(c, id_of(space, 1));
	pinned->fetching = true;
	ady_cache_unlock(c, pinned);
	for (size_t i = 2; i < 5000; i++) {
		put(c, i, "x");
		CHECK(has(c, 0));
	}
	CHECK(ady_cache_lock(c, id_of(space, 1)) == pinned);
	ady_cache_unlock(c, pinned);
	ady_cache_relock(c, pinned);
	ady_cache_fill(c, pinned, NULL, &(struct ady_fault){.err = ADY_E_NOT_FOUND}, 5);
	CHECK(!pinned->fetching && pinned->fault && pinned->fault->err == ADY_E_NOT_FOUND);
	ady_cache_unlock(c, pinned);
	ady_cache_close(c);
}

CASE(a_reference_outlives_its_entry)
{
	struct ady_cache *c;
	char space[32];
	struct ady_cache_entry *e;
	struct ady_stored *r;

	CHECK_ERR(ady_cache_open(&c, 0, 0), ADY_OK);
	put(c, 1, "kept");
	e = ady_cache_lock(c, id_of(space, 1));
	r = e->record;
	ady_stored_ref(r);
	ady_cache_unlock(c, e);
	ady_cache_close(c);
	CHECK(ady_bytes_is(r->text, "kept") && ady_bytes_is(r->name, "key-1"));
	ady_stored_unref(r);
}

CASE(what_is_forgotten_is_gone_and_what_is_being_fetched_then_is_used_once)
{
	struct ady_cache *c;
	char space[32];
	struct ady_cache_entry *e;

	CHECK_ERR(ady_cache_open(&c, 0, 0), ADY_OK);
	put(c, 1, "old");
	ady_cache_forget(c, id_of(space, 1));
	CHECK(!has(c, 1));
	e = ady_cache_lock(c, id_of(space, 2));
	e->fetching = true;
	ady_cache_unlock(c, e);
	ady_cache_forget(c, id_of(space, 2));
	ady_cache_relock(c, e);
	ady_cache_fill(c, e, stored(id_of(space, 2), "old"), NULL, INT64_MAX);
	CHECK(e->record && e->until_ms == 0 && !e->stale);
	ady_cache_unlock(c, e);
	ady_cache_close(c);
}

int main(void)
{
	RUN(records_are_found_and_replaced);
	RUN(the_number_of_entries_is_bounded);
	RUN(the_bytes_are_bounded);
	RUN(what_is_used_stays_and_what_is_fetched_is_pinned);
	RUN(what_is_forgotten_is_gone_and_what_is_being_fetched_then_is_used_once);
	RUN(a_reference_outlives_its_entry);
	return test_end();
}
