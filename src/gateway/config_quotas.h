/* SPDX-License-Identifier: Apache-2.0
 *
 * What tenants may use, in a gateway's configuration. Internal to config.c. */
#ifndef ADY_GATEWAY_CONFIG_QUOTAS_H
#define ADY_GATEWAY_CONFIG_QUOTAS_H

#include "gateway/config.h"
#include "gateway/config_object.h"

/* Read "quotas" into the callers, which must have been read. Returns ADY_E_CONFIG. */
enum ady_err ady_config_quotas_read(struct ady_gateway_config *config, const struct ady_conf *root);

#endif
