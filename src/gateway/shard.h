/* SPDX-License-Identifier: Apache-2.0
 *
 * One thread of the gateway: a loop with its own HTTP listeners on the shared ports and its own
 * links to the enclaves, so that a request stays on one thread from its first byte to its last.
 * Thread rule: the shard's thread, but for what gateway.c does before it starts and after it ended.
 */
#ifndef ADY_GATEWAY_SHARD_H
#define ADY_GATEWAY_SHARD_H

#include <pthread.h>

#include "aws/attestation.h"
#include "codec/json.h"
#include "crypto/secp.h"
#include "gateway/enclaves.h"
#include "gateway/key_count.h"
#include "gateway/metrics.h"
#include "gateway/node.h"
#include "gateway/quota.h"
#include "gateway/relay.h"
#include "gateway/states.h"
#include "gateway/store.h"
#include "gateway/tenant_keys.h"
#include "net/http_server.h"

enum { ADY_SHARD_TOKENS = 4096, ADY_REQUEST_ID_MAX = 64 };

struct ady_accounts;
struct ady_beacon;
struct ady_commit_boost;
struct ady_keymanager;
struct ady_listener;
struct ady_op;
struct ady_rotation;
struct ady_rotations;
struct ady_rpc;
struct ady_session;
struct ady_shard;
struct ady_signing;
struct ady_validating;

/* What the shards share. Set before they start. */
struct ady_gateway {
	const struct ady_gateway_config *config;
	struct ady_credentials *credentials;
	struct ady_store *store;
	struct ady_states *states;             /* NULL: nothing is counted, and no validators */
	struct ady_keymanager *keymanager;     /* NULL: it is not served */
	struct ady_commit_boost *commit_boost; /* likewise */
	struct ady_tenant_keys *tenant_keys;
	struct ady_key_count key_count;
	struct ady_relay *relay;  /* NULL: none */
	struct ady_pool *dialers; /* to the enclave */
	struct ady_pool *lookups; /* of nodes' names; NULL: there are no nodes */
	struct ady_secp *secp;    /* for public keys; no key of ours is ever here */
	struct ady_gate gates[ADY_GATEWAY_ENCLAVES_MAX]; /* as many as enclaves */
	struct ady_audit *audit;                         /* NULL: none is written */
	struct ady_quotas *quotas;
	struct ady_quota_keys *quota_keys;
	struct ady_nodes nodes;
	uint8_t attestation_root[ADY_ATTESTATION_ROOT_MAX]; /* DER; n 0: AWS's */
	size_t attestation_root_n;
	struct ady_accounts *accounts; /* whose turn it is to send from an account */
	SSL_CTX *tls;                  /* NULL: plain */
	struct ady_endpoint listen[ADY_GATEWAY_LISTEN_MAX]; /* with their ports */
	struct ady_shard *shards[ADY_GATEWAY_THREADS_MAX];
	size_t shards_n;
	_Atomic int64_t reloaded_ms; /* ady_mono_ms: records fetched before are not used */
	_Atomic int64_t reloaded_s;  /* since 1970; 0: never */
	bool running;
	int drain_ms;
};

/* A socket for IPC, of the first shard. listener NULL: not open. */
struct ady_door {
	struct ady_shard *shard;
	const struct ady_config_ipc *config;
	struct ady_listener *listener;
};

struct ady_shard {
	struct ady_gateway *gateway;
	size_t index;
	pthread_t thread;
	bool started;
	struct ady_loop *loop;
	struct ady_http_server *servers[ADY_GATEWAY_LISTEN_MAX];
	size_t servers_n, draining;
	struct ady_enclaves *enclaves;
	uint8_t import_key[32]; /* of an enclave, verified; it may have gone since */
	bool import_known;
	struct ady_bytes proof; /* of the answer of an enclave that is being passed on */
	struct ady_http_client **node_clients; /* as many as nodes */
	struct ady_http_client *beacon;        /* NULL: none is configured */
	struct ady_node_health *health;        /* of the first shard, else NULL */
	struct ady_door doors[ADY_GATEWAY_LISTEN_MAX];
	struct ady_session *sessions; /* WebSocket and IPC */
	_Atomic size_t sessions_n;
	struct ady_timer sessions_timer; /* of their drain */
	void (*sessions_done)(void *shard);
	struct ady_metrics metrics;
	struct ady_op *free_ops, *ops; /* ops: those in use */
	struct ady_rpc *rpcs;          /* those in work */
	struct ady_validating *free_validatings;
	struct ady_rotation *rotations;             /* those under way */
	struct ady_rotations *rotations_watch;      /* of the first shard, else NULL */
	struct ady_signing *free_signings, *parked; /* parked: waiting for newer credentials */
	struct ady_fair *fair;                      /* signings that wait for room in the enclave */
	struct ady_timer retry;                     /* for them: other shards make room, too */
	size_t holds; /* what is still to come back to this loop (ady_shard_hold) */
	bool stopping;
	uint64_t next_id; /* of requests that bring none */
	struct ady_task drain, reload;
	SSL_CTX *new_tls;
	struct ady_dyn out; /* the answer that is being written */
	struct ady_json_tok toks[ADY_SHARD_TOKENS];
	uint8_t frame[ADY_WIRE_BODY_MAX];
};

/* Make a shard: loop, listeners, link. Returns the reason in f. */
enum ady_err ady_shard_open(struct ady_shard **shard, struct ady_gateway *gateway, size_t index,
                            struct ady_fault *f);

/* Start the thread. Returns ADY_E_MEMORY. */
enum ady_err ady_shard_start(struct ady_shard *shard);

/* Free a shard whose thread has ended or never ran. NULL is allowed. */
void ady_shard_close(struct ady_shard *shard);

/* Something will come back to the shard's loop, even when nobody waits for it any more: the loop
 * does not end before ady_shard_let was called as often. */
void ady_shard_hold(struct ady_shard *shard);

/* See ady_shard_hold. */
void ady_shard_let(struct ady_shard *shard);

/* A question of the enclave: only STATE_CAS. In state_cas.c. */
void ady_shard_question(void *shard, const struct ady_wire_head *head, struct ady_bytes body);

/* Route one request. In routes.c. */
void ady_route_request(void *shard, struct ady_http_request *req);

/* The routes, for who describes them: the method and path of row i; false behind the last. */
bool ady_route_nth(size_t i, const char **method, const char **path);

/* How long the body of a request may be. In routes.c. */
size_t ady_route_body_max(void *shard, const struct ady_http_head *head);

/* The body for a request that the HTTP server itself refuses. In routes.c. */
void ady_route_refused(void *shard, int status, const struct ady_fault *f, const char **type,
                       struct ady_dyn *body);

#endif
