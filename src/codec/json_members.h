/* SPDX-License-Identifier: Apache-2.0
 *
 * The members of a JSON object one by one, their values as they stand, without tokens: for replies
 * of any size that are passed on. Strings and brackets are followed, so that a value is what a
 * reader of JSON would take for it; what is inside a value its reader must check. Heap: none. */
#ifndef ADY_CODEC_JSON_MEMBERS_H
#define ADY_CODEC_JSON_MEMBERS_H

#include "base/bytes.h"

struct ady_json_members {
	struct ady_bytes text;
	size_t at;
	bool begun;
};

struct ady_json_member {
	struct ady_bytes key, value; /* key: between the quotes, escapes as they stand */
};

/* The next member of the object m->text; the rest of m all zero at first.
 * Returns: ADY_E_NOT_FOUND at the object's end, with nothing but blanks behind it; ADY_E_JSON;
 * ADY_E_TOO_LARGE for a value of over 4096 brackets one in the other. */
enum ady_err ady_json_members_next(struct ady_json_members *m, struct ady_json_member *member);

/* The value of the member of that name; of two, the last. Returns as above; ADY_E_NOT_FOUND: the
 * object has none. */
enum ady_err ady_json_members_get(struct ady_bytes text, const char *name, struct ady_bytes *value);

#endif
