/* SPDX-License-Identifier: Apache-2.0
 *
 * Transactions of Safe wallets, as account_signGnosisSafeTx takes them: their fields become the
 * EIP-712 document that the wallet's contract hashes (SafeTx of safe-smart-account). */
#ifndef ADY_GATEWAY_RPC_SAFE_H
#define ADY_GATEWAY_RPC_SAFE_H

#include "codec/wire.h"
#include "gateway/rpc.h"

/* Make the native request of parameter n: {"safe", "to", "value", "data", "operation", "safeTxGas",
 * "baseGas", "gasPrice", "gasToken", "refundReceiver", "nonce", "chainId", "safeTxHash"}, other
 * members unread. data may be null or absent; chainId may be absent for Safes before 1.3, whose
 * domain has none. safeTxHash is required and must be the document's hash.
 * Returns: the ADY_E_FIELD_* or ADY_E_CHECKSUM with the path. */
enum ady_err ady_safe_body(const struct ady_rpc_call *call, size_t n, struct ady_dyn *body,
                           struct ady_fault *f);

/* Append the transaction with its signature, contractTransactionHash and sender. */
void ady_safe_put(struct ady_rpc_call *call, struct ady_dyn *out, const struct ady_wire_signed *m);

#endif
