/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking after the nodes (contract in gateway/node.h). A node is well while it answers, is of the
 * chain that the configuration says, and does not stand still while another of its chain goes on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "codec/json_members.h"
#include "gateway/node.h"
#include "gateway/shard.h"

enum {
	WELL_MS = 5000,   /* from one look to the next */
	UNWELL_MS = 1000, /* at a node that is not well */
	ANSWER_MS = 3000,
};

#define OWNER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

struct look {
	struct ady_node_health *health;
	struct ady_node *node;
	struct ady_http_client *client;
	struct ady_timer next;
	struct ady_http_exchange exchange;
	bool chain_seen;  /* of this look: the chain is right, the block is asked for */
	int64_t moved_ms; /* when its block was last a new one */
};

struct ady_node_health {
	struct ady_shard *shard;
	size_t n;
	struct look looks[];
};

static void ask(struct look *l, const char *method)
{
	struct ady_dyn text = {0};

	ady_dyn_printf(&text, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":[]}",
	               method);
	/* A client whose queue is full has a node that does not keep up. */
	if (ady_http_post(l->client, &l->exchange, ady_dyn_bytes(&text),
	                  ady_mono_ms() + ANSWER_MS) != ADY_OK)
		ady_timer_set(l->health->shard->loop, &l->next, WELL_MS);
	ady_dyn_free(&text);
}

static void settle(struct look *l, const char *why)
{
	ady_node_mark(l->node, why ? ADY_NODE_UNWELL : ADY_NODE_WELL, why);
	ady_timer_set(l->health->shard->loop, &l->next, why ? UNWELL_MS : WELL_MS);
}

static bool another_is_ahead(const struct look *l, uint64_t block)
{
	for (size_t i = 0; i < l->health->n; i++) {
		const struct ady_node *node = l->health->looks[i].node;

		if (node != l->node && node->config->chain == l->node->config->chain &&
		    atomic_load(&node->state) == ADY_NODE_WELL && atomic_load(&node->block) > block)
			return true;
	}
	return false;
}

static void on_block(struct look *l, uint64_t block)
{
	int64_t now = ady_mono_ms();

	if (block != atomic_load(&l->node->block) || l->moved_ms == 0)
		l->moved_ms = now;
	atomic_store(&l->node->block, block);
	settle(l, now - l->moved_ms >= l->node->config->stall_ms && another_is_ahead(l, block)
	              ? "it has no new blocks, others have"
	              : NULL);
}

static void on_chain(struct look *l, uint64_t chain)
{
	char why[96];

	if (chain != l->node->config->chain) {
		snprintf(why, sizeof why, "it is of chain %llu", (unsigned long long)chain);
		settle(l, why);
		return;
	}
	l->chain_seen = true;
	ask(l, "eth_blockNumber");
}

static void on_done(struct ady_http_exchange *x, const struct ady_http_head *head,
                    struct ady_bytes body, const struct ady_fault *f)
{
	struct look *l = OWNER(x, struct look, exchange);
	struct ady_bytes result;
	uint64_t v;

	if (!head)
		settle(l, f->detail);
	else if (ady_json_members_get(body, "result", &result) != ADY_OK ||
	         !ady_node_quantity(result, &v))
		settle(l, l->chain_seen ? "it does not answer eth_blockNumber"
		                        : "it does not answer eth_chainId");
	else if (l->chain_seen)
		on_block(l, v);
	else
		on_chain(l, v);
}

static void on_next(struct ady_timer *timer)
{
	struct look *l = OWNER(timer, struct look, next);

	l->chain_seen = false;
	ask(l, "eth_chainId");
}

struct ady_node_health *ady_node_health_open(struct ady_shard *shard)
{
	size_t n = shard->gateway->nodes.n;
	struct ady_node_health *h = calloc(1, sizeof *h + n * sizeof *h->looks);

	if (!h)
		ADY_BUG("out of memory");
	h->shard = shard;
	h->n = n;
	for (size_t i = 0; i < n; i++) {
		struct look *l = &h->looks[i];

		l->health = h;
		l->node = &shard->gateway->nodes.all[i];
		l->client = shard->node_clients[i];
		l->next.fn = on_next;
		l->exchange.done = on_done;
		ady_timer_set(shard->loop, &l->next, 0);
	}
	return h;
}

void ady_node_health_close(struct ady_node_health *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->n; i++) {
		ady_timer_cancel(h->shard->loop, &h->looks[i].next);
		ady_http_forget(&h->looks[i].exchange);
	}
	free(h);
}
