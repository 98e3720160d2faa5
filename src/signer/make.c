/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/make.h"

#include <string.h>

#include "chain/eth_tx.h"
#include "crypto/bls.h"
#include "crypto/ed25519.h"
#include "crypto/rng.h"
#include "signer/shared.h"
#include "signer/sign.h"
#include "signer/wallet.h"

enum ady_err ady_key_public(uint8_t pub[static 48], uint8_t address20[static 20],
                            enum ady_curve curve, const struct ady_secp *secp,
                            const struct ady_seckey *key)
{
	uint8_t pub65[65];
	enum ady_err err;

	memset(address20, 0, 20);
	if (curve == ADY_CURVE_BLS12_381)
		return ady_bls_public(pub, key);
	if (curve == ADY_CURVE_ED25519) {
		ady_ed25519_public(pub, key);
		return ADY_OK;
	}
	if (curve != ADY_CURVE_SECP256K1)
		return ADY_E_FIELD_INVALID;
	if ((err = ady_secp_public(secp, pub65, key)) != ADY_OK)
		return err;
	ady_secp_compress(pub, pub65);
	ady_eth_address(address20, pub65);
	return ADY_OK;
}

/* A fault while it was sealed would lose whatever is sent to its address. */
static enum ady_err opens_again(const struct ady_record *rec, const struct ady_secp *secp,
                                const struct ady_envelope *e, const uint8_t *data_key32)
{
	ADY_SECRET struct ady_seckey key = {0};
	uint8_t pub[48], address[20];

	if (ady_envelope_open(&key, rec, e, data_key32, NULL) != ADY_OK ||
	    ady_key_public(pub, address, rec->curve, secp, &key) != ADY_OK ||
	    memcmp(pub, rec->pub, ady_curve_public_size(rec->curve)) != 0)
		return ADY_E_CRYPTO;
	return ADY_OK;
}

enum ady_err ady_key_seal(struct ady_record *rec, uint8_t address20[static 20],
                          const struct ady_secp *secp, const struct ady_envelope *e,
                          const uint8_t data_key32[static 32], const struct ady_seckey *key)
{
	enum ady_err err = ady_key_public(rec->pub, address20, rec->curve, secp, key);

	if (err != ADY_OK)
		return err;
	ady_record_bind(rec);
	if ((err = ady_envelope_seal(rec, e, data_key32, key)) != ADY_OK)
		return err;
	return opens_again(rec, secp, e, data_key32);
}

/* A secp256k1 key outside [1, n-1] has a chance of 2^-128. Not inlined: see ady_stack_wipe. */
static __attribute__((noinline)) enum ady_err make(struct ady_record *rec,
                                                   uint8_t address20[static 20],
                                                   const struct ady_secp *secp,
                                                   const struct ady_envelope *e,
                                                   const uint8_t *data_key32)
{
	ADY_SECRET struct ady_seckey key = {0};

	if (rec->curve == ADY_CURVE_BLS12_381)
		ady_bls_generate(&key);
	else
		ady_random(key.b, sizeof key.b);
	return ady_key_seal(rec, address20, secp, e, data_key32, &key);
}

enum ady_err ady_make_key(struct ady_record *rec, uint8_t address20[static 20],
                          const struct ady_secp *secp, const struct ady_envelope *e,
                          const uint8_t data_key32[static 32], struct ady_fault *f)
{
	enum ady_err err = make(rec, address20, secp, e, data_key32);

	ady_stack_wipe();
	return err == ADY_OK ? ADY_OK : ady_fail(f, err, NULL, "%s", ady_err_text(err));
}

/* The order of BLS12-381 is below that of secp256k1, and what is between them is refused by seal.
 */
static __attribute__((noinline)) enum ady_err take(
    struct ady_record *rec, uint8_t address20[static 20], const struct ady_secp *secp,
    const struct ady_envelope *e, const uint8_t *data_key32, struct ady_bytes plaintext)
{
	ADY_SECRET struct ady_seckey key = {0};
	enum ady_err err =
	    ady_sign_read_key(&key, rec->curve == ADY_CURVE_ED25519 ? NULL : secp, plaintext);

	return err == ADY_OK ? ady_key_seal(rec, address20, secp, e, data_key32, &key) : err;
}

enum ady_err ady_take_key(struct ady_record *rec, uint8_t address20[static 20],
                          const struct ady_secp *secp, const struct ady_envelope *e,
                          const uint8_t data_key32[static 32], struct ady_bytes plaintext,
                          struct ady_fault *f)
{
	enum ady_err err = take(rec, address20, secp, e, data_key32, plaintext);

	ady_stack_wipe();
	return err == ADY_OK ? ADY_OK : ady_fail(f, err, NULL, "%s", ady_err_text(err));
}

static enum ady_err open_present(struct ady_seckey *key, const struct ady_record *rec,
                                 const struct ady_secp *secp, const struct ady_envelope *e,
                                 struct ady_bytes opened)
{
	if (!rec->envelope)
		return ady_sign_read_key(key, rec->curve == ADY_CURVE_ED25519 ? NULL : secp,
		                         opened);
	return opened.n == 32 ? ady_envelope_open(key, rec, e, opened.p, NULL) : ADY_E_KEY_FORM;
}

bool ady_key_is_of(const struct ady_seckey *key, enum ady_curve curve, struct ady_bytes public_key,
                   const struct ady_secp *secp)
{
	uint8_t pub[48], address[20];

	return ady_key_public(pub, address, curve, secp, key) == ADY_OK &&
	       ady_bytes_eq(public_key, ady_bytes(pub, ady_curve_public_size(curve)));
}

enum ady_err ady_open_key(struct ady_seckey *key, const struct ady_record *rec,
                          const struct ady_secp *secp, const struct ady_envelope *e,
                          struct ady_bytes opened)
{
	enum ady_err err = open_present(key, rec, secp, e, opened);

	if (err != ADY_OK)
		return err;
	return ady_key_is_of(key, rec->curve,
	                     ady_bytes(rec->pub, ady_curve_public_size(rec->curve)), secp)
	           ? ADY_OK
	           : ADY_E_RECORD_MISMATCH;
}

static __attribute__((noinline)) enum ady_err reseal(
    struct ady_record *rec, uint8_t address20[static 20], const struct ady_secp *secp,
    const struct ady_envelope *e, struct ady_bytes opened, const uint8_t *next_data_key32,
    struct ady_bytes blob)
{
	ADY_SECRET struct ady_seckey key = {0};
	uint8_t pub[48];
	enum ady_err err;

	if ((err = open_present(&key, rec, secp, e, opened)) != ADY_OK ||
	    (err = ady_key_public(pub, address20, rec->curve, secp, &key)) != ADY_OK)
		return err;
	if (memcmp(pub, rec->pub, ady_curve_public_size(rec->curve)) != 0)
		return ADY_E_RECORD_MISMATCH;
	if ((err = ady_shared_reseal(rec, e, opened.p, next_data_key32)) != ADY_OK)
		return err;
	rec->envelope = true;
	memcpy(rec->data_key, blob.p, blob.n);
	rec->data_key_n = blob.n;
	return ady_key_seal(rec, address20, secp, e, next_data_key32, &key);
}

enum ady_err ady_reseal_key(struct ady_record *rec, uint8_t address20[static 20],
                            const struct ady_secp *secp, const struct ady_envelope *e,
                            struct ady_bytes opened, const uint8_t next_data_key32[static 32],
                            struct ady_bytes blob, struct ady_fault *f)
{
	enum ady_err err;

	if (rec->curve == ADY_CURVE_WALLET)
		return opened.n == 32
		           ? ady_wallet_reseal(rec, secp, e, opened.p, next_data_key32, blob, f)
		           : ady_fail(f, ADY_E_KEY_FORM, "record", "%s",
		                      ady_err_text(ADY_E_KEY_FORM));
	err = reseal(rec, address20, secp, e, opened, next_data_key32, blob);

	ady_stack_wipe();
	return err == ADY_OK ? ADY_OK : ady_fail(f, err, "record", "%s", ady_err_text(err));
}

static __attribute__((noinline)) enum ady_err rebind(
    struct ady_record *rec, uint8_t address20[static 20], const struct ady_secp *secp,
    const struct ady_envelope *e, const uint8_t *data_key32, struct ady_bytes policy)
{
	ADY_SECRET struct ady_seckey key = {0};
	enum ady_err err = ady_envelope_open(&key, rec, e, data_key32, NULL);

	if (err != ADY_OK)
		return err;
	ady_record_set_policy(rec, policy);
	rec->revision++;
	return ady_key_seal(rec, address20, secp, e, data_key32, &key);
}

enum ady_err ady_rebind_key(struct ady_record *rec, uint8_t address20[static 20],
                            const struct ady_secp *secp, const struct ady_envelope *e,
                            const uint8_t data_key32[static 32], struct ady_bytes policy,
                            struct ady_fault *f)
{
	enum ady_err err = rebind(rec, address20, secp, e, data_key32, policy);

	ady_stack_wipe();
	return err == ADY_OK ? ADY_OK : ady_fail(f, err, "record", "%s", ady_err_text(err));
}
