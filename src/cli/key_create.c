/* SPDX-License-Identifier: Apache-2.0
 *
 * adyton key create: the enclave makes the key, through a gateway, which stores its record. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/fault.h"
#include "cli/gateway.h"
#include "cli/key.h"
#include "cli/policy_file.h"

enum { TIMEOUT_MS = 30000 };

struct create {
	struct ady_gateway gateway;
	const char *id, *tenant, *curve, *policy;
	struct ady_dyn policy_text;
	struct ady_values chains, callers;
	struct ady_record checked; /* of the options, to see that they are good */
	bool allow_digest, allow_unprotected, json;
};

static json_t *request_of(const struct create *c)
{
	json_t *body = json_pack("{ssssss}", "id", c->id, "tenant", c->tenant, "curve",
	                         c->curve ? c->curve : "secp256k1");
	json_t *allow = json_array(), *chains = json_array(), *callers = json_array();

	if (c->allow_digest)
		json_array_append_new(allow, json_string("digest"));
	if (c->allow_unprotected)
		json_array_append_new(allow, json_string("unprotected"));
	for (size_t i = 0; i < c->checked.chains_n; i++)
		json_array_append_new(chains, json_integer((json_int_t)c->checked.chains[i]));
	for (size_t i = 0; i < c->callers.n; i++)
		json_array_append_new(callers, json_string(c->callers.v[i]));
	if (json_array_size(callers))
		json_object_set(body, "callers", callers);
	json_decref(callers);
	if (json_array_size(allow))
		json_object_set(body, "allow", allow);
	if (json_array_size(chains))
		json_object_set(body, "chains", chains);
	json_decref(allow);
	json_decref(chains);
	return body;
}

static int report(const struct create *c, const struct ady_gateway_reply *reply)
{
	json_t *key = json_loadb((const char *)reply->body.p, reply->body.n, 0, NULL);
	const char *address = json_string_value(json_object_get(key, "address"));
	const char *public_key = json_string_value(json_object_get(key, "public_key"));

	if (c->json) {
		json_dumpf(key, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		printf("created     %s\naddress     %s\npublic key  %s\ntenant      %s\n", c->id,
		       address ? address : "", public_key ? public_key : "", c->tenant);
	}
	json_decref(key);
	return ADY_EXIT_OK;
}

/* The policy is put in as it stands. */
static void put_options(struct ady_dyn *body, const char *text, const struct ady_dyn *policy)
{
	size_t n = strlen(text);

	ady_dyn_put(body, text, policy->n > 0 && n > 0 ? n - 1 : n);
	if (policy->n == 0)
		return;
	ady_dyn_str(body, ",\"policy\":");
	ady_dyn_put(body, policy->p, policy->n);
	ady_dyn_str(body, "}");
}

static int run_create(const struct create *c)
{
	struct ady_gateway_reply reply = {0};
	struct ady_dyn body = {0};
	struct ady_fault f = {0};
	json_t *request = request_of(c);
	char *text = json_dumps(request, JSON_COMPACT);
	int status;

	put_options(&body, text ? text : "", &c->policy_text);
	if (ady_gateway_call(&c->gateway, "/v1/keys", &body, TIMEOUT_MS, &reply, &f) != ADY_OK)
		status = ady_cli_fault(&f, "make a key",
		                       "Give the gateway with --gateway URL; a local "
		                       "stack: eval \"$(adyton dev env)\"");
	else if (reply.status != 201)
		status = ady_gateway_refusal(&reply);
	else
		status = report(c, &reply);
	ady_dyn_free(&reply.body);
	ady_dyn_free(&body);
	json_decref(request);
	free(text);
	return status;
}

int ady_cmd_key_create(const struct ady_command *self, int argc, char **argv)
{
	struct create c = {0};
	struct ady_values rest;
	struct ady_fault f = {0};
	const struct ady_option options[] = {
	    {"tenant", "NAME", "whose key it is (default)", .text = &c.tenant},
	    {"chain", "ID", "let it sign for this chain (repeatable); else any",
	     .values = &c.chains},
	    {"policy", "FILE", "what it may sign (doc/policy.md); else anything",
	     .text = &c.policy},
	    {"caller", "KEY", "whose stamp a request needs (repeatable); else none",
	     .values = &c.callers},
	    {"allow-digest", NULL, "let it sign any 32 bytes, unseen", .flag = &c.allow_digest},
	    {"allow-unprotected", NULL, "let it sign legacy transactions without chain id",
	     .flag = &c.allow_unprotected},
	    {"curve", "NAME", "secp256k1 (usual), ed25519 or bls12-381", .text = &c.curve},
	    ADY_GATEWAY_OPTIONS(c.gateway),
	    {"json", NULL, "one JSON object on one line", .flag = &c.json},
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0)
		return status;
	if (rest.n != 1 || !ady_key_id_valid(rest.v[0]))
		return ady_cli_usage(self,
		                     "one ID is needed: up to 255 of A-Z a-z 0-9 / _ + = . @ -");
	if (!c.tenant)
		c.tenant = "default";
	if (strlen(c.tenant) > 63 || !ady_key_id_valid(c.tenant))
		return ady_cli_usage(self, "a tenant is up to 63 of A-Z a-z 0-9 / _ + = . @ -");
	if (ady_key_chains(&c.checked, &c.chains) != ADY_OK)
		return ady_cli_usage(self, "up to 32 different chain ids, each from 1 on");
	if (ady_key_callers(&c.checked, &c.callers) != ADY_OK)
		return ady_cli_usage(self, ADY_CALLERS_USAGE);
	if (c.policy && ady_policy_load(&c.policy_text, c.policy, &f) != ADY_OK)
		return ady_cli_fault(&f, "read the policy", "doc/policy.md has the language.");
	c.id = rest.v[0];
	status = run_create(&c);
	ady_dyn_free(&c.policy_text);
	return status;
}
