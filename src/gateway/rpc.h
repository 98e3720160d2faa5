/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON-RPC 2.0 (jsonrpc.org/specification), of which neither transport nor methods are known here:
 * a text comes in, its calls go to handlers, which answer now or later, and one text with the
 * answers goes out. Batches are answered in their order, notifications not at all. Strict JSON;
 * ids and parameters stay text. Thread rule: the shard's thread.
 *
 * A handler reads call->params and ends with exactly one of
 *
 *     put(ady_rpc_result(call), ..);  ady_rpc_end(call);
 *     ady_rpc_fail(call, &fault);
 *     ady_rpc_error(call, code, "message");
 *
 * at once or later. Before it waits it sets call->cancel, by which it lets go of what it waits for;
 * the core then answers in its place. */
#ifndef ADY_GATEWAY_RPC_H
#define ADY_GATEWAY_RPC_H

#include "codec/json.h"
#include "net/loop.h"

enum {
	ADY_RPC_TEXT_MAX = 2 * 1024 * 1024, /* six blobs in hex fit */
	ADY_RPC_TOKENS_MAX = 65536,
	ADY_RPC_BATCH_MAX = 1000,
	ADY_RPC_AT_ONCE = 32, /* calls of one batch in work; the next begins when one is done */
	ADY_RPC_ID_MAX = 256, /* bytes of an id as it is written */
	ADY_RPC_ANSWERS_MAX = 25 * 1024 * 1024, /* of one batch */
};

/* The codes of the specification (-327xx), of EIP-1474 (-320xx) and of EIP-1193 (4xxx). */
enum ady_rpc_code {
	ADY_RPC_PARSE = -32700,
	ADY_RPC_REQUEST = -32600,
	ADY_RPC_METHOD = -32601,
	ADY_RPC_PARAMS = -32602,
	ADY_RPC_INTERNAL = -32603,
	ADY_RPC_INPUT = -32000, /* also: the account is not known, as in geth and Web3Signer */
	ADY_RPC_UNAVAILABLE = -32002, /* enclave, KMS, store, node: try again later */
	ADY_RPC_REJECTED = -32003,    /* the transaction was not accepted */
	ADY_RPC_LIMIT = -32005,       /* too much at once: nothing was begun, try again */
	ADY_RPC_UNAUTHORIZED = 4100,  /* who asks may not do this */
	ADY_RPC_DISCONNECTED = 4900,  /* no node can be reached */
};

/* What becomes of the proofs of what the enclave decides for calls (doc/audit.md). BESIDE: that of
 * the only call of a text is in shard->proof when done is called. WITHIN: that, and each answer has
 * its own as a member. */
enum ady_rpc_proofs { ADY_RPC_UNPROVED, ADY_RPC_PROOF_BESIDE, ADY_RPC_PROOFS_WITHIN };

struct ady_caller;
struct ady_rpc;
struct ady_shard;

/* One call: an object of the text. */
struct ady_rpc_call {
	struct ady_rpc *rpc;
	struct ady_shard *shard;
	const struct ady_caller *caller;
	void *connection; /* as it was given to ady_rpc_start; NULL: what comes later has no way */
	uint64_t chain;   /* that the client chose; 0: none */
	int64_t due_ms;   /* ady_mono_ms: it is answered at the latest then */
	const struct ady_json *doc;          /* the whole text */
	uint32_t object, id, method, params; /* tokens; id and params 0: not there */
	char name[64];                       /* the method's */

	/* The handler's own. cancel: nobody waits for this call any more; forget it, and whatever
	 * still comes back to you. Not called once the call is answered. */
	void (*cancel)(struct ady_rpc_call *call);
	void *state;
	const char *denied; /* the message for what is denied, with code -32000; NULL: code 4100 */

	/* The core's own. */
	struct ady_dyn out, proof, request;
	bool begun, answered, invalid; /* invalid: no call at all, answered though without an id */
};

/* A method. The table ends with a name of NULL. */
struct ady_rpc_method {
	const char *name;
	void (*fn)(struct ady_rpc_call *call);
};

struct ady_rpc_ask {
	struct ady_shard *shard;
	const struct ady_caller *caller; /* must stay until done or drop */
	void *connection;      /* of transports on which more than answers can be sent; else NULL */
	uint64_t chain;        /* that the client chose; 0: none */
	struct ady_bytes text; /* copied */
	int timeout_ms;
	enum ady_rpc_proofs proofs;
	/* The answers' text, valid during the call; empty: all were notifications. */
	void (*done)(void *ctx, struct ady_bytes answer);
	void *ctx;
};

/* Work on a text. ask->done is called once, perhaps from inside this call.
 * Returns: for ady_rpc_drop; NULL when done was called already. */
struct ady_rpc *ady_rpc_start(const struct ady_rpc_ask *ask);

/* Nobody waits any more: calls in work are cancelled, done is not called. NULL is allowed. */
void ady_rpc_drop(struct ady_rpc *rpc);

/* The shard ends: answer every call that is not answered with an error. */
void ady_rpc_fail_all(struct ady_shard *shard);

/* The enclave's answer that is being passed on is what this call's answer rests on: keep its proof
 * where somebody wants it, and with it request, what the enclave was asked (empty: it is not told).
 * Before the call is answered. A later proof takes the place of one before. */
void ady_rpc_keep_proof(struct ady_rpc_call *call, struct ady_bytes request);

/* Begin the answer of a call: whoever calls appends one JSON value and then calls ady_rpc_end. */
struct ady_dyn *ady_rpc_result(struct ady_rpc_call *call);

/* End the answer begun by ady_rpc_result. call is gone afterwards. */
void ady_rpc_end(struct ady_rpc_call *call);

/* Answer with an error: its code from f->err, the message from where and detail, and {"code",
 * "where", "cause"} as data. call is gone afterwards. */
void ady_rpc_fail(struct ady_rpc_call *call, const struct ady_fault *f);

/* Answer with an error without data. call is gone afterwards. */
void ady_rpc_error(struct ady_rpc_call *call, enum ady_rpc_code code, const char *message);

/* Answer with an error object as it stands (of a node, say). call is gone afterwards. */
void ady_rpc_error_object(struct ady_rpc_call *call, struct ady_bytes object);

/* How many milliseconds a call still has, at least 1. */
uint32_t ady_rpc_left_ms(const struct ady_rpc_call *call);

/* The code for a refusal. */
enum ady_rpc_code ady_rpc_code_of(enum ady_err err);

/* Whether text is meant for JSON-RPC and not the AWS sample's body: an array, or with a member
 * "jsonrpc" or "method" by the look of it. */
bool ady_rpc_is_text(struct ady_bytes text);

/* The method of that name, or NULL. In rpc_methods.c. */
const struct ady_rpc_method *ady_rpc_find(const char *name);

/* The tables: what Ethereum clients call (rpc_eth.c), geth of its external signer
 * (rpc_account.c). */
extern const struct ady_rpc_method ady_rpc_eth[], ady_rpc_account[];

/* What sends (send.c); what is this gateway's own (rpc_proofs.c). */
extern const struct ady_rpc_method ady_rpc_send[], ady_rpc_own[];

/* A method that is in no table: to the node. In rpc_pass.c. */
void ady_rpc_pass(struct ady_rpc_call *call);

#endif
