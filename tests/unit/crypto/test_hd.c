/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/hd.h"

#include <stdlib.h>

#include "crypto/ed25519.h"
#include "test.h"

static struct ady_secp *secp;

/* The private key and chain code in an "xprv": base58 of version 4, depth 1, parent 4, index 4,
 * chain code 32, zero 1, key 32, checksum 4. */
static void node_of(struct ady_hd_node *node, const char *xprv)
{
	static const char digits[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
	uint8_t raw[82] = {0};

	for (const char *c = xprv; *c; c++) {
		unsigned carry = (unsigned)(strchr(digits, *c) - digits);

		for (size_t i = sizeof raw; i-- > 0; carry >>= 8) {
			carry += raw[i] * 58u;
			raw[i] = (uint8_t)carry;
		}
	}
	CHECK_HEX(raw, 4, "0488ade4");
	memcpy(node->chain, raw + 13, 32);
	memcpy(node->key.b, raw + 46, 32);
}

static uint32_t take_index(const char **path)
{
	char *end;
	uint32_t index = (uint32_t)strtoul(*path + 1, &end, 10);

	if (*end == '\'') {
		index |= ADY_HD_HARDENED;
		end++;
	}
	*path = end;
	return index;
}

/* The nodes of one seed in the test vectors of BIP-32. (Vector 5 is of extended keys that must not
 * be read, and none are read here.) */
struct bip32_node {
	const char *path, *xprv;
};

static void check_bip32(const char *seed, const struct bip32_node *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *path = v[i].path + 1;
		struct ady_hd_node node, want;

		CHECK_ERR(ady_bip32_master(&node, secp, test_hex(seed)), ADY_OK);
		while (*path)
			CHECK_ERR(ady_bip32_child(&node, secp, take_index(&path)), ADY_OK);
		node_of(&want, v[i].xprv);
		if (!CHECK(memcmp(&node, &want, sizeof node) == 0))
			printf("# %s\n", v[i].path);
	}
}

CASE(bip32_vector_1)
{
	static const struct bip32_node v[] = {
	    {"m",
	     "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejM"
	     "RNNU3TGtRBeJgk33yuGBxrMPHi"},
	    {"m/0'",
	     "xprv9uHRZZhk6KAJC1avXpDAp4MDc3sQKNxDiPvvkX8Br5ngLNv1TxvUxt4cV1rGL5hj6KCesnDYUhd7oWgT1"
	     "1eZG7XnxHrnYeSvkzY7d2bhkJ7"},
	    {"m/0'/1",
	     "xprv9wTYmMFdV23N2TdNG573QoEsfRrWKQgWeibmLntzniatZvR9BmLnvSxqu53Kw1UmYPxLgboyZQaXwTCg8"
	     "MSY3H2EU4pWcQDnRnrVA1xe8fs"},
	    {"m/0'/1/2'",
	     "xprv9z4pot5VBttmtdRTWfWQmoH1taj2axGVzFqSb8C9xaxKymcFzXBDptWmT7FwuEzG3ryjH4ktypQSAewRi"
	     "NMjANTtpgP4mLTj34bhnZX7UiM"},
	    {"m/0'/1/2'/2",
	     "xprvA2JDeKCSNNZky6uBCviVfJSKyQ1mDYahRjijr5idH2WwLsEd4Hsb2Tyh8RfQMuPh7f7RtyzTtdrbdqqsu"
	     "nu5Mm3wDvUAKRHSC34sJ7in334"},
	    {"m/0'/1/2'/2/1000000000",
	     "xprvA41z7zogVVwxVSgdKUHDy1SKmdb533PjDz7J6N6mV6uS3ze1ai8FHa8kmHScGpWmj4WggLyQjgPie1rFS"
	     "ruoUihUZREPSL39UNdE3BBDu76"},
	};

	check_bip32("000102030405060708090a0b0c0d0e0f", v, sizeof v / sizeof *v);
}

CASE(bip32_vector_2)
{
	static const struct bip32_node v[] = {
	    {"m",
	     "xprv9s21ZrQH143K31xYSDQpPDxsXRTUcvj2iNHm5NUtrGiGG5e2DtALGdso3pGz6ssrdK4PFmM8NSpSBHNqP"
	     "qm55Qn3LqFtT2emdEXVYsCzC2U"},
	    {"m/0",
	     "xprv9vHkqa6EV4sPZHYqZznhT2NPtPCjKuDKGY38FBWLvgaDx45zo9WQRUT3dKYnjwih2yJD9mkrocEZXo1ex"
	     "8G81dwSM1fwqWpWkeS3v86pgKt"},
	    {"m/0/2147483647'",
	     "xprv9wSp6B7kry3Vj9m1zSnLvN3xH8RdsPP1Mh7fAaR7aRLcQMKTR2vidYEeEg2mUCTAwCd6vnxVrcjfy2kRg"
	     "VsFawNzmjuHc2YmYRmagcEPdU9"},
	    {"m/0/2147483647'/1",
	     "xprv9zFnWC6h2cLgpmSA46vutJzBcfJ8yaJGg8cX1e5StJh45BBciYTRXSd25UEPVuesF9yog62tGAQtHjXaj"
	     "PPdbRCHuWS6T8XA2ECKADdw4Ef"},
	    {"m/0/2147483647'/1/2147483646'",
	     "xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxF"
	     "LJ8HFsTjSyQbLYnMpCqE2VbFWc"},
	    {"m/0/2147483647'/1/2147483646'/2",
	     "xprvA2nrNbFZABcdryreWet9Ea4LvTJcGsqrMzxHx98MMrotbir7yrKCEXw7nadnHM8Dq38EGfSh6dqA9QWTy"
	     "efMLEcBYJUuekgW4BYPJcr9E7j"},
	};

	check_bip32("fffcf9f6f3f0edeae7e4e1dedbd8d5d2cfccc9c6c3c0bdbab7b4b1aeaba8a5a2"
	            "9f9c999693908d8a8784817e7b7875726f6c696663605d5a5754514e4b484542",
	            v, sizeof v / sizeof *v);
}

CASE(bip32_vector_3)
{
	static const struct bip32_node v[] = {
	    {"m",
	     "xprv9s21ZrQH143K25QhxbucbDDuQ4naNntJRi4KUfWT7xo4EKsHt2QJDu7KXp1A3u7Bi1j8ph3EGsZ9Xvz9d"
	     "GuVrtHHs7pXeTzjuxBrCmmhgC6"},
	    {"m/0'",
	     "xprv9uPDJpEQgRQfDcW7BkF7eTya6RPxXeJCqCJGHuCJ4GiRVLzkTXBAJMu2qaMWPrS7AANYqdq6vcBcBUdJC"
	     "VVFceUvJFjaPdGZ2y9WACViL4L"},
	};

	check_bip32("4b381541583be4423346c643850da4b320e46a87ae3d2a4e6da11eba819cd4ac"
	            "ba45d239319ac14f863b8d5ab5a0d0c64d2e8a1e7d1457df2e5a3c51c73235be",
	            v, sizeof v / sizeof *v);
}

CASE(bip32_vector_4)
{
	static const struct bip32_node v[] = {
	    {"m",
	     "xprv9s21ZrQH143K48vGoLGRPxgo2JNkJ3J3fqkirQC2zVdk5Dgd5w14S7fRDyHH4dWNHUgkvsvNDCkvAwcSH"
	     "NAQwhwgNMgZhLtQC63zxwhQmRv"},
	    {"m/0'",
	     "xprv9vB7xEWwNp9kh1wQRfCCQMnZUEG21LpbR9NPCNN1dwhiZkjjeGRnaALmPXCX7SgjFTiCTT6bXes17boXt"
	     "jq3xLpcDjzEuGLQBM5ohqkao9G"},
	    {"m/0'/1'",
	     "xprv9xJocDuwtYCMNAo3Zw76WENQeAS6WGXQ55RCy7tDJ8oALr4FWkuVoHJeHVAcAqiZLE7Je3vZJHxspZdFH"
	     "fnBEjHqU5hG1Jaj32dVoS6XLT1"},
	};

	check_bip32("3ddd5602285899a946114506157c7997e5444528f3003f6134712147db19b678", v,
	            sizeof v / sizeof *v);
}

/* SLIP-10, test vectors 1 and 2 for ed25519. */
CASE(slip10_vectors)
{
	static const char one[] = "000102030405060708090a0b0c0d0e0f";
	static const char two[] =
	    "fffcf9f6f3f0edeae7e4e1dedbd8d5d2cfccc9c6c3c0bdbab7b4b1aeaba8a5a2"
	    "9f9c999693908d8a8784817e7b7875726f6c696663605d5a5754514e4b484542";
	static const struct {
		const char *seed, *path, *chain, *key, *pub;
	} v[] = {
	    {one, "m", "90046a93de5380a72b5e45010748567d5ea02bbf6522f979e05c0d8d8ca9fffb",
	     "2b4be7f19ee27bbf30c667b642d5f4aa69fd169872f8fc3059c08ebae2eb19e7",
	     "a4b2856bfec510abab89753fac1ac0e1112364e7d250545963f135f2a33188ed"},
	    {one, "m/0'", "8b59aa11380b624e81507a27fedda59fea6d0b779a778918a2fd3590e16e9c69",
	     "68e0fe46dfb67e368c75379acec591dad19df3cde26e63b93a8e704f1dade7a3",
	     "8c8a13df77a28f3445213a0f432fde644acaa215fc72dcdf300d5efaa85d350c"},
	    {one, "m/0'/1'", "a320425f77d1b5c2505a6b1b27382b37368ee640e3557c315416801243552f14",
	     "b1d0bad404bf35da785a64ca1ac54b2617211d2777696fbffaf208f746ae84f2",
	     "1932a5270f335bed617d5b935c80aedb1a35bd9fc1e31acafd5372c30f5c1187"},
	    {one, "m/0'/1'/2'/2'/1000000000'",
	     "68789923a0cac2cd5a29172a475fe9e0fb14cd6adb5ad98a3fa70333e7afa230",
	     "8f94d394a8e8fd6b1bc2f3f49f5c47e385281d5c17e65324b0f62483e37e8793",
	     "3c24da049451555d51a7014a37337aa4e12d41e485abccfa46b47dfb2af54b7a"},
	    {two, "m", "ef70a74db9c3a5af931b5fe73ed8e1a53464133654fd55e7a66f8570b8e33c3b",
	     "171cb88b1b3c1db25add599712e36245d75bc65a1a5c9e18d76f9f2b1eab4012",
	     "8fe9693f8fa62a4305a140b9764c5ee01e455963744fe18204b4fb948249308a"},
	    {two, "m/0'/2147483647'/1'/2147483646'/2'",
	     "5d70af781f3a37b829f0d060924d5e960bdc02e85423494afc0b1a41bbe196d4",
	     "551d333177df541ad876a60ea71f00447931c0a9da16f227c11ea080d7391b8d",
	     "47150c75db263559a70d5778bf36abbab30fb061ad69f69ece61a72b0cfa4fc0"},
	};

	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		const char *path = v[i].path + 1;
		struct ady_hd_node node;
		uint8_t pub[32];

		CHECK_ERR(ady_slip10_master(&node, test_hex(v[i].seed)), ADY_OK);
		while (*path)
			CHECK_ERR(ady_slip10_child(&node, take_index(&path)), ADY_OK);
		CHECK_HEX(node.chain, 32, v[i].chain);
		CHECK_HEX(node.key.b, 32, v[i].key);
		ady_ed25519_public(pub, &node.key);
		CHECK_HEX(pub, 32, v[i].pub);
	}
}

CASE(what_has_no_child)
{
	static const struct ady_hd_node zero;
	static const uint8_t seed[65];
	struct ady_hd_node node;

	for (size_t n = 0; n <= sizeof seed; n++) {
		enum ady_err want = n >= 16 && n <= 64 ? ADY_OK : ADY_E_KEY_FORM;

		CHECK_ERR(ady_bip32_master(&node, secp, ady_bytes(seed, n)), want);
		CHECK_ERR(ady_slip10_master(&node, ady_bytes(seed, n)), want);
	}
	CHECK_ERR(ady_slip10_master(&node, ady_bytes(seed, 16)), ADY_OK);
	CHECK_ERR(ady_slip10_child(&node, 7), ADY_E_FIELD_INVALID);
	CHECK(memcmp(&node, &zero, sizeof node) == 0);
	CHECK_ERR(ady_bip32_child(&node, secp, 7), ADY_E_KEY_RANGE);
	CHECK_ERR(ady_bip32_child(&node, secp, 7 | ADY_HD_HARDENED), ADY_E_KEY_RANGE);
	CHECK(memcmp(&node, &zero, sizeof node) == 0);
}

/* Sums at the edges of the group. */
CASE(adding_keys)
{
	static const char order_less_1[] =
	    "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140";
	static const struct ady_seckey zero;
	struct ady_seckey one = {.b[31] = 1}, key, other;

	memcpy(other.b, test_hex(order_less_1).p, 32);
	key = one;
	CHECK_ERR(ady_secp_add(secp, &key, &other), ADY_E_KEY_RANGE); /* the sum is zero */
	CHECK(memcmp(&key, &zero, sizeof key) == 0);
	CHECK_ERR(ady_secp_add(secp, &key, &one), ADY_E_KEY_RANGE);
	key = other;
	CHECK_ERR(ady_secp_add(secp, &key, &other), ADY_OK); /* -2 */
	CHECK_HEX(key.b, 32, "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd036413f");
	other.b[31]++;
	CHECK_ERR(ady_secp_add(secp, &key, &other), ADY_E_KEY_RANGE);
}

int main(void)
{
	if (ady_secp_open(&secp) != ADY_OK)
		return 1;
	RUN(bip32_vector_1);
	RUN(bip32_vector_2);
	RUN(bip32_vector_3);
	RUN(bip32_vector_4);
	RUN(slip10_vectors);
	RUN(what_has_no_child);
	RUN(adding_keys);
	ady_secp_close(secp);
	return test_end();
}
