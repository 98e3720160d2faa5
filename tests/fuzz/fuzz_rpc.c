/* SPDX-License-Identifier: Apache-2.0
 *
 * The core of JSON-RPC: whatever comes is answered once with strict JSON, a batch with an array,
 * each call with its id as it was written; what is dropped or too late is cancelled. And the
 * readers of parameters: what they make of a call is one strict JSON object, or a refusal with a
 * reason. */
#include "gateway/rpc.h"

#include <stdlib.h>

#include "gateway/rpc_body.h"
#include "gateway/rpc_params.h"
#include "gateway/rpc_safe.h"
#include "gateway/rpc_tx.h"
#include "gateway/shard.h"
#include "test.h"

/* The entry point of the fuzzers. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = 65536, MAX = 65536 };

static struct ady_shard shard;
static struct ady_json_tok toks[ROOM];
static unsigned answers, open_calls;

static void demand(bool holds)
{
	if (!holds)
		abort();
}

/* What a handler hands to the enclave. */
static void check_body(enum ady_err err, const struct ady_fault *f, struct ady_dyn *body)
{
	struct ady_json doc;

	if (err == ADY_OK) {
		demand(ady_json_parse(&doc, toks, ROOM, ady_dyn_bytes(body), NULL) != ADY_E_JSON);
		demand(body->p[0] == '{');
	} else {
		demand(f->err == err && f->detail[0]);
	}
	ady_dyn_free(body);
}

static void read_all(const struct ady_rpc_call *call)
{
	struct ady_authorization a;
	struct ady_dyn body = {0};
	struct ady_fault f = {0};
	uint8_t address[20];

	check_body(ady_body_message(call, 0, true, &body, &f), &f, &body);
	check_body(ady_body_typed_data(call, 1, ADY_TYPED_CLEF, &body, &f), &f, &body);
	check_body(ady_rpc_tx_read(call->doc, ady_rpc_param(call, 0), address, &body, &f), &f,
	           &body);
	check_body(ady_safe_body(call, 1, &body, &f), &f, &body);
	if (ady_body_authorization_find(call, &a, &f) == ADY_OK)
		ady_body_authorization(&a, &body);
	ady_dyn_free(&body);
	(void)ady_rpc_address(call, 0, address, &f);
}

/* As an answer of the enclave: its proof, and what it was asked. */
static void prove(struct ady_rpc_call *call)
{
	struct ady_bytes asked = {0};

	if (call->params)
		asked = ady_json_raw(call->doc, call->params);
	shard.proof = ady_bytes("proof", 5);
	ady_rpc_keep_proof(call, asked);
	shard.proof = ady_bytes(NULL, 0);
}

static void echo(struct ady_rpc_call *call)
{
	struct ady_dyn *out;

	read_all(call);
	prove(call);
	out = ady_rpc_result(call);
	if (call->params)
		ady_rpc_put_token(out, call->doc, call->params);
	else
		ady_dyn_str(out, "null");
	ady_rpc_end(call);
}

static void on_cancel(struct ady_rpc_call *call)
{
	(void)call;
	open_calls--;
}

static void waits(struct ady_rpc_call *call)
{
	open_calls++;
	call->cancel = on_cancel;
}

const struct ady_rpc_method *ady_rpc_find(const char *name)
{
	static const struct ady_rpc_method methods[] = {{"echo", echo}, {"waits", waits}};

	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (strcmp(methods[i].name, name) == 0)
			return &methods[i];
	return NULL;
}

void ady_rpc_pass(struct ady_rpc_call *call)
{
	ady_rpc_error(call, ADY_RPC_METHOD, call->name);
}

static bool within; /* proofs were asked for */

static void check_one(const struct ady_json *doc, uint32_t i)
{
	demand(ady_json_kind(doc, i) == ADY_JSON_OBJECT);
	demand(ady_json_is(doc, ady_json_get(doc, i, "jsonrpc"), "2.0"));
	demand(ady_json_get(doc, i, "id") != 0);
	demand(!ady_json_get(doc, i, "result") == !!ady_json_get(doc, i, "error"));
	demand(within || !ady_json_get(doc, i, "adyton_proofs"));
	if (within && ady_json_get(doc, i, "result"))
		demand(ady_json_kind(doc, ady_json_get(doc, i, "adyton_proofs")) == ADY_JSON_ARRAY);
}

static void done(void *ctx, struct ady_bytes answer)
{
	static struct ady_json_tok mine[2 * ROOM];
	struct ady_json doc;

	(void)ctx;
	answers++;
	if (answer.n == 0)
		return;
	/* what was echoed may be as deep as the limit, and is then one or two deeper here */
	if (ady_json_parse(&doc, mine, 2 * ROOM, answer, NULL) == ADY_E_TOO_LARGE)
		return;
	demand(ady_json_parse(&doc, mine, 2 * ROOM, answer, NULL) == ADY_OK);
	if (ady_json_kind(&doc, 0) == ADY_JSON_OBJECT)
		check_one(&doc, 0);
	else
		for (uint32_t k = ady_json_first(&doc, 0); k; k = ady_json_after(&doc, 0, k))
			check_one(&doc, k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ady_rpc_ask ask = {.shard = &shard, .timeout_ms = 60000, .done = done};
	struct ady_rpc *rpc;

	if (!shard.loop && ady_loop_open(&shard.loop) != ADY_OK)
		abort();
	ask.text = ady_bytes(data, size > MAX ? MAX : size);
	ask.proofs = (enum ady_rpc_proofs)(size % 3);
	within = ask.proofs == ADY_RPC_PROOFS_WITHIN;
	(void)ady_rpc_is_text(ask.text);
	answers = open_calls = 0;
	rpc = ady_rpc_start(&ask);
	demand(answers == (rpc ? 0 : 1));
	if (rpc && size % 2)
		ady_rpc_drop(rpc);
	else
		ady_rpc_fail_all(&shard);
	demand(answers == (rpc && size % 2 ? 0 : 1) && open_calls == 0 && !shard.rpcs);
	return 0;
}
