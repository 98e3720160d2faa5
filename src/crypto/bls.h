/* SPDX-License-Identifier: Apache-2.0
 *
 * BLS signatures over BLS12-381 by blst, as Ethereum's consensus layer has them: public keys in G1
 * (48 bytes), signatures in G2 (96 bytes), proof-of-possession ciphersuite
 * BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_ (draft-irtf-cfrg-bls-signature); key derivation by
 * EIP-2333. Signatures are deterministic. Nothing is aggregated. No heap, no state: any thread. */
#ifndef ADY_CRYPTO_BLS_H
#define ADY_CRYPTO_BLS_H

#include "base/secret.h"

enum { ADY_BLS_PUBLIC = 48, ADY_BLS_SIGNATURE = 96, ADY_BLS_SEED_MIN = 32 };

/* Whether key is in [1, r-1]: ADY_OK or ADY_E_KEY_RANGE. Time: constant in the key. */
enum ady_err ady_bls_check(const struct ady_seckey *key);

/* The compressed public key. Returns ADY_E_KEY_RANGE (pub48 is zero then).
 * Time: constant in the key; leaves copies on the stack, see ady_stack_wipe. */
enum ady_err ady_bls_public(uint8_t pub48[static 48], const struct ady_seckey *key);

/* Sign a signing root of 32 bytes. A point that a fault has thrown off the curve does not leave
 * (a pairing would cost three times the signature).
 * Out:     sig96, zero on error.
 * Returns: ADY_E_KEY_RANGE, ADY_E_CRYPTO. Time: constant in the key; leaves copies on the stack. */
enum ady_err ady_bls_sign(uint8_t sig96[static 96], const uint8_t root32[static 32],
                          const struct ady_seckey *key);

/* Whether pub48 is a compressed point of G1 that is not infinity and lies in the subgroup
 * (KeyValidate): ADY_OK or ADY_E_CRYPTO. Time: variable; public data only. */
enum ady_err ady_bls_check_public(const uint8_t pub48[static 48]);

/* Whether sig96 is the signature of root32 by pub48, both checked for their subgroups: ADY_OK or
 * ADY_E_CRYPTO. Time: variable; public data only. */
enum ady_err ady_bls_verify(const uint8_t pub48[static 48], const uint8_t root32[static 32],
                            const uint8_t sig96[static 96]);

/* The master key of a seed (EIP-2333 derive_master_SK: HKDF with SHA-256, reduced mod r, never 0).
 * seed: 32 bytes or more, secret; of random bytes for a key that is new.
 * Returns ADY_E_KEY_FORM for a shorter seed. Time: constant in the seed; copies as above. */
enum ady_err ady_bls_derive_master(struct ady_seckey *key, struct ady_bytes seed);

/* Child index of parent (EIP-2333 derive_child_SK). Returns ADY_E_KEY_RANGE for a bad parent.
 * Time: constant in the parent; copies as above. */
enum ady_err ady_bls_derive_child(struct ady_seckey *key, const struct ady_seckey *parent,
                                  uint32_t index);

/* A new key from 32 fresh random bytes by ady_bls_derive_master. */
void ady_bls_generate(struct ady_seckey *key);

#endif
