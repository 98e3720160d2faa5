/* SPDX-License-Identifier: Apache-2.0
 *
 * How many keys a tenant may have in the store. Counted there, and with what this gateway has made
 * since: what other gateways make is seen within a minute, so that several together may exceed it
 * by as much as they make in one. Thread rule: any thread of the store. */
#ifndef ADY_GATEWAY_QUOTA_KEYS_H
#define ADY_GATEWAY_QUOTA_KEYS_H

#include "gateway/config.h"
#include "store/records.h"

struct ady_quota_keys;

/* Make the tenants' quotas of keys as config has them; config must outlive them. Returns
 * ADY_E_MEMORY. */
enum ady_err ady_quota_keys_open(struct ady_quota_keys **q,
                                 const struct ady_gateway_config *config);

/* Free. NULL is allowed. */
void ady_quota_keys_close(struct ady_quota_keys *q);

/* ady_records_create of n keys of one tenant, unless that tenant has no room for all of them:
 * ADY_E_DENIED then, with the numbers in f. */
enum ady_err ady_quota_keys_create(struct ady_quota_keys *q, struct ady_records *r, size_t worker,
                                   struct ady_entry *const *e, size_t n, struct ady_fault *f);

#endif
