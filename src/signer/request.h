/* SPDX-License-Identifier: Apache-2.0
 *
 * The body of a signing request. The native form has one member that says what is signed:
 *
 *   {"transaction": {..}}                   chain/eth_tx.h
 *   {"message": {"text": ".."}}             EIP-191, personal; or {"hex": "0x.."}
 *   {"validator_data": {"address", "data"}} EIP-191, for a validator contract
 *   {"typed_data": {..}, "version": "V4"}   EIP-712; "V3" too, V4 when it is absent; and
 *                                           "unknown_members": "refuse" (the default), "ignore"
 *   {"authorization": {"chainId", "address", "nonce"}}  EIP-7702
 *   {"clique_header": "0x<RLP>"}            a block's header without its seal (EIP-225)
 *   {"data": "0x.."}                        any bytes but a transaction's; only when the key's
 *                                           record allows digests
 *   {"digest": "0x<32 bytes>"}              only when the key's record allows it
 *
 * An ed25519 key signs {"data": "0x.."} alone, the bytes as they are, and only when its record
 * allows digests: nothing of them is understood here.
 *
 * and the AWS sample's has {"transaction_payload": {..}, "secret_id": ".."}, whose second member is
 * the gateway's to look up. */
#ifndef ADY_SIGNER_REQUEST_H
#define ADY_SIGNER_REQUEST_H

#include "signer/sign.h"

/* Read m's request into job, whose record has been read: at and is_tx, and tx or digest.
 * Returns: ADY_E_DENIED for a digest that the record does not allow, and for a chain that it does
 * not name: of a transaction, of an authorization (0 means every chain, and is none of them), of
 * typed data whose domain has a chainId; ADY_E_RECORD for a BLS key, and an ed25519 key that is no
 * envelope; ADY_E_FIELD_INVALID for what a key of that curve does not sign; the errors of the
 * JSON reader and of what is signed, with the path from the member on. */
enum ady_err ady_request_read(struct ady_sign_job *job, const struct ady_wire_sign *m,
                              struct ady_fault *f);

#endif
