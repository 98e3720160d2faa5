/* SPDX-License-Identifier: Apache-2.0
 *
 * A policy, a line feed, and a request: a policy that is read decides and explains the same, twice,
 * and what it counts can be written and read. The first byte says what kind of request it is. */
#include "policy/explain.h"

#include "test.h"

enum { TOKENS = 4096 };

/* The entry point of the fuzzers. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ady_rulebook book;
static struct ady_json policy_doc, request_doc;
static struct ady_json_tok policy_toks[TOKENS], request_toks[TOKENS];
static struct ady_eth_tx tx;
static struct ady_eip712_view typed;
static struct ady_object object;
static struct ady_counters before, after, again;
static uint8_t scratch[65536], text[1 << 20], state[16384];

static bool read_request(struct ady_bytes request, uint8_t kind)
{
	struct ady_buf space = ady_buf(scratch, sizeof scratch);
	const struct ady_eth_reader r = {.doc = &request_doc, .at = "r", .scratch = &space};
	uint8_t digest[32];
	enum ady_err err = ADY_OK;

	object = (struct ady_object){.now_s = 1764000000 + kind};
	if (kind % 3 == 0) {
		object.kind = ADY_OBJECT_MESSAGE;
		object.text = request;
	} else {
		err = ady_json_parse(&request_doc, request_toks, TOKENS, request, NULL);
	}
	if (err == ADY_OK && kind % 3 == 1) {
		object.kind = ADY_OBJECT_TRANSACTION;
		object.tx = &tx;
		err = ady_eth_tx_parse(&tx, &request_doc, 0, ADY_ETH_WEI, "r", &space, NULL);
	} else if (err == ADY_OK && kind % 3 == 2) {
		object.kind = ADY_OBJECT_TYPED_DATA;
		object.typed = &typed;
		err = ady_eip712_read(&typed, digest, &r, 0, ADY_EIP712_V4, ADY_EIP712_IGNORE);
	}
	object.space = ady_buf(space.p + space.n, space.cap - space.n);
	return err == ADY_OK;
}

static void decide(void)
{
	struct ady_deciding d = {.book = &book, .object = &object, .counters = &before};
	struct ady_deciding e = d;
	struct ady_buf out = ady_buf(text, sizeof text), b = ady_buf(state, sizeof state);
	struct ady_decision one, two;
	struct ady_fault f = {0};

	before = (struct ady_counters){0};
	ady_decide(&one, &d, &after);
	ady_explain(&out, &two, &e);
	if (one.verdict != two.verdict || one.rule != two.rule || one.limit != two.limit)
		ADY_BUG("an explanation of another decision");
	if (one.verdict != ADY_ALLOWED &&
	    (ady_decision_refuse(&one, &book, "policy", &f) != ADY_E_DENIED || !f.detail[0]))
		ADY_BUG("a refusal without a reason");
	ady_counters_put(&b, &after, book.counters, book.counters_n);
	if (b.full || ady_counters_read(&again, book.counters, book.counters_n, object.now_s,
	                                ady_buf_bytes(&b)) != ADY_OK)
		ADY_BUG("counters that cannot be read again");
	if (memcmp(&after, &again, sizeof after) != 0)
		ADY_BUG("other counters after a round");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line = size > 1 ? memchr(data + 1, '\n', size - 1) : NULL;
	struct ady_bytes policy, request;
	struct ady_fault f = {0};
	enum ady_err err;

	if (!line)
		return 0;
	policy = ady_bytes(data + 1, (size_t)(line - data) - 1);
	request = ady_bytes(line + 1, size - (size_t)(line - data) - 1);
	if (ady_json_parse(&policy_doc, policy_toks, TOKENS, policy, NULL) != ADY_OK)
		return 0;
	err = ady_rulebook_read(&book, &policy_doc, 0, "policy", &f);
	if (err != ADY_OK && (f.err != err || !f.where[0] || !f.detail[0]))
		ADY_BUG("a refusal without a reason");
	if (err == ADY_OK && read_request(request, data[0]))
		decide();
	return 0;
}
