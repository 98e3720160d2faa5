/* SPDX-License-Identifier: Apache-2.0
 *
 * The texts of JSON-RPC: a call's object read and sent to its method, and the answers written.
 * Internal to rpc.c and rpc_text.c. */
#ifndef ADY_GATEWAY_RPC_TEXT_H
#define ADY_GATEWAY_RPC_TEXT_H

#include "gateway/rpc.h"

/* Read the object of a call and hand it to its method, or answer why it is none. */
void ady_rpc_dispatch(struct ady_rpc_call *call);

/* Write {"jsonrpc":"2.0","id":.. to call->out, from its start. */
void ady_rpc_put_head(struct ady_rpc_call *call);

/* Write the whole answer for a refusal. */
void ady_rpc_put_fault(struct ady_rpc_call *call, enum ady_rpc_code code,
                       const struct ady_fault *f);

/* The same for what is denied where call->denied says how to say so. */
void ady_rpc_put_denied(struct ady_rpc_call *call, const struct ady_fault *f);

/* Write the whole answer for an error that has a message and no data. */
void ady_rpc_put_error(struct ady_rpc_call *call, enum ady_rpc_code code, const char *message);

#endif
