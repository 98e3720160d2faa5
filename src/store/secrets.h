/* SPDX-License-Identifier: Apache-2.0
 *
 * Records in Secrets Manager, one secret each: the store of the AWS sample. It is searched by an
 * index in memory, which asks ListSecrets and needs that permission only when somebody lists keys
 * or looks for an address. */
#ifndef ADY_STORE_SECRETS_H
#define ADY_STORE_SECRETS_H

#include "aws/client.h"
#include "store/records.h"

struct ady_secrets_config {
	struct ady_aws_config aws;
	const char *prefix; /* of the names that are listed; "": what Adyton described */
	int64_t index_ms;   /* how often the list is read anew */
	/* The credentials now, wiped by the caller, and their version; 0: there are none. */
	uint64_t (*credentials)(void *ctx, struct ady_aws_credentials *out);
	/* Those of version used were refused: wait for others; false: there are none. */
	bool (*await)(void *ctx, uint64_t used);
	void *ctx;
};

/* Make the store; nothing is called yet. config's texts must outlive it.
 * Returns ADY_E_MEMORY or ADY_E_STORE with the reason in f. */
enum ady_err ady_secrets_open(struct ady_records **r, const struct ady_secrets_config *config,
                              size_t workers, struct ady_fault *f);

#endif
