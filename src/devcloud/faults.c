/* SPDX-License-Identifier: Apache-2.0 */
#include "devcloud/faults.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "devcloud/policy.h"

struct ady_dev_faults {
	char *path;
	struct stat seen; /* of the file as it was read; all zero before */
	json_t *rules;    /* an array; "times" counts down in it */
};

enum ady_err ady_dev_faults_open(struct ady_dev_faults **faults, const char *path)
{
	struct ady_dev_faults *f = (struct ady_dev_faults *)calloc(1, sizeof *f);

	*faults = NULL;
	if (!f || !(f->path = strdup(path))) {
		free(f);
		return ADY_E_MEMORY;
	}
	*faults = f;
	return ADY_OK;
}

void ady_dev_faults_close(struct ady_dev_faults *faults)
{
	if (!faults)
		return;
	json_decref(faults->rules);
	free(faults->path);
	free(faults);
}

static bool is_known(const char *name)
{
	static const char *const known[] = {
	    "target",  "times",        "error",         "message",   "status",    "delay_ms",
	    "bad_cms", "wrong_key_id", "expired_token", "forge_cms", "plaintext", "close_mid_body"};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i], name) == 0)
			return true;
	return false;
}

/* A misspelt rule that does nothing would make a test pass that tests nothing. */
static bool check(const json_t *rules)
{
	const char *name;
	json_t *rule, *v;
	size_t i;

	if (!json_is_array(rules))
		return false;
	json_array_foreach(rules, i, rule)
	{
		if (!json_is_string(json_object_get(rule, "target")))
			return false;
		json_object_foreach(rule, name, v)
		{
			if (!is_known(name))
				return false;
		}
	}
	return true;
}

static void look(struct ady_dev_faults *f)
{
	struct stat now;

	if (stat(f->path, &now) < 0)
		now = (struct stat){0};
	if (now.st_ino == f->seen.st_ino && now.st_size == f->seen.st_size &&
	    now.st_mtim.tv_sec == f->seen.st_mtim.tv_sec &&
	    now.st_mtim.tv_nsec == f->seen.st_mtim.tv_nsec)
		return;
	f->seen = now;
	json_decref(f->rules);
	f->rules = now.st_size ? json_load_file(f->path, JSON_REJECT_DUPLICATES, NULL) : NULL;
	if (now.st_size && !check(f->rules)) {
		ADY_ERROR("fault rules", "file=%s refused=\"not an array of known rules\"",
		          f->path);
		json_decref(f->rules);
		f->rules = NULL;
	}
}

static const char *text(const json_t *rule, const char *name)
{
	return json_string_value(json_object_get(rule, name));
}

static void fill(struct ady_dev_effect *e, const json_t *rule)
{
	const json_t *status = json_object_get(rule, "status");
	const json_t *wrong = json_object_get(rule, "wrong_key_id");

	*e = (struct ady_dev_effect){
	    .error = text(rule, "error"),
	    .message = text(rule, "message"),
	    .status = status ? (int)json_integer_value(status) : 400,
	    .delay_ms = json_integer_value(json_object_get(rule, "delay_ms")),
	    .close_mid_body = json_is_true(json_object_get(rule, "close_mid_body")),
	    .key_id = json_string_value(wrong),
	    .forge_cms = text(rule, "forge_cms"),
	    .bad_cms = json_is_true(json_object_get(rule, "bad_cms")),
	    .plaintext = text(rule, "plaintext"),
	};
	if (json_is_true(wrong))
		e->key_id = "arn:aws:kms:us-east-1:111122223333:key/"
		            "00000000-0000-4000-8000-000000000000";
	if (json_is_true(json_object_get(rule, "expired_token")))
		e->error = "ExpiredTokenException";
	if (e->error && !e->message)
		e->message = "A fault that was asked for";
}

bool ady_dev_faults_take(struct ady_dev_faults *faults, const char *target,
                         struct ady_dev_effect *effect)
{
	json_t *rule, *times;
	size_t i;

	*effect = (struct ady_dev_effect){0};
	if (!faults)
		return false;
	look(faults);
	json_array_foreach(faults->rules, i, rule)
	{
		times = json_object_get(rule, "times");
		if (!ady_dev_wildcard(text(rule, "target"), target, false) ||
		    (times && json_integer_value(times) <= 0))
			continue;
		if (times)
			json_integer_set(times, json_integer_value(times) - 1);
		fill(effect, rule);
		ADY_WARN("fault on demand", "target=%s rule=%zu", target, i);
		return true;
	}
	return false;
}
