/* SPDX-License-Identifier: Apache-2.0
 *
 * The methods of Ethereum clients that need no node. */
#include "gateway/rpc.h"

static void health_status(struct ady_rpc_call *call)
{
	ady_dyn_str(ady_rpc_result(call), "\"OK\"");
	ady_rpc_end(call);
}

const struct ady_rpc_method ady_rpc_eth[] = {
    {"health_status", health_status},
    {NULL, NULL},
};
