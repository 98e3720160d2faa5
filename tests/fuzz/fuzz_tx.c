/* SPDX-License-Identifier: Apache-2.0
 *
 * A transaction from JSON, in both units: what is accepted must encode within the promised size,
 * and come out the same after one more round through JSON. */
#include "chain/eth_tx.h"

#include "eth_json.h"
#include "test.h"

/* The entry point of the fuzzers. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX = 65536 };

static struct ady_json_tok toks[4096];
static uint8_t space[2][MAX], raw_space[2][MAX + 256], json_space[4 * MAX];

static size_t promised(const struct ady_eth_tx *tx)
{
	return ADY_ETH_TX_FIXED_MAX + tx->data.n + tx->access_list.n + tx->blob_hashes.n +
	       tx->authorizations.n;
}

static struct ady_bytes sign(const struct ady_eth_tx *tx, unsigned i)
{
	static const struct ady_secp_sig sig = {.r = {0, 7}, .s = {[31] = 1}, .y_parity = 1};
	struct ady_buf raw = ady_buf(raw_space[i], sizeof raw_space[i]);

	ady_eth_tx_encode(&raw, tx, NULL);
	if (raw.full || raw.n > promised(tx))
		ADY_BUG("larger than promised");
	raw.n = 0;
	ady_eth_tx_encode(&raw, tx, &sig);
	if (raw.full || raw.n > promised(tx))
		ADY_BUG("larger than promised");
	return ady_buf_bytes(&raw);
}

static void go_round(struct ady_bytes raw)
{
	struct ady_buf scratch = ady_buf(space[1], sizeof space[1]);
	struct ady_buf json = ady_buf(json_space, sizeof json_space);
	struct ady_secp_sig sig;
	struct ady_eth_tx tx;
	struct ady_json doc;

	if (!eth_json_of_signed(&json, &sig, raw))
		ADY_BUG("the encoding is not canonical");
	if (json.n > MAX) /* it was shorter with decimal quantities */
		return;
	if (ady_json_parse(&doc, toks, 4096, ady_buf_bytes(&json), NULL) != ADY_OK ||
	    ady_eth_tx_parse(&tx, &doc, 0, ADY_ETH_WEI, "tx", &scratch, NULL) != ADY_OK)
		ADY_BUG("what was accepted once is refused");
	if (!ady_bytes_eq(raw, sign(&tx, 1)))
		ADY_BUG("another transaction after a round");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (unsigned units = 0; units < 2 && size <= MAX; units++) {
		struct ady_buf scratch = ady_buf(space[0], size);
		struct ady_fault f = {0};
		struct ady_eth_tx tx;
		struct ady_json doc;

		if (ady_json_parse(&doc, toks, 4096, ady_bytes(data, size), &f) != ADY_OK)
			return 0;
		if (ady_eth_tx_parse(&tx, &doc, 0, (enum ady_eth_units)units, "tx", &scratch, &f) ==
		    ADY_OK)
			go_round(sign(&tx, 0));
		else if (f.err == ADY_OK || !f.where[0] || !f.detail[0])
			ADY_BUG("a refusal without a reason");
	}
	return 0;
}
