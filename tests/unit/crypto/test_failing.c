/* SPDX-License-Identifier: Apache-2.0
 *
 * What every allocation leads to when it fails: an error and no output, never half a result. */
#include "failing.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/aes.h"
#include "crypto/evp.h"
#include "crypto/p384.h"
#include "crypto/rsa.h"
#include "crypto/secp.h"
#include "test.h"

static uint8_t out[600];
static const uint8_t key[32] = {1}, iv[16] = {2};
static struct ady_rsa *rsa;

/* In a child, for OpenSSL starts once. Some failures make OpenSSL 3.0 itself crash, which is an end
 * as well; what must not happen is that the program goes on with an algorithm missing. */
static int start_failing(unsigned n)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		const struct ady_evp *e;

		(void)close(STDERR_FILENO);
		test_fail_at(n);
		e = ady_evp();
		(void)test_fail_end();
		_exit(e->sha256 && e->sha384 && e->aes256_cbc && e->aes256_gcm ? 0 : 77);
	}
	return child > 0 && waitpid(child, &status, 0) == child ? status : -1;
}

CASE(openssl_starts_whole_or_not_at_all)
{
	unsigned ended = 0;

	for (unsigned n = 1; n < 3000; n += 1 + n / 8) {
		int status = start_failing(n);

		CHECK(status != -1 && !(WIFEXITED(status) && WEXITSTATUS(status) == 77));
		ended += status != 0;
	}
	CHECK(ended > 0);
}

static bool all_zero(size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (out[i])
			return false;
	return true;
}

/* Let call 1, 2, 3... of act fail until it has fewer, and it then must succeed. After an error the
 * first wiped bytes of out must be zero. */
static void each_failure(enum ady_err (*act)(void), enum ady_err want, size_t wiped)
{
	enum ady_err err;
	unsigned n = 0, refused = 0;
	bool failed;

	CHECK_ERR(act(), ADY_OK); /* what is allocated once is there from here on */
	do {
		memset(out, 0xee, sizeof out);
		test_fail_at(++n);
		err = act();
		failed = test_fail_end();
		if (!failed || err == ADY_OK)
			continue;
		refused++;
		CHECK(err == want || err == ADY_E_MEMORY);
		CHECK(all_zero(wiped));
	} while (failed && n < 5000);
	CHECK_ERR(err, ADY_OK);
	CHECK(refused > 0);
}

static enum ady_err cbc_seal(void)
{
	size_t n;
	enum ady_err err = ady_aes_cbc_seal(out, &n, key, iv, ady_bytes(key, 32));

	CHECK_INT(n, err == ADY_OK ? 48 : 0);
	return err;
}

static enum ady_err cbc_open(void)
{
	uint8_t ct[48];
	size_t n;
	enum ady_err err;

	memset(ct, 0, sizeof ct);
	if ((err = ady_aes_cbc_seal(ct, &n, key, iv, ady_bytes(key, 32))) != ADY_OK) {
		memset(out, 0, 32);
		return err;
	}
	err = ady_aes_cbc_open(out, &n, key, iv, ady_bytes(ct, sizeof ct));
	CHECK_INT(n, err == ADY_OK ? 32 : 0);
	return err;
}

static enum ady_err gcm_seal(void)
{
	return ady_aes_gcm_seal(out, key, iv, ady_bytes(iv, 16), ady_bytes(key, 32));
}

static uint8_t gcm_sealed[48];

static enum ady_err gcm_open(void)
{
	return ady_aes_gcm_open(out, key, iv, ady_bytes(iv, 16), ady_bytes(gcm_sealed, 48));
}

CASE(aes)
{
	CHECK_ERR(ady_aes_gcm_seal(gcm_sealed, key, iv, ady_bytes(iv, 16), ady_bytes(key, 32)),
	          ADY_OK);
	each_failure(cbc_seal, ADY_E_CRYPTO, 0);
	each_failure(cbc_open, ADY_E_CRYPTO, 32);
	each_failure(gcm_seal, ADY_E_CRYPTO, 48);
	each_failure(gcm_open, ADY_E_CRYPTO, 32);
}

CASE(lengths_that_openssl_cannot_count_are_refused)
{
	struct ady_bytes large = ady_bytes(key, (size_t)1 << 31);
	size_t n = 1;

	CHECK_ERR(ady_aes_cbc_seal(out, &n, key, iv, large), ADY_E_CRYPTO);
	CHECK_INT(n, 0);
	CHECK_ERR(ady_aes_cbc_open(out, &n, key, iv, large), ADY_E_CRYPTO);
	CHECK_ERR(ady_aes_gcm_seal(out, key, iv, ady_bytes(NULL, 0), large), ADY_E_CRYPTO);
	CHECK_ERR(ady_aes_gcm_seal(out, key, iv, large, ady_bytes(NULL, 0)), ADY_E_CRYPTO);
	CHECK_ERR(ady_aes_gcm_open(out, key, iv, ady_bytes(NULL, 0), large), ADY_E_CRYPTO);
	CHECK_ERR(ady_aes_gcm_open(out, key, iv, large, ady_bytes(gcm_sealed, 48)), ADY_E_CRYPTO);
}

static enum ady_err rsa_read(void)
{
	struct ady_rsa_pub *pub;
	enum ady_err err = ady_rsa_pub_read(&pub, ady_rsa_spki(rsa));

	CHECK(!pub == (err != ADY_OK));
	ady_rsa_pub_free(pub);
	return err;
}

static struct ady_rsa_pub *reader;

static enum ady_err rsa_seal(void)
{
	size_t n;
	enum ady_err err = ady_rsa_pub_seal(out, &n, reader, ady_bytes(key, 32));

	CHECK_INT(n, err == ADY_OK ? 256 : 0);
	return err;
}

CASE(rsa_seals)
{
	CHECK_ERR(ady_rsa_pub_read(&reader, ady_rsa_spki(rsa)), ADY_OK);
	each_failure(rsa_read, ADY_E_CRYPTO, 0);
	each_failure(rsa_seal, ADY_E_CRYPTO, 0);
	ady_rsa_pub_free(reader);
}

static uint8_t spki[ADY_P384_SPKI];

static enum ady_err p384_read(void)
{
	struct ady_p384_pub *pub;
	enum ady_err err = ady_p384_pub_read(&pub, ady_bytes(spki, sizeof spki));

	CHECK(!pub == (err != ADY_OK));
	ady_p384_pub_free(pub);
	return err;
}

CASE(p384_reads)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-384");
	uint8_t *at = spki;

	if (CHECK(i2d_PUBKEY(pkey, NULL) == ADY_P384_SPKI) && CHECK(i2d_PUBKEY(pkey, &at) > 0))
		each_failure(p384_read, ADY_E_CRYPTO, 0);
	EVP_PKEY_free(pkey);
}

/* Of a new key only the first calls, and then fewer and fewer: it takes tens of thousands. */
CASE(rsa_new)
{
	struct ady_rsa *r;

	for (unsigned n = 1; n < 400; n += 1 + n / 4) {
		test_fail_at(n);
		CHECK(ady_rsa_new(&r, 2048) != ADY_OK || r);
		CHECK(test_fail_end());
		ady_rsa_free(r);
	}
}

static enum ady_err secp_open(void)
{
	struct ady_secp *s;
	enum ady_err err = ady_secp_open(&s);

	CHECK(!s == (err != ADY_OK));
	ady_secp_close(s);
	return err;
}

CASE(secp_opens)
{
	each_failure(secp_open, ADY_E_CRYPTO, 0);
}

int main(void)
{
	if (!test_fail_openssl())
		return 1;
	RUN(openssl_starts_whole_or_not_at_all);
	if (ady_rsa_new(&rsa, 2048) != ADY_OK)
		return 1;
	RUN(aes);
	RUN(lengths_that_openssl_cannot_count_are_refused);
	RUN(rsa_seals);
	RUN(rsa_new);
	RUN(p384_reads);
	RUN(secp_opens);
	ady_rsa_free(rsa);
	return test_end();
}
