/* SPDX-License-Identifier: Apache-2.0
 *
 * Web3Signer's eth2 interface, and the slashing protection interchange (doc/validators.md). Thread
 * rule: the shard's thread. */
#ifndef ADY_GATEWAY_ETH2_H
#define ADY_GATEWAY_ETH2_H

#include "gateway/duties.h"
#include "gateway/op.h"

enum { ADY_SLASHING_FILE_MAX = 64 * 1024 * 1024 };

/* POST /api/v1/eth2/sign/{id}: one duty of the key that id names. In eth2.c, as the next three. */
void ady_eth2_sign(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id);

/* POST /api/v1/eth2/sign: one duty of many keys. */
void ady_eth2_sign_many(struct ady_shard *shard, struct ady_http_request *req);

/* GET /api/v1/eth2/publicKeys. */
void ady_eth2_public_keys(struct ady_shard *shard, struct ady_http_request *req);

/* GET /api/v1/eth2/highWatermark. */
void ady_eth2_high_watermark(struct ady_shard *shard, struct ady_http_request *req);

/* Count a duty's outcome for the metrics (gateway/w3s.h). f: why it was not signed, or NULL. */
void ady_eth2_count(struct ady_shard *shard, struct ady_bytes request, int status,
                    int64_t arrived_us, const struct ady_fault *f);

/* POST /v1/keys/{id}/duty. In duty.c. */
void ady_duty_native(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id);

/* POST /v1/slashing: import. In eth2_slashing.c, as the next one. */
void ady_slashing_import(struct ady_shard *shard, struct ady_http_request *req);

/* GET /v1/slashing: export. */
void ady_slashing_export(struct ady_shard *shard, struct ady_http_request *req);

/* The end of an op: what is under way of duties or exports is let go of. */
void ady_eth2_drop(struct ady_op *op);

#endif
