/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys as a resource, under /v1/keys. Signing is another matter (sign.c). What may be listed
 * and changed follows from who asks (caller.h). Thread rule: the shard's thread. */
#ifndef ADY_GATEWAY_KEYS_H
#define ADY_GATEWAY_KEYS_H

#include "gateway/op.h"

/* GET /v1/keys: a page of keys. */
void ady_keys_list(struct ady_shard *shard, struct ady_http_request *req);

/* POST /v1/keys: with a record, store it; else have the enclave make a key. */
void ady_keys_create(struct ady_shard *shard, struct ady_http_request *req);

/* GET /v1/keys/{id}: a key without its ciphertext. id as it stands in the path. */
void ady_keys_show(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id);

/* PATCH /v1/keys/{id}: label, enabled. */
void ady_keys_patch(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id);

/* DELETE /v1/keys/{id}: plan its deletion. */
void ady_keys_delete(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id);

/* POST /v1/keys/{id}/disable, and so on: without a body. */
void ady_keys_disable(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id);

/* PUT /v1/keys/{id}/policy: change its policy. In keys_policy.c. */
void ady_keys_policy(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id);

/* See ady_keys_disable. */
void ady_keys_enable(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id);

/* See ady_keys_disable. */
void ady_keys_restore(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id);

/* POST /v1/keys/{id}/backup. See ady_keys_list. */
void ady_keys_backup(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id);

#endif
