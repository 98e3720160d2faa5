/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/session.h"

#include <stdlib.h>

#include "cli/progress.h"

enum { TIMEOUT_MS = 15000 };

static const char *first(const char *option, const char *name, const char *second_name)
{
	const char *value = option;

	if (!value)
		value = getenv(name);
	if ((!value || !value[0]) && second_name)
		value = getenv(second_name);
	return value && value[0] ? value : NULL;
}

enum ady_err ady_session_open(struct ady_session *s, const struct ady_session_options *options,
                              struct ady_fault *f)
{
	struct ady_aws_config config = {
	    .endpoint = first(options->endpoint, "AWS_ENDPOINT_URL", NULL),
	    .region = first(options->region, "AWS_REGION", "AWS_DEFAULT_REGION"),
	    .ca_file = first(options->ca, "AWS_CA_BUNDLE", NULL),
	    .timeout_ms = TIMEOUT_MS};
	enum ady_err err;

	*s = (struct ady_session){0};
	if (!config.region)
		return ady_fail(f, ADY_E_CONFIG, NULL, "no region: give --region or AWS_REGION");
	err = ady_aws_open(&s->aws, &config);
	if (err != ADY_OK)
		return ady_fail(f, err, NULL, "no client for AWS");
	err = ady_aws_find_credentials(s->aws, &s->credentials, f);
	if (err != ADY_OK)
		ady_session_close(s);
	return err;
}

void ady_session_close(struct ady_session *s)
{
	ady_aws_close(s->aws);
	ady_aws_credentials_wipe(&s->credentials);
	s->aws = NULL;
}

enum ady_err ady_session_call(struct ady_session *s, const char *service, const char *target,
                              json_t *body, json_t **reply, struct ady_fault *f)
{
	enum ady_err err;

	*reply = NULL;
	if (!body)
		return ady_fail(f, ADY_E_INTERNAL, NULL, "the request cannot be written as JSON");
	ady_progress_begin("AWS");
	err = ady_aws_json(s->aws, &s->credentials, service, target, body, reply, f);
	ady_progress_end();
	json_decref(body);
	return err;
}
