/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/window.h"

#include "base/clock.h"

enum { DAY_S = 86400, EVERY_DAY = 0x7f };

static const char *read_days(struct ady_window *w, const struct ady_json *doc, uint32_t i)
{
	static const char *const names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

	if (ady_json_kind(doc, i) != ADY_JSON_ARRAY || doc->toks[i].count == 0)
		return "must have days as an array of at least one";
	w->days = 0;
	for (uint32_t k = ady_json_first(doc, i); k; k = ady_json_after(doc, i, k)) {
		unsigned d = 0;

		while (d < 7 && !ady_json_is(doc, k, names[d]))
			d++;
		if (d == 7)
			return "must have days of sun, mon, tue, wed, thu, fri, sat";
		w->days |= (uint8_t)(1u << d);
	}
	return NULL;
}

/* "HH:MM" to seconds; false for another form. */
static bool read_hour(uint32_t *s, const struct ady_json *doc, uint32_t i)
{
	struct ady_bytes t = ady_json_raw(doc, i);
	unsigned d[5];

	if (ady_json_kind(doc, i) != ADY_JSON_STRING || t.n != 5 || t.p[2] != ':')
		return false;
	for (unsigned k = 0; k < 5; k++)
		d[k] = (unsigned)t.p[k] - '0';
	d[2] = 0;
	if (d[0] > 9 || d[1] > 9 || d[3] > 5 || d[4] > 9)
		return false;
	*s = ((d[0] * 10 + d[1]) * 60 + d[3] * 10 + d[4]) * 60;
	return *s <= DAY_S;
}

static bool read_moment(int64_t *s, const struct ady_json *doc, uint32_t i)
{
	return ady_json_kind(doc, i) == ADY_JSON_STRING &&
	       ady_time_parse(s, ady_json_raw(doc, i)) == ADY_OK;
}

static const char *read_member(struct ady_window *w, const struct ady_json *doc, uint32_t k)
{
	static const char hour[] = "must have from and to as \"HH:MM\", at most \"24:00\"";
	static const char moment[] = "must have after and before as \"2026-01-31T09:00:00Z\"";

	if (ady_json_is(doc, k, "days"))
		return read_days(w, doc, k + 1);
	if (ady_json_is(doc, k, "from"))
		return read_hour(&w->from_s, doc, k + 1) ? NULL : hour;
	if (ady_json_is(doc, k, "to"))
		return read_hour(&w->to_s, doc, k + 1) ? NULL : hour;
	if (ady_json_is(doc, k, "after"))
		return read_moment(&w->after_s, doc, k + 1) ? NULL : moment;
	if (ady_json_is(doc, k, "before"))
		return read_moment(&w->before_s, doc, k + 1) ? NULL : moment;
	return "has a member that is not days, from, to, after or before";
}

const char *ady_window_read(struct ady_window *w, const struct ady_json *doc, uint32_t i)
{
	const char *why = NULL;

	*w = (struct ady_window){.days = EVERY_DAY, .to_s = DAY_S, .before_s = INT64_MAX};
	if (ady_json_kind(doc, i) != ADY_JSON_OBJECT || doc->toks[i].count == 0)
		return "must be an object with at least one of days, from, to, after, before";
	for (uint32_t k = ady_json_first(doc, i); !why && k; k = ady_json_after(doc, i, k))
		why = read_member(w, doc, k);
	if (why)
		return why;
	if (w->from_s >= w->to_s || w->after_s >= w->before_s)
		return "is never open: it ends before it begins (a night is two windows)";
	return NULL;
}

/* 1970 began on a Thursday. */
bool ady_window_open(const struct ady_window *w, uint64_t now_s)
{
	uint64_t of_day = now_s % DAY_S;
	int64_t now = (int64_t)now_s;

	return (w->days >> (now_s / DAY_S + 4) % 7 & 1) && of_day >= w->from_s &&
	       of_day < w->to_s && now >= w->after_s && now < w->before_s;
}
