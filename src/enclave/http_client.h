/* SPDX-License-Identifier: Apache-2.0
 *
 * One HTTP request and its one reply on a TLS stream that is kept alive. */
#ifndef ADY_ENCLAVE_HTTP_CLIENT_H
#define ADY_ENCLAVE_HTTP_CLIENT_H

#include "enclave/tls.h"

enum { ADY_HTTP_REPLY_MAX = 32 * 1024 };

struct ady_http_reply {
	int status;
	struct ady_bytes body; /* into space */
	bool keep_alive;       /* the stream may carry another request */
	size_t received;       /* bytes that arrived, whatever came of them */
	uint8_t space[ADY_HTTP_REPLY_MAX];
};

/* Send request (head and body, complete) and read the reply: Content-Length or chunked, at most
 * ADY_HTTP_REPLY_MAX bytes with its head, nothing behind it.
 * Out:     reply; received is right on every error too.
 * Returns: ADY_E_IO when the stream ends early, ADY_E_DEADLINE, ADY_E_KMS_REPLY with the reason in
 *          f for anything that is not such a reply. On error the stream is of no more use. */
enum ady_err ady_http_exchange(struct ady_tls *t, struct ady_bytes request,
                               struct ady_http_reply *reply, int64_t deadline_ms,
                               struct ady_fault *f);

#endif
