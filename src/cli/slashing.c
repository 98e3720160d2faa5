/* SPDX-License-Identifier: Apache-2.0
 *
 * adyton slashing import, export and show: the slashing protection histories of validators, as
 * files of EIP-3076 version 5, through a gateway. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/fault.h"
#include "cli/file.h"
#include "cli/gateway.h"
#include "policy/interchange.h"

enum { TIMEOUT_MS = 600000, FILE_MAX = 64 * 1024 * 1024 };

static const char path[] = "/v1/slashing";

/* Check the whole file here: what is wrong is said before anything is sent. */
static enum ady_err check(const struct ady_dyn *file, struct ady_interchange *ix,
                          struct ady_fault *f)
{
	size_t cap = file->n / 2 + 16;
	struct ady_json_tok *toks = malloc(cap * sizeof *toks);
	struct ady_json doc;
	enum ady_err err;

	if (!toks)
		return ady_fail(f, ADY_E_MEMORY, NULL, "no memory");
	err = ady_json_parse(&doc, toks, cap, ady_dyn_bytes(file), f);
	if (err == ADY_OK)
		err = ady_interchange_open(ix, &doc, f);
	free(toks);
	return err;
}

static int report_check(const struct ady_interchange *ix, bool json)
{
	unsigned long long blocks = ix->blocks, attestations = ix->attestations;

	printf(json ? "{\"validators\":%u,\"blocks\":%llu,\"attestations\":%llu}\n"
	            : "good: %u validators, %llu blocks, %llu attestations\n",
	       ix->validators, blocks, attestations);
	return ADY_EXIT_OK;
}

static int report_import(const struct ady_gateway_reply *reply, bool json)
{
	json_t *answer = json_loadb((const char *)reply->body.p, reply->body.n, 0, NULL);
	json_t *failed = json_object_get(answer, "failed");
	int status = json_array_size(failed) == 0 ? ADY_EXIT_OK : ADY_EXIT_FAILED;

	if (json) {
		json_dumpf(answer, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		printf("imported    %lld validators\n",
		       (long long)json_integer_value(json_object_get(answer, "imported")));
	}
	for (size_t i = 0; i < json_array_size(failed); i++) {
		const json_t *item = json_array_get(failed, i);

		ady_cli_say("%s: %s", json_string_value(json_object_get(item, "pubkey")),
		            json_string_value(json_object_get(item, "message")));
	}
	json_decref(answer);
	return status;
}

static int import_file(const struct ady_gateway *gateway, const char *name, bool only_check,
                       bool json)
{
	struct ady_gateway_reply reply = {0};
	struct ady_interchange ix = {0};
	struct ady_dyn file = {0};
	struct ady_fault f = {0};
	int status;

	if (ady_file_read(&file, name, FILE_MAX, &f) != ADY_OK || check(&file, &ix, &f) != ADY_OK)
		status = ady_cli_fault(&f, "import", "Nothing was imported.");
	else if (only_check)
		status = report_check(&ix, json);
	else if (ady_gateway_call(gateway, path, &file, TIMEOUT_MS, &reply, &f) != ADY_OK)
		status = ady_cli_fault(&f, "import", "Give the gateway with --gateway URL.");
	else if (reply.status != 200)
		status = ady_gateway_refusal(&reply);
	else
		status = report_import(&reply, json);
	ady_dyn_free(&reply.body);
	ady_dyn_free(&file);
	return status;
}

int ady_cmd_slashing_import(const struct ady_command *self, int argc, char **argv)
{
	struct ady_gateway gateway = {0};
	bool only_check = false, json = false;
	struct ady_values rest;
	const struct ady_option options[] = {
	    {"check", NULL, "only check the file, without a gateway", .flag = &only_check},
	    ADY_GATEWAY_OPTIONS(gateway),
	    {"json", NULL, "one JSON object on one line", .flag = &json},
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0)
		return status;
	if (rest.n != 1)
		return ady_cli_usage(self, "give one FILE (- is standard input)");
	return import_file(&gateway, rest.v[0], only_check, json);
}

/* Get the export; the reply's body is the caller's to free when the status is ADY_EXIT_OK. */
static int fetch(const struct ady_gateway *gateway, bool retire, struct ady_gateway_reply *reply)
{
	struct ady_fault f = {0};
	int status = ADY_EXIT_OK;

	if (ady_gateway_call(gateway, retire ? "/v1/slashing?retire=1" : path, NULL, TIMEOUT_MS,
	                     reply, &f) != ADY_OK)
		status = ady_cli_fault(&f, "export", "Give the gateway with --gateway URL.");
	else if (reply->status != 200)
		status = ady_gateway_refusal(reply);
	if (status != ADY_EXIT_OK)
		ady_dyn_free(&reply->body);
	return status;
}

int ady_cmd_slashing_export(const struct ady_command *self, int argc, char **argv)
{
	struct ady_gateway gateway = {0};
	struct ady_gateway_reply reply = {0};
	const char *out = NULL;
	struct ady_fault f = {0};
	struct ady_values rest;
	bool copy = false;
	const struct ady_option options[] = {
	    {"out", "FILE", "where it goes, mode 0600 (standard output)", .text = &out},
	    {"copy", NULL, "let the keys sign on here: never use them elsewhere then",
	     .flag = &copy},
	    ADY_GATEWAY_OPTIONS(gateway),
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0)
		return status;
	if (rest.n != 0)
		return ady_cli_usage(self, "takes no arguments: all keys are exported");
	if ((status = fetch(&gateway, !copy, &reply)) != ADY_EXIT_OK)
		return status;
	if (!out)
		fwrite(reply.body.p, 1, reply.body.n, stdout);
	else if (ady_file_write(out, 0600, ady_dyn_bytes(&reply.body), &f) != ADY_OK)
		status = ady_cli_fault(&f, "write the export", NULL);
	ady_dyn_free(&reply.body);
	return status;
}

static void show_entry(const json_t *entry)
{
	const json_t *b = json_array_get(json_object_get(entry, "signed_blocks"), 0);
	const json_t *a = json_array_get(json_object_get(entry, "signed_attestations"), 0);
	const char *slot = json_string_value(json_object_get(b, "slot"));
	const char *source = json_string_value(json_object_get(a, "source_epoch"));
	const char *target = json_string_value(json_object_get(a, "target_epoch"));

	printf("%s  %12s  %10s  %10s\n", json_string_value(json_object_get(entry, "pubkey")),
	       slot ? slot : "-", source ? source : "-", target ? target : "-");
}

int ady_cmd_slashing_show(const struct ady_command *self, int argc, char **argv)
{
	struct ady_gateway gateway = {0};
	struct ady_gateway_reply reply = {0};
	struct ady_values rest;
	json_t *file, *data;
	const struct ady_option options[] = {ADY_GATEWAY_OPTIONS(gateway), {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0)
		return status;
	if (rest.n > 1)
		return ady_cli_usage(self, "give one PUBLIC_KEY, or none for all");
	if ((status = fetch(&gateway, false, &reply)) != ADY_EXIT_OK)
		return status;
	file = json_loadb((const char *)reply.body.p, reply.body.n, 0, NULL);
	printf("%-98s  %12s  %10s  %10s\n", "public key", "block", "source", "target");
	data = json_object_get(file, "data");
	for (size_t i = 0; i < json_array_size(data); i++) {
		const json_t *entry = json_array_get(data, i);
		const char *key = json_string_value(json_object_get(entry, "pubkey"));

		if (rest.n == 0 || (key && strcmp(key, rest.v[0]) == 0))
			show_entry(entry);
	}
	json_decref(file);
	ady_dyn_free(&reply.body);
	return ADY_EXIT_OK;
}
