/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of the configuration about the audit log (see gateway/config.h). */
#ifndef ADY_GATEWAY_CONFIG_AUDIT_H
#define ADY_GATEWAY_CONFIG_AUDIT_H

#include "gateway/config.h"
#include "gateway/config_object.h"

/* Read "audit": an object, or false for none. Returns ADY_E_CONFIG. */
enum ady_err ady_config_audit_read(struct ady_config_audit *audit, const struct ady_conf *root);

#endif
