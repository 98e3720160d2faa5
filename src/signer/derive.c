/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/derive.h"

#include <stdio.h>
#include <string.h>

enum member { PATH, FIRST, COUNT, CURVE, OPTIONS, MEMBERS };

static const char *const names[MEMBERS] = {"path", "first", "count", "curve", "options"};

enum { DIGITS = 10 };

static enum ady_err read_curve(struct ady_derive *d, const struct ady_json *doc, uint32_t i,
                               struct ady_fault *f)
{
	d->curve = ADY_CURVE_SECP256K1;
	while (i && d->curve < ADY_CURVE_WALLET && !ady_json_is(doc, i, ady_curve_name(d->curve)))
		d->curve++;
	return d->curve < ADY_CURVE_WALLET
	           ? ADY_OK
	           : ady_fail(f, ADY_E_FIELD_INVALID, "curve",
	                      "must be \"secp256k1\", \"ed25519\" or \"bls12-381\"");
}

static enum ady_err read_path(struct ady_derive *d, const struct ady_json *doc, uint32_t i,
                              struct ady_fault *f)
{
	char text[ADY_HD_PATH_TEXT + 1];
	size_t n;

	if (ady_json_string(doc, i, text, sizeof text, &n) != ADY_OK)
		return ady_fail(f, ADY_E_FIELD_INVALID, "path",
		                "must be a path like m/44'/60'/0'/0/*");
	return ady_hd_path_read(&d->path, ady_curve_path_kind(d->curve), ady_bytes(text, n), f);
}

static enum ady_err read_numbers(struct ady_derive *d, const struct ady_json *doc,
                                 const uint32_t value[static MEMBERS], struct ady_fault *f)
{
	d->first = 0;
	d->count = 1;
	if (value[FIRST] && ady_json_u64(doc, value[FIRST], &d->first) != ADY_OK)
		return ady_fail(f, ADY_E_FIELD_INVALID, "first", "must be a number");
	if (value[COUNT] && (ady_json_u64(doc, value[COUNT], &d->count) != ADY_OK ||
	                     d->count == 0 || d->count > ADY_DERIVE_MAX))
		return ady_fail(f, ADY_E_FIELD_INVALID, "count", "must be a number from 1 to 1000");
	if (ady_hd_path_counts(&d->path, d->first, d->count))
		return ADY_OK;
	return ady_fail(f, ADY_E_FIELD_RANGE, d->path.star == d->path.n ? "path" : "first",
	                d->path.star == d->path.n
	                    ? "has no * that could count: leave first and count out"
	                    : "and count go beyond the numbers that a path has");
}

enum ady_err ady_derive_read(struct ady_derive *d, struct ady_json *doc, struct ady_json_tok *toks,
                             size_t cap, struct ady_bytes body, struct ady_fault *f)
{
	uint32_t value[MEMBERS] = {0};
	enum ady_err err;

	*d = (struct ady_derive){0};
	if ((err = ady_json_parse(doc, toks, cap, body, f)) != ADY_OK ||
	    (err = ady_json_members(value, names, MEMBERS, doc, f)) != ADY_OK)
		return err;
	if (!value[PATH])
		return ady_fail(f, ADY_E_FIELD_MISSING, "path", "is required");
	if ((err = read_curve(d, doc, value[CURVE], f)) != ADY_OK ||
	    (err = read_path(d, doc, value[PATH], f)) != ADY_OK ||
	    (err = read_numbers(d, doc, value, f)) != ADY_OK)
		return err;
	if (value[OPTIONS] && ady_json_kind(doc, value[OPTIONS]) != ADY_JSON_OBJECT)
		return ady_fail(f, ADY_E_FIELD_INVALID, "options", "must be an object");
	if (value[OPTIONS])
		d->options = ady_json_raw(doc, value[OPTIONS]);
	return ADY_OK;
}

/* The first right that the options name, or NULL: what is empty was not named. */
static const char *named_right(const struct ady_record *rec)
{
	return rec->allow             ? "allow"
	       : rec->chains_n        ? "chains"
	       : rec->callers_text[0] ? "callers"
	       : rec->policy.n        ? "policy"
	       : rec->has_backup      ? "backup"
	                              : NULL;
}

static void inherit(struct ady_record *rec, const struct ady_record *wallet)
{
	if (!rec->allow)
		rec->allow = wallet->allow;
	if (!rec->chains_n) {
		memcpy(rec->chains, wallet->chains, sizeof rec->chains);
		rec->chains_n = wallet->chains_n;
	}
	if (!rec->callers_text[0])
		memcpy(rec->callers_text, wallet->callers_text, sizeof rec->callers_text);
	if (!rec->policy.n && wallet->policy.n)
		ady_record_set_policy(rec, wallet->policy);
}

enum ady_err ady_derive_record(struct ady_record *rec, struct ady_derive *d,
                               const struct ady_record *wallet, struct ady_json_tok *toks,
                               size_t cap, struct ady_fault *f)
{
	const char *right;
	enum ady_err err = ady_record_begin_in(rec, toks, cap, d->curve,
	                                       ady_bytes_str(wallet->tenant), d->options, f);

	if (err != ADY_OK)
		return err;
	right = named_right(rec);
	if (right && !ady_record_needs_stamp(wallet))
		return ady_fail(f, ADY_E_DENIED, right,
		                "is that of the wallet: only a wallet whose callers stamp has keys "
		                "with others");
	inherit(rec, wallet);
	memcpy(rec->data_key, wallet->data_key, wallet->data_key_n);
	rec->data_key_n = wallet->data_key_n;
	d->id_n = strlen(rec->id);
	if (d->path.star < d->path.n && d->id_n + DIGITS >= sizeof rec->id)
		return ady_fail(f, ADY_E_FIELD_INVALID, "id", "has no room for a number behind it");
	return ADY_OK;
}

void ady_derive_number(struct ady_record *rec, const struct ady_derive *d,
                       const struct ady_record *wallet, uint64_t number)
{
	struct ady_buf origin = ady_buf(rec->origin, sizeof rec->origin - 1);

	if (d->path.star < d->path.n)
		snprintf(rec->id + d->id_n, sizeof rec->id - d->id_n, "%llu",
		         (unsigned long long)number);
	ady_buf_str(&origin, wallet->id);
	ady_buf_str(&origin, " ");
	ady_hd_path_put(&origin, &d->path, (uint32_t)number);
	if (origin.full)
		ADY_BUG("an origin outgrew its room");
	rec->origin[origin.n] = '\0';
}
