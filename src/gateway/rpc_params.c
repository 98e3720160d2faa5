/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/rpc_params.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "chain/eth_tx.h"

size_t ady_rpc_params_n(const struct ady_rpc_call *call)
{
	if (!call->params || ady_json_kind(call->doc, call->params) != ADY_JSON_ARRAY)
		return 0;
	return call->doc->toks[call->params].count;
}

uint32_t ady_rpc_param(const struct ady_rpc_call *call, size_t n)
{
	uint32_t i;

	if (n >= ady_rpc_params_n(call))
		return 0;
	i = ady_json_first(call->doc, call->params);
	while (n-- > 0)
		i = ady_json_after(call->doc, call->params, i);
	return ady_json_kind(call->doc, i) == ADY_JSON_NULL ? 0 : i;
}

enum ady_err ady_rpc_refuse(struct ady_fault *f, enum ady_err err, size_t n, const char *why)
{
	char where[24];

	snprintf(where, sizeof where, "params[%zu]", n);
	return ady_fail(f, err, where, "%s", why);
}

/* A string that is there; *text is what stands between its quotes. Neither addresses nor hex have
 * escapes. */
static enum ady_err plain(const struct ady_rpc_call *call, size_t n, struct ady_bytes *text,
                          const char *form, struct ady_fault *f)
{
	uint32_t i = ady_rpc_param(call, n);

	*text = (struct ady_bytes){0};
	if (!i)
		return ady_rpc_refuse(f, ADY_E_FIELD_MISSING, n, "is required");
	if (ady_json_kind(call->doc, i) != ADY_JSON_STRING)
		return ady_rpc_refuse(f, ADY_E_FIELD_INVALID, n, form);
	*text = ady_json_raw(call->doc, i);
	return ADY_OK;
}

enum ady_err ady_rpc_address(const struct ady_rpc_call *call, size_t n,
                             uint8_t address20[static 20], struct ady_fault *f)
{
	static const char form[] = "must be an address, \"0x\" and 40 hex digits";
	struct ady_bytes text;
	enum ady_err err = plain(call, n, &text, form, f);

	if (err != ADY_OK)
		return err;
	err = ady_eth_address_parse(address20, text);
	if (err == ADY_OK)
		return ADY_OK;
	return ady_rpc_refuse(f, err, n,
	                      err == ADY_E_CHECKSUM ? "fails its EIP-55 checksum" : form);
}

bool ady_rpc_is_address(const struct ady_rpc_call *call, size_t n)
{
	uint32_t i = ady_rpc_param(call, n);
	struct ady_bytes text;

	if (!i || ady_json_kind(call->doc, i) != ADY_JSON_STRING)
		return false;
	text = ady_json_raw(call->doc, i);
	return text.n == 42 && text.p[0] == '0' && text.p[1] == 'x';
}

bool ady_rpc_is_hex(struct ady_bytes text)
{
	if (text.n < 2 || text.n % 2 != 0 || text.p[0] != '0' || text.p[1] != 'x')
		return false;
	for (size_t k = 2; k < text.n; k++) {
		uint8_t c = text.p[k] | 0x20;

		if (!(text.p[k] >= '0' && text.p[k] <= '9') && !(c >= 'a' && c <= 'f'))
			return false;
	}
	return true;
}

enum ady_err ady_rpc_hex(const struct ady_rpc_call *call, size_t n, struct ady_bytes *hex,
                         struct ady_fault *f)
{
	static const char form[] = "must be \"0x\" and an even number of hex digits";
	enum ady_err err = plain(call, n, hex, form, f);

	if (err != ADY_OK)
		return err;
	return ady_rpc_is_hex(*hex) ? ADY_OK : ady_rpc_refuse(f, ADY_E_FIELD_INVALID, n, form);
}

void ady_rpc_put_token(struct ady_dyn *out, const struct ady_json *doc, uint32_t i)
{
	struct ady_bytes raw = ady_json_raw(doc, i);

	if (ady_json_kind(doc, i) == ADY_JSON_STRING)
		raw = ady_bytes(raw.p - 1, raw.n + 2);
	ady_dyn_put(out, raw.p, raw.n);
}

void ady_rpc_put_hex(struct ady_dyn *out, struct ady_bytes b)
{
	ady_dyn_str(out, "\"0x");
	ady_dyn_hex(out, b);
	ady_dyn_str(out, "\"");
}

void ady_rpc_put_quantity(struct ady_dyn *out, struct ady_bytes be)
{
	while (be.n > 0 && be.p[0] == 0)
		be = ady_bytes(be.p + 1, be.n - 1);
	if (be.n == 0) {
		ady_dyn_str(out, "\"0x0\"");
		return;
	}
	ady_dyn_printf(out, "\"0x%x", be.p[0]);
	ady_dyn_hex(out, ady_bytes(be.p + 1, be.n - 1));
	ady_dyn_str(out, "\"");
}

void ady_rpc_put_serialized(struct ady_dyn *out, const struct ady_wire_signed *m)
{
	ady_dyn_str(out, "\"0x");
	ady_dyn_hex(out, m->r);
	ady_dyn_hex(out, m->s);
	ady_dyn_str(out, m->y_parity ? "1c\"" : "1b\"");
}
