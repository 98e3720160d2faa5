/* SPDX-License-Identifier: Apache-2.0
 *
 * The 32 bytes that stand for a value without structure in EIP-712's encodeData. Used by eip712.c
 * and by src/policy. */
#ifndef ADY_CHAIN_EIP712_WORD_H
#define ADY_CHAIN_EIP712_WORD_H

#include "chain/eip712_types.h"

/* Write the word of token i, a value of ref's base type, which is no struct; at names it.
 * Returns the ADY_E_FIELD_*, ADY_E_CHECKSUM or ADY_E_TOO_LARGE. */
enum ady_err ady_eip712_word(uint8_t word[static 32], const struct ady_eth_reader *r,
                             const struct ady_eip712_ref *ref, const struct ady_eip712_path *at,
                             uint32_t i);

#endif
