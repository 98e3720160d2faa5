/* SPDX-License-Identifier: Apache-2.0
 *
 * A devcloud without its network: a folder under /tmp, the administrator, the instance role, and
 * calls by operation name and JSON text. */
#ifndef ADY_TEST_CLOUD_FIXTURE_H
#define ADY_TEST_CLOUD_FIXTURE_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "devcloud/identity.h"
#include "devcloud/keyring.h"
#include "devcloud/kms.h"
#include "devcloud/secrets.h"
#include "test.h"

#define TEST_ROLE "arn:aws:iam::111122223333:role/adyton-instance"

struct fixture {
	struct ady_dev_cloud cloud;
	struct ady_dev_call call; /* the last one */
	struct ady_dev_principal *who;
	char dir[64], db[96];
	int64_t later_s; /* added to the clock of calls */
};

/* Open what lies in f->dir: the state after a restart. */
static inline void fixture_open(struct fixture *f)
{
	struct ady_fault fault = {0};

	f->cloud = (struct ady_dev_cloud){.region = "us-east-1",
	                                  .account = "111122223333",
	                                  .role_name = "adyton-instance",
	                                  .instance_id = "i-0123456789abcdef0",
	                                  .credential_ttl_s = 3600};
	CHECK_ERR(ady_dev_db_open(&f->cloud.db, f->db, &fault), ADY_OK);
	CHECK_ERR(ady_dev_identity_open(&f->cloud, &fault), ADY_OK);
	CHECK_ERR(ady_dev_keyring_open(&f->cloud), ADY_OK);
}

static inline void fixture_shut(struct fixture *f)
{
	ady_dev_call_end(&f->call);
	ady_dev_keyring_close(&f->cloud);
	ady_dev_identity_close(&f->cloud);
	ady_dev_db_close(f->cloud.db);
}

static inline void fixture_new(struct fixture *f)
{
	*f = (struct fixture){0};
	snprintf(f->dir, sizeof f->dir, "/tmp/test-devcloud-XXXXXX");
	CHECK(mkdtemp(f->dir) != NULL);
	snprintf(f->db, sizeof f->db, "%s/devcloud.sqlite", f->dir);
	fixture_open(f);
}

static inline void fixture_end(struct fixture *f)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	char path[128];

	fixture_shut(f);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s%s", f->db, suffixes[i]);
		unlink(path);
	}
	rmdir(f->dir);
}

/* The keys of the administrator, or of a session of a role. */
static inline struct ady_aws_credentials fixture_keys(struct fixture *f, const char *role,
                                                      const char *session_policy)
{
	struct ady_dev_session s = {
	    .role = role, .name = "test", .policy = session_policy, .seconds = 3600};
	struct ady_aws_credentials k;

	if (role)
		CHECK_ERR(ady_dev_session_new(&f->cloud, &s, &k), ADY_OK);
	else
		CHECK_ERR(ady_dev_administrator(&f->cloud, &k), ADY_OK);
	return k;
}

/* Who the next calls are by. */
static inline void fixture_as(struct fixture *f, const char *role, const char *session_policy)
{
	struct ady_aws_credentials k = fixture_keys(f, role, session_policy);
	struct ady_dev_credential *c =
	    ady_dev_credential_find(&f->cloud, ady_bytes_str(k.access_key));

	CHECK(c != NULL);
	f->who = c ? &c->who : NULL;
}

typedef enum ady_err fixture_service(const char *name, struct ady_dev_call *c);

/* Make a call; its answer is f->call.out until the next one. Returns the error's name, "" for
 * success. */
static inline const char *fixture_call(struct fixture *f, fixture_service *service,
                                       const char *name, const char *json)
{
	enum ady_err err;

	ady_dev_call_end(&f->call);
	if (!f->who)
		fixture_as(f, NULL, NULL);
	f->call = (struct ady_dev_call){.cloud = &f->cloud,
	                                .who = f->who,
	                                .now_s = ady_wall_ms() / 1000 + f->later_s,
	                                .in = json_loads(json, 0, NULL)};
	CHECK(f->call.in != NULL);
	err = service(name, &f->call);
	if (err == ADY_OK)
		return "";
	return f->call.refusal.type[0] ? f->call.refusal.type : ady_err_code(err);
}

#define KMS(f, name, json) fixture_call(f, ady_dev_kms, name, json)
#define SECRETS(f, name, json) fixture_call(f, ady_dev_secrets, name, json)

/* A text member of the last answer; "" when there is none. */
static inline const char *fixture_text(const struct fixture *f, const char *name)
{
	const char *s = json_string_value(json_object_get(f->call.out, name));

	return s ? s : "";
}

/* Formatted JSON, in one static buffer. */
__attribute__((format(printf, 1, 2))) static inline const char *js(const char *fmt, ...)
{
	static char text[16384];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return text;
}

#endif
