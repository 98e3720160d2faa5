/* SPDX-License-Identifier: Apache-2.0
 *
 * Slashing protection interchange files and stored rows: a file that is accepted gives its entries
 * again, and what is written of them is accepted too, with the same marks. */
#include "policy/interchange.h"
#include "policy/slashing_row.h"
#include "test.h"

/* The entry point of the fuzzers. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TOKENS = 8192, ENTRIES = 8, SPACE = 8192 };

static struct ady_json_tok toks[2][TOKENS];
static uint8_t space[SPACE];

static bool same(const struct ady_slash_state *a, const struct ady_slash_state *b)
{
	return a->has_block == b->has_block && a->slot == b->slot &&
	       a->has_attestation == b->has_attestation && a->source == b->source &&
	       a->target == b->target;
}

static void go_round(const struct ady_interchange *ix)
{
	struct ady_buf out = ady_buf(space, sizeof space);
	struct ady_interchange_entry entries[ENTRIES], e;
	struct ady_interchange again;
	struct ady_json doc;
	uint32_t at = 0, n = 0;

	ady_interchange_put_head(&out, ix->genesis_validators_root);
	while (n < ENTRIES && ady_interchange_next(ix, &at, &entries[n]))
		ady_interchange_put_entry(&out, entries[n].pubkey, &entries[n].state), n++;
	ady_interchange_put_end(&out);
	if (out.full ||
	    ady_json_parse(&doc, toks[1], TOKENS, ady_buf_bytes(&out), NULL) != ADY_OK ||
	    ady_interchange_open(&again, &doc, NULL) != ADY_OK || again.validators != n)
		ADY_BUG("what was written is refused");
	at = 0;
	for (uint32_t i = 0; i < n; i++)
		if (!ady_interchange_next(&again, &at, &e) || !same(&e.state, &entries[i].state))
			ADY_BUG("another history after a round");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ady_interchange ix;
	struct ady_slash_state state;
	struct ady_fault f = {0};
	struct ady_json doc;
	uint8_t gvr[32];

	(void)ady_slash_row_peek(&state, gvr, ady_bytes(data, size), &f);
	if (ady_json_parse(&doc, toks[0], TOKENS, ady_bytes(data, size), &f) != ADY_OK)
		return 0;
	if (ady_interchange_open(&ix, &doc, &f) == ADY_OK)
		go_round(&ix);
	else if (f.err == ADY_OK || !f.detail[0])
		ADY_BUG("a refusal without a reason");
	return 0;
}
