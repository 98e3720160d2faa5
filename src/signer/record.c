/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/record.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "codec/json.h"

enum { TOKENS = 64, CIPHERTEXT_TEXT = ADY_BASE64_SIZE(ADY_RECORD_CIPHERTEXT_MAX) };

/* M_ALLOW may be absent. */
enum member {
	M_VERSION,
	M_WRAPPING,
	M_ID,
	M_TENANT,
	M_CURVE,
	M_PUBLIC_KEY,
	M_CIPHERTEXT,
	M_ALLOW,
	MEMBERS
};

static const char *const names[MEMBERS] = {"adyton", "wrapping",   "id",         "tenant",
                                           "curve",  "public_key", "ciphertext", "allow"};

/* In the order of their bits, which is that of the alphabet. */
static const char *const allow_words[] = {"digest", "unprotected"};

enum { ALLOW_WORDS = sizeof allow_words / sizeof *allow_words };

struct reader {
	struct ady_json doc;
	struct ady_fault *f;
	uint32_t value[MEMBERS];
};

static enum ady_err refuse(struct ady_fault *f, const char *member, const char *why)
{
	char where[64];

	snprintf(where, sizeof where, "record%s%.48s", member ? "." : "", member ? member : "");
	return ady_fail(f, ADY_E_RECORD, where, "%s", why);
}

static enum ady_err refuse_unknown(const struct reader *r, uint32_t key)
{
	struct ady_bytes raw = ady_json_raw(&r->doc, key);
	char name[48];

	snprintf(name, sizeof name, "%.*s", (int)(raw.n < sizeof name ? raw.n : sizeof name - 1),
	         (const char *)raw.p);
	return refuse(r->f, name, "is not known");
}

static enum ady_err decode_ciphertext(struct ady_record *rec, struct ady_bytes base64,
                                      const char *member, struct ady_fault *f)
{
	enum ady_err err =
	    ady_base64_decode(rec->ciphertext, sizeof rec->ciphertext, &rec->ciphertext_n, base64);

	if (err == ADY_E_TOO_LARGE)
		return refuse(f, member, "exceeds 6144 bytes");
	if (err != ADY_OK)
		return refuse(f, member, "is not base64");
	return rec->ciphertext_n > 0 ? ADY_OK : refuse(f, member, "is empty");
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
		return refuse(r->f, NULL, "must be a JSON object or base64");
	for (uint32_t k = ady_json_first(doc, 0); k; k = ady_json_after(doc, 0, k)) {
		unsigned m = 0;

		while (m < MEMBERS && !ady_json_is(doc, k, names[m]))
			m++;
		if (m == MEMBERS)
			return refuse_unknown(r, k);
		r->value[m] = k + 1;
	}
	for (unsigned m = 0; m < M_ALLOW; m++)
		if (!r->value[m])
			return refuse(r->f, names[m], "is required");
	return ADY_OK;
}

static enum ady_err read_text(const struct reader *r, enum member m, char *out, size_t cap)
{
	enum ady_err err;
	size_t n;

	err = ady_json_string(&r->doc, r->value[m], out, cap, &n);
	if (err == ADY_E_TOO_LARGE)
		return refuse(r->f, names[m], "is too long");
	if (err != ADY_OK || strlen(out) != n)
		return refuse(r->f, names[m], "must be a string without NUL");
	if ((m == M_ID || m == M_TENANT) && !is_name(out, n))
		return refuse(r->f, names[m], "must consist of A-Z a-z 0-9 . _ : / + = @ -");
	return ADY_OK;
}

/* What is fixed in this version. */
static enum ady_err check_fixed(const struct reader *r, const struct ady_record *rec)
{
	uint32_t version = r->value[M_VERSION];

	if (ady_json_kind(&r->doc, version) != ADY_JSON_NUMBER ||
	    !ady_bytes_is(ady_json_raw(&r->doc, version), "1"))
		return refuse(r->f, names[M_VERSION], "must be 1");
	if (!ady_json_is(&r->doc, r->value[M_WRAPPING], "direct"))
		return refuse(r->f, names[M_WRAPPING], "must be \"direct\"");
	if (strcmp(rec->curve, "secp256k1") != 0)
		return refuse(r->f, names[M_CURVE], "must be \"secp256k1\"");
	return ADY_OK;
}

static enum ady_err read_public_key(const struct reader *r, struct ady_record *rec)
{
	struct ady_bytes text = ady_bytes_str(rec->public_key);
	size_t n;

	if (text.n != 68 || memcmp(text.p, "0x", 2) != 0 ||
	    ady_hex_decode(rec->pub33, sizeof rec->pub33, &n, ady_bytes_sub(text, 2, 66)) !=
	        ADY_OK ||
	    (rec->pub33[0] != 2 && rec->pub33[0] != 3))
		return refuse(r->f, names[M_PUBLIC_KEY],
		              "must be \"0x\" and the hex of a compressed public key, 33 bytes");
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
		return refuse(r->f, names[M_ALLOW], why);
	for (uint32_t k = ady_json_first(&r->doc, i); k; k = ady_json_after(&r->doc, i, k)) {
		while (word < ALLOW_WORDS && !ady_json_is(&r->doc, k, allow_words[word]))
			word++;
		if (word == ALLOW_WORDS)
			return refuse(r->f, names[M_ALLOW], why);
		rec->allow |= 1u << word++;
	}
	return ADY_OK;
}

static enum ady_err read_ciphertext(const struct reader *r, struct ady_record *rec)
{
	char text[CIPHERTEXT_TEXT];
	enum ady_err err = read_text(r, M_CIPHERTEXT, text, sizeof text);

	if (err != ADY_OK)
		return err;
	return decode_ciphertext(rec, ady_bytes_str(text), names[M_CIPHERTEXT], r->f);
}

static enum ady_err parse_json(struct ady_record *rec, struct ady_bytes text,
                               struct ady_bytes key_id, struct ady_fault *f)
{
	struct ady_json_tok toks[TOKENS];
	struct reader r = {.f = f};
	enum ady_err err;

	if (ady_json_parse(&r.doc, toks, TOKENS, text, NULL) != ADY_OK)
		return refuse(f, NULL, "is neither strict JSON nor base64");
	if ((err = find_members(&r)) != ADY_OK ||
	    (err = read_text(&r, M_ID, rec->id, sizeof rec->id)) != ADY_OK ||
	    (err = read_text(&r, M_TENANT, rec->tenant, sizeof rec->tenant)) != ADY_OK ||
	    (err = read_text(&r, M_CURVE, rec->curve, sizeof rec->curve)) != ADY_OK ||
	    (err = read_text(&r, M_PUBLIC_KEY, rec->public_key, sizeof rec->public_key)) !=
	        ADY_OK ||
	    (err = check_fixed(&r, rec)) != ADY_OK || (err = read_public_key(&r, rec)) != ADY_OK ||
	    (err = read_allow(&r, rec)) != ADY_OK || (err = read_ciphertext(&r, rec)) != ADY_OK)
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
	struct ady_bytes body = trimmed(text);

	*rec = (struct ady_record){0};
	if (body.n > 0 && body.p[0] == '{')
		return parse_json(rec, body, key_id, f);
	rec->sample = true;
	return decode_ciphertext(rec, body, NULL, f);
}

static void add_pair(struct ady_record *rec, const char *key, const char *value)
{
	rec->context[rec->context_n++] = (struct ady_context_pair){key, value};
}

/* Write the words of rec->allow, each between quotes, with commas between them. */
static void put_allow(struct ady_buf *b, const struct ady_record *rec, const char *quote)
{
	size_t start = b->n;

	for (unsigned word = 0; word < ALLOW_WORDS; word++) {
		if (!(rec->allow >> word & 1))
			continue;
		ady_buf_str(b, b->n > start ? "," : "");
		ady_buf_str(b, quote);
		ady_buf_str(b, allow_words[word]);
		ady_buf_str(b, quote);
	}
}

/* The text of the public key is made here, so that it has one spelling in the context. */
void ady_record_bind(struct ady_record *rec)
{
	struct ady_buf allow = ady_buf(rec->allow_text, sizeof rec->allow_text - 1);

	put_allow(&allow, rec, "");
	rec->allow_text[allow.n] = '\0';
	memcpy(rec->public_key, "0x", 2);
	ady_hex_encode(rec->public_key + 2, ady_bytes(rec->pub33, sizeof rec->pub33));
	rec->context_n = 0;
	if (rec->allow)
		add_pair(rec, "adyton:allow", rec->allow_text);
	add_pair(rec, "adyton:curve", rec->curve);
	add_pair(rec, "adyton:id", rec->id);
	add_pair(rec, "adyton:public-key", rec->public_key);
	add_pair(rec, "adyton:tenant", rec->tenant);
}

static void put_member(struct ady_buf *b, enum member m, const char *value)
{
	ady_buf_str(b, ",\"");
	ady_buf_str(b, names[m]);
	ady_buf_str(b, "\":");
	ady_json_put_string(b, ady_bytes_str(value));
}

void ady_record_put(struct ady_buf *b, const struct ady_record *rec)
{
	char ciphertext[CIPHERTEXT_TEXT];

	ady_base64_encode(ciphertext, ady_bytes(rec->ciphertext, rec->ciphertext_n));
	ady_buf_str(b, "{\"adyton\":1");
	put_member(b, M_WRAPPING, "direct");
	put_member(b, M_ID, rec->id);
	put_member(b, M_TENANT, rec->tenant);
	put_member(b, M_CURVE, rec->curve);
	put_member(b, M_PUBLIC_KEY, rec->public_key);
	put_member(b, M_CIPHERTEXT, ciphertext);
	if (rec->allow) {
		ady_buf_str(b, ",\"allow\":[");
		put_allow(b, rec, "\"");
		ady_buf_str(b, "]");
	}
	ady_buf_str(b, "}");
}
