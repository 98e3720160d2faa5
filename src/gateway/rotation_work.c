/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/rotation_work.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"

static int64_t now_s(void)
{
	return ady_wall_ms() / 1000;
}

static enum ady_err read_note(const char *tenant, struct ady_records *r, size_t worker,
                              struct ady_rotation_note *note, struct ady_fault *f)
{
	char name[ADY_KEY_ID_MAX + 1];
	struct ady_dyn text = {0};
	enum ady_err err;

	ady_rotation_note_name(name, tenant);
	err = ady_records_note(r, worker, name, &text, f);
	if (err == ADY_OK && !ady_rotation_note_read(note, ady_dyn_bytes(&text)))
		err = ady_fail(f, ADY_E_NOT_FOUND, NULL, "the note of the rotation is malformed");
	ady_dyn_free(&text);
	return err;
}

static enum ady_err write_note(struct ady_rotation *t, struct ady_records *r, size_t worker,
                               struct ady_fault *f)
{
	char name[ADY_KEY_ID_MAX + 1];
	struct ady_dyn text = {0};
	enum ady_err err;

	t->note.updated_s = now_s();
	ady_rotation_note_name(name, t->note.tenant);
	ady_rotation_note_put(&text, &t->note, true);
	err = ady_records_set_note(r, worker, name, ady_dyn_bytes(&text), f);
	ady_dyn_free(&text);
	return err;
}

/* What is under the new data key already needs nothing; what is no JSON cannot be re-wrapped. */
static void take(struct ady_rotation *t, const struct ady_entry *e)
{
	struct ady_entry read = {0};
	struct ady_rotation_item *item = &t->items[t->n];
	const bool ours =
	    e->text.n > 0 && ady_entry_read(&read, e->id, ady_dyn_bytes(&e->text), NULL) == ADY_OK;

	if (!ours || !read.curve[0]) {
		t->skipped++;
	} else if (read.data_key.n == 0 ||
	           strcmp(ady_dyn_cstr(&read.data_key), t->note.data_key) != 0) {
		snprintf(item->id, sizeof item->id, "%s", e->id);
		snprintf(item->revision, sizeof item->revision, "%s", e->revision);
		item->text.n = 0;
		ady_dyn_put(&item->text, e->text.p, e->text.n);
		item->ready = false;
		t->n++;
	}
	ady_entry_clear(&read);
}

struct page {
	struct ady_rotation *t;
	size_t seen;
};

static void take_each(void *ctx, const struct ady_entry *e)
{
	struct page *page = ctx;

	page->seen++;
	snprintf(page->t->note.after, sizeof page->t->note.after, "%s", e->id);
	take(page->t, e);
}

/* What takes about a second: the note follows each page. */
static size_t page_size(const struct ady_rotation *t)
{
	int64_t rate = t->shard->gateway->config->store.rewrap_rate;

	return rate > ADY_ROTATION_PAGE ? ADY_ROTATION_PAGE : rate < 5 ? 5 : (size_t)rate;
}

static enum ady_err read_page(struct ady_rotation *t, struct ady_records *r, size_t worker,
                              struct ady_fault *f)
{
	char after[ADY_KEY_ID_MAX + 1];
	const struct ady_records_query q = {.after = t->note.after[0] ? after : NULL,
	                                    .limit = page_size(t),
	                                    .prefix = t->shard->gateway->config->store.prefix,
	                                    .tenant = t->note.tenant,
	                                    .texts = true};
	struct page page = {.t = t};
	enum ady_err err;

	memcpy(after, t->note.after, sizeof after);
	t->n = 0;
	err = ady_records_list(r, worker, &q, take_each, &page, f);
	t->full = page.seen == q.limit;
	return err;
}

static void find(struct ady_rotation *t, struct ady_records *r, size_t worker, struct ady_fault *f)
{
	struct ady_rotation_note other;
	enum ady_err err = read_note(t->note.tenant, r, worker, &other, f);

	if (err == ADY_OK && other.state == ADY_ROTATION_RUNNING) {
		(void)ady_fail(f, ADY_E_CONFLICT, "tenant", "its data key is being rotated");
		return;
	}
	if (err != ADY_OK && err != ADY_E_NOT_FOUND)
		return;
	*f = (struct ady_fault){0};
	do {
		if (read_page(t, r, worker, f) != ADY_OK)
			return;
	} while (t->n == 0 && t->full);
	if (t->n == 0)
		(void)ady_fail(f, ADY_E_NOT_FOUND, "tenant", "has no key that could be re-wrapped");
	t->note.after[0] = '\0';
	t->skipped = 0;
}

/* The note may be of a later rotation by now, of another gateway: then this one is over. */
static void read(struct ady_rotation *t, struct ady_records *r, size_t worker, struct ady_fault *f)
{
	struct ady_rotation_note other;
	enum ady_err err = read_note(t->note.tenant, r, worker, &other, f);

	t->superseded = err == ADY_OK && strcmp(other.data_key, t->note.data_key) != 0;
	if (err == ADY_OK && !t->superseded)
		(void)read_page(t, r, worker, f);
}

static void forget(struct ady_rotation *t, const struct ady_records_text *text)
{
	struct ady_entry e = {0};

	if (ady_entry_read(&e, text->id, text->text, NULL) == ADY_OK)
		ady_store_forget(t->job.store, &e);
	ady_entry_clear(&e);
}

static void write(struct ady_rotation *t, struct ady_records *r, size_t worker, struct ady_fault *f)
{
	struct ady_records_text texts[ADY_ROTATION_PAGE];
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		if (t->items[i].ready)
			texts[n++] =
			    (struct ady_records_text){.id = t->items[i].id,
			                              .revision = t->items[i].revision,
			                              .text = ady_dyn_bytes(&t->items[i].text)};
	if (n > 0 && ady_records_retext(r, worker, texts, n, f) != ADY_OK)
		return;
	for (size_t i = 0; i < n; i++)
		if (texts[i].err == ADY_OK) {
			t->note.rewrapped++;
			forget(t, &texts[i]);
		}
	(void)write_note(t, r, worker, f);
}

void ady_rotation_work(struct ady_store_job *job, struct ady_records *r, size_t worker)
{
	struct ady_rotation *t = (struct ady_rotation *)job;

	job->fault = (struct ady_fault){0};
	switch (t->step) {
	case ADY_ROTATION_FIND:
		find(t, r, worker, &job->fault);
		break;
	case ADY_ROTATION_NOTE:
		(void)write_note(t, r, worker, &job->fault);
		break;
	case ADY_ROTATION_READ:
		read(t, r, worker, &job->fault);
		break;
	case ADY_ROTATION_WRITE:
		write(t, r, worker, &job->fault);
		break;
	}
}
