/* SPDX-License-Identifier: Apache-2.0 */
#include "devcloud/secret_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devcloud/authorize.h"

enum { VERSIONS_MAX = 100 };

void ady_dev_secret_arn(const struct ady_dev_cloud *cloud, char out[static 640], const char *name,
                        const char *suffix)
{
	snprintf(out, 640, "arn:aws:secretsmanager:%s:%s:secret:%.512s%s%s", cloud->region,
	         cloud->account, name, *suffix ? "-" : "", suffix);
}

static bool load(struct ady_dev_call *c, struct ady_dev_secret *s, sqlite3_stmt *row)
{
	if (!ady_dev_db_row(row))
		return false;
	snprintf(s->name, sizeof s->name, "%s", ady_dev_db_text(row, 0));
	ady_dev_secret_arn(c->cloud, s->arn, s->name, ady_dev_db_text(row, 1));
	snprintf(s->description, sizeof s->description, "%s", ady_dev_db_text(row, 2));
	snprintf(s->kms_key, sizeof s->kms_key, "%s", ady_dev_db_text(row, 3));
	s->created_s = sqlite3_column_int64(row, 4);
	s->changed_s = sqlite3_column_int64(row, 5);
	s->deletion_s = sqlite3_column_int64(row, 6);
	ady_dev_db_done(row);
	if (!s->deletion_s || s->deletion_s > c->now_s)
		return true;
	(void)ady_dev_db_run(c->cloud->db, "DELETE FROM secret WHERE name = ?1", "s", s->name);
	return false;
}

bool ady_dev_secret_by_name(struct ady_dev_call *c, const char *name, struct ady_dev_secret *secret)
{
	return load(c, secret,
	            ady_dev_db_query(c->cloud->db,
	                             "SELECT name, suffix, description, kms_key, created, changed,"
	                             " deletion FROM secret WHERE name = ?1",
	                             "s", name));
}

/* By the part of an ARN behind "secret:". */
static bool by_arn_part(struct ady_dev_call *c, const char *part, struct ady_dev_secret *secret)
{
	return load(c, secret,
	            ady_dev_db_query(c->cloud->db,
	                             "SELECT name, suffix, description, kms_key, created, changed,"
	                             " deletion FROM secret"
	                             " WHERE name || '-' || suffix = ?1",
	                             "s", part)) ||
	       ady_dev_secret_by_name(c, part, secret);
}

enum ady_err ady_dev_secret_find(struct ady_dev_call *c, const char *action,
                                 struct ady_dev_secret *secret)
{
	char prefix[640];
	const char *id;
	enum ady_err err;
	bool found;
	size_t n;

	if ((err = ady_dev_get_text(c, "SecretId", 1, 2048, &id)) != ADY_OK)
		return err;
	ady_dev_secret_arn(c->cloud, prefix, "", "");
	n = strlen(prefix);
	if (strncmp(id, prefix, n) == 0) {
		id += n;
		found = by_arn_part(c, id, secret);
	} else {
		found = ady_dev_secret_by_name(c, id, secret);
	}
	/* Whether a secret exists is told to those only who may do this with it. */
	if (!found)
		ady_dev_secret_arn(c->cloud, secret->arn, id, "");
	if ((err = ady_dev_authorize(c, action, secret->arn, NULL, NULL)) != ADY_OK)
		return err;
	if (!found)
		return ady_dev_refuse(c, 400, "ResourceNotFoundException",
		                      "Secrets Manager can't find the specified secret.");
	return ADY_OK;
}

enum ady_err ady_dev_secret_version(struct ady_dev_call *c, const char *name, const char *id,
                                    const char *stage, struct ady_dev_secret_version *version)
{
	sqlite3_stmt *row;
	struct ady_bytes value;
	uint8_t *p;

	*version = (struct ady_dev_secret_version){0};
	row = ady_dev_db_query(c->cloud->db,
	                       "SELECT id, is_text, value, created, stages FROM secret_version"
	                       " WHERE name = ?1 AND (?2 IS NULL OR id = ?2) AND (?3 IS NULL OR"
	                       " EXISTS (SELECT 1 FROM json_each(stages) WHERE value = ?3))",
	                       "sss", name, id, stage);
	if (!ady_dev_db_row(row))
		return ADY_E_NOT_FOUND;
	snprintf(version->id, sizeof version->id, "%s", ady_dev_db_text(row, 0));
	version->is_text = sqlite3_column_int(row, 1) != 0;
	value = ady_dev_db_blob(row, 2);
	p = (uint8_t *)ady_dev_scratch(c, value.n);
	if (value.n)
		memcpy(p, value.p, value.n);
	version->value = ady_bytes(p, value.n);
	version->created_s = sqlite3_column_int64(row, 3);
	version->stages = json_loads(ady_dev_db_text(row, 4), 0, NULL);
	ady_dev_db_done(row);
	return ADY_OK;
}

enum ady_err ady_dev_secret_add(struct ady_dev_call *c, const char *name, const char *id,
                                bool is_text, struct ady_bytes value)
{
	enum ady_err err;

	err =
	    ady_dev_db_run(c->cloud->db,
	                   "INSERT INTO secret_version (name, id, is_text, value, stages, created)"
	                   " VALUES (?1, ?2, ?3, ?4, '[]', ?5)",
	                   "ssibi", name, id, (int64_t)is_text, value, c->now_s);
	if (err != ADY_OK)
		return err;
	/* The oldest versions without a stage go. */
	return ady_dev_db_run(c->cloud->db,
	                      "DELETE FROM secret_version WHERE name = ?1 AND stages = '[]' AND"
	                      " id <> ?2 AND rowid NOT IN (SELECT rowid FROM secret_version"
	                      " WHERE name = ?1 ORDER BY rowid DESC LIMIT ?3)",
	                      "ssi", name, id, (int64_t)VERSIONS_MAX);
}

static json_t *all_stages(struct ady_dev_call *c, const char *name)
{
	json_t *all = json_object();
	sqlite3_stmt *row = ady_dev_db_query(
	    c->cloud->db, "SELECT id, stages FROM secret_version WHERE name = ?1", "s", name);

	while (ady_dev_db_row(row))
		json_object_set_new(all, ady_dev_db_text(row, 0),
		                    json_loads(ady_dev_db_text(row, 1), 0, NULL));
	return all;
}

/* Take stage off wherever it stands. Returns the version id it stood on, or NULL. */
static const char *take_off(json_t *all, const char *stage)
{
	const char *id, *was = NULL;
	json_t *stages, *s;
	size_t i;

	json_object_foreach(all, id, stages)
	{
		for (i = json_array_size(stages); i-- > 0;) {
			s = json_array_get(stages, i);
			if (strcmp(json_string_value(s), stage) == 0) {
				json_array_remove(stages, i);
				was = id;
			}
		}
	}
	return was;
}

static void put_on(json_t *all, const char *id, const char *stage)
{
	json_array_append_new(json_object_get(all, id), json_string(stage));
}

static enum ady_err save_stages(struct ady_dev_call *c, const char *name, json_t *all)
{
	enum ady_err err = ADY_OK;
	const char *id;
	json_t *stages;
	char *text;

	json_object_foreach(all, id, stages)
	{
		text = json_dumps(stages, JSON_COMPACT);
		if (err == ADY_OK)
			err = ady_dev_db_run(c->cloud->db,
			                     "UPDATE secret_version SET stages = ?3 WHERE"
			                     " name = ?1 AND id = ?2",
			                     "sss", name, id, text);
		free(text);
	}
	return err;
}

enum ady_err ady_dev_secret_move(struct ady_dev_call *c, const char *name, const char *stage,
                                 const char *to_id)
{
	json_t *all = all_stages(c, name);
	const char *was = take_off(all, stage);
	enum ady_err err;

	if (to_id)
		put_on(all, to_id, stage);
	if (was && to_id && strcmp(stage, "AWSCURRENT") == 0 && strcmp(was, to_id) != 0) {
		take_off(all, "AWSPREVIOUS");
		put_on(all, was, "AWSPREVIOUS");
	}
	err = save_stages(c, name, all);
	json_decref(all);
	return err;
}

json_t *ady_dev_secret_stages(struct ady_dev_call *c, const char *name)
{
	json_t *all = all_stages(c, name), *stages;
	const char *id;
	void *next;

	json_object_foreach_safe(all, next, id, stages)
	{
		if (json_array_size(stages) == 0)
			json_object_del(all, id);
	}
	return all;
}
