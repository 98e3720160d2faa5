/* SPDX-License-Identifier: Apache-2.0
 *
 * The methods of Ethereum clients that need no node: each makes the native request that the enclave
 * is to read (signer/request.h), and gives back what such clients expect of a wallet. */
#include <string.h>

#include "chain/eth_read.h"
#include "gateway/rpc_accounts.h"
#include "gateway/rpc_body.h"
#include "gateway/rpc_params.h"
#include "gateway/rpc_sign.h"
#include "gateway/rpc_tx.h"

static void health_status(struct ady_rpc_call *call)
{
	ady_dyn_str(ady_rpc_result(call), "\"OK\"");
	ady_rpc_end(call);
}

/* --- signatures over messages --- */

static void put_signature(struct ady_rpc_call *call, struct ady_dyn *out,
                          const struct ady_wire_signed *m)
{
	(void)call;
	ady_rpc_put_serialized(out, m);
}

/* The end of a handler: sign the body, or say what was wrong with the parameters. */
static void go(struct ady_rpc_call *call, enum ady_err err, const struct ady_fault *f,
               const uint8_t address[static 20], struct ady_dyn *body, ady_rpc_put_fn *put)
{
	if (err == ADY_OK)
		ady_rpc_sign(call, address, body, put);
	else
		ady_rpc_fail(call, f);
	ady_dyn_free(body);
}

/* [address, data], or the other way round, as wallets take both (MetaMask's own rule). */
static void sign_message(struct ady_rpc_call *call, size_t address_at, bool text_too)
{
	size_t at = address_at, data_at = 1 - address_at;
	struct ady_dyn body = {0};
	struct ady_fault f;
	uint8_t address[20];
	enum ady_err err;

	if (!ady_rpc_is_address(call, at) && ady_rpc_is_address(call, data_at)) {
		at = data_at;
		data_at = address_at;
	}
	if ((err = ady_rpc_address(call, at, address, &f)) == ADY_OK)
		err = ady_body_message(call, data_at, text_too, &body, &f);
	go(call, err, &f, address, &body, put_signature);
}

static void eth_sign(struct ady_rpc_call *call)
{
	sign_message(call, 0, false);
}

static void personal_sign(struct ady_rpc_call *call)
{
	sign_message(call, 1, true);
}

static void sign_typed(struct ady_rpc_call *call, const char *rest)
{
	size_t at = ady_rpc_is_address(call, 0) || !ady_rpc_is_address(call, 1) ? 0 : 1;
	struct ady_dyn body = {0};
	struct ady_fault f;
	uint8_t address[20];
	enum ady_err err = ady_rpc_address(call, at, address, &f);

	if (err == ADY_OK)
		err = ady_body_typed_data(call, 1 - at, rest, &body, &f);
	go(call, err, &f, address, &body, put_signature);
}

static void eth_sign_typed_data(struct ady_rpc_call *call)
{
	sign_typed(call, ADY_TYPED_WALLET_V4);
}

static void eth_sign_typed_data_v3(struct ady_rpc_call *call)
{
	sign_typed(call, ADY_TYPED_WALLET_V3);
}

/* --- authorizations --- */

/* The tuple as authorizationList has it. */
static void put_tuple(struct ady_rpc_call *call, struct ady_dyn *out,
                      const struct ady_wire_signed *m)
{
	const uint8_t parity = (uint8_t)m->y_parity;
	struct ady_authorization a;
	struct ady_fault f;

	if (ady_body_authorization_find(call, &a, &f) != ADY_OK)
		ADY_BUG("an authorization was signed that is none");
	ady_dyn_str(out, "{\"chainId\":");
	ady_rpc_put_quantity(out, ady_bytes(a.chain_id.be, sizeof a.chain_id.be));
	ady_dyn_str(out, ",\"address\":");
	ady_rpc_put_hex(out, ady_bytes(a.address, sizeof a.address));
	ady_dyn_str(out, ",\"nonce\":");
	ady_rpc_put_quantity(out, ady_bytes(a.nonce.be, sizeof a.nonce.be));
	ady_dyn_str(out, ",\"yParity\":");
	ady_rpc_put_quantity(out, ady_bytes(&parity, 1));
	ady_dyn_str(out, ",\"r\":");
	ady_rpc_put_quantity(out, m->r);
	ady_dyn_str(out, ",\"s\":");
	ady_rpc_put_quantity(out, m->s);
	ady_dyn_str(out, "}");
}

static void eth_sign_authorization(struct ady_rpc_call *call)
{
	struct ady_authorization a;
	struct ady_dyn body = {0};
	struct ady_fault f;
	enum ady_err err = ady_body_authorization_find(call, &a, &f);

	if (err == ADY_OK)
		ady_body_authorization(&a, &body);
	go(call, err, &f, a.from, &body, put_tuple);
}

/* --- transactions --- */

static void put_transaction(struct ady_rpc_call *call, struct ady_dyn *out,
                            const struct ady_wire_signed *m)
{
	struct ady_sidecar s;
	struct ady_fault f;

	if (ady_sidecar_find(&s, call->doc, ady_rpc_param(call, 0), &f) != ADY_OK)
		ADY_BUG("a sidecar has changed");
	ady_sidecar_put_raw(out, &s, call->doc, m->raw);
}

static void eth_sign_transaction(struct ady_rpc_call *call)
{
	struct ady_dyn body = {0};
	uint8_t from[20];
	struct ady_fault f;
	enum ady_err err = ady_rpc_tx_read(call->doc, ady_rpc_param(call, 0), from, &body, &f);

	go(call, err, &f, from, &body, put_transaction);
}

const struct ady_rpc_method ady_rpc_eth[] = {
    {"eth_accounts", ady_rpc_accounts},
    {"eth_requestAccounts", ady_rpc_accounts},
    {"eth_sign", eth_sign},
    {"personal_sign", personal_sign},
    {"eth_signTypedData", eth_sign_typed_data},
    {"eth_signTypedData_v3", eth_sign_typed_data_v3},
    {"eth_signTypedData_v4", eth_sign_typed_data},
    {"eth_signTransaction", eth_sign_transaction},
    {"eth_signAuthorization", eth_sign_authorization},
    {"health_status", health_status},
    {NULL, NULL},
};
