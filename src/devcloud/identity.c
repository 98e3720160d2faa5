/* SPDX-License-Identifier: Apache-2.0 */
#include "devcloud/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "base/text.h"
#include "crypto/rng.h"
#include "devcloud/policy.h"

enum { CACHE = 64, KEEP_EXPIRED_S = 86400 };

static const char ID_ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
static const char ADMIN[] = "adyton-admin";

static const char ADMIN_POLICY[] =
    "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\","
    "\"Resource\":\"*\"}]}";

/* Of KMS only what has no key and hence no key policy: the rest is for the key policies to give. */
static const char INSTANCE_POLICY[] =
    "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":["
    "\"secretsmanager:*\",\"sts:*\",\"kms:GenerateRandom\"],\"Resource\":\"*\"}]}";

struct ady_dev_identity {
	struct ady_dev_credential *cache[CACHE];
	size_t next;
};

static void credential_free(struct ady_dev_credential *c)
{
	if (!c)
		return;
	json_decref(c->who.policy);
	json_decref(c->who.session);
	ady_zero(c, sizeof *c);
	free(c);
}

static void forget_all(struct ady_dev_identity *id)
{
	for (size_t i = 0; i < CACHE; i++) {
		credential_free(id->cache[i]);
		id->cache[i] = NULL;
	}
}

/* Insert an identity, or give it another policy; its unique id stays. */
static enum ady_err identity_set(struct ady_dev_cloud *cloud, const char *kind, const char *name,
                                 const char *policy)
{
	char id[32], rest[18];

	ady_dev_random_text(rest, 17, ID_ALPHABET);
	snprintf(id, sizeof id, "%s%s", strcmp(kind, "user") == 0 ? "AIDA" : "AROA", rest);
	forget_all(cloud->identity);
	return ady_dev_db_run(cloud->db,
	                      "INSERT INTO identity (kind, name, unique_id, policy)"
	                      " VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET policy = ?4",
	                      "ssss", kind, name, id, policy);
}

static bool identity_exists(struct ady_dev_cloud *cloud, const char *kind, const char *name)
{
	sqlite3_stmt *s = ady_dev_db_query(
	    cloud->db, "SELECT 1 FROM identity WHERE kind = ?1 AND name = ?2", "ss", kind, name);
	bool yes = ady_dev_db_row(s);

	ady_dev_db_done(s);
	return yes;
}

enum ady_err ady_dev_role_set(struct ady_dev_cloud *cloud, const char *name, const char *policy,
                              struct ady_fault *f)
{
	enum ady_err err;
	json_t *parsed;

	if (!*name || strlen(name) > 64 ||
	    strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+=,.@_-") !=
	        strlen(name))
		return ady_fail(f, ADY_E_CONFIG, "role", "the name is not one of IAM");
	if ((err = ady_dev_policy_parse(&parsed, policy, ADY_DEV_IDENTITY_POLICY, f)) != ADY_OK)
		return err;
	json_decref(parsed);
	return identity_set(cloud, "role", name, policy);
}

static void new_keys(struct ady_aws_credentials *k, const char *prefix)
{
	char rest[17];
	uint8_t r[30];

	ady_dev_random_text(rest, 16, ID_ALPHABET);
	snprintf(k->access_key, sizeof k->access_key, "%s%s", prefix, rest);
	ady_random(r, sizeof r);
	ady_base64_encode(k->secret_key, ady_bytes(r, sizeof r));
	ady_zero(r, sizeof r);
}

static enum ady_err store_keys(struct ady_dev_cloud *cloud, const struct ady_aws_credentials *k,
                               const char *kind, const struct ady_dev_session *s)
{
	return ady_dev_db_run(
	    cloud->db,
	    "INSERT INTO credential (access_key, secret, token, kind, name, session,"
	    " session_policy, expires, imds) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	    "sssssssii", k->access_key, k->secret_key, k->token, kind, s->role, s->name, s->policy,
	    k->expires_unix_s, (int64_t)s->imds);
}

static enum ady_err load_keys(struct ady_aws_credentials *out, sqlite3_stmt *row)
{
	*out = (struct ady_aws_credentials){0};
	if (!ady_dev_db_row(row))
		return ADY_E_NOT_FOUND;
	snprintf(out->access_key, sizeof out->access_key, "%s", ady_dev_db_text(row, 0));
	snprintf(out->secret_key, sizeof out->secret_key, "%s", ady_dev_db_text(row, 1));
	snprintf(out->token, sizeof out->token, "%s", ady_dev_db_text(row, 2));
	out->expires_unix_s = sqlite3_column_int64(row, 3);
	ady_dev_db_done(row);
	return ADY_OK;
}

enum ady_err ady_dev_administrator(struct ady_dev_cloud *cloud, struct ady_aws_credentials *out)
{
	return load_keys(out, ady_dev_db_query(cloud->db,
	                                       "SELECT access_key, secret, token, expires"
	                                       " FROM credential WHERE kind = 'user'",
	                                       ""));
}

enum ady_err ady_dev_session_imds(struct ady_dev_cloud *cloud, struct ady_aws_credentials *out)
{
	return load_keys(out, ady_dev_db_query(cloud->db,
	                                       "SELECT access_key, secret, token, expires"
	                                       " FROM credential WHERE imds = 1"
	                                       " ORDER BY expires DESC LIMIT 1",
	                                       ""));
}

static enum ady_err make_administrator(struct ady_dev_cloud *cloud)
{
	struct ady_dev_session s = {.role = ADMIN, .name = ""};
	struct ady_aws_credentials k = {0};
	enum ady_err err;

	if (ady_dev_administrator(cloud, &k) == ADY_OK) {
		ady_aws_credentials_wipe(&k);
		return ADY_OK;
	}
	if ((err = identity_set(cloud, "user", ADMIN, ADMIN_POLICY)) != ADY_OK)
		return err;
	new_keys(&k, "AKIA");
	err = store_keys(cloud, &k, "user", &s);
	ady_aws_credentials_wipe(&k);
	return err;
}

enum ady_err ady_dev_identity_open(struct ady_dev_cloud *cloud, struct ady_fault *f)
{
	enum ady_err err;

	cloud->identity = (struct ady_dev_identity *)calloc(1, sizeof *cloud->identity);
	if (!cloud->identity)
		return ady_fail(f, ADY_E_MEMORY, NULL, "no memory");
	if ((err = make_administrator(cloud)) == ADY_OK &&
	    !identity_exists(cloud, "role", cloud->role_name))
		err = ady_dev_role_set(cloud, cloud->role_name, INSTANCE_POLICY, f);
	return err == ADY_OK ? ADY_OK : ady_fail(f, err, "dir", "the identities cannot be stored");
}

void ady_dev_identity_close(struct ady_dev_cloud *cloud)
{
	if (!cloud->identity)
		return;
	forget_all(cloud->identity);
	free(cloud->identity);
	cloud->identity = NULL;
}

struct names {
	const char *kind, *name, *session, *id;
};

static void name_principal(struct ady_dev_cloud *cloud, struct ady_dev_principal *who,
                           const struct names *n)
{
	snprintf(who->role_arn, sizeof who->role_arn, "arn:aws:iam::%s:%s/%s", cloud->account,
	         n->kind, n->name);
	if (strcmp(n->kind, "user") == 0) {
		snprintf(who->arn, sizeof who->arn, "%s", who->role_arn);
		snprintf(who->unique_id, sizeof who->unique_id, "%s", n->id);
		return;
	}
	snprintf(who->arn, sizeof who->arn, "arn:aws:sts::%s:assumed-role/%s/%s", cloud->account,
	         n->name, n->session);
	snprintf(who->unique_id, sizeof who->unique_id, "%s:%s", n->id, n->session);
}

/* Policies were checked when they were stored. */
static bool load_principal(struct ady_dev_cloud *cloud, struct ady_dev_principal *who,
                           sqlite3_stmt *row)
{
	const char *session_policy = ady_dev_db_text(row, 6);
	struct names n = {ady_dev_db_text(row, 3), ady_dev_db_text(row, 4), ady_dev_db_text(row, 5),
	                  ady_dev_db_text(row, 7)};
	struct ady_fault f;

	name_principal(cloud, who, &n);
	if (ady_dev_policy_parse(&who->policy, ady_dev_db_text(row, 8), ADY_DEV_IDENTITY_POLICY,
	                         &f) != ADY_OK)
		return false;
	return !*session_policy || ady_dev_policy_parse(&who->session, session_policy,
	                                                ADY_DEV_IDENTITY_POLICY, &f) == ADY_OK;
}

static struct ady_dev_credential *load_credential(struct ady_dev_cloud *cloud,
                                                  const char *access_key)
{
	struct ady_dev_credential *c;
	sqlite3_stmt *row;
	bool ok;

	row = ady_dev_db_query(cloud->db,
	                       "SELECT c.secret, c.token, c.expires, c.kind, c.name, c.session,"
	                       " c.session_policy, i.unique_id, i.policy FROM credential c"
	                       " JOIN identity i ON i.kind = c.kind AND i.name = c.name"
	                       " WHERE c.access_key = ?1",
	                       "s", access_key);
	if (!ady_dev_db_row(row))
		return NULL;
	if (!(c = (struct ady_dev_credential *)calloc(1, sizeof *c)))
		abort();
	snprintf(c->keys.access_key, sizeof c->keys.access_key, "%s", access_key);
	snprintf(c->keys.secret_key, sizeof c->keys.secret_key, "%s", ady_dev_db_text(row, 0));
	snprintf(c->keys.token, sizeof c->keys.token, "%s", ady_dev_db_text(row, 1));
	c->keys.expires_unix_s = sqlite3_column_int64(row, 2);
	ok = load_principal(cloud, &c->who, row);
	ady_dev_db_done(row);
	if (ok)
		return c;
	credential_free(c);
	return NULL;
}

struct ady_dev_credential *ady_dev_credential_find(struct ady_dev_cloud *cloud,
                                                   struct ady_bytes access_key)
{
	struct ady_dev_identity *id = cloud->identity;
	struct ady_dev_credential *c;
	char name[129];

	if (!ady_bytes_to_str(name, sizeof name, access_key))
		return NULL;
	for (size_t i = 0; i < CACHE; i++)
		if (id->cache[i] && strcmp(id->cache[i]->keys.access_key, name) == 0)
			return id->cache[i];
	if (!(c = load_credential(cloud, name)))
		return NULL;
	credential_free(id->cache[id->next]);
	id->cache[id->next] = c;
	id->next = (id->next + 1) % CACHE;
	return c;
}

enum ady_err ady_dev_session_new(struct ady_dev_cloud *cloud, const struct ady_dev_session *session,
                                 struct ady_aws_credentials *out)
{
	int64_t now = ady_wall_ms() / 1000;
	uint8_t r[192];
	enum ady_err err;

	*out = (struct ady_aws_credentials){0};
	if (!identity_exists(cloud, "role", session->role))
		return ADY_E_NOT_FOUND;
	new_keys(out, "ASIA");
	ady_random(r, sizeof r);
	ady_base64_encode(out->token, ady_bytes(r, sizeof r));
	out->expires_unix_s = now + session->seconds;
	err = ady_dev_db_run(cloud->db, "DELETE FROM credential WHERE expires BETWEEN 1 AND ?1",
	                     "i", now - KEEP_EXPIRED_S);
	if (err == ADY_OK)
		err = store_keys(cloud, out, "role", session);
	if (err != ADY_OK)
		ady_aws_credentials_wipe(out);
	return err;
}

void ady_dev_role_id(struct ady_dev_cloud *cloud, const char *name, char out[static 32])
{
	sqlite3_stmt *row = ady_dev_db_query(
	    cloud->db, "SELECT unique_id FROM identity WHERE kind = 'role' AND name = ?1", "s",
	    name);

	out[0] = '\0';
	if (!ady_dev_db_row(row))
		return;
	snprintf(out, 32, "%s", ady_dev_db_text(row, 0));
	ady_dev_db_done(row);
}
