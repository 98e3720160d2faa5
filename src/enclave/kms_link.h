/* SPDX-License-Identifier: Apache-2.0
 *
 * A connection to KMS that is kept alive: relay, TLS, HTTP. It is opened when it is needed and
 * again when it has gone stale. Thread rule: a link belongs to one thread. */
#ifndef ADY_ENCLAVE_KMS_LINK_H
#define ADY_ENCLAVE_KMS_LINK_H

#include "enclave/config.h"
#include "enclave/http_client.h"

struct ady_kms_link {
	const struct ady_tls_client *client;
	const struct ady_enclave_config *config;
	struct ady_tls tls;
};

/* A closed link; client and config must outlive it. */
void ady_kms_link_init(struct ady_kms_link *link, const struct ady_tls_client *client,
                       const struct ady_enclave_config *config);

/* Send request and read its reply. A kept-alive connection that turns out to be closed, before one
 * byte of a reply came, is replaced and the request sent again, once: a Decrypt changes nothing.
 * Returns: ADY_E_TLS; ADY_E_KMS_REPLY; ADY_E_DEADLINE; ADY_E_KMS_UNAVAILABLE for everything that
 *          may be better next time. */
enum ady_err ady_kms_link_call(struct ady_kms_link *link, struct ady_bytes request,
                               struct ady_http_reply *reply, int64_t deadline_ms,
                               struct ady_fault *f);

/* Close the connection; the link may be used again. */
void ady_kms_link_close(struct ady_kms_link *link);

#endif
