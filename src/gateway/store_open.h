/* SPDX-License-Identifier: Apache-2.0
 *
 * From the configuration to the store that it names. Internal to store.c. */
#ifndef ADY_GATEWAY_STORE_OPEN_H
#define ADY_GATEWAY_STORE_OPEN_H

#include "gateway/store.h"

/* Open SQLite, PostgreSQL, a folder, or else Secrets Manager. stop ends calls early once it is
 * true. Workers are store.connections and, behind them, those that read for themselves (SQLite) or
 * one that follows (PostgreSQL). Returns ADY_E_STORE or ADY_E_MEMORY with the reason in f. */
enum ady_err ady_store_open_records(struct ady_records **records,
                                    const struct ady_gateway_config *config,
                                    struct ady_credentials *credentials, const atomic_bool *stop,
                                    struct ady_fault *f);

#endif
