/* SPDX-License-Identifier: Apache-2.0
 *
 * One request that waits for something: the store, the enclave, credentials. It is answered exactly
 * once, at the latest when its time has passed. Thread rule: the shard's thread. */
#ifndef ADY_GATEWAY_OP_H
#define ADY_GATEWAY_OP_H

#include "gateway/shard.h"

struct ady_op {
	struct ady_shard *shard;
	struct ady_http_request *req; /* NULL once answered */
	enum ady_route route;
	struct ady_timer deadline;
	int64_t due_ms, stage_us; /* stage_us: when the present stage began */
	struct ady_call call;
	struct ady_store_wait fetch;
	bool fetching, parked; /* fetching: fetch.done is still to come */
	bool record_retried, credentials_retried;
	uint64_t credentials; /* the version that was in force when it was sent */
	uint64_t attempts;    /* parked: the refresh that it waits for (ady_credentials_refresh) */
	struct ady_stored *record;
	struct ady_fault fault;       /* why it is tried again */
	struct ady_op *next;          /* of the free or the parked ones */
	struct ady_op *newer, *older; /* of those in use */
	char request_id[ADY_REQUEST_ID_MAX + 1];
	char key[ADY_WIRE_KEY_ID_MAX + 1]; /* the secret's id */
	size_t key_n;
};

/* Begin: an op for req, with its deadline set. */
struct ady_op *ady_op_open(struct ady_shard *shard, struct ady_http_request *req,
                           enum ady_route route);

/* How many milliseconds are left, at least 1. */
uint32_t ady_op_left_ms(const struct ady_op *op);

/* Answer 200 with what lies in shard->out, and end the op. */
void ady_op_answer(struct ady_op *op);

/* Answer with a problem document, and end the op. */
void ady_op_fail(struct ady_op *op, const struct ady_fault *f);

/* See ady_op_fail. where and detail: texts or NULL. */
void ady_op_refuse(struct ady_op *op, enum ady_err err, const char *where, const char *detail);

/* Free an op that was answered, unless something is still to come back to it. */
void ady_op_release(struct ady_op *op);

/* The shard ends: fail every op that is not answered. */
void ady_op_fail_all(struct ady_shard *shard);

/* Put the op among those that wait for newer credentials. */
void ady_op_park(struct ady_op *op);

/* The id of a request: its X-Request-Id if that is 1 to 64 of [A-Za-z0-9._:-], else a new one. */
void ady_request_id(struct ady_shard *shard, const struct ady_http_request *req,
                    char out[static ADY_REQUEST_ID_MAX + 1]);

/* Answer a request that never was an op: count, log, add X-Request-Id. extra: NULL or complete
 * header lines. */
void ady_answer_now(struct ady_shard *shard, struct ady_http_request *req, enum ady_route route,
                    int status, const char *type, const char *extra, const char *request_id);

/* Answer a problem document at once. See ady_answer_now. */
void ady_problem_now(struct ady_shard *shard, struct ady_http_request *req, enum ady_route route,
                     const struct ady_fault *f, const char *extra);

/* The two signing routes. In sign.c. key: the secret's id as given in the path; unused for the
 * sample's form, which carries it in its body. */
void ady_sign_native(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes key);

/* See ady_sign_native. */
void ady_sign_sample(struct ady_shard *shard, struct ady_http_request *req);

/* An attempt to refresh credentials has ended: try parked ops again or answer them. In sign.c. */
void ady_sign_refreshed(void *shard);

/* The other routes. In pages.c. */
void ady_page_attestation(struct ady_shard *shard, struct ady_http_request *req);

/* See ady_page_attestation. */
void ady_page_health(struct ady_shard *shard, struct ady_http_request *req);

/* See ady_page_attestation. */
void ady_page_ready(struct ady_shard *shard, struct ady_http_request *req);

/* See ady_page_attestation. */
void ady_page_metrics(struct ady_shard *shard, struct ady_http_request *req);

#endif
