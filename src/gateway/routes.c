/* SPDX-License-Identifier: Apache-2.0
 *
 * From a request's path to who answers it. */
#include <string.h>

#include "gateway/answer.h"
#include "gateway/op.h"
#include "gateway/rpc.h"
#include "gateway/session.h"
#include "net/ws_handshake.h"

static const char keys[] = "/v1/keys/", sign[] = "/sign", chains[] = "/chain/";

struct route {
	const char *path, *method, *allow;
	enum ady_route id;
	void (*page)(struct ady_shard *shard, struct ady_http_request *req);
};

static const struct route routes[] = {
    {"/v1/keys", "POST", "Allow: POST\r\n", ADY_ROUTE_KEYS, ady_create_key},
    {"/v1/lock", "POST", "Allow: POST\r\n", ADY_ROUTE_KEYS, ady_lock_keys},
    {"/v1/attestation", "GET", "Allow: GET, HEAD\r\n", ADY_ROUTE_ATTESTATION, ady_page_attestation},
    {"/healthz", "GET", "Allow: GET, HEAD\r\n", ADY_ROUTE_HEALTH, ady_page_health},
    {"/readyz", "GET", "Allow: GET, HEAD\r\n", ADY_ROUTE_READY, ady_page_ready},
    {"/metrics", "GET", "Allow: GET, HEAD\r\n", ADY_ROUTE_METRICS, ady_page_metrics},
};

/* Where there is GET there is HEAD (RFC 9110 9.1); its answer leaves without its body. */
static bool takes(const struct route *r, struct ady_bytes method)
{
	return ady_bytes_is(method, r->method) ||
	       (ady_bytes_is(method, "HEAD") && strcmp(r->method, "GET") == 0);
}

static void wrong_method(struct ady_shard *shard, struct ady_http_request *req,
                         enum ady_route route, const char *allow)
{
	struct ady_fault f;

	(void)ady_fail(&f, ADY_E_METHOD, "method", "see the Allow header");
	ady_problem_now(shard, req, route, &f, allow);
}

/* "/v1/keys/{id}/sign": the id is one segment, slashes in it are percent-encoded. */
static bool is_sign_path(struct ady_bytes path, struct ady_bytes *id)
{
	const size_t head = sizeof keys - 1, tail = sizeof sign - 1;

	if (path.n < head + tail || memcmp(path.p, keys, head) != 0 ||
	    memcmp(path.p + path.n - tail, sign, tail) != 0)
		return false;
	*id = ady_bytes_sub(path, head, path.n - head - tail);
	return id->n > 0 && !memchr(id->p, '/', id->n);
}

/* "/" is the default chain (0 here), "/chain/{id}" the one of that decimal number. */
static bool is_rpc_path(struct ady_bytes path, uint64_t *chain)
{
	const size_t head = sizeof chains - 1;

	*chain = 0;
	if (ady_bytes_is(path, "/"))
		return true;
	if (path.n <= head || path.n > head + 18 || memcmp(path.p, chains, head) != 0 ||
	    path.p[head] == '0')
		return false;
	for (size_t i = head; i < path.n; i++) {
		if (path.p[i] < '0' || path.p[i] > '9')
			return false;
		*chain = *chain * 10 + (uint64_t)(path.p[i] - '0');
	}
	return true;
}

static void to_chain(struct ady_shard *shard, struct ady_http_request *req, uint64_t chain)
{
	struct ady_fault f;

	if (chain && !ady_nodes_have(&shard->gateway->nodes, chain)) {
		(void)ady_fail(&f, ADY_E_NOT_FOUND, "path", "there is no node of that chain");
		ady_problem_now(shard, req, ADY_ROUTE_RPC, &f, NULL);
	} else if (ady_ws_is_upgrade(&req->head)) {
		ady_session_upgrade(shard, req, chain);
	} else if (ady_bytes_is(req->head.method, "POST")) {
		ady_page_rpc(shard, req, chain);
	} else {
		wrong_method(shard, req, ADY_ROUTE_RPC, "Allow: POST\r\n");
	}
}

void ady_route_request(void *ctx, struct ady_http_request *req)
{
	struct ady_shard *shard = ctx;
	struct ady_bytes path = req->head.path, id;
	struct ady_fault f;
	uint64_t chain;

	if (is_rpc_path(path, &chain)) {
		to_chain(shard, req, chain);
		return;
	}
	if (is_sign_path(path, &id)) {
		if (ady_bytes_is(req->head.method, "POST"))
			ady_sign_native(shard, req, id);
		else
			wrong_method(shard, req, ADY_ROUTE_SIGN, "Allow: POST\r\n");
		return;
	}
	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
		const struct route *r = &routes[i];

		if (!ady_bytes_is(path, r->path))
			continue;
		if (takes(r, req->head.method))
			r->page(shard, req);
		else
			wrong_method(shard, req, r->id, r->allow);
		return;
	}
	(void)ady_fail(&f, ADY_E_NOT_FOUND, "path", "there is no such page");
	ady_problem_now(shard, req, ADY_ROUTE_OTHER, &f, NULL);
}

/* Blobs come by JSON-RPC alone; all else that is signed is bounded by the wire. */
size_t ady_route_body_max(void *shard, const struct ady_http_head *head)
{
	uint64_t chain;

	(void)shard;
	return is_rpc_path(head->path, &chain) ? (size_t)ADY_RPC_TEXT_MAX
	                                       : (size_t)ADY_WIRE_REQUEST_MAX;
}

void ady_route_refused(void *ctx, int status, const struct ady_fault *f, const char **type,
                       struct ady_dyn *body)
{
	struct ady_shard *shard = ctx;

	ady_metrics_request(&shard->metrics, ADY_ROUTE_OTHER, status);
	*type = ADY_PROBLEM_TYPE;
	ady_answer_problem(body, status, f, NULL);
}
