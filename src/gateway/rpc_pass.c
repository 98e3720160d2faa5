/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls of methods that the gateway does not answer itself. */
#include <stdio.h>

#include "gateway/rpc.h"

void ady_rpc_pass(struct ady_rpc_call *call)
{
	char message[160];

	snprintf(message, sizeof message,
	         "the method %s does not exist here, and no node is configured to ask", call->name);
	ady_rpc_error(call, ADY_RPC_METHOD, message);
}
