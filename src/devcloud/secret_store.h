/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets, their versions, and the stages that name versions: AWSCURRENT is the newest value,
 * AWSPREVIOUS the one before; a stage stands on one version at a time. */
#ifndef ADY_DEVCLOUD_SECRET_STORE_H
#define ADY_DEVCLOUD_SECRET_STORE_H

#include "devcloud/cloud.h"

struct ady_dev_secret {
	char name[513], arn[640];
	char description[2049], kms_key[2049];
	int64_t created_s, changed_s, deletion_s; /* deletion_s: 0 unless it is scheduled */
};

struct ady_dev_secret_version {
	char id[65];
	bool is_text;
	struct ady_bytes value; /* in the call's scratch */
	int64_t created_s;
	json_t *stages; /* an array; a new reference */
};

/* Read member SecretId (a name, an ARN, or an ARN without its six random characters), authorize
 * "secretsmanager:action" on it, and find it. A scheduled deletion that is due happens here.
 * Returns ADY_E_DENIED with AccessDenied- or ResourceNotFoundException. */
enum ady_err ady_dev_secret_find(struct ady_dev_call *c, const char *action,
                                 struct ady_dev_secret *secret);

/* Whether a secret of that name is there, scheduled for deletion or not. */
bool ady_dev_secret_by_name(struct ady_dev_call *c, const char *name,
                            struct ady_dev_secret *secret);

/* The ARN that name has, or would have, without a suffix when suffix is "". */
void ady_dev_secret_arn(const struct ady_dev_cloud *cloud, char out[static 640], const char *name,
                        const char *suffix);

/* The version of that id, or with that stage; either may be NULL, both must fit if given.
 * Returns ADY_E_NOT_FOUND. */
enum ady_err ady_dev_secret_version(struct ady_dev_call *c, const char *name, const char *id,
                                    const char *stage, struct ady_dev_secret_version *version);

/* Store a version without stages. Returns ADY_E_STORE. */
enum ady_err ady_dev_secret_add(struct ady_dev_call *c, const char *name, const char *id,
                                bool is_text, struct ady_bytes value);

/* Put stage on version to_id (NULL: on none) and take it off the others; moving AWSCURRENT leaves
 * AWSPREVIOUS where it was. Returns ADY_E_STORE. */
enum ady_err ady_dev_secret_move(struct ady_dev_call *c, const char *name, const char *stage,
                                 const char *to_id);

/* {"version id": ["stage", ..], ..} of the versions that have stages; a new reference. */
json_t *ady_dev_secret_stages(struct ady_dev_call *c, const char *name);

#endif
