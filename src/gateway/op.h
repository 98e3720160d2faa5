/* SPDX-License-Identifier: Apache-2.0
 *
 * One request that waits for something: a signature, a document. It is answered exactly once, at
 * the latest when its time has passed. Thread rule: the shard's thread. */
#ifndef ADY_GATEWAY_OP_H
#define ADY_GATEWAY_OP_H

#include "gateway/caller.h"
#include "gateway/creating.h"
#include "gateway/listing.h"
#include "gateway/shard.h"
#include "gateway/signing.h"

/* The header with the proof of an answer, in base64url (doc/audit.md). */
#define ADY_PROOF_FIELD "X-Adyton-Proof"

struct ady_op {
	struct ady_shard *shard;
	struct ady_http_request *req; /* NULL once answered */
	enum ady_route route;
	struct ady_caller caller;
	struct ady_timer deadline;
	int64_t due_ms;
	struct ady_call call;               /* of an attestation */
	struct ady_creating creating;       /* of a new key */
	struct ady_signing *signing;        /* NULL: none is under way */
	struct ady_listing *listing;        /* NULL: none is under way */
	struct ady_validating *validating;  /* NULL: none is under way */
	struct ady_duties *duties;          /* likewise */
	struct ady_op **exporting;          /* of an export under way: where it keeps its op */
	uint8_t gvr[32];                    /* of an import or export: the network's */
	struct ady_dyn body;                /* a native request made of another one */
	bool made;                          /* body is what the enclave was asked */
	bool from_options;                  /* of a new key: brought in, or one of many */
	bool labelled;                      /* of new keys: label is theirs */
	bool wants_json;                    /* of what may be text */
	bool unproved;                      /* the answer is of several decisions */
	struct ady_dyn proof;               /* of a decision that is not answered at once */
	bool wants_proofs;                  /* in the answer's body (gateway/proofs.h) */
	struct ady_dyn proofs;              /* the list of them, so far */
	void (*abandon)(struct ady_op *op); /* NULL, or: nobody waits for waiting any more */
	void *waiting;
	struct ady_op *next;          /* of the free ones */
	struct ady_op *newer, *older; /* of those in use */
	char request_id[ADY_REQUEST_ID_MAX + 1];
	char label[ADY_LABEL_MAX + 1];
};

/* Begin: an op for req, with its deadline set. */
struct ady_op *ady_op_open(struct ady_shard *shard, struct ady_http_request *req,
                           enum ady_route route);

/* The same for one whose time is watched elsewhere (JSON-RPC). */
struct ady_op *ady_op_open_untimed(struct ady_shard *shard, struct ady_http_request *req,
                                   enum ady_route route);

/* How many milliseconds are left, at least 1. */
uint32_t ady_op_left_ms(const struct ady_op *op);

/* Answer 200 with what lies in shard->out, and end the op. */
void ady_op_answer(struct ady_op *op);

/* Answer with this body, and end the op. */
void ady_op_answer_with(struct ady_op *op, int status, const char *type, struct ady_bytes body);

/* Keep the proof of the enclave's answer that is being passed on: what the op answers later rests
 * on it. What is answered at once has it anyway. For the header it takes the place of one that was
 * kept before; who wants proofs in the body gets all. */
void ady_op_keep_proof(struct ady_op *op);

/* Answer with a problem document, and end the op. */
void ady_op_fail(struct ady_op *op, const struct ady_fault *f);

/* See ady_op_fail. where and detail: texts or NULL. */
void ady_op_refuse(struct ady_op *op, enum ady_err err, const char *where, const char *detail);

/* The shard ends: fail every op that is not answered. */
void ady_op_fail_all(struct ady_shard *shard);

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

/* Whether a request with a body may be read: JSON or of no stated type, not of a web page, and of a
 * known caller, which is filled in.
 * False: it has been refused. In sign.c. */
bool ady_op_from_client(struct ady_shard *shard, struct ady_http_request *req, enum ady_route route,
                        struct ady_caller *caller);

/* An op for such a request, its caller filled in. NULL: it has been refused. In sign.c. */
struct ady_op *ady_op_begin(struct ady_shard *shard, struct ady_http_request *req,
                            enum ady_route route);

/* The two signing routes. In sign.c. key: the secret's id as given in the path; unused for the
 * sample's form, which carries it in its body. */
void ady_sign_native(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes key);

/* See ady_sign_native. The caller has asked ady_op_from_client. */
void ady_sign_sample(struct ady_shard *shard, struct ady_http_request *req,
                     const struct ady_caller *caller);

/* POST /: the sample's form, or JSON-RPC; with a chain: JSON-RPC. In rpc_http.c. */
void ady_page_rpc(struct ady_shard *shard, struct ady_http_request *req, uint64_t chain);

/* Have the enclave make a key by the body doc of op, and store its record. In create.c. */
void ady_create_key(struct ady_op *op, const struct ady_json *doc);

/* POST /v1/lock: have the enclave forget data keys. In lock.c. */
void ady_lock_keys(struct ady_shard *shard, struct ady_http_request *req);

/* Web3Signer's eth1 routes and what goes with them. In eth1.c. id: the public key, 64 bytes in hex.
 */
void ady_eth1_sign(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id);

/* See ady_eth1_sign. */
void ady_eth1_public_keys(struct ady_shard *shard, struct ady_http_request *req);

/* Web3Signer's own health pages. In upcheck.c. */
void ady_page_upcheck(struct ady_shard *shard, struct ady_http_request *req);

/* See ady_page_upcheck. */
void ady_page_healthcheck(struct ady_shard *shard, struct ady_http_request *req);

/* See ady_page_upcheck. */
void ady_page_reload(struct ady_shard *shard, struct ady_http_request *req);

/* See ady_page_upcheck. */
void ady_page_reload_status(struct ady_shard *shard, struct ady_http_request *req);

/* The description of all this, OpenAPI 3.1. In openapi.c. */
void ady_page_openapi(struct ady_shard *shard, struct ady_http_request *req);

/* Whether the answer is to be JSON where text is the rule: Accept names application/json and not
 * text/plain. In upcheck.c. */
bool ady_wants_json(const struct ady_http_request *req);

/* The other routes. In pages.c. */
void ady_page_attestation(struct ady_shard *shard, struct ady_http_request *req);

/* See ady_page_attestation. */
void ady_page_import_key(struct ady_shard *shard, struct ady_http_request *req);

/* See ady_page_attestation. */
void ady_page_response_key(struct ady_shard *shard, struct ady_http_request *req);

/* See ady_page_attestation. */
void ady_page_health(struct ady_shard *shard, struct ady_http_request *req);

/* See ady_page_attestation. */
void ady_page_ready(struct ady_shard *shard, struct ady_http_request *req);

/* The parts of readiness, and whether each is good. */
struct ady_readiness {
	struct ady_ready_part {
		bool ok;
		char why[320]; /* may say something though it is good */
	} enclave, kms, store, states, audit;
	bool has_states, has_audit;
};

/* Fill r, and set off a look at what is not known. In pages.c. */
void ady_readiness(struct ady_gateway *g, struct ady_readiness *r);

/* See ady_page_attestation. */
void ady_page_metrics(struct ady_shard *shard, struct ady_http_request *req);

#endif
