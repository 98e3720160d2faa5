/* SPDX-License-Identifier: Apache-2.0
 *
 * STS: GetCallerIdentity and AssumeRole, in the query protocol: a form comes, XML goes. */
#ifndef ADY_DEVCLOUD_STS_H
#define ADY_DEVCLOUD_STS_H

#include "devcloud/identity.h"

/* Read a form (application/x-www-form-urlencoded) as a JSON object of texts; a new reference, NULL
 * when it is malformed. */
json_t *ady_dev_sts_form(struct ady_bytes body);

/* Run the operation of that name. See ady_dev_run. */
enum ady_err ady_dev_sts(const char *name, struct ady_dev_call *c);

/* Write the answer of operation name: out as XML. */
void ady_dev_sts_answer(struct ady_dyn *d, const char *name, json_t *out, const char *request_id);

/* Write a refusal, with the status and the name STS has for it. */
int ady_dev_sts_refusal(struct ady_dyn *d, const struct ady_dev_refusal *r, const char *request_id);

#endif
