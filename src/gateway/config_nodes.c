/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/config_nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum ady_err read_url(const struct ady_conf *o, const char *name, const char *text, bool ws,
                             struct ady_url *url)
{
	struct ady_fault why;

	if (ady_url_parse(url, text, &why) != ADY_OK)
		return ady_conf_refuse(o, name, why.detail);
	if (url->ws != ws)
		return ady_conf_refuse(o, name,
		                       ws ? "does not begin with ws:// or wss://"
		                          : "does not begin with http:// or https://");
	return ADY_OK;
}

static enum ady_err read_chain(const struct ady_conf *o, const char *name, uint64_t *chain)
{
	int64_t v = 0;
	enum ady_err err = ady_conf_number(o, name, 1, INT64_MAX, &v);

	if (v > 0)
		*chain = (uint64_t)v;
	return err;
}

static bool is_field_value(const char *s)
{
	for (; *s; s++)
		if (*s < ' ' || *s > '~')
			return false;
	return true;
}

static enum ady_err read_places(struct ady_config_node *node, const struct ady_conf *o)
{
	const char *url, *ws = NULL;
	enum ady_err err = ady_conf_need_text(o, "url", &url);

	if (err == ADY_OK)
		err = read_url(o, "url", url, false, &node->url);
	if (err == ADY_OK)
		err = ady_conf_text(o, "ws", &ws);
	if (err == ADY_OK && ws)
		err = read_url(o, "ws", ws, true, &node->ws);
	node->has_ws = ws != NULL;
	return err;
}

static enum ady_err read_node(struct ady_config_node *node, const struct ady_conf *o)
{
	static const char *const known[] = {"chain",         "url",        "ws",       "ca_file",
	                                    "authorization", "timeout_ms", "stall_ms", NULL};
	int64_t timeout = 10000, stall = 60000;
	enum ady_err err = ady_conf_members(o, known);

	if (err == ADY_OK)
		err = read_chain(o, "chain", &node->chain);
	if (err == ADY_OK && !node->chain)
		return ady_conf_refuse(o, "chain", "is required");
	if (err == ADY_OK)
		err = read_places(node, o);
	if (err == ADY_OK)
		err = ady_conf_text(o, "ca_file", &node->ca_file);
	if (err == ADY_OK)
		err = ady_conf_text(o, "authorization", &node->authorization);
	if (err == ADY_OK && node->authorization && !is_field_value(node->authorization))
		return ady_conf_refuse(o, "authorization", "has a character that no field has");
	if (err == ADY_OK)
		err = ady_conf_number(o, "timeout_ms", 10, 600000, &timeout);
	if (err == ADY_OK)
		err = ady_conf_number(o, "stall_ms", 1000, 3600000, &stall);
	node->timeout_ms = (int)timeout;
	node->stall_ms = (int)stall;
	return err;
}

/* One chain needs no choice; of several, one may be that of who does not choose. */
static enum ady_err read_default(struct ady_gateway_config *c, const struct ady_conf *root)
{
	bool several = false, there = false;
	enum ady_err err = read_chain(root, "default_chain", &c->default_chain);

	for (size_t i = 0; i < c->nodes_n; i++) {
		several = several || c->nodes[i].chain != c->nodes[0].chain;
		there = there || c->nodes[i].chain == c->default_chain;
	}
	if (err == ADY_OK && c->default_chain && !there)
		return ady_conf_refuse(root, "default_chain", "is not the chain of a node");
	if (c->nodes_n > 0 && !several)
		c->default_chain = c->nodes[0].chain;
	return err;
}

static enum ady_err read_nodes(struct ady_gateway_config *c, const struct ady_conf *root)
{
	const json_t *list = json_object_get(root->json, "nodes");
	size_t n = json_array_size(list);
	enum ady_err err = ADY_OK;

	if (list && (n == 0 || n > ADY_GATEWAY_NODES_MAX))
		return ady_conf_refuse(root, "nodes", "is no list of 1 to 64 nodes");
	c->nodes = n ? calloc(n, sizeof *c->nodes) : NULL;
	if (n && !c->nodes)
		return ady_conf_refuse(root, "nodes", "does not fit into memory");
	for (size_t i = 0; err == ADY_OK && i < n; i++) {
		char path[48];
		struct ady_conf o = {json_array_get(list, i), path, root->f};

		snprintf(path, sizeof path, "nodes[%zu]", i);
		err = read_node(&c->nodes[i], &o);
	}
	c->nodes_n = n;
	return err == ADY_OK ? read_default(c, root) : err;
}

/* --- ipc --- */

static bool has_chain(const struct ady_gateway_config *c, uint64_t chain)
{
	for (size_t i = 0; i < c->nodes_n; i++)
		if (c->nodes[i].chain == chain)
			return true;
	return false;
}

/* Whoever opens the socket counts as that tenant, with its quota: it must be one of the callers'.
 */
static bool find_tenant(const struct ady_gateway_config *c, struct ady_config_ipc *ipc)
{
	for (size_t i = 0; i < c->callers_n; i++) {
		const struct ady_config_caller *who = &c->callers[i];

		if (!who->tenant || strcmp(who->tenant, ipc->tenant) != 0)
			continue;
		ipc->tenant_index = who->tenant_index;
		return true;
	}
	return false;
}

static enum ady_err read_socket(const struct ady_gateway_config *c, struct ady_config_ipc *ipc,
                                const struct ady_conf *o)
{
	static const char *const known[] = {"path", "tenant", "chain", NULL};
	const char *path = NULL;
	enum ady_err err = ady_conf_members(o, known);

	if (err == ADY_OK)
		err = ady_conf_need_text(o, "path", &path);
	if (err == ADY_OK &&
	    !ady_bytes_to_str(ipc->at.path, sizeof ipc->at.path, ady_bytes_str(path)))
		return ady_conf_refuse(o, "path", "has over 107 bytes");
	ipc->at.kind = ADY_UNIX;
	if (err == ADY_OK)
		err = ady_conf_text(o, "tenant", &ipc->tenant);
	if (err == ADY_OK && ipc->tenant && !find_tenant(c, ipc))
		return ady_conf_refuse(o, "tenant", "is not the tenant of a caller");
	if (err == ADY_OK && !ipc->tenant && c->callers)
		return ady_conf_refuse(o, "tenant", "is required where there are callers");
	if (err == ADY_OK)
		err = read_chain(o, "chain", &ipc->chain);
	if (err == ADY_OK && ipc->chain && !has_chain(c, ipc->chain))
		return ady_conf_refuse(o, "chain", "is not the chain of a node");
	return err;
}

static enum ady_err read_ipc(struct ady_gateway_config *c, const struct ady_conf *root)
{
	const json_t *list = json_object_get(root->json, "ipc");
	size_t n = json_array_size(list);
	enum ady_err err = ADY_OK;

	if (list && (n == 0 || n > ADY_GATEWAY_LISTEN_MAX))
		return ady_conf_refuse(root, "ipc", "is no list of 1 to 8 sockets");
	for (size_t i = 0; err == ADY_OK && i < n; i++) {
		char path[48];
		struct ady_conf o = {json_array_get(list, i), path, root->f};

		snprintf(path, sizeof path, "ipc[%zu]", i);
		err = read_socket(c, &c->ipc[i], &o);
	}
	c->ipc_n = n;
	return err;
}

enum ady_err ady_config_nodes_read(struct ady_gateway_config *config, const struct ady_conf *root)
{
	enum ady_err err = read_nodes(config, root);

	return err == ADY_OK ? read_ipc(config, root) : err;
}
