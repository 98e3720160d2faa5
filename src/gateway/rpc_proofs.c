/* SPDX-License-Identifier: Apache-2.0
 *
 * adyton_proofs: a client of WebSocket or IPC asks for proofs, or for none any more. By IPC there
 * is no address that could say so. */
#include "gateway/rpc_params.h"
#include "gateway/session.h"

/* [true] or [false]; it holds for the texts that come after this one. Without parameters: as it is.
 */
static void proofs(struct ady_rpc_call *call)
{
	struct ady_session *s = call->connection;
	uint32_t i = ady_rpc_param(call, 0);
	enum ady_json_kind kind = i ? ady_json_kind(call->doc, i) : ADY_JSON_NULL;
	struct ady_fault f;

	if (!s) {
		(void)ady_fail(&f, ADY_E_METHOD, NULL,
		               "is of WebSocket and IPC; by HTTP it is X-Adyton-Proofs: true");
	} else if (kind != ADY_JSON_NULL && kind != ADY_JSON_TRUE && kind != ADY_JSON_FALSE) {
		(void)ady_rpc_refuse(&f, ADY_E_FIELD_INVALID, 0, "must be true or false");
	} else {
		if (i)
			s->proofs = kind == ADY_JSON_TRUE;
		ady_dyn_str(ady_rpc_result(call), s->proofs ? "true" : "false");
		ady_rpc_end(call);
		return;
	}
	ady_rpc_fail(call, &f);
}

const struct ady_rpc_method ady_rpc_own[] = {
    {"adyton_proofs", proofs},
    {NULL, NULL},
};
