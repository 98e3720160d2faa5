/* SPDX-License-Identifier: Apache-2.0
 *
 * The heartbeat of an enclave that has booted: one byte to port 9000 of its parent, which comes
 * back (aws-nitro-enclaves-cli, enclave_proc; aws-nitro-enclaves-sdk-bootstrap, init). Listened for
 * from the start until it came, as nitro-cli does. */
#ifndef ADY_CLI_ENCLAVE_BEAT_H
#define ADY_CLI_ENCLAVE_BEAT_H

#include "net/transport.h"

struct ady_beat {
	struct ady_endpoint endpoint;
	int fd; /* -1: closed */
};

/* Listen at an endpoint (vsock:any:9000, hybrid:DIR/vm.vsock:9000). Returns ADY_E_IO or
 * ADY_E_CONFIG with the reason in f. */
enum ady_err ady_beat_open(struct ady_beat *beat, const char *endpoint, struct ady_fault *f);

/* Take one connection that waits: read the byte and send it back, within a second. On vsock the
 * peer must have this CID. Returns whether it was the heartbeat. */
bool ady_beat_take(struct ady_beat *beat, uint32_t cid);

/* Listen no more. */
void ady_beat_close(struct ady_beat *beat);

#endif
