/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/bls.h"

#include <blst.h>
#include <string.h>

#include "crypto/rng.h"

/* The suite's name is its domain separation tag. */
static const uint8_t suite[] = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

enum { SUITE = sizeof suite - 1 };

static void scalar_wipe(blst_scalar *s)
{
	ady_zero(s, sizeof *s);
}

#define SECRET_SCALAR __attribute__((cleanup(scalar_wipe))) blst_scalar

/* Whether a key is in range is told to the caller, so it is public from here on. */
static enum ady_err scalar_of(blst_scalar *s, const struct ady_seckey *key)
{
	bool ok;

	blst_scalar_from_bendian(s, key->b);
	ok = blst_sk_check(s);
	ADY_DECLASSIFY(&ok, sizeof ok);
	return ok ? ADY_OK : ADY_E_KEY_RANGE;
}

enum ady_err ady_bls_check(const struct ady_seckey *key)
{
	SECRET_SCALAR s = {0};

	return scalar_of(&s, key);
}

enum ady_err ady_bls_public(uint8_t pub48[static 48], const struct ady_seckey *key)
{
	SECRET_SCALAR s = {0};
	blst_p1 pub;
	enum ady_err err;

	memset(pub48, 0, ADY_BLS_PUBLIC);
	if ((err = scalar_of(&s, key)) != ADY_OK)
		return err;
	blst_sk_to_pk_in_g1(&pub, &s);
	ADY_DECLASSIFY(&pub, sizeof pub);
	blst_p1_compress(pub48, &pub);
	return ADY_OK;
}

enum ady_err ady_bls_sign(uint8_t sig96[static 96], const uint8_t root32[static 32],
                          const struct ady_seckey *key)
{
	SECRET_SCALAR s = {0};
	blst_p2 hash, sig;
	blst_p2_affine affine;
	enum ady_err err;

	memset(sig96, 0, ADY_BLS_SIGNATURE);
	if ((err = scalar_of(&s, key)) != ADY_OK)
		return err;
	blst_hash_to_g2(&hash, root32, 32, suite, SUITE, NULL, 0);
	blst_sign_pk_in_g1(&sig, &hash, &s);
	ADY_DECLASSIFY(&sig, sizeof sig);
	blst_p2_to_affine(&affine, &sig);
	if (blst_p2_affine_is_inf(&affine) || !blst_p2_affine_on_curve(&affine))
		return ADY_E_CRYPTO;
	blst_p2_affine_compress(sig96, &affine);
	return ADY_OK;
}

static enum ady_err read_public(blst_p1_affine *pub, const uint8_t pub48[static 48])
{
	if (blst_p1_uncompress(pub, pub48) != BLST_SUCCESS || blst_p1_affine_is_inf(pub) ||
	    !blst_p1_affine_in_g1(pub))
		return ADY_E_CRYPTO;
	return ADY_OK;
}

enum ady_err ady_bls_check_public(const uint8_t pub48[static 48])
{
	blst_p1_affine pub;

	return read_public(&pub, pub48);
}

enum ady_err ady_bls_verify(const uint8_t pub48[static 48], const uint8_t root32[static 32],
                            const uint8_t sig96[static 96])
{
	blst_p1_affine pub;
	blst_p2_affine sig;

	if (read_public(&pub, pub48) != ADY_OK || blst_p2_uncompress(&sig, sig96) != BLST_SUCCESS ||
	    !blst_p2_affine_in_g2(&sig) ||
	    blst_core_verify_pk_in_g1(&pub, &sig, true, root32, 32, suite, SUITE, NULL, 0) !=
	        BLST_SUCCESS)
		return ADY_E_CRYPTO;
	return ADY_OK;
}

enum ady_err ady_bls_derive_master(struct ady_seckey *key, struct ady_bytes seed)
{
	SECRET_SCALAR s = {0};

	*key = (struct ady_seckey){0};
	if (seed.n < ADY_BLS_SEED_MIN)
		return ADY_E_KEY_FORM;
	blst_derive_master_eip2333(&s, seed.p, seed.n);
	blst_bendian_from_scalar(key->b, &s);
	return ADY_OK;
}

enum ady_err ady_bls_derive_child(struct ady_seckey *key, const struct ady_seckey *parent,
                                  uint32_t index)
{
	SECRET_SCALAR s = {0};
	SECRET_SCALAR child = {0};
	enum ady_err err;

	*key = (struct ady_seckey){0};
	if ((err = scalar_of(&s, parent)) != ADY_OK)
		return err;
	blst_derive_child_eip2333(&child, &s, index);
	blst_bendian_from_scalar(key->b, &child);
	return ADY_OK;
}

void ady_bls_generate(struct ady_seckey *key)
{
	uint8_t seed[ADY_BLS_SEED_MIN];

	ady_random(seed, sizeof seed);
	if (ady_bls_derive_master(key, ady_bytes(seed, sizeof seed)) != ADY_OK)
		ADY_BUG("a seed of 32 bytes was refused");
	ady_zero(seed, sizeof seed);
}
