/* SPDX-License-Identifier: Apache-2.0
 *
 * A key's slashing protection state as the store keeps it: 184 bytes, authenticated with a key that
 * only who holds the validator's private key can make. So no row passes for another key's, for
 * another deployment's network, or for one that no enclave has written.
 *
 *   "ADYSLASH" | 1 | flags | 6 zero | version | slot | source | target | from epoch (8 bytes
 *   big-endian each) | block root | attestation root | genesis validators root (32 each) |
 *   HMAC-SHA-256 of all before (32) */
#ifndef ADY_POLICY_SLASHING_ROW_H
#define ADY_POLICY_SLASHING_ROW_H

#include "base/secret.h"
#include "policy/slashing.h"

enum { ADY_SLASH_ROW = 184 };

/* The row key of a validator's private key: HMAC-SHA-256(key, "adyton slashing row 1").
 * Time: constant in the key; leaves copies on the stack. */
void ady_slash_row_key(struct ady_seckey *row_key, const struct ady_seckey *key);

/* Write state as a row for a network. Time: constant in the key. */
void ady_slash_row_seal(uint8_t row[static ADY_SLASH_ROW], const struct ady_slash_state *state,
                        const uint8_t genesis_validators_root32[static 32],
                        const struct ady_seckey *row_key);

/* Read a row after its authenticity was checked; an empty one is a state of version 0.
 * Returns: ADY_E_SLASHING for a row of another form, key or network; *state is zero then. */
enum ady_err ady_slash_row_open(struct ady_slash_state *state, struct ady_bytes row,
                                const uint8_t genesis_validators_root32[static 32],
                                const struct ady_seckey *row_key, struct ady_fault *f);

/* Read a row without its key, as the parent does, to show or export it; gvr: its network.
 * Returns ADY_E_SLASHING for another form. */
enum ady_err ady_slash_row_peek(struct ady_slash_state *state,
                                uint8_t genesis_validators_root32[static 32], struct ady_bytes row,
                                struct ady_fault *f);

#endif
