/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the AWS client share: one HTTP exchange over libcurl, and a signed one. For
 * client.c, sts.c and imds.c only. Thread rule: as aws/client.h. */
#ifndef ADY_AWS_CLIENT_HTTP_H
#define ADY_AWS_CLIENT_HTTP_H

#include <curl/curl.h>

#include "aws/client.h"

struct ady_aws {
	CURL *curl;
	char *endpoint, *region, *ca_file;
	long timeout_ms;
	const atomic_bool *stop;
	struct ady_dyn reply; /* body of the last reply */
	long status;          /* of the last reply */
};

/* One request; a reply's status and body end up in aws. */
struct ady_aws_exchange {
	const char *method, *url;
	struct curl_slist *fields; /* complete header lines; borrowed */
	struct ady_bytes body;     /* sent with POST and PUT */
	long timeout_ms;
	bool direct; /* never through a proxy: link-local addresses */
};

/* A signed POST of body to service. */
struct ady_aws_post {
	const char *service, *type; /* type: the Content-Type */
	const char *target;         /* X-Amz-Target, or NULL */
	struct ady_bytes body;
};

/* Do one exchange. Returns ADY_E_STORE with the reason in f when there is no complete reply. */
enum ady_err ady_aws_exchange(struct ady_aws *aws, const struct ady_aws_exchange *x,
                              struct ady_fault *f);

/* Sign and send, again after throttling, a 5xx or a lost connection (three times in all, with
 * backoff). Returns ADY_OK for any complete reply. Errors as ady_aws_exchange. */
enum ady_err ady_aws_post(struct ady_aws *aws, const struct ady_aws_credentials *credentials,
                          const struct ady_aws_post *post, struct ady_fault *f);

/* Fill f for an error reply of that name (namespace and ":http..." suffix are cut off) and message.
 * Returns ADY_E_CREDENTIALS when AWS refused the credentials, ADY_E_STORE for a 5xx or throttling,
 * else ADY_E_KMS. */
enum ady_err ady_aws_refused(const struct ady_aws *aws, struct ady_bytes name,
                             struct ady_bytes message, struct ady_fault *f);

#endif
