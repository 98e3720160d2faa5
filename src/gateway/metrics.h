/* SPDX-License-Identifier: Apache-2.0
 *
 * Counters of one thread, and their text form for Prometheus. A set of counters is written by its
 * own thread only (plain relaxed stores, no locked instructions) and read by any. */
#ifndef ADY_GATEWAY_METRICS_H
#define ADY_GATEWAY_METRICS_H

#include <stdatomic.h>

#include "base/bytes.h"

/* X(name, text in metrics and logs) */
#define ADY_ROUTES(X)                   \
	X(SIGN, "sign")                 \
	X(SAMPLE, "sample")             \
	X(KEYS, "keys")                 \
	X(DUTY, "duty")                 \
	X(ETH2_SIGN, "eth2_sign")       \
	X(ETH2_KEYS, "eth2_keys")       \
	X(SLASHING, "slashing")         \
	X(KEYMANAGER, "keymanager")     \
	X(COMMIT_BOOST, "commit_boost") \
	X(RPC, "jsonrpc")               \
	X(WS, "websocket")              \
	X(ETH1_SIGN, "eth1_sign")       \
	X(ETH1_KEYS, "eth1_keys")       \
	X(UPCHECK, "upcheck")           \
	X(HEALTHCHECK, "healthcheck")   \
	X(RELOAD, "reload")             \
	X(OPENAPI, "openapi")           \
	X(ATTESTATION, "attestation")   \
	X(HEALTH, "healthz")            \
	X(READY, "readyz")              \
	X(METRICS, "metrics")           \
	X(OTHER, "other")

#define ADY_ROUTE_ENUM(name, text) ADY_ROUTE_##name,
enum ady_route { ADY_ROUTES(ADY_ROUTE_ENUM) ADY_ROUTE_COUNT };
#undef ADY_ROUTE_ENUM

enum ady_stage { ADY_STAGE_STORE, ADY_STAGE_ENCLAVE, ADY_STAGE_TOTAL, ADY_STAGE_COUNT };

enum { ADY_METRICS_STATUS_MAX = 600, ADY_METRICS_BUCKETS = 16 };

struct ady_histogram {
	_Atomic uint64_t buckets[ADY_METRICS_BUCKETS + 1]; /* the last: above all bounds */
	_Atomic uint64_t sum_us;
};

/* The two interfaces of Web3Signer (gateway/w3s.h). */
enum ady_w3s_curve { ADY_W3S_BLS, ADY_W3S_SECP256K1, ADY_W3S_CURVES };

struct ady_w3s {
	_Atomic uint64_t signed_n[ADY_W3S_CURVES], signed_us[ADY_W3S_CURVES];
	_Atomic uint64_t missing[ADY_W3S_CURVES], malformed[ADY_W3S_CURVES];
	_Atomic uint64_t permitted, prevented; /* by slashing protection */
};

struct ady_metrics {
	_Atomic uint64_t requests[ADY_ROUTE_COUNT][ADY_METRICS_STATUS_MAX];
	struct ady_histogram stages[ADY_STAGE_COUNT];
	struct ady_w3s w3s;
};

/* The text of a route. */
const char *ady_route_text(enum ady_route route);

/* Count an answered request. The counters' own thread. */
void ady_metrics_request(struct ady_metrics *m, enum ady_route route, int status);

/* Count the time that a stage took. The counters' own thread. */
void ady_metrics_stage(struct ady_metrics *m, enum ady_stage stage, int64_t us);

/* Append the sums over n sets as Prometheus text. */
void ady_metrics_put(struct ady_dyn *out, struct ady_metrics *const *sets, size_t n);

/* Append one metric without labels, with its help and type ("counter" or "gauge"). */
void ady_metrics_put_one(struct ady_dyn *out, const char *name, const char *type, const char *help,
                         double value);

#endif
