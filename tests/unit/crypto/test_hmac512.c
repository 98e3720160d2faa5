/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/hmac512.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#include "crypto/rng.h"
#include "published.h"

/* RFC 4231, test cases 1, 2 and 6. */
CASE(hmac_of_rfc_4231)
{
	static const uint8_t aa[131] = {[0 ... 130] = 0xaa}, b[20] = {[0 ... 19] = 0x0b};
	struct ady_bytes halves[2];
	uint8_t out[64];

	halves[0] = ady_bytes_str("Hi ");
	halves[1] = ady_bytes_str("There");
	ady_hmac_sha512(out, ady_bytes(b, sizeof b), halves, 2);
	CHECK_HEX(out, 64,
	          "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
	          "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854");
	halves[0] = ady_bytes_str("what do ya want for nothing?");
	ady_hmac_sha512(out, ady_bytes_str("Jefe"), halves, 1);
	CHECK_HEX(out, 64,
	          "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
	          "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
	halves[0] = ady_bytes_str("Test Using Larger Than Block-Size Key - Hash Key First");
	ady_hmac_sha512(out, ady_bytes(aa, sizeof aa), halves, 1);
	CHECK_HEX(out, 64,
	          "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
	          "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598");
}

/* Key, message, and the tag or the front of it. */
static void hmac_blobs(const struct ady_bytes *blob)
{
	uint8_t out[64];

	ady_hmac_sha512(out, blob[0], &blob[1], 1);
	if (CHECK(blob[2].n >= 16 && blob[2].n <= sizeof out))
		CHECK(ady_bytes_eq(blob[2], ady_bytes(out, blob[2].n)));
}

CASE(wycheproof_of_hmac)
{
	test_published_blobs("hmac_sha512.blb", 3, hmac_blobs);
}

static void pbkdf2_record(const struct test_record *r)
{
	struct ady_bytes key = test_record_bytes(r, "DK"), salt = test_record_bytes(r, "S");
	char rounds[16];
	uint8_t out[64];

	if (!ady_bytes_is(test_record_text(r, "Hash"), "SHA512"))
		return;
	CHECK(ady_bytes_to_str(rounds, sizeof rounds, test_record_text(r, "c")));
	ady_pbkdf2_sha512(out, test_record_bytes(r, "P"), &salt, 1,
	                  (unsigned)strtoul(rounds, NULL, 10));
	if (CHECK(key.n >= 16 && key.n <= sizeof out))
		CHECK(ady_bytes_is(test_record_text(r, "Verify"), "OK") ==
		      ady_bytes_eq(key, ady_bytes(out, key.n)));
}

CASE(pbkdf2_of_ring)
{
	test_published_records("pbkdf2.txt", pbkdf2_record);
}

/* Passwords and salts of all lengths about the block of 128 bytes, and salts in parts. */
CASE(both_agree_with_openssl)
{
	uint8_t in[300], ours[64], theirs[64];
	unsigned n = 0;

	ady_random(in, sizeof in);
	for (size_t i = 0; i <= 150; i++) {
		struct ady_bytes key = ady_bytes(in, i);
		const struct ady_bytes salt[] = {ady_bytes(in + i, i / 2),
		                                 ady_bytes(in + i + i / 2, i - i / 2)};

		ady_hmac_sha512(ours, key, salt, 2);
		CHECK(HMAC(EVP_sha512(), key.p, (int)key.n, in + i, i, theirs, &n) && n == 64);
		CHECK(memcmp(ours, theirs, 64) == 0);
		ady_pbkdf2_sha512(ours, key, salt, 2, 1 + (unsigned)i % 5);
		CHECK_INT(PKCS5_PBKDF2_HMAC((const char *)in, (int)i, in + i, (int)i,
		                            1 + (int)i % 5, EVP_sha512(), 64, theirs),
		          1);
		CHECK(memcmp(ours, theirs, 64) == 0);
	}
}

int main(void)
{
	RUN(hmac_of_rfc_4231);
	RUN(wycheproof_of_hmac);
	RUN(pbkdf2_of_ring);
	RUN(both_agree_with_openssl);
	return test_end();
}
