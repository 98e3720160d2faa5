/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/rotation_note.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "gateway/answer.h"

static const char *const states[] = {"running", "done", "incomplete"};

void ady_rotation_note_name(char out[static ADY_KEY_ID_MAX + 1], const char *tenant)
{
	snprintf(out, ADY_KEY_ID_MAX + 1, ADY_ROTATION_NOTES "%s", tenant);
}

/* A text member that fits; one that is not there is empty. */
static bool take_text(const json_t *o, const char *name, char *out, size_t cap)
{
	const char *s = json_string_value(json_object_get(o, name));

	*out = '\0';
	if (!s || strlen(s) >= cap)
		return !s;
	memcpy(out, s, strlen(s) + 1);
	return true;
}

static int64_t number_of(const json_t *o, const char *name)
{
	int64_t n = json_integer_value(json_object_get(o, name));

	return n < 0 ? 0 : n;
}

static bool take_state(const json_t *o, enum ady_rotation_state *state)
{
	const char *s = json_string_value(json_object_get(o, "state"));

	for (unsigned i = 0; s && i < sizeof states / sizeof *states; i++)
		if (strcmp(s, states[i]) == 0) {
			*state = (enum ady_rotation_state)i;
			return true;
		}
	return false;
}

bool ady_rotation_note_read(struct ady_rotation_note *note, struct ady_bytes text)
{
	json_t *o = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	bool ok;

	memset(note, 0, sizeof *note);
	ok = take_text(o, "tenant", note->tenant, sizeof note->tenant) &&
	     take_text(o, "data_key", note->data_key, sizeof note->data_key) &&
	     take_text(o, "kms_key", note->kms_key, sizeof note->kms_key) &&
	     take_text(o, "problem", note->problem, sizeof note->problem) &&
	     take_text(o, "after", note->after, sizeof note->after) &&
	     take_state(o, &note->state) && note->tenant[0] && note->data_key[0];
	note->started_s = number_of(o, "started");
	note->updated_s = number_of(o, "updated");
	note->rewrapped = (uint64_t)number_of(o, "rewrapped");
	note->skipped = (uint64_t)number_of(o, "skipped");
	note->failed = (uint64_t)number_of(o, "failed");
	json_decref(o);
	return ok;
}

static void put_text(struct ady_dyn *out, const char *name, const char *value)
{
	if (!value[0])
		return;
	ady_dyn_printf(out, ",\"%s\":", name);
	ady_answer_string(out, value);
}

void ady_rotation_note_put(struct ady_dyn *out, const struct ady_rotation_note *note, bool whole)
{
	ady_dyn_str(out, "{\"tenant\":");
	ady_answer_string(out, note->tenant);
	ady_dyn_printf(out,
	               ",\"state\":\"%s\",\"started\":%lld,\"updated\":%lld,\"rewrapped\":%llu,"
	               "\"skipped\":%llu,\"failed\":%llu",
	               states[note->state], (long long)note->started_s, (long long)note->updated_s,
	               (unsigned long long)note->rewrapped, (unsigned long long)note->skipped,
	               (unsigned long long)note->failed);
	put_text(out, "kms_key", note->kms_key);
	put_text(out, "problem", note->problem);
	if (whole) {
		put_text(out, "data_key", note->data_key);
		put_text(out, "after", note->after);
	}
	ady_dyn_str(out, "}\n");
}
