/* SPDX-License-Identifier: Apache-2.0
 *
 * The members of an object: what the reader of JSON accepts has the same members here, and the same
 * values, byte by byte. */
#include <stdlib.h>
#include <string.h>

#include "codec/json.h"
#include "codec/json_members.h"

/* See replay.c. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void compare(const struct ady_json *doc, struct ady_bytes in)
{
	struct ady_json_members m = {.text = in};
	struct ady_json_member member;

	for (uint32_t k = ady_json_first(doc, 0); k; k = ady_json_after(doc, 0, k)) {
		struct ady_bytes value = ady_json_raw(doc, k + 1);
		size_t quotes = ady_json_kind(doc, k + 1) == ADY_JSON_STRING;

		must(ady_json_members_next(&m, &member) == ADY_OK);
		must(ady_bytes_eq(member.key, ady_json_raw(doc, k)));
		must(member.value.p == value.p - quotes && member.value.n == value.n + 2 * quotes);
	}
	must(ady_json_members_next(&m, &member) == ADY_E_NOT_FOUND);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ady_json_tok toks[1024];
	struct ady_bytes in = ady_bytes(data, size), value;
	struct ady_json_members m = {.text = in};
	struct ady_json_member member;
	struct ady_json doc;
	struct ady_fault f;

	while (ady_json_members_next(&m, &member) == ADY_OK)
		must(member.value.n > 0 && member.value.p + member.value.n <= data + size);
	if (ady_json_members_get(in, "result", &value) == ADY_OK)
		must(value.n > 0);
	if (ady_json_parse_syntax(&doc, toks, 1024, in, &f) == ADY_OK &&
	    ady_json_kind(&doc, 0) == ADY_JSON_OBJECT)
		compare(&doc, in);
	return 0;
}
