/* SPDX-License-Identifier: Apache-2.0
 *
 * A session's own WebSocket to a node, made when it first subscribes. Calls go over it with ids of
 * ours, notifications come back and are passed on as they are, so that the node's subscription ids
 * hold for the client. When it ends while there are subscriptions the session is closed (1012):
 * what was missed meanwhile cannot be made up for here, and its client subscribes again, at a node
 * that is well. Thread rule: the shard's thread. */
#ifndef ADY_GATEWAY_UPSTREAM_H
#define ADY_GATEWAY_UPSTREAM_H

#include "gateway/rpc.h"

struct ady_session;
struct ady_upstream;

/* Send a call (eth_subscribe, eth_unsubscribe) to the node of its session, and answer it with what
 * comes. Calls without a session that could be told later are refused, as geth refuses them. */
void ady_upstream_call(struct ady_rpc_call *call);

/* End. NULL is allowed. */
void ady_upstream_close(struct ady_upstream *u);

#endif
