/* SPDX-License-Identifier: Apache-2.0
 *
 * adyton key create: the enclave makes the key, through a gateway; its record is stored as a secret
 * with the caller's own credentials. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/fault.h"
#include "cli/gateway.h"
#include "cli/key.h"
#include "cli/policy_file.h"
#include "cli/session.h"
#include "crypto/rng.h"

enum { TIMEOUT_MS = 30000, REPLY_TOKENS = 16384 };

struct create {
	struct ady_session_options aws;
	struct ady_gateway gateway;
	const char *id, *tenant, *policy;
	struct ady_dyn policy_text;
	struct ady_values chains, callers;
	struct ady_record checked; /* of the options, to see that they are good */
	bool allow_digest, allow_unprotected, json;
};

static json_t *request_of(const struct create *c)
{
	json_t *body = json_pack("{ssss}", "id", c->id, "tenant", c->tenant);
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

/* As it stands in the answer: of a policy it is the text that is bound. */
static char *record_text(const struct ady_gateway_reply *reply)
{
	static struct ady_json_tok toks[REPLY_TOKENS];
	struct ady_bytes raw;
	struct ady_json doc;
	uint32_t i;

	if (ady_json_parse(&doc, toks, REPLY_TOKENS, ady_bytes(reply->body.p, reply->body.n),
	                   NULL) != ADY_OK ||
	    !(i = ady_json_get(&doc, 0, "record")))
		return NULL;
	raw = ady_json_raw(&doc, i);
	return strndup((const char *)raw.p, raw.n);
}

/* The description is what keys are found by address with (src/store/secret.c). */
static json_t *description(const struct ady_gateway_reply *reply)
{
	json_t *answer = json_loadb((const char *)reply->body.p, reply->body.n, 0, NULL);
	const char *address = json_string_value(json_object_get(answer, "address"));
	json_t *text =
	    json_sprintf("Adyton key%s%s", address ? " of " : "", address ? address : "");

	json_decref(answer);
	return text;
}

static enum ady_err store(const struct create *c, struct ady_session *s,
                          const struct ady_gateway_reply *reply, const char *record,
                          json_t **stored, struct ady_fault *f)
{
	uint8_t random[16];
	char token[33];

	ady_random(random, sizeof random);
	ady_hex_encode(token, ady_bytes(random, sizeof random));
	return ady_session_call(s, "secretsmanager", "secretsmanager.CreateSecret",
	                        json_pack("{ssssssso}", "Name", c->id, "ClientRequestToken", token,
	                                  "SecretString", record, "Description",
	                                  description(reply)),
	                        stored, f);
}

static int report(const struct create *c, const struct ady_gateway_reply *reply,
                  const json_t *stored)
{
	json_t *answer = json_loadb((const char *)reply->body.p, reply->body.n, 0, NULL);
	const char *arn = json_string_value(json_object_get(stored, "ARN"));
	const char *address = json_string_value(json_object_get(answer, "address"));
	const char *public_key = json_string_value(json_object_get(answer, "public_key"));
	json_t *out;

	if (c->json) {
		out = json_pack("{ss,ss,ss,ss,ss}", "id", c->id, "tenant", c->tenant, "address",
		                address ? address : "", "public_key", public_key ? public_key : "",
		                "secret_arn", arn ? arn : "");
		json_dumpf(out, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(out);
	} else {
		printf("created     %s\naddress     %s\npublic key  %s\ntenant      %s\n"
		       "secret      %s\n",
		       c->id, address ? address : "", public_key ? public_key : "", c->tenant,
		       arn ? arn : "");
	}
	json_decref(answer);
	return ADY_EXIT_OK;
}

static int keep(const struct create *c, const struct ady_gateway_reply *reply)
{
	char *record = record_text(reply);
	json_t *stored = NULL;
	struct ady_session s;
	struct ady_fault f = {0};
	int status;

	if (!record) {
		ady_cli_say("the gateway's answer has no record");
		return ADY_EXIT_FAILED;
	}
	if (ady_session_open(&s, &c->aws, &f) != ADY_OK)
		status = ady_cli_fault(&f, "call AWS", NULL);
	else if (store(c, &s, reply, record, &stored, &f) != ADY_OK)
		status =
		    ady_cli_fault(&f, "store the record",
		                  "The caller needs secretsmanager:CreateSecret, and no secret "
		                  "of that name may exist.");
	else
		status = report(c, reply, stored);
	json_decref(stored);
	ady_session_close(&s);
	free(record);
	return status;
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
	else if (reply.status != 200)
		status = ady_gateway_refusal(&reply);
	else
		status = keep(c, &reply);
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
	    {"gateway", "URL", ADY_GATEWAY_URL_HELP, .text = &c.gateway.url},
	    {"gateway-ca", "FILE", ADY_GATEWAY_CA_HELP, .text = &c.gateway.ca},
	    {"endpoint", "URL", ADY_ENDPOINT_HELP, .text = &c.aws.endpoint},
	    {"region", "REGION", ADY_REGION_HELP, .text = &c.aws.region},
	    {"ca", "FILE", ADY_CA_HELP, .text = &c.aws.ca},
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
