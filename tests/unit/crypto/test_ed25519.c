/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ed25519.h"

#include "test.h"
#include "vectors.h"

/* RFC 8032, 7.1, test 2. */
CASE(the_signature_of_rfc_8032)
{
	const struct ady_bytes message = {(const uint8_t *)"r", 1};
	struct ady_seckey key;
	uint8_t pub[32], sig[64];

	memcpy(key.b,
	       test_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb").p, 32);
	ady_ed25519_public(pub, &key);
	CHECK_HEX(pub, 32, "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
	ady_ed25519_sign(sig, message, &key);
	CHECK_HEX(sig, 64,
	          "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
	          "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
	CHECK(ady_ed25519_verify(sig, pub, message));
	sig[40] ^= 1;
	CHECK(!ady_ed25519_verify(sig, pub, message));
}

static void vector(json_t *group, json_t *v)
{
	struct ady_bytes hex = test_json_hex(json_object_get(group, "publicKey"), "pk");
	uint8_t pub[32], message[1024], sig[64];
	size_t n;
	bool good;

	memcpy(pub, hex.p, 32);
	hex = test_json_hex(v, "msg");
	n = hex.n;
	if (!CHECK(n <= sizeof message))
		return;
	memcpy(message, hex.p, n);
	hex = test_json_hex(v, "sig");
	if (hex.n != sizeof sig) {
		CHECK(!test_json_valid(v));
		return;
	}
	memcpy(sig, hex.p, sizeof sig);
	good = ady_ed25519_verify(sig, pub, ady_bytes(message, n));
	if (!CHECK(good == test_json_valid(v)))
		printf("# %lld\n", json_integer_value(json_object_get(v, "tcId")));
}

CASE(wycheproof)
{
	if (test_wycheproof("ed25519_test.json", vector) > 0)
		CHECK(true);
}

int main(void)
{
	RUN(the_signature_of_rfc_8032);
	RUN(wycheproof);
	return test_end();
}
