/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/stamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "codec/json.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "crypto/p256.h"
#include "signer/stamp_parts.h"

enum { TOKENS = 32 };

static const char prefix[] = "adyton-stamp-1.";

enum claim {
	C_STAMP,
	C_BY,
	C_AUD,
	C_TENANT,
	C_KEY,
	C_OP,
	C_ISSUED,
	C_EXPIRES,
	C_ID,
	C_BODY,
	CLAIMS
};

static const char *const names[CLAIMS] = {"stamp", "by",  "aud", "tenant", "key",
                                          "op",    "iat", "exp", "id",     "body"};

/* One stamp of a header. */
struct reading {
	const struct ady_stamp_want *want;
	struct ady_stamp *stamp;
	struct ady_stamp_parts parts;
	struct ady_stamp_key key;
	struct ady_json doc;
	uint32_t value[CLAIMS];
	size_t index;
	struct ady_fault *f;
};

static enum ady_err refuse(const struct reading *r, const char *member, const char *why)
{
	char where[64];

	snprintf(where, sizeof where, "stamp[%zu]%s%s", r->index, member ? "." : "",
	         member ? member : "");
	return ady_fail(r->f, ADY_E_UNAUTHORIZED, where, "%s", why);
}

static enum ady_err find_claims(struct reading *r)
{
	const struct ady_json *doc = &r->doc;

	if (ady_json_kind(doc, 0) != ADY_JSON_OBJECT)
		return refuse(r, NULL, "has claims that are no object");
	for (uint32_t k = ady_json_first(doc, 0); k; k = ady_json_after(doc, 0, k)) {
		unsigned c = 0;

		while (c < CLAIMS && !ady_json_is(doc, k, names[c]))
			c++;
		if (c == CLAIMS)
			return refuse(r, NULL, "has a claim that is not known");
		r->value[c] = k + 1;
	}
	for (unsigned c = 0; c < CLAIMS; c++)
		if (!r->value[c])
			return refuse(r, names[c], "is required");
	return ADY_OK;
}

/* The plain text of a claim; empty when it is none. */
static struct ady_bytes text_of(const struct reading *r, enum claim c)
{
	uint32_t i = r->value[c];

	if (ady_json_kind(&r->doc, i) != ADY_JSON_STRING || r->doc.toks[i].escaped)
		return (struct ady_bytes){0};
	return ady_json_raw(&r->doc, i);
}

static bool is_id(struct ady_bytes id)
{
	for (size_t i = 0; i < id.n; i++) {
		uint8_t c = id.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    c != '-' && c != '_')
			return false;
	}
	return id.n > 0 && id.n <= ADY_STAMP_ID_MAX;
}

static enum ady_err check_times(const struct reading *r)
{
	const struct ady_stamp_want *want = r->want;
	uint64_t issued, expires;

	if (ady_json_u64(&r->doc, r->value[C_ISSUED], &issued) != ADY_OK)
		return refuse(r, names[C_ISSUED], "must be whole seconds since 1970");
	if (ady_json_u64(&r->doc, r->value[C_EXPIRES], &expires) != ADY_OK)
		return refuse(r, names[C_EXPIRES], "must be whole seconds since 1970");
	if (expires <= issued || expires - issued > want->life_s)
		return refuse(r, names[C_EXPIRES],
		              "is not between iat and the longest life of a stamp");
	if (want->now_s == 0)
		return refuse(r, NULL,
		              "cannot be checked: the enclave's clock is not known to be right");
	if (issued > want->now_s + ADY_STAMP_SKEW_S)
		return refuse(r, names[C_ISSUED], "is in the future");
	if (expires <= want->now_s)
		return refuse(r, names[C_EXPIRES], "has passed");
	if (issued < want->born_s)
		return refuse(r, names[C_ISSUED], "is before this enclave began: stamp it again");
	r->stamp->expires_s = expires;
	return ADY_OK;
}

static enum ady_err check_texts(const struct reading *r)
{
	const struct ady_stamp_want *want = r->want;
	char body[65];

	ady_hex_encode(body, ady_bytes(want->body32, 32));
	if (ady_json_kind(&r->doc, r->value[C_STAMP]) != ADY_JSON_NUMBER ||
	    !ady_bytes_is(ady_json_raw(&r->doc, r->value[C_STAMP]), "1"))
		return refuse(r, names[C_STAMP], "must be 1");
	if (!ady_bytes_is(text_of(r, C_AUD), want->aud))
		return refuse(r, names[C_AUD], "is another deployment");
	if (!ady_bytes_is(text_of(r, C_TENANT), want->tenant))
		return refuse(r, names[C_TENANT], "is another tenant");
	if (!ady_bytes_eq(text_of(r, C_KEY), want->key))
		return refuse(r, names[C_KEY], "is another key");
	if (!ady_bytes_is(text_of(r, C_OP), want->op))
		return refuse(r, names[C_OP], "is another operation");
	if (!ady_bytes_is(text_of(r, C_BODY), body))
		return refuse(r, names[C_BODY], "is not the SHA-256 of the body");
	if (!is_id(text_of(r, C_ID)))
		return refuse(r, names[C_ID], "must be 1 to 64 of A-Z a-z 0-9 - _");
	(void)ady_bytes_to_str(r->stamp->id, sizeof r->stamp->id, text_of(r, C_ID));
	return ADY_OK;
}

static enum ady_err read_by(struct reading *r)
{
	struct ady_bytes by = text_of(r, C_BY);

	if (!ady_stamp_key_read(&r->key, by) ||
	    !ady_bytes_to_str(r->stamp->by, sizeof r->stamp->by, by))
		return refuse(r, names[C_BY],
		              "must be ed25519:, p256: or webauthn:ID: and the key in "
		              "lower-case hex");
	if ((r->key.kind == ADY_STAMP_WEBAUTHN) != (r->parts.client.n > 0))
		return refuse(r, NULL, "has not the parts of its kind of key");
	return ADY_OK;
}

static enum ady_err check_signature(const struct reading *r)
{
	const struct ady_stamp_parts *p = &r->parts;
	const char *why = "is not the key's signature";
	bool good = false;

	if (r->key.kind == ADY_STAMP_ED25519)
		good = p->signature.n == 64 &&
		       ady_ed25519_verify(p->signature.p, r->key.pub, p->input);
	else if (r->key.kind == ADY_STAMP_P256)
		good = ady_p256_verify(p->signature, r->key.pub, &p->input, 1) == ADY_OK;
	else
		good = !(why = ady_stamp_webauthn(p, &r->key));
	return good ? ADY_OK : refuse(r, "signature", why);
}

static enum ady_err verify(struct reading *r, struct ady_bytes text)
{
	struct ady_json_tok toks[TOKENS];
	const char *why = ady_stamp_parts_read(&r->parts, text);
	enum ady_err err;

	if (why)
		return refuse(r, NULL, why);
	if (ady_json_parse(&r->doc, toks, TOKENS, r->parts.claims, NULL) != ADY_OK)
		return refuse(r, NULL, "has claims that are no strict JSON");
	if ((err = find_claims(r)) != ADY_OK || (err = read_by(r)) != ADY_OK ||
	    (err = check_texts(r)) != ADY_OK || (err = check_times(r)) != ADY_OK)
		return err;
	return check_signature(r);
}

static bool repeats(const struct ady_stamp *stamps, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(stamps[i].by, stamps[n].by) == 0)
			return true;
	return false;
}

enum ady_err ady_stamps_verify(struct ady_stamp stamps[static ADY_STAMPS_MAX], size_t *n,
                               const struct ady_stamp_want *want, struct ady_bytes text,
                               struct ady_fault *f)
{
	bool more = text.n > 0;

	*n = 0;
	if (text.n > ADY_STAMP_TEXT_MAX)
		return ady_fail(f, ADY_E_TOO_LARGE, "stamp", "exceeds 16384 bytes");
	for (size_t i = 0; more; i++) {
		struct reading r = {.want = want, .stamp = &stamps[i], .index = i, .f = f};
		struct ady_bytes one;
		enum ady_err err;

		if (i == ADY_STAMPS_MAX)
			return ady_fail(f, ADY_E_TOO_LARGE, "stamp", "has more than 8 stamps");
		one = ady_bytes_cut(&text, ',');
		more = text.p;
		if ((err = verify(&r, one)) != ADY_OK)
			return err;
		if (repeats(stamps, i))
			return refuse(&r, names[C_BY], "has stamped already");
		*n = i + 1;
	}
	return ADY_OK;
}

void ady_stamp_put_input(struct ady_buf *b, const struct ady_stamp_want *want, const char *by,
                         const char *id)
{
	char space[2048], body[65];
	struct ady_buf claims = ady_buf(space, sizeof space);

	ady_hex_encode(body, ady_bytes(want->body32, 32));
	ady_buf_printf(&claims,
	               "{\"stamp\":1,\"by\":\"%s\",\"aud\":\"%s\",\"tenant\":\"%s\",\"key\":", by,
	               want->aud, want->tenant);
	ady_json_put_string(&claims, want->key);
	ady_buf_printf(&claims,
	               ",\"op\":\"%s\",\"iat\":%" PRIu64 ",\"exp\":%" PRIu64
	               ",\"id\":\"%s\",\"body\":\"%s\"}",
	               want->op, want->now_s, want->now_s + want->life_s, id, body);
	ady_buf_str(b, prefix);
	ady_base64url_put(b, ady_buf_bytes(&claims));
	b->full = b->full || claims.full;
}
