/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "gateway/answer.h"
#include "gateway/keys_call.h"
#include "gateway/quota_keys.h"
#include "gateway/rotation_note.h"

/* --- one key --- */

static enum ady_err not_there(struct ady_fault *f)
{
	return ady_fail(f, ADY_E_NOT_FOUND, NULL, "the store has no such key");
}

struct one {
	const char *id;
	struct ady_entry *out;
};

static void take(void *ctx, const struct ady_entry *e)
{
	struct one *one = ctx;

	if (strcmp(e->id, one->id) == 0)
		ady_entry_copy(one->out, e);
}

/* A secret that waits for its deletion cannot be read, but is still in the list. */
static enum ady_err find(struct ady_records *r, size_t worker, const char *id,
                         struct ady_entry *out, struct ady_fault *f)
{
	struct one one = {id, out};
	const struct ady_records_query q = {.prefix = id, .limit = 1};
	enum ady_err err = ady_records_get(r, worker, id, out, f);

	if (err == ADY_E_NOT_FOUND && strcmp(f->cause, "InvalidRequestException") == 0) {
		err = ady_records_list(r, worker, &q, take, &one, f);
		if (err == ADY_OK && !out->id[0])
			err = not_there(f);
	}
	return err;
}

/* The entry, if the caller may see it; others do not exist. */
static enum ady_err find_seen(const struct ady_keys_call *call, struct ady_records *r,
                              size_t worker, struct ady_entry *out, struct ady_fault *f)
{
	enum ady_err err = find(r, worker, call->id, out, f);

	if (err != ADY_OK) {
		ady_caller_hide(&call->caller, f);
		return f->err;
	}
	if (ady_caller_may_see(&call->caller, out->tenant))
		return ADY_OK;
	ady_entry_clear(out);
	return not_there(f);
}

static void put(struct ady_keys_call *call, const struct ady_entry *e, bool whole)
{
	ady_keys_put(&call->out, e, strlen(call->prefix), whole);
	ady_dyn_str(&call->out, "\n");
}

static void show(struct ady_keys_call *call, struct ady_records *r, size_t worker,
                 struct ady_fault *f)
{
	struct ady_entry e = {0};

	if (find_seen(call, r, worker, &e, f) == ADY_OK)
		put(call, &e, e.text.n > 0);
	ady_entry_clear(&e);
}

static void tell(const struct ady_keys_call *call, const struct ady_entry *e)
{
	ADY_INFO("key changed", "key=%s tenant=%s what=%s by=%s", e->id, e->tenant, call->what,
	         call->caller.everyone ? "anyone"
	         : call->caller.admin  ? "administrator"
	                               : call->caller.tenant);
}

static void change(struct ady_keys_call *call, struct ady_records *r, size_t worker,
                   struct ady_fault *f)
{
	struct ady_entry old = {0}, now = {0};
	enum ady_err err = find_seen(call, r, worker, &old, f);

	if (err == ADY_OK && old.deletion_s && !call->change.set_deletion)
		err = ady_fail(f, ADY_E_CONFLICT, NULL, "the key waits for its deletion");
	if (err == ADY_OK)
		err = ady_records_change(r, worker, call->id,
		                         call->revision[0] ? call->revision : NULL, &call->change,
		                         &now, f);
	if (err == ADY_OK) {
		ady_store_forget(call->job.store, &old);
		ady_store_forget(call->job.store, &now);
		put(call, &now, now.text.n > 0);
		tell(call, &now);
	}
	ady_entry_clear(&old);
	ady_entry_clear(&now);
}

/* --- a record from elsewhere --- */

/* The id inside of a record, which is what it is stored under. */
static enum ady_err id_of(const struct ady_keys_call *call, struct ady_bytes record, char *out,
                          size_t cap, struct ady_fault *f)
{
	json_t *o = json_loadb((const char *)record.p, record.n, JSON_REJECT_DUPLICATES, NULL);
	const char *id = json_string_value(json_object_get(o, "id"));
	enum ady_err err = ADY_OK;

	if (!id || strlen(id) >= cap || strncmp(id, call->prefix, strlen(call->prefix)) != 0)
		err = ady_fail(f, ADY_E_RECORD, "record.id",
		               "is missing, too long, or not behind store.prefix");
	else
		snprintf(out, cap, "%s", id);
	json_decref(o);
	return err;
}

static enum ady_err read_entry(const struct ady_keys_call *call, struct ady_bytes record,
                               struct ady_entry *e, struct ady_fault *f)
{
	char id[ADY_KEY_ID_MAX + 1];
	enum ady_err err = id_of(call, record, id, sizeof id, f);

	if (err == ADY_OK)
		err = ady_entry_read(e, id, record, f);
	if (err == ADY_OK && !ady_caller_may_see(&call->caller, e->tenant))
		err = ady_fail(f, ADY_E_DENIED, "record.tenant", "is not the caller's");
	return err;
}

static void put_record(struct ady_keys_call *call, struct ady_records *r, size_t worker,
                       struct ady_fault *f)
{
	struct ady_entry e = {0}, *list = &e;
	enum ady_err err = read_entry(call, ady_dyn_bytes(&call->record), &e, f);

	if (err == ADY_OK) {
		memcpy(e.label, call->label, sizeof e.label);
		err =
		    ady_quota_keys_create(call->shard->gateway->quota_keys, r, worker, &list, 1, f);
	}
	if (err == ADY_OK) {
		ady_store_forget(call->job.store, &e);
		put(call, &e, true);
		tell(call, &e);
	}
	ady_entry_clear(&e);
}

/* Read the records of a batch; how many there were goes to *n. */
static enum ady_err read_entries(const struct ady_keys_call *call, struct ady_entry *entries,
                                 struct ady_entry **list, size_t *n, struct ady_fault *f)
{
	struct ady_bytes rest = ady_dyn_bytes(&call->record);
	const uint8_t *end;
	enum ady_err err = ADY_OK;

	for (*n = 0; err == ADY_OK && *n < ADY_WIRE_BATCH_MAX && rest.n > 0 &&
	             (end = memchr(rest.p, '\n', rest.n)) != NULL;
	     ++*n) {
		size_t line = (size_t)(end - rest.p);

		err = read_entry(call, ady_bytes(rest.p, line), &entries[*n], f);
		memcpy(entries[*n].label, call->label, sizeof call->label);
		list[*n] = &entries[*n];
		rest = ady_bytes_sub(rest, line + 1, rest.n - line - 1);
	}
	return err;
}

static void put_many(struct ady_keys_call *call, struct ady_records *r, size_t worker,
                     struct ady_fault *f)
{
	struct ady_entry *entries = calloc(ADY_WIRE_BATCH_MAX, sizeof *entries);
	struct ady_entry **list = calloc(ADY_WIRE_BATCH_MAX, sizeof(struct ady_entry *));
	enum ady_err err = ADY_E_MEMORY;
	size_t n = 0;

	if (!entries || !list)
		(void)ady_fail(f, err, NULL, "out of memory");
	else if ((err = read_entries(call, entries, list, &n, f)) == ADY_OK && n > 0)
		err =
		    ady_quota_keys_create(call->shard->gateway->quota_keys, r, worker, list, n, f);
	if (err == ADY_OK && n > 0) {
		ady_dyn_printf(&call->out, "{\"created\":%zu,\"first\":", n);
		ady_answer_string(&call->out, list[0]->id + strlen(call->prefix));
		ady_dyn_str(&call->out, ",\"last\":");
		ady_answer_string(&call->out, list[n - 1]->id + strlen(call->prefix));
		ady_dyn_str(&call->out, "}\n");
		tell(call, list[0]);
	}
	for (size_t i = 0; entries && i < ADY_WIRE_BATCH_MAX; i++)
		ady_entry_clear(&entries[i]);
	free(entries);
	free(list);
}

/* --- a record that is replaced --- */

static void get_record(struct ady_keys_call *call, struct ady_records *r, size_t worker,
                       struct ady_fault *f)
{
	struct ady_entry e = {0};
	enum ady_err err = find_seen(call, r, worker, &e, f);

	if (err == ADY_OK && e.deletion_s)
		err = ady_fail(f, ADY_E_CONFLICT, NULL, "the key waits for its deletion");
	if (err == ADY_OK && call->revision[0] && strcmp(call->revision, e.revision) != 0)
		err = ady_fail(f, ADY_E_CONFLICT, "if-match", "is not the present revision");
	if (err == ADY_OK) {
		ady_dyn_put(&call->out, e.text.p, e.text.n);
		snprintf(call->revision, sizeof call->revision, "%s", e.revision);
	}
	ady_entry_clear(&e);
}

static void replace_record(struct ady_keys_call *call, struct ady_records *r, size_t worker,
                           struct ady_fault *f)
{
	struct ady_entry e = {0}, now = {0};
	enum ady_err err = read_entry(call, ady_dyn_bytes(&call->record), &e, f);

	if (err == ADY_OK && strcmp(e.id, call->id) != 0)
		err = ady_fail(f, ADY_E_RECORD_MISMATCH, "record.id", "is another key's");
	if (err == ADY_OK)
		err = ady_records_replace(r, worker, &e, call->revision, f);
	if (err == ADY_OK)
		ady_store_forget(call->job.store, &e);
	if (err == ADY_OK && find(r, worker, call->id, &now, f) == ADY_OK) {
		put(call, &now, true);
		tell(call, &now);
	}
	ady_entry_clear(&e);
	ady_entry_clear(&now);
}

/* --- lists --- */

struct page {
	struct ady_keys_call *call;
	size_t n;
	char last[ADY_KEY_ID_MAX + 1];
};

static void put_each(void *ctx, const struct ady_entry *e)
{
	struct page *page = ctx;

	if (page->n++ > 0)
		ady_dyn_str(&page->call->out, ",\n");
	ady_keys_put(&page->call->out, e, strlen(page->call->prefix), false);
	snprintf(page->last, sizeof page->last, "%s", e->id + strlen(page->call->prefix));
}

static void list(struct ady_keys_call *call, struct ady_records *r, size_t worker,
                 struct ady_fault *f)
{
	struct page page = {.call = call};

	ady_dyn_str(&call->out, "{\"keys\":[");
	if (ady_records_list(r, worker, &call->query, put_each, &page, f) != ADY_OK)
		return;
	ady_dyn_str(&call->out, "]");
	if (page.n == call->query.limit) {
		ady_dyn_str(&call->out, ",\"next\":");
		ady_answer_string(&call->out, page.last);
	}
	ady_dyn_str(&call->out, "}\n");
}

/* The data key that the tenant was rotated to; else that of its newest record. */
static void data_key(struct ady_keys_call *call, struct ady_records *r, size_t worker,
                     struct ady_fault *f)
{
	char text[ADY_DATA_KEY_MAX + 1], name[ADY_KEY_ID_MAX + 1];
	struct ady_rotation_note note;
	struct ady_dyn space = {0};
	struct ady_fault none = {0};

	ady_rotation_note_name(name, call->tenant);
	if (ady_records_note(r, worker, name, &space, &none) == ADY_OK &&
	    ady_rotation_note_read(&note, ady_dyn_bytes(&space))) {
		ady_dyn_str(&call->out, note.data_key);
		ady_dyn_free(&space);
		return;
	}
	ady_dyn_free(&space);
	if (ady_records_data_key(r, worker, call->tenant, text, f) == ADY_OK)
		ady_dyn_str(&call->out, text);
}

/* What an administrator sees of another tenant he may not use: it does not exist then. */
static void wallet(struct ady_keys_call *call, struct ady_records *r, size_t worker,
                   struct ady_fault *f)
{
	struct ady_entry e = {0};

	if (find_seen(call, r, worker, &e, f) != ADY_OK)
		return;
	if (!ady_caller_may_use(&call->caller, e.tenant))
		(void)not_there(f);
	else if (e.disabled || e.deletion_s)
		(void)ady_fail(f, ADY_E_DENIED, NULL, "the wallet is disabled");
	else if (strcmp(e.curve, "wallet") != 0)
		(void)ady_fail(f, ADY_E_FIELD_INVALID, "id", "is no wallet");
	else
		ady_dyn_put(&call->out, e.text.p, e.text.n);
	ady_entry_clear(&e);
}

void ady_keys_work(struct ady_store_job *job, struct ady_records *r, size_t worker)
{
	struct ady_keys_call *call = (struct ady_keys_call *)job;

	switch (call->verb) {
	case ADY_KEYS_LIST:
		list(call, r, worker, &job->fault);
		break;
	case ADY_KEYS_SHOW:
		show(call, r, worker, &job->fault);
		break;
	case ADY_KEYS_CHANGE:
		change(call, r, worker, &job->fault);
		break;
	case ADY_KEYS_PUT:
		put_record(call, r, worker, &job->fault);
		break;
	case ADY_KEYS_PUT_MANY:
		put_many(call, r, worker, &job->fault);
		break;
	case ADY_KEYS_WALLET:
		wallet(call, r, worker, &job->fault);
		break;
	case ADY_KEYS_DATA_KEY:
		data_key(call, r, worker, &job->fault);
		break;
	case ADY_KEYS_RECORD:
		get_record(call, r, worker, &job->fault);
		break;
	case ADY_KEYS_REPLACE:
		replace_record(call, r, worker, &job->fault);
		break;
	}
}
