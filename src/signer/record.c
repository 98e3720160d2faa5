/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/record.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "codec/json.h"

enum { TOKENS = 128, CIPHERTEXT_TEXT = ADY_BASE64_SIZE(ADY_RECORD_CIPHERTEXT_MAX) };

#define CHAIN_ID_MAX ((uint64_t)INT64_MAX - 36) /* EIP-2294: 2^63 - 37 */
#define CREATED_MAX 253402300799u               /* 9999-12-31T23:59:59Z */

/* From M_ALLOW on they may be absent; M_DATA_KEY goes with one wrapping only. */
enum member {
	M_VERSION,
	M_WRAPPING,
	M_ID,
	M_TENANT,
	M_CURVE,
	M_PUBLIC_KEY,
	M_CIPHERTEXT,
	M_ALLOW,
	M_CHAINS,
	M_CALLERS,
	M_POLICY,
	M_CREATED,
	M_DATA_KEY,
	MEMBERS
};

static const char *const names[MEMBERS] = {
    "adyton", "wrapping", "id",      "tenant", "curve",   "public_key", "ciphertext",
    "allow",  "chains",   "callers", "policy", "created", "data_key"};

/* What a public key of a curve is: its bytes, and what its first one must be under a mask. */
static const struct {
	const char *name;
	size_t pub_n;
	uint8_t mask, first;
	const char *what;
} curves[] = {
    [ADY_CURVE_SECP256K1] = {"secp256k1", 33, 0xfe, 0x02,
                             "must be \"0x\" and the hex of a compressed public key, 33 bytes"},
    [ADY_CURVE_ED25519] = {"ed25519", 32, 0, 0, "must be \"0x\" and 64 hex digits"},
    [ADY_CURVE_BLS12_381] = {"bls12-381", 48, 0xc0, 0x80,
                             "must be \"0x\" and the hex of a compressed public key, 48 bytes"},
};

/* In the order of their bits, which is that of the alphabet. */
static const char *const allow_words[ADY_ALLOW_WORDS] = {"digest", "unprotected"};

const char *ady_allow_word(unsigned bit)
{
	return allow_words[bit];
}

const char *ady_curve_name(enum ady_curve curve)
{
	return curves[curve].name;
}

size_t ady_curve_public_size(enum ady_curve curve)
{
	return curves[curve].pub_n;
}

/* What may be said of a key that is yet to be made. */
#define OPTIONS                                                                         \
	(1u << M_ID | 1u << M_TENANT | 1u << M_CURVE | 1u << M_ALLOW | 1u << M_CHAINS | \
	 1u << M_CALLERS | 1u << M_POLICY)

struct reader {
	struct ady_json doc;
	bool
	    options; /* of a key that is yet to be made: faults are the client's, not the store's */
	struct ady_fault *f;
	uint32_t value[MEMBERS];
};

static enum ady_err refuse_in(const struct reader *r, enum ady_err err, const char *member,
                              const char *why)
{
	char where[64];

	if (r->options)
		return ady_fail(r->f, err, member, "%s", why);
	snprintf(where, sizeof where, "record%s%.48s", member ? "." : "", member ? member : "");
	return ady_fail(r->f, ADY_E_RECORD, where, "%s", why);
}

static enum ady_err refuse(const struct reader *r, const char *member, const char *why)
{
	return refuse_in(r, ADY_E_FIELD_INVALID, member, why);
}

static enum ady_err refuse_unknown(const struct reader *r, uint32_t key)
{
	struct ady_bytes raw = ady_json_raw(&r->doc, key);
	char name[48];

	snprintf(name, sizeof name, "%.*s", (int)(raw.n < sizeof name ? raw.n : sizeof name - 1),
	         (const char *)raw.p);
	return refuse_in(r, ADY_E_FIELD_UNKNOWN, name, "is not known");
}

static enum ady_err decode(const struct reader *r, uint8_t *out, size_t cap, size_t *n,
                           struct ady_bytes base64, const char *member)
{
	enum ady_err err = ady_base64_decode(out, cap, n, base64);

	if (err == ADY_E_TOO_LARGE)
		return refuse(r, member, "is too large");
	if (err != ADY_OK)
		return refuse(r, member, "is not base64");
	return *n > 0 ? ADY_OK : refuse(r, member, "is empty");
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

/* Ids and tenants stand in EncryptionContexts, ARNs, URLs and logs: only characters that need no
 * escape in any of them. */
static bool is_name(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char c = s[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    (c == '\0' || !strchr("._:/+=@-", c)))
			return false;
	}
	return n > 0;
}

static enum ady_err find_members(struct reader *r)
{
	const struct ady_json *doc = &r->doc;

	if (ady_json_kind(doc, 0) != ADY_JSON_OBJECT)
		return refuse(r, NULL,
		              r->options ? "must be a JSON object"
		                         : "must be a JSON object or base64");
	for (uint32_t k = ady_json_first(doc, 0); k; k = ady_json_after(doc, 0, k)) {
		unsigned m = 0;

		while (m < MEMBERS && !ady_json_is(doc, k, names[m]))
			m++;
		if (m == MEMBERS || (r->options && !(OPTIONS & 1u << m)))
			return refuse_unknown(r, k);
		r->value[m] = k + 1;
	}
	return ADY_OK;
}

static enum ady_err require(const struct reader *r, enum member m)
{
	return r->value[m] ? ADY_OK : refuse_in(r, ADY_E_FIELD_MISSING, names[m], "is required");
}

static enum ady_err require_all(const struct reader *r)
{
	enum ady_err err = ADY_OK;

	for (enum member m = 0; m < M_ALLOW && err == ADY_OK; m++)
		err = require(r, m);
	return err;
}

static enum ady_err read_text(const struct reader *r, enum member m, char *out, size_t cap)
{
	enum ady_err err;
	size_t n;

	err = ady_json_string(&r->doc, r->value[m], out, cap, &n);
	if (err == ADY_E_TOO_LARGE)
		return refuse(r, names[m], "is too long");
	if (err != ADY_OK || strlen(out) != n)
		return refuse(r, names[m], "must be a string without NUL");
	if ((m == M_ID || m == M_TENANT) && !is_name(out, n))
		return refuse(r, names[m], "must consist of A-Z a-z 0-9 . _ : / + = @ -");
	return ADY_OK;
}

static enum ady_err read_kind(const struct reader *r, struct ady_record *rec)
{
	uint32_t version = r->value[M_VERSION], wrapping = r->value[M_WRAPPING];

	if (ady_json_kind(&r->doc, version) != ADY_JSON_NUMBER ||
	    !ady_bytes_is(ady_json_raw(&r->doc, version), "1"))
		return refuse(r, names[M_VERSION], "must be 1");
	rec->envelope = ady_json_is(&r->doc, wrapping, "envelope");
	if (!rec->envelope && !ady_json_is(&r->doc, wrapping, "direct"))
		return refuse(r, names[M_WRAPPING], "must be \"direct\" or \"envelope\"");
	for (size_t c = 0; c < sizeof curves / sizeof *curves; c++)
		if (ady_json_is(&r->doc, r->value[M_CURVE], curves[c].name)) {
			rec->curve = (enum ady_curve)c;
			return ADY_OK;
		}
	return refuse(r, names[M_CURVE], "must be \"secp256k1\", \"ed25519\" or \"bls12-381\"");
}

static enum ady_err read_public_key(const struct reader *r, struct ady_record *rec)
{
	size_t n = curves[rec->curve].pub_n, got = 0;
	char space[sizeof rec->public_key];
	struct ady_bytes text;
	enum ady_err err = read_text(r, M_PUBLIC_KEY, space, sizeof space);

	if (err != ADY_OK)
		return err;
	text = ady_bytes_str(space);
	if (text.n != 2 + 2 * n || memcmp(text.p, "0x", 2) != 0 ||
	    ady_hex_decode(rec->pub, sizeof rec->pub, &got, ady_bytes_sub(text, 2, 2 * n)) !=
	        ADY_OK ||
	    (rec->pub[0] & curves[rec->curve].mask) != curves[rec->curve].first)
		return refuse(r, names[M_PUBLIC_KEY], curves[rec->curve].what);
	return ADY_OK;
}

/* Known words, each once and in order: what is bound has one spelling. */
static enum ady_err read_allow(const struct reader *r, struct ady_record *rec)
{
	static const char why[] = "must be absent, or a list of \"digest\" and \"unprotected\", "
	                          "one or both in this order";
	uint32_t i = r->value[M_ALLOW];
	unsigned word = 0;

	if (!i)
		return ADY_OK;
	if (ady_json_kind(&r->doc, i) != ADY_JSON_ARRAY || r->doc.toks[i].count == 0)
		return refuse(r, names[M_ALLOW], why);
	for (uint32_t k = ady_json_first(&r->doc, i); k; k = ady_json_after(&r->doc, i, k)) {
		while (word < ADY_ALLOW_WORDS && !ady_json_is(&r->doc, k, allow_words[word]))
			word++;
		if (word == ADY_ALLOW_WORDS)
			return refuse(r, names[M_ALLOW], why);
		rec->allow |= 1u << word++;
	}
	return ADY_OK;
}

enum ady_err ady_record_add_chain(struct ady_record *rec, uint64_t chain)
{
	uint64_t last = rec->chains_n ? rec->chains[rec->chains_n - 1] : 0;

	if (rec->chains_n == ADY_RECORD_CHAINS_MAX || chain <= last || chain > CHAIN_ID_MAX)
		return ADY_E_RECORD;
	rec->chains[rec->chains_n++] = chain;
	return ADY_OK;
}

/* Ascending, so that one set has one spelling. An empty list would read as "none" and be as if it
 * were absent, which is "any". */
static enum ady_err read_chains(const struct reader *r, struct ady_record *rec)
{
	uint32_t list = r->value[M_CHAINS];
	uint64_t chain;

	if (!list)
		return ADY_OK;
	for (uint32_t i = ady_json_first(&r->doc, list);
	     i && ady_json_kind(&r->doc, list) == ADY_JSON_ARRAY;
	     i = ady_json_after(&r->doc, list, i))
		if (ady_json_u64(&r->doc, i, &chain) != ADY_OK ||
		    ady_record_add_chain(rec, chain) != ADY_OK) {
			rec->chains_n = 0;
			break;
		}
	if (rec->chains_n == 0)
		return refuse(r, names[M_CHAINS],
		              "must be 1 to 32 chain ids, each above the one before it");
	return ADY_OK;
}

/* In the order that they have: what is bound is their text. */
static enum ady_err read_callers(const struct reader *r, struct ady_record *rec)
{
	static const char why[] =
	    "must be 1 to 16 different keys, ed25519:, p256: or webauthn:, or "
	    "\"gateway\"";
	uint32_t list = r->value[M_CALLERS];

	if (!list)
		return ADY_OK;
	if (ady_json_kind(&r->doc, list) != ADY_JSON_ARRAY || r->doc.toks[list].count == 0)
		return refuse(r, names[M_CALLERS], why);
	for (uint32_t i = ady_json_first(&r->doc, list); i; i = ady_json_after(&r->doc, list, i))
		if (ady_json_kind(&r->doc, i) != ADY_JSON_STRING ||
		    ady_record_add_caller(rec, ady_json_raw(&r->doc, i)) != ADY_OK)
			return refuse(r, names[M_CALLERS], why);
	return ADY_OK;
}

/* What it says is read where it decides. */
static enum ady_err read_policy(const struct reader *r, struct ady_record *rec)
{
	uint32_t i = r->value[M_POLICY];

	if (!i)
		return ADY_OK;
	if (ady_json_kind(&r->doc, i) != ADY_JSON_OBJECT)
		return refuse(r, names[M_POLICY], "must be an object");
	if (ady_json_raw(&r->doc, i).n > ADY_RECORD_POLICY_MAX)
		return refuse(r, names[M_POLICY], "exceeds 32768 bytes");
	ady_record_set_policy(rec, ady_json_raw(&r->doc, i));
	return ADY_OK;
}

static enum ady_err read_rights(const struct reader *r, struct ady_record *rec)
{
	enum ady_err err;

	if ((err = read_allow(r, rec)) != ADY_OK || (err = read_chains(r, rec)) != ADY_OK ||
	    (err = read_callers(r, rec)) != ADY_OK)
		return err;
	return read_policy(r, rec);
}

static enum ady_err read_created(const struct reader *r, struct ady_record *rec)
{
	uint32_t i = r->value[M_CREATED];

	if (!i)
		return ADY_OK;
	if (ady_json_u64(&r->doc, i, &rec->created) != ADY_OK || rec->created == 0 ||
	    rec->created > CREATED_MAX)
		return refuse(r, names[M_CREATED], "must be whole seconds since 1970");
	return ADY_OK;
}

static enum ady_err read_ciphertext(const struct reader *r, struct ady_record *rec)
{
	char text[CIPHERTEXT_TEXT];
	enum ady_err err = read_text(r, M_CIPHERTEXT, text, sizeof text);

	if (err != ADY_OK)
		return err;
	err = decode(r, rec->ciphertext, sizeof rec->ciphertext, &rec->ciphertext_n,
	             ady_bytes_str(text), names[M_CIPHERTEXT]);
	if (err == ADY_OK && rec->envelope && rec->ciphertext_n != ADY_RECORD_SEALED)
		return refuse(r, names[M_CIPHERTEXT],
		              "must be 60 bytes: nonce, AES-256-GCM of the key, tag");
	return err;
}

static enum ady_err read_data_key(const struct reader *r, struct ady_record *rec)
{
	char text[ADY_BASE64_SIZE(ADY_RECORD_DATA_KEY_MAX)];
	enum ady_err err;

	if (!rec->envelope && !r->value[M_DATA_KEY])
		return ADY_OK;
	if (!rec->envelope)
		return refuse(r, names[M_DATA_KEY], "does not belong to direct wrapping");
	if (!r->value[M_DATA_KEY])
		return refuse(r, names[M_DATA_KEY], "is required");
	if ((err = read_text(r, M_DATA_KEY, text, sizeof text)) != ADY_OK)
		return err;
	return decode(r, rec->data_key, sizeof rec->data_key, &rec->data_key_n, ady_bytes_str(text),
	              names[M_DATA_KEY]);
}

static enum ady_err parse_json(struct ady_record *rec, struct ady_json_tok *toks, size_t cap,
                               struct ady_bytes text, struct ady_bytes key_id, struct ady_fault *f)
{
	struct reader r = {.f = f};
	enum ady_err err;

	if (ady_json_parse(&r.doc, toks, cap, text, NULL) != ADY_OK)
		return refuse(&r, NULL, "is neither strict JSON nor base64");
	if ((err = find_members(&r)) != ADY_OK || (err = require_all(&r)) != ADY_OK ||
	    (err = read_text(&r, M_ID, rec->id, sizeof rec->id)) != ADY_OK ||
	    (err = read_text(&r, M_TENANT, rec->tenant, sizeof rec->tenant)) != ADY_OK ||
	    (err = read_kind(&r, rec)) != ADY_OK || (err = read_public_key(&r, rec)) != ADY_OK ||
	    (err = read_rights(&r, rec)) != ADY_OK || (err = read_created(&r, rec)) != ADY_OK ||
	    (err = read_data_key(&r, rec)) != ADY_OK || (err = read_ciphertext(&r, rec)) != ADY_OK)
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
	const struct reader r = {.f = f};
	struct ady_bytes body = trimmed(text);

	memset(rec, 0, sizeof *rec);
	if (body.n > 0 && body.p[0] == '{')
		return parse_json(rec, toks, cap, body, key_id, f);
	rec->sample = true;
	return decode(&r, rec->ciphertext, sizeof rec->ciphertext, &rec->ciphertext_n, body, NULL);
}

/* Tenant and curve are the caller's to know; when the options name them too they must agree. */
static enum ady_err check_same(const struct reader *r, enum member m, const char *text)
{
	if (!r->value[m] || ady_json_is(&r->doc, r->value[m], text))
		return ADY_OK;
	return refuse(r, names[m], "is not what the key is made for");
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
	struct reader r = {.options = true, .f = f};
	enum ady_err err;

	memset(rec, 0, sizeof *rec);
	rec->envelope = true;
	rec->curve = curve;
	if (!ady_bytes_to_str(rec->tenant, sizeof rec->tenant, tenant) ||
	    !is_name(rec->tenant, tenant.n))
		return ady_fail(f, ADY_E_FIELD_INVALID, "tenant",
		                "must consist of A-Z a-z 0-9 . _ : / + = @ -");
	if ((err = ady_json_parse(&r.doc, toks, cap, options, f)) != ADY_OK ||
	    (err = find_members(&r)) != ADY_OK || (err = require(&r, M_ID)) != ADY_OK ||
	    (err = check_same(&r, M_TENANT, rec->tenant)) != ADY_OK ||
	    (err = check_same(&r, M_CURVE, ady_curve_name(curve))) != ADY_OK ||
	    (err = read_text(&r, M_ID, rec->id, sizeof rec->id)) != ADY_OK)
		return err;
	return read_rights(&r, rec);
}

bool ady_record_allows_chain(const struct ady_record *rec, uint64_t chain)
{
	for (size_t i = 0; i < rec->chains_n; i++)
		if (rec->chains[i] == chain)
			return true;
	return rec->chains_n == 0;
}
