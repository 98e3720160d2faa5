/* SPDX-License-Identifier: Apache-2.0
 *
 * Aliases of keys. */
#include <string.h>

#include "devcloud/kms.h"

static const char ALIAS_CHARACTERS[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/_-";

static enum ady_err read_name(struct ady_dev_call *c, const char **name)
{
	enum ady_err err = ady_dev_get_text(c, "AliasName", 1, 256, name);

	if (err != ADY_OK)
		return err;
	if (strncmp(*name, "alias/", 6) != 0 || !(*name)[6] ||
	    strspn(*name, ALIAS_CHARACTERS) != strlen(*name))
		return ady_dev_refuse(c, 400, "InvalidAliasNameException",
		                      "Alias must start with the prefix \"alias/\" and hold "
		                      "letters, digits, '/', '_' and '-' only");
	if (strncmp(*name, "alias/aws/", 10) == 0)
		return ady_dev_refuse(c, 400, "NotAuthorizedException",
		                      "The prefix \"alias/aws/\" is reserved");
	return ADY_OK;
}

/* An alias is authorized twice: on itself (identity policies) and on its key. */
static enum ady_err authorize_alias(struct ady_dev_call *c, const char *action, const char *name,
                                    const struct ady_dev_key *key)
{
	size_t n = strlen(name) + 96;
	char *arn = (char *)ady_dev_scratch(c, n);
	struct ady_buf b = ady_buf(arn, n - 1);
	enum ady_err err;

	ady_buf_printf(&b, "arn:aws:kms:%s:%s:%s", c->cloud->region, c->cloud->account, name);
	if ((err = ady_dev_authorize(c, action, arn, NULL, NULL)) != ADY_OK)
		return err;
	return ady_dev_authorize(c, action, key->arn, key->policy, NULL);
}

static bool alias_exists(struct ady_dev_call *c, const char *name)
{
	sqlite3_stmt *row =
	    ady_dev_db_query(c->cloud->db, "SELECT 1 FROM kms_alias WHERE name = ?1", "s", name);
	bool yes = ady_dev_db_row(row);

	ady_dev_db_done(row);
	return yes;
}

static enum ady_err create_alias_op(struct ady_dev_call *c)
{
	const char *name, *target;
	const struct ady_dev_key *key;
	enum ady_err err;

	if ((err = read_name(c, &name)) != ADY_OK ||
	    (err = ady_dev_get_text(c, "TargetKeyId", 1, 2048, &target)) != ADY_OK ||
	    (err = ady_dev_key_find_plain(c, target, &key)) != ADY_OK ||
	    (err = authorize_alias(c, "kms:CreateAlias", name, key)) != ADY_OK)
		return err;
	if (key->state == ADY_DEV_PENDING)
		return ady_dev_refuse(c, 400, "KMSInvalidStateException", "%s is pending deletion.",
		                      key->arn);
	if (alias_exists(c, name))
		return ady_dev_refuse(c, 400, "AlreadyExistsException",
		                      "An alias with the name arn:aws:kms:%s:%s:%s already exists",
		                      c->cloud->region, c->cloud->account, name);
	return ady_dev_db_run(c->cloud->db,
	                      "INSERT INTO kms_alias (name, key_id, created, updated)"
	                      " VALUES (?1, ?2, ?3, ?3)",
	                      "ssi", name, key->id, c->now_s);
}

static enum ady_err delete_alias_op(struct ady_dev_call *c)
{
	const struct ady_dev_key *key;
	const char *name;
	enum ady_err err;

	if ((err = read_name(c, &name)) != ADY_OK ||
	    (err = ady_dev_key_find(c, name, &key)) != ADY_OK ||
	    (err = authorize_alias(c, "kms:DeleteAlias", name, key)) != ADY_OK)
		return err;
	return ady_dev_db_run(c->cloud->db, "DELETE FROM kms_alias WHERE name = ?1", "s", name);
}

static json_t *alias_entry(struct ady_dev_call *c, sqlite3_stmt *row)
{
	const char *name = ady_dev_db_text(row, 0);

	return json_pack(
	    "{s:s, s:o, s:s, s:f, s:f}", "AliasName", name, "AliasArn",
	    json_sprintf("arn:aws:kms:%s:%s:%s", c->cloud->region, c->cloud->account, name),
	    "TargetKeyId", ady_dev_db_text(row, 1), "CreationDate",
	    (double)sqlite3_column_int64(row, 2), "LastUpdatedDate",
	    (double)sqlite3_column_int64(row, 3));
}

static enum ady_err list_aliases_op(struct ady_dev_call *c)
{
	const struct ady_dev_key *key = NULL;
	const char *marker, *key_id;
	json_t *list = json_array();
	sqlite3_stmt *row;
	enum ady_err err;
	int64_t limit;

	json_object_set_new(c->out, "Aliases", list);
	json_object_set_new(c->out, "Truncated", json_false());
	if ((err = ady_dev_kms_page(c, 100, &limit, &marker)) != ADY_OK ||
	    (err = ady_dev_get_text(c, "KeyId", 0, 2048, &key_id)) != ADY_OK ||
	    (err = ady_dev_authorize(c, "kms:ListAliases", "*", NULL, NULL)) != ADY_OK ||
	    (key_id && (err = ady_dev_key_find_plain(c, key_id, &key)) != ADY_OK))
		return err;
	row = ady_dev_db_query(c->cloud->db,
	                       "SELECT name, key_id, created, updated FROM kms_alias WHERE"
	                       " name > ?1 AND (?2 IS NULL OR key_id = ?2) ORDER BY name LIMIT ?3",
	                       "ssi", marker, key ? key->id : NULL, limit + 1);
	while (ady_dev_db_row(row)) {
		if ((int64_t)json_array_size(list) == limit) {
			json_object_set(
			    c->out, "NextMarker",
			    json_object_get(json_array_get(list, (size_t)limit - 1), "AliasName"));
			json_object_set_new(c->out, "Truncated", json_true());
			ady_dev_db_done(row);
			break;
		}
		json_array_append_new(list, alias_entry(c, row));
	}
	return ADY_OK;
}

const struct ady_dev_op ady_dev_kms_alias_ops[] = {
    {"CreateAlias", create_alias_op, true},
    {"DeleteAlias", delete_alias_op, true},
    {"ListAliases", list_aliases_op, false},
    {0},
};
