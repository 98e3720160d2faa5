/* SPDX-License-Identifier: Apache-2.0
 *
 * A stand-in for the Nitro Secure Module, for development. It is not AWS: whoever runs it holds the
 * root key, so its documents prove nothing to anyone else. A SOCK_SEQPACKET Unix socket; each
 * connection is a module with PCRs of its own. The first packet is "MEASURE1" with the descriptors
 * of the client's executable and configuration; each later one is a request of /dev/nsm.
 * Thread rule: all on the loop's thread. */
#ifndef ADY_DEVCLOUD_NSM_H
#define ADY_DEVCLOUD_NSM_H

#include "net/loop.h"

struct ady_dev_nsm;

/* Texts are copied. */
struct ady_dev_nsm_config {
	const char *socket_path; /* at most 107 bytes; a stale socket is replaced, mode 0600 */
	const char *data_dir;    /* nsm-root.pem and nsm-root-key.pem: made on first start, kept */
	const char *role_arn;    /* becomes PCR3; NULL or "": PCR3 is zero */
	const char *instance_id; /* becomes PCR4 and begins every module's id */
	const char *region;      /* stands in the certificates; NULL: us-east-1 */
};

/* Listen on loop. Returns ADY_E_CONFIG, ADY_E_IO or ADY_E_CRYPTO with the reason in f; *out is NULL
 * then. */
enum ady_err ady_dev_nsm_open(struct ady_dev_nsm **out, struct ady_loop *loop,
                              const struct ady_dev_nsm_config *config, struct ady_fault *f);

/* End all connections, remove the socket, wipe the keys, free. NULL is allowed. */
void ady_dev_nsm_close(struct ady_dev_nsm *nsm);

#endif
