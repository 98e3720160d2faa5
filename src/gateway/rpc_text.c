/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/rpc_text.h"

#include <stdio.h>
#include <string.h>

#include "gateway/answer.h"

/* --- the answers --- */

void ady_rpc_put_head(struct ady_rpc_call *call)
{
	struct ady_bytes id = ady_bytes_str("null");

	call->out.n = 0;
	if (call->id) {
		id = ady_json_raw(call->doc, call->id);
		if (ady_json_kind(call->doc, call->id) == ADY_JSON_STRING)
			id = ady_bytes(id.p - 1, id.n + 2); /* with its quotes */
	}
	ady_dyn_str(&call->out, "{\"jsonrpc\":\"2.0\",\"id\":");
	ady_dyn_put(&call->out, id.p, id.n);
}

static void put_member(struct ady_dyn *out, const char *head, const char *value)
{
	if (!*value)
		return;
	ady_dyn_str(out, head);
	ady_answer_string(out, value);
}

static void put_code(struct ady_rpc_call *call, enum ady_rpc_code code, const char *message)
{
	ady_rpc_put_head(call);
	ady_dyn_printf(&call->out, ",\"error\":{\"code\":%d,\"message\":", (int)code);
	ady_answer_string(&call->out, message);
}

void ady_rpc_put_error(struct ady_rpc_call *call, enum ady_rpc_code code, const char *message)
{
	put_code(call, code, message);
	ady_dyn_str(&call->out, "}}");
}

static void put_data(struct ady_rpc_call *call, const struct ady_fault *f, const char *detail)
{
	ady_dyn_printf(&call->out, ",\"data\":{\"code\":\"%s\"", ady_err_code(f->err));
	put_member(&call->out, ",\"where\":", f->where);
	put_member(&call->out, ",\"detail\":", detail);
	put_member(&call->out, ",\"cause\":", f->cause);
	ady_dyn_str(&call->out, "}}}");
}

void ady_rpc_put_fault(struct ady_rpc_call *call, enum ady_rpc_code code, const struct ady_fault *f)
{
	const char *why = f->detail[0] ? f->detail : ady_err_text(f->err);
	char message[sizeof f->where + sizeof f->detail + 4];

	if (f->where[0])
		snprintf(message, sizeof message, "%s: %s", f->where, why);
	else
		snprintf(message, sizeof message, "%s", why);
	put_code(call, code, message);
	put_data(call, f, "");
}

/* geth compares the message with "request denied" and nothing else. */
void ady_rpc_put_denied(struct ady_rpc_call *call, const struct ady_fault *f)
{
	put_code(call, ADY_RPC_INPUT, call->denied);
	put_data(call, f, f->detail);
}

/* What a client makes of a code: -32602 and -32000 are its own fault, -32002 and -32005 pass. viem
 * sends a call again by itself for -32005 and -32603: so the first is for what was refused before
 * anything was done, and the second for what cannot be helped. */
enum ady_rpc_code ady_rpc_code_of(enum ady_err err)
{
	static const struct {
		enum ady_err from, to; /* a range of enum ady_err */
		enum ady_rpc_code code;
	} ranges[] = {
	    {ADY_E_JSON, ADY_E_FROM, ADY_RPC_PARAMS},
	    {ADY_E_TOO_LARGE, ADY_E_TOO_LARGE, ADY_RPC_PARAMS},
	    {ADY_E_NOT_FOUND, ADY_E_NOT_FOUND, ADY_RPC_INPUT},
	    {ADY_E_METHOD, ADY_E_METHOD, ADY_RPC_METHOD},
	    {ADY_E_UNAUTHORIZED, ADY_E_DENIED, ADY_RPC_UNAUTHORIZED},
	    {ADY_E_RECORD, ADY_E_KEY_RANGE, ADY_RPC_INPUT},
	    {ADY_E_KMS, ADY_E_ENCLAVE, ADY_RPC_UNAVAILABLE},
	    {ADY_E_BUSY, ADY_E_BUSY, ADY_RPC_LIMIT},
	    {ADY_E_RATE, ADY_E_RATE, ADY_RPC_LIMIT},
	    {ADY_E_DEADLINE, ADY_E_PROTOCOL, ADY_RPC_UNAVAILABLE},
	};

	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
		if (err >= ranges[i].from && err <= ranges[i].to)
			return ranges[i].code;
	return ADY_RPC_INTERNAL;
}

/* --- the calls --- */

static void refuse(struct ady_rpc_call *call, enum ady_rpc_code code, const char *message)
{
	call->invalid = true;
	ady_rpc_error(call, code, message);
}

/* The id first: an answer that refuses the rest carries it where it can. NULL: it is good. */
static const char *read_id(struct ady_rpc_call *call)
{
	uint32_t i = ady_json_get(call->doc, call->object, "id");
	enum ady_json_kind kind;

	if (!i)
		return NULL;
	kind = ady_json_kind(call->doc, i);
	if ((kind != ADY_JSON_STRING && kind != ADY_JSON_NUMBER && kind != ADY_JSON_NULL) ||
	    ady_json_raw(call->doc, i).n > ADY_RPC_ID_MAX)
		return "id must be a string or a number of at most 256 bytes";
	call->id = i;
	return NULL;
}

/* Other members are left alone: some clients add their own. */
static const char *read_object(struct ady_rpc_call *call)
{
	const struct ady_json *doc = call->doc;
	const char *why;
	uint32_t version;

	if (ady_json_kind(doc, call->object) != ADY_JSON_OBJECT)
		return "a call must be an object";
	if ((why = read_id(call)))
		return why;
	version = ady_json_get(doc, call->object, "jsonrpc");
	if (!version || !ady_json_is(doc, version, "2.0"))
		return "jsonrpc must be \"2.0\"";
	call->method = ady_json_get(doc, call->object, "method");
	if (!call->method || ady_json_kind(doc, call->method) != ADY_JSON_STRING)
		return "method must be a string";
	call->params = ady_json_get(doc, call->object, "params");
	if (call->params && ady_json_kind(doc, call->params) == ADY_JSON_NULL)
		call->params = 0;
	if (call->params && ady_json_kind(doc, call->params) != ADY_JSON_ARRAY &&
	    ady_json_kind(doc, call->params) != ADY_JSON_OBJECT)
		return "params must be an array or an object";
	return NULL;
}

void ady_rpc_dispatch(struct ady_rpc_call *call)
{
	const char *why = read_object(call);
	const struct ady_rpc_method *m;
	size_t n;

	if (why) {
		refuse(call, ADY_RPC_REQUEST, why);
		return;
	}
	if (ady_json_string(call->doc, call->method, call->name, sizeof call->name, &n) != ADY_OK ||
	    strlen(call->name) != n) {
		ady_rpc_error(call, ADY_RPC_METHOD, "there is no method of that name");
		return;
	}
	m = ady_rpc_find(call->name);
	if (m)
		m->fn(call);
	else
		ady_rpc_pass(call);
}

bool ady_rpc_is_text(struct ady_bytes text)
{
	static const char version[] = "\"jsonrpc\"", method[] = "\"method\"";

	while (text.n > 0 && strchr(" \t\r\n", text.p[0]) && text.p[0])
		text = ady_bytes(text.p + 1, text.n - 1);
	if (text.n == 0)
		return false;
	return text.p[0] == '[' || memmem(text.p, text.n, version, sizeof version - 1) ||
	       memmem(text.p, text.n, method, sizeof method - 1);
}
