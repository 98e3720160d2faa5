/* SPDX-License-Identifier: Apache-2.0
 *
 * Native requests (signer/request.h) made of the parameters of calls. What is signed is decided by
 * the enclave, which reads the result like any client's: here only its form is made. body must be
 * empty, and is to be freed in any case. */
#ifndef ADY_GATEWAY_RPC_BODY_H
#define ADY_GATEWAY_RPC_BODY_H

#include "base/u256.h"
#include "gateway/rpc.h"

/* {"message": {..}} of parameter n: bytes in hex or, with text_too, any other text. A text that
 * begins with "0x" and is no hex is refused: what it means is not clear. */
enum ady_err ady_body_message(const struct ady_rpc_call *call, size_t n, bool text_too,
                              struct ady_dyn *body, struct ady_fault *f);

/* What goes with typed data: members of the request behind it. Wallets ignore members that no type
 * names, Clef refuses them. */
#define ADY_TYPED_WALLET_V3 "\"version\":\"V3\",\"unknown_members\":\"ignore\""
#define ADY_TYPED_WALLET_V4 "\"version\":\"V4\",\"unknown_members\":\"ignore\""
#define ADY_TYPED_CLEF "\"version\":\"V4\""

/* {"typed_data": {..}, rest} of parameter n: an object, or a string with its JSON. */
enum ady_err ady_body_typed_data(const struct ady_rpc_call *call, size_t n, const char *rest,
                                 struct ady_dyn *body, struct ady_fault *f);

/* The same of a text; n is the parameter that it came from. */
enum ady_err ady_body_typed_text(const struct ady_rpc_call *call, size_t n, struct ady_bytes text,
                                 const char *rest, struct ady_dyn *body, struct ady_fault *f);

/* An authorization to be signed (EIP-7702), and by whom. */
struct ady_authorization {
	uint8_t from[20], address[20];
	struct ady_u256 chain_id, nonce;
};

/* Read [from, {"chainId", "address" or "contractAddress", "nonce"}], or one object with "from".
 * Returns: the ADY_E_FIELD_* or ADY_E_CHECKSUM with the path. */
enum ady_err ady_body_authorization_find(const struct ady_rpc_call *call,
                                         struct ady_authorization *a, struct ady_fault *f);

/* {"authorization": {..}} */
void ady_body_authorization(const struct ady_authorization *a, struct ady_dyn *body);

#endif
