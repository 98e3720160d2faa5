/* SPDX-License-Identifier: Apache-2.0
 *
 * What a transaction leaves open, asked of the node (contract in gateway/send.h). Fees as geth and
 * ethers choose them: twice the next block's base fee, so that six full blocks are outlasted, and
 * the tip that the node advises. */
#include <string.h>

#include "codec/json_members.h"
#include "gateway/rpc_pass.h"
#include "gateway/send.h"

enum { FALLBACK_TIP = 1000000000 }; /* 1 gwei, where a node has no advice */

static uint64_t twice(uint64_t v)
{
	return v > UINT64_MAX / 2 ? UINT64_MAX : 2 * v;
}

static void bad_answer(struct ady_send *s, const char *method)
{
	struct ady_fault f;

	(void)ady_fail(&f, ADY_E_PROTOCOL, NULL, "the node's answer to %s is no quantity", method);
	ady_send_fail(s, &f);
}

/* The last item of an array of quantities; 0 where there is none. */
static uint64_t last_of(struct ady_bytes array)
{
	size_t end = array.n, begin;
	uint64_t v;

	while (end > 0 && array.p[end - 1] != '"')
		end--;
	for (begin = end > 0 ? end - 1 : 0; begin > 0 && array.p[begin - 1] != '"'; begin--)
		;
	if (begin == 0 || !ady_node_quantity(ady_bytes_sub(array, begin - 1, end - begin + 1), &v))
		return 0;
	return v;
}

/* A node that does not know eth_feeHistory is of a chain without a market for fees. */
static void on_fees(struct ady_send *s, struct ady_bytes result, struct ady_bytes error)
{
	struct ady_bytes fees;

	(void)error;
	s->fees_known = true;
	if (ady_json_members_get(result, "baseFeePerGas", &fees) == ADY_OK)
		s->base_fee = last_of(fees);
	if (ady_json_members_get(result, "baseFeePerBlobGas", &fees) == ADY_OK)
		s->blob_base_fee = last_of(fees);
	if (s->tx.pays == ADY_PAYS_AS_CHAIN)
		s->tx.pays = s->base_fee ? ADY_PAYS_FEE : ADY_PAYS_PRICE;
	ady_send_fill(s);
}

static void on_tip(struct ady_send *s, struct ady_bytes result, struct ady_bytes error)
{
	uint64_t tip;

	(void)error;
	if (!ady_node_quantity(result, &tip))
		tip = FALLBACK_TIP;
	ady_send_tx_fill(&s->tx, ADY_SEND_TIP, tip);
	ady_send_fill(s);
}

static void on_price(struct ady_send *s, struct ady_bytes result, struct ady_bytes error)
{
	uint64_t price;

	if (error.n > 0) {
		ady_send_refused(s, error);
	} else if (!ady_node_quantity(result, &price)) {
		bad_answer(s, "eth_gasPrice");
	} else {
		ady_send_tx_fill(&s->tx, ADY_SEND_GAS_PRICE, price);
		ady_send_fill(s);
	}
}

/* That a call would revert its sender wants to know, with the node's reason. */
static void on_gas(struct ady_send *s, struct ady_bytes result, struct ady_bytes error)
{
	uint64_t gas;

	if (error.n > 0) {
		ady_send_refused(s, error);
	} else if (!ady_node_quantity(result, &gas)) {
		bad_answer(s, "eth_estimateGas");
	} else {
		ady_send_tx_fill(&s->tx, ADY_SEND_GAS, gas);
		ady_send_fill(s);
	}
}

static void ask_gas(struct ady_send *s)
{
	struct ady_dyn params = {0};

	ady_dyn_str(&params, "[");
	ady_send_tx_put_call(&params, &s->tx);
	ady_dyn_str(&params, "]");
	ady_send_ask(s, "eth_estimateGas", ady_dyn_bytes(&params), on_gas);
	ady_dyn_free(&params);
}

/* A fee cap that its sender chose bounds the tip; the enclave refuses the contrary. */
static uint64_t given_value(const struct ady_send_tx *tx, const char *name)
{
	uint32_t i = ady_json_get(tx->doc, tx->at, name);
	struct ady_bytes raw = ady_json_raw(tx->doc, i);
	uint64_t v;

	if (i && ady_json_kind(tx->doc, i) == ADY_JSON_STRING &&
	    ady_node_quantity(ady_bytes(raw.p - 1, raw.n + 2), &v))
		return v;
	return UINT64_MAX;
}

/* Fees that are not there, once the base fee and the node's advice are. */
static void settle_fees(struct ady_send *s)
{
	struct ady_send_tx *tx = &s->tx;

	if (tx->given[ADY_SEND_FEE] && tx->filled[ADY_SEND_TIP]) {
		uint64_t cap = given_value(tx, "maxFeePerGas");

		if (tx->value[ADY_SEND_TIP] > cap)
			ady_send_tx_fill(tx, ADY_SEND_TIP, cap);
	}
	if (!ady_send_tx_has(tx, ADY_SEND_FEE)) {
		uint64_t tip = tx->filled[ADY_SEND_TIP] ? tx->value[ADY_SEND_TIP]
		                                        : given_value(tx, "maxPriorityFeePerGas");
		uint64_t fee = twice(s->base_fee);

		ady_send_tx_fill(tx, ADY_SEND_FEE, fee > UINT64_MAX - tip ? UINT64_MAX : fee + tip);
	}
	if (tx->blobs && !ady_send_tx_has(tx, ADY_SEND_BLOB_FEE))
		ady_send_tx_fill(tx, ADY_SEND_BLOB_FEE,
		                 s->blob_base_fee ? twice(s->blob_base_fee) : 1);
}

static bool needs_base_fee(const struct ady_send_tx *tx)
{
	return tx->pays == ADY_PAYS_AS_CHAIN ||
	       (tx->pays == ADY_PAYS_FEE &&
	        (!ady_send_tx_has(tx, ADY_SEND_FEE) ||
	         (tx->blobs && !ady_send_tx_has(tx, ADY_SEND_BLOB_FEE))));
}

void ady_send_fill(struct ady_send *s)
{
	static const char latest[] = "[\"0x1\",\"latest\",[]]";
	struct ady_send_tx *tx = &s->tx;
	const struct ady_bytes none = ady_bytes_str("[]");

	if (!s->fees_known && needs_base_fee(tx)) {
		ady_send_ask(s, "eth_feeHistory", ady_bytes_str(latest), on_fees);
		return;
	}
	if (tx->pays == ADY_PAYS_PRICE && !ady_send_tx_has(tx, ADY_SEND_GAS_PRICE)) {
		ady_send_ask(s, "eth_gasPrice", none, on_price);
		return;
	}
	if (tx->pays == ADY_PAYS_FEE && !ady_send_tx_has(tx, ADY_SEND_TIP)) {
		ady_send_ask(s, "eth_maxPriorityFeePerGas", none, on_tip);
		return;
	}
	if (tx->pays == ADY_PAYS_FEE)
		settle_fees(s);
	if (!ady_send_tx_has(tx, ADY_SEND_GAS))
		ask_gas(s);
	else
		ady_send_filled(s);
}
