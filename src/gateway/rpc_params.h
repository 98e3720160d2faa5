/* SPDX-License-Identifier: Apache-2.0
 *
 * The parameters of a call. A reader that refuses says which one, as "params[1]", and why; its
 * caller hands the fault to ady_rpc_fail. */
#ifndef ADY_GATEWAY_RPC_PARAMS_H
#define ADY_GATEWAY_RPC_PARAMS_H

#include "codec/wire.h"
#include "gateway/rpc.h"

/* How many there are: 0 when they are no array. */
size_t ady_rpc_params_n(const struct ady_rpc_call *call);

/* The token of parameter n from 0, or 0: it is not there, or null. */
uint32_t ady_rpc_param(const struct ady_rpc_call *call, size_t n);

/* Refuse parameter n. */
enum ady_err ady_rpc_refuse(struct ady_fault *f, enum ady_err err, size_t n, const char *why);

/* Parameter n is an address. Returns ADY_E_FIELD_MISSING, ADY_E_FIELD_INVALID, ADY_E_CHECKSUM. */
enum ady_err ady_rpc_address(const struct ady_rpc_call *call, size_t n,
                             uint8_t address20[static 20], struct ady_fault *f);

/* Whether parameter n has the form of an address: "0x" and 40 more. */
bool ady_rpc_is_address(const struct ady_rpc_call *call, size_t n);

/* Parameter n is bytes in hex: *hex is the text with its "0x", without quotes. Returns
 * ADY_E_FIELD_MISSING or ADY_E_FIELD_INVALID. */
enum ady_err ady_rpc_hex(const struct ady_rpc_call *call, size_t n, struct ady_bytes *hex,
                         struct ady_fault *f);

/* Whether text is "0x" and an even number of hex digits. */
bool ady_rpc_is_hex(struct ady_bytes text);

/* Append token i as it stands in the document, strings with their quotes. */
void ady_rpc_put_token(struct ady_dyn *out, const struct ady_json *doc, uint32_t i);

/* Append "0x.." with its quotes. */
void ady_rpc_put_hex(struct ady_dyn *out, struct ady_bytes b);

/* Append a quantity, "0x" and hex without leading zeros, with its quotes. be: any bytes. */
void ady_rpc_put_quantity(struct ady_dyn *out, struct ady_bytes be);

/* Append r || s || v with v 27 or 28, in quotes: what messages are signed with. */
void ady_rpc_put_serialized(struct ady_dyn *out, const struct ady_wire_signed *m);

#endif
