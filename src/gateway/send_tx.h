/* SPDX-License-Identifier: Apache-2.0
 *
 * A transaction to be sent: what its object says, what it leaves to the gateway, and its object
 * again with that filled in. Internal to send*.c. */
#ifndef ADY_GATEWAY_SEND_TX_H
#define ADY_GATEWAY_SEND_TX_H

#include "gateway/rpc.h"

/* What can be left out of a transaction. */
enum ady_send_field {
	ADY_SEND_CHAIN,
	ADY_SEND_NONCE,
	ADY_SEND_GAS,
	ADY_SEND_GAS_PRICE,
	ADY_SEND_FEE,      /* maxFeePerGas */
	ADY_SEND_TIP,      /* maxPriorityFeePerGas */
	ADY_SEND_BLOB_FEE, /* maxFeePerBlobGas */
	ADY_SEND_FIELDS,
};

struct ady_send_tx {
	const struct ady_json *doc;
	uint32_t at; /* its object */
	bool given[ADY_SEND_FIELDS], filled[ADY_SEND_FIELDS];
	uint64_t value[ADY_SEND_FIELDS]; /* of those that are filled */
	bool blobs;                      /* type 3 */
	/* How fees are paid: as the object says by its type or fields, else as the chain has it. */
	enum { ADY_PAYS_AS_CHAIN, ADY_PAYS_PRICE, ADY_PAYS_FEE } pays;
};

/* Read parameter 0 of a call: which fields are there (null: it is not). *chain is that of chainId,
 * or 0. Returns ADY_E_FIELD_MISSING, ADY_E_FIELD_INVALID, ADY_E_FIELD_RANGE with the path. */
enum ady_err ady_send_tx_read(struct ady_send_tx *tx, const struct ady_rpc_call *call,
                              uint64_t *chain, struct ady_fault *f);

/* Whether a field is there, given or filled. */
bool ady_send_tx_has(const struct ady_send_tx *tx, enum ady_send_field field);

/* Fill a field in, or fill in another value. */
void ady_send_tx_fill(struct ady_send_tx *tx, enum ady_send_field field, uint64_t value);

/* Append the object with all that is filled in. */
void ady_send_tx_put(struct ady_dyn *out, const struct ady_send_tx *tx);

/* Append the object as eth_estimateGas takes it: without gas and nonce, type and sidecar. */
void ady_send_tx_put_call(struct ady_dyn *out, const struct ady_send_tx *tx);

#endif
