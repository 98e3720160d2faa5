/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "base/text.h"
#include "codec/json_members.h"
#include "gateway/history.h"
#include "gateway/keymanager_import.h"

enum { KEYSTORE_MAX = 16 * 1024, PASSWORD_MAX = 1024 };

static enum ady_err text_at(const struct ady_json *doc, uint32_t i, const char *where, size_t max,
                            struct ady_dyn *out, struct ady_fault *f)
{
	size_t cap = (i ? doc->toks[i].len : 0) + 1, n = 0;

	if (!i || ady_json_kind(doc, i) != ADY_JSON_STRING)
		return ady_fail(f, ADY_E_FIELD_INVALID, where, "must be text");
	if (cap > max * 6 + 1) /* each byte as \uXXXX */
		return ady_fail(f, ADY_E_TOO_LARGE, where, "exceeds %zu bytes", max);
	if (ady_json_string(doc, i, (char *)ady_dyn_room(out, cap), cap, &n) != ADY_OK || n > max)
		return ady_fail(f, ADY_E_TOO_LARGE, where, "exceeds %zu bytes", max);
	out->n = n;
	return ADY_OK;
}

static void fail_item(struct ady_km_item *it, enum ady_err err, const char *where, const char *why)
{
	it->outcome = ADY_KM_ERROR;
	(void)ady_fail(&it->fault, err, where, "%s", why);
}

/* What must be known of a keystore before it is opened: whose key it says it has. */
static void read_keystore(struct ady_km_item *it)
{
	struct ady_bytes text = ady_dyn_bytes(&it->keystore), version, pubkey;
	size_t n;

	if (ady_json_members_get(text, "version", &version) != ADY_OK ||
	    !ady_bytes_is(version, "4")) {
		fail_item(it, ADY_E_FIELD_INVALID, "keystore",
		          "is no keystore of version 4 (EIP-2335)");
		return;
	}
	if (ady_json_members_get(text, "pubkey", &pubkey) != ADY_OK || pubkey.n < 2) {
		fail_item(it, ADY_E_FIELD_MISSING, "keystore.pubkey", "is required");
		return;
	}
	pubkey = ady_bytes_sub(pubkey, 1, pubkey.n - 2);
	if (pubkey.n == 98 && memcmp(pubkey.p, "0x", 2) == 0)
		pubkey = ady_bytes_sub(pubkey, 2, 96);
	if (pubkey.n != 96 || ady_hex_decode(it->public_key, ADY_STATE_KEY, &n, pubkey) != ADY_OK)
		fail_item(it, ADY_E_FIELD_INVALID, "keystore.pubkey", "is no public key");
}

static enum ady_err read_items(struct ady_km_import *im, const struct ady_json *doc,
                               uint32_t keystores, uint32_t passwords, struct ady_fault *f)
{
	uint32_t k = ady_json_first(doc, keystores), p = ady_json_first(doc, passwords);
	enum ady_err err = ADY_OK;

	for (size_t i = 0; i < im->n && err == ADY_OK; i++) {
		struct ady_km_item *it = &im->items[i];

		it->owner = im;
		err = text_at(doc, k, "keystores", KEYSTORE_MAX, &it->keystore, f);
		if (err == ADY_OK)
			err = text_at(doc, p, "passwords", PASSWORD_MAX, &it->password, f);
		if (err == ADY_OK)
			read_keystore(it);
		k = ady_json_after(doc, keystores, k);
		p = ady_json_after(doc, passwords, p);
	}
	return err;
}

/* Of two keystores of one key the first is the one. */
static void find_repeated(struct ady_km_import *im)
{
	for (size_t i = 0; i < im->n; i++)
		for (size_t k = 0; k < i && im->items[i].outcome == ADY_KM_OPEN; k++)
			if (im->items[k].outcome == ADY_KM_OPEN &&
			    memcmp(im->items[k].public_key, im->items[i].public_key,
			           ADY_STATE_KEY) == 0)
				im->items[i].outcome = ADY_KM_DUPLICATE;
}

/* --- the history --- */

static int by_key(const void *a, const void *b)
{
	return memcmp((*(struct ady_km_item *const *)a)->public_key,
	              (*(struct ady_km_item *const *)b)->public_key, ADY_STATE_KEY);
}

/* A key may have several entries: the highest of all counts. */
static void take_marks(struct ady_km_item *it, const struct ady_interchange_entry *e)
{
	struct ady_wire_watermark *m = &it->marks;
	struct ady_slash_state all = {.has_block = m->marks & 1,
	                              .slot = m->slot,
	                              .has_attestation = (m->marks & 2) != 0,
	                              .source = m->source,
	                              .target = m->target};

	ady_slash_merge(&all, &e->state);
	it->in_history = true;
	m->marks = (all.has_block ? 1U : 0U) | (all.has_attestation ? 2U : 0U);
	m->slot = all.slot;
	m->source = all.source;
	m->target = all.target;
	m->genesis_root = ady_bytes(it->owner->network, sizeof it->owner->network);
}

static void spread(struct ady_km_import *im, const struct ady_interchange *ix)
{
	const size_t width = sizeof(struct ady_km_item *);
	struct ady_km_item **sorted = calloc(im->n + 1, width);
	struct ady_km_item wanted, *key = &wanted;
	struct ady_interchange_entry e;
	uint32_t at = 0;
	size_t n = 0;

	if (!sorted)
		ADY_BUG("out of memory");
	for (size_t i = 0; i < im->n; i++)
		if (im->items[i].outcome == ADY_KM_OPEN)
			sorted[n++] = &im->items[i];
	qsort(sorted, n, width, by_key);
	memcpy(im->network, ix->genesis_validators_root, sizeof im->network);
	while (ady_interchange_next(ix, &at, &e)) {
		struct ady_km_item **found;

		memcpy(wanted.public_key, e.pubkey, ADY_STATE_KEY);
		found = bsearch(&key, sorted, n, width, by_key);
		if (found)
			take_marks(*found, &e);
	}
	free(sorted);
}

static enum ady_err read_history(struct ady_km_import *im, const struct ady_json *doc, uint32_t i,
                                 struct ady_fault *f)
{
	struct ady_history h = {0};
	struct ady_dyn text = {0};
	enum ady_err err =
	    text_at(doc, i, "slashing_protection", ADY_KEYMANAGER_BODY_MAX, &text, f);

	if (err == ADY_OK)
		err = ady_history_open(&h, ady_dyn_bytes(&text), f);
	if (err == ADY_OK)
		spread(im, &h.ix);
	if (err != ADY_OK && !f->where[0])
		(void)snprintf(f->where, sizeof f->where, "slashing_protection");
	ady_history_close(&h);
	ady_dyn_free(&text);
	return err;
}

/* --- the whole --- */

enum ady_err ady_km_import_read(struct ady_km_import *im, struct ady_op *op, struct ady_fault *f)
{
	struct ady_json doc;
	uint32_t keystores, passwords, history;
	enum ady_err err =
	    ady_json_parse(&doc, op->shard->toks, ADY_SHARD_TOKENS, op->req->body, f);

	if (err != ADY_OK)
		return err;
	keystores = ady_json_get(&doc, 0, "keystores");
	passwords = ady_json_get(&doc, 0, "passwords");
	history = ady_json_get(&doc, 0, "slashing_protection");
	if (!keystores || ady_json_kind(&doc, keystores) != ADY_JSON_ARRAY)
		return ady_fail(f, ADY_E_FIELD_MISSING, "keystores", "must be an array");
	if (!passwords || ady_json_kind(&doc, passwords) != ADY_JSON_ARRAY)
		return ady_fail(f, ADY_E_FIELD_MISSING, "passwords", "must be an array");
	im->n = doc.toks[keystores].count;
	if (doc.toks[passwords].count != im->n)
		return ady_fail(f, ADY_E_FIELD_INVALID, "passwords",
		                "must be as many as keystores");
	if (im->n > ADY_KEYMANAGER_MAX)
		return ady_fail(f, ADY_E_TOO_LARGE, "keystores", "are more than %d",
		                ADY_KEYMANAGER_MAX);
	im->items = calloc(im->n + 1, sizeof *im->items);
	if (!im->items)
		ADY_BUG("out of memory");
	err = read_items(im, &doc, keystores, passwords, f);
	if (err != ADY_OK)
		return err;
	find_repeated(im);
	if (history && ady_json_kind(&doc, history) != ADY_JSON_NULL)
		err = read_history(im, &doc, history, f);
	return err;
}

static void wipe(struct ady_dyn *d)
{
	if (d->p)
		ady_zero(d->p, d->cap);
	ady_dyn_free(d);
}

void ady_km_import_clear(struct ady_km_import *im)
{
	for (size_t i = 0; im->items && i < im->n; i++) {
		wipe(&im->items[i].keystore);
		wipe(&im->items[i].password);
		ady_entry_clear(&im->items[i].entry);
		ady_stored_unref(im->items[i].record);
		ady_dyn_free(&im->items[i].proof);
	}
	free(im->items);
	im->items = NULL;
}
