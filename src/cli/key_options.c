/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/key_options.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fault.h"
#include "cli/policy_file.h"

static const char advice[] =
    "Give the gateway with --gateway URL; a local stack: eval \"$(adyton dev env)\"";

int ady_key_options_check(const struct ady_command *self, struct ady_key_options *k,
                          const struct ady_values *rest)
{
	struct ady_fault f = {0};

	if (rest->n != 1 || !ady_key_id_valid(rest->v[0]))
		return ady_cli_usage(self,
		                     "one ID is needed: up to 255 of A-Z a-z 0-9 / _ + = . @ -");
	k->id = rest->v[0];
	if (!k->tenant)
		k->tenant = "default";
	if (strlen(k->tenant) > 63 || !ady_key_id_valid(k->tenant))
		return ady_cli_usage(self, "a tenant is up to 63 of A-Z a-z 0-9 / _ + = . @ -");
	if (ady_key_chains(&k->checked, &k->chains) != ADY_OK)
		return ady_cli_usage(self, "up to 32 different chain ids, each from 1 on");
	if (ady_key_callers(&k->checked, &k->callers) != ADY_OK)
		return ady_cli_usage(self, ADY_CALLERS_USAGE);
	if (k->policy && ady_policy_load(&k->policy_text, k->policy, &f) != ADY_OK)
		return ady_cli_fault(&f, "read the policy", "doc/policy.md has the language.");
	return -1;
}

void ady_key_options_label(json_t *body, const struct ady_key_options *k)
{
	if (k->label)
		json_object_set_new(body, "label", json_string(k->label));
}

/* Set a member to list, unless that is empty; the reference is taken. */
static void set_list(json_t *o, const char *name, json_t *list)
{
	if (json_array_size(list))
		json_object_set(o, name, list);
	json_decref(list);
}

void ady_key_options_put(struct ady_dyn *out, const struct ady_key_options *k)
{
	json_t *o = json_pack("{ss}", "id", k->id);
	json_t *allow = json_array(), *chains = json_array(), *callers = json_array();
	char *text;

	if (k->allow_digest)
		json_array_append_new(allow, json_string("digest"));
	if (k->allow_unprotected)
		json_array_append_new(allow, json_string("unprotected"));
	if (k->allow_commitment)
		json_array_append_new(allow, json_string("commitment"));
	for (size_t i = 0; i < k->checked.chains_n; i++)
		json_array_append_new(chains, json_integer((json_int_t)k->checked.chains[i]));
	for (size_t i = 0; i < k->callers.n; i++)
		json_array_append_new(callers, json_string(k->callers.v[i]));
	set_list(o, "allow", allow);
	set_list(o, "chains", chains);
	set_list(o, "callers", callers);
	if (k->backup)
		json_object_set_new(o, "backup", json_string(k->backup));
	text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	ady_dyn_str(out, text ? text : "{}");
	free(text);
	if (k->policy_text.n == 0)
		return;
	out->n--; /* the policy is put in as it stands: its text is what is bound */
	ady_dyn_str(out, ",\"policy\":");
	ady_dyn_put(out, k->policy_text.p, k->policy_text.n);
	ady_dyn_str(out, "}");
}

void ady_key_options_free(struct ady_key_options *k)
{
	ady_dyn_free(&k->policy_text);
}

void ady_key_put_label(struct ady_dyn *out, const char *label)
{
	json_t *text = label ? json_string(label) : NULL;
	char *quoted = text ? json_dumps(text, JSON_ENCODE_ANY) : NULL;

	if (quoted) {
		ady_dyn_str(out, ",\"label\":");
		ady_dyn_str(out, quoted);
	}
	json_decref(text);
	free(quoted);
}

int ady_key_report(const struct ady_key_options *k, const char *what,
                   const struct ady_gateway_reply *reply, bool json)
{
	json_t *key = json_loadb((const char *)reply->body.p, reply->body.n, 0, NULL);
	const char *address = json_string_value(json_object_get(key, "address"));
	const char *public_key = json_string_value(json_object_get(key, "public_key"));

	if (json) {
		json_dumpf(key, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		printf("%-11s %s\n", what, k->id);
		if (address)
			printf("address     %s\n", address);
		printf("public key  %s\ntenant      %s\n", public_key ? public_key : "", k->tenant);
	}
	json_decref(key);
	return ADY_EXIT_OK;
}

int ady_key_post(const struct ady_key_options *k, const struct ady_gateway *gateway,
                 const struct ady_dyn *request, int timeout_ms, const char *what, const char *doing,
                 bool json)
{
	struct ady_gateway_reply reply = {0};
	struct ady_fault f = {0};
	int status;

	if (ady_gateway_call(gateway, "/v1/keys", request, timeout_ms, &reply, &f) != ADY_OK)
		status = ady_cli_fault(&f, doing, advice);
	else if (reply.status != 201)
		status = ady_gateway_refusal(&reply);
	else
		status = ady_key_report(k, what, &reply, json);
	ady_dyn_free(&reply.body);
	ady_dyn_free(&reply.proof);
	return status;
}

int ady_key_post_object(const struct ady_key_options *k, const struct ady_gateway *gateway,
                        const json_t *request, int timeout_ms, const char *what, const char *doing,
                        bool json)
{
	char *text = json_dumps(request, JSON_COMPACT);
	struct ady_dyn body = {0};
	int status;

	ady_dyn_str(&body, text ? text : "");
	status = ady_key_post(k, gateway, &body, timeout_ms, what, doing, json);
	ady_dyn_free(&body);
	free(text);
	return status;
}

/* Whether the gateway has the key of that number behind id. */
static int look(const struct ady_gateway *gateway, const char *id, uint64_t number, int timeout_ms,
                bool *there)
{
	struct ady_gateway_reply reply = {0};
	struct ady_dyn path = {0};
	struct ady_fault f = {0};
	char name[300];
	int status = -1;

	snprintf(name, sizeof name, "%s%llu", id, (unsigned long long)number);
	ady_dyn_str(&path, "/v1/keys/");
	ady_gateway_put_id(&path, name);
	if (ady_gateway_call(gateway, ady_dyn_cstr(&path), NULL, timeout_ms, &reply, &f) != ADY_OK)
		status = ady_cli_fault(&f, "look for a key", advice);
	else if (reply.status != 200 && reply.status != 404)
		status = ady_gateway_refusal(&reply);
	*there = reply.status == 200;
	ady_dyn_free(&reply.body);
	ady_dyn_free(&reply.proof);
	ady_dyn_free(&path);
	return status;
}

int ady_key_there(const struct ady_gateway *gateway, const char *id, uint64_t first, uint64_t n,
                  int timeout_ms, uint64_t *there)
{
	uint64_t absent = n; /* number first + absent is not there, but for absent == n */
	uint64_t at = 0;     /* all before it are; the next to look at */
	int status = -1;

	for (*there = 0; status < 0 && *there < absent;) {
		bool is = false;

		status = look(gateway, id, first + at, timeout_ms, &is);
		if (is)
			*there = at + 1;
		else
			absent = at;
		/* The last after the first: most parts are there whole, or not at all. */
		at = *there == 1 && absent == n ? n - 1 : *there + (absent - *there) / 2;
	}
	return status;
}
