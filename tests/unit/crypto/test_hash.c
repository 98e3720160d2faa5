/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/hash.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "published.h"
#include "vectors.h"

static void keccak_is(const char *text, const char *want)
{
	uint8_t out[32];

	ady_keccak256(out, ady_bytes_str(text));
	CHECK_HEX(out, 32, want);
}

/* The empty code hash and the testing string of the Ethereum yellow paper and wiki. */
CASE(keccak_known_answers)
{
	keccak_is("", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
	keccak_is("abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
	keccak_is("testing", "5f16f4c7f149ac4f9510d9cf8cf384038ad348b3bcdc01915f95de12df9d1b02");
	keccak_is("transfer(address,uint256)",
	          "a9059cbb2ab09eb219583f4a59a5d0623ade346d962bcd4e46b11da047c9049b");
	keccak_is("The quick brown fox jumps over the lazy dog",
	          "4d741b6f1eb29cb2a9b9911c82f56fa8d73b04959d3d9d222895df6c0b28aa15");
}

/* RLP of the empty string: the root of an empty trie. */
CASE(keccak_of_the_empty_trie)
{
	uint8_t out[32];

	ady_keccak256(out, test_hex("80"));
	CHECK_HEX(out, 32, "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
}

/* Every length around the block of 136 bytes, cut at every place, gives the same as in one call. */
CASE(keccak_in_parts)
{
	uint8_t in[300], whole[32], parts[32];
	struct ady_keccak k;

	for (size_t i = 0; i < sizeof in; i++)
		in[i] = (uint8_t)(i * 7);
	for (size_t n = 0; n < sizeof in; n += n < 130 ? 13 : 1) {
		ady_keccak256(whole, ady_bytes(in, n));
		for (size_t cut = 0; cut <= n; cut += 3) {
			ady_keccak_init(&k);
			ady_keccak_update(&k, ady_bytes(in, cut));
			ady_keccak_update(&k, ady_bytes(in + cut, n - cut));
			ady_keccak_final(&k, parts);
			CHECK(memcmp(whole, parts, 32) == 0);
		}
	}
}

CASE(keccak_final_wipes)
{
	static const struct ady_keccak zero;
	struct ady_keccak k;
	uint8_t out[32];

	ady_keccak_init(&k);
	ady_keccak_update(&k, ady_bytes_str("secret"));
	ady_keccak_final(&k, out);
	CHECK(memcmp(&k, &zero, sizeof k) == 0);
}

/* FIPS 180-4 examples. */
CASE(sha2_known_answers)
{
	struct ady_bytes abc[] = {ady_bytes_str("a"), {0}, ady_bytes_str("bc")};
	uint8_t out[48];

	ady_sha256(out, abc, 3);
	CHECK_HEX(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	ady_sha256(out, NULL, 0);
	CHECK_HEX(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	ady_sha384(out, abc, 3);
	CHECK_HEX(out, 48,
	          "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
	          "8086072ba1e7cc2358baeca134c825a7");
}

/* RFC 4231, cases 1, 2 and 6; and an empty key. */
CASE(hmac_known_answers)
{
	uint8_t key[131], out[32];

	memset(key, 0x0b, 20);
	ady_hmac_sha256(out, ady_bytes(key, 20), ady_bytes_str("Hi There"));
	CHECK_HEX(out, 32, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	ady_hmac_sha256(out, ady_bytes_str("Jefe"), ady_bytes_str("what do ya want for nothing?"));
	CHECK_HEX(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof key);
	ady_hmac_sha256(out, ady_bytes(key, sizeof key),
	                ady_bytes_str("Test Using Larger Than Block-Size Key - Hash Key First"));
	CHECK_HEX(out, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	ady_hmac_sha256(out, (struct ady_bytes){0}, (struct ady_bytes){0});
	CHECK_HEX(out, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* Both lengths of SHA-2 that NIST's CAVP has for us: Len counts bits, and the empty message is
 * written as one byte. */
static void sha2_of_nist(const struct test_record *r)
{
	struct ady_bytes msg = test_record_bytes(r, "Msg"), md = test_record_bytes(r, "MD");
	uint8_t out[48];

	if (ady_bytes_is(test_record_text(r, "Len"), "0"))
		msg.n = 0;
	if (md.n == 32)
		ady_sha256(out, &msg, 1);
	else if (CHECK_INT(md.n, 48))
		ady_sha384(out, &msg, 1);
	CHECK(ady_bytes_eq(md, ady_bytes(out, md.n)));
}

CASE(sha256_of_nist)
{
	test_published_records("SHA256ShortMsg.rsp", sha2_of_nist);
	test_published_records("SHA256LongMsg.rsp", sha2_of_nist);
}

CASE(sha384_of_nist)
{
	test_published_records("SHA384ShortMsg.rsp", sha2_of_nist);
	test_published_records("SHA384LongMsg.rsp", sha2_of_nist);
}

static void keccak_blobs(const struct ady_bytes *blob)
{
	uint8_t out[32];

	ady_keccak256(out, blob[0]);
	CHECK(ady_bytes_eq(blob[1], ady_bytes(out, 32)));
}

CASE(keccak_of_rustcrypto)
{
	test_published_blobs("keccak_256.blb", 2, keccak_blobs);
}

/* Key, message, and the tag or the front of it. */
static void hmac_blobs(const struct ady_bytes *blob)
{
	uint8_t out[32];

	ady_hmac_sha256(out, blob[0], blob[1]);
	if (CHECK(blob[2].n >= 16 && blob[2].n <= sizeof out))
		CHECK(ady_bytes_eq(blob[2], ady_bytes(out, blob[2].n)));
}

CASE(wycheproof_of_hmac)
{
	test_published_blobs("hmac_sha256.blb", 3, hmac_blobs);
}

/* What OpenSSL registered after this ran before it: once it has cleaned up, it starts no more. */
static void is_openssl_usable(void)
{
	_exit(OPENSSL_init_crypto(0, NULL) == 1 ? 0 : 1);
}

/* The main thread of a program may end while others hash. First of all cases: the child must be the
 * first to use OpenSSL. */
CASE(an_exit_takes_nothing_from_other_threads)
{
	struct ady_bytes none = {0};
	uint8_t out[32];
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		(void)atexit(is_openssl_usable);
		ady_sha256(out, &none, 1);
		exit(0);
	}
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
	CHECK_INT(status, 0);
}

/* HKDF (RFC 5869) by our HMAC, to put that to the vectors of HKDF-SHA-256. */
static void hkdf(uint8_t *out, size_t n, struct ady_bytes ikm, struct ady_bytes salt,
                 struct ady_bytes info)
{
	uint8_t prk[32], block[32], text[512];
	struct ady_buf b = ady_buf(text, sizeof text);

	ady_hmac_sha256(prk, salt, ikm);
	for (size_t i = 0; i * 32 < n; i++) {
		ady_buf_view(&b, info);
		ady_buf_u8(&b, (uint8_t)(i + 1));
		CHECK(!b.full);
		ady_hmac_sha256(block, ady_bytes(prk, 32), ady_buf_bytes(&b));
		memcpy(out + i * 32, block, n - i * 32 < 32 ? n - i * 32 : 32);
		b.n = 0;
		ady_buf_put(&b, block, 32);
	}
}

static void hkdf_vector(json_t *group, json_t *v)
{
	static uint8_t ikm[512], salt[512], info[512], out[8160];
	const struct ady_bytes in[] = {test_json_hex(v, "ikm"), test_json_hex(v, "salt"),
	                               test_json_hex(v, "info")};
	size_t n = (size_t)json_integer_value(json_object_get(v, "size"));
	struct ady_bytes okm;

	(void)group;
	if (n > sizeof out) { /* more than 255 blocks: there is no such output */
		CHECK(!test_json_valid(v));
		return;
	}
	if (!CHECK(in[0].n <= 512 && in[1].n <= 512 && in[2].n <= 450))
		return;
	memcpy(ikm, in[0].p, in[0].n);
	memcpy(salt, in[1].p, in[1].n);
	memcpy(info, in[2].p, in[2].n);
	hkdf(out, n, ady_bytes(ikm, in[0].n), ady_bytes(salt, in[1].n), ady_bytes(info, in[2].n));
	okm = test_json_hex(v, "okm");
	CHECK(test_json_valid(v) == ady_bytes_eq(okm, ady_bytes(out, n)));
}

CASE(wycheproof_of_hkdf)
{
	if (test_wycheproof("hkdf_sha256_test.json", hkdf_vector) > 0)
		CHECK(true);
}

int main(void)
{
	RUN(an_exit_takes_nothing_from_other_threads);
	RUN(keccak_known_answers);
	RUN(keccak_of_the_empty_trie);
	RUN(keccak_in_parts);
	RUN(keccak_final_wipes);
	RUN(sha2_known_answers);
	RUN(sha256_of_nist);
	RUN(sha384_of_nist);
	RUN(keccak_of_rustcrypto);
	RUN(hmac_known_answers);
	RUN(wycheproof_of_hmac);
	RUN(wycheproof_of_hkdf);
	return test_end();
}
