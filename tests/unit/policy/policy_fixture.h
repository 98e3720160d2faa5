/* SPDX-License-Identifier: Apache-2.0
 *
 * Policies and requests from JSON, for the tests of src/policy. A request is read by the same
 * functions that the signer uses. Apostrophes stand for quotes. */
#ifndef ADY_TEST_POLICY_FIXTURE_H
#define ADY_TEST_POLICY_FIXTURE_H

#include "policy/explain.h"
#include "test.h"

#define TO35 "0x3535353535353535353535353535353535353535"
#define DEAD "0x000000000000000000000000000000000000dEaD"
#define USDC "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
#define KEY1 "ed25519:0000000000000000000000000000000000000000000000000000000000000001"
#define KEY2 "p256:020000000000000000000000000000000000000000000000000000000000000002"
#define KEY3 \
	"webauthn:example.org:030000000000000000000000000000000000000000000000000000000000000003"

enum { FIX_TOKENS = 32768, FIX_TEXT = 256 << 10 };

static struct ady_rulebook book;
static struct ady_fault fault;
static struct ady_json policy_doc, request_doc;
static struct ady_json_tok policy_toks[FIX_TOKENS], request_toks[FIX_TOKENS];
static char policy_text[FIX_TEXT], request_text[FIX_TEXT], explanation[FIX_TEXT];
static uint8_t scratch[FIX_TEXT];
static struct ady_eth_tx tx;
static struct ady_eip712_view typed;
static struct ady_object object;
static struct ady_bytes stamps[4];

/* JSON with quotes for apostrophes. */
static inline struct ady_bytes quoted(char *out, const char *text)
{
	size_t n = strlen(text);

	CHECK(n < FIX_TEXT);
	for (size_t i = 0; i < n; i++)
		out[i] = text[i] == '\'' ? '"' : text[i];
	return ady_bytes(out, n);
}

/* Read a policy, all of it. */
static inline enum ady_err read_policy(const char *text)
{
	fault = (struct ady_fault){0};
	CHECK_ERR(
	    ady_json_parse(&policy_doc, policy_toks, FIX_TOKENS, quoted(policy_text, text), &fault),
	    ADY_OK);
	return ady_rulebook_read(&book, &policy_doc, 0, "policy", &fault);
}

/* Read a policy of one rule, "allow" with this "when". */
static inline enum ady_err read_when(const char *when)
{
	static char text[FIX_TEXT + 256];

	snprintf(text, sizeof text,
	         "{'policy':1,'rules':[{'name':'r','effect':'allow','when':%s}]}", when);
	return read_policy(text);
}

/* A refusal: where it is and how it begins to say why. */
static inline void check_fault(const char *where, const char *why)
{
	CHECK_STR(fault.where, where);
	if (!strstr(fault.detail, why))
		CHECK_STR(fault.detail, why);
}

static inline struct ady_eth_reader start_request(const char *text, const char *at)
{
	static struct ady_buf space;

	space = ady_buf(scratch, sizeof scratch);
	fault = (struct ady_fault){0};
	object = (struct ady_object){.now_s = 1764000000};
	CHECK_ERR(ady_json_parse(&request_doc, request_toks, FIX_TOKENS, quoted(request_text, text),
	                         &fault),
	          ADY_OK);
	return (struct ady_eth_reader){
	    .doc = &request_doc, .at = at, .scratch = &space, .f = &fault};
}

static inline void end_request(const struct ady_eth_reader *r)
{
	object.space = ady_buf(r->scratch->p + r->scratch->n, r->scratch->cap - r->scratch->n);
}

/* The request is a transaction; members that are not given are those of the macro TX. */
static inline void ask_tx(const char *text)
{
	struct ady_eth_reader r = start_request(text, "transaction");

	CHECK_ERR(
	    ady_eth_tx_parse(&tx, &request_doc, 0, ADY_ETH_WEI, "transaction", r.scratch, &fault),
	    ADY_OK);
	object.kind = ADY_OBJECT_TRANSACTION;
	object.tx = &tx;
	end_request(&r);
}

/* A legacy transaction with calldata. */
static inline void ask_call(const char *to, const char *data)
{
	static char text[FIX_TEXT + 256];

	snprintf(
	    text, sizeof text,
	    "{'chainId':1,'nonce':7,'gas':100000,'gasPrice':2,'to':'%s','value':5,'data':'%s'}", to,
	    data);
	ask_tx(text);
}

static inline void ask_typed(const char *text)
{
	struct ady_eth_reader r = start_request(text, "typed_data");
	uint8_t digest[32];

	CHECK_ERR(ady_eip712_read(&typed, digest, &r, 0, ADY_EIP712_V4, ADY_EIP712_IGNORE), ADY_OK);
	object.kind = ADY_OBJECT_TYPED_DATA;
	object.typed = &typed;
	end_request(&r);
}

static inline void ask_message(const char *text)
{
	struct ady_eth_reader r = start_request("{}", "message");

	object.kind = ADY_OBJECT_MESSAGE;
	object.text = ady_bytes_str(text);
	end_request(&r);
}

static inline struct ady_decision decide(const struct ady_counters *counters,
                                         struct ady_counters *charged)
{
	struct ady_deciding d = {.book = &book, .object = &object, .counters = counters};
	struct ady_decision decision;

	ady_decide(&decision, &d, charged);
	fault = (struct ady_fault){0};
	if (decision.verdict != ADY_ALLOWED)
		CHECK_ERR(ady_decision_refuse(&decision, &book, "policy", &fault), ADY_E_DENIED);
	return decision;
}

/* What the one rule of read_when comes to on the request. */
static inline enum ady_tri met(const char *when)
{
	struct ady_deciding d = {.book = &book, .object = &object};

	if (!CHECK_ERR(read_when(when), ADY_OK)) {
		printf("# %s: %s %s\n", when, fault.where, fault.detail);
		return ADY_NO;
	}
	return ady_decide_rule(&d, &book.rules[0]);
}

#define MET(when) CHECK_INT(met(when), ADY_YES)
#define NOT_MET(when) CHECK_INT(met(when), ADY_NO)
#define UNSURE(when) CHECK_INT(met(when), ADY_UNDECIDED)

/* A condition that is refused: its key below "policy.rules[0]", and why. */
static inline void refused(const char *when, const char *key, const char *why)
{
	char where[128];

	if (!CHECK(read_when(when) != ADY_OK))
		printf("# accepted: %s\n", when);
	snprintf(where, sizeof where, "policy.rules[0]%s%s", *key ? "." : "", key);
	check_fault(where, why);
}

static inline const char *explain(const struct ady_counters *counters)
{
	struct ady_deciding d = {.book = &book, .object = &object, .counters = counters};
	struct ady_buf b = ady_buf(explanation, sizeof explanation - 1);
	struct ady_decision decision;

	ady_explain(&b, &decision, &d);
	explanation[b.n] = '\0';
	return explanation;
}

/* Not every test uses every function: name them once. */
static inline void fixture_used(void)
{
	(void)read_policy, (void)check_fault, (void)ask_tx, (void)ask_call, (void)ask_typed;
	(void)ask_message, (void)decide, (void)refused, (void)explain, (void)stamps;
}

#endif
