/* SPDX-License-Identifier: Apache-2.0
 *
 * The nodes of blockchains behind the gateway. Of a chain's nodes the first that is well is asked;
 * what fails there is asked of the next, if it may be asked twice. Whether a node is well is looked
 * at every few seconds by one thread (node_health.c), for all; a connection that fails makes it
 * unwell at once. Nodes are believed in what they say about their chain, and in nothing else.
 * Thread rule: a shard's thread; struct ady_node is shared. */
#ifndef ADY_GATEWAY_NODE_H
#define ADY_GATEWAY_NODE_H

#include <stdatomic.h>

#include "gateway/config.h"
#include "net/http_client.h"

struct ady_shard;

enum ady_node_state { ADY_NODE_UNKNOWN, ADY_NODE_WELL, ADY_NODE_UNWELL };

/* What all threads know of one node. */
struct ady_node {
	const struct ady_config_node *config;
	SSL_CTX *tls;     /* NULL: neither url is TLS */
	char *fields;     /* NULL, or the Authorization line */
	char origin[300]; /* for logs: no path, which may hold a secret */
	_Atomic int state;
	_Atomic uint64_t block;         /* the newest it has told */
	_Atomic uint64_t asked, failed; /* calls; failures */
};

struct ady_nodes {
	struct ady_node *all;
	size_t n;
};

/* Make the nodes of a configuration. Returns ADY_E_CONFIG (a ca_file that cannot be used) or
 * ADY_E_MEMORY with the reason in f; nodes is to be freed in any case. */
enum ady_err ady_nodes_open(struct ady_nodes *nodes, const struct ady_gateway_config *config,
                            struct ady_fault *f);

/* Free. */
void ady_nodes_free(struct ady_nodes *nodes);

/* Whether there is a node of that chain. */
bool ady_nodes_have(const struct ady_nodes *nodes, uint64_t chain);

/* The place of the node of a chain to be tried next: the first that is well, else the first, of
 * those whose bit is not set in tried. need_ws: only those with a ws URL. SIZE_MAX: there is none.
 */
size_t ady_nodes_pick(const struct ady_nodes *nodes, uint64_t chain, uint64_t tried, bool need_ws);

/* A node has failed or answered. */
void ady_node_mark(struct ady_node *node, enum ady_node_state state, const char *why);

/* The clients of one shard, one for each node. Freed by ady_node_clients_close. */
struct ady_http_client **ady_node_clients_open(struct ady_nodes *nodes, struct ady_loop *loop,
                                               struct ady_pool *pool);

/* NULL is allowed. */
void ady_node_clients_close(struct ady_http_client **clients, size_t n);

/* A question to a chain. */
struct ady_node_ask {
	struct ady_shard *shard;
	uint64_t chain;
	const char *method;      /* a name, or NULL: text is a whole call, put together elsewhere */
	struct ady_bytes params; /* with method: JSON, or empty for none; copied */
	struct ady_bytes text;   /* copied */
	int64_t due_ms;          /* ady_mono_ms */
	bool repeatable;         /* what may have arrived at a node may be asked again */
	/* Once, never from inside ady_node_ask: the members "result" or "error" of the reply as
	 * they stand, one of them empty; or with a fault neither. sent: a node may have got the
	 * question. */
	void (*done)(void *ctx, struct ady_bytes result, struct ady_bytes error, bool sent,
	             const struct ady_fault *f);
	void *ctx;
};

struct ady_node_call;

/* Ask. Out of memory ends the program. */
struct ady_node_call *ady_node_ask(const struct ady_node_ask *ask);

/* Let go of a call that is not done: done is not called. NULL is allowed. */
void ady_node_drop(struct ady_node_call *call);

/* Append what is known of the nodes, as Prometheus text. Any thread. */
void ady_node_put_metrics(struct ady_dyn *out, struct ady_nodes *nodes);

/* Read a quantity in its quotes, "0x" and hex, as a result has it. False: it is none of 64 bits. */
bool ady_node_quantity(struct ady_bytes text, uint64_t *out);

struct ady_node_health;

/* Begin to look after all nodes, on a shard's thread. */
struct ady_node_health *ady_node_health_open(struct ady_shard *shard);

/* NULL is allowed. */
void ady_node_health_close(struct ady_node_health *health);

#endif
