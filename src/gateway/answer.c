/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/answer.h"

#include <string.h>

#include "base/text.h"
#include "chain/eth_tx.h"
#include "codec/json.h"

void ady_answer_string(struct ady_dyn *out, const char *s)
{
	size_t cap = 6 * strlen(s) + 2; /* each byte as \u00xx, and the quotes */
	struct ady_buf b = ady_buf(ady_dyn_room(out, cap), cap);

	ady_json_put_string(&b, ady_bytes_str(s));
	out->n += b.n;
}

static void put_member(struct ady_dyn *out, const char *head, const char *value)
{
	if (!value || !*value)
		return;
	ady_dyn_str(out, head);
	ady_answer_string(out, value);
}

void ady_answer_problem(struct ady_dyn *out, int status, const struct ady_fault *f,
                        const char *request_id)
{
	const char *code = ady_err_code(f->err);

	ady_dyn_printf(out, "{\"type\":\"urn:adyton:error:%s\"", code);
	put_member(out, ",\"title\":", ady_err_text(f->err));
	ady_dyn_printf(out, ",\"status\":%d,\"code\":\"%s\"", status, code);
	put_member(out, ",\"detail\":", f->detail);
	put_member(out, ",\"where\":", f->where);
	put_member(out, ",\"cause\":", f->cause);
	put_member(out, ",\"request_id\":", request_id);
	ady_dyn_str(out, "}\n");
}

/* A text and hex behind it, without the closing quote. */
static void put_hex(struct ady_dyn *out, const char *head, struct ady_bytes b)
{
	ady_dyn_str(out, head);
	ady_dyn_hex(out, b);
}

/* r || s || v, v 27 or 28, as wallets have it; and EIP-2098: the parity in the highest bit of s,
 * which is at most half the order. */
static void put_signature_forms(struct ady_dyn *out, const struct ady_wire_signed *m)
{
	uint8_t s[32];

	put_hex(out, ",\"serialized\":\"0x", m->r);
	put_hex(out, "", m->s);
	memcpy(s, m->s.p, sizeof s);
	s[0] |= (uint8_t)(m->y_parity << 7);
	put_hex(out, m->y_parity ? "1c\",\"compact\":\"0x" : "1b\",\"compact\":\"0x", m->r);
	put_hex(out, "", ady_bytes(s, sizeof s));
	ady_dyn_str(out, "\"");
}

/* What is no transaction comes with its signature in one piece, in both forms.
 *
 * Clients read r and s as quantities too: hex without leading zeros would be the JSON-RPC form, but
 * 32 bytes are what the formats of signatures want. */
void ady_answer_signed(struct ady_dyn *out, enum ady_wire_form form,
                       const struct ady_wire_signed *m)
{
	char from[43];

	if (form == ADY_FORM_SAMPLE) {
		put_hex(out, "{\"transaction_signed\":\"0x", m->raw);
		put_hex(out, "\",\"transaction_hash\":\"0x", m->hash);
		ady_dyn_str(out, "\"}\n");
		return;
	}
	if (m->raw.n > 0) {
		put_hex(out, "{\"signed_transaction\":\"0x", m->raw);
		put_hex(out, "\",\"transaction_hash\":\"0x", m->hash);
	} else {
		put_hex(out, "{\"hash\":\"0x", m->hash);
	}
	if (m->from.n == 0) {
		put_hex(out, "\",\"signature\":\"0x", m->r);
		put_hex(out, "", m->s);
		ady_dyn_str(out, "\"}\n");
		return;
	}
	ady_eth_address_format(from, m->from.p);
	ady_dyn_str(out, "\",\"from\":\"");
	ady_dyn_str(out, from);
	put_hex(out, "\",\"signature\":{\"r\":\"0x", m->r);
	put_hex(out, "\",\"s\":\"0x", m->s);
	ady_dyn_str(out, m->y_parity ? "\",\"yParity\":1}" : "\",\"yParity\":0}");
	if (m->raw.n == 0)
		put_signature_forms(out, m);
	ady_dyn_str(out, "}\n");
}

void ady_answer_document(struct ady_dyn *out, struct ady_bytes document)
{
	ady_dyn_str(out, "{\"document\":\"");
	out->n +=
	    ady_base64_encode((char *)ady_dyn_room(out, ADY_BASE64_SIZE(document.n)), document);
	ady_dyn_str(out, "\"}\n");
}

void ady_answer_message(struct ady_dyn *out, const struct ady_fault *f)
{
	char text[256];
	struct ady_buf b = ady_buf(text, sizeof text - 1);

	if (f->where[0])
		ady_buf_printf(&b, "%s: ", f->where);
	ady_buf_str(&b, f->detail[0] ? f->detail : ady_err_text(f->err));
	text[b.n] = '\0';
	ady_answer_string(out, text);
}

void ady_answer_code(struct ady_dyn *out, int status, const struct ady_fault *f)
{
	ady_dyn_printf(out, "{\"code\":%d,\"message\":", status);
	ady_answer_message(out, f);
}
