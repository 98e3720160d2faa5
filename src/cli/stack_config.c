/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of a stack: enclave.json, gateway.json and stack.json. */
#include "cli/stack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/file.h"

enum { CONFIG_MAX = 1 << 20 };

/* Walk to the object that holds the last part of a dotted name, making what is missing. */
static json_t *walk(json_t *object, const char **name, size_t *n)
{
	const char *dot;

	while ((dot = memchr(*name, '.', *n)) != NULL) {
		char part[64];
		const size_t part_n = (size_t)(dot - *name);
		json_t *next;

		if (part_n == 0 || part_n >= sizeof part)
			return NULL;
		memcpy(part, *name, part_n);
		part[part_n] = 0;
		next = json_object_get(object, part);
		if (!next) {
			next = json_object();
			json_object_set_new(object, part, next);
		}
		if (!json_is_object(next))
			return NULL;
		object = next;
		*name += part_n + 1;
		*n -= part_n + 1;
	}
	return *n ? object : NULL;
}

enum ady_err ady_stack_set(json_t *object, const struct ady_values *options, struct ady_fault *f)
{
	for (size_t i = 0; i < options->n; i++) {
		const char *name = options->v[i], *equals = strchr(name, '=');
		size_t n = equals ? (size_t)(equals - name) : 0;
		json_t *value, *parent = n ? walk(object, &name, &n) : NULL;
		char last[64];

		if (!parent || n >= sizeof last)
			return ady_fail(f, ADY_E_CONFIG, NULL, "'%s' is not NAME=VALUE",
			                options->v[i]);
		memcpy(last, name, n);
		last[n] = 0;
		value = json_loads(equals + 1, JSON_DECODE_ANY, NULL);
		if (!value)
			value = json_string(equals + 1);
		if (json_object_set_new(parent, last, value) != 0)
			return ady_fail(f, ADY_E_CONFIG, last, "its value is not valid UTF-8");
	}
	return ADY_OK;
}

static enum ady_err write_json(const struct ady_stack *s, const char *name, const json_t *json,
                               struct ady_fault *f)
{
	char path[PATH_MAX], *text = json_dumps(json, JSON_INDENT(2));
	enum ady_err err;

	if (!text)
		return ady_fail(f, ADY_E_MEMORY, NULL, "no memory");
	snprintf(path, sizeof path, "%s/%s", s->dir, name);
	err = ady_file_write(path, 0600, ady_bytes_str(text), f);
	free(text);
	return err;
}

static int endpoint_port(const struct ady_stack *s)
{
	const char *colon = strrchr(ady_stack_text(s->cloud, "endpoint"), ':');

	return colon ? (int)strtol(colon + 1, NULL, 10) : 443;
}

static void set_path(json_t *object, const char *name, const char *scheme,
                     const struct ady_stack *s, const char *file)
{
	json_object_set_new(object, name, json_sprintf("%s:%s/%s", scheme, s->run, file));
}

static json_t *enclave_json(const struct ady_stack *s, const char *roots)
{
	json_t *json = json_pack("{si ss sb s{ss si ss ss s[s] ss}}", "adyton", 1, "deployment",
	                         "dev", "development", 1, "kms", "host", "localhost", "port",
	                         endpoint_port(s), "region", ady_stack_text(s->cloud, "region"),
	                         "account", ady_stack_text(s->cloud, "account_id"), "keys",
	                         s->key_arn, "roots_pem", roots);

	if (s->vm) {
		json_object_set_new(json, "listen", json_string("vsock:any:5000"));
		json_object_set_new(json, "relay", json_string("vsock:2:8000"));
		json_object_set_new(json, "nsm", json_string("device:/dev/nsm"));
		return json;
	}
	set_path(json, "listen", "unix", s, "enclave.sock");
	set_path(json, "relay", "unix", s, "relay.sock");
	set_path(json, "nsm", "dev-socket", s, "nsm.sock");
	return json;
}

static enum ady_err write_enclave(const struct ady_stack *s, const struct ady_values *options,
                                  struct ady_fault *f)
{
	struct ady_dyn roots = {0};
	json_t *json = NULL;
	enum ady_err err =
	    ady_file_read(&roots, ady_stack_text(s->cloud, "ca_file"), CONFIG_MAX, f);

	if (err == ADY_OK) {
		json = enclave_json(s, ady_dyn_cstr(&roots));
		err = ady_stack_set(json, options, f);
	}
	if (err == ADY_OK)
		err = write_json(s, "enclave.json", json, f);
	json_decref(json);
	ady_dyn_free(&roots);
	return err;
}

static json_t *gateway_json(const struct ady_stack *s)
{
	json_t *json = json_pack(
	    "{s[o] ss s{ss s[{ss si}]} s{ss ss ss ss ss}}", "listen",
	    json_sprintf("tcp:127.0.0.1:%d", s->port), "enclave", "", "relay", "listen", "",
	    "allow", "host", "localhost", "port", endpoint_port(s), "aws", "region",
	    ady_stack_text(s->cloud, "region"), "endpoint", ady_stack_text(s->cloud, "endpoint"),
	    "ca_file", ady_stack_text(s->cloud, "ca_file"), "imds",
	    ady_stack_text(s->cloud, "imds"), "credentials", "imds");
	char pcr0[97];

	ady_hex_encode(pcr0, ady_bytes(s->pcr.pcr[0], 48));
	json_object_set_new(json, "attestation",
	                    json_pack("{s[s] ss}", "pcr0", pcr0, "root",
	                              ady_stack_text(s->cloud, "nsm_root_file")));
	json_object_set_new(json, "audit",
	                    json_pack("{so}", "folder", json_sprintf("%s/audit", s->dir)));
	set_path(json, "enclave", s->vm ? "hybrid" : "unix", s,
	         s->vm ? "vm.vsock:5000" : "enclave.sock");
	set_path(json_object_get(json, "relay"), "listen", s->vm ? "hybrid" : "unix", s,
	         s->vm ? "vm.vsock:8000" : "relay.sock");
	return json;
}

enum ady_err ady_stack_configure(struct ady_stack *s, const struct ady_values *enclave,
                                 struct ady_fault *f)
{
	return write_enclave(s, enclave, f);
}

/* Secrets Manager and a folder have no place for counters of policies: a file of the stack has. */
static void set_states(json_t *json, const struct ady_stack *s)
{
	const json_t *store = json_object_get(json, "store");

	if (!json_object_get(json, "states") && !json_object_get(json, "validators") &&
	    !json_object_get(store, "sqlite") && !json_object_get(store, "postgres"))
		json_object_set_new(json, "states", json_sprintf("sqlite:%s/states.db", s->dir));
}

enum ady_err ady_stack_configure_gateway(struct ady_stack *s, const struct ady_values *gateway,
                                         struct ady_fault *f)
{
	json_t *json = gateway_json(s);
	enum ady_err err = ady_stack_set(json, gateway, f);

	if (err == ADY_OK)
		set_states(json, s);
	snprintf(s->gateway_url, sizeof s->gateway_url, "%s://127.0.0.1:%d",
	         json_object_get(json, "tls") ? "https" : "http", s->port);
	if (err == ADY_OK)
		err = write_json(s, "gateway.json", json, f);
	json_decref(json);
	return err;
}

json_t *ady_stack_json(const struct ady_stack *s)
{
	static const char *const same[] = {
	    "imds",       "ca_file",       "nsm_root_file",     "region",
	    "account_id", "access_key_id", "secret_access_key", "role_arn"};
	json_t *json = json_object();
	char name[8], hex[97];

	json_object_set_new(json, "gateway", json_string(s->gateway_url));
	json_object_set_new(json, "devcloud", json_string(ady_stack_text(s->cloud, "endpoint")));
	for (size_t i = 0; i < sizeof same / sizeof *same; i++)
		json_object_set_new(json, same[i], json_string(ady_stack_text(s->cloud, same[i])));
	json_object_set_new(json, "key_arn", json_string(s->key_arn));
	for (unsigned i = 0; i < 3; i++) {
		snprintf(name, sizeof name, "pcr%u", i);
		ady_hex_encode(hex, ady_bytes(s->pcr.pcr[i], 48));
		json_object_set_new(json, name, json_string(hex));
	}
	json_object_set_new(json, "dir", json_string(s->dir));
	if (s->vm) {
		json_object_set_new(json, "image", json_string(s->image));
		json_object_set_new(json, "vm_dir", json_string(s->run));
	}
	return json;
}

enum ady_err ady_stack_save(const struct ady_stack *s, const json_t *json, struct ady_fault *f)
{
	return write_json(s, "stack.json", json, f);
}

enum ady_err ady_stack_load(json_t **out, const char *dir, struct ady_fault *f)
{
	struct ady_dyn text = {0};
	char path[PATH_MAX];
	enum ady_err err;

	*out = NULL;
	if (snprintf(path, sizeof path, "%s/stack.json", dir) >= (int)sizeof path)
		return ady_fail(f, ADY_E_NOT_FOUND, NULL, "the path is too long");
	err = ady_file_read(&text, path, CONFIG_MAX, f);
	if (err == ADY_OK)
		*out = json_loadb((const char *)text.p, text.n, 0, NULL);
	ady_file_wipe(&text);
	if (err != ADY_OK)
		return ady_fail(f, ADY_E_NOT_FOUND, NULL, "there is no stack in %s", dir);
	if (!*out)
		return ady_fail(f, ADY_E_JSON, NULL, "%s is damaged", path);
	return ADY_OK;
}
