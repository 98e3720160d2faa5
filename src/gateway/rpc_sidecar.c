/* SPDX-License-Identifier: Apache-2.0
 *
 * The sidecar of a blob transaction, checked for its form and written behind the signature. Whether
 * the proofs are right is what nodes look at: a wrong one costs its sender a refusal. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "codec/rlp.h"
#include "gateway/rpc_params.h"
#include "gateway/rpc_tx.h"

static uint32_t member(const struct ady_json *doc, uint32_t i, const char *name)
{
	uint32_t value = ady_json_get(doc, i, name);

	return value && ady_json_kind(doc, value) != ADY_JSON_NULL ? value : 0;
}

/* An array of strings of exactly size bytes in hex. */
static enum ady_err check_items(const struct ady_json *doc, uint32_t array, size_t size,
                                const char *name, struct ady_fault *f)
{
	unsigned number = 0;
	char where[48];

	for (uint32_t k = ady_json_first(doc, array); k; k = ady_json_after(doc, array, k)) {
		struct ady_bytes text = ady_json_raw(doc, k);

		snprintf(where, sizeof where, "transaction.%s[%u]", name, number++);
		if (ady_json_kind(doc, k) != ADY_JSON_STRING || text.n != 2 + 2 * size ||
		    !ady_rpc_is_hex(text))
			return ady_fail(f, ADY_E_FIELD_INVALID, where,
			                "must be \"0x\" and %zu hex digits", 2 * size);
	}
	return ADY_OK;
}

/* *i: the token of an array with n items, or with other ones (0: n alone is right). */
static enum ady_err check_array(const struct ady_json *doc, uint32_t i, size_t n, size_t other,
                                const char *name, struct ady_fault *f)
{
	char where[48];
	size_t count;

	snprintf(where, sizeof where, "transaction.%s", name);
	if (!i)
		return ady_fail(f, ADY_E_FIELD_MISSING, where,
		                "is required with blobs: the gateway makes none");
	count = ady_json_kind(doc, i) == ADY_JSON_ARRAY ? doc->toks[i].count : 0;
	if (count > 0 && (count == n || count == other))
		return ADY_OK;
	return ady_fail(f, ADY_E_FIELD_INVALID, where, "must be an array %s",
	                other ? "of one proof, or 128, for each blob"
	                      : "with one item for each blob");
}

enum ady_err ady_sidecar_find(struct ady_sidecar *s, const struct ady_json *doc, uint32_t i,
                              struct ady_fault *f)
{
	enum ady_err err;
	size_t n;

	*s = (struct ady_sidecar){.blobs = member(doc, i, "blobs"),
	                          .commitments = member(doc, i, "commitments"),
	                          .proofs = member(doc, i, "proofs")};
	if (!s->blobs)
		return s->proofs ? ady_fail(f, ADY_E_FIELD_INVALID, "transaction.proofs",
		                            "belongs to blobs, which are not there")
		                 : ADY_OK;
	n = ady_json_kind(doc, s->blobs) == ADY_JSON_ARRAY ? doc->toks[s->blobs].count : 0;
	if (n == 0 || n > ADY_BLOBS_MAX)
		return ady_fail(f, ADY_E_FIELD_INVALID, "transaction.blobs",
		                "must be an array of 1 to %d blobs", ADY_BLOBS_MAX);
	if ((err = check_array(doc, s->commitments, n, 0, "commitments", f)) != ADY_OK ||
	    (err = check_array(doc, s->proofs, n, n * ADY_CELL_PROOFS, "proofs", f)) != ADY_OK ||
	    (err = check_items(doc, s->blobs, ADY_BLOB_SIZE, "blobs", f)) != ADY_OK ||
	    (err = check_items(doc, s->commitments, ADY_KZG_SIZE, "commitments", f)) != ADY_OK ||
	    (err = check_items(doc, s->proofs, ADY_KZG_SIZE, "proofs", f)) != ADY_OK)
		return err;
	s->by_cell = doc->toks[s->proofs].count != n;
	s->n = n;
	return ADY_OK;
}

/* --- the network's form, in hex --- */

/* A blob has four bytes of RLP before it, a commitment or proof one. */
static size_t payload(const struct ady_json *doc, uint32_t array, size_t size)
{
	return doc->toks[array].count * ((size == ADY_BLOB_SIZE ? 4 : 1) + size);
}

static void put_list_head(struct ady_dyn *out, size_t n)
{
	uint8_t space[16];
	struct ady_buf b = ady_buf(space, sizeof space);

	ady_rlp_put_list(&b, n);
	ady_dyn_hex(out, ady_buf_bytes(&b));
}

static void put_items(struct ady_dyn *out, const struct ady_json *doc, uint32_t array, size_t size)
{
	const char *head = size == ADY_BLOB_SIZE ? "ba020000" : "b0";

	put_list_head(out, payload(doc, array, size));
	for (uint32_t k = ady_json_first(doc, array); k; k = ady_json_after(doc, array, k)) {
		struct ady_bytes text = ady_json_raw(doc, k);

		uint8_t *to;

		ady_dyn_str(out, head);
		to = ady_dyn_room(out, text.n - 2);
		for (size_t at = 2; at < text.n; at++)
			*to++ = text.p[at] | 0x20; /* in lower case, as all digits here */
		out->n += text.n - 2;
	}
}

void ady_sidecar_put_raw(struct ady_dyn *out, const struct ady_sidecar *s,
                         const struct ady_json *doc, struct ady_bytes raw)
{
	size_t n;

	ady_dyn_str(out, "\"0x");
	if (s->n == 0) {
		ady_dyn_hex(out, raw);
		ady_dyn_str(out, "\"");
		return;
	}
	n = raw.n - 1 + s->by_cell + ady_rlp_size_list(payload(doc, s->blobs, ADY_BLOB_SIZE)) +
	    ady_rlp_size_list(payload(doc, s->commitments, ADY_KZG_SIZE)) +
	    ady_rlp_size_list(payload(doc, s->proofs, ADY_KZG_SIZE));
	ady_dyn_hex(out, ady_bytes(raw.p, 1)); /* the type, 0x03 */
	put_list_head(out, n);
	ady_dyn_hex(out, ady_bytes(raw.p + 1, raw.n - 1));
	if (s->by_cell)
		ady_dyn_str(out, "01");
	put_items(out, doc, s->blobs, ADY_BLOB_SIZE);
	put_items(out, doc, s->commitments, ADY_KZG_SIZE);
	put_items(out, doc, s->proofs, ADY_KZG_SIZE);
	ady_dyn_str(out, "\"");
}
