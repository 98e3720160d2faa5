/* SPDX-License-Identifier: Apache-2.0
 *
 * The gateway's configuration: one JSON file, read strictly (doc/gateway.md is its reference).
 * Thread rule: written before the threads start, only read afterwards. */
#ifndef ADY_GATEWAY_CONFIG_H
#define ADY_GATEWAY_CONFIG_H

#include <jansson.h>

#include "net/transport.h"
#include "net/url.h"

enum {
	ADY_GATEWAY_LISTEN_MAX = 8,
	ADY_GATEWAY_ENCLAVES_MAX = 8,
	ADY_GATEWAY_ALLOW_MAX = 64,
	ADY_GATEWAY_THREADS_MAX = 64,
	ADY_GATEWAY_CALLERS_MAX = 1024,
	ADY_GATEWAY_NODES_MAX = 64,
	ADY_GATEWAY_TOKENS_MAX = 64,
};

/* Where the gateway takes its AWS credentials from. */
enum ady_credential_source { ADY_FROM_AUTO, ADY_FROM_IMDS, ADY_FROM_ENVIRONMENT, ADY_FROM_FILE };

/* One destination of the enclave's streams. */
struct ady_relay_target {
	const char *host; /* lower case, compared byte by byte */
	uint16_t port;
};

struct ady_config_tls {
	const char *cert, *key, *client_ca; /* cert NULL: no TLS; client_ca may be NULL */
};

struct ady_config_relay {
	bool on;
	struct ady_endpoint listen;
	struct ady_relay_target allow[ADY_GATEWAY_ALLOW_MAX];
	size_t allow_n;
};

struct ady_config_aws {
	const char *region, *endpoint, *ca_file, *imds; /* endpoint, ca_file may be NULL */
	enum ady_credential_source source;
	const char *role_arn, *session_policy; /* role_arn NULL: no AssumeRole */
	int role_seconds;
};

struct ady_config_store {
	const char *prefix;
	const char *sqlite, *folder, *postgres; /* at most one; none: Secrets Manager */
	int64_t cache_ms, cache_mib, copy_mib, index_ms;
	size_t connections;  /* calls to the store at once */
	int64_t rewrap_rate; /* records a second, at most, while a data key is rotated */
};

/* The audit log (gateway/audit.h). */
struct ady_config_audit {
	const char *folder; /* NULL: none is written */
	int64_t rotate_mib; /* a longer file is ended */
};

/* What a tenant may use. */
struct ady_config_quota {
	int64_t rate, burst; /* signatures a second, and at once; rate 0: no limit */
	int64_t weight;      /* of its turns when the enclave is full */
	int64_t keys;        /* that it may have in the store; 0: any number */
};

enum { ADY_GATEWAY_PCRS_MAX = 8 };

/* Which enclave the gateway may seal what it holds in clear to (gateway/importing.h). */
struct ady_config_attestation {
	bool on;
	const char *root; /* PEM file; NULL: AWS Nitro Enclaves G1 */
	uint8_t pcr0[ADY_GATEWAY_PCRS_MAX][48], pcr8[ADY_GATEWAY_PCRS_MAX][48]; /* any of them */
	size_t pcr0_n, pcr8_n; /* 0: not compared; never both */
};

/* Who may ask: one of token and certificate, or both. */
struct ady_config_caller {
	const char *tenant;            /* NULL: none, of an administrator */
	const char *subject;           /* of the certificate, by RFC 2253; NULL: any */
	size_t tenant_index;           /* the first caller of this tenant */
	struct ady_config_quota quota; /* its tenant's */
	bool has_quota;
	bool admin, manage; /* keys of all tenants; create, change and delete keys */
	bool has_token, has_certificate;
	uint8_t token_sha256[32], certificate_sha256[32]; /* of the certificate's DER */
};

/* A node of a blockchain. Of one chain, those that come first are asked first. */
struct ady_config_node {
	uint64_t chain;         /* its id */
	struct ady_url url, ws; /* for calls; for subscriptions, if has_ws */
	bool has_ws;
	const char *ca_file, *authorization; /* of the Authorization field; both may be NULL */
	int timeout_ms;                      /* of one attempt */
	int stall_ms; /* without a new block, while another node of the chain is ahead */
};

/* What is said of validators beside the place of their states. */
struct ady_config_validators {
	bool on; /* they are served */
	bool has_high;
	uint64_t until_slot, until_epoch; /* the high watermark; UINT64_MAX: none */
	bool has_beacon;
	struct ady_url beacon;                             /* a beacon node, for what exits need */
	const char *beacon_ca_file, *beacon_authorization; /* both may be NULL */
};

/* The Keymanager API. */
struct ady_config_keymanager {
	struct {
		const char *tenant, *file;
	} tokens[ADY_GATEWAY_TOKENS_MAX];
	size_t n; /* 0: it is not served */
	bool has_fee, has_gas;
	uint8_t fee_recipient[20];
	uint64_t gas_limit;
	const char *graffiti; /* NULL: none */
	bool commitments;     /* of the keys that are imported: "allow": ["commitment"] */
};

/* Commit-Boost's Signer API. */
struct ady_config_module {
	const char *id, *tenant, *secret_file;
	uint8_t signing_id[32];
	uint8_t *keys; /* heap, of 48 bytes each; NULL: all of the tenant */
	size_t keys_n;
};

struct ady_config_commit_boost {
	struct ady_config_module *modules; /* heap */
	size_t n;                          /* 0: it is not served */
	uint64_t chain_id;
	unsigned fail_limit;
	int64_t fail_timeout_ms;
};

/* A Unix socket that speaks geth's IPC. */
struct ady_config_ipc {
	struct ady_endpoint at;
	const char *tenant;  /* of whoever may open the socket; NULL: no callers are told apart */
	size_t tenant_index; /* with a tenant: its place among the callers */
	uint64_t chain;      /* 0: the default */
};

/* All texts point into root. */
struct ady_gateway_config {
	json_t *root;
	struct ady_endpoint listen[ADY_GATEWAY_LISTEN_MAX];
	size_t listen_n;
	bool plain_anywhere, access_log;
	struct ady_config_tls tls;
	struct ady_endpoint enclaves[ADY_GATEWAY_ENCLAVES_MAX];
	size_t enclaves_n;
	struct ady_config_relay relay;
	struct ady_config_aws aws;
	struct ady_config_store store;
	struct ady_config_audit audit;
	const char *states; /* where validators' states and keys' counters are (store/states.h);
	                       NULL: nowhere */
	struct ady_dyn states_text; /* heap: when it is beside the records */
	struct ady_config_validators validators;
	struct ady_config_keymanager keymanager;
	struct ady_config_commit_boost commit_boost;
	struct ady_config_attestation attestation;
	struct ady_config_caller *callers; /* heap; NULL: whoever reaches a listener */
	size_t callers_n;
	struct ady_config_node *nodes; /* heap */
	size_t nodes_n;
	uint64_t default_chain; /* 0: there is none */
	struct ady_config_ipc ipc[ADY_GATEWAY_LISTEN_MAX];
	size_t ipc_n;
	size_t threads;
	int request_timeout_ms;
};

/* Read a configuration's JSON text. Unknown members, wrong types and values out of range are
 * refused with their path in f->where.
 * Returns: ADY_E_CONFIG. config is empty then; else end it with ady_gateway_config_clear. */
enum ady_err ady_gateway_config_parse(struct ady_gateway_config *config, struct ady_bytes text,
                                      struct ady_fault *f);

/* Read the configuration in the file at path. See ady_gateway_config_parse. */
enum ady_err ady_gateway_config_read(struct ady_gateway_config *config, const char *path,
                                     struct ady_fault *f);

/* Free what the configuration holds. */
void ady_gateway_config_clear(struct ady_gateway_config *config);

#endif
