/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls to AWS services from the parent and the operator's shell, over libcurl with our SigV4.
 * Nothing in the enclave uses this. Thread rule: one ady_aws per thread. */
#ifndef ADY_AWS_CLIENT_H
#define ADY_AWS_CLIENT_H

#include <jansson.h>
#include <stdatomic.h>

#include "aws/sigv4.h"

struct ady_aws_config {
	/* "https://host:port"; NULL: the public endpoint of service and region. */
	const char *endpoint;
	const char *region;
	const char *ca_file; /* PEM; NULL: the system's */
	long timeout_ms;
	const atomic_bool *stop; /* NULL, or: once it is true, calls end within a second or so */
};

struct ady_aws;

/* Make a client; config's texts are copied. */
enum ady_err ady_aws_open(struct ady_aws **aws, const struct ady_aws_config *config);

/* Free. NULL is allowed. */
void ady_aws_close(struct ady_aws *aws);

/* Call a JSON service: service "kms" or "secretsmanager", target "TrentService.Encrypt" and so on.
 * Out:     *reply, a new object on ADY_OK (json_decref it), else NULL.
 * Returns: ADY_E_STORE when it cannot be reached, ADY_E_CREDENTIALS for credentials it refuses,
 * else ADY_E_KMS with AWS's error name in f->cause and its message in f->detail. */
enum ady_err ady_aws_json(struct ady_aws *aws, const struct ady_aws_credentials *credentials,
                          const char *service, const char *target, json_t *body, json_t **reply,
                          struct ady_fault *f);

/* Call STS AssumeRole. session_policy: JSON or NULL. seconds: 900..43200.
 * Out: *out, the new credentials. Errors as ady_aws_json. */
enum ady_err ady_aws_assume_role(struct ady_aws *aws, const struct ady_aws_credentials *credentials,
                                 const char *role_arn, const char *session_name,
                                 const char *session_policy, int seconds,
                                 struct ady_aws_credentials *out, struct ady_fault *f);

/* Credentials of the instance role by IMDSv2 (token, role name, credentials). base:
 * "http://169.254.169.254" or what stands in for it. Errors: ADY_E_CREDENTIALS. */
enum ady_err ady_aws_imds(struct ady_aws *aws, const char *base, struct ady_aws_credentials *out,
                          struct ady_fault *f);

/* Credentials of the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN.
 * Errors: ADY_E_CREDENTIALS. */
enum ady_err ady_aws_environment(struct ady_aws_credentials *out, struct ady_fault *f);

/* Credentials of a profile of the shared file. path NULL: AWS_SHARED_CREDENTIALS_FILE or
 * ~/.aws/credentials; profile NULL: AWS_PROFILE or "default". Errors: ADY_E_CREDENTIALS. */
enum ady_err ady_aws_credential_file(const char *path, const char *profile,
                                     struct ady_aws_credentials *out, struct ady_fault *f);

/* Credentials by the usual order of AWS programs: the environment (AWS_ACCESS_KEY_ID, ..), then the
 * shared file (AWS_SHARED_CREDENTIALS_FILE or ~/.aws/credentials, AWS_PROFILE or default), then
 * IMDSv2 (AWS_EC2_METADATA_SERVICE_ENDPOINT or the usual address). Errors: ADY_E_CREDENTIALS. */
enum ady_err ady_aws_find_credentials(struct ady_aws *aws, struct ady_aws_credentials *out,
                                      struct ady_fault *f);

#endif
