/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/bls.h"

#include "base/u256.h"
#include "crypto/rng.h"
#include "published.h"
#include "vectors.h"

/* r, the order of the groups, and r - 1. */
#define ORDER "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001"
#define ORDER_LESS_1 "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000"
#define G1                                                                                         \
	"97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00a" \
	"db22c6bb"

static struct ady_seckey key_of(const char *hex)
{
	struct ady_seckey key;

	memcpy(key.b, test_hex(hex).p, 32);
	return key;
}

static struct ady_seckey key_of_dec(const char *dec)
{
	struct ady_seckey key = {0};
	struct ady_u256 v;

	CHECK_ERR(ady_u256_parse_dec(&v, ady_bytes_str(dec)), ADY_OK);
	memcpy(key.b, v.be, 32);
	return key;
}

/* Of ethereum/bls12-381-tests, sign. */
CASE(known_signatures)
{
	static const struct {
		const char *key;
		uint8_t byte;
		const char *sig;
	} v[] = {
	    {"47b8192d77bf871b62e87859d653922725724a5c031afeabc60bcef5ff665138", 0x00,
	     "b23c46be3a001c63ca711f87a005c200cc550b9429d5f4eb38d74322144f1b63926da3388979e5321012f"
	     "b1a05"
	     "26bcd100b5ef5fe72628ce4cd5e904aeaa3279527843fae5ca9ca675f4f51ed8f83bbf7155da9ecc96631"
	     "00a88"
	     "5d5dc6df96d9"},
	    {"47b8192d77bf871b62e87859d653922725724a5c031afeabc60bcef5ff665138", 0x56,
	     "af1390c3c47acdb37131a51216da683c509fce0e954328a59f93aebda7e4ff974ba208d9a4a2a2389f892"
	     "a9d41"
	     "8d618418dd7f7a6bc7aa0da999a9d3a5b815bc085e14fd001f6a1948768a3f4afefc8b8240dda329f984c"
	     "b345c"
	     "6363272ba4fe"},
	};
	uint8_t root[32], sig[96], pub[48];

	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		struct ady_seckey key = key_of(v[i].key);

		memset(root, v[i].byte, sizeof root);
		CHECK_ERR(ady_bls_sign(sig, root, &key), ADY_OK);
		CHECK_HEX(sig, sizeof sig, v[i].sig);
		CHECK_ERR(ady_bls_public(pub, &key), ADY_OK);
		CHECK_ERR(ady_bls_verify(pub, root, sig), ADY_OK);
	}
}

/* EIP-2333, test cases 0 to 3. */
CASE(known_derivations)
{
	static const struct {
		const char *seed, *master;
		uint32_t index;
		const char *child;
	} v[] = {
	    {"c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e"
	     "1c92f"
	     "2cf141630c7a3c4ab7c81b2f001698e7463b04",
	     "6083874454709270928345386274498605044986640685124978867557563392430687146096", 0,
	     "20397789859736650942317412262472558107875392172444076792671091975210932703118"},
	    {"3141592653589793238462643383279502884197169399375105820974944592",
	     "29757020647961307431480504535336562678282505419141012933316116377660817309383",
	     3141592653,
	     "25457201688850691947727629385191704516744796114925897962676248250929345014287"},
	    {"0099ff991111002299dd7744ee3355bbdd8844115566cc55663355668888cc00",
	     "27580842291869792442942448775674722299803720648445448686099262467207037398656",
	     4294967295,
	     "29358610794459428860402234341874281240803786294062035874021252734817515685787"},
	    {"d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3",
	     "19022158461524446591288038168518313374041767046816487870552872741050760015818", 42,
	     "31372231650479070279774297061823572166496564838472787488249775572789064611981"},
	};
	struct ady_seckey master, child, want;

	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		CHECK_ERR(ady_bls_derive_master(&master, test_hex(v[i].seed)), ADY_OK);
		want = key_of_dec(v[i].master);
		CHECK(memcmp(&master, &want, sizeof want) == 0);
		CHECK_ERR(ady_bls_derive_child(&child, &master, v[i].index), ADY_OK);
		want = key_of_dec(v[i].child);
		CHECK(memcmp(&child, &want, sizeof want) == 0);
	}
}

CASE(keys_at_the_edges)
{
	static const uint8_t root[32] = {1};
	static const char *const bad[] = {
	    "0000000000000000000000000000000000000000000000000000000000000000",
	    ORDER,
	    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	};
	struct ady_seckey key, child;
	uint8_t pub[48], sig[96], zero[96] = {0};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		key = key_of(bad[i]);
		memset(pub, 0xff, sizeof pub);
		memset(sig, 0xff, sizeof sig);
		CHECK_ERR(ady_bls_check(&key), ADY_E_KEY_RANGE);
		CHECK_ERR(ady_bls_public(pub, &key), ADY_E_KEY_RANGE);
		CHECK_ERR(ady_bls_sign(sig, root, &key), ADY_E_KEY_RANGE);
		CHECK_ERR(ady_bls_derive_child(&child, &key, 0), ADY_E_KEY_RANGE);
		CHECK(memcmp(pub, zero, sizeof pub) == 0 && memcmp(sig, zero, sizeof sig) == 0);
	}
	key = key_of(ORDER_LESS_1);
	CHECK_ERR(ady_bls_public(pub, &key), ADY_OK); /* -G: the same x, the other sign */
	CHECK_HEX(pub + 1, 47, &G1[2]);
	CHECK_INT(pub[0], 0xb7);
	CHECK_ERR(ady_bls_derive_master(&key, ady_bytes(zero, 31)), ADY_E_KEY_FORM);
}

CASE(what_does_not_verify)
{
	uint8_t root[32] = {7}, pub[48], other[48], sig[96], bad[96];
	struct ady_seckey key;

	ady_bls_generate(&key);
	CHECK_ERR(ady_bls_public(other, &key), ADY_OK);
	ady_bls_generate(&key);
	CHECK_ERR(ady_bls_public(pub, &key), ADY_OK);
	CHECK_ERR(ady_bls_sign(sig, root, &key), ADY_OK);
	CHECK_ERR(ady_bls_verify(pub, root, sig), ADY_OK);
	CHECK_ERR(ady_bls_verify(other, root, sig), ADY_E_CRYPTO);
	root[31] ^= 1;
	CHECK_ERR(ady_bls_verify(pub, root, sig), ADY_E_CRYPTO);
	root[31] ^= 1;
	for (size_t i = 0; i < 64; i++) {
		memcpy(bad, sig, sizeof bad);
		bad[(i * 7) % 96] ^= (uint8_t)(1U << (i % 8));
		CHECK_ERR(ady_bls_verify(pub, root, bad), ADY_E_CRYPTO);
	}
	memset(bad, 0, sizeof bad);
	bad[0] = 0xc0; /* infinity, which is the signature of the key 0 */
	CHECK_ERR(ady_bls_verify(pub, root, bad), ADY_E_CRYPTO);
	CHECK_ERR(ady_bls_verify(bad, root, bad), ADY_E_CRYPTO);
}

/* On the curve, but not in the subgroup of order r: x = 4 is such a point of E1. */
CASE(public_keys_are_validated)
{
	uint8_t pub[48] = {0x80};

	CHECK_ERR(ady_bls_check_public(test_hex(G1).p), ADY_OK);
	pub[47] = 4;
	CHECK_ERR(ady_bls_check_public(pub), ADY_E_CRYPTO);
	pub[47] = 1; /* on no curve */
	CHECK_ERR(ady_bls_check_public(pub), ADY_E_CRYPTO);
	memset(pub, 0, sizeof pub); /* not compressed */
	CHECK_ERR(ady_bls_check_public(pub), ADY_E_CRYPTO);
	pub[0] = 0xc0; /* infinity */
	CHECK_ERR(ady_bls_check_public(pub), ADY_E_CRYPTO);
}

CASE(generated_keys_differ_and_are_in_range)
{
	struct ady_seckey a, b;

	for (int i = 0; i < 64; i++) {
		ady_bls_generate(&a);
		ady_bls_generate(&b);
		CHECK_ERR(ady_bls_check(&a), ADY_OK);
		CHECK(memcmp(&a, &b, sizeof a) != 0);
	}
}

/* The first thousand multiples of the generator, the point at infinity before them, as zkcrypto's
 * bls12_381 has them. */
CASE(points_of_zkcrypto)
{
	struct ady_bytes file = test_published("bls12381_g1.dat");
	struct ady_seckey key = {{0}};
	uint8_t pub[48];

	if (!file.p || !CHECK_INT(file.n, 1000 * 48))
		return;
	CHECK_ERR(ady_bls_check_public(file.p), ADY_E_CRYPTO);
	for (unsigned i = 1; i < 1000; i++) {
		key.b[30] = (uint8_t)(i >> 8);
		key.b[31] = (uint8_t)i;
		CHECK_ERR(ady_bls_public(pub, &key), ADY_OK);
		CHECK(memcmp(pub, file.p + 48 * i, 48) == 0);
		CHECK_ERR(ady_bls_check_public(pub), ADY_OK);
	}
	test_published_free(file);
}

int main(void)
{
	RUN(known_signatures);
	RUN(known_derivations);
	RUN(keys_at_the_edges);
	RUN(what_does_not_verify);
	RUN(public_keys_are_validated);
	RUN(generated_keys_differ_and_are_in_range);
	RUN(points_of_zkcrypto);
	return test_end();
}
