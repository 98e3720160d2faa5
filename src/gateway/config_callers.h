/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of callers in a gateway's configuration. Internal to config.c. */
#ifndef ADY_GATEWAY_CONFIG_CALLERS_H
#define ADY_GATEWAY_CONFIG_CALLERS_H

#include "gateway/config.h"
#include "gateway/config_object.h"

/* Read "callers" into config->callers. Two callers with the same token or certificate are refused.
 * Returns ADY_E_CONFIG. */
enum ady_err ady_config_callers_read(struct ady_gateway_config *config,
                                     const struct ady_conf *root);

#endif
