/* SPDX-License-Identifier: Apache-2.0
 *
 * From a request's path to who answers it. */
#include <string.h>

#include "gateway/answer.h"
#include "gateway/commit_boost.h"
#include "gateway/derive.h"
#include "gateway/eth2.h"
#include "gateway/keymanager.h"
#include "gateway/keys.h"
#include "gateway/op.h"
#include "gateway/proofs.h"
#include "gateway/rotation.h"
#include "gateway/rpc.h"
#include "gateway/session.h"
#include "net/ws_handshake.h"

/* A path may have one segment {id}; slashes in it are percent-encoded. Where a path takes several
 * methods it has several rows, each with all of them in allow. allow NULL: page_of looks at the
 * method itself. */
struct route {
	const char *path, *method, *allow;
	enum ady_route id;
	void (*page)(struct ady_shard *shard, struct ady_http_request *req);
	void (*page_of)(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id);
};

#define GET "GET", "Allow: GET, HEAD\r\n"
#define POST "POST", "Allow: POST\r\n"
#define BOTH "Allow: GET, HEAD, POST\r\n"
#define ONE "Allow: GET, HEAD, PATCH, DELETE\r\n"
#define MANY "Allow: GET, HEAD, POST, DELETE\r\n"
#define SETTING_BY(name, method, page)                                                         \
	{                                                                                      \
		"/eth/v1/validator/{id}/" name, method, MANY, ADY_ROUTE_KEYMANAGER, NULL, page \
	}
#define SETTING(name, page)                                            \
	SETTING_BY(name, "GET", page), SETTING_BY(name, "POST", page), \
	    SETTING_BY(name, "DELETE", page)

static void to_chain(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id);

static const struct route routes[] = {
    {"/", "POST", NULL, ADY_ROUTE_RPC, NULL, to_chain},
    {"/chain/{id}", "POST", NULL, ADY_ROUTE_RPC, NULL, to_chain},
    {"/v1/keys", "GET", BOTH, ADY_ROUTE_KEYS, ady_keys_list, NULL},
    {"/v1/keys", "POST", BOTH, ADY_ROUTE_KEYS, ady_keys_create, NULL},
    {"/v1/keys/{id}", "GET", ONE, ADY_ROUTE_KEYS, NULL, ady_keys_show},
    {"/v1/keys/{id}", "PATCH", ONE, ADY_ROUTE_KEYS, NULL, ady_keys_patch},
    {"/v1/keys/{id}", "DELETE", ONE, ADY_ROUTE_KEYS, NULL, ady_keys_delete},
    {"/v1/keys/{id}/disable", POST, ADY_ROUTE_KEYS, NULL, ady_keys_disable},
    {"/v1/keys/{id}/enable", POST, ADY_ROUTE_KEYS, NULL, ady_keys_enable},
    {"/v1/keys/{id}/restore", POST, ADY_ROUTE_KEYS, NULL, ady_keys_restore},
    {"/v1/keys/{id}/policy", "PUT", "Allow: PUT\r\n", ADY_ROUTE_KEYS, NULL, ady_keys_policy},
    {"/v1/tenants/{id}/rotate", "GET", BOTH, ADY_ROUTE_KEYS, NULL, ady_rotations_show},
    {"/v1/tenants/{id}/rotate", "POST", BOTH, ADY_ROUTE_KEYS, NULL, ady_rotations_post},
    {"/v1/lock", POST, ADY_ROUTE_KEYS, ady_lock_keys, NULL},
    {"/v1/keys/{id}/backup", POST, ADY_ROUTE_KEYS, NULL, ady_keys_backup},
    {"/v1/keys/{id}/sign", POST, ADY_ROUTE_SIGN, NULL, ady_sign_native},
    {"/v1/keys/{id}/derive", POST, ADY_ROUTE_KEYS, NULL, ady_derive_page},
    {"/v1/keys/{id}/duty", POST, ADY_ROUTE_DUTY, NULL, ady_duty_native},
    {"/v1/slashing", "GET", BOTH, ADY_ROUTE_SLASHING, ady_slashing_export, NULL},
    {"/v1/slashing", "POST", BOTH, ADY_ROUTE_SLASHING, ady_slashing_import, NULL},
    {"/eth/v1/keystores", "GET", MANY, ADY_ROUTE_KEYMANAGER, ady_keymanager_list, NULL},
    {"/eth/v1/keystores", "POST", MANY, ADY_ROUTE_KEYMANAGER, ady_keymanager_import, NULL},
    {"/eth/v1/keystores", "DELETE", MANY, ADY_ROUTE_KEYMANAGER, ady_keymanager_delete, NULL},
    {"/eth/v1/remotekeys", "GET", MANY, ADY_ROUTE_KEYMANAGER, ady_keymanager_remote, NULL},
    {"/eth/v1/remotekeys", "POST", MANY, ADY_ROUTE_KEYMANAGER, ady_keymanager_remote, NULL},
    {"/eth/v1/remotekeys", "DELETE", MANY, ADY_ROUTE_KEYMANAGER, ady_keymanager_remote, NULL},
    SETTING("feerecipient", ady_keymanager_fee_recipient),
    SETTING("gas_limit", ady_keymanager_gas_limit),
    SETTING("graffiti", ady_keymanager_graffiti),
    {"/eth/v1/validator/{id}/voluntary_exit", POST, ADY_ROUTE_KEYMANAGER, NULL,
     ady_keymanager_exit},
    {"/signer/v1/get_pubkeys", GET, ADY_ROUTE_COMMIT_BOOST, ady_cb_get_pubkeys, NULL},
    {"/signer/v1/generate_proxy_key", POST, ADY_ROUTE_COMMIT_BOOST, ady_cb_generate_proxy, NULL},
    {"/signer/v1/request_signature/bls", POST, ADY_ROUTE_COMMIT_BOOST, ady_cb_sign_bls, NULL},
    {"/signer/v1/request_signature/proxy-bls", POST, ADY_ROUTE_COMMIT_BOOST, ady_cb_sign_proxy_bls,
     NULL},
    {"/signer/v1/request_signature/proxy-ecdsa", POST, ADY_ROUTE_COMMIT_BOOST,
     ady_cb_sign_proxy_ecdsa, NULL},
    {"/status", GET, ADY_ROUTE_COMMIT_BOOST, ady_cb_status, NULL},
    {"/v1/attestation", GET, ADY_ROUTE_ATTESTATION, ady_page_attestation, NULL},
    {"/v1/import-key", GET, ADY_ROUTE_ATTESTATION, ady_page_import_key, NULL},
    {"/v1/response-key", GET, ADY_ROUTE_ATTESTATION, ady_page_response_key, NULL},
    {"/api/v1/eth1/sign/{id}", POST, ADY_ROUTE_ETH1_SIGN, NULL, ady_eth1_sign},
    {"/api/v1/eth1/publicKeys", GET, ADY_ROUTE_ETH1_KEYS, ady_eth1_public_keys, NULL},
    {"/api/v1/eth2/sign/{id}", POST, ADY_ROUTE_ETH2_SIGN, NULL, ady_eth2_sign},
    {"/api/v1/eth2/sign", POST, ADY_ROUTE_ETH2_SIGN, ady_eth2_sign_many, NULL},
    {"/api/v1/eth2/publicKeys", GET, ADY_ROUTE_ETH2_KEYS, ady_eth2_public_keys, NULL},
    {"/api/v1/eth2/highWatermark", GET, ADY_ROUTE_ETH2_KEYS, ady_eth2_high_watermark, NULL},
    {"/upcheck", GET, ADY_ROUTE_UPCHECK, ady_page_upcheck, NULL},
    {"/healthcheck", GET, ADY_ROUTE_HEALTHCHECK, ady_page_healthcheck, NULL},
    {"/reload", "GET", BOTH, ADY_ROUTE_RELOAD, ady_page_reload_status, NULL},
    {"/reload", "POST", BOTH, ADY_ROUTE_RELOAD, ady_page_reload, NULL},
    {"/openapi.json", GET, ADY_ROUTE_OPENAPI, ady_page_openapi, NULL},
    {"/healthz", GET, ADY_ROUTE_HEALTH, ady_page_health, NULL},
    {"/readyz", GET, ADY_ROUTE_READY, ady_page_ready, NULL},
    {"/metrics", GET, ADY_ROUTE_METRICS, ady_page_metrics, NULL},
};

enum { ROUTES = sizeof routes / sizeof *routes };

bool ady_route_nth(size_t i, const char **method, const char **path)
{
	if (i >= ROUTES)
		return false;
	*method = routes[i].method;
	*path = routes[i].path;
	return true;
}

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

/* Whether path is what pattern says; *id is its segment {id}, or empty. */
static bool matches(const char *pattern, struct ady_bytes path, struct ady_bytes *id)
{
	static const char word[] = "{id}";
	const char *at = strstr(pattern, word), *tail;
	size_t head;

	*id = (struct ady_bytes){0};
	if (!at)
		return ady_bytes_is(path, pattern);
	head = (size_t)(at - pattern);
	tail = at + sizeof word - 1;
	if (path.n <= head + strlen(tail) || memcmp(path.p, pattern, head) != 0 ||
	    memcmp(path.p + path.n - strlen(tail), tail, strlen(tail)) != 0)
		return false;
	*id = ady_bytes_sub(path, head, path.n - head - strlen(tail));
	return !memchr(id->p, '/', id->n);
}

static void no_such_page(struct ady_shard *shard, struct ady_http_request *req,
                         enum ady_route route, const char *why)
{
	struct ady_fault f;

	(void)ady_fail(&f, ADY_E_NOT_FOUND, "path", "%s", why);
	ady_problem_now(shard, req, route, &f, NULL);
}

/* A decimal number of at most 18 digits, without a zero in front; none is 0, the default chain. */
static bool read_chain(struct ady_bytes id, uint64_t *chain)
{
	*chain = 0;
	if (id.n > 18 || (id.n > 0 && id.p[0] == '0'))
		return false;
	for (size_t i = 0; i < id.n; i++) {
		if (id.p[i] < '0' || id.p[i] > '9')
			return false;
		*chain = *chain * 10 + (uint64_t)(id.p[i] - '0');
	}
	return true;
}

static void to_chain(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id)
{
	uint64_t chain;

	if (!read_chain(id, &chain))
		no_such_page(shard, req, ADY_ROUTE_OTHER, "there is no such page");
	else if (chain && !ady_nodes_have(&shard->gateway->nodes, chain))
		no_such_page(shard, req, ADY_ROUTE_RPC, "there is no node of that chain");
	else if (ady_ws_is_upgrade(&req->head))
		ady_session_upgrade(shard, req, chain);
	else if (ady_bytes_is(req->head.method, "POST"))
		ady_page_rpc(shard, req, chain);
	else
		wrong_method(shard, req, ADY_ROUTE_RPC, "Allow: POST\r\n");
}

void ady_route_request(void *ctx, struct ady_http_request *req)
{
	struct ady_shard *shard = ctx;
	const struct route *other = NULL; /* of the path, with another method */
	struct ady_bytes id;
	struct ady_fault f;
	bool asked;

	if (ady_proofs_asked(&asked, req, &f) != ADY_OK) {
		ady_problem_now(shard, req, ADY_ROUTE_OTHER, &f, NULL);
		return;
	}
	for (size_t i = 0; i < ROUTES; i++) {
		const struct route *r = &routes[i];

		if (!matches(r->path, req->head.path, &id))
			continue;
		other = r;
		if (r->allow && !takes(r, req->head.method))
			continue;
		if (r->page)
			r->page(shard, req);
		else
			r->page_of(shard, req, id);
		return;
	}
	if (other)
		wrong_method(shard, req, other->id, other->allow);
	else
		no_such_page(shard, req, ADY_ROUTE_OTHER, "there is no such page");
}

/* Blobs come by JSON-RPC alone, and histories of validators are files; all else that is signed is
 * bounded by the wire. */
size_t ady_route_body_max(void *shard, const struct ady_http_head *head)
{
	struct ady_bytes id;

	(void)shard;
	if (matches("/", head->path, &id) || matches("/chain/{id}", head->path, &id))
		return ADY_RPC_TEXT_MAX;
	if (matches("/eth/v1/keystores", head->path, &id))
		return ADY_KEYMANAGER_BODY_MAX;
	if (matches("/v1/slashing", head->path, &id))
		return ADY_SLASHING_FILE_MAX;
	if (matches("/api/v1/eth2/sign", head->path, &id) ||
	    matches("/api/v1/eth2/sign/{id}", head->path, &id) ||
	    matches("/v1/keys/{id}/duty", head->path, &id))
		return ADY_WIRE_DUTY_MAX;
	return ADY_WIRE_REQUEST_MAX;
}

void ady_route_refused(void *ctx, int status, const struct ady_fault *f, const char **type,
                       struct ady_dyn *body)
{
	struct ady_shard *shard = ctx;

	ady_metrics_request(&shard->metrics, ADY_ROUTE_OTHER, status);
	*type = ADY_PROBLEM_TYPE;
	ady_answer_problem(body, status, f, NULL);
}
