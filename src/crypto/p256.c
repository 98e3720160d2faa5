/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/p256.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <string.h>

#include "crypto/ecdsa_der.h"
#include "crypto/evp.h"
#include "crypto/hash.h"

enum { NUMBER = 32 };

static char curve[] = "prime256v1";

/* A key of OpenSSL from parameters; NULL when they are none. */
static EVP_PKEY *make(OSSL_PARAM_BLD *bld, int selection)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY *key = NULL;

	if (!ctx || !params || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, selection, params) != 1)
		key = NULL;
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static EVP_PKEY *public_key(const uint8_t pub33[static 33])
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY *key = NULL;

	(void)ady_evp();
	if (bld && OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) &&
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, pub33, 33))
		key = make(bld, EVP_PKEY_PUBLIC_KEY);
	OSSL_PARAM_BLD_free(bld);
	return key;
}

/* The public point of a private number, compressed. */
static bool derive(uint8_t pub33[static 33], const BIGNUM *d)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	EC_POINT *point = group ? EC_POINT_new(group) : NULL;
	bool ok =
	    point && !BN_is_zero(d) && BN_cmp(d, EC_GROUP_get0_order(group)) < 0 &&
	    EC_POINT_mul(group, point, d, NULL, NULL, NULL) == 1 &&
	    EC_POINT_point2oct(group, point, POINT_CONVERSION_COMPRESSED, pub33, 33, NULL) == 33;

	EC_POINT_free(point);
	EC_GROUP_free(group);
	return ok;
}

static EVP_PKEY *private_key(uint8_t pub33[static 33], const struct ady_seckey *secret)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	BIGNUM *d = BN_secure_new();
	EVP_PKEY *key = NULL;

	(void)ady_evp();
	if (d)
		BN_set_flags(d, BN_FLG_CONSTTIME);
	if (bld && d && BN_bin2bn(secret->b, NUMBER, d) && derive(pub33, d) &&
	    OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) &&
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, pub33, 33) &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, d))
		key = make(bld, EVP_PKEY_KEYPAIR);
	BN_clear_free(d);
	OSSL_PARAM_BLD_free(bld);
	return key;
}

enum ady_err ady_p256_public(uint8_t pub33[static 33], const struct ady_seckey *key)
{
	EVP_PKEY *pkey = private_key(pub33, key);

	EVP_PKEY_free(pkey);
	ERR_clear_error();
	return pkey ? ADY_OK : ADY_E_CRYPTO;
}

static bool to_raw(uint8_t sig64[static 64], const uint8_t *der, size_t n)
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)n);
	bool ok = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), sig64, NUMBER) == NUMBER &&
	          BN_bn2binpad(ECDSA_SIG_get0_s(sig), sig64 + NUMBER, NUMBER) == NUMBER;

	ECDSA_SIG_free(sig);
	return ok;
}

enum ady_err ady_p256_sign(uint8_t sig64[static 64], struct ady_bytes message,
                           const struct ady_seckey *key)
{
	uint8_t der[ADY_P256_DER_MAX], pub33[33], hash[32];
	EVP_PKEY *pkey = private_key(pub33, key);
	EVP_PKEY_CTX *ctx = pkey ? EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL) : NULL;
	size_t n = sizeof der;
	bool ok;

	ady_sha256(hash, &message, 1);
	ok = ctx && EVP_PKEY_sign_init(ctx) == 1 &&
	     EVP_PKEY_sign(ctx, der, &n, hash, sizeof hash) == 1 && to_raw(sig64, der, n);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	return ok ? ADY_OK : ADY_E_CRYPTO;
}

/* OpenSSL refuses DER that is not canonical and numbers outside [1, n-1]. */
enum ady_err ady_p256_verify(struct ady_bytes sig, const uint8_t pub33[static 33],
                             const struct ady_bytes *parts, size_t n)
{
	uint8_t space[ADY_P256_DER_MAX], hash[32];
	struct ady_buf der = ady_buf(space, sizeof space);
	EVP_PKEY *key = public_key(pub33);
	EVP_PKEY_CTX *ctx = key ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;
	bool ok;

	if (sig.n == 2 * NUMBER)
		ady_ecdsa_der_put(&der, sig.p, NUMBER);
	else
		ady_buf_view(&der, sig);
	ady_sha256(hash, parts, n);
	ok = ctx && !der.full && EVP_PKEY_verify_init(ctx) == 1 &&
	     EVP_PKEY_verify(ctx, der.p, der.n, hash, sizeof hash) == 1;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return ok ? ADY_OK : ADY_E_CRYPTO;
}
