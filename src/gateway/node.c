/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "net/connect.h"

enum {
	CONNECTIONS_MAX = 32, /* of a shard to a node */
	WAITING_MAX = 1024,
	REPLY_MAX = 32 * 1024 * 1024,
	CONNECT_MS = 3000,
	IDLE_MS = 55000, /* servers commonly end idle connections after a minute or more */
};

static enum ady_err open_node(struct ady_node *node, struct ady_fault *f)
{
	const struct ady_config_node *c = node->config;
	struct ady_dyn line = {0};

	ady_url_origin(node->origin, sizeof node->origin, &c->url);
	if (c->authorization) {
		ady_dyn_printf(&line, "Authorization: %s\r\n", c->authorization);
		node->fields = strdup(ady_dyn_cstr(&line));
		ady_dyn_free(&line);
		if (!node->fields)
			return ady_fail(f, ADY_E_MEMORY, NULL, "out of memory");
	}
	if (c->url.tls || (c->has_ws && c->ws.tls))
		return ady_tls_client(&node->tls, c->ca_file, f);
	return ADY_OK;
}

enum ady_err ady_nodes_open(struct ady_nodes *nodes, const struct ady_gateway_config *config,
                            struct ady_fault *f)
{
	*nodes = (struct ady_nodes){0};
	if (config->nodes_n == 0)
		return ADY_OK;
	nodes->all = calloc(config->nodes_n, sizeof *nodes->all);
	if (!nodes->all)
		return ady_fail(f, ADY_E_MEMORY, NULL, "out of memory");
	nodes->n = config->nodes_n;
	for (size_t i = 0; i < nodes->n; i++) {
		enum ady_err err;

		nodes->all[i].config = &config->nodes[i];
		err = open_node(&nodes->all[i], f);
		if (err != ADY_OK)
			return err;
	}
	return ADY_OK;
}

void ady_nodes_free(struct ady_nodes *nodes)
{
	for (size_t i = 0; i < nodes->n; i++) {
		SSL_CTX_free(nodes->all[i].tls);
		free(nodes->all[i].fields);
	}
	free(nodes->all);
	*nodes = (struct ady_nodes){0};
}

bool ady_nodes_have(const struct ady_nodes *nodes, uint64_t chain)
{
	return ady_nodes_pick(nodes, chain, 0, false) != SIZE_MAX;
}

size_t ady_nodes_pick(const struct ady_nodes *nodes, uint64_t chain, uint64_t tried, bool need_ws)
{
	size_t first = SIZE_MAX;

	for (size_t i = 0; i < nodes->n; i++) {
		const struct ady_node *node = &nodes->all[i];

		if (node->config->chain != chain || tried >> i & 1 ||
		    (need_ws && !node->config->has_ws))
			continue;
		if (atomic_load(&node->state) != ADY_NODE_UNWELL)
			return i;
		if (first == SIZE_MAX)
			first = i;
	}
	return first;
}

void ady_node_mark(struct ady_node *node, enum ady_node_state state, const char *why)
{
	int before = atomic_exchange(&node->state, state);

	if (state == ADY_NODE_UNWELL)
		atomic_fetch_add(&node->failed, 1);
	if (before == (int)state)
		return;
	if (state == ADY_NODE_UNWELL)
		ADY_WARN("node unwell", "chain=%llu node=%s reason=\"%s\"",
		         (unsigned long long)node->config->chain, node->origin, why);
	else
		ADY_INFO("node well", "chain=%llu node=%s", (unsigned long long)node->config->chain,
		         node->origin);
}

struct ady_http_client **ady_node_clients_open(struct ady_nodes *nodes, struct ady_loop *loop,
                                               struct ady_pool *pool)
{
	struct ady_http_client **clients = calloc(nodes->n + 1, sizeof(struct ady_http_client *));

	if (!clients)
		ADY_BUG("out of memory");
	for (size_t i = 0; i < nodes->n; i++) {
		const struct ady_http_client_config config = {
		    .loop = loop,
		    .pool = pool,
		    .url = &nodes->all[i].config->url,
		    .tls = nodes->all[i].tls,
		    .fields = nodes->all[i].fields,
		    .connections_max = CONNECTIONS_MAX,
		    .waiting_max = WAITING_MAX,
		    .reply_max = REPLY_MAX,
		    .connect_ms = CONNECT_MS,
		    .idle_ms = IDLE_MS,
		};

		clients[i] = ady_http_client_open(&config);
	}
	return clients;
}

void ady_node_clients_close(struct ady_http_client **clients, size_t n)
{
	if (!clients)
		return;
	for (size_t i = 0; i < n; i++)
		ady_http_client_close(clients[i]);
	free(clients);
}

/* A node is named by its place in the configuration: its URL may hold a secret. */
void ady_node_put_metrics(struct ady_dyn *out, struct ady_nodes *nodes)
{
	static const struct {
		const char *name, *type, *help;
	} rows[] = {
	    {"adyton_node_well", "gauge", "1: the node answers and is of its chain."},
	    {"adyton_node_block", "gauge", "The newest block that the node told of."},
	    {"adyton_node_calls_total", "counter", "Calls sent to the node."},
	    {"adyton_node_failures_total", "counter", "Times that the node failed."},
	};

	for (size_t r = 0; nodes->n > 0 && r < sizeof rows / sizeof *rows; r++) {
		ady_dyn_printf(out, "# HELP %s %s\n# TYPE %s %s\n", rows[r].name, rows[r].help,
		               rows[r].name, rows[r].type);
		for (size_t i = 0; i < nodes->n; i++) {
			struct ady_node *node = &nodes->all[i];
			uint64_t values[] = {atomic_load(&node->state) == ADY_NODE_WELL,
			                     atomic_load(&node->block), atomic_load(&node->asked),
			                     atomic_load(&node->failed)};

			ady_dyn_printf(out, "%s{chain=\"%llu\",node=\"%zu\"} %llu\n", rows[r].name,
			               (unsigned long long)node->config->chain, i,
			               (unsigned long long)values[r]);
		}
	}
}
