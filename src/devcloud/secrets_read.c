/* SPDX-License-Identifier: Apache-2.0
 *
 * GetSecretValue, DescribeSecret, ListSecrets. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "devcloud/authorize.h"
#include "devcloud/secrets.h"

enum { PAGE_MAX = 100 };

enum ady_err ady_dev_secrets(const char *name, struct ady_dev_call *c)
{
	enum ady_err err = ady_dev_run(ady_dev_secret_read_ops, name, c);

	return err == ADY_E_NOT_FOUND ? ady_dev_run(ady_dev_secret_write_ops, name, c) : err;
}

static void put_time(json_t *o, const char *name, int64_t s)
{
	json_object_set_new(o, name, json_real((double)s));
}

static enum ady_err no_version(struct ady_dev_call *c, const char *id, const char *stage)
{
	return ady_dev_refuse(c, 400, "ResourceNotFoundException",
	                      "Secrets Manager can't find the specified secret value for %s: %s",
	                      id ? "VersionId" : "staging label", id ? id : stage);
}

static enum ady_err get_value_op(struct ady_dev_call *c)
{
	struct ady_dev_secret_version v;
	const char *id, *stage;
	struct ady_dev_secret s;
	enum ady_err err;

	if ((err = ady_dev_get_text(c, "VersionId", 0, 64, &id)) != ADY_OK ||
	    (err = ady_dev_get_text(c, "VersionStage", 0, 256, &stage)) != ADY_OK ||
	    (err = ady_dev_secret_find(c, "secretsmanager:GetSecretValue", &s)) != ADY_OK)
		return err;
	if (s.deletion_s)
		return ady_dev_refuse(c, 400, "InvalidRequestException",
		                      "You can't perform this operation on the secret because it "
		                      "was marked for deletion.");
	if (!id && !stage)
		stage = "AWSCURRENT";
	if (ady_dev_secret_version(c, s.name, id, stage, &v) != ADY_OK)
		return no_version(c, id, stage);
	json_object_set_new(c->out, "ARN", json_string(s.arn));
	json_object_set_new(c->out, "Name", json_string(s.name));
	json_object_set_new(c->out, "VersionId", json_string(v.id));
	json_object_set_new(c->out, "VersionStages", v.stages);
	put_time(c->out, "CreatedDate", v.created_s);
	if (v.is_text)
		json_object_set_new(c->out, "SecretString",
		                    json_stringn((const char *)v.value.p, v.value.n));
	else
		ady_dev_put_blob(c, c->out, "SecretBinary", v.value);
	return ADY_OK;
}

static void describe(struct ady_dev_call *c, json_t *o, const struct ady_dev_secret *s,
                     const char *stages_name)
{
	json_object_set_new(o, "ARN", json_string(s->arn));
	json_object_set_new(o, "Name", json_string(s->name));
	if (*s->description)
		json_object_set_new(o, "Description", json_string(s->description));
	if (*s->kms_key)
		json_object_set_new(o, "KmsKeyId", json_string(s->kms_key));
	put_time(o, "CreatedDate", s->created_s);
	put_time(o, "LastChangedDate", s->changed_s);
	if (s->deletion_s)
		put_time(o, "DeletedDate", s->deletion_s);
	json_object_set_new(o, stages_name, ady_dev_secret_stages(c, s->name));
}

static enum ady_err describe_op(struct ady_dev_call *c)
{
	struct ady_dev_secret s;
	enum ady_err err = ady_dev_secret_find(c, "secretsmanager:DescribeSecret", &s);

	if (err == ADY_OK)
		describe(c, c->out, &s, "VersionIdsToStages");
	return err;
}

static enum ady_err check_filters(struct ady_dev_call *c, const json_t *filters)
{
	const char *key;
	json_t *f;
	size_t i;

	json_array_foreach(filters, i, f)
	{
		key = json_string_value(json_object_get(f, "Key"));
		if (!key || (strcmp(key, "name") != 0 && strcmp(key, "description") != 0 &&
		             strcmp(key, "all") != 0))
			return ady_dev_refuse(c, 400, "InvalidParameterException",
			                      "This local stand-in filters by name, description "
			                      "and all only");
		if (!json_is_array(json_object_get(f, "Values")))
			return ady_dev_refuse(c, 400, "InvalidParameterException",
			                      "A filter has no Values");
	}
	return ADY_OK;
}

/* "Filter values are prefixes"; of names they mind the case; '!' in front negates. */
static bool value_fits(const char *key, const char *v, const struct ady_dev_secret *s)
{
	bool negated = *v == '!', fits = false;
	size_t n;

	v += negated;
	n = strlen(v);
	if (strcmp(key, "description") != 0)
		fits = strncmp(s->name, v, n) == 0;
	if (strcmp(key, "name") != 0)
		fits = fits || strncasecmp(s->description, v, n) == 0;
	return fits != negated;
}

static bool passes(const json_t *filters, const struct ady_dev_secret *s)
{
	json_t *f, *v;
	size_t i, j;

	json_array_foreach(filters, i, f)
	{
		const char *key = json_string_value(json_object_get(f, "Key"));
		bool any = false;

		json_array_foreach(json_object_get(f, "Values"), j, v)
		{
			if (json_is_string(v))
				any = any || value_fits(key, json_string_value(v), s);
		}
		if (!any)
			return false;
	}
	return true;
}

struct listing {
	int64_t limit, after;
	bool planned, descending;
	const json_t *filters;
};

static enum ady_err read_listing(struct ady_dev_call *c, struct listing *l)
{
	const char *token, *order;
	enum ady_err err;
	char *end = NULL;

	*l = (struct listing){.limit = PAGE_MAX, .filters = json_object_get(c->in, "Filters")};
	if ((err = ady_dev_get_int(c, "MaxResults", 1, PAGE_MAX, &l->limit)) != ADY_OK ||
	    (err = ady_dev_get_text(c, "NextToken", 0, 4096, &token)) != ADY_OK ||
	    (err = ady_dev_get_text(c, "SortOrder", 0, 4, &order)) != ADY_OK ||
	    (err = ady_dev_get_bool(c, "IncludePlannedDeletion", &l->planned)) != ADY_OK ||
	    (err = check_filters(c, l->filters)) != ADY_OK)
		return err;
	l->descending = order && strcasecmp(order, "desc") == 0;
	l->after = l->descending ? INT64_MAX : 0;
	if (token) {
		l->after = strtoll(token, &end, 10);
		if (end == token || *end)
			return ady_dev_refuse(c, 400, "InvalidNextTokenException",
			                      "The NextToken is not valid.");
	}
	return ADY_OK;
}

/* In the order of their making: the row id grows with it. A page's rows are fetched by name after
 * its query has ended, as one that is due for deletion is deleted when it is found. */
static sqlite3_stmt *next_row(struct ady_dev_call *c, const struct listing *l, int64_t after)
{
	if (l->descending)
		return ady_dev_db_query(c->cloud->db,
		                        "SELECT rowid, name FROM secret WHERE rowid < ?1"
		                        " ORDER BY rowid DESC LIMIT 1",
		                        "i", after);
	return ady_dev_db_query(c->cloud->db,
	                        "SELECT rowid, name FROM secret WHERE rowid > ?1"
	                        " ORDER BY rowid LIMIT 1",
	                        "i", after);
}

static enum ady_err list_op(struct ady_dev_call *c)
{
	json_t *list = json_array(), *entry;
	int64_t shown = 0;
	struct ady_dev_secret s;
	struct listing l;
	sqlite3_stmt *row;
	enum ady_err err;

	json_object_set_new(c->out, "SecretList", list);
	if ((err = read_listing(c, &l)) != ADY_OK ||
	    (err = ady_dev_authorize(c, "secretsmanager:ListSecrets", "*", NULL, NULL)) != ADY_OK)
		return err;
	for (;;) {
		char name[513];

		row = next_row(c, &l, l.after);
		if (!ady_dev_db_row(row))
			return ADY_OK;
		l.after = sqlite3_column_int64(row, 0);
		snprintf(name, sizeof name, "%s", ady_dev_db_text(row, 1));
		ady_dev_db_done(row);
		if (!ady_dev_secret_by_name(c, name, &s) || (s.deletion_s && !l.planned) ||
		    !passes(l.filters, &s))
			continue;
		if ((int64_t)json_array_size(list) == l.limit) {
			json_object_set_new(c->out, "NextToken",
			                    json_sprintf("%lld", (long long)shown));
			return ADY_OK;
		}
		entry = json_object();
		describe(c, entry, &s, "SecretVersionsToStages");
		json_array_append_new(list, entry);
		shown = l.after;
	}
}

const struct ady_dev_op ady_dev_secret_read_ops[] = {
    {"GetSecretValue", get_value_op, false},
    {"DescribeSecret", describe_op, false},
    {"ListSecrets", list_op, false},
    {0},
};
