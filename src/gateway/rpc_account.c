/* SPDX-License-Identifier: Apache-2.0
 *
 * geth's external signer (geth --signer URL), version 6.1.0 of its interface: what Clef answered
 * until it was removed from geth (accounts/external/backend.go is the client). */
#include <string.h>

#include "base/text.h"
#include "chain/eth_message.h"
#include "chain/eth_tx.h"
#include "gateway/geth_tx.h"
#include "gateway/rpc_accounts.h"
#include "gateway/rpc_body.h"
#include "gateway/rpc_params.h"
#include "gateway/rpc_safe.h"
#include "gateway/rpc_sign.h"
#include "gateway/rpc_tx.h"
#include "gateway/shard.h"

/* accounts.go of Clef: what its users' refusals were called. */
static const char denied[] = "request denied";

/* The end of a handler: sign the body, or say what was wrong with the parameters. */
static void go(struct ady_rpc_call *call, enum ady_err err, const struct ady_fault *f,
               const uint8_t address[static 20], struct ady_dyn *body, ady_rpc_put_fn *put)
{
	call->denied = denied;
	if (err == ADY_OK)
		ady_rpc_sign(call, address, body, put);
	else
		ady_rpc_fail(call, f);
	ady_dyn_free(body);
}

static void version(struct ady_rpc_call *call)
{
	ady_dyn_str(ady_rpc_result(call), "\"6.1.0\"");
	ady_rpc_end(call);
}

/* --- transactions --- */

/* geth reads tx and leaves raw alone; others read raw. */
static void put_transaction(struct ady_rpc_call *call, struct ady_dyn *out,
                            const struct ady_wire_signed *m)
{
	struct ady_sidecar s;
	struct ady_fault f;

	if (ady_sidecar_find(&s, call->doc, ady_rpc_param(call, 0), &f) != ADY_OK)
		ADY_BUG("a sidecar has changed");
	ady_dyn_str(out, "{\"raw\":");
	ady_sidecar_put_raw(out, &s, call->doc, m->raw);
	ady_dyn_str(out, ",\"tx\":");
	if (ady_geth_tx_put(out, m->raw, m->hash.p, &s, call->doc) != ADY_OK)
		ady_dyn_str(out,
		            "null"); /* no enclave answers so: geth then says that it is none */
	ady_dyn_str(out, "}");
}

static void sign_transaction(struct ady_rpc_call *call)
{
	struct ady_dyn body = {0};
	uint8_t from[20];
	struct ady_fault f;
	enum ady_err err = ady_rpc_tx_read(call->doc, ady_rpc_param(call, 0), from, &body, &f);

	go(call, err, &f, from, &body, put_transaction);
}

/* --- data --- */

static void put_signature(struct ady_rpc_call *call, struct ady_dyn *out,
                          const struct ady_wire_signed *m)
{
	(void)call;
	ady_rpc_put_serialized(out, m);
}

/* Seals have the parity itself as v. */
static void put_seal(struct ady_rpc_call *call, struct ady_dyn *out,
                     const struct ady_wire_signed *m)
{
	(void)call;
	ady_rpc_put_serialized(out, m);
	out->p[out->n - 3] = '0'; /* "1b" is "00", "1c" is "01" */
	out->p[out->n - 2] = m->y_parity ? '1' : '0';
}

static enum ady_err text_plain(struct ady_rpc_call *call, struct ady_dyn *body, struct ady_fault *f)
{
	return ady_body_message(call, 2, false, body, f);
}

/* {"address", "message"} */
static enum ady_err validator(struct ady_rpc_call *call, struct ady_dyn *body, struct ady_fault *f)
{
	uint32_t i = ady_rpc_param(call, 2);
	uint32_t address = i ? ady_json_get(call->doc, i, "address") : 0;
	uint32_t message = i ? ady_json_get(call->doc, i, "message") : 0;

	if (!address || !message || call->doc->toks[i].count != 2)
		return ady_rpc_refuse(f, ADY_E_FIELD_INVALID, 2,
		                      "must be an object with address and message");
	ady_dyn_str(body, "{\"validator_data\":{\"address\":");
	ady_rpc_put_token(body, call->doc, address);
	ady_dyn_str(body, ",\"data\":");
	ady_rpc_put_token(body, call->doc, message);
	ady_dyn_str(body, "}}");
	return ADY_OK;
}

/* The document's JSON in hex. */
static enum ady_err typed(struct ady_rpc_call *call, struct ady_dyn *body, struct ady_fault *f)
{
	struct ady_dyn text = {0};
	struct ady_bytes hex;
	enum ady_err err = ady_rpc_hex(call, 2, &hex, f);
	size_t n;

	if (err != ADY_OK)
		return err;
	err = ady_hex_decode(ady_dyn_room(&text, hex.n / 2), hex.n / 2, &n,
	                     ady_bytes(hex.p + 2, hex.n - 2));
	if (err == ADY_OK)
		err = ady_body_typed_text(call, 2, ady_bytes(text.p, n), ADY_TYPED_CLEF, body, f);
	ady_dyn_free(&text);
	return err;
}

static enum ady_err clique(struct ady_rpc_call *call, struct ady_dyn *body, struct ady_fault *f)
{
	struct ady_bytes hex;
	enum ady_err err = ady_rpc_hex(call, 2, &hex, f);

	if (err != ADY_OK)
		return err;
	ady_dyn_str(body, "{\"clique_header\":");
	ady_rpc_put_token(body, call->doc, ady_rpc_param(call, 2));
	ady_dyn_str(body, "}");
	return ADY_OK;
}

/* Of a type that it does not know Clef signed the bytes as text/plain; here it is refused. */
static const struct content {
	const char *type;
	enum ady_err (*body)(struct ady_rpc_call *call, struct ady_dyn *body, struct ady_fault *f);
	ady_rpc_put_fn *put;
} contents[] = {
    {"text/plain", text_plain, put_signature},
    {"data/validator", validator, put_signature},
    {"data/typed", typed, put_signature},
    {"application/x-clique-header", clique, put_seal},
};

static const struct content *find_content(const struct ady_rpc_call *call)
{
	uint32_t i = ady_rpc_param(call, 0);

	for (size_t k = 0; i && k < sizeof contents / sizeof *contents; k++)
		if (ady_json_is(call->doc, i, contents[k].type))
			return &contents[k];
	return NULL;
}

static void sign_data(struct ady_rpc_call *call)
{
	const struct content *c = find_content(call);
	struct ady_dyn body = {0};
	uint8_t address[20];
	struct ady_fault f;
	enum ady_err err;

	if (!c)
		err = ady_rpc_refuse(&f, ADY_E_FIELD_INVALID, 0,
		                     "must be text/plain, data/validator, data/typed or "
		                     "application/x-clique-header");
	else if ((err = ady_rpc_address(call, 1, address, &f)) == ADY_OK)
		err = c->body(call, &body, &f);
	go(call, err, &f, address, &body, c ? c->put : NULL);
}

static void sign_typed_data(struct ady_rpc_call *call)
{
	struct ady_dyn body = {0};
	uint8_t address[20];
	struct ady_fault f;
	enum ady_err err = ady_rpc_address(call, 0, address, &f);

	if (err == ADY_OK)
		err = ady_body_typed_data(call, 1, ADY_TYPED_CLEF, &body, &f);
	go(call, err, &f, address, &body, put_signature);
}

static void sign_safe(struct ady_rpc_call *call)
{
	struct ady_dyn body = {0};
	uint8_t address[20];
	struct ady_fault f;
	enum ady_err err = ady_rpc_address(call, 0, address, &f);

	if (err == ADY_OK)
		err = ady_safe_body(call, 1, &body, &f);
	go(call, err, &f, address, &body, ady_safe_put);
}

/* --- recovery --- */

/* [data, signature]: r || s || v, v 27 or 28. */
static enum ady_err recover(struct ady_rpc_call *call, uint8_t address[static 20],
                            struct ady_fault *f)
{
	struct ady_bytes data, hex;
	struct ady_dyn bytes = {0};
	uint8_t sig[65], digest[32], pub65[65];
	struct ady_secp_sig s;
	size_t n;
	enum ady_err err;

	if ((err = ady_rpc_hex(call, 0, &data, f)) != ADY_OK ||
	    (err = ady_rpc_hex(call, 1, &hex, f)) != ADY_OK)
		return err;
	if (ady_hex_decode(sig, sizeof sig, &n, ady_bytes(hex.p + 2, hex.n - 2)) != ADY_OK ||
	    n != sizeof sig || sig[64] < 27 || sig[64] > 28)
		return ady_rpc_refuse(f, ADY_E_FIELD_INVALID, 1,
		                      "must be 65 bytes in hex, the last 27 or 28");
	err = ady_hex_decode(ady_dyn_room(&bytes, data.n / 2), data.n / 2, &n,
	                     ady_bytes(data.p + 2, data.n - 2));
	if (err == ADY_OK)
		ady_eth_personal_digest(digest, ady_bytes(bytes.p, n));
	ady_dyn_free(&bytes);
	memcpy(s.r, sig, sizeof s.r);
	memcpy(s.s, sig + 32, sizeof s.s);
	s.y_parity = sig[64] - 27;
	if (err == ADY_OK)
		err = ady_secp_recover(call->shard->gateway->secp, pub65, &s, digest);
	if (err != ADY_OK)
		return ady_rpc_refuse(f, ADY_E_FIELD_INVALID, 1, "is no signature of any key");
	ady_eth_address(address, pub65);
	return ADY_OK;
}

static void ec_recover(struct ady_rpc_call *call)
{
	uint8_t address[20];
	struct ady_fault f;

	if (recover(call, address, &f) != ADY_OK) {
		ady_rpc_fail(call, &f);
		return;
	}
	ady_rpc_put_hex(ady_rpc_result(call), ady_bytes(address, sizeof address));
	ady_rpc_end(call);
}

const struct ady_rpc_method ady_rpc_account[] = {
    {"account_version", version},
    {"account_list", ady_rpc_accounts},
    {"account_new", ady_rpc_account_new},
    {"account_signTransaction", sign_transaction},
    {"account_signData", sign_data},
    {"account_signTypedData", sign_typed_data},
    {"account_signGnosisSafeTx", sign_safe},
    {"account_ecRecover", ec_recover},
    {NULL, NULL},
};
