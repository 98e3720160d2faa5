/* SPDX-License-Identifier: Apache-2.0 */
#include "store/secret.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "chain/eth_tx.h"
#include "crypto/rng.h"

enum { DAY_S = 86400, PAGE = 100, NAME_MAX_AWS = 512 };

static const char DISABLED[] = "adyton-disabled", CURRENT[] = "AWSCURRENT";

/* AWS's refusals in our words (Secrets Manager API reference). What it says about the secret is not
 * passed on: its messages repeat names. */
static enum ady_err translate(struct ady_fault *f)
{
	static const struct {
		const char *name;
		enum ady_err err;
		const char *detail;
	} all[] = {
	    {"ResourceNotFoundException", ADY_E_NOT_FOUND, "the store has no such key"},
	    {"InvalidRequestException", ADY_E_NOT_FOUND, "the secret is being deleted"},
	    {"ValidationException", ADY_E_NOT_FOUND, "the store has no such key"},
	    {"InvalidParameterException", ADY_E_NOT_FOUND, "the store has no such key"},
	    {"ResourceExistsException", ADY_E_EXISTS, "the store has a key of this id"},
	    {"AccessDeniedException", ADY_E_DENIED, "the gateway's role may not read this secret"},
	    {"DecryptionFailure", ADY_E_RECORD, "the store could not decrypt the secret"},
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (strcmp(f->cause, all[i].name) == 0) {
			snprintf(f->detail, sizeof f->detail, "%s", all[i].detail);
			if (all[i].err == ADY_E_EXISTS)
				snprintf(f->where, sizeof f->where, "id");
			return f->err = all[i].err;
		}
	return f->err = ADY_E_STORE;
}

/* One call; body is taken over. reply: NULL when it is of no interest. */
static enum ady_err call(const struct ady_secret_caller *c, const char *operation, json_t *body,
                         json_t **reply, struct ady_fault *f)
{
	char target[64];
	json_t *unused = NULL;
	enum ady_err err;

	if (!body)
		return ady_fail(f, ADY_E_NOT_FOUND, NULL, "the name is not UTF-8");
	snprintf(target, sizeof target, "secretsmanager.%s", operation);
	err = ady_aws_json(c->aws, c->credentials, "secretsmanager", target, body,
	                   reply ? reply : &unused, f);
	json_decref(body);
	json_decref(unused);
	if (err == ADY_E_KMS)
		return translate(f);
	return err;
}

/* --- the value --- */

/* SecretBinary is base64 of the bytes. */
static enum ady_err from_binary(struct ady_dyn *text, const char *base64, struct ady_fault *f)
{
	size_t n, cap = strlen(base64) / 4 * 3;
	enum ady_err err =
	    ady_base64_decode(ady_dyn_room(text, cap + 1), cap, &n, ady_bytes_str(base64));

	if (err != ADY_OK)
		return ady_fail(f, ADY_E_RECORD, NULL, "the secret's bytes are no base64");
	text->n += n;
	return ADY_OK;
}

static enum ady_err value_of(const json_t *reply, struct ady_dyn *text, struct ady_fault *f)
{
	const json_t *string = json_object_get(reply, "SecretString");
	const char *binary = json_string_value(json_object_get(reply, "SecretBinary"));
	enum ady_err err = ADY_OK;

	if (json_is_string(string))
		ady_dyn_put(text, json_string_value(string), json_string_length(string));
	else if (binary)
		err = from_binary(text, binary, f);
	else
		err = ady_fail(f, ADY_E_RECORD, NULL, "the secret has no value");
	if (err == ADY_OK && (text->n == 0 || text->n > ADY_ENTRY_TEXT_MAX))
		err = ady_fail(f, ADY_E_RECORD, NULL, "the secret is empty or too large");
	return err;
}

static bool has_stage(const json_t *stages, const char *name)
{
	const json_t *stage;
	size_t i;

	json_array_foreach(stages, i, stage)
	{
		if (json_is_string(stage) && strcmp(json_string_value(stage), name) == 0)
			return true;
	}
	return false;
}

static void take_text(char *out, size_t cap, const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	snprintf(out, cap, "%s", s ? s : "");
}

static enum ady_err read_value(const json_t *reply, struct ady_entry *out, struct ady_fault *f)
{
	const char *name = json_string_value(json_object_get(reply, "Name"));
	struct ady_dyn text = {0};
	enum ady_err err;

	if (!name || !*name || strlen(name) > NAME_MAX_AWS)
		return ady_fail(f, ADY_E_STORE, NULL, "the reply of the store has no name");
	err = value_of(reply, &text, f);
	if (err == ADY_OK && ady_entry_read(out, name, ady_dyn_bytes(&text), NULL) != ADY_OK) {
		snprintf(out->id, sizeof out->id, "%s", name);
		out->text = text;
		text = (struct ady_dyn){0};
	}
	take_text(out->revision, sizeof out->revision, reply, "VersionId");
	out->disabled = has_stage(json_object_get(reply, "VersionStages"), DISABLED);
	ady_dyn_free(&text);
	return err;
}

enum ady_err ady_secret_get(const struct ady_secret_caller *c, const char *id,
                            struct ady_entry *out, struct ady_fault *f)
{
	json_t *reply = NULL;
	enum ady_err err = call(c, "GetSecretValue", json_pack("{ss}", "SecretId", id), &reply, f);

	if (err == ADY_OK)
		err = read_value(reply, out, f);
	json_decref(reply);
	return err;
}

/* --- what is beside it --- */

/* "Adyton key of 0x..: the label" */
static json_t *description(const struct ady_entry *e)
{
	char address[43] = "";

	if (e->has_address)
		ady_eth_address_format(address, e->address);
	return json_sprintf("%s%s%s%s%s", ADY_SECRET_DESCRIPTION, *address ? " of " : "", address,
	                    e->label[0] ? ": " : "", e->label);
}

static void read_description(struct ady_entry *e, const char *text)
{
	const size_t n = sizeof ADY_SECRET_DESCRIPTION - 1;

	if (!text || strncmp(text, ADY_SECRET_DESCRIPTION, n) != 0)
		return;
	text += n;
	if (strncmp(text, " of 0x", 6) == 0 && strlen(text) >= 46 &&
	    ady_eth_address_parse(e->address, ady_bytes(text + 4, 42)) == ADY_OK) {
		e->has_address = true;
		text += 46;
	}
	if (strncmp(text, ": ", 2) == 0 && ady_entry_is_label(ady_bytes_str(text + 2)))
		snprintf(e->label, sizeof e->label, "%s", text + 2);
}

/* Of DescribeSecret or an item of ListSecrets, which differ in one name. */
static void read_described(const json_t *o, struct ady_entry *e)
{
	json_t *versions = json_object_get(o, "VersionIdsToStages"), *stages;
	const char *id;

	if (!versions)
		versions = json_object_get(o, "SecretVersionsToStages");
	take_text(e->id, sizeof e->id, o, "Name");
	read_description(e, json_string_value(json_object_get(o, "Description")));
	e->created_s = (int64_t)json_number_value(json_object_get(o, "CreatedDate"));
	e->deletion_s = (int64_t)json_number_value(json_object_get(o, "DeletedDate"));
	json_object_foreach(versions, id, stages)
	{
		if (!has_stage(stages, CURRENT))
			continue;
		snprintf(e->revision, sizeof e->revision, "%s", id);
		e->disabled = has_stage(stages, DISABLED);
	}
}

static enum ady_err describe(const struct ady_secret_caller *c, const char *id,
                             struct ady_entry *out, struct ady_fault *f)
{
	json_t *reply = NULL;
	enum ady_err err = call(c, "DescribeSecret", json_pack("{ss}", "SecretId", id), &reply, f);

	if (err == ADY_OK)
		read_described(reply, out);
	json_decref(reply);
	return err;
}

enum ady_err ady_secret_page(const struct ady_secret_caller *c, const char *prefix, char **token,
                             ady_records_each each, void *ctx, struct ady_fault *f)
{
	const char *key = *prefix ? "name" : "description";
	json_t *body =
	    json_pack("{si sb s[{ss s[s]}]}", "MaxResults", (int)PAGE, "IncludePlannedDeletion", 1,
	              "Filters", "Key", key, "Values", *prefix ? prefix : ADY_SECRET_DESCRIPTION);
	json_t *reply = NULL, *item;
	const char *next;
	enum ady_err err;
	size_t i;

	if (body && *token)
		json_object_set_new(body, "NextToken", json_string(*token));
	err = call(c, "ListSecrets", body, &reply, f);
	free(*token);
	*token = NULL;
	json_array_foreach(json_object_get(reply, "SecretList"), i, item)
	{
		struct ady_entry e = {0};

		read_described(item, &e);
		each(ctx, &e);
	}
	next = json_string_value(json_object_get(reply, "NextToken"));
	if (next)
		*token = strdup(next);
	json_decref(reply);
	if (err == ADY_E_DENIED)
		return ady_fail(f, err, NULL, "the gateway's role may not list secrets");
	return err;
}

/* --- changes --- */

/* The id of a new version: the idempotency token of the request that makes it. */
static void new_version(char out[static 40])
{
	uint8_t random[16];

	ady_random(random, sizeof random);
	ady_hex_encode(out, ady_bytes(random, sizeof random));
}

static enum ady_err set_stage(const struct ady_secret_caller *c, const char *id, const char *stage,
                              const char *from, const char *to, struct ady_fault *f)
{
	json_t *body = json_pack("{ssss}", "SecretId", id, "VersionStage", stage);

	if (body && from)
		json_object_set_new(body, "RemoveFromVersionId", json_string(from));
	if (body && to)
		json_object_set_new(body, "MoveToVersionId", json_string(to));
	return call(c, "UpdateSecretVersionStage", body, NULL, f);
}

/* AWS counts the waiting period in days. */
static enum ady_err set_deletion(const struct ady_secret_caller *c, const char *id,
                                 int64_t deletion_s, struct ady_fault *f)
{
	int64_t days = (deletion_s - ady_wall_ms() / 1000 + DAY_S - 1) / DAY_S;

	if (deletion_s == 0)
		return call(c, "RestoreSecret", json_pack("{ss}", "SecretId", id), NULL, f);
	if (days < ADY_DELETION_DAYS_MIN)
		days = ADY_DELETION_DAYS_MIN;
	if (days > ADY_DELETION_DAYS_MAX)
		days = ADY_DELETION_DAYS_MAX;
	return call(c, "DeleteSecret",
	            json_pack("{sssi}", "SecretId", id, "RecoveryWindowInDays", (int)days), NULL,
	            f);
}

enum ady_err ady_secret_create(const struct ady_secret_caller *c, struct ady_entry *e,
                               struct ady_fault *f)
{
	json_t *body;
	enum ady_err err;

	new_version(e->revision);
	body = json_pack("{ssssss%so}", "Name", e->id, "ClientRequestToken", e->revision,
	                 "SecretString", e->text.p, e->text.n, "Description", description(e));
	err = call(c, "CreateSecret", body, NULL, f);
	if (err == ADY_E_NOT_FOUND && strcmp(f->cause, "InvalidRequestException") == 0)
		return ady_fail(f, ADY_E_EXISTS, "id", "a key of this id waits for its deletion");
	if (err == ADY_E_NOT_FOUND)
		return ady_fail(f, ADY_E_FIELD_INVALID, "id",
		                "can be the name of no secret (no colon, for example)");
	if (err == ADY_OK && e->disabled)
		err = set_stage(c, e->id, DISABLED, NULL, e->revision, f);
	if (err == ADY_OK && e->deletion_s)
		err = set_deletion(c, e->id, e->deletion_s, f);
	return err;
}

static enum ady_err changed_meanwhile(const char *now, struct ady_fault *f)
{
	return ady_fail(f, ADY_E_CONFLICT, "revision", "is %s by now", now);
}

/* Secrets Manager compares for us: a stage moves only from the version it is said to be on. */
enum ady_err ady_secret_replace(const struct ady_secret_caller *c, struct ady_entry *e,
                                const char *revision, struct ady_fault *f)
{
	struct ady_entry now = {0};
	enum ady_err err = describe(c, e->id, &now, f);

	if (err == ADY_OK && revision && strcmp(revision, now.revision) != 0)
		return changed_meanwhile(now.revision, f);
	new_version(e->revision);
	if (err == ADY_OK)
		err = call(c, "PutSecretValue",
		           json_pack("{ssssss%s[s]}", "SecretId", e->id, "ClientRequestToken",
		                     e->revision, "SecretString", e->text.p, e->text.n,
		                     "VersionStages", "adyton-new"),
		           NULL, f);
	if (err == ADY_OK && now.disabled)
		err = set_stage(c, e->id, DISABLED, now.revision, e->revision, f);
	if (err != ADY_OK)
		return err;
	err = set_stage(c, e->id, CURRENT, now.revision, e->revision, f);
	return strcmp(f->cause, "InvalidParameterException") == 0 && err != ADY_OK
	           ? changed_meanwhile("another", f)
	           : err;
}

enum ady_err ady_secret_change(const struct ady_secret_caller *c, const char *id,
                               const char *revision, const struct ady_records_change *change,
                               struct ady_entry *out, struct ady_fault *f)
{
	enum ady_err err = describe(c, id, out, f);

	if (err == ADY_OK && revision && strcmp(revision, out->revision) != 0)
		err = changed_meanwhile(out->revision, f);
	if (err == ADY_OK && change->set_deletion && (change->deletion_s || out->deletion_s))
		err = set_deletion(c, id, change->deletion_s, f);
	if (err == ADY_OK && change->set_disabled && change->disabled != out->disabled)
		err = set_stage(c, id, DISABLED, change->disabled ? NULL : out->revision,
		                change->disabled ? out->revision : NULL, f);
	if (err == ADY_OK)
		ady_records_apply(out, change);
	if (err == ADY_OK && change->set_label)
		err = call(c, "UpdateSecret",
		           json_pack("{ssso}", "SecretId", id, "Description", description(out)),
		           NULL, f);
	if (err != ADY_OK)
		ady_entry_clear(out);
	return err;
}
