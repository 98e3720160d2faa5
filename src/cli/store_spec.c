/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/store_spec.h"

#include <stdlib.h>
#include <string.h>

#include "store/folder.h"
#include "store/postgres.h"
#include "store/secrets.h"
#include "store/sqlite.h"

enum { INDEX_MS = 3600000, CALL_TIMEOUT_MS = 15000 };

static uint64_t credentials(void *ctx, struct ady_aws_credentials *out)
{
	*out = ((const struct ady_session *)ctx)->credentials;
	return 1;
}

static bool await(void *ctx, uint64_t used)
{
	(void)ctx, (void)used;
	return false;
}

/* As ady_session_open finds them. */
static const char *or_environment(const char *option, const char *name)
{
	const char *v = option ? option : getenv(name);

	return v && *v ? v : NULL;
}

static enum ady_err open_secrets(struct ady_cli_store *s, const char *prefix,
                                 const struct ady_session_options *aws, struct ady_fault *f)
{
	struct ady_secrets_config config = {
	    .aws = {.endpoint = or_environment(aws->endpoint, "AWS_ENDPOINT_URL"),
	            .region = or_environment(aws->region, "AWS_REGION"),
	            .ca_file = or_environment(aws->ca, "AWS_CA_BUNDLE"),
	            .timeout_ms = CALL_TIMEOUT_MS},
	    .prefix = prefix,
	    .index_ms = INDEX_MS,
	    .credentials = credentials,
	    .await = await,
	    .ctx = &s->session};
	enum ady_err err = ady_session_open(&s->session, aws, f);

	if (err != ADY_OK)
		return err;
	if (!config.aws.region)
		config.aws.region = getenv("AWS_DEFAULT_REGION");
	return ady_secrets_open(&s->records, &config, 1, f);
}

enum ady_err ady_cli_store_open(struct ady_cli_store *s, const char *spec,
                                const struct ady_session_options *aws, struct ady_fault *f)
{
	const char *colon = strchr(spec, ':');
	const size_t n = colon ? (size_t)(colon - spec) : 0;
	const char *rest = colon ? colon + 1 : "";

	*s = (struct ady_cli_store){0};
	if (n == 15 && strncmp(spec, "secrets-manager", n) == 0)
		return open_secrets(s, rest, aws, f);
	if (*rest && n == 6 && strncmp(spec, "sqlite", n) == 0)
		return ady_sqlite_open(&s->records, rest, 1, f);
	if (n == 8 && strncmp(spec, "postgres", n) == 0)
		return ady_postgres_open(&s->records, rest, 1, f);
	if (*rest && n == 6 && strncmp(spec, "folder", n) == 0)
		return ady_folder_open(&s->records, rest, INDEX_MS, f);
	return ady_fail(f, ADY_E_CONFIG, NULL, "'%.60s' is none of " ADY_STORE_SPECS, spec);
}

void ady_cli_store_close(struct ady_cli_store *s)
{
	ady_records_close(s->records);
	ady_session_close(&s->session);
	s->records = NULL;
}
