/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON reader: no document breaks it, and what it accepts holds together: tokens lie within
 * their parents, strings unescape to UTF-8, written strings read the same, no key is there twice.
 */
#include <stdlib.h>

#include "codec/json.h"
#include "codec/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = 4096, TEXT_MAX = 16384 };

static struct ady_json_tok toks[ROOM];

static void demand(bool holds)
{
	if (!holds)
		abort();
}

static void check_string(const struct ady_json *doc, uint32_t i)
{
	static uint8_t space[6 * TEXT_MAX + 2];
	static char text[TEXT_MAX + 1], again[TEXT_MAX + 1];
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_json_tok tok[1];
	struct ady_json copy;
	size_t n, m;

	demand(ady_json_string(doc, i, text, sizeof text, &n) == ADY_OK);
	demand(n <= doc->toks[i].len && ady_utf8_valid(ady_bytes(text, n)));
	ady_json_put_string(&b, ady_bytes(text, n));
	demand(!b.full);
	demand(ady_json_parse(&copy, tok, 1, ady_buf_bytes(&b), NULL) == ADY_OK);
	demand(ady_json_string(&copy, 0, again, sizeof again, &m) == ADY_OK);
	demand(ady_bytes_eq(ady_bytes(text, n), ady_bytes(again, m)));
}

/* Every child lies within its parent and is visited once; every key finds itself. */
static void check_children(const struct ady_json *doc, uint32_t i)
{
	const struct ady_json_tok *t = &doc->toks[i];
	uint32_t seen = 0;

	for (uint32_t k = ady_json_first(doc, i); k; k = ady_json_after(doc, i, k)) {
		demand(k > i && k < t->next && doc->toks[k].at > t->at);
		demand(doc->toks[k].at + doc->toks[k].len < t->at + t->len);
		demand(t->kind == ADY_JSON_ARRAY || doc->toks[k].kind == ADY_JSON_STRING);
		seen++;
	}
	demand(seen == t->count);
}

static void check_get(const struct ady_json *doc, uint32_t i)
{
	char name[32];
	size_t n;

	for (uint32_t k = ady_json_first(doc, i); k; k = ady_json_after(doc, i, k))
		if (ady_json_string(doc, k, name, sizeof name, &n) == ADY_OK &&
		    ady_json_is(doc, k, name)) /* it holds no NUL */
			demand(ady_json_get(doc, i, name) == k + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ady_bytes text = ady_bytes(data, size > TEXT_MAX ? TEXT_MAX : size);
	enum ady_err syntax, strict;
	struct ady_fault f;
	struct ady_json doc;

	syntax = ady_json_parse_syntax(&doc, toks, ROOM, text, &f);
	strict = ady_json_parse(&doc, toks, ROOM, text, &f);
	demand(strict == syntax || (syntax == ADY_OK && strict == ADY_E_JSON_DUPLICATE));
	demand(strict == ADY_OK || (f.err == strict && f.detail[0]));
	if (strict != ADY_OK)
		return 0;
	demand(doc.toks[0].next == doc.n);
	for (uint32_t i = 0; i < doc.n; i++) {
		if (ady_json_kind(&doc, i) == ADY_JSON_STRING) {
			check_string(&doc, i);
			continue;
		}
		check_children(&doc, i);
		if (ady_json_kind(&doc, i) == ADY_JSON_OBJECT)
			check_get(&doc, i);
	}
	return 0;
}
