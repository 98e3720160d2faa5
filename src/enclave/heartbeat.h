/* SPDX-License-Identifier: Apache-2.0
 *
 * The sign of life that the parent waits for when it starts an enclave (nitro-cli; the init of
 * aws-nitro-enclaves-sdk-bootstrap sends it too): a byte to vsock port 9000, which comes back. */
#ifndef ADY_ENCLAVE_HEARTBEAT_H
#define ADY_ENCLAVE_HEARTBEAT_H

#include <stdint.h>

#include "base/err.h"

enum { ADY_HEARTBEAT_PORT = 9000, ADY_HEARTBEAT_BYTE = 0xb7 };

/* Tell the parent of that CID that the enclave is there. Blocks for a second at most.
 * Returns ADY_E_IO, ADY_E_DEADLINE, or ADY_E_PROTOCOL when another byte comes back: all of them
 * say that nobody waits, and nothing about the enclave. */
enum ady_err ady_heartbeat(uint32_t parent_cid);

#endif
