/* SPDX-License-Identifier: Apache-2.0
 *
 * adyton store copy: all records of one store into another, each read back and compared. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/fault.h"
#include "cli/store_spec.h"

enum { PAGE = 500 };

struct copy {
	struct ady_session_options aws;
	const char *tenant;
	bool replace, json;
	struct ady_cli_store from, to;
	struct ady_entry *page;
	char at[ADY_KEY_ID_MAX + 1]; /* the id of the record that is copied now */
	size_t n, copied, same, replaced, spoilt;
};

static void take(void *ctx, const struct ady_entry *e)
{
	struct copy *c = ctx;

	ady_entry_copy(&c->page[c->n++], e);
}

static bool is_same(const struct ady_entry *a, const struct ady_entry *b)
{
	return ady_bytes_eq(ady_dyn_bytes(&a->text), ady_dyn_bytes(&b->text)) &&
	       strcmp(a->tenant, b->tenant) == 0 && strcmp(a->label, b->label) == 0 &&
	       a->disabled == b->disabled && (a->deletion_s != 0) == (b->deletion_s != 0);
}

/* A secret that waits for its deletion is listed, and cannot be read. */
static bool to_secrets(const struct copy *c)
{
	return strcmp(c->to.records->ops->kind, "secrets-manager") == 0;
}

struct waiting {
	const char *id;
	bool is;
};

static void look_for(void *ctx, const struct ady_entry *e)
{
	struct waiting *w = ctx;

	w->is = w->is || (strcmp(e->id, w->id) == 0 && e->deletion_s != 0);
}

/* Whether e is a secret that waits for its deletion as it should: nobody can compare its text. */
static bool waits(struct copy *c, const struct ady_entry *e)
{
	const struct ady_records_query q = {.prefix = e->id, .limit = 1};
	struct waiting w = {.id = e->id};
	struct ady_fault f;

	return e->deletion_s != 0 && to_secrets(c) &&
	       ady_records_list(c->to.records, 0, &q, look_for, &w, &f) == ADY_OK && w.is;
}

/* What stands in the target after e was written, or before: *same tells whether it is e. The label
 * of a secret comes with a change only, so it is compared where the store tells it. */
static enum ady_err compare(struct copy *c, const struct ady_entry *e, bool *same,
                            struct ady_fault *f)
{
	struct ady_entry there = {0};
	enum ady_err err = ady_records_get(c->to.records, 0, e->id, &there, f);

	if (to_secrets(c))
		memcpy(there.label, e->label, sizeof there.label);
	*same = err == ADY_OK && is_same(e, &there);
	ady_entry_clear(&there);
	if (err != ADY_E_NOT_FOUND || !waits(c, e))
		return err;
	*same = true;
	return ADY_OK;
}

/* A record that nobody can read is named and left out: those behind it are wanted all the more. */
static enum ady_err leave_out(struct copy *c, const struct ady_entry *e, struct ady_fault *f)
{
	ady_cli_say("%s is left out: %s %s (%s)", e->id, f->where, f->detail, ady_err_code(f->err));
	c->spoilt++;
	*f = (struct ady_fault){0};
	return ADY_OK;
}

static enum ady_err differs(const struct ady_entry *e, struct ady_fault *f)
{
	return ady_fail(f, ADY_E_STORE, NULL, "%.80s was written and reads otherwise", e->id);
}

/* whole: e, read anew; its label and so on become those that are there. */
static enum ady_err replace(struct copy *c, const struct ady_entry *e, struct ady_entry *whole,
                            struct ady_fault *f)
{
	const struct ady_records_change change = {.set_label = true,
	                                          .label = e->label,
	                                          .set_disabled = true,
	                                          .disabled = e->disabled,
	                                          .set_deletion = true,
	                                          .deletion_s = e->deletion_s};
	struct ady_entry out = {0};
	bool same = false;
	enum ady_err err = ady_records_replace(c->to.records, 0, whole, NULL, f);

	if (err == ADY_OK)
		err = ady_records_change(c->to.records, 0, e->id, NULL, &change, &out, f);
	ady_entry_clear(&out);
	if (err == ADY_OK)
		err = compare(c, e, &same, f);
	if (err == ADY_OK && !same)
		return differs(e, f);
	c->replaced += err == ADY_OK;
	return err;
}

/* Create whole, e read anew, and compare what is there then. A secret's deletion is planned after
 * that. */
static enum ady_err create(struct copy *c, struct ady_entry *e, struct ady_entry *whole,
                           struct ady_fault *f)
{
	struct ady_records_change later = {.set_deletion = true, .deletion_s = e->deletion_s};
	bool put_off = e->deletion_s != 0 && to_secrets(c), same = false;
	struct ady_entry out = {0};
	enum ady_err err;

	if (put_off)
		e->deletion_s = whole->deletion_s = 0;
	err = ady_records_create(c->to.records, 0, &whole, 1, f);
	if (err == ADY_OK)
		err = compare(c, e, &same, f);
	if (err == ADY_OK && !same)
		return differs(e, f);
	if (err == ADY_OK && put_off)
		err = ady_records_change(c->to.records, 0, e->id, NULL, &later, &out, f);
	ady_entry_clear(&out);
	c->copied += err == ADY_OK;
	return err;
}

static enum ady_err write_one(struct copy *c, struct ady_entry *e, struct ady_fault *f)
{
	struct ady_entry whole = {0};
	bool same;
	enum ady_err err = compare(c, e, &same, f);

	if (err == ADY_OK && same) {
		c->same++;
		return ADY_OK;
	}
	if (err == ADY_OK && !c->replace)
		return ady_fail(f, ADY_E_EXISTS, NULL, "it is there and differs: --replace");
	if (err != ADY_OK && err != ADY_E_NOT_FOUND)
		return err;
	/* Read anew: what lists give has not the data key. */
	if (ady_entry_read(&whole, e->id, ady_dyn_bytes(&e->text), f) != ADY_OK)
		return leave_out(c, e, f);
	memcpy(whole.label, e->label, sizeof whole.label);
	whole.disabled = e->disabled;
	whole.deletion_s = e->deletion_s;
	err = err == ADY_OK ? replace(c, e, &whole, f) : create(c, e, &whole, f);
	ady_entry_clear(&whole);
	return err;
}

static enum ady_err copy_page(struct copy *c, char after[static ADY_KEY_ID_MAX + 1],
                              struct ady_fault *f)
{
	const struct ady_records_query q = {
	    .after = after, .limit = PAGE, .tenant = c->tenant, .texts = true};
	enum ady_err err;

	c->n = 0;
	err = ady_records_list(c->from.records, 0, &q, take, c, f);
	for (size_t i = 0; i < c->n; i++) {
		if (err == ADY_OK)
			memcpy(c->at, c->page[i].id, sizeof c->at);
		/* A secret that is to be deleted cannot be read. */
		if (err == ADY_OK && (c->page[i].text.n > 0 || c->page[i].deletion_s == 0))
			err = write_one(c, &c->page[i], f);
		snprintf(after, ADY_KEY_ID_MAX + 1, "%s", c->page[i].id);
		ady_entry_clear(&c->page[i]);
	}
	return err;
}

static enum ady_err copy_all(struct copy *c, struct ady_fault *f)
{
	char after[ADY_KEY_ID_MAX + 1] = "";
	enum ady_err err;

	c->page = calloc(PAGE, sizeof *c->page);
	if (!c->page)
		return ady_fail(f, ADY_E_MEMORY, NULL, "out of memory");
	do {
		err = copy_page(c, after, f);
		if (isatty(STDERR_FILENO) && c->n == PAGE)
			fprintf(stderr, "\r%zu records", c->copied + c->same + c->replaced);
	} while (err == ADY_OK && c->n == PAGE);
	free(c->page);
	return err;
}

static void report(const struct copy *c)
{
	if (c->json)
		printf("{\"copied\":%zu,\"replaced\":%zu,\"same\":%zu", c->copied, c->replaced,
		       c->same);
	else
		printf("copied      %zu\nreplaced    %zu\nsame        %zu\n", c->copied,
		       c->replaced, c->same);
	if (c->spoilt > 0)
		printf(c->json ? ",\"left_out\":%zu" : "left out    %zu\n", c->spoilt);
	if (c->json)
		puts("}");
}

static int run_copy(struct copy *c, const char *from, const char *to)
{
	struct ady_fault f = {0};
	char doing[ADY_KEY_ID_MAX + 8];
	enum ady_err err = ady_cli_store_open(&c->from, from, &c->aws, &f);

	if (err == ADY_OK)
		err = ady_cli_store_open(&c->to, to, &c->aws, &f);
	if (err == ADY_OK)
		err = copy_all(c, &f);
	ady_cli_store_close(&c->from);
	ady_cli_store_close(&c->to);
	report(c);
	if (err == ADY_OK)
		return c->spoilt ? ADY_EXIT_REFUSED : ADY_EXIT_OK;
	snprintf(doing, sizeof doing, "copy %s", c->at[0] ? c->at : "the records");
	return ady_cli_fault(&f, doing, "What was copied is whole; run it again.");
}

int ady_cmd_store_copy(const struct ady_command *self, int argc, char **argv)
{
	struct copy c = {0};
	struct ady_values rest;
	const struct ady_option options[] = {
	    {"tenant", "NAME", "only the records of this tenant", .text = &c.tenant},
	    {"replace", NULL, "over records that are there and differ", .flag = &c.replace},
	    {"endpoint", "URL", ADY_ENDPOINT_HELP, .text = &c.aws.endpoint},
	    {"region", "REGION", ADY_REGION_HELP, .text = &c.aws.region},
	    {"ca", "FILE", ADY_CA_HELP, .text = &c.aws.ca},
	    {"json", NULL, "one JSON object on one line", .flag = &c.json},
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0)
		return status;
	if (rest.n != 2)
		return ady_cli_usage(self, "two stores are needed, each one of " ADY_STORE_SPECS);
	return run_copy(&c, rest.v[0], rest.v[1]);
}
