/* SPDX-License-Identifier: Apache-2.0
 *
 * Who there is: one administrator (a user), roles with their identity policies, and the
 * credentials that were issued to either. */
#ifndef ADY_DEVCLOUD_IDENTITY_H
#define ADY_DEVCLOUD_IDENTITY_H

#include "aws/sigv4.h"
#include "devcloud/cloud.h"

/* A caller with the policies that bound it. */
struct ady_dev_principal {
	char arn[320];      /* user, or assumed-role session */
	char role_arn[160]; /* the role behind a session; a user's own ARN */
	char unique_id[160];
	json_t *policy;  /* identity policy */
	json_t *session; /* session policy, or NULL */
};

struct ady_dev_credential {
	struct ady_aws_credentials keys;
	struct ady_dev_principal who;
	/* The signing key of the last "day/region/service" that was used, so that it need not be
	 * derived for each request. */
	char scope[80];
	uint8_t signing_key[32];
};

/* Load or, in a new file, make the administrator and the instance role. Returns ADY_E_STORE,
 * ADY_E_CONFIG. */
enum ady_err ady_dev_identity_open(struct ady_dev_cloud *cloud, struct ady_fault *f);

/* Wipe and free cloud->identity. */
void ady_dev_identity_close(struct ady_dev_cloud *cloud);

/* Make role name, or give it another identity policy (JSON). Returns ADY_E_CONFIG with the reason
 * in f. */
enum ady_err ady_dev_role_set(struct ady_dev_cloud *cloud, const char *name, const char *policy,
                              struct ady_fault *f);

/* The credential of an access key, expired ones included for a day; NULL for an unknown one. Valid
 * until the next call of this module. */
struct ady_dev_credential *ady_dev_credential_find(struct ady_dev_cloud *cloud,
                                                   struct ady_bytes access_key);

/* The administrator's credentials. Returns ADY_E_STORE. */
enum ady_err ady_dev_administrator(struct ady_dev_cloud *cloud, struct ady_aws_credentials *out);

struct ady_dev_session {
	const char *role, *name; /* of the role and of the session */
	const char *policy;      /* session policy as JSON, or NULL */
	int seconds;
	bool imds; /* given out by the instance metadata service */
};

/* Issue credentials for a session of a role. Returns ADY_E_NOT_FOUND when there is no such role,
 * ADY_E_STORE. */
enum ady_err ady_dev_session_new(struct ady_dev_cloud *cloud, const struct ady_dev_session *session,
                                 struct ady_aws_credentials *out);

/* The last credentials that the metadata service gave out; access_key is "" when there are none. */
enum ady_err ady_dev_session_imds(struct ady_dev_cloud *cloud, struct ady_aws_credentials *out);

/* The unique id of a role ("AROA..."), "" when there is none of that name. */
void ady_dev_role_id(struct ady_dev_cloud *cloud, const char *name, char out[static 32]);

#endif
