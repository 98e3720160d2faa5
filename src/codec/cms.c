/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/cms.h"

#include <string.h>

enum { DEPTH = 8, CONTENT_MAX = 6144, KEY_MIN = 256, KEY_MAX = 512, SKI_MAX = 64, BLOCK = 16 };

/* Tags (X.690 section 8.1.2), class and form included. */
enum {
	INTEGER = 0x02,
	OCTETS = 0x04,
	OID = 0x06,
	SEQUENCE = 0x30,
	SET = 0x31,
	CONTEXT_0 = 0x80,
	CONTEXT_0_CONS = 0xa0,
};

static const uint8_t oid_enveloped[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03};
static const uint8_t oid_data[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01};
static const uint8_t oid_aes256_cbc[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a};

/* id-RSAES-OAEP with SHA-256, MGF1 with SHA-256, label empty by default (RFC 4055 section 4.1):
 * the content of the AlgorithmIdentifier, without choices and thus one string of bytes. */
static const uint8_t oaep_sha256[] = {
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x07, 0x30, 0x2f, 0xa0, 0x0f,
    0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08,
    0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
};

/* The same with the parameters of the hashes left out, which RFC 4055 section 2.1 has a receiver
 * accept; OpenSSL writes this, KMS the other. */
static const uint8_t oaep_sha256_bare[] = {
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x07, 0x30, 0x2b, 0xa0,
    0x0d, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
    0xa1, 0x1a, 0x30, 0x18, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01,
    0x08, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
};

/* A cursor over BER with a sticky error: after the first, calls do nothing. The constructed values
 * that are open are a stack; end[depth] bounds the innermost. */
struct ber {
	const uint8_t *p;
	const uint8_t *end[DEPTH];
	bool indefinite[DEPTH];
	unsigned depth;
	struct ady_fault *f;
	bool bad;
};

static void fail(struct ber *r, const char *where, const char *why)
{
	if (!r->bad)
		(void)ady_fail(r->f, ADY_E_KMS_REPLY, where, "%s", why);
	r->bad = true;
}

static size_t left(const struct ber *r)
{
	return r->bad ? 0 : (size_t)(r->end[r->depth] - r->p);
}

/* A definite length in its shortest form (X.690 section 10.1) of at most two bytes: KMS's answers
 * have at most 6144. */
static size_t length(struct ber *r, const char *where)
{
	size_t n = 0, bytes;

	if (left(r) < 1) {
		fail(r, where, "is cut short");
		return 0;
	}
	bytes = *r->p++;
	if (bytes < 0x80)
		return bytes;
	if (bytes != 0x81 && bytes != 0x82) {
		fail(r, where, "has a length that is not accepted");
		return 0;
	}
	for (bytes &= 0x7f; bytes > 0 && left(r) > 0; bytes--)
		n = n << 8 | *r->p++;
	if (bytes > 0)
		fail(r, where, "is cut short");
	else if (n < 0x80 || (n < 0x100 && r->p[-2] != 0x81))
		fail(r, where, "has a length that is not the shortest");
	return n;
}

static bool next_is(const struct ber *r, uint8_t tag)
{
	return left(r) > 0 && *r->p == tag;
}

static void expect(struct ber *r, uint8_t tag, const char *where)
{
	if (next_is(r, tag))
		r->p++;
	else
		fail(r, where, "is missing or of another type");
}

/* A primitive value: a view into the input. */
static struct ady_bytes primitive(struct ber *r, uint8_t tag, const char *where)
{
	struct ady_bytes v;
	size_t n;

	expect(r, tag, where);
	n = length(r, where);
	if (n > left(r))
		fail(r, where, "is cut short");
	if (r->bad)
		return (struct ady_bytes){0};
	v = ady_bytes(r->p, n);
	r->p += n;
	return v;
}

static void enter(struct ber *r, uint8_t tag, const char *where)
{
	size_t n;

	expect(r, tag, where);
	if (r->bad)
		return;
	r->depth++; /* the shape has DEPTH - 1 levels at most */
	r->end[r->depth] = r->end[r->depth - 1];
	r->indefinite[r->depth] = next_is(r, 0x80);
	if (r->indefinite[r->depth]) {
		r->p++;
		return;
	}
	n = length(r, where);
	if (n > left(r))
		fail(r, where, "is cut short");
	if (!r->bad)
		r->end[r->depth] = r->p + n;
}

/* Whether the innermost constructed value ends here. */
static bool at_end(const struct ber *r)
{
	if (r->bad || !r->indefinite[r->depth])
		return left(r) == 0;
	return left(r) >= 2 && r->p[0] == 0 && r->p[1] == 0;
}

static void leave(struct ber *r, const char *where)
{
	if (r->bad)
		return;
	if (!at_end(r)) {
		fail(r, where, left(r) > 0 ? "holds more than it may" : "is cut short");
		return;
	}
	if (r->indefinite[r->depth])
		r->p += 2;
	r->depth--;
}

static void version_2(struct ber *r, const char *where)
{
	struct ady_bytes v = primitive(r, INTEGER, where);

	if (!r->bad && (v.n != 1 || v.p[0] != 2))
		fail(r, where, "is not 2");
}

static void oid(struct ber *r, const uint8_t *want, size_t n, const char *where)
{
	if (!ady_bytes_eq(primitive(r, OID, where), ady_bytes(want, n)))
		fail(r, where, "is another object identifier");
}

/* RFC 5652 section 6.2.1. The recipient's identifier has no meaning for us: there is one key, and
 * decryption says whether it was meant. */
static void recipient(struct ber *r, struct ady_cms *cms)
{
	struct ady_bytes v;

	enter(r, SET, "recipientInfos");
	enter(r, SEQUENCE, "recipient");
	version_2(r, "recipient.version");
	v = primitive(r, CONTEXT_0, "recipient.rid");
	if (v.n < 1 || v.n > SKI_MAX)
		fail(r, "recipient.rid", "must have 1 to 64 bytes");
	v = primitive(r, SEQUENCE, "recipient.algorithm");
	if (!ady_bytes_eq(v, ady_bytes(oaep_sha256, sizeof oaep_sha256)) &&
	    !ady_bytes_eq(v, ady_bytes(oaep_sha256_bare, sizeof oaep_sha256_bare)))
		fail(r, "recipient.algorithm", "is not RSA-OAEP with SHA-256");
	cms->encrypted_key = primitive(r, OCTETS, "recipient.encryptedKey");
	if (cms->encrypted_key.n < KEY_MIN || cms->encrypted_key.n > KEY_MAX)
		fail(r, "recipient.encryptedKey", "must have 256 to 512 bytes");
	leave(r, "recipient");
	leave(r, "recipientInfos");
}

static void add_chunk(struct ber *r, struct ady_cms *cms, struct ady_bytes chunk)
{
	if (r->bad)
		return;
	if (chunk.n == 0 || cms->chunks_n == ADY_CMS_CHUNKS_MAX) {
		fail(r, "content", "must have 1 to 64 chunks, none empty");
		return;
	}
	cms->chunks[cms->chunks_n++] = chunk;
	cms->content_n += chunk.n;
}

/* [0] IMPLICIT OCTET STRING: primitive, or constructed of primitive chunks (X.690 8.7.3). */
static void chunks(struct ber *r, struct ady_cms *cms)
{
	if (next_is(r, CONTEXT_0)) {
		add_chunk(r, cms, primitive(r, CONTEXT_0, "content"));
	} else {
		enter(r, CONTEXT_0_CONS, "content");
		while (!r->bad && !at_end(r))
			add_chunk(r, cms, primitive(r, OCTETS, "content"));
		leave(r, "content");
	}
	if (cms->content_n == 0 || cms->content_n % BLOCK != 0 || cms->content_n > CONTENT_MAX)
		fail(r, "content", "must be whole blocks of AES, 16 to 6144 bytes");
}

/* EncryptedContentInfo, RFC 5652 section 6.1; AES as in RFC 3565 section 4.1. */
static void encrypted_content(struct ber *r, struct ady_cms *cms)
{
	enter(r, SEQUENCE, "encryptedContentInfo");
	oid(r, oid_data, sizeof oid_data, "contentType");
	enter(r, SEQUENCE, "contentAlgorithm");
	oid(r, oid_aes256_cbc, sizeof oid_aes256_cbc, "contentAlgorithm");
	cms->iv = primitive(r, OCTETS, "contentAlgorithm.iv");
	if (cms->iv.n != BLOCK)
		fail(r, "contentAlgorithm.iv", "must have 16 bytes");
	leave(r, "contentAlgorithm");
	chunks(r, cms);
	leave(r, "encryptedContentInfo");
}

enum ady_err ady_cms_parse(struct ady_cms *cms, struct ady_bytes der, struct ady_fault *f)
{
	struct ber r = {.p = der.p, .f = f};

	memset(cms, 0, sizeof *cms);
	if (der.n == 0)
		return ady_fail(f, ADY_E_KMS_REPLY, "contentInfo", "is empty");
	r.end[0] = der.p + der.n;
	enter(&r, SEQUENCE, "contentInfo");
	oid(&r, oid_enveloped, sizeof oid_enveloped, "contentInfo.contentType");
	enter(&r, CONTEXT_0_CONS, "contentInfo.content");
	enter(&r, SEQUENCE, "envelopedData");
	version_2(&r, "envelopedData.version");
	recipient(&r, cms);
	encrypted_content(&r, cms);
	leave(&r, "envelopedData");
	leave(&r, "contentInfo.content");
	leave(&r, "contentInfo");
	if (!r.bad && r.p != r.end[0])
		fail(&r, "", "has bytes behind the message");
	if (!r.bad)
		return ADY_OK;
	memset(cms, 0, sizeof *cms);
	return ADY_E_KMS_REPLY;
}

static void put_head(struct ady_buf *b, uint8_t tag, size_t n)
{
	ady_buf_u8(b, tag);
	if (n >= 0x100) {
		ady_buf_u8(b, 0x82);
		ady_buf_u8(b, (uint8_t)(n >> 8));
	} else if (n >= 0x80) {
		ady_buf_u8(b, 0x81);
	}
	ady_buf_u8(b, (uint8_t)n);
}

static void put(struct ady_buf *b, uint8_t tag, const void *p, size_t n)
{
	put_head(b, tag, n);
	ady_buf_put(b, p, n);
}

static size_t head_size(size_t n)
{
	return n >= 0x100 ? 4 : n >= 0x80 ? 3 : 2;
}

static void put_recipient(struct ady_buf *b, const uint8_t *ski32, struct ady_bytes key)
{
	size_t n = 3 + 2 + 32 + 2 + sizeof oaep_sha256 + head_size(key.n) + key.n;

	put_head(b, SET, head_size(n) + n);
	put_head(b, SEQUENCE, n);
	put(b, INTEGER, "\2", 1);
	put(b, CONTEXT_0, ski32, 32);
	put(b, SEQUENCE, oaep_sha256, sizeof oaep_sha256);
	put(b, OCTETS, key.p, key.n);
}

static void put_indefinite(struct ady_buf *b, uint8_t tag)
{
	ady_buf_u8(b, tag);
	ady_buf_u8(b, 0x80);
}

void ady_cms_put(struct ady_buf *b, const uint8_t ski32[static 32], struct ady_bytes encrypted_key,
                 const uint8_t iv16[static 16], struct ady_bytes content)
{
	put_indefinite(b, SEQUENCE);
	put(b, OID, oid_enveloped, sizeof oid_enveloped);
	put_indefinite(b, CONTEXT_0_CONS);
	put_indefinite(b, SEQUENCE);
	put(b, INTEGER, "\2", 1);
	put_recipient(b, ski32, encrypted_key);
	put_indefinite(b, SEQUENCE);
	put(b, OID, oid_data, sizeof oid_data);
	put_head(b, SEQUENCE, 2 + sizeof oid_aes256_cbc + 2 + BLOCK);
	put(b, OID, oid_aes256_cbc, sizeof oid_aes256_cbc);
	put(b, OCTETS, iv16, BLOCK);
	put_indefinite(b, CONTEXT_0_CONS);
	put(b, OCTETS, content.p, content.n);
	for (unsigned i = 0; i < 5; i++)
		ady_buf_be16(b, 0); /* ends of contents, innermost first */
}
