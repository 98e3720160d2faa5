/* SPDX-License-Identifier: Apache-2.0
 *
 * What a node means by its refusal of a transaction. Nodes have no common codes: their words, as
 * geth, Besu, Nethermind, Erigon, Reth and anvil have them, are what there is. */
#ifndef ADY_GATEWAY_SEND_ERROR_H
#define ADY_GATEWAY_SEND_ERROR_H

#include "base/bytes.h"

enum ady_send_error {
	ADY_SEND_OTHER,      /* the transaction itself is refused */
	ADY_SEND_KNOWN,      /* the node has this very transaction */
	ADY_SEND_NONCE_LOW,  /* its nonce has been used */
	ADY_SEND_NONCE_HELD, /* another transaction of its nonce waits, and this one does not pay
	                        more */
};

/* Read an error object of JSON-RPC. */
enum ady_send_error ady_send_error_read(struct ady_bytes error);

#endif
