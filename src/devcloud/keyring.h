/* SPDX-License-Identifier: Apache-2.0
 *
 * The KMS keys: rows of the database with a cache, and how a KeyId names one. A key is symmetric;
 * each of its material versions can decrypt, the newest encrypts. */
#ifndef ADY_DEVCLOUD_KEYRING_H
#define ADY_DEVCLOUD_KEYRING_H

#include "devcloud/cloud.h"

enum ady_dev_key_state { ADY_DEV_ENABLED, ADY_DEV_DISABLED, ADY_DEV_PENDING };

struct ady_dev_key {
	char id[37], arn[128];
	char *description, *policy_text;
	json_t *policy;
	enum ady_dev_key_state state;
	int64_t created_s, deletion_s; /* deletion_s: 0 unless PendingDeletion */
	int64_t version;               /* the newest material */
};

/* Prepare cloud->keyring. Returns ADY_E_MEMORY. */
enum ady_err ady_dev_keyring_open(struct ady_dev_cloud *cloud);

/* Wipe and free it. */
void ady_dev_keyring_close(struct ady_dev_cloud *cloud);

/* Forget what is cached of the keys: after each change of a row. Keys found before are gone. */
void ady_dev_keyring_forget(struct ady_dev_cloud *cloud);

/* The key that key_id names: an id, a key ARN, "alias/name" or an alias ARN. Keys whose deletion is
 * due are deleted here. Returns ADY_E_DENIED with NotFoundException in c->refusal. *key is valid
 * until ady_dev_keyring_forget. */
enum ady_err ady_dev_key_find(struct ady_dev_call *c, const char *key_id,
                              const struct ady_dev_key **key);

/* As ady_dev_key_find, but only an id or a key ARN, as the operations that manage keys want it. */
enum ady_err ady_dev_key_find_plain(struct ady_dev_call *c, const char *key_id,
                                    const struct ady_dev_key **key);

/* Material of a key's version. Returns ADY_E_NOT_FOUND. */
enum ady_err ady_dev_key_material(struct ady_dev_cloud *cloud, const struct ady_dev_key *key,
                                  int64_t version, uint8_t out32[static 32]);

/* Make a key with new material. policy was checked. Out: id[37]. Returns ADY_E_STORE. */
enum ady_err ady_dev_key_new(struct ady_dev_call *c, const char *description, const char *policy,
                             char id[static 37]);

/* Give a key a further version of material. Returns ADY_E_STORE. */
enum ady_err ady_dev_key_rotate(struct ady_dev_call *c, const struct ady_dev_key *key);

/* Whether the key may be used: else DisabledException or KMSInvalidStateException. */
enum ady_err ady_dev_key_usable(struct ady_dev_call *c, const struct ady_dev_key *key);

/* "Enabled", "Disabled", "PendingDeletion". */
const char *ady_dev_key_state_text(enum ady_dev_key_state state);

#endif
