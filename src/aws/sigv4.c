/* SPDX-License-Identifier: Apache-2.0 */
#include "aws/sigv4.h"

#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "base/text.h"
#include "crypto/hash.h"

enum { CANONICAL_MAX = 32768, SCOPE_MAX = 256, QUERY_PARTS_MAX = 64 };

static const char ALGORITHM[] = "AWS4-HMAC-SHA256";

void ady_aws_credentials_wipe(struct ady_aws_credentials *c)
{
	ady_zero(c, sizeof *c);
}

static bool is_unreserved(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

static bool is_hex(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static uint8_t upper(uint8_t c)
{
	return c >= 'a' && c <= 'z' ? (uint8_t)(c - 'a' + 'A') : c;
}

static void put_escaped(struct ady_buf *b, uint8_t c)
{
	ady_buf_printf(b, "%%%02X", c);
}

/* The path is encoded once more on top of how it was sent ("URI-encode twice", every service but
 * S3), so that a percent sign of the request line becomes %25. */
static void put_path(struct ady_buf *b, struct ady_bytes path)
{
	if (path.n == 0)
		ady_buf_u8(b, '/');
	for (size_t i = 0; i < path.n; i++)
		if (is_unreserved(path.p[i]) || path.p[i] == '/')
			ady_buf_u8(b, path.p[i]);
		else
			put_escaped(b, path.p[i]);
}

/* One name or value of the query: escapes stay, the rest is encoded where it must be. */
static void put_query_text(struct ady_buf *b, struct ady_bytes t)
{
	for (size_t i = 0; i < t.n; i++) {
		uint8_t c = t.p[i];

		if (c == '%' && i + 2 < t.n && is_hex(t.p[i + 1]) && is_hex(t.p[i + 2])) {
			ady_buf_u8(b, '%');
			ady_buf_u8(b, upper(t.p[i + 1]));
			ady_buf_u8(b, upper(t.p[i + 2]));
			i += 2;
		} else if (is_unreserved(c)) {
			ady_buf_u8(b, c);
		} else {
			put_escaped(b, c);
		}
	}
}

static void put_parameter(struct ady_buf *b, struct ady_bytes item)
{
	const uint8_t *eq = (const uint8_t *)memchr(item.p, '=', item.n);
	size_t at = eq ? (size_t)(eq - item.p) : item.n;

	put_query_text(b, ady_bytes_sub(item, 0, at));
	ady_buf_u8(b, '=');
	if (eq)
		put_query_text(b, ady_bytes_sub(item, at + 1, item.n - at - 1));
}

/* Order by name, then by value. '=' compares below every character of an encoded name but '-', '.',
 * the digits and '%'; so names are compared alone first. */
static int compare(struct ady_bytes a, struct ady_bytes b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

static struct ady_bytes name_of(struct ady_bytes parameter)
{
	const uint8_t *eq = (const uint8_t *)memchr(parameter.p, '=', parameter.n);

	return ady_bytes_sub(parameter, 0, eq ? (size_t)(eq - parameter.p) : parameter.n);
}

static bool comes_before(struct ady_bytes a, struct ady_bytes b)
{
	int c = compare(name_of(a), name_of(b));

	return c ? c < 0 : compare(a, b) < 0;
}

/* Insertion sort: queries have a handful of parameters. */
static void insert_sorted(struct ady_bytes *list, size_t n, struct ady_bytes item)
{
	while (n > 0 && comes_before(item, list[n - 1])) {
		list[n] = list[n - 1];
		n--;
	}
	list[n] = item;
}

static enum ady_err put_query(struct ady_buf *b, struct ady_bytes query)
{
	uint8_t text[2048];
	struct ady_buf encoded = ady_buf(text, sizeof text);
	struct ady_bytes list[QUERY_PARTS_MAX];
	size_t n = 0;

	for (size_t at = 0; at < query.n;) {
		const uint8_t *amp = (const uint8_t *)memchr(query.p + at, '&', query.n - at);
		size_t len = amp ? (size_t)(amp - query.p) - at : query.n - at;
		size_t start = encoded.n;

		if (n == QUERY_PARTS_MAX)
			return ADY_E_TOO_LARGE;
		if (len) {
			put_parameter(&encoded, ady_bytes_sub(query, at, len));
			insert_sorted(list, n++, ady_bytes(text + start, encoded.n - start));
		}
		at += len + 1;
	}
	for (size_t i = 0; i < n; i++) {
		if (i)
			ady_buf_u8(b, '&');
		ady_buf_view(b, list[i]);
	}
	return encoded.full ? ADY_E_TOO_LARGE : ADY_OK;
}

/* "Trimall": no blanks around, single blanks within. */
static void put_trimmed(struct ady_buf *b, struct ady_bytes v)
{
	bool gap = false, any = false;

	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] == ' ' || v.p[i] == '\t') {
			gap = any;
			continue;
		}
		if (gap)
			ady_buf_u8(b, ' ');
		ady_buf_u8(b, v.p[i]);
		gap = false;
		any = true;
	}
}

static void put_signed_names(struct ady_buf *b, const struct ady_sigv4_request *r)
{
	for (size_t i = 0; i < r->fields_n; i++) {
		if (i)
			ady_buf_u8(b, ';');
		ady_buf_view(b, r->fields[i].name);
	}
}

static enum ady_err put_canonical(struct ady_buf *b, const struct ady_sigv4_request *r)
{
	char hex[65];
	enum ady_err err;

	ady_buf_view(b, r->method);
	ady_buf_u8(b, '\n');
	put_path(b, r->path);
	ady_buf_u8(b, '\n');
	if ((err = put_query(b, r->query)) != ADY_OK)
		return err;
	ady_buf_u8(b, '\n');
	for (size_t i = 0; i < r->fields_n; i++) {
		ady_buf_view(b, r->fields[i].name);
		ady_buf_u8(b, ':');
		put_trimmed(b, r->fields[i].value);
		ady_buf_u8(b, '\n');
	}
	ady_buf_u8(b, '\n');
	put_signed_names(b, r);
	ady_hex_encode(hex, ady_bytes(r->payload_sha256, 32));
	ady_buf_u8(b, '\n');
	ady_buf_str(b, hex);
	return b->full ? ADY_E_TOO_LARGE : ADY_OK;
}

/* "20150830/us-east-1/iam/aws4_request" */
static void put_scope(struct ady_buf *b, const struct ady_sigv4_scope *s)
{
	char when[17];

	ady_time_basic(when, s->unix_s);
	ady_buf_put(b, when, 8);
	ady_buf_printf(b, "/%s/%s/aws4_request", s->region, s->service);
}

enum ady_err ady_sigv4_key(uint8_t key32[static 32], const char *secret_key,
                           const struct ady_sigv4_scope *scope)
{
	char start[4 + 128 + 1], when[17];
	struct ady_buf b = ady_buf(start, sizeof start);

	ady_zero(key32, 32);
	ady_time_basic(when, scope->unix_s);
	ady_buf_str(&b, "AWS4");
	ady_buf_str(&b, secret_key);
	if (!b.full) {
		ady_hmac_sha256(key32, ady_buf_bytes(&b), ady_bytes(when, 8));
		ady_hmac_sha256(key32, ady_bytes(key32, 32), ady_bytes_str(scope->region));
		ady_hmac_sha256(key32, ady_bytes(key32, 32), ady_bytes_str(scope->service));
		ady_hmac_sha256(key32, ady_bytes(key32, 32), ady_bytes_str("aws4_request"));
	}
	ady_zero(start, sizeof start);
	return b.full ? ADY_E_TOO_LARGE : ADY_OK;
}

/* The hash of the canonical request, in hex. The request may hold a session token, so what was
 * written is wiped. */
static enum ady_err hash_canonical(char hex[static 65], const struct ady_sigv4_request *request)
{
	uint8_t text[CANONICAL_MAX], hash[32];
	struct ady_buf b = ady_buf(text, sizeof text);
	enum ady_err err = put_canonical(&b, request);
	struct ady_bytes part = ady_buf_bytes(&b);

	if (err == ADY_OK) {
		ady_sha256(hash, &part, 1);
		ady_hex_encode(hex, ady_bytes(hash, sizeof hash));
	}
	ady_zero(text, b.n);
	return err;
}

enum ady_err ady_sigv4_signature_by(char out[static 65], const uint8_t key32[static 32],
                                    const struct ady_sigv4_scope *scope,
                                    const struct ady_sigv4_request *request)
{
	uint8_t text[SCOPE_MAX + 128], mac[32];
	struct ady_buf b = ady_buf(text, sizeof text);
	char hex[65], when[17];
	enum ady_err err;

	out[0] = '\0';
	if ((err = hash_canonical(hex, request)) != ADY_OK)
		return err;
	ady_time_basic(when, scope->unix_s);
	ady_buf_printf(&b, "%s\n%s\n", ALGORITHM, when);
	put_scope(&b, scope);
	ady_buf_printf(&b, "\n%s", hex);
	if (b.full)
		return ADY_E_TOO_LARGE;
	ady_hmac_sha256(mac, ady_bytes(key32, 32), ady_buf_bytes(&b));
	ady_hex_encode(out, ady_bytes(mac, sizeof mac));
	return ADY_OK;
}

enum ady_err ady_sigv4_signature(char out[static 65], const char *secret_key,
                                 const struct ady_sigv4_scope *scope,
                                 const struct ady_sigv4_request *request)
{
	uint8_t key[32];
	enum ady_err err = ady_sigv4_key(key, secret_key, scope);

	out[0] = '\0';
	if (err == ADY_OK)
		err = ady_sigv4_signature_by(out, key, scope, request);
	ady_zero(key, sizeof key);
	return err;
}

enum ady_err ady_sigv4_authorize(struct ady_buf *b, const struct ady_aws_credentials *credentials,
                                 const struct ady_sigv4_scope *scope,
                                 const struct ady_sigv4_request *request)
{
	char signature[65];
	enum ady_err err;

	if ((err = ady_sigv4_signature(signature, credentials->secret_key, scope, request)) !=
	    ADY_OK)
		return err;
	ady_buf_printf(b, "%s Credential=%s/", ALGORITHM, credentials->access_key);
	put_scope(b, scope);
	ady_buf_str(b, ", SignedHeaders=");
	put_signed_names(b, request);
	ady_buf_printf(b, ", Signature=%s", signature);
	return b->full ? ADY_E_TOO_LARGE : ADY_OK;
}
