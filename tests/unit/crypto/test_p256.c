/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/p256.h"

#include "base/text.h"
#include "published.h"

/* RFC 6979, A.2.5: the key, and a signature of "sample" with SHA-256. */
#define KEY "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"
#define PUB "0360fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
#define R "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
#define S "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"

static const struct ady_bytes sample = {(const uint8_t *)"sample", 6};
static uint8_t pub[33];
static size_t records;

static enum ady_err verify(const char *sig)
{
	uint8_t bytes[128];
	size_t n = 0;

	CHECK_ERR(ady_hex_decode(bytes, sizeof bytes, &n, ady_bytes_str(sig)), ADY_OK);
	return ady_p256_verify(ady_bytes(bytes, n), pub, &sample, 1);
}

CASE(the_signature_of_rfc_6979)
{
	const struct ady_bytes parts[] = {{(const uint8_t *)"sam", 3}, {(const uint8_t *)"ple", 3}};
	struct ady_seckey key;
	uint8_t sig[64];

	memcpy(key.b, test_hex(KEY).p, 32);
	CHECK_ERR(ady_p256_public(pub, &key), ADY_OK);
	CHECK_HEX(pub, 33, PUB);
	CHECK_ERR(verify(R S), ADY_OK);
	CHECK_ERR(verify("3046022100" R "022100" S), ADY_OK);
	memcpy(sig, test_hex(R S).p, 64);
	CHECK_ERR(ady_p256_verify(ady_bytes(sig, 64), pub, parts, 2), ADY_OK);
	CHECK_ERR(ady_p256_sign(sig, sample, &key), ADY_OK);
	CHECK_ERR(ady_p256_verify(ady_bytes(sig, 64), pub, &sample, 1), ADY_OK);
	CHECK_ERR(ady_p256_verify(ady_bytes(sig, 64), pub, parts, 1), ADY_E_CRYPTO);
}

CASE(signatures_of_another_form_are_refused)
{
	static const char *const bad[] = {
	    "",
	    "00",
	    R,
	    "3046022100" R "022100" S "00",
	    "3047022100" R "022100" S,
	    "304502"
	    "20" R "022100" S,             /* negative */
	    "30820046022100" R "022100" S, /* a longer form of the length */
	    "0000000000000000000000000000000000000000000000000000000000000000" S,
	    R "0000000000000000000000000000000000000000000000000000000000000000",
	    R "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
	    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff" S,
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (!CHECK_ERR(verify(bad[i]), ADY_E_CRYPTO))
			printf("# %s\n", bad[i]);
}

CASE(keys_that_are_none)
{
	struct ady_seckey key = {{0}};
	uint8_t out[33], sig[64];

	CHECK_ERR(ady_p256_public(out, &key), ADY_E_CRYPTO);
	CHECK_ERR(ady_p256_sign(sig, sample, &key), ADY_E_CRYPTO);
	memset(key.b, 0xff, 32);
	CHECK_ERR(ady_p256_public(out, &key), ADY_E_CRYPTO);
	memcpy(sig, test_hex(R S).p, 64);
	memcpy(out, pub, 33);
	out[0] = 4;
	CHECK_ERR(ady_p256_verify(ady_bytes(sig, 64), out, &sample, 1), ADY_E_CRYPTO);
	out[0] = 2;
	CHECK_ERR(ady_p256_verify(ady_bytes(sig, 64), out, &sample, 1), ADY_E_CRYPTO);
	memset(out + 1, 0xff, 32);
	CHECK_ERR(ady_p256_verify(ady_bytes(sig, 64), out, &sample, 1), ADY_E_CRYPTO);
}

/* Of ring's and BoringSSL's cases those of our curve and hash. Their points are not compressed:
 * where the two halves are no point of the curve, ours is another key than they mean, and both must
 * refuse. */
static void ring_record(const struct test_record *r)
{
	struct ady_bytes q = test_record_bytes(r, "Q"), msg = test_record_bytes(r, "Msg");
	struct ady_bytes result = test_record_text(r, "Result"), sig = test_record_bytes(r, "Sig");
	uint8_t key[33] = {0};
	bool good;

	if (!ady_bytes_is(test_record_text(r, "Curve"), "P-256") ||
	    !ady_bytes_is(test_record_text(r, "Digest"), "SHA256"))
		return;
	if (CHECK_INT(q.n, 65))
		memcpy(key + 1, q.p + 1, 32);
	key[0] = 2 | (q.p[64] & 1);
	good = ady_p256_verify(sig, key, &msg, 1) == ADY_OK;
	if (!CHECK(good == (result.p[0] == 'P')))
		printf("# a signature of %zu bytes: %d\n", sig.n, good);
	records++;
}

CASE(ecdsa_of_ring)
{
	records = 0;
	if (test_published_records("ecdsa_der.txt", ring_record) > 0)
		CHECK_INT(records, 28);
	records = 0;
	if (test_published_records("ecdsa_raw.txt", ring_record) > 0)
		CHECK_INT(records, 13);
}

int main(void)
{
	RUN(the_signature_of_rfc_6979);
	RUN(signatures_of_another_form_are_refused);
	RUN(keys_that_are_none);
	RUN(ecdsa_of_ring);
	return test_end();
}
