/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/config_attestation.h"
#include "gateway/config_audit.h"
#include "gateway/config_callers.h"
#include "gateway/config_commit_boost.h"
#include "gateway/config_nodes.h"
#include "gateway/config_object.h"
#include "gateway/config_quotas.h"
#include "gateway/config_validators.h"

enum { CONFIG_FILE_MAX = 256 * 1024 };

/* Plain HTTP carries what a caller may sign: it stays on the machine unless the file says so. */
static bool is_loopback(const char *host)
{
	struct in6_addr six;
	struct in_addr four;

	if (inet_pton(AF_INET, host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

static enum ady_err check_listen(const struct ady_gateway_config *c, const struct ady_conf *o,
                                 const struct ady_endpoint *e, const char *name)
{
	if (e->kind != ADY_TCP && e->kind != ADY_UNIX)
		return ady_conf_refuse(o, name, "is neither tcp: nor unix:");
	if (e->kind == ADY_TCP && !c->tls.cert && !c->plain_anywhere && !is_loopback(e->path))
		return ady_conf_refuse(
		    o, name, "is plain HTTP beyond loopback: set tls, or plain_anywhere to true");
	return ADY_OK;
}

static enum ady_err read_listen(struct ady_gateway_config *c, const struct ady_conf *root)
{
	const json_t *list = json_object_get(root->json, "listen");
	size_t n = json_array_size(list);
	enum ady_err err = ADY_OK;

	if (n == 0 || n > ADY_GATEWAY_LISTEN_MAX)
		return ady_conf_refuse(root, "listen", "is no list of 1 to 8 endpoints");
	for (size_t i = 0; err == ADY_OK && i < n; i++) {
		const char *text = json_string_value(json_array_get(list, i));
		char name[40];

		snprintf(name, sizeof name, "listen[%zu]", i);
		if (!text)
			return ady_conf_refuse(root, name, "is no string");
		err = ady_conf_endpoint(root, name, text, &c->listen[i]);
		if (err == ADY_OK)
			err = check_listen(c, root, &c->listen[i], name);
	}
	c->listen_n = n;
	return err;
}

/* One text, or a list of them. */
static enum ady_err read_enclaves(struct ady_gateway_config *c, const struct ady_conf *root)
{
	const json_t *o = json_object_get(root->json, "enclave");
	size_t n = json_is_array(o) ? json_array_size(o) : 1;
	enum ady_err err = ADY_OK;

	if (!o)
		return ady_conf_refuse(root, "enclave", "is required");
	if (n == 0 || n > ADY_GATEWAY_ENCLAVES_MAX)
		return ady_conf_refuse(root, "enclave", "is no list of 1 to 8 endpoints");
	for (size_t i = 0; err == ADY_OK && i < n; i++) {
		const json_t *one = json_is_array(o) ? json_array_get(o, i) : o;
		char name[40] = "enclave";

		if (json_is_array(o))
			snprintf(name, sizeof name, "enclave[%zu]", i);
		if (!json_is_string(one))
			return ady_conf_refuse(root, name, "is no string");
		err = ady_conf_endpoint(root, name, json_string_value(one), &c->enclaves[i]);
	}
	c->enclaves_n = n;
	return err;
}

static enum ady_err read_tls(struct ady_gateway_config *c, const struct ady_conf *root)
{
	static const char *const known[] = {"cert", "key", "client_ca", NULL};
	struct ady_conf o = {json_object_get(root->json, "tls"), "tls", root->f};
	enum ady_err err;

	if (!o.json)
		return ADY_OK;
	err = ady_conf_members(&o, known);
	if (err == ADY_OK)
		err = ady_conf_need_text(&o, "cert", &c->tls.cert);
	if (err == ADY_OK)
		err = ady_conf_need_text(&o, "key", &c->tls.key);
	return err == ADY_OK ? ady_conf_text(&o, "client_ca", &c->tls.client_ca) : err;
}

static bool is_host(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789.-");

	return n > 0 && n <= 253 && s[n] == '\0';
}

static enum ady_err read_target(struct ady_relay_target *t, const struct ady_conf *o)
{
	static const char *const known[] = {"host", "port", NULL};
	int64_t port = 443;
	enum ady_err err = ady_conf_members(o, known);

	if (err == ADY_OK)
		err = ady_conf_need_text(o, "host", &t->host);
	if (err == ADY_OK && !is_host(t->host))
		return ady_conf_refuse(o, "host", "is no host name in lower case");
	if (err == ADY_OK)
		err = ady_conf_number(o, "port", 1, 65535, &port);
	t->port = (uint16_t)port;
	return err;
}

static enum ady_err read_allow(struct ady_config_relay *r, const struct ady_conf *relay)
{
	const json_t *list = json_object_get(relay->json, "allow");
	size_t n = json_array_size(list);
	enum ady_err err = ADY_OK;

	if (n == 0 || n > ADY_GATEWAY_ALLOW_MAX)
		return ady_conf_refuse(relay, "allow", "is no list of 1 to 64 destinations");
	for (size_t i = 0; err == ADY_OK && i < n; i++) {
		char path[48];
		struct ady_conf o = {json_array_get(list, i), path, relay->f};

		snprintf(path, sizeof path, "relay.allow[%zu]", i);
		err = read_target(&r->allow[i], &o);
	}
	r->allow_n = n;
	return err;
}

static enum ady_err read_relay(struct ady_gateway_config *c, const struct ady_conf *root)
{
	static const char *const known[] = {"listen", "allow", NULL};
	struct ady_conf o = {json_object_get(root->json, "relay"), "relay", root->f};
	const char *listen;
	enum ady_err err;

	if (!o.json)
		return ADY_OK;
	c->relay.on = true;
	err = ady_conf_members(&o, known);
	if (err == ADY_OK)
		err = ady_conf_need_text(&o, "listen", &listen);
	if (err == ADY_OK)
		err = ady_conf_endpoint(&o, "listen", listen, &c->relay.listen);
	if (err == ADY_OK && c->relay.listen.kind == ADY_TCP)
		return ady_conf_refuse(&o, "listen", "is tcp:, which anyone could use");
	return err == ADY_OK ? read_allow(&c->relay, &o) : err;
}

static enum ady_err read_role(struct ady_config_aws *a, const struct ady_conf *aws)
{
	static const char *const known[] = {"role_arn", "session_policy", "seconds", NULL};
	struct ady_conf o = {json_object_get(aws->json, "assume_role"), "aws.assume_role", aws->f};
	int64_t seconds = 900;
	enum ady_err err;

	if (!o.json)
		return ADY_OK;
	err = ady_conf_members(&o, known);
	if (err == ADY_OK)
		err = ady_conf_need_text(&o, "role_arn", &a->role_arn);
	if (err == ADY_OK)
		err = ady_conf_text(&o, "session_policy", &a->session_policy);
	if (err == ADY_OK)
		err = ady_conf_number(&o, "seconds", 900, 43200, &seconds);
	a->role_seconds = (int)seconds;
	return err;
}

static enum ady_err read_source(struct ady_config_aws *a, const struct ady_conf *aws)
{
	static const char *const names[] = {"auto", "imds", "environment", "file"};
	const char *text = "auto";
	enum ady_err err = ady_conf_text(aws, "credentials", &text);

	if (err != ADY_OK)
		return err;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i], text) == 0) {
			a->source = (enum ady_credential_source)i;
			return ADY_OK;
		}
	return ady_conf_refuse(aws, "credentials", "is none of auto, imds, environment, file");
}

/* Whether url begins with http to the machine itself. */
static bool is_local_url(const char *url)
{
	static const char *const all[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		size_t n = strlen(all[i]);

		if (strncmp(url, all[i], n) == 0 &&
		    (url[n] == '\0' || url[n] == ':' || url[n] == '/'))
			return true;
	}
	return false;
}

static bool is_endpoint_url(const char *url)
{
	return strlen(url) < 300 &&
	       ((strncmp(url, "https://", 8) == 0 && url[8]) || is_local_url(url));
}

static enum ady_err read_aws(struct ady_gateway_config *c, const struct ady_conf *root)
{
	static const char *const known[] = {"region",      "endpoint",    "ca_file", "imds",
	                                    "credentials", "assume_role", NULL};
	struct ady_conf o = {json_object_get(root->json, "aws"), "aws", root->f};
	struct ady_config_aws *a = &c->aws;
	enum ady_err err;

	if (!o.json)
		return ady_conf_refuse(root, "aws", "is required");
	a->imds = "http://169.254.169.254";
	err = ady_conf_members(&o, known);
	if (err == ADY_OK)
		err = ady_conf_need_text(&o, "region", &a->region);
	if (err == ADY_OK)
		err = ady_conf_text(&o, "endpoint", &a->endpoint);
	if (err == ADY_OK && a->endpoint && !is_endpoint_url(a->endpoint))
		return ady_conf_refuse(&o, "endpoint", "is no https URL");
	if (err == ADY_OK)
		err = ady_conf_text(&o, "ca_file", &a->ca_file);
	if (err == ADY_OK)
		err = ady_conf_text(&o, "imds", &a->imds);
	if (err == ADY_OK && (strncmp(a->imds, "http://", 7) != 0 || strlen(a->imds) > 300))
		return ady_conf_refuse(&o, "imds", "is no http URL");
	if (err == ADY_OK)
		err = read_source(a, &o);
	return err == ADY_OK ? read_role(a, &o) : err;
}

/* Names of Secrets Manager: letters, digits and /_+=.@- (API reference, CreateSecret). */
static bool is_prefix(const char *s)
{
	return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_+=.@-") ==
	           strlen(s) &&
	       strlen(s) <= 256;
}

/* One store, or none: Secrets Manager. */
static enum ady_err read_place(struct ady_config_store *t, const struct ady_conf *o)
{
	enum ady_err err = ady_conf_text(o, "sqlite", &t->sqlite);

	if (err == ADY_OK)
		err = ady_conf_text(o, "folder", &t->folder);
	if (err == ADY_OK)
		err = ady_conf_text(o, "postgres", &t->postgres);
	if (err == ADY_OK && (t->sqlite != NULL) + (t->folder != NULL) + (t->postgres != NULL) > 1)
		return ady_conf_refuse(o, "sqlite", "is one of several stores: choose one");
	if (err == ADY_OK && t->sqlite && !*t->sqlite)
		return ady_conf_refuse(o, "sqlite", "is empty");
	if (err == ADY_OK && t->folder && !*t->folder)
		return ady_conf_refuse(o, "folder", "is empty");
	return err;
}

static enum ady_err read_store(struct ady_gateway_config *c, const struct ady_conf *root)
{
	static const char *const known[] = {"prefix",      "cache_ms", "cache_mib", "sqlite",
	                                    "folder",      "postgres", "index_ms",  "connections",
	                                    "rewrap_rate", "copy_mib", NULL};
	struct ady_conf o = {json_object_get(root->json, "store"), "store", root->f};
	int64_t connections = 8;
	enum ady_err err;

	c->store = (struct ady_config_store){.prefix = "",
	                                     .cache_ms = 30000,
	                                     .cache_mib = 64,
	                                     .copy_mib = 160,
	                                     .index_ms = 60000,
	                                     .connections = 8,
	                                     .rewrap_rate = 500};
	if (!o.json)
		return ADY_OK;
	err = ady_conf_members(&o, known);
	if (err == ADY_OK)
		err = ady_conf_text(&o, "prefix", &c->store.prefix);
	if (err == ADY_OK && !is_prefix(c->store.prefix))
		return ady_conf_refuse(&o, "prefix", "is no part of a secret's name");
	if (err == ADY_OK)
		err = read_place(&c->store, &o);
	if (err == ADY_OK)
		err = ady_conf_number(&o, "cache_ms", 0, 3600000, &c->store.cache_ms);
	if (err == ADY_OK)
		err = ady_conf_number(&o, "cache_mib", 1, 65536, &c->store.cache_mib);
	if (err == ADY_OK)
		err = ady_conf_number(&o, "copy_mib", 0, 65536, &c->store.copy_mib);
	if (err == ADY_OK)
		err = ady_conf_number(&o, "index_ms", 1000, 86400000, &c->store.index_ms);
	if (err == ADY_OK)
		err = ady_conf_number(&o, "connections", 1, 64, &connections);
	if (err == ADY_OK)
		err = ady_conf_number(&o, "rewrap_rate", 1, 100000, &c->store.rewrap_rate);
	c->store.connections = (size_t)connections;
	return err;
}

static enum ady_err read_numbers(struct ady_gateway_config *c, const struct ady_conf *root)
{
	int64_t threads = 0, timeout = 10000;
	enum ady_err err = ady_conf_number(root, "threads", 0, ADY_GATEWAY_THREADS_MAX, &threads);

	if (err == ADY_OK)
		err = ady_conf_number(root, "request_timeout_ms", 1, 600000, &timeout);
	if (threads == 0)
		threads = sysconf(_SC_NPROCESSORS_ONLN);
	if (threads < 1)
		threads = 1;
	c->threads = threads > ADY_GATEWAY_THREADS_MAX ? ADY_GATEWAY_THREADS_MAX : (size_t)threads;
	c->request_timeout_ms = (int)timeout;
	return err;
}

/* Beside the records, where that is a database. */
static const char *states_of_store(struct ady_gateway_config *c)
{
	const char *kind = c->store.sqlite ? "sqlite:" : c->store.postgres ? "postgres:" : NULL;
	const char *place = c->store.sqlite ? c->store.sqlite : c->store.postgres;

	if (!kind)
		return NULL;
	ady_dyn_str(&c->states_text, kind);
	ady_dyn_str(&c->states_text, place);
	return ady_dyn_cstr(&c->states_text);
}

/* One place for all: that of the validators, or one of its own, or beside the records. */
static enum ady_err read_states(struct ady_gateway_config *c, const struct ady_conf *root)
{
	const char *states = NULL;
	enum ady_err err = ady_conf_text(root, "states", &states);

	if (err == ADY_OK && states && c->states && strcmp(states, c->states) != 0)
		return ady_fail(root->f, ADY_E_CONFIG, "states", "is not validators.states");
	if (states)
		c->states = states;
	else if (!c->states)
		c->states = states_of_store(c);
	return err;
}

static enum ady_err read_root(struct ady_gateway_config *c, const struct ady_conf *root)
{
	static const char *const known[] = {"listen",        "tls",
	                                    "enclave",       "relay",
	                                    "aws",           "store",
	                                    "threads",       "request_timeout_ms",
	                                    "access_log",    "plain_anywhere",
	                                    "callers",       "quotas",
	                                    "nodes",         "ipc",
	                                    "default_chain", "validators",
	                                    "attestation",   "audit",
	                                    "states",        "keymanager",
	                                    "commit_boost",  NULL};
	enum ady_err err = ady_conf_members(root, known);

	if (err == ADY_OK)
		err = ady_conf_flag(root, "plain_anywhere", &c->plain_anywhere);
	if (err == ADY_OK)
		err = ady_conf_flag(root, "access_log", &c->access_log);
	if (err == ADY_OK)
		err = read_tls(c, root);
	if (err == ADY_OK)
		err = read_listen(c, root);
	if (err == ADY_OK)
		err = read_enclaves(c, root);
	if (err == ADY_OK)
		err = read_relay(c, root);
	if (err == ADY_OK)
		err = read_aws(c, root);
	if (err == ADY_OK)
		err = read_store(c, root);
	if (err == ADY_OK)
		err = ady_config_callers_read(c, root);
	if (err == ADY_OK)
		err = ady_config_quotas_read(c, root);
	if (err == ADY_OK)
		err = ady_config_nodes_read(c, root);
	if (err == ADY_OK)
		err = ady_config_read_validators(c, root);
	if (err == ADY_OK)
		err = ady_config_read_keymanager(c, root);
	if (err == ADY_OK)
		err = ady_config_commit_boost_read(&c->commit_boost, root);
	if (err == ADY_OK)
		err = ady_config_attestation_read(&c->attestation, root);
	if (err == ADY_OK)
		err = ady_config_audit_read(&c->audit, root);
	if (err == ADY_OK)
		err = read_states(c, root);
	return err == ADY_OK ? read_numbers(c, root) : err;
}

enum ady_err ady_gateway_config_parse(struct ady_gateway_config *config, struct ady_bytes text,
                                      struct ady_fault *f)
{
	struct ady_conf root = {.path = "", .f = f};
	json_error_t at;
	enum ady_err err;

	*config = (struct ady_gateway_config){0};
	config->root = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &at);
	if (!config->root)
		return ady_fail(f, ADY_E_CONFIG, NULL, "line %d: %s", at.line, at.text);
	root.json = config->root;
	err = read_root(config, &root);
	if (err != ADY_OK)
		ady_gateway_config_clear(config);
	return err;
}

enum ady_err ady_gateway_config_read(struct ady_gateway_config *config, const char *path,
                                     struct ady_fault *f)
{
	FILE *file = fopen(path, "re");
	char *text = malloc(CONFIG_FILE_MAX + 1);
	enum ady_err err;
	size_t n;

	*config = (struct ady_gateway_config){0};
	if (!file || !text) {
		if (file)
			fclose(file);
		free(text);
		return ady_fail(f, ADY_E_CONFIG, NULL, "%.100s cannot be read", path);
	}
	n = fread(text, 1, CONFIG_FILE_MAX + 1, file);
	if (n > CONFIG_FILE_MAX)
		err = ady_fail(f, ADY_E_CONFIG, NULL, "%.100s is too large", path);
	else
		err = ady_gateway_config_parse(config, ady_bytes(text, n), f);
	fclose(file);
	free(text);
	return err;
}

void ady_gateway_config_clear(struct ady_gateway_config *config)
{
	json_decref(config->root);
	free(config->callers);
	free(config->nodes);
	ady_config_commit_boost_clear(&config->commit_boost);
	ady_dyn_free(&config->states_text);
	*config = (struct ady_gateway_config){0};
}
