/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/shard.h"

#include <stdlib.h>

#include "base/log.h"
#include "crypto/rng.h"
#include "gateway/beacon.h"
#include "gateway/op.h"
#include "gateway/rotation.h"
#include "gateway/rpc.h"
#include "gateway/session.h"
#include "gateway/validating.h"

#define OWNER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

void ady_shard_hold(struct ady_shard *s)
{
	s->holds++;
}

void ady_shard_let(struct ady_shard *s)
{
	if (--s->holds == 0 && s->stopping)
		ady_loop_stop(s->loop);
}

/* What is still unanswered has had its time. */
static void links_stopped(void *ctx)
{
	struct ady_shard *s = ctx;

	ady_rpc_fail_all(s); /* before the ops that carry their answers */
	ady_op_fail_all(s);
	s->stopping = true;
	if (s->holds > 0) {
		ady_store_stop(s->gateway->store);
		ady_credentials_stop(s->gateway->credentials);
	} else {
		ady_loop_stop(s->loop);
	}
}

/* The listeners have ended one after the other; then the links, then the loop. */
static void drained(void *ctx)
{
	struct ady_shard *s = ctx;

	if (--s->draining == 0)
		ady_enclaves_stop(s->enclaves, links_stopped);
}

static void on_drain(struct ady_task *task)
{
	struct ady_shard *s = OWNER(task, struct ady_shard, drain);

	s->draining = s->servers_n + 2;
	ady_session_unlisten(s);
	ady_session_drain(s, s->gateway->drain_ms, drained);
	for (size_t i = 0; i < s->servers_n; i++)
		ady_http_server_drain(s->servers[i], s->gateway->drain_ms, drained);
	drained(s); /* a shard may have no listener of its own */
}

static void on_reload(struct ady_task *task)
{
	struct ady_shard *s = OWNER(task, struct ady_shard, reload);
	SSL_CTX *tls = __atomic_exchange_n(&s->new_tls, NULL, __ATOMIC_ACQ_REL);

	for (size_t i = 0; i < s->servers_n; i++)
		if (s->gateway->listen[i].kind == ADY_TCP)
			ady_http_server_set_tls(s->servers[i], tls);
	SSL_CTX_free(tls);
}

/* TCP ports are shared by the shards; a Unix socket can have one owner, the first shard. */
static enum ady_err open_servers(struct ady_shard *s, struct ady_fault *f)
{
	const struct ady_gateway_config *config = s->gateway->config;

	for (size_t i = 0; i < config->listen_n; i++) {
		struct ady_endpoint *at = &s->gateway->listen[i];
		struct ady_http_config http = {
		    .listen = *at,
		    .tls = at->kind == ADY_TCP ? s->gateway->tls : NULL,
		    .limits = ady_http_default_limits(),
		    .body_max = ady_route_body_max,
		    .request = ady_route_request,
		    .refused = ady_route_refused,
		    .ctx = s,
		};
		enum ady_err err;

		http.limits.body_max = ADY_WIRE_REQUEST_MAX; /* longer ones are few at once */
		if (at->kind != ADY_TCP && s->index > 0)
			continue;
		err = ady_http_server_open(&s->servers[s->servers_n], s->loop, &http, f);
		if (err != ADY_OK)
			return err;
		s->servers_n++;
		*at = http.listen; /* port 0 has become a port */
	}
	return ADY_OK;
}

static enum ady_err open_enclaves(struct ady_shard *s, struct ady_fault *f)
{
	const struct ady_enclaves_config config = {
	    .loop = s->loop,
	    .at = s->gateway->config->enclaves,
	    .n = s->gateway->config->enclaves_n,
	    .dialers = s->gateway->dialers,
	    .gates = s->gateway->gates,
	    .credentials = s->gateway->credentials,
	    .refreshed = ady_signing_refreshed,
	    .question = ady_shard_question,
	    .audit = s->gateway->audit,
	    .fetches = s->index == 0,
	    .proof = &s->proof,
	    .ctx = s,
	};

	if (ady_enclaves_open(&s->enclaves, &config) == ADY_OK)
		return ADY_OK;
	return ady_fail(f, ADY_E_MEMORY, NULL, "out of memory");
}

enum ady_err ady_shard_open(struct ady_shard **shard, struct ady_gateway *gateway, size_t index,
                            struct ady_fault *f)
{
	struct ady_shard *s = calloc(1, sizeof *s);
	enum ady_err err;

	*shard = s;
	if (!s)
		return ady_fail(f, ADY_E_MEMORY, NULL, "out of memory");
	s->gateway = gateway;
	s->index = index;
	s->drain.fn = on_drain;
	s->reload.fn = on_reload;
	ady_random(&s->next_id, sizeof s->next_id);
	err = ady_loop_open(&s->loop);
	if (err != ADY_OK)
		return ady_fail(f, err, NULL, "the event loop cannot be made");
	s->node_clients = ady_node_clients_open(&gateway->nodes, s->loop, gateway->lookups);
	if (gateway->config->validators.has_beacon && !(s->beacon = ady_beacon_client(s, f)))
		return f->err;
	if (ady_fair_open(&s->fair, gateway->config) != ADY_OK)
		return ady_fail(f, ADY_E_MEMORY, NULL, "out of memory");
	err = open_servers(s, f);
	if (err == ADY_OK && index == 0) {
		s->health = ady_node_health_open(s);
		ady_rotations_watch(s);
		err = ady_session_listen(s, f);
	}
	return err == ADY_OK ? open_enclaves(s, f) : err;
}

static void *shard_main(void *arg)
{
	struct ady_shard *s = arg;

	ady_loop_run(s->loop);
	return NULL;
}

enum ady_err ady_shard_start(struct ady_shard *s)
{
	s->started = pthread_create(&s->thread, NULL, shard_main, s) == 0;
	return s->started ? ADY_OK : ADY_E_MEMORY;
}

void ady_shard_close(struct ady_shard *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->servers_n; i++)
		ady_http_server_close(s->servers[i]);
	ady_session_unlisten(s);
	ady_session_drop_all(s);
	ady_node_health_close(s->health);
	ady_node_clients_close(s->node_clients, s->gateway->nodes.n);
	ady_enclaves_close(s->enclaves);
	ady_http_client_close(s->beacon);
	ady_fair_close(s->fair);
	ady_loop_close(s->loop);
	while (s->free_ops) {
		struct ady_op *op = s->free_ops;

		s->free_ops = op->next;
		free(op);
	}
	ady_rotation_free_all(s);
	ady_rotations_close(s->rotations_watch);
	ady_signing_free_all(s);
	ady_validating_free_all(s);
	SSL_CTX_free(s->new_tls);
	ady_dyn_free(&s->out);
	free(s);
}
