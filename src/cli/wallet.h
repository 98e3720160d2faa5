/* SPDX-License-Identifier: Apache-2.0
 *
 * What the commands about wallets share. */
#ifndef ADY_CLI_WALLET_H
#define ADY_CLI_WALLET_H

#include <jansson.h>

#include "cli/gateway.h"
#include "cli/proof.h"
#include "cli/stamp.h"

enum { ADY_WALLET_TIMEOUT_MS = 120000 };

/* Keys along a path. */
struct ady_wallet_order {
	struct ady_gateway gateway;
	struct ady_stamp_order stamp;
	const char *wallet, *path, *curve; /* curve NULL: secp256k1 */
	const char *options;               /* JSON of the keys that are made; NULL: none are */
	uint64_t first, count;
	bool prove; /* an attested enclave must have derived just these */
	struct ady_proof_trust trust;
};

/* Ask for them in parts, and say on standard error how far it is when there are several.
 * With prove: keys that were made before are not asked for again, and not proved.
 * Out: keys, an array of what the gateway says of each; *there, how many were made before (parts
 * that are in the store from end to end, found by the ids that begin with id).
 * Returns: -1, else the exit status. */
int ady_wallet_derive(const struct ady_wallet_order *order, const char *id, json_t *keys,
                      uint64_t *there);

#endif
