/* SPDX-License-Identifier: Apache-2.0 */
#include "devcloud/keyring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "crypto/rng.h"
#include "devcloud/policy.h"

enum { CACHE = 256 };

/* Direct-mapped: a key's place is decided by its id. One version of its material is kept with it,
 * the last that was used. */
struct place {
	struct ady_dev_key key;
	int64_t version;
	uint8_t material[32];
	bool used;
};

struct ady_dev_keyring {
	struct place places[CACHE];
};

static const char *const STATES[] = {
    [ADY_DEV_ENABLED] = "Enabled",
    [ADY_DEV_DISABLED] = "Disabled",
    [ADY_DEV_PENDING] = "PendingDeletion",
};

const char *ady_dev_key_state_text(enum ady_dev_key_state state)
{
	return STATES[state];
}

enum ady_err ady_dev_keyring_open(struct ady_dev_cloud *cloud)
{
	cloud->keyring = (struct ady_dev_keyring *)calloc(1, sizeof *cloud->keyring);
	return cloud->keyring ? ADY_OK : ADY_E_MEMORY;
}

static void empty(struct place *p)
{
	if (p->used) {
		free(p->key.description);
		free(p->key.policy_text);
		json_decref(p->key.policy);
	}
	ady_zero(p, sizeof *p);
}

void ady_dev_keyring_forget(struct ady_dev_cloud *cloud)
{
	for (size_t i = 0; i < CACHE; i++)
		empty(&cloud->keyring->places[i]);
}

void ady_dev_keyring_close(struct ady_dev_cloud *cloud)
{
	if (!cloud->keyring)
		return;
	ady_dev_keyring_forget(cloud);
	free(cloud->keyring);
	cloud->keyring = NULL;
}

static struct place *place_of(struct ady_dev_cloud *cloud, const char *id)
{
	unsigned h = 0;

	for (; *id; id++)
		h = h * 31 + (unsigned char)*id;
	return &cloud->keyring->places[h % CACHE];
}

static enum ady_err not_found(struct ady_dev_call *c, const char *arn)
{
	return ady_dev_refuse(c, 400, "NotFoundException", "Key '%s' does not exist", arn);
}

static enum ady_dev_key_state state_of(const char *text)
{
	if (strcmp(text, "Enabled") == 0)
		return ADY_DEV_ENABLED;
	return strcmp(text, "Disabled") == 0 ? ADY_DEV_DISABLED : ADY_DEV_PENDING;
}

static bool load(struct ady_dev_cloud *cloud, struct place *p, const char *id)
{
	struct ady_dev_key *k = &p->key;
	struct ady_fault f;
	sqlite3_stmt *row;

	row = ady_dev_db_query(cloud->db,
	                       "SELECT description, state, created, deletion, policy, version"
	                       " FROM kms_key WHERE id = ?1",
	                       "s", id);
	if (!ady_dev_db_row(row))
		return false;
	p->used = true;
	snprintf(k->id, sizeof k->id, "%s", id);
	snprintf(k->arn, sizeof k->arn, "arn:aws:kms:%s:%s:key/%s", cloud->region, cloud->account,
	         id);
	k->description = strdup(ady_dev_db_text(row, 0));
	k->state = state_of(ady_dev_db_text(row, 1));
	k->created_s = sqlite3_column_int64(row, 2);
	k->deletion_s = sqlite3_column_int64(row, 3);
	k->policy_text = strdup(ady_dev_db_text(row, 4));
	k->version = sqlite3_column_int64(row, 5);
	ady_dev_db_done(row);
	return k->description && k->policy_text &&
	       ady_dev_policy_parse(&k->policy, k->policy_text, ADY_DEV_RESOURCE_POLICY, &f) ==
	           ADY_OK;
}

static enum ady_err find_id(struct ady_dev_call *c, const char *id, const char *shown,
                            const struct ady_dev_key **key)
{
	struct place *p = place_of(c->cloud, id);

	if (!p->used || strcmp(p->key.id, id) != 0) {
		empty(p);
		if (!load(c->cloud, p, id)) {
			empty(p);
			return not_found(c, shown);
		}
	}
	if (p->key.deletion_s && p->key.deletion_s <= c->now_s) {
		empty(p);
		if (ady_dev_db_run(c->cloud->db, "DELETE FROM kms_key WHERE id = ?1", "s", id) !=
		    ADY_OK)
			return ADY_E_STORE;
		return not_found(c, shown);
	}
	*key = &p->key;
	return ADY_OK;
}

/* What stands behind "arn:aws:kms:REGION:ACCOUNT:", or key_id itself when it is no ARN; NULL for
 * an ARN of elsewhere. */
static const char *local_part(struct ady_dev_call *c, const char *key_id)
{
	char prefix[64];
	size_t n;

	if (strncmp(key_id, "arn:", 4) != 0)
		return key_id;
	n = (size_t)snprintf(prefix, sizeof prefix, "arn:aws:kms:%s:%s:", c->cloud->region,
	                     c->cloud->account);
	return strncmp(key_id, prefix, n) == 0 ? key_id + n : NULL;
}

static enum ady_err find_alias(struct ady_dev_call *c, const char *name,
                               const struct ady_dev_key **key)
{
	sqlite3_stmt *row = ady_dev_db_query(
	    c->cloud->db, "SELECT key_id FROM kms_alias WHERE name = ?1", "s", name);
	char id[37];

	if (!ady_dev_db_row(row))
		return ady_dev_refuse(c, 400, "NotFoundException",
		                      "Alias arn:aws:kms:%s:%s:%s is not found.", c->cloud->region,
		                      c->cloud->account, name);
	snprintf(id, sizeof id, "%s", ady_dev_db_text(row, 0));
	ady_dev_db_done(row);
	return find_id(c, id, name, key);
}

enum ady_err ady_dev_key_find_plain(struct ady_dev_call *c, const char *key_id,
                                    const struct ady_dev_key **key)
{
	const char *part = local_part(c, key_id);

	if (!part)
		return ady_dev_refuse(c, 400, "NotFoundException", "Invalid arn %s", key_id);
	if (part != key_id && strncmp(part, "key/", 4) == 0)
		return find_id(c, part + 4, key_id, key);
	if (part != key_id || strchr(part, '/'))
		return ady_dev_refuse(c, 400, "ValidationException", "Invalid keyId %s", key_id);
	return find_id(c, part, key_id, key);
}

enum ady_err ady_dev_key_find(struct ady_dev_call *c, const char *key_id,
                              const struct ady_dev_key **key)
{
	const char *part = local_part(c, key_id);

	if (part && strncmp(part, "alias/", 6) == 0)
		return find_alias(c, part, key);
	return ady_dev_key_find_plain(c, key_id, key);
}

static bool load_material(struct ady_dev_cloud *cloud, const char *id, int64_t version,
                          uint8_t out32[static 32])
{
	sqlite3_stmt *row = ady_dev_db_query(
	    cloud->db, "SELECT material FROM kms_material WHERE key_id = ?1 AND version = ?2", "si",
	    id, version);
	struct ady_bytes m;

	if (!ady_dev_db_row(row))
		return false;
	m = ady_dev_db_blob(row, 0);
	if (m.n == 32)
		memcpy(out32, m.p, 32);
	ady_dev_db_done(row);
	return m.n == 32;
}

enum ady_err ady_dev_key_material(struct ady_dev_cloud *cloud, const struct ady_dev_key *key,
                                  int64_t version, uint8_t out32[static 32])
{
	struct place *p = place_of(cloud, key->id);

	if (&p->key != key)
		ADY_BUG("a key that is no longer cached");
	if (p->version != version) {
		p->version = 0;
		if (!load_material(cloud, key->id, version, p->material))
			return ADY_E_NOT_FOUND;
		p->version = version;
	}
	memcpy(out32, p->material, 32);
	return ADY_OK;
}

static enum ady_err add_material(struct ady_dev_call *c, const char *id, int64_t version)
{
	ADY_SECRET struct ady_seckey k = {0};

	ady_random(k.b, sizeof k.b);
	return ady_dev_db_run(c->cloud->db,
	                      "INSERT INTO kms_material (key_id, version, material, created)"
	                      " VALUES (?1, ?2, ?3, ?4)",
	                      "sibi", id, version, ady_bytes(k.b, sizeof k.b), c->now_s);
}

enum ady_err ady_dev_key_new(struct ady_dev_call *c, const char *description, const char *policy,
                             char id[static 37])
{
	enum ady_err err;

	ady_dev_uuid(id);
	err = ady_dev_db_run(c->cloud->db,
	                     "INSERT INTO kms_key (id, description, state, created, deletion,"
	                     " policy, version) VALUES (?1, ?2, 'Enabled', ?3, 0, ?4, 1)",
	                     "ssis", id, description, c->now_s, policy);
	return err == ADY_OK ? add_material(c, id, 1) : err;
}

enum ady_err ady_dev_key_rotate(struct ady_dev_call *c, const struct ady_dev_key *key)
{
	char id[37];
	int64_t version = key->version + 1;
	enum ady_err err;

	memcpy(id, key->id, sizeof id);
	ady_dev_keyring_forget(c->cloud);
	if ((err = add_material(c, id, version)) != ADY_OK)
		return err;
	return ady_dev_db_run(c->cloud->db, "UPDATE kms_key SET version = ?2 WHERE id = ?1", "si",
	                      id, version);
}

enum ady_err ady_dev_key_usable(struct ady_dev_call *c, const struct ady_dev_key *key)
{
	switch (key->state) {
	case ADY_DEV_ENABLED:
		return ADY_OK;
	case ADY_DEV_DISABLED:
		return ady_dev_refuse(c, 400, "DisabledException", "%s is disabled.", key->arn);
	case ADY_DEV_PENDING:
		break;
	}
	return ady_dev_refuse(c, 400, "KMSInvalidStateException", "%s is pending deletion.",
	                      key->arn);
}
