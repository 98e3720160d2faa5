/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/proofs.h"

#include "base/text.h"
#include "codec/json.h"
#include "codec/proof.h"

static enum ady_err read_flag(bool *asked, struct ady_bytes text, const char *where,
                              struct ady_fault *f)
{
	*asked = ady_bytes_is(text, "true");
	if (*asked || ady_bytes_is(text, "false"))
		return ADY_OK;
	return ady_fail(f, ADY_E_FIELD_INVALID, where, "must be true or false");
}

enum ady_err ady_proofs_asked(bool *asked, const struct ady_http_request *req, struct ady_fault *f)
{
	struct ady_bytes field = ady_http_field(&req->head, ADY_PROOFS_FIELD);
	char text[8];
	enum ady_err err;

	*asked = false;
	if (field.p)
		return read_flag(asked, field, ADY_PROOFS_FIELD, f);
	if (req->head.query.n == 0)
		return ADY_OK;
	err = ady_http_query(text, sizeof text, req->head.query, ADY_PROOFS_QUERY);
	if (err == ADY_E_NOT_FOUND)
		return ADY_OK;
	return read_flag(asked, ady_bytes_str(err == ADY_OK ? text : ""), ADY_PROOFS_QUERY, f);
}

void ady_proofs_add(struct ady_dyn *list, struct ady_bytes proof, struct ady_bytes request)
{
	struct ady_buf b;
	size_t cap = ADY_BASE64_SIZE(ADY_PROOF_MAX);

	if (proof.n == 0)
		return;
	ady_dyn_str(list, list->n ? ",{\"proof\":\"" : "{\"proof\":\"");
	b = ady_buf(ady_dyn_room(list, cap), cap);
	ady_base64url_put(&b, proof);
	list->n += b.n;
	ady_dyn_str(list, "\"");
	if (request.n > 0) {
		cap = 6 * request.n + 2; /* each byte as \u00xx, and the quotes */
		ady_dyn_str(list, ",\"request\":");
		b = ady_buf(ady_dyn_room(list, cap), cap);
		ady_json_put_string(&b, request);
		list->n += b.n;
	}
	ady_dyn_str(list, "}");
}

void ady_proofs_put(struct ady_dyn *out, struct ady_bytes list)
{
	bool line = out->n > 0 && out->p[out->n - 1] == '\n';
	size_t n = out->n - line;

	if (list.n == 0 || n < 2 || out->p[n - 1] != '}')
		return;
	out->n = n - 1;
	ady_dyn_str(out, out->p[n - 2] == '{' ? "\"adyton_proofs\":[" : ",\"adyton_proofs\":[");
	ady_dyn_put(out, list.p, list.n);
	ady_dyn_str(out, line ? "]}\n" : "]}");
}
