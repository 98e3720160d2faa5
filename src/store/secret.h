/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls to Secrets Manager about one key's secret, in the words of the store. What a secret holds
 * is the record; that the key is disabled is the stage "adyton-disabled" on its current version,
 * which comes with the value; its label stands in the description. */
#ifndef ADY_STORE_SECRET_H
#define ADY_STORE_SECRET_H

#include "aws/client.h"
#include "store/records.h"

/* Whose calls these are. */
struct ady_secret_caller {
	struct ady_aws *aws;
	const struct ady_aws_credentials *credentials;
};

/* The beginning of the description of every secret that Adyton makes. */
#define ADY_SECRET_DESCRIPTION "Adyton key"

/* Fetch the current version of a secret by name or ARN (GetSecretValue). The entry's id is the
 * secret's name, its revision the version's id; its label is not known. What is no record that the
 * parent can read is passed on with an empty tenant: the enclave says what is wrong with it.
 * Returns: ADY_E_NOT_FOUND, ADY_E_DENIED (the role may not read it), ADY_E_RECORD (no value, or
 * none that can be used), ADY_E_CREDENTIALS, ADY_E_STORE; AWS's name in f->cause. Blocks. */
enum ady_err ady_secret_get(const struct ady_secret_caller *c, const char *id,
                            struct ady_entry *out, struct ady_fault *f);

/* CreateSecret, and what the entry says beside the record. Fills the revision.
 * Returns ADY_E_EXISTS, ADY_E_DENIED and so on. Blocks. */
enum ady_err ady_secret_create(const struct ady_secret_caller *c, struct ady_entry *e,
                               struct ady_fault *f);

/* Put a new version and make it the current one, if revision (NULL: any) still is that. Blocks.
 * Returns ADY_E_NOT_FOUND, ADY_E_CONFLICT and so on. */
enum ady_err ady_secret_replace(const struct ady_secret_caller *c, struct ady_entry *e,
                                const char *revision, struct ady_fault *f);

/* Change label, disabled or deletion. out: what DescribeSecret says afterwards, with neither text
 * nor public key. Blocks. Errors as ady_secret_replace. */
enum ady_err ady_secret_change(const struct ady_secret_caller *c, const char *id,
                               const char *revision, const struct ady_records_change *change,
                               struct ady_entry *out, struct ady_fault *f);

/* One page of ListSecrets: secrets behind prefix, or, where that is empty, those that Adyton
 * described. Entries as DescribeSecret gives them. *token: NULL for the first page; replaced by the
 * next one's (heap) or NULL. Blocks. */
enum ady_err ady_secret_page(const struct ady_secret_caller *c, const char *prefix, char **token,
                             ady_records_each each, void *ctx, struct ady_fault *f);

#endif
