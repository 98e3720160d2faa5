/* SPDX-License-Identifier: Apache-2.0
 *
 * The operations of KMS, by the AWS KMS API reference. */
#ifndef ADY_DEVCLOUD_KMS_H
#define ADY_DEVCLOUD_KMS_H

#include "devcloud/authorize.h"
#include "devcloud/keyring.h"

/* The cryptographic operations, and those that manage keys and aliases; each ended by an empty one.
 */
extern const struct ady_dev_op ady_dev_kms_crypt_ops[];
/* See ady_dev_kms_crypt_ops. */
extern const struct ady_dev_op ady_dev_kms_key_ops[];
/* See ady_dev_kms_crypt_ops. */
extern const struct ady_dev_op ady_dev_kms_alias_ops[];

/* Run the operation of that name ("Decrypt"); in an ADY_E_NOT_FOUND there is none. See
 * ady_dev_run. */
enum ady_err ady_dev_kms(const char *name, struct ady_dev_call *c);

/* Read member KeyId (or another of that kind), find the key and authorize "kms:action" on it.
 * The facts of the request may be NULL. */
enum ady_err ady_dev_kms_key(struct ady_dev_call *c, const char *action,
                             const struct ady_dev_facts *facts, const struct ady_dev_key **key);

/* Read Limit and Marker; *marker is "" at the start, *limit the default when absent. */
enum ady_err ady_dev_kms_page(struct ady_dev_call *c, int64_t max, int64_t *limit,
                              const char **marker);

#endif
