/* SPDX-License-Identifier: Apache-2.0
 *
 * The time of a policy's decision: 100 rules, of which only the last allows the request, and as
 * many that deny, none of which is met. Prints microseconds a decision and a reading, medians of
 * nine rounds. With an argument N it decides N times and prints nothing: for valgrind
 * --tool=callgrind. */
#include <stdio.h>
#include <stdlib.h>

#include "median.h"
#include "policy/decide.h"

enum { RULES = 100, PER_ROUND = 2000, TOKENS = 8192 };

static struct ady_rulebook book;
static struct ady_json policy, request;
static struct ady_json_tok policy_toks[TOKENS], request_toks[TOKENS];
static struct ady_eth_tx tx;
static uint8_t text_space[65536], scratch[4096];
static struct ady_buf text;
static const struct ady_counters none;

/* A rule for each customer: their chain, address, function, argument and bounds. */
static void write_policy(bool deny)
{
	text = ady_buf(text_space, sizeof text_space);
	ady_buf_str(&text, "{\"policy\":1,\"rules\":[");
	for (unsigned i = 0; i < RULES; i++)
		ady_buf_printf(
		    &text,
		    "%s{\"name\":\"r%u\",\"effect\":\"%s\",\"when\":{\"kind\":\"transaction\","
		    "\"chain\":[1,10,137],\"value\":{\"le\":\"1000000000000000000\"},"
		    "\"to\":\"0x%040x\",\"function\":\"transfer(address,uint256)\","
		    "\"args[1]\":{\"le\":1000}}}",
		    i ? "," : "", i, deny && i % 2 == 0 ? "deny" : "allow", i + 1);
	ady_buf_str(&text, "]}");
	if (text.full)
		abort();
}

static void read_policy(void)
{
	if (ady_json_parse(&policy, policy_toks, TOKENS, ady_buf_bytes(&text), NULL) != ADY_OK ||
	    ady_rulebook_read(&book, &policy, 0, "policy", NULL) != ADY_OK)
		abort();
}

static void read_request(void)
{
	static char json[1024];
	struct ady_buf space = ady_buf(scratch, sizeof scratch);

	snprintf(json, sizeof json,
	         "{\"chainId\":137,\"nonce\":1,\"gas\":60000,\"maxFeePerGas\":20,"
	         "\"maxPriorityFeePerGas\":1,\"to\":\"0x%040x\",\"value\":7,\"data\":\"0xa9059cbb%"
	         "064x%064x\"}",
	         RULES, 0x35, 100);
	if (ady_json_parse(&request, request_toks, TOKENS, ady_bytes_str(json), NULL) != ADY_OK ||
	    ady_eth_tx_parse(&tx, &request, 0, ADY_ETH_WEI, "t", &space, NULL) != ADY_OK)
		abort();
}

static void decide(void)
{
	struct ady_object object = {.kind = ADY_OBJECT_TRANSACTION, .tx = &tx, .now_s = 1764000000};
	struct ady_deciding d = {.book = &book, .object = &object, .counters = &none};
	struct ady_decision decision;

	ady_decide(&decision, &d, NULL);
	if (decision.verdict != ADY_ALLOWED || decision.rule != RULES - 1)
		abort();
}

int main(int argc, char **argv)
{
	read_request();
	write_policy(argc > 1);
	read_policy();
	if (argc > 1) {
		for (long n = strtol(argv[1], NULL, 10); n > 0; n--)
			decide();
		return 0;
	}
	printf("100 allow rules, the last allows: %.2f us a decision, %.1f us to read %zu bytes\n",
	       ady_bench_median_us(decide, PER_ROUND), ady_bench_median_us(read_policy, PER_ROUND),
	       text.n);
	write_policy(true);
	read_policy();
	printf("50 deny and 50 allow rules:       %.2f us a decision\n",
	       ady_bench_median_us(decide, PER_ROUND));
	return 0;
}
