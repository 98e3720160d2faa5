/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/gateway.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "gateway/account.h"
#include "gateway/answer.h"
#include "gateway/commit_boost.h"
#include "gateway/keymanager.h"
#include "gateway/quota_keys.h"
#include "gateway/shard.h"

enum { DIALERS_MAX = 4, DIAL_QUEUE = 2 * ADY_GATEWAY_THREADS_MAX };
enum { LOOKUP_THREADS = 2, LOOKUP_QUEUE = 256 };

static enum ady_err make_tls(const struct ady_gateway_config *config, SSL_CTX **tls,
                             struct ady_fault *f)
{
	*tls = NULL;
	if (!config->tls.cert)
		return ADY_OK;
	return ady_tls_server(tls, config->tls.cert, config->tls.key, config->tls.client_ca, f);
}

static enum ady_err open_services(struct ady_gateway *g, struct ady_fault *f)
{
	const struct ady_gateway_config *config = g->config;
	size_t dialers = config->threads < DIALERS_MAX ? config->threads : DIALERS_MAX;
	enum ady_err err = make_tls(config, &g->tls, f);

	if (err == ADY_OK && ady_pool_open(&g->dialers, dialers, DIAL_QUEUE) != ADY_OK)
		err = ady_fail(f, ADY_E_MEMORY, NULL, "threads cannot be started");
	if (err == ADY_OK && ady_secp_open(&g->secp) != ADY_OK)
		err = ady_fail(f, ADY_E_MEMORY, NULL, "no context for signatures");
	if (err == ADY_OK && (ady_quotas_open(&g->quotas, config) != ADY_OK ||
	                      ady_quota_keys_open(&g->quota_keys, config) != ADY_OK))
		err = ady_fail(f, ADY_E_MEMORY, NULL, "out of memory");
	if (err == ADY_OK)
		err = ady_credentials_open(&g->credentials, &config->aws, f);
	if (err == ADY_OK)
		err = ady_store_open(&g->store, config, g->credentials, f);
	if (err == ADY_OK && config->attestation.root)
		err = ady_attestation_read_root(g->attestation_root, &g->attestation_root_n,
		                                config->attestation.root, f);
	if (err == ADY_OK && config->states)
		err = ady_states_open(&g->states, config->states, f);
	if (err == ADY_OK && config->audit.folder)
		err = ady_audit_open(&g->audit, &config->audit, f);
	if (err == ADY_OK && config->keymanager.n > 0)
		err = ady_keymanager_open(&g->keymanager, config, f);
	if (err == ADY_OK && config->commit_boost.n > 0)
		err = ady_commit_boost_open(&g->commit_boost, config, f);
	if (err == ADY_OK)
		err = ady_nodes_open(&g->nodes, config, f);
	if (err == ADY_OK && (g->nodes.n > 0 || config->validators.has_beacon) &&
	    ady_pool_open(&g->lookups, LOOKUP_THREADS, LOOKUP_QUEUE) != ADY_OK)
		err = ady_fail(f, ADY_E_MEMORY, NULL, "threads cannot be started");
	if (err == ADY_OK && (ady_accounts_open(&g->accounts) != ADY_OK ||
	                      ady_tenant_keys_open(&g->tenant_keys) != ADY_OK))
		err = ady_fail(f, ADY_E_MEMORY, NULL, "out of memory");
	if (err == ADY_OK && config->relay.on)
		err = ady_relay_open(&g->relay, &config->relay, NULL, f);
	return err;
}

/* The shards share their ports, and would share them with a gateway that runs there already, each
 * getting a part of the requests. So every port is had alone for a moment first. */
static enum ady_err claim_ports(struct ady_gateway *g, struct ady_fault *f)
{
	for (size_t i = 0; i < g->config->listen_n; i++) {
		struct ady_endpoint *at = &g->listen[i];
		enum ady_err err;
		int fd;

		if (at->kind != ADY_TCP || g->config->threads == 1)
			continue;
		if (at->port != 0) {
			err = ady_listen(&fd, at, f);
			if (err != ADY_OK)
				return err;
			close(fd);
		}
		at->shared = true;
	}
	return ADY_OK;
}

static enum ady_err open_shards(struct ady_gateway *g, struct ady_fault *f)
{
	enum ady_err err = ADY_OK;

	for (size_t i = 0; err == ADY_OK && i < g->config->threads; i++) {
		err = ady_shard_open(&g->shards[i], g, i, f);
		g->shards_n += g->shards[i] != NULL;
	}
	for (size_t i = 0; err == ADY_OK && i < g->shards_n; i++)
		if (ady_shard_start(g->shards[i]) != ADY_OK)
			err = ady_fail(f, ADY_E_MEMORY, NULL, "threads cannot be started");
	return err;
}

enum ady_err ady_gateway_open(struct ady_gateway **gateway, const struct ady_gateway_config *config,
                              struct ady_fault *f)
{
	struct ady_gateway *g = calloc(1, sizeof *g);
	enum ady_err err;

	*gateway = NULL;
	if (!g)
		return ady_fail(f, ADY_E_MEMORY, NULL, "out of memory");
	g->config = config;
	g->running = true;
	memcpy(g->listen, config->listen, sizeof g->listen);
	err = claim_ports(g, f);
	if (err == ADY_OK)
		err = open_services(g, f);
	if (err == ADY_OK)
		err = open_shards(g, f);
	if (err == ADY_OK) {
		ady_store_probe(g->store); /* so that readiness is known soon */
		*gateway = g;
	} else {
		ady_gateway_close(g);
	}
	return err;
}

void ady_gateway_put_ready(const struct ady_gateway *g, struct ady_dyn *out)
{
	ady_dyn_str(out, "{\"listen\":[");
	for (size_t i = 0; i < g->config->listen_n; i++) {
		const struct ady_endpoint *e = &g->listen[i];
		bool six = strchr(e->path, ':') != NULL;
		char text[160];

		if (e->kind == ADY_TCP)
			snprintf(text, sizeof text, "%s://%s%s%s:%u", g->tls ? "https" : "http",
			         six ? "[" : "", e->path, six ? "]" : "", e->port);
		else
			snprintf(text, sizeof text, "unix:%s", e->path);
		if (i > 0)
			ady_dyn_str(out, ",");
		ady_answer_string(out, text);
	}
	ady_dyn_str(out, "]}\n");
}

enum ady_err ady_gateway_reload(struct ady_gateway *g, struct ady_fault *f)
{
	SSL_CTX *tls;
	enum ady_err err = make_tls(g->config, &tls, f);

	if (err != ADY_OK || !tls)
		return err;
	for (size_t i = 0; i < g->shards_n; i++) {
		struct ady_shard *s = g->shards[i];
		SSL_CTX *older;

		SSL_CTX_up_ref(tls);
		older = __atomic_exchange_n(&s->new_tls, tls, __ATOMIC_ACQ_REL);
		if (older)
			SSL_CTX_free(older); /* its task has not run yet, and will find tls */
		else
			ady_loop_post(s->loop, &s->reload);
	}
	SSL_CTX_free(tls);
	return ADY_OK;
}

void ady_gateway_drain(struct ady_gateway *g, int ms)
{
	if (!g->running)
		return;
	g->running = false;
	g->drain_ms = ms;
	for (size_t i = 0; i < g->shards_n; i++)
		if (g->shards[i]->started)
			ady_loop_post(g->shards[i]->loop, &g->shards[i]->drain);
	for (size_t i = 0; i < g->shards_n; i++)
		if (g->shards[i]->started)
			pthread_join(g->shards[i]->thread, NULL);
}

/* Whoever posts to a loop ends before the loop is freed. */
void ady_gateway_close(struct ady_gateway *g)
{
	if (!g)
		return;
	ady_gateway_drain(g, 0);
	ady_pool_close(g->dialers);
	ady_pool_close(g->lookups);
	ady_store_close(g->store);
	ady_states_close(g->states);
	ady_audit_close(g->audit);
	ady_keymanager_close(g->keymanager);
	ady_commit_boost_close(g->commit_boost);
	ady_credentials_close(g->credentials);
	ady_relay_close(g->relay);
	for (size_t i = 0; i < g->shards_n; i++)
		ady_shard_close(g->shards[i]);
	ady_nodes_free(&g->nodes);
	ady_accounts_close(g->accounts);
	ady_tenant_keys_close(g->tenant_keys);
	ady_quotas_close(g->quotas);
	ady_quota_keys_close(g->quota_keys);
	SSL_CTX_free(g->tls);
	ady_secp_close(g->secp);
	free(g);
}
