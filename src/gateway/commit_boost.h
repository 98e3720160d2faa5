/* SPDX-License-Identifier: Apache-2.0
 *
 * Commit-Boost's Signer API (docs/docs/developing/signer-api.md of commit-boost-client, as of
 * v0.11): modules ask for signatures of proposer commitments, by validators' keys and by proxy keys
 * that are made here for them. A module is known by the JSON Web Tokens that it makes, is of one
 * tenant, and uses that tenant's validators, or those that the configuration names. What is signed
 * is computed in the enclave (chain/beacon_duty.h). doc/validators.md says more. Thread rule: the
 * shard's thread, but for _open and _close. */
#ifndef ADY_GATEWAY_COMMIT_BOOST_H
#define ADY_GATEWAY_COMMIT_BOOST_H

#include <pthread.h>

#include "gateway/op.h"
#include "store/states.h"

enum { ADY_CB_PEERS = 256, ADY_CB_SECRET_MAX = 1024 };

struct ady_commit_boost {
	struct ady_cb_module {
		const struct ady_config_module *config;
		uint8_t secret[ADY_CB_SECRET_MAX];
		size_t secret_n;
	} * modules;
	size_t n;
	pthread_mutex_t lock; /* guards what follows: who failed to identify itself */
	struct ady_cb_peer {
		char name[64];
		unsigned failures;
		int64_t last_ms; /* ady_mono_ms */
	} peers[ADY_CB_PEERS];
};

/* Read the modules' secrets. Returns ADY_E_CONFIG with the reason in f. In commit_boost_auth.c, as
 * the next three. */
enum ady_err ady_commit_boost_open(struct ady_commit_boost **cb,
                                   const struct ady_gateway_config *config, struct ady_fault *f);

/* Free. NULL is allowed. */
void ady_commit_boost_close(struct ady_commit_boost *cb);

/* An op for a request of a module; NULL: it was refused (where no module is configured, as a page
 * that is not there). */
struct ady_op *ady_cb_begin(struct ady_shard *shard, struct ady_http_request *req,
                            const struct ady_cb_module **module);

/* Answer {"code", "message"}, and end the op. */
void ady_cb_fail(struct ady_op *op, const struct ady_fault *f);

/* Where a module's proxy keys are: "PREFIX TENANT/commit-boost/MODULE/", behind it the validator's
 * public key in hex, "/bls/" or "/ecdsa/" and a number. module NULL: of all modules. False: it does
 * not fit. */
bool ady_cb_folder(char *out, size_t cap, const struct ady_shard *shard, const char *tenant,
                   const char *module);

/* Whether a module may use a validator. */
bool ady_cb_may_use(const struct ady_config_module *m, const uint8_t public_key[static 48]);

/* Append "0x" and hex between quotes. */
void ady_cb_put_hex(struct ady_dyn *out, struct ady_bytes b);

/* GET /signer/v1/get_pubkeys. In commit_boost_keys.c. */
void ady_cb_get_pubkeys(struct ady_shard *shard, struct ady_http_request *req);

/* POST /signer/v1/generate_proxy_key. In commit_boost_proxy.c. */
void ady_cb_generate_proxy(struct ady_shard *shard, struct ady_http_request *req);

/* POST /signer/v1/request_signature/bls. In commit_boost_sign.c, as the next three. */
void ady_cb_sign_bls(struct ady_shard *shard, struct ady_http_request *req);

/* .../proxy-bls. */
void ady_cb_sign_proxy_bls(struct ady_shard *shard, struct ady_http_request *req);

/* .../proxy-ecdsa. */
void ady_cb_sign_proxy_ecdsa(struct ady_shard *shard, struct ady_http_request *req);

/* GET /status. */
void ady_cb_status(struct ady_shard *shard, struct ady_http_request *req);

#endif
