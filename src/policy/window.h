/* SPDX-License-Identifier: Apache-2.0
 *
 * Windows of time, all in UTC: days of the week, hours of a day, an interval; what is left out does
 * not matter. */
#ifndef ADY_POLICY_WINDOW_H
#define ADY_POLICY_WINDOW_H

#include "codec/json.h"

struct ady_window {
	uint8_t days;              /* bit 0 is Sunday */
	uint32_t from_s, to_s;     /* of the day, to_s not included */
	int64_t after_s, before_s; /* since 1970, before_s not included */
};

/* Read token i: {"days": ["mon", ..], "from": "HH:MM", "to": "HH:MM", "after": RFC 3339, "before":
 * RFC 3339}, at least one of them; "24:00" ends a day.
 * Returns: NULL, or why it is none. */
const char *ady_window_read(struct ady_window *w, const struct ady_json *doc, uint32_t i);

/* Whether the window is open at a time in seconds since 1970. */
bool ady_window_open(const struct ady_window *w, uint64_t now_s);

#endif
