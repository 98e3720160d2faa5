/* SPDX-License-Identifier: Apache-2.0
 *
 * The pages by which Web3Signer's clients and operators know that it lives. */
#include <string.h>

#include "base/clock.h"
#include "gateway/answer.h"
#include "gateway/op.h"

static bool names(struct ady_bytes accept, const char *type)
{
	return accept.p && memmem(accept.p, accept.n, type, strlen(type));
}

/* Web3Signer's answers are text, and its clients' libraries accept anything: only who names JSON,
 * and does not name text, wants it. */
bool ady_wants_json(const struct ady_http_request *req)
{
	struct ady_bytes accept = ady_http_field(&req->head, "accept");

	return names(accept, ADY_JSON_TYPE) && !names(accept, "text/plain");
}

static void answer(struct ady_shard *shard, struct ady_http_request *req, enum ady_route route,
                   int status, const char *type)
{
	char id[ADY_REQUEST_ID_MAX + 1];

	ady_request_id(shard, req, id);
	ady_answer_now(shard, req, route, status, type, NULL, id);
}

void ady_page_upcheck(struct ady_shard *shard, struct ady_http_request *req)
{
	bool json = ady_wants_json(req);

	shard->out.n = 0;
	ady_dyn_str(&shard->out, json ? "{\"status\":\"OK\"}\n" : "OK");
	answer(shard, req, ADY_ROUTE_UPCHECK, 200, json ? ADY_JSON_TYPE : "text/plain");
}

static void put_check(struct ady_dyn *out, const char *before, const char *id, bool ok)
{
	ady_dyn_printf(out, "%s{\"id\":\"%s\",\"status\":\"%s\"}", before, id, ok ? "UP" : "DOWN");
}

void ady_page_healthcheck(struct ady_shard *shard, struct ady_http_request *req)
{
	struct ady_dyn *out = &shard->out;
	struct ady_readiness r;
	const char *status;

	ady_readiness(shard->gateway, &r);
	status = r.enclave.ok && r.kms.ok && r.store.ok && r.states.ok ? "UP" : "DOWN";
	out->n = 0;
	ady_dyn_printf(out, "{\"status\":\"%s\",\"checks\":", status);
	put_check(out, "[", "enclave", r.enclave.ok);
	put_check(out, ",", "kms", r.kms.ok);
	put_check(out, ",", "keys-check", r.store.ok);
	if (shard->gateway->config->validators.on)
		put_check(out, ",", "slashing-protection-db-health-check", r.states.ok);
	ady_dyn_printf(out, "],\"outcome\":\"%s\"}\n", status);
	answer(shard, req, ADY_ROUTE_HEALTHCHECK, status[0] == 'U' ? 200 : 503, ADY_JSON_TYPE);
}

/* Keys are read from the store when they are used. What has been read before is not used again:
 * that is all there is to reload. */
void ady_page_reload(struct ady_shard *shard, struct ady_http_request *req)
{
	struct ady_caller caller;
	struct ady_fault f;

	if (!ady_op_from_client(shard, req, ADY_ROUTE_RELOAD, &caller))
		return;
	if (!caller.everyone && !caller.admin) {
		(void)ady_fail(&f, ADY_E_DENIED, NULL, "is for administrators");
		ady_problem_now(shard, req, ADY_ROUTE_RELOAD, &f, NULL);
		return;
	}
	shard->gateway->reloaded_ms = ady_mono_ms();
	shard->gateway->reloaded_s = ady_wall_ms() / 1000;
	shard->out.n = 0;
	ady_dyn_str(&shard->out, "{\"status\":\"accepted\",\"message\":\"each key is read from the "
	                         "store again when it is used next\"}\n");
	answer(shard, req, ADY_ROUTE_RELOAD, 202, ADY_JSON_TYPE);
}

void ady_page_reload_status(struct ady_shard *shard, struct ady_http_request *req)
{
	int64_t at = shard->gateway->reloaded_s;
	char text[21];

	shard->out.n = 0;
	if (at == 0) {
		ady_dyn_str(&shard->out, "{\"status\":\"idle\"}\n");
	} else {
		ady_time_rfc3339(text, at);
		ady_dyn_printf(&shard->out,
		               "{\"status\":\"completed\",\"lastOperationTime\":\"%s\"}\n", text);
	}
	answer(shard, req, ADY_ROUTE_RELOAD, 200, ADY_JSON_TYPE);
}
