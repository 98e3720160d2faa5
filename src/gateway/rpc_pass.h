/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls that go to a node: which chain they mean, their text, and what comes back. */
#ifndef ADY_GATEWAY_RPC_PASS_H
#define ADY_GATEWAY_RPC_PASS_H

#include "gateway/rpc.h"

/* The chain that a call is for: the one that its client chose (path "/chain/ID"), or the default.
 * False: there is none, and the call has been answered. */
bool ady_rpc_chain(struct ady_rpc_call *call, uint64_t *chain);

/* Append the call as a text of its own, with id and the method and parameters as they stand. */
void ady_rpc_pass_text(const struct ady_rpc_call *call, uint64_t id, struct ady_dyn *out);

/* Answer a call with what a node said: a result, or an error object, as they stand. */
void ady_rpc_pass_on(struct ady_rpc_call *call, struct ady_bytes result, struct ady_bytes error);

/* Answer a call that no node answered. */
void ady_rpc_pass_failed(struct ady_rpc_call *call, const struct ady_fault *f);

#endif
