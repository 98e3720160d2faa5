/* SPDX-License-Identifier: Apache-2.0
 *
 * A signed transaction as geth writes and reads it in JSON (core/types/transaction_marshalling.go):
 * what its external signer is to answer with. */
#ifndef ADY_GATEWAY_GETH_TX_H
#define ADY_GATEWAY_GETH_TX_H

#include "gateway/rpc_tx.h"

/* Append the object of a signed transaction raw, whose hash is hash32, with its sidecar's blobs,
 * commitments and proofs (tokens of doc) if it has one.
 * Returns: ADY_E_PROTOCOL when raw is no signed transaction of the types 0 to 4; out is then as
 * before. */
enum ady_err ady_geth_tx_put(struct ady_dyn *out, struct ady_bytes raw,
                             const uint8_t hash32[static 32], const struct ady_sidecar *s,
                             const struct ady_json *doc);

#endif
