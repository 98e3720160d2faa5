/* SPDX-License-Identifier: Apache-2.0
 *
 * "commit_boost": {"chain_id": N, "modules": [{"id", "signing_id", "secret_file", "tenant",
 * "keys"}]} (see gateway/config.h). */
#ifndef ADY_GATEWAY_CONFIG_COMMIT_BOOST_H
#define ADY_GATEWAY_CONFIG_COMMIT_BOOST_H

#include "gateway/config.h"
#include "gateway/config_object.h"

/* Read the member of the root; c->n stays 0 without it. Returns ADY_E_CONFIG. */
enum ady_err ady_config_commit_boost_read(struct ady_config_commit_boost *c,
                                          const struct ady_conf *root);

/* Free what it holds. */
void ady_config_commit_boost_clear(struct ady_config_commit_boost *c);

#endif
