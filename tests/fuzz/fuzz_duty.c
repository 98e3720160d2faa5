/* SPDX-License-Identifier: Apache-2.0
 *
 * A validator's duty from JSON: what is read strictly is read loosely as well, with the same root;
 * a refusal has a reason. */
#include "chain/beacon_duty.h"
#include "test.h"

/* The entry point of the fuzzers. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TOKENS = 4096 };

static struct ady_json_tok toks[TOKENS];

/* The network of tests/e2e/lib/duties.mjs, where the corpus comes from. */
static void test_network(struct ady_beacon_network *net)
{
	*net = *ady_beacon_network_find("mainnet");
	memset(net->genesis_validators_root, 0x5a, sizeof net->genesis_validators_root);
	for (unsigned k = 0; k < ADY_FORKS; k++) {
		memcpy(net->fork[k].version, (uint8_t[]){(uint8_t)k, 0, 0, 0xaa}, 4);
		net->fork[k].epoch = k * 1000;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ady_beacon_network net;
	struct ady_duty loose, strict;
	struct ady_fault f = {0};
	struct ady_json doc;
	enum ady_err err;

	test_network(&net);
	if (ady_json_parse(&doc, toks, TOKENS, ady_bytes(data, size), &f) != ADY_OK)
		return 0;
	(void)ady_beacon_network_read(&net, &doc, 0, &f);
	test_network(&net);
	err = ady_duty_read(&loose, &net, &doc, 0, false, &f);
	if (err != ADY_OK && (f.err != err || !f.detail[0]))
		ADY_BUG("a refusal without a reason");
	if (ady_duty_read(&strict, &net, &doc, 0, true, &f) == ADY_OK &&
	    (err != ADY_OK || memcmp(&strict, &loose, sizeof loose) != 0))
		ADY_BUG("strict and loose reading differ");
	return 0;
}
