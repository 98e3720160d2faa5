/* SPDX-License-Identifier: Apache-2.0
 *
 * The instance metadata service, version 2: a token by PUT, then GETs that carry it. Requests
 * without one, as version 1 made them, are refused. Source: EC2 User Guide, "Use the Instance
 * Metadata Service to access instance metadata". */
#ifndef ADY_DEVCLOUD_IMDS_H
#define ADY_DEVCLOUD_IMDS_H

#include "devcloud/serve.h"

/* Answer a request; for ady_http_config, with a struct ady_dev_serve as ctx. */
void ady_dev_imds(void *ctx, struct ady_http_request *req);

#endif
