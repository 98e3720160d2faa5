/* SPDX-License-Identifier: Apache-2.0 */
#include "store/secrets.h"

#include <stdlib.h>
#include <string.h>

#include "store/index.h"
#include "store/secret.h"

enum { INDEX_WAIT_MS = 5000 };

struct secrets {
	struct ady_records records;
	struct ady_secrets_config config;
	struct ady_index *index;
	atomic_bool closing;
	struct ady_aws *index_aws;
	size_t workers;
	struct ady_aws *aws[];
};

/* What is done with fresh credentials, and once more when AWS refuses those. */
struct job {
	enum ady_err (*fn)(struct job *j, const struct ady_secret_caller *c, struct ady_fault *f);
	const char *id, *revision;
	struct ady_entry *entry;
	const struct ady_records_change *change;
	char **token;
	ady_records_each each;
	void *ctx;
	const char *prefix;
};

static bool is_stopped(const struct secrets *s)
{
	return atomic_load(&s->closing) || (s->records.stop && atomic_load(s->records.stop));
}

static enum ady_err run(struct secrets *s, struct ady_aws *aws, struct job *j, struct ady_fault *f)
{
	enum ady_err err = ADY_E_CREDENTIALS;

	for (int attempt = 0; attempt < 2 && err == ADY_E_CREDENTIALS; attempt++) {
		struct ady_aws_credentials c;
		uint64_t used = s->config.credentials(s->config.ctx, &c);
		const struct ady_secret_caller caller = {aws, &c};

		if (is_stopped(s))
			err = ady_fail(f, ADY_E_STORE, NULL, "the gateway is ending");
		else if (used > 0)
			err = j->fn(j, &caller, f);
		else
			err = ady_fail(f, ADY_E_CREDENTIALS, NULL, "there are no credentials yet");
		ady_aws_credentials_wipe(&c);
		if (err == ADY_E_CREDENTIALS && attempt == 0 &&
		    !s->config.await(s->config.ctx, used))
			break;
	}
	return err;
}

static enum ady_err do_get(struct job *j, const struct ady_secret_caller *c, struct ady_fault *f)
{
	return ady_secret_get(c, j->id, j->entry, f);
}

static enum ady_err do_create(struct job *j, const struct ady_secret_caller *c, struct ady_fault *f)
{
	return ady_secret_create(c, j->entry, f);
}

static enum ady_err do_replace(struct job *j, const struct ady_secret_caller *c,
                               struct ady_fault *f)
{
	return ady_secret_replace(c, j->entry, j->revision, f);
}

static enum ady_err do_change(struct job *j, const struct ady_secret_caller *c, struct ady_fault *f)
{
	return ady_secret_change(c, j->id, j->revision, j->change, j->entry, f);
}

static enum ady_err do_page(struct job *j, const struct ady_secret_caller *c, struct ady_fault *f)
{
	return ady_secret_page(c, j->prefix, j->token, j->each, j->ctx, f);
}

static enum ady_err secrets_get(struct ady_records *r, size_t worker, const char *id,
                                struct ady_entry *out, struct ady_fault *f)
{
	struct secrets *s = (struct secrets *)r;
	struct job j = {.fn = do_get, .id = id, .entry = out};
	struct ady_entry known = {0};
	enum ady_err err = run(s, s->aws[worker], &j, f);

	/* A value comes without the description, where its label is. */
	if (err == ADY_OK && ady_index_known(s->index, out->id, &known))
		memcpy(out->label, known.label, sizeof out->label);
	ady_entry_clear(&known);
	return err;
}

static enum ady_err secrets_create(struct ady_records *r, size_t worker, struct ady_entry *const *e,
                                   size_t n, struct ady_fault *f)
{
	struct secrets *s = (struct secrets *)r;
	enum ady_err err = ADY_OK;

	for (size_t i = 0; err == ADY_OK && i < n; i++) {
		struct job j = {.fn = do_create, .entry = e[i]};

		err = run(s, s->aws[worker], &j, f);
		if (err == ADY_OK)
			ady_index_put(s->index, e[i]);
	}
	return err;
}

/* What a description does not say, the index may know. */
static void fill_from_index(struct secrets *s, struct ady_entry *e)
{
	struct ady_entry known = {0};

	if (!ady_index_known(s->index, e->id, &known))
		return;
	memcpy(e->tenant, known.tenant, sizeof e->tenant);
	memcpy(e->curve, known.curve, sizeof e->curve);
	memcpy(e->public_key, known.public_key, sizeof e->public_key);
	ady_dyn_free(&e->data_key);
	e->data_key = known.data_key;
	known.data_key = (struct ady_dyn){0};
	memcpy(e->address, known.address, sizeof e->address);
	e->public_key_n = known.public_key_n;
	e->has_address = known.has_address;
	e->created_s = known.created_s;
	ady_entry_clear(&known);
}

static enum ady_err secrets_replace(struct ady_records *r, size_t worker, struct ady_entry *e,
                                    const char *revision, struct ady_fault *f)
{
	struct secrets *s = (struct secrets *)r;
	struct job j = {.fn = do_replace, .entry = e, .revision = revision};
	enum ady_err err = run(s, s->aws[worker], &j, f);

	if (err == ADY_OK)
		ady_index_put(s->index, e);
	return err;
}

static enum ady_err secrets_change(struct ady_records *r, size_t worker, const char *id,
                                   const char *revision, const struct ady_records_change *change,
                                   struct ady_entry *out, struct ady_fault *f)
{
	struct secrets *s = (struct secrets *)r;
	struct job j = {
	    .fn = do_change, .id = id, .revision = revision, .change = change, .entry = out};
	struct job get = {.fn = do_get, .id = id, .entry = out};
	char label[sizeof out->label];
	enum ady_err err = run(s, s->aws[worker], &j, f);

	if (err != ADY_OK)
		return err;
	fill_from_index(s, out);
	if (out->deletion_s == 0) { /* else its value cannot be read */
		memcpy(label, out->label, sizeof label);
		ady_entry_clear(out);
		err = run(s, s->aws[worker], &get, f);
		memcpy(out->label, label, sizeof label);
	}
	if (err == ADY_OK)
		ady_index_put(s->index, out);
	return err;
}

/* --- the index --- */

struct scan {
	struct secrets *s;
	struct ady_index *index;
	struct ady_fault fault;
	enum ady_err err;
};

/* Notes are secrets, too, with "adyton-notes/" behind the prefix. */
static const char NOTES[] = "adyton-notes/";

static const char *note_in(const struct secrets *s, const char *id)
{
	const size_t n = strlen(s->config.prefix);

	if (strncmp(id, s->config.prefix, n) != 0 || strncmp(id + n, NOTES, sizeof NOTES - 1) != 0)
		return NULL;
	return id + n + sizeof NOTES - 1;
}

static enum ady_err get_note(struct secrets *s, size_t worker, const char *id, struct ady_dyn *out,
                             struct ady_fault *f)
{
	struct ady_entry e = {0};
	struct job j = {.fn = do_get, .id = id, .entry = &e};
	enum ady_err err = run(s, s->aws[worker], &j, f);

	if (err == ADY_OK)
		ady_dyn_put(out, e.text.p, e.text.n);
	ady_entry_clear(&e);
	return err;
}

/* Tenants may have a colon in their name, secrets may not: "=3A", and "=3D" for "=". */
static void note_id(const struct secrets *s, char out[static ADY_KEY_ID_MAX + 1], const char *name)
{
	struct ady_buf b = ady_buf(out, ADY_KEY_ID_MAX);

	ady_buf_printf(&b, "%s%s", s->config.prefix, NOTES);
	for (; *name; name++) {
		if (*name == ':' || *name == '=')
			ady_buf_str(&b, *name == ':' ? "=3A" : "=3D");
		else
			ady_buf_u8(&b, (uint8_t)*name);
	}
	out[b.n < b.cap ? b.n : b.cap] = '\0';
}

static void note_name(char out[static ADY_KEY_ID_MAX + 1], const char *in_id)
{
	size_t n = 0;

	for (; *in_id && n < ADY_KEY_ID_MAX; in_id++) {
		bool colon = strncmp(in_id, "=3A", 3) == 0;

		out[n++] = colon ? ':' : *in_id;
		if (colon || strncmp(in_id, "=3D", 3) == 0)
			in_id += 2;
	}
	out[n] = '\0';
}

static enum ady_err secrets_note(struct ady_records *r, size_t worker, const char *name,
                                 struct ady_dyn *out, struct ady_fault *f)
{
	struct secrets *s = (struct secrets *)r;
	char id[ADY_KEY_ID_MAX + 1];

	note_id(s, id, name);
	return get_note(s, worker, id, out, f);
}

static enum ady_err secrets_set_note(struct ady_records *r, size_t worker, const char *name,
                                     struct ady_bytes text, struct ady_fault *f)
{
	struct secrets *s = (struct secrets *)r;
	struct ady_entry e = {0};
	struct job j = {.fn = do_replace, .entry = &e};
	enum ady_err err;

	note_id(s, e.id, name);
	ady_dyn_put(&e.text, text.p, text.n);
	err = run(s, s->aws[worker], &j, f);
	if (err == ADY_E_NOT_FOUND) {
		j.fn = do_create;
		err = run(s, s->aws[worker], &j, f);
	}
	ady_entry_clear(&e);
	return err;
}

struct note_names {
	struct secrets *s;
	struct ady_dyn names; /* NUL-terminated, one behind the other */
};

static void keep_name(void *ctx, const struct ady_entry *e)
{
	struct note_names *n = ctx;

	if (note_in(n->s, e->id) && e->deletion_s == 0)
		ady_dyn_put(&n->names, e->id, strlen(e->id) + 1);
}

static enum ady_err secrets_notes(struct ady_records *r, size_t worker, ady_records_each_note each,
                                  void *ctx, struct ady_fault *f)
{
	struct secrets *s = (struct secrets *)r;
	struct note_names n = {.s = s};
	char prefix[ADY_KEY_ID_MAX + 1], *token = NULL;
	struct job j = {
	    .fn = do_page, .prefix = prefix, .token = &token, .each = keep_name, .ctx = &n};
	enum ady_err err;

	note_id(s, prefix, "");
	do {
		err = run(s, s->aws[worker], &j, f);
	} while (err == ADY_OK && token && !is_stopped(s));
	free(token);
	for (size_t at = 0; err == ADY_OK && at < n.names.n;
	     at += strlen((char *)n.names.p + at) + 1) {
		const char *id = (const char *)n.names.p + at;
		char name[ADY_KEY_ID_MAX + 1];
		struct ady_dyn text = {0};

		note_name(name, note_in(s, id));
		err = get_note(s, worker, id, &text, f);
		if (err == ADY_OK)
			each(ctx, name, ady_dyn_bytes(&text));
		ady_dyn_free(&text);
	}
	ady_dyn_free(&n.names);
	return err;
}

/* An item of ListSecrets. Its value is read when its version is not the known one. */
static void scan_each(void *ctx, const struct ady_entry *listed)
{
	struct scan *scan = ctx;
	struct ady_entry e = {0};
	struct job j = {.fn = do_get, .id = listed->id, .entry = &e};
	enum ady_err err = scan->err;

	if (err != ADY_OK || note_in(scan->s, listed->id))
		return;
	if (!ady_index_known(scan->index, listed->id, &e) ||
	    strcmp(e.revision, listed->revision) != 0) {
		ady_entry_clear(&e);
		if (listed->deletion_s == 0)
			err = run(scan->s, scan->s->index_aws, &j, &scan->fault);
		if (err != ADY_OK || listed->deletion_s)
			ady_entry_copy(&e, listed);
	}
	e.disabled = listed->disabled;
	e.deletion_s = listed->deletion_s;
	memcpy(e.label, listed->label, sizeof e.label);
	if (err == ADY_OK)
		ady_index_add(scan->index, &e);
	if (ady_records_is_outage(err)) /* one that may not be read does not keep the others out */
		scan->err = err;
	ady_entry_clear(&e);
}

static enum ady_err scan(void *ctx, struct ady_index *index, struct ady_fault *f)
{
	struct secrets *s = ctx;
	struct scan scan = {.s = s, .index = index};
	char *token = NULL;
	struct job j = {.fn = do_page,
	                .prefix = s->config.prefix,
	                .token = &token,
	                .each = scan_each,
	                .ctx = &scan};
	enum ady_err err;

	do {
		err = run(s, s->index_aws, &j, f);
		if (err == ADY_OK && scan.err != ADY_OK) {
			*f = scan.fault;
			err = scan.err;
		}
	} while (err == ADY_OK && token && !is_stopped(s));
	free(token);
	return err;
}

struct page {
	struct ady_entry *e;
	size_t n;
};

static void keep_each(void *ctx, const struct ady_entry *e)
{
	struct page *p = ctx;

	ady_entry_copy(&p->e[p->n++], e);
}

/* The index has no texts: they are fetched one by one. */
static enum ady_err list_texts(struct secrets *s, size_t worker, const struct ady_records_query *q,
                               ady_records_each each, void *ctx, struct ady_fault *f)
{
	struct page page = {.e = calloc(q->limit, sizeof *page.e)};
	struct ady_records_query bare = *q;
	enum ady_err err;

	if (!page.e)
		return ady_fail(f, ADY_E_MEMORY, NULL, "out of memory");
	bare.texts = false;
	err = ady_index_list(s->index, &bare, keep_each, &page, INDEX_WAIT_MS, f);
	for (size_t i = 0; err == ADY_OK && i < page.n; i++) {
		struct ady_entry whole = {0};
		struct job j = {.fn = do_get, .id = page.e[i].id, .entry = &whole};

		if (page.e[i].deletion_s == 0)
			err = run(s, s->aws[worker], &j, f);
		if (err == ADY_OK) {
			memcpy(whole.label, page.e[i].label, sizeof whole.label);
			each(ctx, page.e[i].deletion_s ? &page.e[i] : &whole);
		}
		ady_entry_clear(&whole);
	}
	for (size_t i = 0; i < page.n; i++)
		ady_entry_clear(&page.e[i]);
	free(page.e);
	return err;
}

static enum ady_err secrets_list(struct ady_records *r, size_t worker,
                                 const struct ady_records_query *q, ady_records_each each,
                                 void *ctx, struct ady_fault *f)
{
	struct secrets *s = (struct secrets *)r;

	if (q->texts)
		return list_texts(s, worker, q, each, ctx, f);
	return ady_index_list(s->index, q, each, ctx, INDEX_WAIT_MS, f);
}

static enum ady_err secrets_data_key(struct ady_records *r, size_t worker, const char *tenant,
                                     char out[static ADY_DATA_KEY_MAX + 1], struct ady_fault *f)
{
	(void)worker;
	return ady_index_data_key(((struct secrets *)r)->index, tenant, out, INDEX_WAIT_MS, f);
}

/* That there is no such secret, or that it may not be read, is a good answer. */
static enum ady_err secrets_probe(struct ady_records *r, size_t worker, struct ady_fault *f)
{
	struct secrets *s = (struct secrets *)r;
	struct ady_entry e = {0};
	struct job j = {.fn = do_get, .entry = &e};
	char id[300];
	enum ady_err err;

	snprintf(id, sizeof id, "%sadyton-probe", s->config.prefix);
	j.id = id;
	err = run(s, s->aws[worker], &j, f);
	ady_entry_clear(&e);
	return ady_records_is_outage(err) ? err : ADY_OK;
}

static void secrets_purge(struct ady_records *r, size_t worker, int64_t now_s)
{
	(void)r, (void)worker, (void)now_s; /* AWS does it */
}

static void secrets_close(struct ady_records *r)
{
	struct secrets *s = (struct secrets *)r;

	atomic_store(&s->closing, true);
	ady_index_close(s->index);
	ady_aws_close(s->index_aws);
	for (size_t i = 0; i < s->workers; i++)
		ady_aws_close(s->aws[i]);
	free(s);
}

static const struct ady_records_ops ops = {
    .kind = "secrets-manager",
    .get = secrets_get,
    .create = secrets_create,
    .replace = secrets_replace,
    .change = secrets_change,
    .list = secrets_list,
    .data_key = secrets_data_key,
    .note = secrets_note,
    .set_note = secrets_set_note,
    .notes = secrets_notes,
    .probe = secrets_probe,
    .purge = secrets_purge,
    .close = secrets_close,
};

enum ady_err ady_secrets_open(struct ady_records **r, const struct ady_secrets_config *config,
                              size_t workers, struct ady_fault *f)
{
	struct secrets *s = calloc(1, sizeof *s + workers * sizeof(struct ady_aws *));
	enum ady_err err = s ? ADY_OK : ADY_E_MEMORY;

	*r = NULL;
	if (err == ADY_OK)
		err = ady_aws_open(&s->index_aws, &config->aws);
	for (size_t i = 0; err == ADY_OK && i < workers; i++, s->workers++)
		err = ady_aws_open(&s->aws[i], &config->aws);
	if (!s)
		return ady_fail(f, ADY_E_MEMORY, NULL, "out of memory");
	s->records.ops = &ops;
	s->config = *config;
	if (err == ADY_OK)
		err = ady_index_open(&s->index, scan, s, config->index_ms, f);
	if (err == ADY_OK)
		*r = &s->records;
	else
		secrets_close(&s->records);
	return err == ADY_OK ? ADY_OK : ady_fail(f, err, NULL, "the store cannot be started");
}
