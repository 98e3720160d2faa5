/* SPDX-License-Identifier: Apache-2.0
 *
 * A client of AWS with credentials, by the options and the environment that AWS's own programs
 * read. */
#ifndef ADY_CLI_SESSION_H
#define ADY_CLI_SESSION_H

#include "aws/client.h"

/* Options of the command line, or NULL. */
struct ady_session_options {
	const char *endpoint, *region, *ca;
};

#define ADY_ENDPOINT_HELP "AWS endpoint; else $AWS_ENDPOINT_URL, else AWS's of the region"
#define ADY_REGION_HELP "else $AWS_REGION, else $AWS_DEFAULT_REGION"
#define ADY_CA_HELP "certificates to trust (PEM); else $AWS_CA_BUNDLE, else the system's"

struct ady_session {
	struct ady_aws *aws;
	struct ady_aws_credentials credentials;
};

/* Open a client and find credentials. Returns ADY_E_CONFIG without a region, ADY_E_CREDENTIALS
 * without credentials, with the reason in f; s is then closed. */
enum ady_err ady_session_open(struct ady_session *s, const struct ady_session_options *options,
                              struct ady_fault *f);

/* Wipe and free. */
void ady_session_close(struct ady_session *s);

/* Call as ady_aws_json; the reference to body is taken. */
enum ady_err ady_session_call(struct ady_session *s, const char *service, const char *target,
                              json_t *body, json_t **reply, struct ady_fault *f);

#endif
