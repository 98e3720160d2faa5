/* SPDX-License-Identifier: Apache-2.0
 *
 * adyton key list, show, label, disable, enable, delete, restore, load: a gateway's keys. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/fault.h"
#include "cli/file.h"
#include "cli/gateway.h"
#include "cli/key.h"
#include "cli/key_options.h"

enum { TIMEOUT_MS = 30000, RECORD_MAX = 65536 };

struct manage {
	const struct ady_command *self;
	struct ady_gateway gateway;
	const char *tenant, *label, *curve, *limit, *after, *days;
	const char *prefix, *address, *public_key;
	bool json, enabled, disabled;
};

/* --- asking --- */

/* Ask and parse. Returns -1 with *reply, else the exit status; what is wrong was said. */
static int ask(const struct manage *m, const char *method, const char *path,
               const struct ady_dyn *body, json_t **reply)
{
	struct ady_gateway_reply r;
	struct ady_fault f = {0};
	int status = -1;

	*reply = NULL;
	if (ady_gateway_request(&m->gateway, method, path, body, TIMEOUT_MS, &r, &f) != ADY_OK)
		status = ady_cli_fault(&f, "ask the gateway", NULL);
	else if (r.status != 200 && r.status != 201)
		status = ady_gateway_refusal(&r);
	else if (!(*reply = json_loadb((const char *)r.body.p, r.body.n, 0, NULL)))
		status = ady_cli_fault(&(struct ady_fault){.err = ADY_E_JSON}, "read the answer",
		                       "Is this the address of an adyton-gateway?");
	ady_dyn_free(&r.body);
	return status;
}

/* --- printing --- */

static const char *text(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

static void put_time(char out[static 21], const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);

	out[0] = '\0';
	if (json_is_integer(v))
		ady_time_rfc3339(out, json_integer_value(v));
}

static const char *state(const json_t *key)
{
	if (json_object_get(key, "deletion"))
		return "to be deleted";
	return json_is_true(json_object_get(key, "enabled")) ? "enabled" : "disabled";
}

static void print_json(const json_t *o)
{
	json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
}

static void print_list(const json_t *key, const char *name)
{
	const json_t *list = json_object_get(key, name), *item;
	size_t i;

	if (!json_is_array(list))
		return;
	printf("%-12s", name);
	json_array_foreach(list, i, item)
	{
		if (json_is_integer(item))
			printf("%s%lld", i ? ", " : "", (long long)json_integer_value(item));
		else
			printf("%s%s", i ? ", " : "", json_string_value(item));
	}
	putchar('\n');
}

static void print_key(const json_t *key)
{
	static const char *const names[] = {"id",      "tenant",   "curve",   "public_key",
	                                    "address", "wrapping", "revision"};
	static const char *const shown[] = {"id",      "tenant",   "curve",   "public key",
	                                    "address", "wrapping", "revision"};
	char time[21];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (text(key, names[i])[0])
			printf("%-12s%s\n", shown[i], text(key, names[i]));
	if (text(key, "label")[0])
		printf("%-12s%s\n", "label", text(key, "label"));
	printf("%-12s%s\n", "state", state(key));
	put_time(time, key, "created");
	printf("%-12s%s\n", "created", time);
	put_time(time, key, "deletion");
	if (time[0])
		printf("%-12s%s\n", "deletion", time);
	print_list(key, "allow");
	print_list(key, "chains");
}

static void print_row(const json_t *key)
{
	const char *address = text(key, "address");

	printf("%-28s %-12s %-10s %-42s %-13s %s\n", text(key, "id"), text(key, "tenant"),
	       text(key, "curve"), *address ? address : text(key, "public_key"), state(key),
	       text(key, "label"));
}

/* --- lists --- */

static void put_parameter(struct ady_dyn *path, const char *name, const char *value)
{
	if (!value)
		return;
	ady_dyn_str(path, memchr(path->p, '?', path->n) ? "&" : "?");
	ady_dyn_printf(path, "%s=", name);
	ady_gateway_put_id(path, value);
}

static int list_page(const struct manage *m, const char *after, char **next)
{
	struct ady_dyn path = {0};
	const json_t *key;
	json_t *reply;
	int status;
	size_t i;

	ady_dyn_str(&path, "/v1/keys");
	put_parameter(&path, "after", after);
	put_parameter(&path, "limit", m->limit);
	put_parameter(&path, "tenant", m->tenant);
	put_parameter(&path, "label", m->label);
	put_parameter(&path, "curve", m->curve);
	put_parameter(&path, "prefix", m->prefix);
	put_parameter(&path, "address", m->address);
	put_parameter(&path, "public_key", m->public_key);
	put_parameter(&path, "enabled", m->enabled ? "true" : m->disabled ? "false" : NULL);
	status = ask(m, "GET", ady_dyn_cstr(&path), NULL, &reply);
	ady_dyn_free(&path);
	*next = NULL;
	json_array_foreach(json_object_get(reply, "keys"), i, key)
	{
		if (m->json)
			print_json(key);
		else
			print_row(key);
	}
	/* With --limit one page, else all of them. */
	if (!m->limit && text(reply, "next")[0])
		*next = strdup(text(reply, "next"));
	json_decref(reply);
	return status;
}

static int run_list(const struct manage *m)
{
	char *after = m->after ? strdup(m->after) : NULL, *next;
	int status;

	if (!m->json)
		printf("%-28s %-12s %-10s %-42s %-13s %s\n", "ID", "TENANT", "CURVE",
		       "ADDRESS OR PUBLIC KEY", "STATE", "LABEL");
	do {
		status = list_page(m, after, &next);
		free(after);
		after = next;
	} while (status < 0 && after);
	free(after);
	return status < 0 ? ADY_EXIT_OK : status;
}

int ady_cmd_key_list(const struct ady_command *self, int argc, char **argv)
{
	struct manage m = {.self = self};
	struct ady_values rest;
	const struct ady_option options[] = {
	    {"tenant", "NAME", "of this tenant (administrators)", .text = &m.tenant},
	    {"label", "LABEL", "with this label", .text = &m.label},
	    {"curve", "NAME", "secp256k1, ed25519 or bls12-381", .text = &m.curve},
	    {"enabled", NULL, "only enabled ones", .flag = &m.enabled},
	    {"disabled", NULL, "only disabled ones", .flag = &m.disabled},
	    {"prefix", "TEXT", "whose id begins so", .text = &m.prefix},
	    {"address", "ADDRESS", "of this account", .text = &m.address},
	    {"public-key", "HEX", "of this public key", .text = &m.public_key},
	    {"after", "ID", "behind this id", .text = &m.after},
	    {"limit", "N", "at most N; left out: all", .text = &m.limit},
	    ADY_GATEWAY_OPTIONS(m.gateway),
	    {"json", NULL, "one JSON object a line", .flag = &m.json},
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0)
		return status;
	if (rest.n != 0 || (m.enabled && m.disabled))
		return ady_cli_usage(self, "no argument, and --enabled or --disabled");
	return run_list(&m);
}

/* --- one key --- */

/* Ask about one key and print what it is afterwards. action: behind the id, "" or "/disable". */
static int run_one(const struct manage *m, const char *method, const char *id, const char *action,
                   const struct ady_dyn *body)
{
	struct ady_dyn path = {0};
	json_t *reply;
	int status;

	ady_dyn_str(&path, "/v1/keys/");
	ady_gateway_put_id(&path, id);
	ady_dyn_str(&path, action);
	put_parameter(&path, "days", m->days);
	status = ask(m, method, ady_dyn_cstr(&path), body, &reply);
	ady_dyn_free(&path);
	if (status < 0 && m->json)
		print_json(reply);
	else if (status < 0)
		print_key(reply);
	json_decref(reply);
	return status < 0 ? ADY_EXIT_OK : status;
}

/* The usual options, and arguments of which the first is an id. Returns -1 to go on. */
static int read_options(struct manage *m, int argc, char **argv, size_t arguments,
                        struct ady_values *rest)
{
	const struct ady_option options[] = {
	    ADY_GATEWAY_OPTIONS(m->gateway),
	    {"json", NULL, "one JSON object on one line", .flag = &m->json},
	    {0}};
	int status = ady_options_read(m->self, options, argc, argv, rest);

	if (status >= 0)
		return status;
	if (rest->n != arguments || !ady_key_id_valid(rest->v[0]))
		return ady_cli_usage(
		    m->self, "%s", arguments == 1 ? "one ID is needed" : "ID and LABEL are needed");
	return -1;
}

static int simple(const struct ady_command *self, int argc, char **argv, const char *method,
                  const char *action)
{
	struct manage m = {.self = self};
	struct ady_values rest;
	int status = read_options(&m, argc, argv, 1, &rest);

	return status >= 0 ? status : run_one(&m, method, rest.v[0], action, NULL);
}

int ady_cmd_key_show(const struct ady_command *self, int argc, char **argv)
{
	return simple(self, argc, argv, "GET", "");
}

int ady_cmd_key_disable(const struct ady_command *self, int argc, char **argv)
{
	return simple(self, argc, argv, "POST", "/disable");
}

int ady_cmd_key_enable(const struct ady_command *self, int argc, char **argv)
{
	return simple(self, argc, argv, "POST", "/enable");
}

int ady_cmd_key_restore(const struct ady_command *self, int argc, char **argv)
{
	return simple(self, argc, argv, "POST", "/restore");
}

int ady_cmd_key_label(const struct ady_command *self, int argc, char **argv)
{
	struct manage m = {.self = self};
	struct ady_values rest;
	int status = read_options(&m, argc, argv, 2, &rest);
	struct ady_dyn body = {0};
	json_t *o;
	char *dumped;

	if (status >= 0)
		return status;
	o = json_pack("{ss}", "label", rest.v[1]);
	dumped = o ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	if (!dumped)
		return ady_cli_usage(self, "LABEL is not UTF-8");
	ady_dyn_str(&body, dumped);
	free(dumped);
	status = run_one(&m, "PATCH", rest.v[0], "", &body);
	ady_dyn_free(&body);
	return status;
}

int ady_cmd_key_delete(const struct ady_command *self, int argc, char **argv)
{
	struct manage m = {.self = self};
	struct ady_values rest;
	const struct ady_option options[] = {
	    {"days", "N", "how long it can be restored: 7 to 30 (30)", .text = &m.days},
	    ADY_GATEWAY_OPTIONS(m.gateway),
	    {"json", NULL, "one JSON object on one line", .flag = &m.json},
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0)
		return status;
	if (rest.n != 1 || !ady_key_id_valid(rest.v[0]))
		return ady_cli_usage(self, "one ID is needed");
	return run_one(&m, "DELETE", rest.v[0], "", NULL);
}

/* A record from a backup: {"record": what the file holds}. */
static int run_load(const struct manage *m, const char *file)
{
	struct ady_dyn record = {0}, body = {0};
	struct ady_fault f = {0};
	json_t *reply = NULL;
	int status;

	if (ady_file_read(&record, file, RECORD_MAX, &f) != ADY_OK) {
		ady_dyn_free(&record);
		return ady_cli_fault(&f, "read the record", NULL);
	}
	ady_dyn_str(&body, "{\"record\":");
	ady_dyn_put(&body, record.p, record.n);
	ady_key_put_label(&body, m->label);
	ady_dyn_str(&body, "}");
	status = ask(m, "POST", "/v1/keys", &body, &reply);
	if (status < 0 && m->json)
		print_json(reply);
	else if (status < 0)
		print_key(reply);
	json_decref(reply);
	ady_dyn_free(&record);
	ady_dyn_free(&body);
	return status < 0 ? ADY_EXIT_OK : status;
}

int ady_cmd_key_load(const struct ady_command *self, int argc, char **argv)
{
	struct manage m = {.self = self};
	struct ady_values rest;
	const struct ady_option options[] = {
	    {"label", "LABEL", "its label", .text = &m.label},
	    ADY_GATEWAY_OPTIONS(m.gateway),
	    {"json", NULL, "one JSON object on one line", .flag = &m.json},
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0)
		return status;
	if (rest.n != 1)
		return ady_cli_usage(self,
		                     "one FILE with a key record is needed; -: standard input");
	return run_load(&m, rest.v[0]);
}
