/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/cms.h"

#include <openssl/cms.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "crypto/aes.h"
#include "crypto/rng.h"
#include "crypto/rsa.h"
#include "test.h"

enum { SPACE = 8192 };

static struct ady_rsa *rsa;
static const uint8_t aes_key[32] = {1}, iv[16] = {2}, ski[32] = {3};

/* What KMS would send for a plaintext. */
static struct ady_bytes kms_cms(uint8_t *out, struct ady_bytes spki, struct ady_bytes plaintext)
{
	uint8_t key[ADY_RSA_MODULUS_MAX], content[SPACE];
	struct ady_buf b = ady_buf(out, SPACE);
	size_t key_n, n;

	CHECK_ERR(ady_rsa_oaep_seal(key, &key_n, spki, ady_bytes(aes_key, 32)), ADY_OK);
	CHECK_ERR(ady_aes_cbc_seal(content, &n, aes_key, iv, plaintext), ADY_OK);
	ady_cms_put(&b, ski, ady_bytes(key, key_n), iv, ady_bytes(content, n));
	CHECK(!b.full);
	return ady_buf_bytes(&b);
}

/* Parse and decrypt, as the enclave does. */
static enum ady_err open_cms(uint8_t *out, size_t *n, struct ady_bytes der, struct ady_fault *f)
{
	uint8_t key[32], joined[SPACE];
	struct ady_buf b = ady_buf(joined, sizeof joined);
	struct ady_cms cms;
	enum ady_err err;

	if ((err = ady_cms_parse(&cms, der, f)) != ADY_OK)
		return err;
	for (size_t i = 0; i < cms.chunks_n; i++)
		ady_buf_view(&b, cms.chunks[i]);
	CHECK_INT(b.n, cms.content_n);
	if ((err = ady_rsa_oaep_open32(key, rsa, cms.encrypted_key)) != ADY_OK)
		return err;
	return ady_aes_cbc_open(out, n, key, cms.iv.p, ady_buf_bytes(&b));
}

static void refused(struct ady_bytes der, const char *where, const char *why)
{
	static const struct ady_cms zero;
	struct ady_fault f = {0};
	struct ady_cms cms;

	CHECK_ERR(ady_cms_parse(&cms, der, &f), ADY_E_KMS_REPLY);
	CHECK_STR(f.where, where);
	CHECK_STR(f.detail, why);
	CHECK(memcmp(&cms, &zero, sizeof cms) == 0);
}

/* The bytes that AWS's own vectors have, for a key of 2048 bits and 32 bytes of plaintext. */
CASE(the_exact_form_of_kms)
{
	uint8_t space[SPACE], text[32] = {9};
	struct ady_bytes b = kms_cms(space, ady_rsa_spki(rsa), ady_bytes(text, 32));

	CHECK_INT(b.n, 493);
	CHECK_HEX(b.p, 33,
	          "308006092a864886f70d010703a080308002010231"
	          "82016b308201670201028020");
	CHECK_HEX(b.p + 65, 66,
	          "303c06092a864886f70d010107302fa00f300d06096086480165030402010500a11c301a06092a86"
	          "4886f70d010108300d0609608648016503040201050004820100");
	CHECK_HEX(b.p + 387, 28, "308006092a864886f70d010701301d060960864801650304012a0410");
	CHECK_HEX(b.p + 431, 4, "a0800430");
	CHECK_HEX(b.p + 483, 10, "00000000000000000000");
}

CASE(round_trip)
{
	static const size_t lengths[] = {0, 1, 15, 16, 28, 32, 64, 66, 4096};
	uint8_t space[SPACE], text[4096], out[SPACE];
	size_t n;

	ady_random(text, sizeof text);
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		struct ady_bytes b = kms_cms(space, ady_rsa_spki(rsa), ady_bytes(text, lengths[i]));

		CHECK_ERR(open_cms(out, &n, b, NULL), ADY_OK);
		CHECK(ady_bytes_eq(ady_bytes(out, n), ady_bytes(text, lengths[i])));
	}
}

/* What we write, read by OpenSSL's CMS. */
CASE(openssl_reads_ours)
{
	uint8_t space[SPACE], spki[ADY_RSA_SPKI_MAX], *at = spki;
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	int spki_n = i2d_PUBKEY(key, &at), n;
	struct ady_bytes b = kms_cms(space, ady_bytes(spki, (size_t)spki_n),
	                             ady_bytes_str("0123456789abcdef0123456789abcdef"));
	BIO *in = BIO_new_mem_buf(b.p, (int)b.n), *out = BIO_new(BIO_s_mem());
	CMS_ContentInfo *cms = d2i_CMS_bio(in, NULL);
	char text[64];

	CHECK(cms && CMS_decrypt(cms, key, NULL, NULL, out, CMS_BINARY) == 1);
	n = BIO_read(out, text, sizeof text);
	CHECK_INT(n, 32);
	CHECK(memcmp(text, "0123456789abcdef0123456789abcdef", 32) == 0);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	BIO_free(out);
	EVP_PKEY_free(key);
}

/* A certificate for our RSA key, which OpenSSL asks for to name the recipient by its key id. */
static X509 *recipient_cert(void)
{
	struct ady_bytes spki = ady_rsa_spki(rsa);
	const uint8_t *at = spki.p;
	EVP_PKEY *pub = d2i_PUBKEY(NULL, &at, (long)spki.n), *signer = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509_set_version(x, X509_VERSION_3);
	X509_set_pubkey(x, pub);
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_key_identifier, "hash");
	X509_add_ext(x, ext, -1);
	X509_EXTENSION_free(ext);
	X509_sign(x, signer, EVP_sha256());
	EVP_PKEY_free(pub);
	EVP_PKEY_free(signer);
	return x;
}

static size_t openssl_cms(uint8_t *out, const void *text, int n, unsigned flags)
{
	X509 *x = recipient_cert();
	BIO *in = BIO_new_mem_buf(text, n), *to = BIO_new(BIO_s_mem());
	CMS_ContentInfo *cms =
	    CMS_encrypt(NULL, NULL, EVP_aes_256_cbc(), CMS_PARTIAL | CMS_BINARY | flags);
	CMS_RecipientInfo *ri = CMS_add1_recipient_cert(cms, x, CMS_USE_KEYID | CMS_KEY_PARAM);
	EVP_PKEY_CTX *ctx = CMS_RecipientInfo_get0_pkey_ctx(ri);
	int got;

	EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING);
	EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256());
	EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256());
	if (!(flags & CMS_STREAM))
		CMS_final(cms, in, NULL, CMS_BINARY);
	i2d_CMS_bio_stream(to, cms, in, (int)flags);
	got = BIO_read(to, out, SPACE);
	CMS_ContentInfo_free(cms);
	X509_free(x);
	BIO_free(in);
	BIO_free(to);
	return got > 0 ? (size_t)got : 0;
}

/* What OpenSSL writes, read by us: definite lengths and primitive content, and streamed with
 * indefinite lengths and chunks. */
CASE(we_read_openssls)
{
	static const char text[] =
	    "0x4646464646464646464646464646464646464646464646464646464646464646";
	uint8_t der[SPACE], out[SPACE];
	struct ady_cms cms;
	size_t n, len;

	len = openssl_cms(der, text, 64, 0);
	CHECK_ERR(ady_cms_parse(&cms, ady_bytes(der, len), NULL), ADY_OK);
	CHECK(der[1] == 0x82); /* definite */
	CHECK_ERR(open_cms(out, &n, ady_bytes(der, len), NULL), ADY_OK);
	CHECK(ady_bytes_eq(ady_bytes(out, n), ady_bytes(text, 64)));
	len = openssl_cms(der, text, 64, CMS_STREAM);
	CHECK_ERR(ady_cms_parse(&cms, ady_bytes(der, len), NULL), ADY_OK);
	CHECK(der[1] == 0x80 && cms.chunks_n > 1);
	CHECK_ERR(open_cms(out, &n, ady_bytes(der, len), NULL), ADY_OK);
	CHECK(ady_bytes_eq(ady_bytes(out, n), ady_bytes(text, 64)));
}

/* Offsets of the form of 493 bytes whose content is free: identifier, key, IV, ciphertext. */
static bool is_free(size_t i)
{
	return (i >= 33 && i < 65) || (i >= 131 && i < 387) || (i >= 415 && i < 431) ||
	       (i >= 435 && i < 483);
}

/* All else is fixed to the bit. */
CASE(every_bit_of_the_form_is_fixed)
{
	uint8_t space[SPACE], text[32] = {9};
	struct ady_bytes b = kms_cms(space, ady_rsa_spki(rsa), ady_bytes(text, 32));
	struct ady_cms cms;

	for (size_t bit = 0; bit < 8 * b.n; bit++) {
		space[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CHECK_ERR(ady_cms_parse(&cms, b, NULL),
		          is_free(bit / 8) ? ADY_OK : ADY_E_KMS_REPLY);
		space[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t n = 0; n < b.n; n++)
		CHECK_ERR(ady_cms_parse(&cms, ady_bytes(b.p, n), NULL), ADY_E_KMS_REPLY);
	space[b.n] = 0;
	refused(ady_bytes(b.p, b.n + 1), "", "has bytes behind the message");
	refused(ady_bytes(b.p, 0), "contentInfo", "is empty");
}

/* One byte changed, and the reason that is given. */
CASE(reasons)
{
	static const struct {
		size_t at;
		uint8_t to;
		const char *where, *why;
	} v[] = {
	    {0, 0x31, "contentInfo", "is missing or of another type"},
	    {12, 0x06, "contentInfo.contentType", "is another object identifier"},
	    {13, 0xa1, "contentInfo.content", "is missing or of another type"},
	    {15, 0x31, "envelopedData", "is missing or of another type"},
	    {19, 0x00, "envelopedData.version", "is not 2"},
	    {20, 0xa0, "recipientInfos", "is missing or of another type"}, /* originatorInfo */
	    {24, 0xa1, "recipient", "is missing or of another type"},      /* key agreement */
	    {30, 0x00, "recipient.version", "is not 2"},
	    {31, 0x30, "recipient.rid", "is missing or of another type"}, /* issuer and serial */
	    {32, 0x7f, "recipient.rid", "must have 1 to 64 bytes"},
	    {32, 0x00, "recipient.rid", "must have 1 to 64 bytes"},
	    {77, 0x01, "recipient.algorithm", "is not RSA-OAEP with SHA-256"}, /* PKCS#1 v1.5 */
	    {94, 0x02, "recipient.algorithm", "is not RSA-OAEP with SHA-256"}, /* SHA-384 */
	    {124, 0x02, "recipient.algorithm", "is not RSA-OAEP with SHA-256"},
	    {127, 0x03, "recipient.encryptedKey", "is missing or of another type"},
	    {128, 0x84, "recipient.encryptedKey", "has a length that is not accepted"},
	    {128, 0x80, "recipient.encryptedKey", "has a length that is not accepted"},
	    {129, 0x00, "recipient.encryptedKey", "has a length that is not the shortest"},
	    {129, 0x10, "recipient.encryptedKey", "is cut short"},
	    {130, 0x01, "recipient.encryptedKey", "is cut short"},
	    {387, 0x31, "encryptedContentInfo", "is missing or of another type"},
	    {399, 0x02, "contentType", "is another object identifier"},
	    {412, 0x02, "contentAlgorithm", "is another object identifier"}, /* AES-128-CBC */
	    {412, 0x2e, "contentAlgorithm", "is another object identifier"}, /* AES-256-GCM */
	    {414, 0x0f, "contentAlgorithm.iv", "must have 16 bytes"},
	    {431, 0xa1, "content", "is missing or of another type"},
	    {433, 0x24, "content", "is missing or of another type"}, /* chunks within chunks */
	    {434, 0x00, "content", "must have 1 to 64 chunks, none empty"},
	    {434, 0x2f, "content", "is missing or of another type"},
	    {484, 0x01, "content", "is missing or of another type"},
	    {485, 0xa1, "encryptedContentInfo", "holds more than it may"},
	    {487, 0xa1, "envelopedData", "holds more than it may"}, /* unprotectedAttrs */
	    {492, 0x01, "contentInfo", "holds more than it may"},
	};
	uint8_t space[SPACE], text[32] = {9}, was;
	struct ady_bytes b = kms_cms(space, ady_rsa_spki(rsa), ady_bytes(text, 32));

	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		was = space[v[i].at];
		space[v[i].at] = v[i].to;
		refused(b, v[i].where, v[i].why);
		space[v[i].at] = was;
	}
}

/* A second recipient, put behind the first with the lengths corrected. */
CASE(two_recipients_are_refused)
{
	uint8_t space[SPACE], two[SPACE], text[32] = {9};
	struct ady_bytes b = kms_cms(space, ady_rsa_spki(rsa), ady_bytes(text, 32));
	struct ady_buf out = ady_buf(two, sizeof two);

	ady_buf_put(&out, b.p, 22);
	ady_buf_be16(&out, 2 * 0x16b);
	ady_buf_put(&out, b.p + 24, 0x16b);
	ady_buf_put(&out, b.p + 24, 0x16b);
	ady_buf_put(&out, b.p + 387, b.n - 387);
	refused(ady_buf_bytes(&out), "recipientInfos", "holds more than it may");
}

/* The head up to the content, then content of our choice, then the ends. */
static struct ady_bytes with_content(uint8_t *out, const char *hex, size_t chunks, size_t chunk_n)
{
	uint8_t space[SPACE], text[32] = {9};
	struct ady_bytes b = kms_cms(space, ady_rsa_spki(rsa), ady_bytes(text, 32));
	struct ady_buf to = ady_buf(out, 2 * SPACE);

	ady_buf_put(&to, b.p, 431);
	ady_buf_view(&to, test_hex(hex));
	for (size_t i = 0; i < chunks; i++) {
		ady_buf_u8(&to, 0x04);
		if (chunk_n >= 0x80)
			ady_buf_u8(&to, chunk_n >= 0x100 ? 0x82 : 0x81);
		if (chunk_n >= 0x100)
			ady_buf_u8(&to, (uint8_t)(chunk_n >> 8));
		ady_buf_u8(&to, (uint8_t)chunk_n);
		for (size_t k = 0; k < chunk_n; k++)
			ady_buf_u8(&to, (uint8_t)k);
	}
	for (size_t i = 0; i < (chunks > 0 ? 5 : 4); i++)
		ady_buf_be16(&to, 0);
	return ady_buf_bytes(&to);
}

CASE(both_forms_of_content)
{
	uint8_t out[2 * SPACE];
	struct ady_bytes b;
	struct ady_cms cms;

	b = with_content(out,
	                 "8010"
	                 "000102030405060708090a0b0c0d0e0f",
	                 0, 0);
	CHECK_INT(b.n, 457); /* as AWS's vector of the second form */
	CHECK_ERR(ady_cms_parse(&cms, b, NULL), ADY_OK);
	CHECK_INT(cms.chunks_n, 1);
	CHECK_HEX(cms.chunks[0].p, cms.chunks[0].n, "000102030405060708090a0b0c0d0e0f");
	CHECK_ERR(ady_cms_parse(&cms, with_content(out, "a080", 3, 16), NULL), ADY_OK);
	CHECK_INT(cms.chunks_n, 3);
	CHECK_INT(cms.content_n, 48);
	CHECK_ERR(ady_cms_parse(&cms, with_content(out, "a080", 16, 1), NULL), ADY_OK);
	CHECK_INT(cms.content_n, 16);
	CHECK_ERR(ady_cms_parse(&cms, with_content(out, "a080", 64, 96), NULL), ADY_OK);
	CHECK_INT(cms.content_n, 6144);
	CHECK_ERR(ady_cms_parse(&cms, with_content(out, "a080", 1, 6144), NULL), ADY_OK);
}

CASE(content_out_of_bounds)
{
	static const char blocks[] = "must be whole blocks of AES, 16 to 6144 bytes";
	static const char chunks[] = "must have 1 to 64 chunks, none empty";
	uint8_t out[2 * SPACE];

	refused(with_content(out, "a0800000", 0, 0), "content", blocks);
	refused(with_content(out, "8000", 0, 0), "content", chunks);
	refused(with_content(out,
	                     "800f"
	                     "000102030405060708090a0b0c0d0e",
	                     0, 0),
	        "content", blocks);
	refused(with_content(out, "a080", 1, 17), "content", blocks);
	refused(with_content(out, "a080", 1, 6160), "content", blocks);
	refused(with_content(out, "a080", 64, 112), "content", blocks);
	refused(with_content(out, "a080", 65, 16), "content", chunks);
	refused(with_content(out, "a0800400", 1, 16), "content", chunks);
	refused(with_content(out, "", 0, 0), "content", "is missing or of another type");
}

/* Whoever knows the public key can make a message: the CMS itself protects nothing but secrecy. */
CASE(a_message_for_another_key_does_not_open)
{
	uint8_t space[SPACE], text[32] = {9}, out[SPACE];
	struct ady_rsa *other;
	size_t n;

	CHECK_ERR(ady_rsa_new(&other, 2048), ADY_OK);
	CHECK_ERR(open_cms(out, &n, kms_cms(space, ady_rsa_spki(other), ady_bytes(text, 32)), NULL),
	          ADY_E_CRYPTO);
	ady_rsa_free(other);
}

int main(void)
{
	if (ady_rsa_new(&rsa, 2048) != ADY_OK)
		return 1;
	RUN(the_exact_form_of_kms);
	RUN(round_trip);
	RUN(openssl_reads_ours);
	RUN(we_read_openssls);
	RUN(every_bit_of_the_form_is_fixed);
	RUN(reasons);
	RUN(two_recipients_are_refused);
	RUN(both_forms_of_content);
	RUN(content_out_of_bounds);
	RUN(a_message_for_another_key_does_not_open);
	ady_rsa_free(rsa);
	return test_end();
}
