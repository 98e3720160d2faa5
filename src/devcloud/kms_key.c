/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of a key: made, described, listed, enabled, rotated, deleted; and its policy. */
#include <stdio.h>
#include <string.h>

#include "devcloud/kms.h"

enum { POLICY_MAX = 32768, ROTATIONS_MAX = 25, DAY_S = 86400 };

static void put_time(json_t *o, const char *name, int64_t s)
{
	json_object_set_new(o, name, json_real((double)s));
}

static json_t *one_text(const char *s)
{
	json_t *a = json_array();

	json_array_append_new(a, json_string(s));
	return a;
}

/* KeyMetadata (API reference, DescribeKey). */
static json_t *metadata(struct ady_dev_call *c, const struct ady_dev_key *k)
{
	json_t *m =
	    json_pack("{s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b}",
	              "AWSAccountId", c->cloud->account, "KeyId", k->id, "Arn", k->arn, "Enabled",
	              k->state == ADY_DEV_ENABLED, "Description", k->description, "KeyUsage",
	              "ENCRYPT_DECRYPT", "KeyState", ady_dev_key_state_text(k->state), "Origin",
	              "AWS_KMS", "KeyManager", "CUSTOMER", "CustomerMasterKeySpec",
	              "SYMMETRIC_DEFAULT", "KeySpec", "SYMMETRIC_DEFAULT", "MultiRegion", 0);

	put_time(m, "CreationDate", k->created_s);
	if (k->deletion_s)
		put_time(m, "DeletionDate", k->deletion_s);
	json_object_set_new(m, "EncryptionAlgorithms", one_text("SYMMETRIC_DEFAULT"));
	json_object_set_new(m, "CurrentKeyMaterialId",
	                    json_sprintf("%064llx", (long long)k->version));
	return m;
}

static enum ady_err malformed_policy(struct ady_dev_call *c, const struct ady_fault *f)
{
	return ady_dev_refuse(c, 400, "MalformedPolicyDocumentException", "%s%s%s", f->where,
	                      *f->where ? " " : "", f->detail);
}

/* "The key policy must allow the principal that makes the PutKeyPolicy request to make another
 * one", unless BypassPolicyLockoutSafetyCheck. */
static enum ady_err check_policy(struct ady_dev_call *c, const char *policy, const char *arn)
{
	struct ady_fault f = {0};
	enum ady_err err;
	json_t *parsed;
	bool bypass, keeps;

	if ((err = ady_dev_get_bool(c, "BypassPolicyLockoutSafetyCheck", &bypass)) != ADY_OK)
		return err;
	if (ady_dev_policy_parse(&parsed, policy, ADY_DEV_RESOURCE_POLICY, &f) != ADY_OK)
		return malformed_policy(c, &f);
	keeps = bypass || ady_dev_may(c, "kms:PutKeyPolicy", arn, parsed, NULL);
	json_decref(parsed);
	if (keeps)
		return ADY_OK;
	return ady_dev_refuse(c, 400, "MalformedPolicyDocumentException",
	                      "The new key policy will not allow you to update the key policy in "
	                      "the future.");
}

static enum ady_err only(struct ady_dev_call *c, const char *name, const char *value)
{
	const char *text;
	enum ady_err err = ady_dev_get_text(c, name, 0, 64, &text);

	if (err != ADY_OK || !text || strcmp(text, value) == 0)
		return err;
	return ady_dev_refuse(c, 400, "UnsupportedOperationException",
	                      "This local stand-in has keys of %s %s only", name, value);
}

static enum ady_err check_kind(struct ady_dev_call *c)
{
	enum ady_err err;
	bool multi;

	if ((err = only(c, "KeySpec", "SYMMETRIC_DEFAULT")) != ADY_OK ||
	    (err = only(c, "CustomerMasterKeySpec", "SYMMETRIC_DEFAULT")) != ADY_OK ||
	    (err = only(c, "KeyUsage", "ENCRYPT_DECRYPT")) != ADY_OK ||
	    (err = only(c, "Origin", "AWS_KMS")) != ADY_OK ||
	    (err = ady_dev_get_bool(c, "MultiRegion", &multi)) != ADY_OK)
		return err;
	if (multi || json_object_get(c->in, "CustomKeyStoreId") ||
	    json_object_get(c->in, "XksKeyId"))
		return ady_dev_refuse(c, 400, "UnsupportedOperationException",
		                      "This local stand-in has keys of one region, in KMS itself");
	return ADY_OK;
}

/* Without a policy: the account's identity policies decide (KMS Developer Guide, "Default key
 * policy"). */
static const char *default_policy(struct ady_dev_call *c)
{
	size_t n = 512;
	char *text = (char *)ady_dev_scratch(c, n);

	snprintf(text, n,
	         "{\n  \"Version\" : \"2012-10-17\",\n  \"Id\" : \"key-default-1\",\n"
	         "  \"Statement\" : [ {\n    \"Sid\" : \"Enable IAM User Permissions\",\n"
	         "    \"Effect\" : \"Allow\",\n    \"Principal\" : {\n"
	         "      \"AWS\" : \"arn:aws:iam::%s:root\"\n    },\n"
	         "    \"Action\" : \"kms:*\",\n    \"Resource\" : \"*\"\n  } ]\n}",
	         c->cloud->account);
	return text;
}

static enum ady_err create_key_op(struct ady_dev_call *c)
{
	const struct ady_dev_key *key;
	const char *description, *policy;
	enum ady_err err;
	char id[37];

	if ((err = ady_dev_get_text(c, "Description", 0, 8192, &description)) != ADY_OK ||
	    (err = ady_dev_get_text(c, "Policy", 0, POLICY_MAX, &policy)) != ADY_OK ||
	    (err = check_kind(c)) != ADY_OK ||
	    (err = ady_dev_authorize(c, "kms:CreateKey", "*", NULL, NULL)) != ADY_OK)
		return err;
	if (!policy)
		policy = default_policy(c);
	if ((err = check_policy(c, policy, "*")) != ADY_OK ||
	    (err = ady_dev_key_new(c, description ? description : "", policy, id)) != ADY_OK ||
	    (err = ady_dev_key_find(c, id, &key)) != ADY_OK)
		return err;
	json_object_set_new(c->out, "KeyMetadata", metadata(c, key));
	return ADY_OK;
}

static enum ady_err describe_key_op(struct ady_dev_call *c)
{
	const struct ady_dev_key *key;
	enum ady_err err = ady_dev_kms_key(c, "kms:DescribeKey", NULL, &key);

	if (err == ADY_OK)
		json_object_set_new(c->out, "KeyMetadata", metadata(c, key));
	return err;
}

static enum ady_err list_keys_op(struct ady_dev_call *c)
{
	json_t *keys = json_array();
	const char *marker;
	sqlite3_stmt *row;
	enum ady_err err;
	int64_t limit;

	json_object_set_new(c->out, "Keys", keys);
	json_object_set_new(c->out, "Truncated", json_false());
	if ((err = ady_dev_kms_page(c, 1000, &limit, &marker)) != ADY_OK ||
	    (err = ady_dev_authorize(c, "kms:ListKeys", "*", NULL, NULL)) != ADY_OK)
		return err;
	row = ady_dev_db_query(c->cloud->db,
	                       "SELECT id FROM kms_key WHERE id > ?1 AND (deletion = 0 OR"
	                       " deletion > ?2) ORDER BY id LIMIT ?3",
	                       "sii", marker, c->now_s, limit + 1);
	while (ady_dev_db_row(row)) {
		const char *id = ady_dev_db_text(row, 0);

		if ((int64_t)json_array_size(keys) == limit) {
			json_object_set(
			    c->out, "NextMarker",
			    json_object_get(json_array_get(keys, (size_t)limit - 1), "KeyId"));
			json_object_set_new(c->out, "Truncated", json_true());
			ady_dev_db_done(row);
			break;
		}
		json_array_append_new(
		    keys, json_pack("{s:s, s:o}", "KeyId", id, "KeyArn",
		                    json_sprintf("arn:aws:kms:%s:%s:key/%s", c->cloud->region,
		                                 c->cloud->account, id)));
	}
	return ADY_OK;
}

/* Find the key of a managing operation: KeyId may not be an alias. */
static enum ady_err managed(struct ady_dev_call *c, const char *action,
                            const struct ady_dev_key **key)
{
	const char *key_id;
	enum ady_err err;

	if ((err = ady_dev_get_text(c, "KeyId", 1, 2048, &key_id)) != ADY_OK ||
	    (err = ady_dev_key_find_plain(c, key_id, key)) != ADY_OK)
		return err;
	return ady_dev_authorize(c, action, (*key)->arn, (*key)->policy, NULL);
}

static enum ady_err pending(struct ady_dev_call *c, const struct ady_dev_key *key)
{
	return ady_dev_refuse(c, 400, "KMSInvalidStateException", "%s is pending deletion.",
	                      key->arn);
}

static enum ady_err set_state(struct ady_dev_call *c, const struct ady_dev_key *key,
                              const char *state, int64_t deletion_s)
{
	char id[37];

	memcpy(id, key->id, sizeof id);
	ady_dev_keyring_forget(c->cloud);
	return ady_dev_db_run(c->cloud->db,
	                      "UPDATE kms_key SET state = ?2, deletion = ?3 WHERE id = ?1", "ssi",
	                      id, state, deletion_s);
}

static enum ady_err switch_key(struct ady_dev_call *c, const char *action, const char *state)
{
	const struct ady_dev_key *key;
	enum ady_err err = managed(c, action, &key);

	if (err != ADY_OK)
		return err;
	return key->state == ADY_DEV_PENDING ? pending(c, key) : set_state(c, key, state, 0);
}

static enum ady_err enable_key_op(struct ady_dev_call *c)
{
	return switch_key(c, "kms:EnableKey", "Enabled");
}

static enum ady_err disable_key_op(struct ady_dev_call *c)
{
	return switch_key(c, "kms:DisableKey", "Disabled");
}

static enum ady_err schedule_deletion_op(struct ady_dev_call *c)
{
	const struct ady_dev_key *key;
	int64_t days = 30;
	enum ady_err err;

	if ((err = ady_dev_get_int(c, "PendingWindowInDays", 7, 30, &days)) != ADY_OK ||
	    (err = managed(c, "kms:ScheduleKeyDeletion", &key)) != ADY_OK)
		return err;
	if (key->state == ADY_DEV_PENDING)
		return pending(c, key);
	json_object_set_new(c->out, "KeyId", json_string(key->arn));
	put_time(c->out, "DeletionDate", c->now_s + days * DAY_S);
	json_object_set_new(c->out, "KeyState", json_string("PendingDeletion"));
	json_object_set_new(c->out, "PendingWindowInDays", json_integer(days));
	return set_state(c, key, "PendingDeletion", c->now_s + days * DAY_S);
}

/* "The key state is Disabled" afterwards. */
static enum ady_err cancel_deletion_op(struct ady_dev_call *c)
{
	const struct ady_dev_key *key;
	enum ady_err err = managed(c, "kms:CancelKeyDeletion", &key);

	if (err != ADY_OK)
		return err;
	if (key->state != ADY_DEV_PENDING)
		return ady_dev_refuse(c, 400, "KMSInvalidStateException",
		                      "%s is not pending deletion.", key->arn);
	json_object_set_new(c->out, "KeyId", json_string(key->arn));
	return set_state(c, key, "Disabled", 0);
}

static enum ady_err rotate_op(struct ady_dev_call *c)
{
	const struct ady_dev_key *key;
	enum ady_err err;

	if ((err = managed(c, "kms:RotateKeyOnDemand", &key)) != ADY_OK ||
	    (err = ady_dev_key_usable(c, key)) != ADY_OK)
		return err;
	if (key->version > ROTATIONS_MAX)
		return ady_dev_refuse(c, 400, "LimitExceededException",
		                      "On-demand rotations of %s have reached their limit",
		                      key->arn);
	json_object_set_new(c->out, "KeyId", json_string(key->arn));
	return ady_dev_key_rotate(c, key);
}

static enum ady_err list_rotations_op(struct ady_dev_call *c)
{
	json_t *list = json_array(), *r;
	const struct ady_dev_key *key;
	sqlite3_stmt *row;
	enum ady_err err;

	json_object_set_new(c->out, "Rotations", list);
	json_object_set_new(c->out, "Truncated", json_false());
	if ((err = managed(c, "kms:ListKeyRotations", &key)) != ADY_OK)
		return err;
	row = ady_dev_db_query(c->cloud->db,
	                       "SELECT created FROM kms_material WHERE key_id = ?1 AND version > 1"
	                       " ORDER BY version",
	                       "s", key->id);
	while (ady_dev_db_row(row)) {
		r = json_pack("{s:s, s:s}", "KeyId", key->arn, "RotationType", "ON_DEMAND");
		put_time(r, "RotationDate", sqlite3_column_int64(row, 0));
		json_array_append_new(list, r);
	}
	return ADY_OK;
}

/* A key has one policy, and its name is "default". */
static enum ady_err check_name(struct ady_dev_call *c)
{
	const char *name;
	enum ady_err err = ady_dev_get_text(c, "PolicyName", 0, 128, &name);

	if (err != ADY_OK || !name || strcmp(name, "default") == 0)
		return err;
	return ady_dev_refuse(c, 400, "NotFoundException", "No such policy exists");
}

static enum ady_err get_policy_op(struct ady_dev_call *c)
{
	const struct ady_dev_key *key;
	enum ady_err err;

	if ((err = managed(c, "kms:GetKeyPolicy", &key)) != ADY_OK ||
	    (err = check_name(c)) != ADY_OK)
		return err;
	json_object_set_new(c->out, "Policy", json_string(key->policy_text));
	json_object_set_new(c->out, "PolicyName", json_string("default"));
	return ADY_OK;
}

static enum ady_err put_policy_op(struct ady_dev_call *c)
{
	const struct ady_dev_key *key;
	const char *policy;
	enum ady_err err;
	char id[37];

	if ((err = ady_dev_get_text(c, "Policy", 1, POLICY_MAX, &policy)) != ADY_OK ||
	    (err = managed(c, "kms:PutKeyPolicy", &key)) != ADY_OK ||
	    (err = check_name(c)) != ADY_OK || (err = check_policy(c, policy, key->arn)) != ADY_OK)
		return err;
	if (key->state == ADY_DEV_PENDING)
		return pending(c, key);
	memcpy(id, key->id, sizeof id);
	ady_dev_keyring_forget(c->cloud);
	return ady_dev_db_run(c->cloud->db, "UPDATE kms_key SET policy = ?2 WHERE id = ?1", "ss",
	                      id, policy);
}

static enum ady_err list_policies_op(struct ady_dev_call *c)
{
	const struct ady_dev_key *key;
	enum ady_err err = managed(c, "kms:ListKeyPolicies", &key);

	json_object_set_new(c->out, "PolicyNames", one_text("default"));
	json_object_set_new(c->out, "Truncated", json_false());
	return err;
}

const struct ady_dev_op ady_dev_kms_key_ops[] = {
    {"CreateKey", create_key_op, true},
    {"DescribeKey", describe_key_op, false},
    {"ListKeys", list_keys_op, false},
    {"EnableKey", enable_key_op, true},
    {"DisableKey", disable_key_op, true},
    {"ScheduleKeyDeletion", schedule_deletion_op, true},
    {"CancelKeyDeletion", cancel_deletion_op, true},
    {"RotateKeyOnDemand", rotate_op, true},
    {"ListKeyRotations", list_rotations_op, false},
    {"GetKeyPolicy", get_policy_op, false},
    {"PutKeyPolicy", put_policy_op, true},
    {"ListKeyPolicies", list_policies_op, false},
    {0},
};
