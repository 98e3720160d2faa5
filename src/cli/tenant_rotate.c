/* SPDX-License-Identifier: Apache-2.0
 *
 * adyton tenant rotate: a new data key for a tenant, and all its records under that. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "cli/commands.h"
#include "cli/fault.h"
#include "cli/gateway.h"
#include "cli/key.h"

enum { TIMEOUT_MS = 30000, LOOK_S = 1 };

struct rotate {
	struct ady_gateway gateway;
	const char *tenant, *kms_key;
	bool json, show, no_wait;
};

static const char advice[] = "Give the gateway with --gateway URL.";

/* POST (body not NULL) or GET the tenant's rotation. Returns -1 with *answer, else the exit status.
 */
static int ask(const struct rotate *r, const struct ady_dyn *body, json_t **answer)
{
	struct ady_gateway_reply reply = {0};
	struct ady_dyn path = {0};
	struct ady_fault f = {0};
	int status = -1;

	*answer = NULL;
	ady_dyn_str(&path, "/v1/tenants/");
	ady_gateway_put_id(&path, r->tenant);
	ady_dyn_str(&path, "/rotate");
	if (ady_gateway_call(&r->gateway, ady_dyn_cstr(&path), body, TIMEOUT_MS, &reply, &f) !=
	    ADY_OK)
		status = ady_cli_fault(&f, "rotate the data key", advice);
	else if (reply.status != 200 && reply.status != 202)
		status = ady_gateway_refusal(&reply);
	else if (!(*answer = json_loadb((const char *)reply.body.p, reply.body.n, 0, NULL)))
		status = ady_cli_fault(&(struct ady_fault){.err = ADY_E_JSON}, "read the answer",
		                       "Is this the address of an adyton-gateway?");
	ady_dyn_free(&reply.body);
	ady_dyn_free(&path);
	return status;
}

static int begin(const struct rotate *r, json_t **answer)
{
	json_t *o = r->kms_key ? json_pack("{ss}", "kms_key", r->kms_key) : json_object();
	char *text = json_dumps(o, JSON_COMPACT);
	struct ady_dyn body = {0};
	int status;

	ady_dyn_str(&body, text ? text : "");
	status = ask(r, &body, answer);
	ady_dyn_free(&body);
	json_decref(o);
	free(text);
	return status;
}

static const char *text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

static long long number_of(const json_t *o, const char *name)
{
	return (long long)json_integer_value(json_object_get(o, name));
}

static void print(const struct rotate *r, const json_t *o)
{
	if (r->json) {
		json_dumpf(o, stdout, JSON_COMPACT);
		putchar('\n');
		return;
	}
	printf("tenant      %s\nstate       %s\nrewrapped   %lld records\n", text_of(o, "tenant"),
	       text_of(o, "state"), number_of(o, "rewrapped"));
	if (number_of(o, "skipped"))
		printf("skipped     %lld in the AWS sample's form (import them), or spoilt\n",
		       number_of(o, "skipped"));
	if (number_of(o, "failed"))
		printf("failed      %lld, which stay as they were\n", number_of(o, "failed"));
	if (text_of(o, "problem")[0])
		printf("problem     %s\n", text_of(o, "problem"));
}

/* Until it is over; a word to standard error when something was done. */
static int await(const struct rotate *r, json_t **answer)
{
	long long told = -1;
	int status = -1;

	while (status < 0 && strcmp(text_of(*answer, "state"), "running") == 0) {
		if (number_of(*answer, "rewrapped") != told) {
			told = number_of(*answer, "rewrapped");
			fprintf(stderr, "%lld rewrapped\n", told);
		}
		json_decref(*answer);
		nanosleep(&(struct timespec){.tv_sec = LOOK_S}, NULL);
		status = ask(r, NULL, answer);
	}
	return status;
}

static int rotate(const struct rotate *r)
{
	json_t *answer = NULL;
	int status = r->show ? ask(r, NULL, &answer) : begin(r, &answer);

	if (status < 0 && !r->no_wait && !r->show)
		status = await(r, &answer);
	if (status < 0) {
		print(r, answer);
		status = strcmp(text_of(answer, "state"), "incomplete") == 0 ? ADY_EXIT_FAILED
		                                                             : ADY_EXIT_OK;
	}
	json_decref(answer);
	return status;
}

int ady_cmd_tenant_rotate(const struct ady_command *self, int argc, char **argv)
{
	struct rotate r = {0};
	struct ady_values rest;
	const struct ady_option options[] = {
	    {"kms-key", "ARN",
	     "one of the enclave's KMS keys, for the new data key; else the first",
	     .text = &r.kms_key},
	    {"show", NULL, "begin nothing; say how far it is", .flag = &r.show},
	    {"no-wait", NULL, "do not wait until it is over", .flag = &r.no_wait},
	    ADY_GATEWAY_OPTIONS(r.gateway),
	    {"json", NULL, "one JSON object on one line", .flag = &r.json},
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0)
		return status;
	if (rest.n != 1)
		return ady_cli_usage(self, "give one TENANT");
	r.tenant = rest.v[0];
	if (strlen(r.tenant) > 63 || !ady_key_id_valid(r.tenant))
		return ady_cli_usage(self, "a tenant is up to 63 of A-Z a-z 0-9 / _ + = . @ -");
	return rotate(&r);
}
