/* SPDX-License-Identifier: Apache-2.0
 *
 * adyton key create: the enclave makes keys, through a gateway, which stores their records. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/fault.h"
#include "cli/key_options.h"
#include "cli/proof.h"

enum { TIMEOUT_MS = 120000, A_TIME = 500, COUNT_MAX = 1000000, NUMBER_MAX = 999999999 };

struct create {
	struct ady_gateway gateway;
	struct ady_key_options key;
	const char *count_text, *first_text;
	struct ady_proof_trust trust;
	uint64_t count, first;
	bool json, prove;
};

static const char advice[] =
    "Give the gateway with --gateway URL; a local stack: eval \"$(adyton dev env)\"";

/* POST body (taken over) to /v1/keys. Returns -1 with the reply, else the exit status. */
static int post(const struct create *c, json_t *body, struct ady_gateway_reply *reply)
{
	char *text = json_dumps(body, JSON_COMPACT);
	struct ady_dyn request = {0};
	struct ady_fault f = {0};
	int status = -1;

	ady_dyn_str(&request, text ? text : "");
	if (ady_gateway_call(&c->gateway, "/v1/keys", &request, TIMEOUT_MS, reply, &f) != ADY_OK)
		status = ady_cli_fault(&f, "make a key", advice);
	else if (reply->status != 201)
		status = ady_gateway_refusal(reply);
	ady_dyn_free(&request);
	json_decref(body);
	free(text);
	return status;
}

static json_t *body_of(const struct create *c)
{
	json_t *body = json_pack("{ss}", "tenant", c->key.tenant);

	if (c->key.curve)
		json_object_set_new(body, "curve", json_string(c->key.curve));
	ady_key_options_label(body, &c->key);
	return body;
}

/* One key: the options are the body, with tenant, curve and label among them. */
static int create_one(const struct create *c)
{
	struct ady_gateway_reply reply = {0};
	struct ady_dyn request = {0}, bare = {0}; /* bare: what the enclave is asked */
	struct ady_fault f = {0};
	int status;

	ady_key_options_put(&request, &c->key);
	request.n--;
	ady_dyn_printf(&request, ",\"tenant\":\"%s\"", c->key.tenant);
	if (c->key.curve)
		ady_dyn_printf(&request, ",\"curve\":\"%s\"", c->key.curve);
	ady_dyn_put(&bare, request.p, request.n);
	ady_dyn_str(&bare, "}");
	ady_key_put_label(&request, c->key.label);
	ady_dyn_str(&request, "}");
	if (ady_gateway_call(&c->gateway, "/v1/keys", &request, TIMEOUT_MS, &reply, &f) != ADY_OK)
		status = ady_cli_fault(&f, "make a key", advice);
	else if (reply.status != 201)
		status = ady_gateway_refusal(&reply);
	else if (c->prove && ady_proof_check_made(&c->gateway, &c->trust, c->key.id, c->key.tenant,
	                                          ady_dyn_bytes(&bare), &reply, &f) != ADY_OK)
		status = ady_proof_refused(&f);
	else
		status = ady_key_report(&c->key, "created", &reply, c->json);
	ady_dyn_free(&reply.body);
	ady_dyn_free(&reply.proof);
	ady_dyn_free(&request);
	ady_dyn_free(&bare);
	return status;
}

/* n keys from number first on, but for those that were made before. */
static int create_part(const struct create *c, const char *options, uint64_t first, uint64_t n,
                       uint64_t *made)
{
	struct ady_gateway_reply reply = {0};
	uint64_t there, rest;
	json_t *body;
	int status = ady_key_there(&c->gateway, c->key.id, first, n, TIMEOUT_MS, &there);

	if (status >= 0 || there == n)
		return status;
	rest = n - there;
	first += there;
	body = body_of(c);
	json_object_set_new(body, "options", json_string(options));
	json_object_set_new(body, "first", json_integer((json_int_t)first));
	json_object_set_new(body, "count", json_integer((json_int_t)rest));
	status = post(c, body, &reply);
	ady_dyn_free(&reply.body);
	if (status < 0)
		*made += rest;
	return status;
}

static void report_many(const struct create *c, uint64_t made)
{
	unsigned long long first = c->first, last = c->first + c->count - 1, n = made;
	unsigned long long old = c->count - made;

	if (c->json)
		printf("{\"created\":%llu,\"there_already\":%llu,\"first\":\"%s%llu\",\"last\":"
		       "\"%s%llu\"}\n",
		       n, old, c->key.id, first, c->key.id, last);
	else
		printf("created     %llu keys, %s%llu to %s%llu\nthere       %llu of them "
		       "already\ntenant      %s\n",
		       n, c->key.id, first, c->key.id, last, old, c->key.tenant);
}

static void tell(unsigned long long done, unsigned long long of)
{
	fprintf(stderr, "%llu of %llu\n", done, of);
}

static int create_many(const struct create *c)
{
	struct ady_dyn options = {0};
	uint64_t made = 0;
	int status = -1;

	ady_key_options_put(&options, &c->key);
	for (uint64_t done = 0; done < c->count && status < 0; done += A_TIME) {
		uint64_t n = c->count - done < A_TIME ? c->count - done : A_TIME;

		status = create_part(c, ady_dyn_cstr(&options), c->first + done, n, &made);
		if (status < 0)
			tell(done + n, c->count);
	}
	ady_dyn_free(&options);
	if (status < 0) {
		report_many(c, made);
		return ADY_EXIT_OK;
	}
	fprintf(stderr, "  %llu keys are made. The same command goes on from there.\n",
	        (unsigned long long)made);
	return status;
}

/* A number from min to max. */
static bool read_number(const char *text, uint64_t min, uint64_t max, uint64_t *v)
{
	char *end;

	*v = strtoull(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && !*end && strlen(text) <= 10 && *v >= min &&
	       *v <= max;
}

int ady_cmd_key_create(const struct ady_command *self, int argc, char **argv)
{
	struct create c = {.count = 0};
	struct ady_values rest;
	const struct ady_option options[] = {
	    ADY_KEY_OPTIONS(c.key),
	    {"count", "N", "so many keys; ID is what stands before their numbers",
	     .text = &c.count_text},
	    {"first", "N", "number of the first of them (0)", .text = &c.first_text},
	    {"require-proof", NULL, "an attested enclave must have made just this key",
	     .flag = &c.prove},
	    {"root", "PEM", "of --require-proof: the root to trust; else AWS Nitro Enclaves G1",
	     .text = &c.trust.root},
	    {"pcr0", "HEX", "of --require-proof: the enclave's; several times: any of them",
	     .values = &c.trust.expected.pcrs[0]},
	    ADY_GATEWAY_OPTIONS(c.gateway),
	    {"json", NULL, "one JSON object on one line", .flag = &c.json},
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0 || (status = ady_key_options_check(self, &c.key, &rest)) >= 0)
		return status;
	c.gateway.wants_proof = c.prove;
	if ((c.count_text && !read_number(c.count_text, 1, COUNT_MAX, &c.count)) ||
	    (c.first_text &&
	     (!c.count_text || !read_number(c.first_text, 0, NUMBER_MAX, &c.first))) ||
	    (c.count && c.first + c.count - 1 > NUMBER_MAX))
		status = ady_cli_usage(self, "--count is 1 to 1000000, --first goes with it, and "
		                             "numbers have 9 digits at most");
	else if (c.prove && c.count)
		status = ady_cli_usage(self, "--require-proof is for one key, without --count");
	else
		status = c.count ? create_many(&c) : create_one(&c);
	ady_key_options_free(&c.key);
	return status;
}
