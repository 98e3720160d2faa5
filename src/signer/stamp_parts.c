/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/stamp_parts.h"

#include <string.h>

#include "base/text.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "crypto/p256.h"

enum { TOKENS = 64, FLAGS_AT = 32, AUTHENTICATOR_MIN = 37, PRESENT = 0x01, VERIFIED = 0x04 };

static const char prefix[] = "adyton-stamp-1.";

static bool decode(struct ady_buf *b, struct ady_bytes *out, struct ady_bytes text, size_t max)
{
	size_t start = b->n;

	if (ady_base64url_take(b, text) != ADY_OK)
		return false;
	*out = ady_bytes(b->p + start, b->n - start);
	return out->n <= max;
}

const char *ady_stamp_parts_read(struct ady_stamp_parts *parts, struct ady_bytes text)
{
	static const char form[] = "must have its parts in base64url, with dots between them";
	struct ady_buf b = ady_buf(parts->space, sizeof parts->space);
	struct ady_bytes claims = ady_bytes_cut(&text, '.'), signature = ady_bytes_cut(&text, '.');
	struct ady_bytes authenticator = ady_bytes_cut(&text, '.'),
	                 client = ady_bytes_cut(&text, '.');

	if (!signature.p || text.p || (authenticator.p && !client.p))
		return "must have two parts, or four";
	parts->authenticator = parts->client = (struct ady_bytes){0};
	if (!decode(&b, &parts->claims, claims, ADY_STAMP_CLAIMS_MAX) ||
	    !decode(&b, &parts->signature, signature, ADY_STAMP_SIGNATURE_MAX))
		return form;
	if (client.p &&
	    (!decode(&b, &parts->authenticator, authenticator, ADY_STAMP_AUTHENTICATOR_MAX) ||
	     !decode(&b, &parts->client, client, ADY_STAMP_CLIENT_MAX) || parts->client.n == 0))
		return form;
	parts->input = ady_bytes(b.p + b.n, sizeof prefix - 1 + claims.n);
	ady_buf_str(&b, prefix);
	ady_buf_view(&b, claims);
	return b.full ? form : NULL;
}

/* The challenge as browsers write it: base64url. */
static bool has_challenge(const struct ady_json *doc, struct ady_bytes input)
{
	char text[44];
	struct ady_buf b = ady_buf(text, sizeof text - 1);
	uint32_t i = ady_json_get(doc, 0, "challenge");
	uint8_t hash[32];

	ady_sha256(hash, &input, 1);
	ady_base64url_put(&b, ady_bytes(hash, sizeof hash));
	text[43] = '\0';
	return i && ady_json_is(doc, i, text);
}

/* Browsers add members as they like. */
static const char *check_client(const struct ady_stamp_parts *parts)
{
	struct ady_json_tok toks[TOKENS];
	struct ady_json doc;
	uint32_t type, cross;

	if (ady_json_parse(&doc, toks, TOKENS, parts->client, NULL) != ADY_OK)
		return "has client data that are no strict JSON";
	type = ady_json_get(&doc, 0, "type");
	cross = ady_json_get(&doc, 0, "crossOrigin");
	if (!type || !ady_json_is(&doc, type, "webauthn.get"))
		return "has client data of another type than webauthn.get";
	if (!has_challenge(&doc, parts->input))
		return "has client data with another challenge";
	if (cross && ady_json_kind(&doc, cross) != ADY_JSON_FALSE)
		return "was made in a frame of another origin";
	return NULL;
}

static const char *check_authenticator(struct ady_bytes data, struct ady_bytes rp)
{
	uint8_t hash[32];

	ady_sha256(hash, &rp, 1);
	if (data.n < AUTHENTICATOR_MIN || memcmp(data.p, hash, sizeof hash) != 0)
		return "is for another relying party";
	if ((data.p[FLAGS_AT] & (PRESENT | VERIFIED)) != (PRESENT | VERIFIED))
		return "was made without the user present and verified";
	return NULL;
}

const char *ady_stamp_webauthn(const struct ady_stamp_parts *parts, const struct ady_stamp_key *key)
{
	const char *why = check_client(parts);
	struct ady_bytes both[2] = {parts->authenticator, {0}};
	uint8_t hash[32];

	if (!why)
		why = check_authenticator(parts->authenticator, key->rp);
	if (why)
		return why;
	ady_sha256(hash, &parts->client, 1);
	both[1] = ady_bytes(hash, sizeof hash);
	return ady_p256_verify(parts->signature, key->pub, both, 2) == ADY_OK
	           ? NULL
	           : "is not the key's signature";
}
