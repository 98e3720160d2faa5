/* SPDX-License-Identifier: Apache-2.0
 *
 * A stream to a host of the outside, through the parent. The parent may do anything with it; what
 * matters runs inside TLS. */
#ifndef ADY_ENCLAVE_RELAY_H
#define ADY_ENCLAVE_RELAY_H

#include "net/transport.h"

/* Ask the relay for host and port and wait until it is connected (doc/protocol.md, "Relay").
 * Out:     *fd, non-blocking, owned by the caller; -1 on error.
 * Returns: ADY_E_IO when the relay refuses or breaks off (its reason in f), ADY_E_DEADLINE,
 *          ADY_E_PROTOCOL when it answers anything else. */
enum ady_err ady_relay_dial(int *fd, const struct ady_endpoint *relay, const char *host,
                            uint16_t port, int64_t deadline_ms, struct ady_fault *f);

#endif
