/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/store_open.h"

#include "store/folder.h"
#include "store/postgres.h"
#include "store/secrets.h"
#include "store/sqlite.h"

enum { CALL_TIMEOUT_MS = 5000 };

static uint64_t credentials_now(void *ctx, struct ady_aws_credentials *out)
{
	return ady_credentials_get(ctx, ADY_FOR_STORE, out);
}

static bool credentials_await(void *ctx, uint64_t used)
{
	return ady_credentials_await(ctx, used, CALL_TIMEOUT_MS);
}

static enum ady_err open_secrets(struct ady_records **records,
                                 const struct ady_gateway_config *config,
                                 struct ady_credentials *credentials, const atomic_bool *stop,
                                 struct ady_fault *f)
{
	const struct ady_secrets_config secrets = {.aws = {.endpoint = config->aws.endpoint,
	                                                   .region = config->aws.region,
	                                                   .ca_file = config->aws.ca_file,
	                                                   .timeout_ms = CALL_TIMEOUT_MS,
	                                                   .stop = stop},
	                                           .prefix = config->store.prefix,
	                                           .index_ms = config->store.index_ms,
	                                           .credentials = credentials_now,
	                                           .await = credentials_await,
	                                           .ctx = credentials};

	return ady_secrets_open(records, &secrets, config->store.connections, f);
}

enum ady_err ady_store_open_records(struct ady_records **records,
                                    const struct ady_gateway_config *config,
                                    struct ady_credentials *credentials, const atomic_bool *stop,
                                    struct ady_fault *f)
{
	const struct ady_config_store *store = &config->store;

	*records = NULL;
	if (store->sqlite)
		return ady_sqlite_open(records, store->sqlite, store->connections + config->threads,
		                       f);
	if (store->postgres)
		return ady_postgres_open(records, store->postgres, store->connections + 1, f);
	if (store->folder)
		return ady_folder_open(records, store->folder, store->index_ms, f);
	return open_secrets(records, config, credentials, stop, f);
}
