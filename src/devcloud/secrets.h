/* SPDX-License-Identifier: Apache-2.0
 *
 * The operations of Secrets Manager, by its API reference. Values lie unencrypted in the database:
 * what protects a signing key here is that the value is a ciphertext of KMS. */
#ifndef ADY_DEVCLOUD_SECRETS_H
#define ADY_DEVCLOUD_SECRETS_H

#include "devcloud/secret_store.h"

/* Those that change secrets; ended by an empty one. */
extern const struct ady_dev_op ady_dev_secret_write_ops[];
/* Those that read them; ended by an empty one. */
extern const struct ady_dev_op ady_dev_secret_read_ops[];

/* Run the operation of that name ("GetSecretValue"). See ady_dev_run. */
enum ady_err ady_dev_secrets(const char *name, struct ady_dev_call *c);

#endif
