/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/jwt.h"

#include <string.h>

#include "base/secret.h"
#include "base/text.h"
#include "codec/json.h"
#include "crypto/hash.h"

enum { TOKENS = 64, PART_MAX = 2048 };

static bool decode(struct ady_buf *b, struct ady_bytes text)
{
	return text.n > 0 && ady_base64url_take(b, text) == ADY_OK && !b->full;
}

static bool text_of(const struct ady_json *doc, const char *name, char *out, size_t cap)
{
	uint32_t i = ady_json_get(doc, 0, name);
	size_t n;

	return i && ady_json_string(doc, i, out, cap, &n) == ADY_OK && n > 0 && strlen(out) == n;
}

static const char *read_header(struct ady_bytes text)
{
	struct ady_json_tok toks[TOKENS];
	uint8_t space[PART_MAX];
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_json doc;
	uint32_t alg, crit;

	if (!decode(&b, text) ||
	    ady_json_parse(&doc, toks, TOKENS, ady_buf_bytes(&b), NULL) != ADY_OK ||
	    ady_json_kind(&doc, 0) != ADY_JSON_OBJECT)
		return "its header is malformed";
	alg = ady_json_get(&doc, 0, "alg");
	crit = ady_json_get(&doc, 0, "crit");
	return alg && !crit && ady_json_is(&doc, alg, "HS256") ? NULL
	                                                       : "its algorithm is not HS256";
}

/* "0x" and 64 hex digits, or null, as who has no body writes it. */
static bool read_hash(struct ady_jwt *jwt, const struct ady_json *doc)
{
	uint32_t i = ady_json_get(doc, 0, "payload_hash");
	char text[67];
	size_t n;

	if (!i || ady_json_kind(doc, i) == ADY_JSON_NULL)
		return true;
	jwt->has_payload_hash =
	    text_of(doc, "payload_hash", text, sizeof text) && strncmp(text, "0x", 2) == 0 &&
	    ady_hex_decode(jwt->payload_hash, 32, &n, ady_bytes_str(text + 2)) == ADY_OK && n == 32;
	return jwt->has_payload_hash;
}

static const char *read_claims(struct ady_jwt *jwt, struct ady_bytes text)
{
	struct ady_json_tok toks[TOKENS];
	uint8_t space[PART_MAX];
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_json doc;
	uint32_t exp;

	if (!decode(&b, text) ||
	    ady_json_parse(&doc, toks, TOKENS, ady_buf_bytes(&b), NULL) != ADY_OK ||
	    ady_json_kind(&doc, 0) != ADY_JSON_OBJECT)
		return "its claims are malformed";
	exp = ady_json_get(&doc, 0, "exp");
	if (!text_of(&doc, "module", jwt->module, sizeof jwt->module))
		return "it has no module";
	if (!text_of(&doc, "route", jwt->route, sizeof jwt->route))
		return "it has no route";
	if (!exp || ady_json_u64(&doc, exp, &jwt->exp) != ADY_OK)
		return "it has no exp";
	return read_hash(jwt, &doc) ? NULL : "its payload_hash is malformed";
}

const char *ady_jwt_read(struct ady_jwt *jwt, struct ady_bytes text)
{
	const uint8_t *start = text.p;
	struct ady_buf b = ady_buf(jwt->bytes, sizeof jwt->bytes);
	struct ady_bytes header, claims, signature;
	const char *why;

	memset(jwt, 0, sizeof *jwt);
	if (text.n > ADY_JWT_MAX)
		return "it is too long";
	header = ady_bytes_cut(&text, '.');
	claims = ady_bytes_cut(&text, '.');
	signature = ady_bytes_cut(&text, '.');
	if (!signature.p || text.p)
		return "it has not three parts";
	if ((why = read_header(header)) || (why = read_claims(jwt, claims)))
		return why;
	if (!decode(&b, signature) || b.n != 32)
		return "its signature is malformed";
	jwt->signature = ady_buf_bytes(&b);
	jwt->input = ady_bytes(start, header.n + 1 + claims.n);
	return NULL;
}

const char *ady_jwt_check(const struct ady_jwt *jwt, struct ady_bytes secret,
                          struct ady_bytes route, struct ady_bytes body, uint64_t now_s)
{
	uint8_t mac[32], hash[32];

	ady_hmac_sha256(mac, secret, jwt->input);
	if (!ady_secret_eq_ct(mac, jwt->bytes, sizeof mac))
		return "its signature is not that of the module";
	if (now_s > jwt->exp && now_s - jwt->exp > ADY_JWT_LEEWAY_S)
		return "its time is over";
	if (!ady_bytes_is(route, jwt->route))
		return "it is for another route";
	if (body.n == 0)
		return jwt->has_payload_hash ? "it is for a body" : NULL;
	ady_keccak256(hash, body);
	if (!jwt->has_payload_hash || memcmp(hash, jwt->payload_hash, sizeof hash) != 0)
		return "it is for another body";
	return NULL;
}
