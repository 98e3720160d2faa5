/* SPDX-License-Identifier: Apache-2.0
 *
 * What a request asks of a key, as its policy sees it: for explanations. The request is the body as
 * it is sent; what it is for is told by its members. */
#ifndef ADY_CLI_POLICY_REQUEST_H
#define ADY_CLI_POLICY_REQUEST_H

#include "signer/sign.h"

enum ady_asked {
	ADY_ASKED_SIGN,   /* a signature: /v1/keys/ID/sign, or the AWS sample's request */
	ADY_ASKED_DUTY,   /* of a validator, or a commitment: the remote signing API */
	ADY_ASKED_DERIVE, /* keys of a wallet: /v1/keys/ID/derive */
	ADY_ASKED_CHANGE, /* another policy: /v1/keys/ID/policy */
};

/* Read text, which must outlive job, for the key of job->record, if has_record.
 * Out: *asked; job->object but for time and stamps.
 * Returns: the refusal that the enclave has for such a request before it looks at the policy. */
enum ady_err ady_policy_request_read(enum ady_asked *asked, struct ady_sign_job *job,
                                     struct ady_bytes text, bool has_record, struct ady_fault *f);

#endif
