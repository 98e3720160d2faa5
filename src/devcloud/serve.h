/* SPDX-License-Identifier: Apache-2.0
 *
 * The HTTP face of KMS, Secrets Manager and STS: which service a request is for, and how answers
 * and refusals are written. */
#ifndef ADY_DEVCLOUD_SERVE_H
#define ADY_DEVCLOUD_SERVE_H

#include "devcloud/cloud.h"
#include "devcloud/faults.h"
#include "net/http_server.h"

struct ady_dev_serve {
	struct ady_dev_cloud *cloud;
	struct ady_dev_faults *faults; /* NULL: none */
	struct ady_loop *loop;
};

/* Answer a request; for ady_http_config, with a struct ady_dev_serve as ctx. */
void ady_dev_serve(void *ctx, struct ady_http_request *req);

/* Answer later, by faults' delay_ms: takes over body. cut: bytes of the body that are announced but
 * not sent. The request may be cancelled meanwhile. */
struct ady_dev_answer {
	int status;
	const char *type; /* a constant */
	char fields[96];
	struct ady_dyn body;
	size_t cut;
	int64_t delay_ms;
};

/* See ady_dev_answer. */
void ady_dev_send(struct ady_loop *loop, struct ady_http_request *req,
                  struct ady_dev_answer *answer);

#endif
