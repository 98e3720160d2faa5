/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/secp.h"

#include <openssl/ecdsa.h>

#include "crypto/hash.h"
#include "vectors.h"

/* n, the order of the group, and n - 1. */
#define ORDER "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
#define ORDER_LESS_1 "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140"
#define ONE "0000000000000000000000000000000000000000000000000000000000000001"

static struct ady_secp *secp;

static struct ady_seckey key_of(const char *hex)
{
	struct ady_seckey key;

	memcpy(key.b, test_hex(hex).p, 32);
	return key;
}

static void digest_of(uint8_t out32[32], const char *text)
{
	struct ady_bytes b = ady_bytes_str(text);

	ady_sha256(out32, &b, 1);
}

/* Deterministic signatures that several implementations agree on (bitcoin-core, trezor-crypto,
 * python-ecdsa): RFC 6979 with SHA-256 over secp256k1, low s. */
CASE(rfc6979_known_answers)
{
	static const struct {
		const char *key, *text, *r, *s;
	} v[] = {
	    {ONE, "Satoshi Nakamoto",
	     "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8",
	     "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5"},
	    {ONE, "All those moments will be lost in time, like tears in rain. Time to die...",
	     "8600dbd41e348fe5c9465ab92d23e3db8b98b873beecd930736488696438cb6b",
	     "547fe64427496db33bf66019dacbf0039c04199abb0122918601db38a72cfc21"},
	    {ORDER_LESS_1, "Satoshi Nakamoto",
	     "fd567d121db66e382991534ada77a6bd3106f0a1098c231e47993447cd6af2d0",
	     "6b39cd0eb1bc8603e159ef5c20a5c8ad685a45b06ce9bebed3f153d10d93bed5"},
	    {"f8b8af8ce3c7cca5e300d33939540c10d45ce001b8f252bfbc57ba0342904181", "Alan Turing",
	     "7063ae83e7f62bbb171798131b4a0564b956930092b33b07b395615d9ec7e15c",
	     "58dfcc1e00a35e1572f366ffe34ba0fc47db1e7189759b9fb233c5b05ab388ea"},
	};
	struct ady_secp_sig sig;
	struct ady_seckey key;
	uint8_t digest[32], pub[65], again[65];

	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		key = key_of(v[i].key);
		digest_of(digest, v[i].text);
		CHECK_ERR(ady_secp_public(secp, pub, &key), ADY_OK);
		CHECK_ERR(ady_secp_sign(secp, &sig, digest, pub, &key), ADY_OK);
		CHECK_HEX(sig.r, 32, v[i].r);
		CHECK_HEX(sig.s, 32, v[i].s);
		CHECK_ERR(ady_secp_recover(secp, again, &sig, digest), ADY_OK);
		CHECK(memcmp(pub, again, 65) == 0);
	}
}

/* The example of EIP-155: the signing hash, and v = 37, which is chain 1 and parity 0. */
CASE(eip155_example)
{
	struct ady_seckey key;
	struct ady_secp_sig sig;
	uint8_t digest[32], pub[65], hash[32];

	memset(key.b, 0x46, 32);
	memcpy(digest,
	       test_hex("daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53").p, 32);
	CHECK_ERR(ady_secp_public(secp, pub, &key), ADY_OK);
	ady_keccak256(hash, ady_bytes(pub + 1, 64));
	CHECK_HEX(hash + 12, 20, "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f");
	CHECK_ERR(ady_secp_sign(secp, &sig, digest, NULL, &key), ADY_OK);
	CHECK_HEX(sig.r, 32, "28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276");
	CHECK_HEX(sig.s, 32, "67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83");
	CHECK_INT(sig.y_parity, 0);
}

CASE(keys_out_of_range_are_refused)
{
	static const char *const bad[] = {
	    "0000000000000000000000000000000000000000000000000000000000000000",
	    ORDER,
	    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe",
	};
	static const struct ady_secp_sig zero_sig;
	static const uint8_t digest[32] = {1}, zero_pub[65];
	struct ady_secp_sig sig;
	struct ady_seckey key;
	uint8_t pub[65];

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		key = key_of(bad[i]);
		memset(&sig, 0xee, sizeof sig);
		memset(pub, 0xee, sizeof pub);
		CHECK_ERR(ady_secp_check(secp, &key), ADY_E_KEY_RANGE);
		CHECK_ERR(ady_secp_public(secp, pub, &key), ADY_E_KEY_RANGE);
		CHECK_ERR(ady_secp_sign(secp, &sig, digest, NULL, &key), ADY_E_KEY_RANGE);
		CHECK(memcmp(&sig, &zero_sig, sizeof sig) == 0);
		CHECK(memcmp(pub, zero_pub, sizeof pub) == 0);
	}
	key = key_of(ORDER_LESS_1);
	CHECK_ERR(ady_secp_check(secp, &key), ADY_OK);
}

/* A signature by another key than the one expected must not leave. */
CASE(check_against_another_key_fails)
{
	static const struct ady_secp_sig zero_sig;
	static const uint8_t digest[32] = {1};
	struct ady_seckey one = key_of(ONE), other = key_of(ORDER_LESS_1);
	struct ady_secp_sig sig;
	uint8_t pub[65];

	/* 1 and n-1 have the same x; their points are opposite */
	CHECK_ERR(ady_secp_public(secp, pub, &other), ADY_OK);
	CHECK_ERR(ady_secp_sign(secp, &sig, digest, pub, &one), ADY_E_CRYPTO);
	CHECK(memcmp(&sig, &zero_sig, sizeof sig) == 0);
	pub[64] ^= 1; /* not on the curve */
	CHECK_ERR(ady_secp_sign(secp, &sig, digest, pub, &one), ADY_E_CRYPTO);
}

CASE(signatures_that_recover_nothing)
{
	static const uint8_t digest[32] = {1}, zero_pub[65];
	struct ady_secp_sig sig = {0};
	uint8_t pub[65];

	CHECK_ERR(ady_secp_recover(secp, pub, &sig, digest), ADY_E_CRYPTO); /* r = s = 0 */
	memset(sig.r, 0xff, 32);
	sig.s[31] = 1;
	CHECK_ERR(ady_secp_recover(secp, pub, &sig, digest), ADY_E_CRYPTO); /* r over n */
	memset(sig.r, 0, 32);
	sig.r[31] = 5; /* no point has x = 5 */
	CHECK_ERR(ady_secp_recover(secp, pub, &sig, digest), ADY_E_CRYPTO);
	sig.r[31] = 1;
	sig.y_parity = 2;
	CHECK_ERR(ady_secp_recover(secp, pub, &sig, digest), ADY_E_CRYPTO);
	CHECK(memcmp(pub, zero_pub, 65) == 0);
}

CASE(compressed_keys)
{
	struct ady_seckey key = key_of(ONE);
	uint8_t pub[65], pub33[33];

	CHECK_ERR(ady_secp_public(secp, pub, &key), ADY_OK);
	ady_secp_compress(pub33, pub);
	CHECK_HEX(pub33, 33, "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798");
	key = key_of(ORDER_LESS_1);
	CHECK_ERR(ady_secp_public(secp, pub, &key), ADY_OK);
	ady_secp_compress(pub33, pub);
	CHECK_HEX(pub33, 33, "0379be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798");
}

/* r and s of a DER signature; false when it is no strict DER or they exceed 32 bytes: such a
 * signature cannot be put to this interface. */
static bool read_der(struct ady_secp_sig *sig, struct ady_bytes der)
{
	const uint8_t *at = der.p;
	ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &at, (long)der.n);
	uint8_t *again = NULL;
	int n = s ? i2d_ECDSA_SIG(s, &again) : 0;
	bool ok = n > 0 && ady_bytes_eq(ady_bytes(again, (size_t)n), der) &&
	          !BN_is_negative(ECDSA_SIG_get0_r(s)) && !BN_is_negative(ECDSA_SIG_get0_s(s)) &&
	          BN_bn2binpad(ECDSA_SIG_get0_r(s), sig->r, 32) == 32 &&
	          BN_bn2binpad(ECDSA_SIG_get0_s(s), sig->s, 32) == 32;

	OPENSSL_free(again);
	ECDSA_SIG_free(s);
	return ok;
}

static size_t put_to_us;

/* Bitcoin's rule, which Ethereum's is too (EIP-2): what we sign has it. */
static bool is_low(const uint8_t s32[static 32])
{
	return memcmp(
	           s32,
	           test_hex("7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0").p,
	           32) <= 0;
}

/* Whether the vectors' signatures must have a low s. */
static bool low_only;

/* A signature is good for a key when it recovers to it by one of the two parities. The vectors
 * whose point has an x coordinate of n or more have no parity in Ethereum. */
static void wycheproof_vector(json_t *group, json_t *vector)
{
	struct ady_bytes msg = test_json_hex(vector, "msg");
	const char *comment = json_string_value(json_object_get(vector, "comment"));
	struct ady_bytes want = test_json_hex(json_object_get(group, "publicKey"), "uncompressed");
	struct ady_secp_sig sig = {0};
	uint8_t digest[32], pub[65];
	bool found = false, low;

	if (!read_der(&sig, test_json_hex(vector, "sig"))) {
		CHECK(!test_json_valid(vector));
		return;
	}
	put_to_us++;
	low = is_low(sig.s);
	ady_sha256(digest, &msg, 1);
	for (sig.y_parity = 0; sig.y_parity < 2; sig.y_parity++)
		found |= ady_secp_recover(secp, pub, &sig, digest) == ADY_OK &&
		         ady_bytes_eq(ady_bytes(pub, 65), want);
	if (strstr(comment, "k*G has a large x-coordinate") || strstr(comment, "x = n + 2"))
		CHECK(!found);
	else
		CHECK_INT(found && (low || !low_only), test_json_valid(vector));
}

CASE(wycheproof)
{
	if (test_wycheproof("ecdsa_secp256k1_sha256_test.json", wycheproof_vector) > 0)
		CHECK(put_to_us > 200);
}

CASE(wycheproof_of_bitcoin)
{
	low_only = true;
	put_to_us = 0;
	if (test_wycheproof("ecdsa_secp256k1_sha256_bitcoin_test.json", wycheproof_vector) > 0)
		CHECK(put_to_us > 200);
	low_only = false;
}

int main(void)
{
	if (ady_secp_open(&secp) != ADY_OK)
		return 1;
	RUN(rfc6979_known_answers);
	RUN(eip155_example);
	RUN(keys_out_of_range_are_refused);
	RUN(check_against_another_key_fails);
	RUN(signatures_that_recover_nothing);
	RUN(compressed_keys);
	RUN(wycheproof);
	RUN(wycheproof_of_bitcoin);
	ady_secp_close(secp);
	return test_end();
}
