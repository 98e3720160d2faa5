/* SPDX-License-Identifier: Apache-2.0
 *
 * The data key, as KMS ciphertext, that new keys of a tenant are sealed under: the one of the
 * newest record. Forgotten when the gateway ends: the enclave then has another one made, and
 * records under both work. Nothing here is secret. Thread rule: any thread. */
#ifndef ADY_GATEWAY_TENANT_KEYS_H
#define ADY_GATEWAY_TENANT_KEYS_H

#include "base/bytes.h"

struct ady_tenant_keys;

/* Make it, empty. Returns ADY_E_MEMORY. */
enum ady_err ady_tenant_keys_open(struct ady_tenant_keys **t);

/* Free. NULL is allowed. */
void ady_tenant_keys_close(struct ady_tenant_keys *t);

/* Append the data key of a tenant to blob, or nothing when none is known. */
void ady_tenant_keys_get(struct ady_tenant_keys *t, const char *tenant, struct ady_buf *blob);

/* Remember blob for a tenant; empty: forget what is known. At most 4096 tenants are remembered. */
void ady_tenant_keys_set(struct ady_tenant_keys *t, const char *tenant, struct ady_bytes blob);

#endif
