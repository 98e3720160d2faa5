/* SPDX-License-Identifier: Apache-2.0
 *
 * Who signed a request: verification of Signature Version 4 as AWS's endpoints do it. */
#ifndef ADY_DEVCLOUD_AUTH_H
#define ADY_DEVCLOUD_AUTH_H

#include "codec/http1.h"
#include "devcloud/identity.h"

/* Verify head and body for service ("kms", ..): the Authorization header, x-amz-date within 15
 * minutes, host among the signed fields, the payload's hash (computed here), credentials and
 * session token. Out: *who, valid until the next credential is looked up.
 * Returns ADY_E_DENIED with AWS's error in c->refusal. c->now_s is the time that counts. */
enum ady_err ady_dev_authenticate(struct ady_dev_call *c, const struct ady_http_head *head,
                                  struct ady_bytes body, const char *service);

#endif
