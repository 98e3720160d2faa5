/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls that end in a signature: the account's key is found, the enclave is asked, the call is
 * answered. */
#ifndef ADY_GATEWAY_RPC_SIGN_H
#define ADY_GATEWAY_RPC_SIGN_H

#include "gateway/rpc.h"
#include "gateway/signing.h"

/* Append a call's result for what was signed: one JSON value. */
typedef void ady_rpc_put_fn(struct ady_rpc_call *call, struct ady_dyn *out,
                            const struct ady_wire_signed *m);

/* Have body, a native request (signer/request.h), signed with the key of an address, and answer the
 * call with what put writes, or with the refusal. body is taken over, and empty afterwards. */
void ady_rpc_sign(struct ady_rpc_call *call, const uint8_t address20[static 20],
                  struct ady_dyn *body, ady_rpc_put_fn *put);

#endif
