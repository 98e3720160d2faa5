/* SPDX-License-Identifier: Apache-2.0
 *
 * What every store of records must do, whatever it is made of. A test program opens one and calls
 * suite_run; cases that a store cannot have are left out by its flags. */
#ifndef ADY_TEST_STORE_SUITE_H
#define ADY_TEST_STORE_SUITE_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "chain/eth_tx.h"
#include "crypto/rng.h"
#include "crypto/secp.h"
#include "store/records.h"

#include "test.h"

#define SUITE static __attribute__((unused))

enum { SUITE_WORKERS = 4 };

/* What the suite runs against, set by the program. */
struct suite {
	/* Open the store again, as another program would; fresh: it is empty. */
	struct ady_records *(*open)(bool fresh);
	bool one_revision;   /* label, disabled and deletion have no revision of their own */
	bool keeps_deletion; /* a deletion that is due at once can be asked for */
};

static const struct suite *suite;
static struct ady_records *records;

/* The public key of the private key n + 1, compressed. */
SUITE void suite_public(uint8_t pub33[static 33], unsigned n)
{
	struct ady_seckey key = {0};
	struct ady_secp *secp;
	uint8_t pub65[65];

	key.b[28] = (uint8_t)((n + 1) >> 24);
	key.b[29] = (uint8_t)((n + 1) >> 16);
	key.b[30] = (uint8_t)((n + 1) >> 8);
	key.b[31] = (uint8_t)(n + 1);
	CHECK_ERR(ady_secp_open(&secp), ADY_OK);
	CHECK_ERR(ady_secp_public(secp, pub65, &key), ADY_OK);
	ady_secp_close(secp);
	ady_secp_compress(pub33, pub65);
}

/* An entry of key n under id. data_key: base64, or NULL. */
SUITE struct ady_entry suite_entry(const char *id, const char *tenant, unsigned n, int64_t created,
                                   const char *data_key)
{
	struct ady_entry e = {0};
	struct ady_fault f = {0};
	char text[2048], hex[67];
	uint8_t pub33[33];
	struct ady_buf b = ady_buf(text, sizeof text);

	suite_public(pub33, n);
	ady_hex_encode(hex, ady_bytes(pub33, 33));
	ady_buf_printf(&b,
	               "{\"adyton\":1,\"wrapping\":\"%s\",\"id\":\"%s\",\"tenant\":\"%s\","
	               "\"curve\":\"secp256k1\",\"public_key\":\"0x%s\",\"ciphertext\":\"AAAA\"",
	               data_key ? "envelope" : "direct", id, tenant, hex);
	if (data_key)
		ady_buf_printf(&b, ",\"data_key\":\"%s\"", data_key);
	if (created)
		ady_buf_printf(&b, ",\"created\":%lld", (long long)created);
	ady_buf_str(&b, "}");
	CHECK_ERR(ady_entry_read(&e, id, ady_buf_bytes(&b), &f), ADY_OK);
	return e;
}

SUITE void suite_put(const char *id, const char *tenant, unsigned n)
{
	struct ady_entry e = suite_entry(id, tenant, n, 1000 + n, NULL), *list = &e;
	struct ady_fault f = {0};

	if (!CHECK_ERR(ady_records_create(records, 0, &list, 1, &f), ADY_OK))
		fprintf(stderr, "    %s\n", f.detail);
	CHECK(e.revision[0] != '\0');
	ady_entry_clear(&e);
}

/* Ids of a list, each with a space behind it. */
struct suite_ids {
	char text[4096];
	size_t n, texts;
};

SUITE void suite_each(void *ctx, const struct ady_entry *e)
{
	struct suite_ids *ids = ctx;
	size_t at = strlen(ids->text);

	snprintf(ids->text + at, sizeof ids->text - at, "%s ", e->id);
	ids->n++;
	ids->texts += e->text.n > 0;
}

SUITE const char *suite_list(struct ady_records_query q)
{
	static struct suite_ids ids;
	struct ady_fault f = {0};

	ids = (struct suite_ids){0};
	if (q.limit == 0)
		q.limit = 100;
	if (!CHECK_ERR(ady_records_list(records, 1, &q, suite_each, &ids, &f), ADY_OK))
		fprintf(stderr, "    %s\n", f.detail);
	CHECK_ERR(f.err, ADY_OK);
	CHECK(!q.texts || ids.texts == ids.n);
	return ids.text;
}

SUITE enum ady_err suite_change(const char *id, const char *revision,
                                struct ady_records_change change, struct ady_entry *out)
{
	struct ady_fault f = {0};

	return ady_records_change(records, 0, id, revision, &change, out, &f);
}

SUITE void suite_begin(void)
{
	records = suite->open(true);
	CHECK(records != NULL);
}

SUITE void suite_end(void)
{
	ady_records_close(records);
	records = NULL;
}

CASE(what_is_created_is_there_also_for_who_opens_the_store_anew)
{
	struct ady_entry e = {0};
	struct ady_fault f = {0};
	char address[43];

	suite_begin();
	suite_put("alice", "acme", 0);
	suite_end();
	records = suite->open(false);
	CHECK_ERR(ady_records_get(records, 2, "alice", &e, &f), ADY_OK);
	CHECK_STR(e.id, "alice");
	CHECK_STR(e.tenant, "acme");
	CHECK_STR(e.curve, "secp256k1");
	CHECK_STR(e.label, "");
	CHECK(!e.disabled && e.deletion_s == 0 && e.revision[0] && e.text.n > 100);
	CHECK_INT(e.created_s, 1000);
	CHECK_INT(e.public_key_n, 33);
	ady_eth_address_format(address, e.address);
	CHECK(e.has_address);
	CHECK_STR(address, "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf");
	ady_entry_clear(&e);
	CHECK_ERR(ady_records_get(records, 2, "bob", &e, &f), ADY_E_NOT_FOUND);
	CHECK_STR(f.detail, "the store has no such key");
	CHECK_ERR(ady_records_probe(records, 3, &f), ADY_OK);
	suite_end();
}

CASE(an_id_is_given_once)
{
	struct ady_entry e = suite_entry("alice", "other", 1, 5, NULL), *list = &e, got = {0};
	struct ady_fault f = {0};

	suite_begin();
	suite_put("alice", "acme", 0);
	CHECK_ERR(ady_records_create(records, 1, &list, 1, &f), ADY_E_EXISTS);
	CHECK_ERR(ady_records_get(records, 0, "alice", &got, &f), ADY_OK);
	CHECK_STR(got.tenant, "acme");
	ady_entry_clear(&got);
	ady_entry_clear(&e);
	suite_end();
}

CASE(a_record_is_replaced_only_over_the_revision_that_was_seen)
{
	struct ady_entry e = suite_entry("alice", "acme", 7, 9, NULL), got = {0};
	struct ady_fault f = {0};
	char seen[40];

	suite_begin();
	CHECK_ERR(ady_records_replace(records, 0, &e, NULL, &f), ADY_E_NOT_FOUND);
	suite_put("alice", "acme", 0);
	CHECK_ERR(suite_change("alice", NULL,
	                       (struct ady_records_change){.set_label = true, .label = "l"}, &got),
	          ADY_OK);
	snprintf(seen, sizeof seen, "%s", got.revision);
	ady_entry_clear(&got);
	CHECK_ERR(ady_records_replace(records, 0, &e, "0", &f), ADY_E_CONFLICT);
	CHECK_ERR(ady_records_replace(records, 0, &e, seen, &f), ADY_OK);
	CHECK(strcmp(e.revision, seen) != 0);
	CHECK_ERR(ady_records_replace(records, 0, &e, seen, &f), ADY_E_CONFLICT);
	CHECK_ERR(ady_records_get(records, 0, "alice", &got, &f), ADY_OK);
	CHECK(ady_bytes_eq(ady_dyn_bytes(&got.text), ady_dyn_bytes(&e.text)));
	CHECK(memcmp(got.public_key, e.public_key, 33) == 0);
	ady_entry_clear(&got);
	CHECK_STR(suite_list((struct ady_records_query){.label = "l"}), "alice ");
	ady_entry_clear(&e);
	suite_end();
}

CASE(lists_have_pages_an_order_and_filters)
{
	suite_begin();
	suite_put("b/2", "acme", 1);
	suite_put("a", "acme", 0);
	suite_put("c", "beta", 2);
	suite_put("b/1", "beta", 3);
	suite_put("b", "acme", 4);
	suite_put("B", "acme", 5);
	CHECK_STR(suite_list((struct ady_records_query){0}), "B a b b/1 b/2 c ");
	CHECK_STR(suite_list((struct ady_records_query){.texts = true}), "B a b b/1 b/2 c ");
	CHECK_STR(suite_list((struct ady_records_query){.limit = 2}), "B a ");
	CHECK_STR(suite_list((struct ady_records_query){.limit = 2, .after = "a"}), "b b/1 ");
	CHECK_STR(suite_list((struct ady_records_query){.after = "b/15"}), "b/2 c ");
	CHECK_STR(suite_list((struct ady_records_query){.after = "c"}), "");
	CHECK_STR(suite_list((struct ady_records_query){.tenant = "acme"}), "B a b b/2 ");
	CHECK_STR(suite_list((struct ady_records_query){.tenant = "acme", .after = "a"}), "b b/2 ");
	CHECK_STR(suite_list((struct ady_records_query){.tenant = "nobody"}), "");
	CHECK_STR(suite_list((struct ady_records_query){.prefix = "b"}), "b b/1 b/2 ");
	CHECK_STR(suite_list((struct ady_records_query){.prefix = "b/"}), "b/1 b/2 ");
	CHECK_STR(suite_list((struct ady_records_query){.prefix = "b", .after = "b"}), "b/1 b/2 ");
	CHECK_STR(suite_list((struct ady_records_query){.curve = "secp256k1", .limit = 1}), "B ");
	CHECK_STR(suite_list((struct ady_records_query){.curve = "ed25519"}), "");
	suite_end();
}

CASE(keys_are_found_by_address_and_public_key)
{
	struct ady_entry e = suite_entry("x", "x", 3, 1, NULL), out = {0};
	const struct ady_bytes pub = ady_bytes(e.public_key, 33);

	suite_begin();
	suite_put("one", "acme", 3);
	suite_put("other", "acme", 4);
	suite_put("two", "beta", 3);
	CHECK_STR(suite_list((struct ady_records_query){.address = e.address}), "one two ");
	CHECK_STR(suite_list((struct ady_records_query){.public_key = pub}), "one two ");
	CHECK_STR(suite_list((struct ady_records_query){
	              .address = e.address, .tenant = "beta", .texts = true}),
	          "two ");
	CHECK_STR(suite_list((struct ady_records_query){.public_key = pub, .tenant = "nobody"}),
	          "");
	CHECK_ERR(suite_change("one", NULL,
	                       (struct ady_records_change){.set_disabled = true, .disabled = true},
	                       &out),
	          ADY_OK);
	ady_entry_clear(&out);
	CHECK_STR(suite_list((struct ady_records_query){.address = e.address, .limit = 1}), "two ");
	e.address[0] ^= 1;
	CHECK_STR(suite_list((struct ady_records_query){.address = e.address}), "");
	ady_entry_clear(&e);
	suite_end();
}

CASE(keys_are_labelled_disabled_and_enabled)
{
	struct ady_entry e = {0};
	struct ady_fault f = {0};
	char first[40];

	suite_begin();
	suite_put("a", "acme", 0);
	suite_put("b", "acme", 1);
	CHECK_ERR(ady_records_get(records, 0, "a", &e, &f), ADY_OK);
	snprintf(first, sizeof first, "%s", e.revision);
	ady_entry_clear(&e);
	CHECK_ERR(suite_change("a", first,
	                       (struct ady_records_change){.set_label = true,
	                                                   .label = "hot wallet \xc3\xbc",
	                                                   .set_disabled = true,
	                                                   .disabled = true},
	                       &e),
	          ADY_OK);
	CHECK_STR(e.label, "hot wallet \xc3\xbc");
	CHECK(e.disabled && e.text.n > 0);
	CHECK(suite->one_revision || strcmp(e.revision, first) != 0);
	ady_entry_clear(&e);
	CHECK_ERR(suite_change("a", "0", (struct ady_records_change){.set_disabled = true}, &e),
	          ADY_E_CONFLICT);
	CHECK_ERR(suite_change("z", NULL, (struct ady_records_change){.set_disabled = true}, &e),
	          ADY_E_NOT_FOUND);
	CHECK_STR(suite_list((struct ady_records_query){.label = "hot wallet \xc3\xbc"}), "a ");
	CHECK_STR(suite_list((struct ady_records_query){.enabled = ADY_DISABLED_ONLY}), "a ");
	CHECK_STR(suite_list((struct ady_records_query){.enabled = ADY_ENABLED_ONLY}), "b ");
	CHECK_ERR(ady_records_get(records, 1, "a", &e, &f), ADY_OK);
	CHECK(e.disabled);
	ady_entry_clear(&e);
	CHECK_ERR(suite_change("a", NULL, (struct ady_records_change){.set_disabled = true}, &e),
	          ADY_OK);
	CHECK(!e.disabled);
	ady_entry_clear(&e);
	CHECK_STR(suite_list((struct ady_records_query){.enabled = ADY_ENABLED_ONLY}), "a b ");
	suite_end();
}

CASE(a_deletion_is_planned_undone_and_done)
{
	const int64_t now = ady_wall_ms() / 1000;
	struct ady_records_change plan = {.set_deletion = true, .deletion_s = now + 8 * 86400};
	struct ady_entry e = {0};
	struct ady_fault f = {0};

	suite_begin();
	suite_put("a", "acme", 0);
	CHECK_ERR(suite_change("a", NULL, plan, &e), ADY_OK);
	CHECK(e.deletion_s > now + 6 * 86400);
	ady_entry_clear(&e);
	CHECK_STR(suite_list((struct ady_records_query){0}), "a ");
	plan.deletion_s = 0;
	CHECK_ERR(suite_change("a", NULL, plan, &e), ADY_OK);
	CHECK_INT(e.deletion_s, 0);
	ady_entry_clear(&e);
	CHECK_ERR(ady_records_get(records, 0, "a", &e, &f), ADY_OK);
	ady_entry_clear(&e);
	plan.deletion_s = now - 1;
	if (suite->keeps_deletion) {
		CHECK_ERR(suite_change("a", NULL, plan, &e), ADY_OK);
		ady_entry_clear(&e);
		CHECK_ERR(ady_records_get(records, 0, "a", &e, &f), ADY_E_NOT_FOUND);
		CHECK_STR(suite_list((struct ady_records_query){0}), "");
		plan.deletion_s = 0;
		CHECK_ERR(suite_change("a", NULL, plan, &e), ADY_E_NOT_FOUND);
		suite_put("a", "other", 1); /* its id is free */
		plan.deletion_s = now - 1;
		CHECK_ERR(suite_change("a", NULL, plan, &e), ADY_OK);
		ady_entry_clear(&e);
		ady_records_purge(records, 0, now);
		CHECK_ERR(ady_records_get(records, 0, "a", &e, &f), ADY_E_NOT_FOUND);
	}
	suite_end();
}

SUITE void suite_put_envelope(const char *id, const char *tenant, int64_t created,
                              const char *data_key)
{
	struct ady_entry e = suite_entry(id, tenant, 1, created, data_key), *list = &e;
	struct ady_fault f = {0};

	CHECK_ERR(ady_records_create(records, 0, &list, 1, &f), ADY_OK);
	ady_entry_clear(&e);
}

CASE(a_tenants_data_key_is_that_of_its_newest_record)
{
	static char key[ADY_DATA_KEY_MAX + 1];
	struct ady_fault f = {0};

	suite_begin();
	CHECK_ERR(ady_records_data_key(records, 0, "acme", key, &f), ADY_OK);
	CHECK_STR(key, "");
	suite_put_envelope("a", "acme", 100, "Zmlyc3Q=");
	suite_put_envelope("b", "acme", 200, "c2Vjb25k");
	suite_put_envelope("c", "acme", 150, "b2xk");
	suite_put_envelope("d", "beta", 300, "YmV0YQ==");
	CHECK_ERR(ady_records_data_key(records, 1, "acme", key, &f), ADY_OK);
	CHECK_STR(key, "c2Vjb25k");
	CHECK_ERR(ady_records_data_key(records, 1, "beta", key, &f), ADY_OK);
	CHECK_STR(key, "YmV0YQ==");
	CHECK_ERR(ady_records_data_key(records, 1, "bet", key, &f), ADY_OK);
	CHECK_STR(key, "");
	suite_end();
}

CASE(samples_have_a_tenant_and_no_address)
{
	struct ady_entry e = {0}, *list = &e, got = {0};
	struct ady_fault f = {0};

	suite_begin();
	CHECK_ERR(ady_entry_read(&e, "sample", ady_bytes_str("AQIDBA=="), &f), ADY_OK);
	CHECK_ERR(ady_records_create(records, 0, &list, 1, &f), ADY_OK);
	CHECK_ERR(ady_records_get(records, 0, "sample", &got, &f), ADY_OK);
	CHECK_STR(got.tenant, "default");
	CHECK(!got.has_address && got.public_key_n == 0);
	CHECK(ady_bytes_is(ady_dyn_bytes(&got.text), "AQIDBA=="));
	ady_entry_clear(&got);
	ady_entry_clear(&e);
	suite_end();
}

enum { SUITE_EACH = 25 };

SUITE void *suite_writer(void *arg)
{
	const size_t worker = (size_t)(uintptr_t)arg;
	size_t made = 0;

	/* All try the same ids: each is made once. */
	for (unsigned i = 0; i < SUITE_EACH; i++) {
		char id[32];
		struct ady_entry e, *list = &e;
		struct ady_fault f = {0};
		enum ady_err err;

		snprintf(id, sizeof id, "k%02u", i);
		e = suite_entry(id, "acme", i, 1, NULL);
		err = ady_records_create(records, worker, &list, 1, &f);
		if (!CHECK(err == ADY_OK || err == ADY_E_EXISTS))
			fprintf(stderr, "    %s\n", f.detail);
		made += err == ADY_OK;
		ady_entry_clear(&e);
	}
	return (void *)(uintptr_t)made;
}

CASE(of_several_who_create_at_once_one_succeeds)
{
	pthread_t threads[SUITE_WORKERS];
	size_t made = 0;

	suite_begin();
	for (size_t i = 0; i < SUITE_WORKERS; i++)
		pthread_create(&threads[i], NULL, suite_writer, (void *)(uintptr_t)i);
	for (size_t i = 0; i < SUITE_WORKERS; i++) {
		void *n;

		pthread_join(threads[i], &n);
		made += (size_t)(uintptr_t)n;
	}
	CHECK_INT(made, SUITE_EACH);
	suite_end();
}

CASE(texts_are_replaced_together_each_only_over_the_revision_that_was_seen)
{
	struct ady_entry a = {0}, b = {0}, next = suite_entry("a", "acme", 3, 9, NULL), got = {0};
	struct ady_fault f = {0};

	suite_begin();
	suite_put("a", "acme", 0);
	suite_put("b", "acme", 1);
	CHECK_ERR(suite_change("a", NULL,
	                       (struct ady_records_change){.set_disabled = true, .disabled = true},
	                       &a),
	          ADY_OK);
	CHECK_ERR(ady_records_get(records, 0, "b", &b, &f), ADY_OK);
	struct ady_records_text texts[] = {
	    {.id = "a", .revision = a.revision, .text = ady_dyn_bytes(&next.text)},
	    {.id = "b", .revision = "1", .text = ady_dyn_bytes(&b.text)},
	    {.id = "b", .revision = b.revision, .text = ady_dyn_bytes(&b.text)},
	};
	CHECK_ERR(ady_records_retext(records, 1, texts, 3, &f), ADY_OK);
	CHECK_ERR(texts[0].err, ADY_OK);
	CHECK_ERR(texts[1].err, ADY_E_CONFLICT);
	CHECK_ERR(texts[2].err, ADY_OK);
	CHECK_ERR(ady_records_get(records, 0, "a", &got, &f), ADY_OK);
	CHECK(ady_bytes_eq(ady_dyn_bytes(&got.text), ady_dyn_bytes(&next.text)));
	CHECK(got.disabled && strcmp(got.revision, a.revision) != 0);
	CHECK_ERR(ady_records_retext(records, 1, texts, 1, &f), ADY_OK);
	CHECK_ERR(texts[0].err, ADY_E_CONFLICT);
	ady_entry_clear(&a);
	ady_entry_clear(&b);
	ady_entry_clear(&got);
	ady_entry_clear(&next);
	suite_end();
}

SUITE void suite_each_note(void *ctx, const char *name, struct ady_bytes text)
{
	ady_dyn_printf(ctx, "%s=%.*s;", name, (int)text.n, (const char *)text.p);
}

CASE(notes_are_kept_beside_the_records)
{
	struct ady_dyn text = {0};
	struct ady_fault f = {0};

	suite_begin();
	suite_put("k", "acme", 0);
	CHECK_ERR(ady_records_note(records, 0, "x/acme", &text, &f), ADY_E_NOT_FOUND);
	CHECK_ERR(ady_records_set_note(records, 0, "x/acme", ady_bytes_str("{\"a\": 1}"), &f),
	          ADY_OK);
	CHECK_ERR(ady_records_set_note(records, 1, "x/be:ta", ady_bytes_str("two"), &f), ADY_OK);
	CHECK_ERR(ady_records_set_note(records, 1, "x/acme", ady_bytes_str("three"), &f), ADY_OK);
	CHECK_ERR(ady_records_note(records, 2, "x/acme", &text, &f), ADY_OK);
	CHECK_STR(ady_dyn_cstr(&text), "three");
	text.n = 0;
	CHECK_ERR(ady_records_notes(records, 0, suite_each_note, &text, &f), ADY_OK);
	CHECK(strstr(ady_dyn_cstr(&text), "x/acme=three;") != NULL);
	CHECK(strstr(ady_dyn_cstr(&text), "x/be:ta=two;") != NULL);
	CHECK_INT(text.n, strlen("x/acme=three;x/be:ta=two;"));
	CHECK_ERR(ady_records_note(records, 2, "x/be=3Ata", &text, &f), ADY_E_NOT_FOUND);
	CHECK_ERR(ady_records_set_note(records, 1, "x/be=3Ata", ady_bytes_str("four"), &f), ADY_OK);
	text.n = 0;
	CHECK_ERR(ady_records_note(records, 2, "x/be:ta", &text, &f), ADY_OK);
	CHECK_STR(ady_dyn_cstr(&text), "two");
	text.n = 0;
	CHECK_ERR(ady_records_notes(records, 0, suite_each_note, &text, &f), ADY_OK);
	CHECK(strstr(ady_dyn_cstr(&text), "x/be=3Ata=four;") != NULL);
	CHECK_STR(suite_list((struct ady_records_query){0}), "k ");
	ady_dyn_free(&text);
	suite_end();
}

SUITE void suite_run(const struct suite *s)
{
	suite = s;
	RUN(what_is_created_is_there_also_for_who_opens_the_store_anew);
	RUN(an_id_is_given_once);
	RUN(a_record_is_replaced_only_over_the_revision_that_was_seen);
	RUN(lists_have_pages_an_order_and_filters);
	RUN(keys_are_found_by_address_and_public_key);
	RUN(keys_are_labelled_disabled_and_enabled);
	RUN(a_deletion_is_planned_undone_and_done);
	RUN(a_tenants_data_key_is_that_of_its_newest_record);
	RUN(samples_have_a_tenant_and_no_address);
	RUN(of_several_who_create_at_once_one_succeeds);
	RUN(texts_are_replaced_together_each_only_over_the_revision_that_was_seen);
	RUN(notes_are_kept_beside_the_records);
}

#endif
