/* SPDX-License-Identifier: Apache-2.0
 *
 * adyton tenant lock: the enclave forgets the opened data keys of a tenant, at once. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/commands.h"
#include "cli/fault.h"
#include "cli/gateway.h"
#include "cli/key.h"

enum { TIMEOUT_MS = 10000 };

static int report(const struct ady_gateway_reply *reply, bool json)
{
	json_t *answer = json_loadb((const char *)reply->body.p, reply->body.n, 0, NULL);
	const json_t *n = json_object_get(answer, "locked");
	int status = ADY_EXIT_OK;

	if (!json_is_integer(n)) {
		ady_cli_say("the gateway's answer is not one to a lock");
		status = ADY_EXIT_FAILED;
	} else if (json) {
		printf("{\"locked\":%lld}\n", (long long)json_integer_value(n));
	} else {
		printf("locked      %lld data keys\n", (long long)json_integer_value(n));
	}
	json_decref(answer);
	return status;
}

/* tenant NULL: all. */
static int lock(const struct ady_gateway *gateway, const char *tenant, bool json)
{
	json_t *request =
	    tenant ? json_pack("{ss}", "tenant", tenant) : json_pack("{sb}", "all", 1);
	char *text = json_dumps(request, JSON_COMPACT);
	struct ady_gateway_reply reply = {0};
	struct ady_dyn body = {0};
	struct ady_fault f = {0};
	int status;

	ady_dyn_str(&body, text ? text : "");
	if (ady_gateway_call(gateway, "/v1/lock", &body, TIMEOUT_MS, &reply, &f) != ADY_OK)
		status = ady_cli_fault(&f, "lock", "Give the gateway with --gateway URL.");
	else if (reply.status != 200)
		status = ady_gateway_refusal(&reply);
	else
		status = report(&reply, json);
	ady_dyn_free(&reply.body);
	ady_dyn_free(&body);
	json_decref(request);
	free(text);
	return status;
}

int ady_cmd_tenant_lock(const struct ady_command *self, int argc, char **argv)
{
	struct ady_gateway gateway = {0};
	struct ady_values rest;
	bool all = false, json = false;
	const struct ady_option options[] = {
	    {"all", NULL, "every tenant, instead of one by name", .flag = &all},
	    ADY_GATEWAY_OPTIONS(gateway),
	    {"json", NULL, "one JSON object on one line", .flag = &json},
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0)
		return status;
	if (rest.n != (all ? 0u : 1u))
		return ady_cli_usage(self, "give one TENANT, or --all");
	if (!all && (strlen(rest.v[0]) > 63 || !ady_key_id_valid(rest.v[0])))
		return ady_cli_usage(self, "a tenant is up to 63 of A-Z a-z 0-9 / _ + = . @ -");
	return lock(&gateway, all ? NULL : rest.v[0], json);
}
