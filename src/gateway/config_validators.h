/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of the configuration about validators (see gateway/config.h). */
#ifndef ADY_GATEWAY_CONFIG_VALIDATORS_H
#define ADY_GATEWAY_CONFIG_VALIDATORS_H

#include "gateway/config.h"
#include "gateway/config_object.h"

/* Read "validators". Returns ADY_E_CONFIG. */
enum ady_err ady_config_read_validators(struct ady_gateway_config *c, const struct ady_conf *root);

/* Read "keymanager", behind "validators". Returns ADY_E_CONFIG. */
enum ady_err ady_config_read_keymanager(struct ady_gateway_config *c, const struct ady_conf *root);

#endif
