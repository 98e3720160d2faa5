/* SPDX-License-Identifier: Apache-2.0
 *
 * The core of JSON-RPC with methods of the test: one that answers at once, one later, one never. */
#include "gateway/rpc.h"

#include <jansson.h>
#include <stdlib.h>

#include "gateway/shard.h"
#include "test.h"

static struct ady_shard shard;
static char answer[1 << 20];
static bool waiting;
static size_t answer_n, answers, begun, cancelled, at_once, most_at_once;

/* --- methods of the test --- */

static void echo(struct ady_rpc_call *call)
{
	struct ady_dyn *out = ady_rpc_result(call);
	struct ady_bytes p = ady_bytes_str("null");

	if (call->params)
		p = ady_json_raw(call->doc, call->params);
	ady_dyn_put(out, p.p, p.n);
	ady_rpc_end(call);
}

static enum ady_rpc_proofs proofs;
static size_t beside_n; /* of the proof beside the last answer */

struct later {
	struct ady_timer timer;
	struct ady_rpc_call *call;
};

static void later_cancel(struct ady_rpc_call *call)
{
	struct later *l = call->state;

	cancelled++;
	ady_timer_cancel(shard.loop, &l->timer);
	free(l);
}

static void later_fire(struct ady_timer *timer)
{
	struct later *l = (struct later *)timer;
	struct ady_rpc_call *call = l->call;

	free(l);
	at_once--;
	ady_dyn_str(ady_rpc_result(call), "\"later\"");
	ady_rpc_end(call);
}

/* [ms]: answers then. */
static void later(struct ady_rpc_call *call)
{
	struct later *l = calloc(1, sizeof *l);
	struct ady_bytes ms = ady_json_raw(call->doc, call->params + 1);

	begun++;
	if (++at_once > most_at_once)
		most_at_once = at_once;
	l->timer.fn = later_fire;
	l->call = call;
	call->state = l;
	call->cancel = later_cancel;
	ady_timer_set(shard.loop, &l->timer, strtol((const char *)ms.p, NULL, 10));
}

/* What an answer of the enclave leaves behind. */
static void prove(struct ady_rpc_call *call, const char *proof, const char *asked)
{
	shard.proof = ady_bytes_str(proof);
	ady_rpc_keep_proof(call, ady_bytes_str(asked));
	shard.proof = ady_bytes(NULL, 0);
}

static void proved(struct ady_rpc_call *call)
{
	prove(call, "an earlier one", "{}");
	prove(call, "p", "{\"a\":\"\303\244\"}");
	ady_dyn_str(ady_rpc_result(call), "{}");
	ady_rpc_end(call);
}

static void fails(struct ady_rpc_call *call)
{
	struct ady_fault f;

	prove(call, "no", "");
	(void)ady_fail(&f, ADY_E_FIELD_MISSING, "transaction.to", "is required");
	snprintf(f.cause, sizeof f.cause, "Why");
	ady_rpc_fail(call, &f);
}

static void big(struct ady_rpc_call *call)
{
	struct ady_dyn *out = ady_rpc_result(call);
	size_t n = 9 * 1024 * 1024;
	uint8_t *p = ady_dyn_room(out, n);

	memset(p, 'x', n);
	p[0] = p[n - 1] = '"';
	out->n += n;
	ady_rpc_end(call);
}

const struct ady_rpc_method *ady_rpc_find(const char *name)
{
	static const struct ady_rpc_method methods[] = {
	    {"echo", echo}, {"later", later}, {"fails", fails}, {"big", big}, {"proved", proved}};

	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (strcmp(methods[i].name, name) == 0)
			return &methods[i];
	return NULL;
}

void ady_rpc_pass(struct ady_rpc_call *call)
{
	ady_rpc_error_object(call, ady_bytes_str("{\"code\":3,\"message\":\"of a node\"}"));
}

/* --- asking --- */

static void done(void *ctx, struct ady_bytes a)
{
	(void)ctx;
	answers++;
	answer_n = a.n;
	beside_n = shard.proof.n;
	if (!ady_bytes_to_str(answer, sizeof answer, a))
		snprintf(answer, sizeof answer, "(%zu bytes)", a.n);
	if (waiting)
		ady_loop_stop(shard.loop);
}

static struct ady_rpc *start(const char *text, int timeout_ms)
{
	const struct ady_rpc_ask ask = {.shard = &shard,
	                                .text = ady_bytes_str(text),
	                                .timeout_ms = timeout_ms,
	                                .proofs = proofs,
	                                .done = done};

	answers = answer_n = begun = cancelled = at_once = most_at_once = 0;
	answer[0] = '\0';
	return ady_rpc_start(&ask);
}

static void wait_for_answer(void)
{
	waiting = true;
	ady_loop_run(shard.loop);
	waiting = false;
}

/* Ask and wait for the answer. */
static const char *ask(const char *text)
{
	if (start(text, 5000))
		wait_for_answer();
	CHECK_INT(answers, 1);
	CHECK(shard.rpcs == NULL);
	return answer;
}

/* What a text must be answered with when it is refused: the error's code. */
static void refused(const char *text, int code, const char *id)
{
	json_t *a = json_loads(ask(text), JSON_DECODE_ANY, NULL);
	json_t *error = json_object_get(a, "error");
	char *got = json_dumps(json_object_get(a, "id"), JSON_ENCODE_ANY);

	CHECK_INT(json_integer_value(json_object_get(error, "code")), code);
	CHECK(*json_string_value(json_object_get(error, "message")));
	CHECK_STR(got ? got : "none", id);
	CHECK(json_object_get(a, "result") == NULL);
	free(got);
	json_decref(a);
}

CASE(a_call_is_answered_with_its_id_as_it_was_written)
{
	static const char *const ids[] = {
	    "1",     "0",    "-7",   "1.50e+3",       "123456789012345678901234567890",
	    "\"a\"", "\"\"", "null", "\"\\u00e9\\n\""};

	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		char text[200], want[200];

		snprintf(text, sizeof text,
		         " {\"id\":%s,\"method\":\"echo\",\"params\":[1, {\"a\":2}],"
		         "\"jsonrpc\":\"2.0\",\"more\":1}",
		         ids[i]);
		snprintf(want, sizeof want,
		         "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":[1, {\"a\":2}]}", ids[i]);
		CHECK_STR(ask(text), want);
	}
	CHECK_STR(ask("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"}"),
	          "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":null}");
	CHECK_STR(ask("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":null}"),
	          "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":null}");
	CHECK_STR(
	    ask("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ech\\u006f\",\"params\":{\"a\":1}}"),
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"a\":1}}");
}

CASE(what_is_no_call_is_refused_with_the_codes_of_the_specification)
{
	char name[200];

	refused("", -32700, "null");
	refused("{", -32700, "null");
	refused("{\"jsonrpc\":\"2.0\",\"id\":1,}", -32700, "null");
	refused("[1", -32700, "null");
	refused("{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"echo\"}", -32600, "null");
	refused("[]", -32600, "null");
	refused("1", -32600, "null");
	refused("\"x\"", -32600, "null");
	refused("{}", -32600, "null");
	refused("{\"id\":4}", -32600, "4");
	refused("{\"id\":4,\"method\":\"echo\"}", -32600, "4");
	refused("{\"id\":4,\"jsonrpc\":\"1.0\",\"method\":\"echo\"}", -32600, "4");
	refused("{\"id\":4,\"jsonrpc\":2.0,\"method\":\"echo\"}", -32600, "4");
	refused("{\"id\":4,\"jsonrpc\":\"2.0\"}", -32600, "4");
	refused("{\"id\":4,\"jsonrpc\":\"2.0\",\"method\":1}", -32600, "4");
	refused("{\"id\":4,\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":1}", -32600, "4");
	refused("{\"id\":4,\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":\"1\"}", -32600, "4");
	refused("{\"id\":[1],\"jsonrpc\":\"2.0\",\"method\":\"echo\"}", -32600, "null");
	refused("{\"id\":{},\"jsonrpc\":\"2.0\",\"method\":\"echo\"}", -32600, "null");
	refused("{\"id\":true,\"jsonrpc\":\"2.0\",\"method\":\"echo\"}", -32600, "null");
	/* names that no method has */
	snprintf(name, sizeof name, "{\"id\":4,\"jsonrpc\":\"2.0\",\"method\":\"%080d\"}", 1);
	refused(name, -32601, "4");
	refused("{\"id\":4,\"jsonrpc\":\"2.0\",\"method\":\"echo\\u0000\"}", -32601, "4");
}

CASE(an_id_longer_than_256_bytes_is_refused)
{
	char text[600];

	snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"id\":\"%0256d\"}",
	         1);
	CHECK(strstr(ask(text), "\"result\":null") != NULL);
	snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"id\":\"%0257d\"}",
	         1);
	refused(text, -32600, "null");
}

CASE(a_refusal_carries_its_reason)
{
	CHECK_STR(ask("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"fails\"}"),
	          "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602,\"message\":"
	          "\"transaction.to: is required\",\"data\":{\"code\":\"field_missing\","
	          "\"where\":\"transaction.to\",\"cause\":\"Why\"}}}");
	CHECK_STR(
	    ask("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_x\"}"),
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":3,\"message\":\"of a node\"}}");
}

CASE(codes_tell_whose_fault_it_was)
{
	static const struct {
		enum ady_err err;
		int code;
	} rows[] = {{ADY_E_FIELD_UNKNOWN, -32602}, {ADY_E_CHECKSUM, -32602},
	            {ADY_E_FROM, -32602},          {ADY_E_TOO_LARGE, -32602},
	            {ADY_E_NOT_FOUND, -32000},     {ADY_E_METHOD, -32601},
	            {ADY_E_UNAUTHORIZED, 4100},    {ADY_E_DENIED, 4100},
	            {ADY_E_RECORD, -32000},        {ADY_E_KEY_RANGE, -32000},
	            {ADY_E_KMS, -32002},           {ADY_E_STORE, -32002},
	            {ADY_E_ENCLAVE, -32002},       {ADY_E_BUSY, -32005},
	            {ADY_E_DEADLINE, -32002},      {ADY_E_PROTOCOL, -32002},
	            {ADY_E_CONFIG, -32603},        {ADY_E_CRYPTO, -32603},
	            {ADY_E_INTERNAL, -32603},      {ADY_E_RECORD_MISMATCH, -32000}};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		CHECK_INT(ady_rpc_code_of(rows[i].err), rows[i].code);
}

#define CALL(id, method, params) \
	"{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"" method "\",\"params\":" params "}"
#define NOTE(method, params) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"params\":" params "}"

CASE(a_batch_is_answered_in_its_order)
{
	CHECK_STR(ask("[" CALL("1", "later", "[30]") "," CALL("2", "echo", "[2]") ",7," CALL(
	              "3", "later", "[5]") "," NOTE("echo", "[]") ",{\"id\":9}]"),
	          "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"later\"},"
	          "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":[2]},"
	          "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":"
	          "\"a call must be an object\"}},"
	          "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":\"later\"},"
	          "{\"jsonrpc\":\"2.0\",\"id\":9,\"error\":{\"code\":-32600,\"message\":"
	          "\"jsonrpc must be \\\"2.0\\\"\"}}]");
	CHECK_STR(ask("[" CALL("1", "echo", "[]") "]"),
	          "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[]}]");
}

CASE(notifications_are_worked_on_and_not_answered)
{
	CHECK_STR(ask(NOTE("later", "[1]")), "");
	CHECK_INT(begun, 1);
	CHECK_STR(ask("[" NOTE("later", "[1]") "," NOTE("fails", "[]") "," NOTE("x", "[]") "]"),
	          "");
	CHECK_INT(begun, 1);
	CHECK_STR(ask(NOTE("fails", "[]")), "");
}

/* A batch of n calls that answer a little later. */
static const char *batch_of(size_t n)
{
	static char text[100000];
	size_t at = 0;

	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", i ? "," : "[",
		                       CALL("1", "later", "[1]"));
	snprintf(text + at, sizeof text - at, "]");
	return text;
}

CASE(a_batch_has_1000_calls_at_most_and_32_in_work)
{
	json_t *a;

	refused(batch_of(1001), -32600, "null");
	CHECK_INT(begun, 0);
	a = json_loads(ask(batch_of(1000)), 0, NULL);
	CHECK_INT(json_array_size(a), 1000);
	CHECK_INT(begun, 1000);
	CHECK_INT(most_at_once, 32);
	json_decref(a);
}

CASE(the_answers_of_a_batch_are_bounded_together)
{
	json_t *a;

	if (start("[" CALL("1", "big", "[]") "," CALL("2", "big", "[]") "," CALL("3", "big",
	                                                                         "[]") "]",
	          1000))
		CHECK(false);
	CHECK(answer_n > 18u << 20 && answer_n < 19u << 20);
	a = json_loads(ask("[" CALL("3", "echo", "[1]") "]"), 0, NULL);
	CHECK_INT(json_array_size(a), 1);
	json_decref(a);
}

CASE(what_is_not_answered_in_time_is_cancelled)
{
	if (start("[" CALL("1", "later",
	                   "[60000]") "," CALL("2", "echo", "[2]") "," NOTE("later", "[60000]") "]",
	          30))
		wait_for_answer();
	CHECK_STR(answer, "[{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32002,\"message\":"
	                  "\"the call was not answered in time\",\"data\":{\"code\":"
	                  "\"deadline_exceeded\"}}},"
	                  "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":[2]}]");
	CHECK_INT(cancelled, 2);
	CHECK(shard.rpcs == NULL);
}

CASE(a_dropped_text_is_cancelled_and_never_answered)
{
	struct ady_rpc *r =
	    start("[" CALL("1", "later", "[20]") "," CALL("2", "echo", "[2]") "]", 1000);

	CHECK(r != NULL);
	ady_rpc_drop(r);
	CHECK_INT(cancelled, 1);
	CHECK_INT(answers, 0);
	CHECK(shard.rpcs == NULL);
	ady_rpc_drop(NULL);
}

CASE(the_end_of_a_shard_answers_all)
{
	CHECK(start(CALL("1", "later", "[60000]"), 60000) != NULL);
	ady_rpc_fail_all(&shard);
	CHECK(strstr(answer, "the gateway is ending") != NULL);
	CHECK(strstr(answer, "-32002") != NULL);
	CHECK_INT(cancelled, 1);
}

CASE(texts_of_json_rpc_are_known_by_their_look)
{
	static const char *const yes[] = {"[", " \n[1]", "{\"jsonrpc\":1}", "{\"method\":1}",
	                                  "{\"a\":1,\"jsonrpc\" :"};
	static const char *const no[] = {"", "{", "{}", "1",
	                                 "{\"transaction_payload\":{},\"secret_id\":\"a\"}"};

	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		CHECK(ady_rpc_is_text(ady_bytes_str(yes[i])));
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		CHECK(!ady_rpc_is_text(ady_bytes_str(no[i])));
	CHECK(!ady_rpc_is_text(ady_bytes("\0[", 2)));
}

#define PROVED "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"proved\"}"
#define RESULT "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}"
#define WITHIN \
	",\"adyton_proofs\":[{\"proof\":\"cA\",\"request\":\"{\\\"a\\\":\\\"\303\244\\\"}\"}]"

CASE(a_proof_is_beside_one_answer_or_within_each_or_nowhere)
{
	proofs = ADY_RPC_UNPROVED;
	CHECK_STR(ask(PROVED), RESULT "}");
	CHECK_INT(beside_n, 0);
	proofs = ADY_RPC_PROOF_BESIDE;
	CHECK_STR(ask(PROVED), RESULT "}");
	CHECK_INT(beside_n, 1);
	CHECK_STR(ask("[" PROVED "]"), "[" RESULT "}]");
	CHECK_INT(beside_n, 0);
	proofs = ADY_RPC_PROOFS_WITHIN;
	CHECK_STR(ask(PROVED), RESULT WITHIN "}");
	CHECK_INT(beside_n, 1);
	CHECK_STR(ask("[" PROVED ",{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"echo\"}]"),
	          "[" RESULT WITHIN "},{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":null}]");
	CHECK_INT(beside_n, 0);
	CHECK_INT(shard.proof.n, 0);
	CHECK(strstr(ask("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"fails\"}"),
	             "}},\"adyton_proofs\":[{\"proof\":\"bm8\"}]}") != NULL);
	proofs = ADY_RPC_UNPROVED;
}

int main(void)
{
	CHECK_ERR(ady_loop_open(&shard.loop), ADY_OK);
	RUN(a_call_is_answered_with_its_id_as_it_was_written);
	RUN(what_is_no_call_is_refused_with_the_codes_of_the_specification);
	RUN(an_id_longer_than_256_bytes_is_refused);
	RUN(a_refusal_carries_its_reason);
	RUN(codes_tell_whose_fault_it_was);
	RUN(a_batch_is_answered_in_its_order);
	RUN(notifications_are_worked_on_and_not_answered);
	RUN(a_batch_has_1000_calls_at_most_and_32_in_work);
	RUN(the_answers_of_a_batch_are_bounded_together);
	RUN(what_is_not_answered_in_time_is_cancelled);
	RUN(a_dropped_text_is_cancelled_and_never_answered);
	RUN(the_end_of_a_shard_answers_all);
	RUN(texts_of_json_rpc_are_known_by_their_look);
	RUN(a_proof_is_beside_one_answer_or_within_each_or_nowhere);
	ady_loop_close(shard.loop);
	return test_end();
}
