/* SPDX-License-Identifier: Apache-2.0 */
#include "store/records.h"

#include <stdio.h>
#include <string.h>

bool ady_records_is_outage(enum ady_err err)
{
	return err == ADY_E_STORE || err == ADY_E_CREDENTIALS || err == ADY_E_MEMORY;
}

void ady_records_apply(struct ady_entry *e, const struct ady_records_change *change)
{
	if (change->set_label)
		snprintf(e->label, sizeof e->label, "%s", change->label);
	if (change->set_disabled)
		e->disabled = change->disabled;
	if (change->set_deletion)
		e->deletion_s = change->deletion_s;
}

static void get_each(struct ady_records *r, size_t worker, struct ady_records_get *all, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		all[i].fault = (struct ady_fault){0};
		(void)ady_records_get(r, worker, all[i].id, all[i].out, &all[i].fault);
	}
}

void ady_records_get_many(struct ady_records *r, size_t worker, struct ady_records_get *all,
                          size_t n)
{
	struct ady_fault f = {0};

	if (n == 1 || !r->ops->get_many) {
		get_each(r, worker, all, n);
		return;
	}
	if (r->ops->get_many(r, worker, all, n, &f) == ADY_OK)
		return;
	for (size_t i = 0; i < n; i++)
		all[i].fault = f;
}

static enum ady_err retext_one(struct ady_records *r, size_t worker, struct ady_records_text *t,
                               struct ady_fault *f)
{
	struct ady_entry e = {0};
	enum ady_err err = ady_entry_read(&e, t->id, t->text, f);

	if (err == ADY_OK)
		err = ady_records_replace(r, worker, &e, t->revision, f);
	ady_entry_clear(&e);
	return err;
}

enum ady_err ady_records_retext(struct ady_records *r, size_t worker, struct ady_records_text *all,
                                size_t n, struct ady_fault *f)
{
	if (r->ops->retext)
		return ady_records_settle(r->ops->retext(r, worker, all, n, f), f);
	for (size_t i = 0; i < n; i++) {
		all[i].err = retext_one(r, worker, &all[i], f);
		if (ady_records_is_outage(all[i].err))
			return all[i].err;
	}
	return ady_records_settle(ADY_OK, f);
}

void ady_records_bounds(const struct ady_records_query *q, char low[static ADY_KEY_ID_MAX + 1],
                        char high[static ADY_KEY_ID_MAX + 1])
{
	const char *prefix = q->prefix ? q->prefix : "", *after = q->after ? q->after : "";
	const bool exact = q->address || q->public_key.n;
	size_t n;

	snprintf(high, ADY_KEY_ID_MAX + 1, "%s", *prefix ? prefix : "\x7f");
	n = strlen(high);
	if (*prefix)
		high[n - 1]++; /* ids are ASCII: this is behind all that begin with the prefix */
	if (exact || strcmp(after, prefix) < 0) {
		snprintf(low, ADY_KEY_ID_MAX + 1, "%s", prefix);
		/* The prefix itself may be an id: begin right before it. */
		n = strlen(low);
		if (!exact && n > 0) {
			low[n - 1]--;
			snprintf(low + n, ADY_KEY_ID_MAX + 1 - n, "\x7f");
		}
	} else {
		snprintf(low, ADY_KEY_ID_MAX + 1, "%s", after);
	}
}
