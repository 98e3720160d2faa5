/* SPDX-License-Identifier: Apache-2.0
 *
 * POST /v1/keys/{id}/derive: keys of a wallet. The wallet's record comes from the store, the
 * enclave reads both it and the body (signer/derive.h), and what it makes is stored before it is
 * told. Thread rule: the shard's thread. */
#ifndef ADY_GATEWAY_DERIVE_H
#define ADY_GATEWAY_DERIVE_H

#include "gateway/op.h"

/* Answer the request, now or later. id: the wallet's, as it stands in the path. */
void ady_derive_page(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id);

#endif
