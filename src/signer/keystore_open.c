/* SPDX-License-Identifier: Apache-2.0
 *
 * The half of signer/keystore.h that holds secrets. */
#include <string.h>

#include "crypto/aes.h"
#include "crypto/hash.h"
#include "signer/keystore.h"

uint64_t ady_keystore_memory(const struct ady_keystore *ks)
{
	return ks->scrypt ? ady_scrypt_memory(&ks->params) : 0;
}

/* The MAC over the second half of the derived key and the ciphertext: Keccak-256 of V3, SHA-256 of
 * EIP-2335. */
static void mac_of(uint8_t out32[static 32], const struct ady_keystore *ks,
                   const struct ady_seckey *derived)
{
	const struct ady_bytes parts[] = {ady_bytes(derived->b + 16, 16),
	                                  ady_bytes(ks->ciphertext, ks->ciphertext_n)};
	struct ady_keccak k;

	if (ks->form == ADY_KEYSTORE_EIP2335) {
		ady_sha256(out32, parts, 2);
		return;
	}
	ady_keccak_init(&k);
	ady_keccak_update(&k, parts[0]);
	ady_keccak_update(&k, parts[1]);
	ady_keccak_final(&k, out32);
}

/* Who asks learns whether the password was right; nothing else of the comparison. */
static bool mac_is_right(const struct ady_keystore *ks, const struct ady_seckey *derived)
{
	ADY_SECRET struct ady_seckey mac = {0};
	bool right;

	mac_of(mac.b, ks, derived);
	right = ady_secret_eq_ct(mac.b, ks->mac, sizeof ks->mac);
	ADY_DECLASSIFY(&right, sizeof right);
	return right;
}

enum ady_err ady_keystore_open(struct ady_seckey *key, const struct ady_keystore *ks,
                               struct ady_bytes password, struct ady_fault *f)
{
	ADY_SECRET struct ady_seckey derived = {0};
	const struct ady_bytes salt = ady_bytes(ks->salt, ks->salt_n);
	enum ady_err err = ks->scrypt ? ady_scrypt_derive(derived.b, password, salt, &ks->params)
	                              : ady_pbkdf2_derive(derived.b, password, salt, ks->c);

	ady_zero(key, sizeof *key);
	if (err != ADY_OK)
		return ady_fail(f, err, "keystore.crypto", "the password's key cannot be derived");
	if (!mac_is_right(ks, &derived))
		return ady_fail(f, ADY_E_PASSWORD, "password", "%s", ady_err_text(ADY_E_PASSWORD));
	err = ady_aes128_ctr(key->b + sizeof key->b - ks->ciphertext_n, derived.b, ks->iv,
	                     ady_bytes(ks->ciphertext, ks->ciphertext_n));
	return err == ADY_OK ? ADY_OK : ady_fail(f, err, NULL, "%s", ady_err_text(err));
}

enum ady_err ady_keystore_check(const struct ady_keystore *ks, const uint8_t pub48[static 48],
                                const uint8_t address20[static 20], struct ady_fault *f)
{
	const bool v3 = ks->form == ADY_KEYSTORE_V3;

	if (ks->named_n == 0 || memcmp(ks->named, v3 ? address20 : pub48, ks->named_n) == 0)
		return ADY_OK;
	return ady_fail(f, ADY_E_KEYSTORE_OTHER, v3 ? "keystore.address" : "keystore.pubkey",
	                "is not that of the key in the keystore");
}
