/* SPDX-License-Identifier: Apache-2.0
 *
 * CreateSecret, PutSecretValue, UpdateSecret, DeleteSecret, RestoreSecret,
 * UpdateSecretVersionStage. */
#include <stdio.h>
#include <string.h>

#include "devcloud/authorize.h"
#include "devcloud/secrets.h"

enum { VALUE_MAX = 65536, DAY_S = 86400 };

static const char NAME_CHARACTERS[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/_+=.@-";
static const char SUFFIX_ALPHABET[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/* The value of a request and the id of the version it becomes. */
struct value {
	bool given, is_text;
	struct ady_bytes bytes;
	char id[65];
};

static enum ady_err invalid(struct ady_dev_call *c, const char *why)
{
	return ady_dev_refuse(c, 400, "InvalidParameterException", "%s", why);
}

/* SecretString or SecretBinary; ClientRequestToken is the version's id, so that a request that is
 * sent again makes no second version. */
static enum ady_err read_value(struct ady_dev_call *c, struct value *v)
{
	const char *text, *token;
	enum ady_err err;

	*v = (struct value){0};
	if ((err = ady_dev_get_text(c, "SecretString", 0, VALUE_MAX, &text)) != ADY_OK ||
	    (err = ady_dev_get_blob(c, "SecretBinary", 0, VALUE_MAX, &v->bytes)) != ADY_OK ||
	    (err = ady_dev_get_text(c, "ClientRequestToken", 0, 64, &token)) != ADY_OK)
		return err;
	if (text && v->bytes.p)
		return invalid(c, "You can't specify both a binary secret value and a string "
		                  "secret value in the same secret.");
	if (token && strlen(token) < 32)
		return invalid(c, "The parameter ClientRequestToken must be 32 to 64 characters "
		                  "long.");
	if (text)
		v->bytes = ady_bytes_str(text);
	v->is_text = text != NULL;
	v->given = v->bytes.p != NULL;
	if (token)
		snprintf(v->id, sizeof v->id, "%s", token);
	else
		ady_dev_uuid(v->id);
	return ADY_OK;
}

/* Store v unless it is there already: the same token with another value is a mistake. *old tells
 * whether it was there. */
static enum ady_err add_version(struct ady_dev_call *c, const struct ady_dev_secret *s,
                                const struct value *v, bool *old)
{
	struct ady_dev_secret_version have;
	bool same;

	*old = ady_dev_secret_version(c, s->name, v->id, NULL, &have) == ADY_OK;
	if (!*old)
		return ady_dev_secret_add(c, s->name, v->id, v->is_text, v->bytes);
	json_decref(have.stages);
	same = have.is_text == v->is_text && ady_bytes_eq(have.value, v->bytes);
	if (same)
		return ADY_OK;
	return ady_dev_refuse(c, 400, "ResourceExistsException",
	                      "You can't use ClientRequestToken %s because that value is already "
	                      "in use for a version of secret %s.",
	                      v->id, s->arn);
}

static enum ady_err touch(struct ady_dev_call *c, const struct ady_dev_secret *s)
{
	return ady_dev_db_run(c->cloud->db, "UPDATE secret SET changed = ?2 WHERE name = ?1", "si",
	                      s->name, c->now_s);
}

static void put_secret(struct ady_dev_call *c, const struct ady_dev_secret *s, const char *version)
{
	json_object_set_new(c->out, "ARN", json_string(s->arn));
	json_object_set_new(c->out, "Name", json_string(s->name));
	if (version)
		json_object_set_new(c->out, "VersionId", json_string(version));
}

static enum ady_err set_current(struct ady_dev_call *c, const struct ady_dev_secret *s,
                                const struct value *v)
{
	enum ady_err err;
	bool old;

	if ((err = add_version(c, s, v, &old)) != ADY_OK || old)
		return err;
	if ((err = ady_dev_secret_move(c, s->name, "AWSCURRENT", v->id)) != ADY_OK)
		return err;
	return touch(c, s);
}

/* The same CreateSecret sent again: its token names a version with the same value. */
static enum ady_err exists(struct ady_dev_call *c, const struct ady_dev_secret *s,
                           const struct value *v)
{
	struct ady_dev_secret_version have;
	bool same;

	if (s->deletion_s)
		return ady_dev_refuse(c, 400, "InvalidRequestException",
		                      "You can't create this secret because a secret with this "
		                      "name is already scheduled for deletion.");
	if (v->given && ady_dev_secret_version(c, s->name, v->id, NULL, &have) == ADY_OK) {
		json_decref(have.stages);
		same = have.is_text == v->is_text && ady_bytes_eq(have.value, v->bytes);
		if (same) {
			put_secret(c, s, v->id);
			return ADY_OK;
		}
	}
	return ady_dev_refuse(c, 400, "ResourceExistsException",
	                      "The operation failed because the secret %s already exists.",
	                      s->name);
}

static enum ady_err insert_secret(struct ady_dev_call *c, const char *name)
{
	const char *description, *kms_key;
	char suffix[7];
	enum ady_err err;

	if ((err = ady_dev_get_text(c, "Description", 0, 2048, &description)) != ADY_OK ||
	    (err = ady_dev_get_text(c, "KmsKeyId", 0, 2048, &kms_key)) != ADY_OK)
		return err;
	ady_dev_random_text(suffix, 6, SUFFIX_ALPHABET);
	return ady_dev_db_run(c->cloud->db,
	                      "INSERT INTO secret (name, suffix, description, kms_key, created,"
	                      " changed, deletion) VALUES (?1, ?2, ?3, ?4, ?5, ?5, 0)",
	                      "ssssi", name, suffix, description ? description : "",
	                      kms_key ? kms_key : "", c->now_s);
}

static enum ady_err create_op(struct ady_dev_call *c)
{
	struct ady_dev_secret s;
	const char *name;
	struct value v;
	enum ady_err err;

	if ((err = ady_dev_get_text(c, "Name", 1, 512, &name)) != ADY_OK ||
	    (err = read_value(c, &v)) != ADY_OK)
		return err;
	if (strspn(name, NAME_CHARACTERS) != strlen(name))
		return ady_dev_refuse(c, 400, "ValidationException",
		                      "Invalid name. Must be a valid name containing alphanumeric "
		                      "characters, or any of the following: -/_+=.@");
	ady_dev_secret_arn(c->cloud, s.arn, name, "");
	if ((err = ady_dev_authorize(c, "secretsmanager:CreateSecret", s.arn, NULL, NULL)) !=
	    ADY_OK)
		return err;
	if (ady_dev_secret_by_name(c, name, &s))
		return exists(c, &s, &v);
	if ((err = insert_secret(c, name)) != ADY_OK)
		return err;
	if (!ady_dev_secret_by_name(c, name, &s))
		return ADY_E_STORE;
	put_secret(c, &s, v.given ? v.id : NULL);
	return v.given ? set_current(c, &s, &v) : ADY_OK;
}

static enum ady_err find_live(struct ady_dev_call *c, const char *action, struct ady_dev_secret *s)
{
	enum ady_err err = ady_dev_secret_find(c, action, s);

	if (err != ADY_OK || !s->deletion_s)
		return err;
	return ady_dev_refuse(c, 400, "InvalidRequestException",
	                      "You can't perform this operation on the secret because it was "
	                      "marked for deletion.");
}

/* The stages of the request; AWSCURRENT alone when it names none. */
static enum ady_err move_stages(struct ady_dev_call *c, const struct ady_dev_secret *s,
                                const struct value *v, bool old)
{
	json_t *stages = json_object_get(c->in, "VersionStages"), *stage;
	enum ady_err err = ADY_OK;
	size_t i;

	if (!stages)
		return old ? ADY_OK : ady_dev_secret_move(c, s->name, "AWSCURRENT", v->id);
	if (json_array_size(stages) == 0 || json_array_size(stages) > 20)
		return invalid(c, "VersionStages holds 1 to 20 labels.");
	json_array_foreach(stages, i, stage)
	{
		if (!json_is_string(stage) || json_string_length(stage) == 0 ||
		    json_string_length(stage) > 256)
			return invalid(c, "A label is a text of 1 to 256 characters.");
		if (err == ADY_OK)
			err = ady_dev_secret_move(c, s->name, json_string_value(stage), v->id);
	}
	return err;
}

static enum ady_err put_value_op(struct ady_dev_call *c)
{
	struct ady_dev_secret_version now;
	struct ady_dev_secret s;
	struct value v;
	enum ady_err err;
	bool old;

	if ((err = read_value(c, &v)) != ADY_OK ||
	    (err = find_live(c, "secretsmanager:PutSecretValue", &s)) != ADY_OK)
		return err;
	if (!v.given)
		return invalid(c, "You must provide either SecretString or SecretBinary.");
	if ((err = add_version(c, &s, &v, &old)) != ADY_OK ||
	    (err = move_stages(c, &s, &v, old)) != ADY_OK || (err = touch(c, &s)) != ADY_OK ||
	    (err = ady_dev_secret_version(c, s.name, v.id, NULL, &now)) != ADY_OK)
		return err;
	put_secret(c, &s, v.id);
	json_object_set_new(c->out, "VersionStages", now.stages);
	return ADY_OK;
}

static enum ady_err update_op(struct ady_dev_call *c)
{
	const char *description, *kms_key;
	struct ady_dev_secret s;
	struct value v;
	enum ady_err err;

	if ((err = read_value(c, &v)) != ADY_OK ||
	    (err = ady_dev_get_text(c, "Description", 0, 2048, &description)) != ADY_OK ||
	    (err = ady_dev_get_text(c, "KmsKeyId", 0, 2048, &kms_key)) != ADY_OK ||
	    (err = find_live(c, "secretsmanager:UpdateSecret", &s)) != ADY_OK ||
	    (err = ady_dev_db_run(c->cloud->db,
	                          "UPDATE secret SET description = ifnull(?2, description),"
	                          " kms_key = ifnull(?3, kms_key), changed = ?4 WHERE name = ?1",
	                          "sssi", s.name, description, kms_key, c->now_s)) != ADY_OK)
		return err;
	put_secret(c, &s, v.given ? v.id : NULL);
	return v.given ? set_current(c, &s, &v) : ADY_OK;
}

static enum ady_err delete_now(struct ady_dev_call *c, struct ady_dev_secret *s)
{
	enum ady_err err = ady_dev_secret_find(c, "secretsmanager:DeleteSecret", s);
	const char *id;

	/* Forced deletion of what is not there succeeds. */
	if (err != ADY_OK && strcmp(c->refusal.type, "ResourceNotFoundException") == 0) {
		err = ady_dev_get_text(c, "SecretId", 1, 2048, &id);
		snprintf(s->name, sizeof s->name, "%s", id ? id : "");
	}
	if (err != ADY_OK)
		return err;
	put_secret(c, s, NULL);
	json_object_set_new(c->out, "DeletionDate", json_real((double)c->now_s));
	return ady_dev_db_run(c->cloud->db, "DELETE FROM secret WHERE name = ?1", "s", s->name);
}

static enum ady_err delete_op(struct ady_dev_call *c)
{
	struct ady_dev_secret s;
	int64_t days = 0, when;
	enum ady_err err;
	bool force;

	if ((err = ady_dev_get_bool(c, "ForceDeleteWithoutRecovery", &force)) != ADY_OK ||
	    (err = ady_dev_get_int(c, "RecoveryWindowInDays", 0, INT32_MAX, &days)) != ADY_OK)
		return err;
	if (force && days)
		return invalid(c, "You can't use ForceDeleteWithoutRecovery in conjunction with "
		                  "RecoveryWindowInDays.");
	if (json_object_get(c->in, "RecoveryWindowInDays") && (days < 7 || days > 30))
		return invalid(c, "The RecoveryWindowInDays value must be between 7 and 30 days "
		                  "(inclusive).");
	if (force)
		return delete_now(c, &s);
	if ((err = find_live(c, "secretsmanager:DeleteSecret", &s)) != ADY_OK)
		return err;
	when = c->now_s + (days ? days : 30) * DAY_S;
	put_secret(c, &s, NULL);
	json_object_set_new(c->out, "DeletionDate", json_real((double)when));
	return ady_dev_db_run(c->cloud->db, "UPDATE secret SET deletion = ?2 WHERE name = ?1", "si",
	                      s.name, when);
}

static enum ady_err restore_op(struct ady_dev_call *c)
{
	struct ady_dev_secret s;
	enum ady_err err = ady_dev_secret_find(c, "secretsmanager:RestoreSecret", &s);

	if (err != ADY_OK)
		return err;
	put_secret(c, &s, NULL);
	return ady_dev_db_run(c->cloud->db, "UPDATE secret SET deletion = 0 WHERE name = ?1", "s",
	                      s.name);
}

/* The version a stage stands on must be named to take it off. */
static enum ady_err check_move(struct ady_dev_call *c, const struct ady_dev_secret *s,
                               const char *stage, const char *from, const char *to)
{
	struct ady_dev_secret_version v;
	bool stands = ady_dev_secret_version(c, s->name, NULL, stage, &v) == ADY_OK;

	if (stands)
		json_decref(v.stages);
	if (stands && (!from || strcmp(from, v.id) != 0) && (!to || strcmp(to, v.id) != 0))
		return invalid(c, "The parameter RemoveFromVersionId does not name the version "
		                  "that the staging label is attached to.");
	if (!to)
		return strcmp(stage, "AWSCURRENT") == 0
		           ? invalid(c, "You can't remove AWSCURRENT from all versions.")
		           : ADY_OK;
	if (ady_dev_secret_version(c, s->name, to, NULL, &v) != ADY_OK)
		return ady_dev_refuse(c, 400, "ResourceNotFoundException",
		                      "Secrets Manager can't find the specified secret version.");
	json_decref(v.stages);
	return ADY_OK;
}

static enum ady_err update_stage_op(struct ady_dev_call *c)
{
	const char *stage, *from, *to;
	struct ady_dev_secret s;
	enum ady_err err;

	if ((err = ady_dev_get_text(c, "VersionStage", 1, 256, &stage)) != ADY_OK ||
	    (err = ady_dev_get_text(c, "RemoveFromVersionId", 0, 64, &from)) != ADY_OK ||
	    (err = ady_dev_get_text(c, "MoveToVersionId", 0, 64, &to)) != ADY_OK ||
	    (err = find_live(c, "secretsmanager:UpdateSecretVersionStage", &s)) != ADY_OK ||
	    (err = check_move(c, &s, stage, from, to)) != ADY_OK ||
	    (err = ady_dev_secret_move(c, s.name, stage, to)) != ADY_OK)
		return err;
	put_secret(c, &s, NULL);
	return touch(c, &s);
}

const struct ady_dev_op ady_dev_secret_write_ops[] = {
    {"CreateSecret", create_op, true},
    {"PutSecretValue", put_value_op, true},
    {"UpdateSecret", update_op, true},
    {"DeleteSecret", delete_op, true},
    {"RestoreSecret", restore_op, true},
    {"UpdateSecretVersionStage", update_stage_op, true},
    {0},
};
