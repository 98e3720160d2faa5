/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/interchange.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "codec/ssz_json.h"

struct reader {
	struct ady_ssz_reader ssz;
	char at[48]; /* "data[7].signed_blocks[3]" */
};

static enum ady_err missing(const struct reader *r, const char *name)
{
	char where[64];

	snprintf(where, sizeof where, "%s%s%.15s", r->at, r->at[0] ? "." : "", name);
	return ady_fail(r->ssz.f, ADY_E_FIELD_MISSING, where, "is required");
}

static void path(const struct reader *r, char out[static 64], const char *name)
{
	snprintf(out, 64, "%s%s%.15s", r->at, r->at[0] ? "." : "", name);
}

static enum ady_err number(const struct reader *r, uint64_t *v, uint32_t i, const char *name)
{
	uint32_t at = ady_json_get(r->ssz.doc, i, name);
	char where[64];

	*v = 0;
	if (!at)
		return missing(r, name);
	path(r, where, name);
	return ady_ssz_read_u64(&r->ssz, v, at, where);
}

static enum ady_err bytes(const struct reader *r, uint8_t *out, size_t n, uint32_t i,
                          const char *name)
{
	uint32_t at = ady_json_get(r->ssz.doc, i, name);
	char where[64];

	if (!at)
		return missing(r, name);
	path(r, where, name);
	return ady_ssz_read_bytes(&r->ssz, out, n, at, where);
}

/* A root may be missing, and is then not known. */
static enum ady_err root(const struct reader *r, uint32_t i)
{
	uint8_t unused[32];

	return ady_json_get(r->ssz.doc, i, "signing_root") ? bytes(r, unused, 32, i, "signing_root")
	                                                   : ADY_OK;
}

static enum ady_err read_block(const struct reader *r, struct ady_slash_state *s, uint32_t i)
{
	enum ady_err err;
	uint64_t slot;

	if ((err = number(r, &slot, i, "slot")) != ADY_OK)
		return err;
	s->slot = slot > s->slot ? slot : s->slot;
	s->has_block = true;
	return root(r, i);
}

static enum ady_err read_attestation(const struct reader *r, struct ady_slash_state *s, uint32_t i)
{
	enum ady_err err;
	uint64_t source, target;

	if ((err = number(r, &source, i, "source_epoch")) != ADY_OK ||
	    (err = number(r, &target, i, "target_epoch")) != ADY_OK)
		return err;
	s->source = source > s->source ? source : s->source;
	s->target = target > s->target ? target : s->target;
	s->has_attestation = true;
	return root(r, i);
}

typedef enum ady_err read_fn(const struct reader *r, struct ady_slash_state *s, uint32_t i);

static enum ady_err read_list(struct reader *r, struct ady_slash_state *s, uint32_t i,
                              const char *name, uint32_t *n, read_fn *read)
{
	const struct ady_json *doc = r->ssz.doc;
	uint32_t list = ady_json_get(doc, i, name);
	size_t stem = strlen(r->at);
	enum ady_err err = ADY_OK;

	if (!list || ady_json_kind(doc, list) != ADY_JSON_ARRAY)
		return missing(r, name);
	*n = 0;
	for (uint32_t k = ady_json_first(doc, list); k && err == ADY_OK;
	     k = ady_json_after(doc, list, k)) {
		snprintf(r->at + stem, sizeof r->at - stem, ".%.19s[%u]", name, (*n)++);
		err = read(r, s, k);
	}
	r->at[stem] = '\0';
	return err;
}

static enum ady_err read_entry(struct reader *r, struct ady_interchange_entry *e, uint32_t i)
{
	enum ady_err err;

	*e = (struct ady_interchange_entry){0};
	if ((err = bytes(r, e->pubkey, 48, i, "pubkey")) != ADY_OK ||
	    (err = read_list(r, &e->state, i, "signed_blocks", &e->blocks, read_block)) != ADY_OK)
		return err;
	return read_list(r, &e->state, i, "signed_attestations", &e->attestations,
	                 read_attestation);
}

static enum ady_err read_metadata(struct reader *r, struct ady_interchange *ix)
{
	uint32_t metadata = ady_json_get(r->ssz.doc, 0, "metadata"), version;
	enum ady_err err;

	if (!metadata)
		return missing(r, "metadata");
	version = ady_json_get(r->ssz.doc, metadata, "interchange_format_version");
	if (!version || !(ady_json_is(r->ssz.doc, version, "5") ||
	                  ady_bytes_is(ady_json_raw(r->ssz.doc, version), "5")))
		return ady_fail(r->ssz.f, ADY_E_FIELD_INVALID,
		                "metadata.interchange_format_version", "must be \"5\"");
	snprintf(r->at, sizeof r->at, "metadata");
	err = bytes(r, ix->genesis_validators_root, 32, metadata, "genesis_validators_root");
	r->at[0] = '\0';
	return err;
}

enum ady_err ady_interchange_open(struct ady_interchange *ix, const struct ady_json *doc,
                                  struct ady_fault *f)
{
	struct reader r = {.ssz = {.doc = doc, .f = f}};
	struct ady_interchange_entry e;
	enum ady_err err;

	*ix = (struct ady_interchange){.doc = doc};
	if ((err = read_metadata(&r, ix)) != ADY_OK)
		return err;
	ix->data = ady_json_get(doc, 0, "data");
	if (!ix->data || ady_json_kind(doc, ix->data) != ADY_JSON_ARRAY)
		return missing(&r, "data");
	for (uint32_t k = ady_json_first(doc, ix->data); k; k = ady_json_after(doc, ix->data, k)) {
		snprintf(r.at, sizeof r.at, "data[%u]", ix->validators++);
		if ((err = read_entry(&r, &e, k)) != ADY_OK)
			return err;
		ix->blocks += e.blocks;
		ix->attestations += e.attestations;
	}
	return ADY_OK;
}

bool ady_interchange_next(const struct ady_interchange *ix, uint32_t *at,
                          struct ady_interchange_entry *entry)
{
	struct ady_fault f;
	struct reader r = {.ssz = {.doc = ix->doc, .f = &f}};

	*at = *at ? ady_json_after(ix->doc, ix->data, *at) : ady_json_first(ix->doc, ix->data);
	if (!*at)
		return false;
	return read_entry(&r, entry, *at) == ADY_OK;
}

static void put_hex(struct ady_buf *b, const char *name, const uint8_t *p, size_t n)
{
	char hex[2 * 48 + 1];

	ady_hex_encode(hex, ady_bytes(p, n));
	ady_buf_printf(b, "\"%s\":\"0x%s\"", name, hex);
}

void ady_interchange_put_head(struct ady_buf *b, const uint8_t genesis_validators_root32[static 32])
{
	ady_buf_str(b, "{\"metadata\":{\"interchange_format_version\":\"5\",");
	put_hex(b, "genesis_validators_root", genesis_validators_root32, 32);
	ady_buf_str(b, "},\"data\":[");
}

void ady_interchange_put_entry(struct ady_buf *b, const uint8_t pubkey48[static 48],
                               const struct ady_slash_state *s)
{
	if (b->n > 0 && b->p[b->n - 1] == '}')
		ady_buf_str(b, ",");
	ady_buf_str(b, "{");
	put_hex(b, "pubkey", pubkey48, 48);
	ady_buf_str(b, ",\"signed_blocks\":[");
	if (s->has_block) {
		ady_buf_printf(b, "{\"slot\":\"%" PRIu64 "\"", s->slot);
		if (s->has_block_root) {
			ady_buf_str(b, ",");
			put_hex(b, "signing_root", s->block_root, 32);
		}
		ady_buf_str(b, "}");
	}
	ady_buf_str(b, "],\"signed_attestations\":[");
	if (s->has_attestation) {
		ady_buf_printf(b,
		               "{\"source_epoch\":\"%" PRIu64 "\",\"target_epoch\":\"%" PRIu64 "\"",
		               s->source, s->target);
		if (s->has_attestation_root) {
			ady_buf_str(b, ",");
			put_hex(b, "signing_root", s->attestation_root, 32);
		}
		ady_buf_str(b, "}");
	}
	ady_buf_str(b, "]}");
}

void ady_interchange_put_end(struct ady_buf *b)
{
	ady_buf_str(b, "]}");
}
