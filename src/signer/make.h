/* SPDX-License-Identifier: Apache-2.0
 *
 * A new key, made here or brought in: sealed, and opened again before it is relied on. No copy of
 * it is left when this returns. Heap: none. */
#ifndef ADY_SIGNER_MAKE_H
#define ADY_SIGNER_MAKE_H

#include "crypto/secp.h"
#include "signer/envelope.h"

/* The public key of key as records of that curve have it, and of secp256k1 the address, else zero.
 * Returns: ADY_E_KEY_RANGE; ADY_E_FIELD_INVALID for a wallet. Time: constant in the key; leaves
 * copies on the stack, see ady_stack_wipe. */
enum ady_err ady_key_public(uint8_t pub[static 48], uint8_t address20[static 20],
                            enum ady_curve curve, const struct ady_secp *secp,
                            const struct ady_seckey *key);

/* Seal key into rec, which needs nothing but public key, texts and ciphertext; open it again, and
 * compare. Returns: ADY_E_KEY_RANGE, ADY_E_CRYPTO. Copies as above. */
enum ady_err ady_key_seal(struct ady_record *rec, uint8_t address20[static 20],
                          const struct ady_secp *secp, const struct ady_envelope *e,
                          const uint8_t data_key32[static 32], const struct ady_seckey *key);

/* Make a secp256k1, ed25519 or BLS12-381 key from the kernel's randomness for rec, begun by
 * ady_record_begin and with data key and time in it: public key, texts and ciphertext are new.
 * Out:     address20, the Ethereum address; zero of the other curves, which have none.
 * Returns: ADY_E_FIELD_INVALID for another curve; ADY_E_CRYPTO when what was sealed does not open
 * to a key of that public key. */
enum ady_err ady_make_key(struct ady_record *rec, uint8_t address20[static 20],
                          const struct ady_secp *secp, const struct ady_envelope *e,
                          const uint8_t data_key32[static 32], struct ady_fault *f);

/* The same with a key that was brought in: plaintext, secret, in a form that ady_sign_finish takes;
 * the caller wipes it.
 * Returns: ADY_E_KEY_FORM, ADY_E_KEY_RANGE, ADY_E_CRYPTO. */
enum ady_err ady_take_key(struct ady_record *rec, uint8_t address20[static 20],
                          const struct ady_secp *secp, const struct ady_envelope *e,
                          const uint8_t data_key32[static 32], struct ady_bytes plaintext,
                          struct ady_fault *f);

/* Open the key of rec, which is complete and bound. opened, secret: as of ady_reseal_key. Out:
 * *key; the caller wipes it, and the stack. Returns: ADY_E_RECORD_MISMATCH when it does not open,
 * or to another key than the record's; ADY_E_KEY_FORM, ADY_E_KEY_RANGE. */
enum ady_err ady_open_key(struct ady_seckey *key, const struct ady_record *rec,
                          const struct ady_secp *secp, const struct ady_envelope *e,
                          struct ady_bytes opened);

/* Whether key is the private key of public_key, in the form that records have. */
bool ady_key_is_of(const struct ady_seckey *key, enum ady_curve curve, struct ady_bytes public_key,
                   const struct ady_secp *secp);

/* Seal the key or wallet of rec, which is complete and bound, under another data key, whose
 * ciphertext of KMS is blob. opened, secret: what KMS opened for rec, the data key of an envelope
 * or the key itself. Out:     rec, an envelope that says the same as before; address20. Returns:
 * ADY_E_RECORD_MISMATCH when it does not open, or to another key than the record's; ADY_E_KEY_FORM,
 * ADY_E_KEY_RANGE, ADY_E_CRYPTO. */
enum ady_err ady_reseal_key(struct ady_record *rec, uint8_t address20[static 20],
                            const struct ady_secp *secp, const struct ady_envelope *e,
                            struct ady_bytes opened, const uint8_t next_data_key32[static 32],
                            struct ady_bytes blob, struct ady_fault *f);

/* Seal the key of rec, an envelope that is complete and bound, with another policy under the same
 * data key. Out: rec, of the next revision; address20.
 * Returns: ADY_E_RECORD_MISMATCH when it does not open; ADY_E_CRYPTO. */
enum ady_err ady_rebind_key(struct ady_record *rec, uint8_t address20[static 20],
                            const struct ady_secp *secp, const struct ady_envelope *e,
                            const uint8_t data_key32[static 32], struct ady_bytes policy,
                            struct ady_fault *f);

#endif
