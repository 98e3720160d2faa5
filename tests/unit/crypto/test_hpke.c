/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/hpke.h"

#include <sodium.h>

#include "crypto/rng.h"
#include "test.h"

/* RFC 9180 appendix A.2.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305, base mode,
 * sequence number 0. tests/e2e/hpke.test.mjs holds the code against @hpke/core as well. */
CASE(the_vector_of_the_rfc)
{
	uint8_t secret[32], public[32], enc[32], out[64];
	struct ady_bytes b;

	b = test_hex("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb");
	memcpy(secret, b.p, 32);
	b = test_hex("4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a");
	memcpy(public, b.p, 32);
	b = test_hex("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a");
	memcpy(enc, b.p, 32);
	b = test_hex("1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce"
	             "81883d2dd1b51a28");
	CHECK_ERR(ady_hpke_open(out, secret, public, enc, ady_bytes_str("Ode on a Grecian Urn"),
	                        ady_bytes_str("Count-0"), b),
	          ADY_OK);
	CHECK_HEX(out, 29, "4265617574792069732074727574682c20747275746820626561757479");
}

CASE(what_is_sealed_opens)
{
	uint8_t secret[32], public[32], enc[32], ct[100 + 16], out[100], pt[100];

	for (size_t n = 0; n <= sizeof pt; n++) {
		ady_random(pt, sizeof pt);
		ady_hpke_keypair(secret, public);
		CHECK_ERR(ady_hpke_seal(enc, ct, public, ady_bytes_str("i"), ady_bytes_str("a"),
		                        ady_bytes(pt, n)),
		          ADY_OK);
		CHECK_ERR(ady_hpke_open(out, secret, public, enc, ady_bytes_str("i"),
		                        ady_bytes_str("a"), ady_bytes(ct, n + 16)),
		          ADY_OK);
		CHECK(memcmp(out, pt, n) == 0);
	}
}

CASE(nothing_changed_opens)
{
	static const uint8_t zero[32];
	uint8_t in[32 + 32 + 4 + 4 + 48], secret[32], out[32];
	uint8_t *public = in, *enc = in + 32, *info = in + 64, *aad = in + 68, *ct = in + 72;

	ady_hpke_keypair(secret, public);
	memcpy(info, "infoaad.", 8);
	CHECK_ERR(ady_hpke_seal(enc, ct, public, ady_bytes(info, 4), ady_bytes(aad, 4),
	                        ady_bytes("32 bytes of text for this, here!", 32)),
	          ADY_OK);
	for (size_t bit = 0; bit < 8 * sizeof in; bit++) {
		in[bit / 8] ^= (uint8_t)(1 << bit % 8);
		/* X25519 does not look at the highest bit of a point, but the key schedule does. */
		CHECK_ERR(ady_hpke_open(out, secret, public, enc, ady_bytes(info, 4),
		                        ady_bytes(aad, 4), ady_bytes(ct, 48)),
		          ADY_E_CRYPTO);
		CHECK(memcmp(out, zero, 32) == 0);
		in[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	CHECK_ERR(ady_hpke_open(out, secret, public, enc, ady_bytes(info, 4), ady_bytes(aad, 4),
	                        ady_bytes(ct, 15)),
	          ADY_E_CRYPTO);
	secret[5] ^= 1;
	CHECK_ERR(ady_hpke_open(out, secret, public, enc, ady_bytes(info, 4), ady_bytes(aad, 4),
	                        ady_bytes(ct, 48)),
	          ADY_E_CRYPTO);
}

/* Points of small order give a shared secret that everybody knows (RFC 7748 section 6.1). */
CASE(points_of_small_order_are_refused)
{
	static const char *const points[] = {
	    "0000000000000000000000000000000000000000000000000000000000000000",
	    "0100000000000000000000000000000000000000000000000000000000000000",
	    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	uint8_t secret[32], public[32], enc[32], ct[48] = {0}, out[32];

	ady_hpke_keypair(secret, public);
	for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
		struct ady_bytes p = test_hex(points[i]);

		memcpy(enc, p.p, 32);
		CHECK_ERR(ady_hpke_open(out, secret, public, enc, (struct ady_bytes){0},
		                        (struct ady_bytes){0}, ady_bytes(ct, 48)),
		          ADY_E_CRYPTO);
		memcpy(public, p.p, 32);
		CHECK_ERR(ady_hpke_seal(enc, ct, public, (struct ady_bytes){0},
		                        (struct ady_bytes){0}, ady_bytes(out, 32)),
		          ADY_E_CRYPTO);
	}
}

int main(void)
{
	CHECK(sodium_init() >= 0);
	RUN(the_vector_of_the_rfc);
	RUN(what_is_sealed_opens);
	RUN(nothing_changed_opens);
	RUN(points_of_small_order_are_refused);
	return test_end();
}
