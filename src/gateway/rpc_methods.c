/* SPDX-License-Identifier: Apache-2.0
 *
 * The methods that the gateway answers itself. */
#include <string.h>

#include "gateway/rpc.h"

const struct ady_rpc_method *ady_rpc_find(const char *name)
{
	static const struct ady_rpc_method *const tables[] = {ady_rpc_eth, ady_rpc_account,
	                                                      ady_rpc_send, ady_rpc_own, NULL};

	for (const struct ady_rpc_method *const *t = tables; *t; t++)
		for (const struct ady_rpc_method *m = *t; m->name; m++)
			if (strcmp(m->name, name) == 0)
				return m;
	return NULL;
}
