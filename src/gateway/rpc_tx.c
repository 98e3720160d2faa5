/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/rpc_tx.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "chain/eth_tx.h"
#include "crypto/hash.h"
#include "gateway/rpc_params.h"

/* Not for the enclave. blobVersion is Clef's word for the form of the proofs, whose number says it.
 */
static bool stays_here(const struct ady_json *doc, uint32_t key)
{
	static const char *const names[] = {"blobs", "proofs", "blobVersion"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (ady_json_is(doc, key, names[i]))
			return true;
	return false;
}

/* Append ,"blobVersionedHashes":[..] made of the commitments (EIP-4844, kzg_to_versioned_hash); the
 * enclave makes them again and compares. */
static void put_hashes(struct ady_dyn *out, const struct ady_json *doc, uint32_t commitments)
{
	const char *before = ",\"blobVersionedHashes\":[";

	for (uint32_t k = ady_json_first(doc, commitments); k;
	     k = ady_json_after(doc, commitments, k)) {
		struct ady_bytes text = ady_json_raw(doc, k);
		uint8_t commitment[ADY_KZG_SIZE], hash[32];
		struct ady_bytes whole = ady_bytes(commitment, sizeof commitment);
		size_t n;

		(void)ady_hex_decode(commitment, sizeof commitment, &n,
		                     ady_bytes(text.p + 2, text.n - 2)); /* checked before */
		ady_sha256(hash, &whole, 1);
		hash[0] = 0x01;
		ady_dyn_str(out, before);
		ady_rpc_put_hex(out, ady_bytes(hash, sizeof hash));
		before = ",";
	}
	ady_dyn_str(out, "]");
}

static enum ady_err read_from(const struct ady_json *doc, uint32_t i, uint8_t from20[static 20],
                              struct ady_fault *f)
{
	static const char where[] = "transaction.from";
	uint32_t from = ady_json_get(doc, i, "from");
	enum ady_err err;

	if (!from)
		return ady_fail(f, ADY_E_FIELD_MISSING, where, "is required: it says which key");
	if (ady_json_kind(doc, from) != ADY_JSON_STRING)
		return ady_fail(f, ADY_E_FIELD_INVALID, where, "must be an address");
	err = ady_eth_address_parse(from20, ady_json_raw(doc, from));
	if (err == ADY_OK)
		return ADY_OK;
	return ady_fail(f, err, where, "%s",
	                err == ADY_E_CHECKSUM ? "fails its EIP-55 checksum"
	                                      : "must be \"0x\" and 40 hex digits");
}

static bool has_hashes(const struct ady_json *doc, uint32_t i)
{
	uint32_t hashes = ady_json_get(doc, i, "blobVersionedHashes");

	return hashes && ady_json_kind(doc, hashes) != ADY_JSON_NULL;
}

static void put_members(struct ady_dyn *out, const struct ady_json *doc, uint32_t i, bool hashes)
{
	const char *before = "";

	for (uint32_t k = ady_json_first(doc, i); k; k = ady_json_after(doc, i, k)) {
		if (stays_here(doc, k) || (hashes && ady_json_is(doc, k, "blobVersionedHashes")))
			continue;
		ady_dyn_str(out, before);
		ady_rpc_put_token(out, doc, k);
		ady_dyn_str(out, ":");
		ady_rpc_put_token(out, doc, k + 1);
		before = ",";
	}
}

enum ady_err ady_rpc_tx_read(const struct ady_json *doc, uint32_t i, uint8_t from20[static 20],
                             struct ady_dyn *body, struct ady_fault *f)
{
	struct ady_sidecar s;
	enum ady_err err;
	bool make;

	if (!i || ady_json_kind(doc, i) != ADY_JSON_OBJECT)
		return ady_fail(f, i ? ADY_E_FIELD_INVALID : ADY_E_FIELD_MISSING, "params[0]",
		                "must be a transaction object");
	if ((err = read_from(doc, i, from20, f)) != ADY_OK ||
	    (err = ady_sidecar_find(&s, doc, i, f)) != ADY_OK)
		return err;
	make = s.n > 0 && !has_hashes(doc, i);
	ady_dyn_str(body, "{\"transaction\":{");
	put_members(body, doc, i, make); /* "from" is there: never empty */
	if (make)
		put_hashes(body, doc, s.commitments);
	ady_dyn_str(body, "}}");
	return ADY_OK;
}
