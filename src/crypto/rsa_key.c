/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/rsa_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"

enum { E = 65537, NUMBERS = 8, SECRETS = 10, NUMBER_MAX = 512, SECURITY_GAP = 100 };

/* RFC 8017 section 3.2; all but n and e are secret. */
struct numbers {
	BIGNUM *n, *e, *d, *p, *q, *dp, *dq, *qinv;
};

/* OpenSSL sets the two uppermost bits, so that p times q has all of its bits, sieves, and makes 64
 * rounds of Miller-Rabin. What is left of A.1.3 for a single prime is that p - 1 has no factor in
 * common with e, which is prime. */
static bool find_prime(BIGNUM *p, int bits, BN_CTX *ctx)
{
	do
		if (!BN_generate_prime_ex2(p, bits, 0, NULL, NULL, NULL, ctx))
			return false;
	while (BN_mod_word(p, E) == 1);
	return true;
}

/* The larger one becomes p, as OpenSSL has it. */
static bool find_primes(const struct numbers *k, int bits, BN_CTX *ctx)
{
	if (!find_prime(k->p, bits, ctx) || !find_prime(k->q, bits, ctx))
		return false;
	if (BN_cmp(k->p, k->q) < 0)
		BN_swap(k->p, k->q);
	return true;
}

/* A.1.3 step 5.4: primes that are not close to one another. It fails once in 2^99 keys. */
static bool apart(const BIGNUM *p, const BIGNUM *q, BIGNUM *t, int bits)
{
	return BN_sub(t, p, q) && BN_num_bits(t) > bits - SECURITY_GAP;
}

/* What follows from p and q, and d = 1/e mod lcm(p - 1, q - 1); t and l are for what lies between.
 */
static bool derive(const struct numbers *k, BIGNUM *p1, BIGNUM *q1, BIGNUM *t, BIGNUM *l,
                   BN_CTX *ctx)
{
	return BN_set_word(k->e, E) && BN_mul(k->n, k->p, k->q, ctx) &&
	       BN_sub(p1, k->p, BN_value_one()) && BN_sub(q1, k->q, BN_value_one()) &&
	       BN_gcd(t, p1, q1, ctx) && BN_div(l, NULL, p1, t, ctx) && BN_mul(t, l, q1, ctx) &&
	       BN_mod_inverse(k->d, k->e, t, ctx) && BN_mod(k->dp, k->d, p1, ctx) &&
	       BN_mod(k->dq, k->d, q1, ctx) && BN_mod_inverse(k->qinv, k->q, k->p, ctx);
}

/* Hand the numbers over; the copies that this takes are wiped. */
static EVP_PKEY *assemble(const struct numbers *k, int bits)
{
	const int half = bits / 16, whole = bits / 8;
	const struct {
		const char *name;
		const BIGNUM *value;
		int size;
	} rows[NUMBERS] = {
	    {OSSL_PKEY_PARAM_RSA_N, k->n, whole},
	    {OSSL_PKEY_PARAM_RSA_E, k->e, 3},
	    {OSSL_PKEY_PARAM_RSA_D, k->d, whole},
	    {OSSL_PKEY_PARAM_RSA_FACTOR1, k->p, half},
	    {OSSL_PKEY_PARAM_RSA_FACTOR2, k->q, half},
	    {OSSL_PKEY_PARAM_RSA_EXPONENT1, k->dp, half},
	    {OSSL_PKEY_PARAM_RSA_EXPONENT2, k->dq, half},
	    {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, k->qinv, half},
	};
	uint8_t space[NUMBERS][NUMBER_MAX];
	OSSL_PARAM params[NUMBERS + 1] = {0};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	bool ok = ctx && EVP_PKEY_fromdata_init(ctx) == 1;
	EVP_PKEY *pkey = NULL;

	for (size_t i = 0; i < NUMBERS; i++) {
		ok = ok && BN_bn2nativepad(rows[i].value, space[i], rows[i].size) == rows[i].size;
		params[i] = OSSL_PARAM_construct_BN(rows[i].name, space[i], (size_t)rows[i].size);
	}
	if (ok && EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	ady_zero(space, sizeof space);
	return pkey;
}

/* The flag makes OpenSSL compute with these as with secrets, where it has a way. */
static EVP_PKEY *generate(const struct numbers *k, unsigned bits, BN_CTX *ctx)
{
	const int half = (int)bits / 2;
	BIGNUM *p1 = BN_CTX_get(ctx), *q1 = BN_CTX_get(ctx);
	BIGNUM *t = BN_CTX_get(ctx), *l = BN_CTX_get(ctx);
	BIGNUM *const secret[SECRETS] = {k->p, k->q, k->d, k->dp, k->dq, k->qinv, p1, q1, t, l};

	if (!l)
		return NULL;
	for (size_t i = 0; i < SECRETS; i++)
		BN_set_flags(secret[i], BN_FLG_CONSTTIME);
	if (!find_primes(k, half, ctx) || !apart(k->p, k->q, t, half) ||
	    !derive(k, p1, q1, t, l, ctx) || BN_num_bits(k->d) <= half)
		return NULL;
	return assemble(k, (int)bits);
}

EVP_PKEY *ady_rsa_key_new(unsigned bits)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *all[NUMBERS];
	struct numbers k;
	bool room = ctx != NULL;
	EVP_PKEY *pkey = NULL;

	for (size_t i = 0; i < NUMBERS; i++)
		room = (all[i] = BN_new()) && room;
	k = (struct numbers){all[0], all[1], all[2], all[3], all[4], all[5], all[6], all[7]};
	if (room) {
		BN_CTX_start(ctx);
		pkey = generate(&k, bits, ctx);
		BN_CTX_end(ctx);
	}
	for (size_t i = 0; i < NUMBERS; i++)
		BN_clear_free(all[i]);
	BN_CTX_free(ctx);
	return pkey;
}
