/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/record.h"

#include <string.h>

#include "policy/stamp_key.h"

static const char gateway[] = "gateway";

/* Whether the record names the caller; *n is how many it names before that. */
static bool find(const struct ady_record *rec, struct ady_bytes caller, size_t *n)
{
	struct ady_bytes text = ady_bytes_str(rec->callers_text);

	for (*n = 0; text.n > 0; ++*n)
		if (ady_bytes_eq(ady_bytes_cut(&text, ','), caller))
			return true;
	return false;
}

enum ady_err ady_record_add_caller(struct ady_record *rec, struct ady_bytes caller)
{
	size_t at = strlen(rec->callers_text), n;
	struct ady_buf b = ady_buf(rec->callers_text + at, sizeof rec->callers_text - 1 - at);
	struct ady_stamp_key key;

	if (!ady_bytes_is(caller, gateway) && !ady_stamp_key_read(&key, caller))
		return ADY_E_RECORD;
	if (find(rec, caller, &n) || n == ADY_RECORD_CALLERS_MAX ||
	    caller.n + 1 > sizeof rec->callers_text - 1 - at)
		return ADY_E_RECORD;
	ady_buf_str(&b, at > 0 ? "," : "");
	ady_buf_view(&b, caller);
	rec->callers_text[at + b.n] = '\0';
	return ADY_OK;
}

bool ady_record_has_caller(const struct ady_record *rec, struct ady_bytes caller)
{
	size_t n;

	return find(rec, caller, &n);
}

bool ady_record_needs_stamp(const struct ady_record *rec)
{
	return rec->callers_text[0] && !ady_record_has_caller(rec, ady_bytes_str(gateway));
}
