/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls of methods that the gateway does not answer itself. Parameters and results are passed on as
 * they stand, and the ids between gateway and node are the gateway's own. */
#include "gateway/rpc_pass.h"

#include <stdio.h>
#include <string.h>

#include "gateway/node.h"
#include "gateway/shard.h"
#include "gateway/upstream.h"

bool ady_rpc_chain(struct ady_rpc_call *call, uint64_t *chain)
{
	const struct ady_gateway *g = call->shard->gateway;
	char message[200];

	*chain = call->chain ? call->chain : g->config->default_chain;
	if (g->nodes.n == 0) {
		snprintf(message, sizeof message,
		         "the method %s does not exist here, and no node is configured to ask",
		         call->name);
		ady_rpc_error(call, ADY_RPC_METHOD, message);
		return false;
	}
	if (*chain == 0)
		ady_rpc_error(call, ADY_RPC_REQUEST,
		              "there are nodes of several chains: ask at /chain/ID");
	return *chain != 0;
}

void ady_rpc_pass_text(const struct ady_rpc_call *call, uint64_t id, struct ady_dyn *out)
{
	struct ady_bytes method = ady_json_raw(call->doc, call->method);
	struct ady_bytes params = {0};

	ady_dyn_printf(out, "{\"jsonrpc\":\"2.0\",\"id\":%llu,\"method\":\"",
	               (unsigned long long)id);
	ady_dyn_put(out, method.p, method.n);
	ady_dyn_str(out, "\"");
	if (call->params) {
		params = ady_json_raw(call->doc, call->params);
		ady_dyn_str(out, ",\"params\":");
		ady_dyn_put(out, params.p, params.n);
	}
	ady_dyn_str(out, "}");
}

void ady_rpc_pass_on(struct ady_rpc_call *call, struct ady_bytes result, struct ady_bytes error)
{
	if (error.n > 0) {
		ady_rpc_error_object(call, error);
		return;
	}
	if (result.n == 0) {
		ady_rpc_error(call, ADY_RPC_UNAVAILABLE, "the answer of the node is no JSON-RPC");
		return;
	}
	ady_dyn_put(ady_rpc_result(call), result.p, result.n);
	ady_rpc_end(call);
}

void ady_rpc_pass_failed(struct ady_rpc_call *call, const struct ady_fault *f)
{
	char message[200];

	snprintf(message, sizeof message, "%s", f->detail);
	ady_rpc_error(call,
	              f->err == ADY_E_BUSY        ? ADY_RPC_LIMIT
	              : f->err == ADY_E_NOT_FOUND ? ADY_RPC_DISCONNECTED
	                                          : ADY_RPC_UNAVAILABLE,
	              message);
}

static void on_done(void *ctx, struct ady_bytes result, struct ady_bytes error, bool sent,
                    const struct ady_fault *f)
{
	struct ady_rpc_call *call = ctx;

	(void)sent;
	call->cancel = NULL;
	if (f)
		ady_rpc_pass_failed(call, f);
	else
		ady_rpc_pass_on(call, result, error);
}

static void cancel(struct ady_rpc_call *call)
{
	ady_node_drop(call->state);
}

/* What only asks, and the broadcast of a signed transaction, may be said twice. Of other methods
 * nothing is known: what may have arrived is not repeated. */
static bool is_repeatable(const char *name)
{
	static const char *const prefixes[] = {"eth_get",
	                                       "eth_call",
	                                       "eth_estimate",
	                                       "eth_fee",
	                                       "eth_gasPrice",
	                                       "eth_max",
	                                       "eth_block",
	                                       "eth_chainId",
	                                       "eth_syncing",
	                                       "eth_create",
	                                       "eth_simulate",
	                                       "eth_blob",
	                                       "eth_protocolVersion",
	                                       "eth_sendRawTransaction",
	                                       "net_",
	                                       "web3_",
	                                       "debug_trace",
	                                       "trace_",
	                                       "txpool_"};

	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

static bool is_subscription(const char *name)
{
	return strcmp(name, "eth_subscribe") == 0 || strcmp(name, "eth_unsubscribe") == 0;
}

void ady_rpc_pass(struct ady_rpc_call *call)
{
	struct ady_dyn text = {0};
	struct ady_node_ask ask = {.shard = call->shard,
	                           .due_ms = call->due_ms,
	                           .repeatable = is_repeatable(call->name),
	                           .done = on_done,
	                           .ctx = call};

	if (is_subscription(call->name)) {
		ady_upstream_call(call);
		return;
	}
	if (!ady_rpc_chain(call, &ask.chain))
		return;
	ady_rpc_pass_text(call, 1, &text);
	ask.text = ady_dyn_bytes(&text);
	call->cancel = cancel;
	call->state = ady_node_ask(&ask);
	ady_dyn_free(&text);
}
