/* SPDX-License-Identifier: Apache-2.0
 *
 * Transactions of JSON-RPC. The enclave sees the object as it came, but for the blobs and proofs of
 * EIP-4844, which its signature covers by their hashes alone: they stay here and are put back. */
#ifndef ADY_GATEWAY_RPC_TX_H
#define ADY_GATEWAY_RPC_TX_H

#include "gateway/rpc.h"

enum { ADY_BLOB_SIZE = 131072, ADY_KZG_SIZE = 48, ADY_CELL_PROOFS = 128, ADY_BLOBS_MAX = 16 };

/* What is broadcast with a blob transaction: tokens of arrays. */
struct ady_sidecar {
	uint32_t blobs, commitments, proofs;
	size_t n;     /* blobs; 0: there is no sidecar */
	bool by_cell; /* EIP-7594: 128 proofs for each blob, and a version before them */
};

/* Find the sidecar in transaction object i. Blobs come with commitments and proofs, each of its
 * size, one commitment and one proof or 128 for each blob.
 * Returns: ADY_E_FIELD_MISSING or ADY_E_FIELD_INVALID with the path. */
enum ady_err ady_sidecar_find(struct ady_sidecar *s, const struct ady_json *doc, uint32_t i,
                              struct ady_fault *f);

/* Append "0x.." with quotes of a signed transaction as nodes take it: with sidecar for type 3
 * (EIP-4844, EIP-7594: 0x03 || rlp([transaction, blobs, ..])), else raw itself. */
void ady_sidecar_put_raw(struct ady_dyn *out, const struct ady_sidecar *s,
                         const struct ady_json *doc, struct ady_bytes raw);

/* Read transaction object i: from, and body, the native request {"transaction": {..}} without
 * blobs and proofs. blobVersionedHashes are made of the commitments where blobs come without them.
 * body must be empty; it is to be freed in any case.
 * Returns: ADY_E_FIELD_MISSING, ADY_E_FIELD_INVALID, ADY_E_CHECKSUM with the path. */
enum ady_err ady_rpc_tx_read(const struct ady_json *doc, uint32_t i, uint8_t from20[static 20],
                             struct ady_dyn *body, struct ady_fault *f);

#endif
