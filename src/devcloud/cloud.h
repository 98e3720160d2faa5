/* SPDX-License-Identifier: Apache-2.0
 *
 * What the services of devcloud share, and one API call as they see it. Thread rule: the loop's
 * thread only. */
#ifndef ADY_DEVCLOUD_CLOUD_H
#define ADY_DEVCLOUD_CLOUD_H

#include <jansson.h>

#include "base/bytes.h"
#include "devcloud/db.h"

struct ady_dev_identity;
struct ady_dev_keyring;
struct ady_dev_documents;

struct ady_dev_cloud {
	struct ady_dev_db *db;
	struct ady_dev_identity *identity;
	struct ady_dev_keyring *keyring;
	struct ady_dev_documents *documents;
	char region[32], account[13];
	char role_name[65], instance_id[32];
	int credential_ttl_s;
	bool accept_unsigned; /* documents without proof, for tests: devcloud/unsigned.h */
};

enum ady_dev_service { ADY_DEV_KMS, ADY_DEV_SECRETS, ADY_DEV_STS };

/* What the caller may be denied by: filled by ady_dev_refuse. */
struct ady_dev_refusal {
	int status;
	char type[64], message[512];
};

struct ady_dev_principal;

/* One authenticated call. in and out are JSON objects (of STS, in holds its form's texts); what
 * ady_dev_scratch gives is wiped and freed with the call. */
struct ady_dev_call {
	struct ady_dev_cloud *cloud;
	const struct ady_dev_principal *who;
	int64_t now_s;
	json_t *in, *out;
	struct ady_dev_refusal refusal;
	void *scratch;
};

/* An operation: checks, authorizes, does. Returns ADY_OK with out filled, or an error with refusal
 * filled (left empty: an internal failure, answered with status 500). */
typedef enum ady_err ady_dev_operation(struct ady_dev_call *c);

struct ady_dev_op {
	const char *name;
	ady_dev_operation *run;
	bool writes; /* runs in a transaction, undone on error */
};

/* Fill the refusal and return ADY_E_DENIED: return ady_dev_refuse(c, 400, "NotFoundException",
 * "Key '%s' does not exist", arn); fmt "" leaves the message out. */
enum ady_err ady_dev_refuse(struct ady_dev_call *c, int status, const char *type, const char *fmt,
                            ...) __attribute__((format(printf, 4, 5)));

/* Find name in ops (ended by an empty one) and run it, in a transaction if it writes. Returns
 * ADY_E_NOT_FOUND when there is none of that name. */
enum ady_err ady_dev_run(const struct ady_dev_op *ops, const char *name, struct ady_dev_call *c);

/* Free in, out and scratch, wiping the latter. */
void ady_dev_call_end(struct ady_dev_call *c);

/* n bytes of the call's own. */
void *ady_dev_scratch(struct ady_dev_call *c, size_t n);

/* Read member name of in, a text of min..max bytes. An absent one is ADY_OK with *out NULL if min
 * is 0, else refused with ValidationException, as all that does not fit is. */
enum ady_err ady_dev_get_text(struct ady_dev_call *c, const char *name, size_t min, size_t max,
                              const char **out);

/* Read member name, an integer min..max; absent: *out keeps its value. Refusals as
 * ady_dev_get_text. */
enum ady_err ady_dev_get_int(struct ady_dev_call *c, const char *name, int64_t min, int64_t max,
                             int64_t *out);

/* Read member name, base64 of min..max bytes into scratch; absent: refused if min is not 0. */
enum ady_err ady_dev_get_blob(struct ady_dev_call *c, const char *name, size_t min, size_t max,
                              struct ady_bytes *out);

/* Whether member name is true; absent is false. Other kinds are refused. */
enum ady_err ady_dev_get_bool(struct ady_dev_call *c, const char *name, bool *out);

/* Set member name of o to the base64 of b. */
void ady_dev_put_blob(struct ady_dev_call *c, json_t *o, const char *name, struct ady_bytes b);

/* A random UUID (RFC 4122, version 4) as text. */
void ady_dev_uuid(char out[static 37]);

/* n random characters of alphabet and a NUL. */
void ady_dev_random_text(char *out, size_t n, const char *alphabet);

#endif
