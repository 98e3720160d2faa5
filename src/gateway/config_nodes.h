/* SPDX-License-Identifier: Apache-2.0
 *
 * The nodes of blockchains, and the sockets for geth's IPC, in a gateway's configuration. Internal
 * to config.c. */
#ifndef ADY_GATEWAY_CONFIG_NODES_H
#define ADY_GATEWAY_CONFIG_NODES_H

#include "gateway/config.h"
#include "gateway/config_object.h"

/* Read "nodes", "default_chain" and "ipc" into config. Callers must have been read before. Returns
 * ADY_E_CONFIG. */
enum ady_err ady_config_nodes_read(struct ady_gateway_config *config, const struct ady_conf *root);

#endif
