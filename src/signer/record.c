/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/record.h"

#include <stdio.h>
#include <string.h>

#include "signer/record_reader.h"

enum { TOKENS = 128 };

const char *const ady_record_names[MEMBERS] = {
    "adyton",     "wrapping", "id",       "tenant",  "curve",    "public_key",
    "ciphertext", "allow",    "chains",   "callers", "policy",   "created",
    "revision",   "backup",   "data_key", "origin",  "counters", "words"};

/* What may be said of a key that is yet to be made. */
#define OPTIONS                                                                         \
	(1u << M_ID | 1u << M_TENANT | 1u << M_CURVE | 1u << M_ALLOW | 1u << M_CHAINS | \
	 1u << M_CALLERS | 1u << M_POLICY | 1u << M_WORDS | 1u << M_BACKUP)

enum ady_err ady_record_refuse_as(const struct ady_record_reader *r, enum ady_err err,
                                  const char *member, const char *why)
{
	char where[64];

	if (r->options)
		return ady_fail(r->f, err, member, "%s", why);
	snprintf(where, sizeof where, "record%s%.48s", member ? "." : "", member ? member : "");
	return ady_fail(r->f, ADY_E_RECORD, where, "%s", why);
}

enum ady_err ady_record_refuse(const struct ady_record_reader *r, const char *member,
                               const char *why)
{
	return ady_record_refuse_as(r, ADY_E_FIELD_INVALID, member, why);
}

static enum ady_err refuse_unknown(const struct ady_record_reader *r, uint32_t key)
{
	struct ady_bytes raw = ady_json_raw(&r->doc, key);
	char name[48];

	snprintf(name, sizeof name, "%.*s", (int)(raw.n < sizeof name ? raw.n : sizeof name - 1),
	         (const char *)raw.p);
	return ady_record_refuse_as(r, ADY_E_FIELD_UNKNOWN, name, "is not known");
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct ady_bytes trimmed(struct ady_bytes b)
{
	while (b.n > 0 && is_space(b.p[0]))
		b = ady_bytes(b.p + 1, b.n - 1);
	while (b.n > 0 && is_space(b.p[b.n - 1]))
		b.n--;
	return b;
}

static enum ady_err find_members(struct ady_record_reader *r)
{
	const struct ady_json *doc = &r->doc;

	if (ady_json_kind(doc, 0) != ADY_JSON_OBJECT)
		return ady_record_refuse(r, NULL,
		                         r->options ? "must be a JSON object"
		                                    : "must be a JSON object or base64");
	for (uint32_t k = ady_json_first(doc, 0); k; k = ady_json_after(doc, 0, k)) {
		unsigned m = 0;

		while (m < MEMBERS && !ady_json_is(doc, k, ady_record_names[m]))
			m++;
		if (m == MEMBERS || (r->options ? !(OPTIONS & 1u << m) : m == M_WORDS))
			return refuse_unknown(r, k);
		r->value[m] = k + 1;
	}
	return ADY_OK;
}

static enum ady_err require(const struct ady_record_reader *r, enum ady_record_member m)
{
	return r->value[m] ? ADY_OK
	                   : ady_record_refuse_as(r, ADY_E_FIELD_MISSING, ady_record_names[m],
	                                          "is required");
}

static enum ady_err require_all(const struct ady_record_reader *r)
{
	enum ady_err err = ADY_OK;

	for (enum ady_record_member m = 0; m < M_ALLOW && err == ADY_OK; m++)
		err = require(r, m);
	return err;
}

static enum ady_err parse_json(struct ady_record *rec, struct ady_json_tok *toks, size_t cap,
                               struct ady_bytes text, struct ady_bytes key_id, struct ady_fault *f)
{
	struct ady_record_reader r = {.f = f};
	enum ady_err err;

	if (ady_json_parse(&r.doc, toks, cap, text, NULL) != ADY_OK)
		return ady_record_refuse(&r, NULL, "is neither strict JSON nor base64");
	if ((err = find_members(&r)) != ADY_OK || (err = require_all(&r)) != ADY_OK ||
	    (err = ady_record_read_text(&r, M_ID, rec->id, sizeof rec->id)) != ADY_OK ||
	    (err = ady_record_read_text(&r, M_TENANT, rec->tenant, sizeof rec->tenant)) != ADY_OK ||
	    (err = ady_record_read_kind(&r, rec)) != ADY_OK ||
	    (err = ady_record_read_public_key(&r, rec)) != ADY_OK ||
	    (err = ady_record_read_rights(&r, rec)) != ADY_OK ||
	    (err = ady_record_read_created(&r, rec)) != ADY_OK ||
	    (err = ady_record_read_revision(&r, rec)) != ADY_OK ||
	    (err = ady_record_read_origin(&r, rec)) != ADY_OK ||
	    (err = ady_record_read_counters(&r, rec)) != ADY_OK ||
	    (err = ady_record_read_backup(&r, rec)) != ADY_OK ||
	    (err = ady_record_read_data_key(&r, rec)) != ADY_OK ||
	    (err = ady_record_read_ciphertext(&r, rec)) != ADY_OK)
		return err;
	if (!ady_bytes_is(key_id, rec->id))
		return ady_fail(f, ADY_E_RECORD_MISMATCH, "record.id",
		                "is not the key that was asked for");
	ady_record_bind(rec);
	return ADY_OK;
}

enum ady_err ady_record_parse(struct ady_record *rec, struct ady_bytes text,
                              struct ady_bytes key_id, struct ady_fault *f)
{
	struct ady_json_tok toks[TOKENS];

	return ady_record_parse_in(rec, toks, TOKENS, text, key_id, f);
}

enum ady_err ady_record_parse_in(struct ady_record *rec, struct ady_json_tok *toks, size_t cap,
                                 struct ady_bytes text, struct ady_bytes key_id,
                                 struct ady_fault *f)
{
	const struct ady_record_reader r = {.f = f};
	struct ady_bytes body = trimmed(text);

	memset(rec, 0, sizeof *rec);
	if (body.n > 0 && body.p[0] == '{')
		return parse_json(rec, toks, cap, body, key_id, f);
	rec->sample = true;
	return ady_record_decode(&r, rec->ciphertext, sizeof rec->ciphertext, &rec->ciphertext_n,
	                         body, NULL);
}

/* Tenant and curve are the caller's to know; when the options name them too they must agree. */
static enum ady_err check_same(const struct ady_record_reader *r, enum ady_record_member m,
                               const char *text)
{
	if (!r->value[m] || ady_json_is(&r->doc, r->value[m], text))
		return ADY_OK;
	return ady_record_refuse(r, ady_record_names[m], "is not what the key is made for");
}

enum ady_err ady_record_begin(struct ady_record *rec, enum ady_curve curve, struct ady_bytes tenant,
                              struct ady_bytes options, struct ady_fault *f)
{
	struct ady_json_tok toks[TOKENS];

	return ady_record_begin_in(rec, toks, TOKENS, curve, tenant, options, f);
}

enum ady_err ady_record_begin_in(struct ady_record *rec, struct ady_json_tok *toks, size_t cap,
                                 enum ady_curve curve, struct ady_bytes tenant,
                                 struct ady_bytes options, struct ady_fault *f)
{
	struct ady_record_reader r = {.options = true, .f = f};
	enum ady_err err;

	memset(rec, 0, sizeof *rec);
	rec->envelope = true;
	rec->curve = curve;
	if (!ady_bytes_to_str(rec->tenant, sizeof rec->tenant, tenant) ||
	    !ady_record_is_name(rec->tenant, tenant.n))
		return ady_fail(f, ADY_E_FIELD_INVALID, "tenant",
		                "must consist of A-Z a-z 0-9 . _ : / + = @ -");
	if ((err = ady_json_parse(&r.doc, toks, cap, options, f)) != ADY_OK ||
	    (err = find_members(&r)) != ADY_OK || (err = require(&r, M_ID)) != ADY_OK ||
	    (err = check_same(&r, M_TENANT, rec->tenant)) != ADY_OK ||
	    (err = check_same(&r, M_CURVE, ady_curve_name(curve))) != ADY_OK ||
	    (err = ady_record_read_text(&r, M_ID, rec->id, sizeof rec->id)) != ADY_OK)
		return err;
	if ((err = ady_record_read_words(&r, rec)) != ADY_OK ||
	    (err = ady_record_read_backup(&r, rec)) != ADY_OK)
		return err;
	return ady_record_read_rights(&r, rec);
}
